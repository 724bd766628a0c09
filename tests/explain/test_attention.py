"""`zoo.explain.attention`: the flow is shared out, never lost."""

import numpy as np
import pytest
import torch

from baselines.d2sta.grouping import TwoStageAttention, rollup
from zoo.data.batch import Batch, Prediction
from zoo.errors import DataError
from zoo.explain.attention import attention_in_stages, attention_rollup
from zoo.explain.sample import samples_of
from zoo.models import create_model
from zoo.prediction import Predictor

TINY = {"channels": [8, 8], "strides": [1, 2]}


def d2sta(make_sample, **settings):
    torch.manual_seed(0)
    model = create_model("d2sta-small", streams=["position"], **TINY, **settings)
    return make_sample(model, torch.randn(10, 25, 3))


def test_everything_together_is_one(trained) -> None:
    predictor = Predictor.open(trained.run("d2sta"), data_root=trained.data_root)
    found = attention_rollup(samples_of(predictor, trained.unseen("d2sta"))[0])
    assert found.joint_time.shape == (16, 25)
    assert found.joint_time.min() > 0
    assert found.joint_time.sum() == pytest.approx(1.0)
    assert np.isnan(found.baseline_score)
    assert not found.signed


@pytest.mark.parametrize(
    "settings",
    [
        {"order": "groups-first"},
        {"stage_residual": False},
        {"grouping": "attention"},
        {"groups": 1},
    ],
    ids=str,
)
def test_other_modules_share_out_everything_too(make_sample, settings) -> None:
    found = attention_rollup(d2sta(make_sample, **settings))
    assert found.joint_time.sum() == pytest.approx(1.0)
    assert found.joint_time.min() > 0


class Maps(torch.nn.Module):
    """Two groups of joints, and attention as it is given."""

    def __init__(self, within: torch.Tensor, between: torch.Tensor) -> None:
        super().__init__()
        self.stages = TwoStageAttention(4, 1, residual=False)
        first = torch.zeros(25, 2)
        first[:5, 0] = first[5:, 1] = 1.0
        self.maps = {"assignment": first, "within_group": within, "between_groups": between}

    def forward(self, batch: Batch) -> Prediction:
        return Prediction(batch.x["position"].sum((1, 2, 3)))

    def attention_maps(self, batch: Batch) -> dict[str, torch.Tensor]:
        return {name: values[None] for name, values in self.maps.items()}

    def attention_rollup(self, batch: Batch) -> torch.Tensor:
        return rollup(self.attention_maps(batch), self.stages)


def test_all_looks_lead_to_one_group_and_one_frame(make_sample) -> None:
    within = torch.zeros(1, 2, 4, 4)
    within[..., 2] = 1.0  # every frame looks at the third
    between = torch.zeros(1, 4, 2, 2)
    between[..., 0] = 1.0  # every group looks at the first, of five joints
    found = attention_rollup(make_sample(Maps(within, between), torch.randn(8, 25, 3)))
    expected = np.full((8, 25), 0.5 / 200)  # half stays with the joints
    expected[4:6, :5] += 0.5 / (2 * 5)  # the third frame of four is the fifth and sixth of eight
    np.testing.assert_allclose(found.joint_time, expected, rtol=1e-5)


def test_attention_that_no_one_follows_back_is_refused(make_sample) -> None:
    class Alone(Maps):
        attention_rollup = None

    maps = torch.ones(1, 2, 4, 4), torch.ones(1, 4, 2, 2)
    with pytest.raises(DataError, match="cannot be followed back"):
        attention_rollup(make_sample(Alone(*maps), torch.randn(8, 25, 3)))


def test_maps_are_those_of_the_model(make_sample) -> None:
    maps = attention_in_stages(d2sta(make_sample, groups=3))
    assert maps["assignment"].shape == (25, 3)
    assert maps["within_group"].shape == (2, 3, 5, 5)
    assert maps["between_groups"].shape == (2, 5, 3, 3)


def test_models_without_attention_are_refused(trained, make_sample) -> None:
    predictor = Predictor.open(trained.run("stgcn"), data_root=trained.data_root)
    with pytest.raises(DataError, match="stgcn-small returns no attention"):
        attention_rollup(samples_of(predictor, trained.unseen("stgcn"))[0])
    with pytest.raises(DataError, match="returns no attention"):
        attention_rollup(d2sta(make_sample, grouping="none"))

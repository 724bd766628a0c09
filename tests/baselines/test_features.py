import sys

import pytest
import torch

import zoo
from registry import MODELS
from zoo.catalogue import parameters
from zoo.data.batch import Batch
from zoo.errors import ConfigError, DataError, TrainingError

pytestmark = pytest.mark.usefixtures("one_thread")

SCIKIT_LEARNS = ["svr", "trees", "boosting"]
KINDS = ["ridge", "gp", *SCIKIT_LEARNS]


def people(count: int = 24, frames: int = 90) -> tuple[Batch, torch.Tensor]:
    """People whose joints swing; the target is how far."""
    generator = torch.Generator().manual_seed(0)
    pose = torch.randn(count, 1, 25, 3, generator=generator)
    size = torch.linspace(0.1, 0.6, count)
    swing = torch.sin(torch.arange(frames) / 8)[None, :, None, None]
    x = pose + size[:, None, None, None] * swing * torch.randn(25, 3, generator=generator)
    return Batch({"position": x}, fps=torch.full((count,), 30.0)), (size - size.mean()) / size.std()


def quick(kind: str) -> torch.nn.Module:
    settings = {"trees": 50} if kind in ("trees", "boosting") else {}
    shown = parameters(MODELS.get(f"features-{kind}"))["settings"] or {}
    return zoo.create_model(f"features-{kind}", settings={**shown, **settings}).eval()


@pytest.mark.parametrize("kind", KINDS)
def test_learns_how_far_people_move(kind: str) -> None:
    batch, target = people()
    model = quick(kind)
    new = torch.arange(0, 24, 3)
    known = torch.tensor([i for i in range(24) if i % 3])
    model.fit(batch.select(known), target[known])
    score = model(batch.select(new)).score
    assert (score - target[new]).abs().mean() < 0.7 * target[new].abs().mean()
    assert torch.corrcoef(torch.stack([score, target[new]]))[0, 1] > 0.9


def test_the_process_says_how_far_its_score_may_be_off() -> None:
    batch, target = people()
    model = quick("gp")
    model.fit(batch, target)
    assert (model(batch).score - target).abs().max() < 1
    wild = Batch({"position": batch.x["position"].flip(2)}, fps=batch.fps)  # joints exchanged
    assert model(wild).log_variance.mean() > model(batch).log_variance.mean() + 0.1


def test_the_frame_rate_counts() -> None:
    batch, target = people()
    model = quick("ridge")
    model.fit(batch, target)
    faster = model(batch._replace(fps=2 * batch.fps)).score
    assert (faster - model(batch).score).abs().max() > 1e-3


def test_what_is_far_outside_the_training_is_held_at_its_edge() -> None:
    batch, target = people()
    model = quick("ridge")
    model.fit(batch, target)
    wild = Batch({"position": batch.x["position"] * torch.linspace(1, 50, 90)[:, None, None]})
    assert model(wild).score.abs().max() < 6


def test_an_undefined_feature_counts_as_usual() -> None:
    batch, target = people()
    model = quick("ridge")
    model.fit(batch, target)
    measured = model.derive(batch).x["features"]
    assert measured.isfinite().any()
    still = Batch({"position": batch.x["position"][:, :1].expand(-1, 90, -1, -1)})
    undefined = model.derive(still).x["features"][:, 0, 0].isnan()
    assert undefined.any()
    assert (model.describe(still)[undefined] == 0).all()
    assert model(still).score.isfinite().all()


def test_a_sequence_without_a_body_ends_no_fold() -> None:
    batch, target = people()
    model = quick("ridge")
    model.fit(batch, target)
    x = batch.x["position"].clone()
    x[3] = 0.0
    empty = Batch({"position": x}, fps=batch.fps)
    assert model.derive(empty).x["features"][3].isnan().all()
    assert model(Batch({"position": x[3:4]}, fps=batch.fps[3:4])).score.isfinite().all()
    model.fit(empty, target)
    assert model(empty).score.isfinite().all()
    with pytest.raises(DataError, match="no sequence shows a body"):
        quick("ridge").fit(Batch({"position": 0 * x}, fps=batch.fps), target)


@pytest.mark.parametrize("kind", SCIKIT_LEARNS)
def test_without_scikit_learn_the_error_names_the_extra(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = quick(kind)
    for module in ("sklearn.svm", "sklearn.ensemble"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(TrainingError, match=r"pip install 'skeleton-zoo\[classical\]'"):
        model.fit(*people(6))


def test_refuses_what_it_cannot_be() -> None:
    with pytest.raises(ConfigError, match="boosting"):
        zoo.create_model("features-trees", regressor="bosting", settings={})
    with pytest.raises(ConfigError, match="leaves"):
        zoo.create_model("features-trees", settings={"leaves": 3})
    with pytest.raises(ConfigError, match="hold"):
        zoo.create_model("features-trees", hold=0.5)
    with pytest.raises(TrainingError, match="fit first"):
        zoo.create_model("features-trees")(people(3)[0])

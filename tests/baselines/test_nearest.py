"""The neighbours on bones and on the place."""

import pytest
import torch
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import zoo
from baselines.nearest import frame_median
from zoo.data.batch import Batch
from zoo.errors import TrainingError
from zoo.skeleton.layout import load_layout

NAMES = ["knn-bones", "knn-place"]


def people(count: int, frames: int = 30, seed: int = 0) -> Batch:
    """Bodies that differ in size and place and wander a little."""
    generator = torch.Generator().manual_seed(seed)
    pose = torch.randn(count, 1, 25, 3, generator=generator)
    sway = 0.05 * torch.randn(count, frames, 1, 3, generator=generator).cumsum(1)
    return Batch({"position": pose + sway})


@pytest.mark.parametrize("name", NAMES)
def test_is_scikit_learns_neighbour_on_standardised_values(name: str) -> None:
    known, new = people(40), people(25, seed=1)
    target = torch.randn(40, generator=torch.Generator().manual_seed(2))
    model = zoo.create_model(name)
    model.fit(known, target)
    reference = make_pipeline(StandardScaler(), KNeighborsRegressor(1))
    reference.fit(model.describe(known).double().numpy(), target.numpy())
    expected = reference.predict(model.describe(new).double().numpy())
    assert model(new).score.tolist() == pytest.approx(expected.tolist())


def test_bones_are_the_layouts_median_lengths_and_nothing_else() -> None:
    layout = load_layout("kinect-v2")
    model, batch = zoo.create_model("knn-bones"), people(6, frames=31)
    bones = model.describe(batch)
    assert bones.shape == (6, 24)
    x = batch.x["position"]
    child, parent = layout.bones[7]
    expected = (x[:, :, child] - x[:, :, parent]).norm(dim=-1).median(1).values
    torch.testing.assert_close(bones[:, 7], expected)
    rotation = torch.linalg.qr(torch.randn(3, 3)).Q
    moved = Batch({"position": x @ rotation + torch.randn(1, 31, 1, 3)})
    torch.testing.assert_close(model.describe(moved), bones, rtol=1e-4, atol=1e-5)


def test_the_place_is_that_of_the_pelvis() -> None:
    model, batch = zoo.create_model("knn-place"), people(6)
    x = batch.x["position"]
    torch.testing.assert_close(model.describe(batch), x[:, :, 0].mean(1))
    bent = x.clone()
    bent[:, :, 1:] += torch.randn(24, 3)
    torch.testing.assert_close(model.describe(Batch({"position": bent})), x[:, :, 0].mean(1))


@pytest.mark.parametrize("name", NAMES)
def test_samples_alike_in_everything_give_the_first_score(name: str) -> None:
    one = people(1).x["position"]
    model = zoo.create_model(name)
    model.fit(Batch({"position": one.expand(3, -1, -1, -1)}), torch.tensor([5.0, 6.0, 7.0]))
    assert model(Batch({"position": one})).score.tolist() == [5.0]


@pytest.mark.parametrize("name", NAMES)
def test_before_the_fit_it_says_so(name: str) -> None:
    with pytest.raises(TrainingError, match="fit first"):
        zoo.create_model(name)(people(2))


def test_median_over_real_frames() -> None:
    x = torch.tensor([1.0, 2.0, 6.0, 9.0]).reshape(1, 4, 1)
    assert frame_median(x, None).item() == 2
    assert frame_median(x[:, :3], None).item() == 2
    x = torch.randn(2, 7, 5, generator=torch.Generator().manual_seed(0))
    x[1, 4:] = torch.nan
    together = frame_median(x, torch.arange(7) < torch.tensor([[7], [4]]))
    torch.testing.assert_close(together[:1], frame_median(x[:1], None))
    torch.testing.assert_close(together[1:], frame_median(x[1:, :4], None))

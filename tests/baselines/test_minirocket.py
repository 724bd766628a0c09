import numpy as np
import pytest
import torch

import zoo
from baselines.minirocket import KERNELS, draw_channels, kernels, spread_dilations
from zoo.data.batch import Batch
from zoo.errors import ConfigError, TrainingError

pytestmark = pytest.mark.usefixtures("one_thread")


def people(count: int = 20, frames: int = 60) -> tuple[Batch, torch.Tensor]:
    """People who move at different frequencies."""
    rate = torch.linspace(0.1, 0.5, count)
    time = torch.arange(frames)
    generator = torch.Generator().manual_seed(0)
    way = torch.randn(count, 1, 25, 3, generator=generator)
    noise = 0.1 * torch.randn(count, frames, 25, 3, generator=generator)
    x = torch.sin(rate[:, None] * time)[:, :, None, None] * way + noise
    return Batch({"position": x}), (rate - rate.mean()) / rate.std()


def fitted(features: int = 1000, frames: int = 60) -> torch.nn.Module:
    torch.manual_seed(0)
    model = zoo.create_model("minirocket", features=features).eval()
    model.fit(*people(frames=frames))
    return model


def test_kernels_are_those_of_the_paper() -> None:
    weights = kernels()
    assert weights.shape == (84, 9)
    assert (weights.sum(1) == 0).all()
    assert ((weights == 2).sum(1) == 3).all()
    assert len(weights.unique(dim=0)) == 84


@pytest.mark.parametrize("frames", [1, 9, 24, 100, 2000])
def test_dilations_are_those_of_the_released_code(frames: int) -> None:
    each = 10_000 // 84
    dilations, counts = spread_dilations(frames, each)
    largest = np.log2(max(frames - 1, 8) / 8)
    drawn = np.logspace(0, largest, 32, base=2).astype(int)
    expected, times = np.unique(drawn, return_counts=True)
    assert dilations == expected.tolist()
    assert sum(counts) == each
    assert (np.array(counts) >= (times * (each / 32)).astype(int)).all()
    assert max(dilations) * 8 <= max(frames - 1, 8)


def test_one_to_nine_channels_are_summed() -> None:
    torch.manual_seed(0)
    number = draw_channels(20, 75).sum(-1)
    assert number.shape == (20, KERNELS)
    assert sorted(number.unique().tolist()) == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert (draw_channels(3, 1) == 1).all()


def test_shares_are_those_of_a_plain_convolution() -> None:
    model = fitted(84 * 5)
    batch, _ = people()
    x, lengths = model._sequences(batch)
    shares = model._shares(x, lengths)
    assert shares.shape == (20, 84 * 5)
    person = 3
    for place, count in enumerate(model.counts.tolist()):
        dilation = int(model.dilations[place])
        for kernel in (0, 1, 40, 83):
            chosen = model.channels[place, kernel].bool()
            signal = np.pad(x[person, chosen].sum(0).numpy(), 4 * dilation)
            taps = [dilation * k + np.arange(60) for k in range(9)]
            values = sum(
                w * signal[t] for w, t in zip(kernels()[kernel].tolist(), taps, strict=True)
            )
            if (place + kernel) % 2:
                values = values[4 * dilation : 60 - 4 * dilation]
            first = sum(model.counts[:place].tolist())
            for number in range(count):
                limit = float(model.thresholds[kernel, first + number])
                column = 84 * first + kernel * count + number
                assert shares[person, column] == pytest.approx((values > limit).mean(), abs=0.02)


def test_learns_a_frequency() -> None:
    batch, target = people(24)
    torch.manual_seed(0)
    model = zoo.create_model("minirocket", features=1000).eval()
    known = torch.tensor([i for i in range(24) if i % 4])
    model.fit(batch.select(known), target[known])
    new = torch.arange(0, 24, 4)
    score = model(batch.select(new)).score
    assert (score - target[new]).abs().mean() < 0.6 * target[new].abs().mean()
    assert torch.corrcoef(torch.stack([score, target[new]]))[0, 1] > 0.95


def test_the_same_random_numbers_give_the_same_model() -> None:
    batch, _ = people()
    assert torch.equal(fitted()(batch).score, fitted()(batch).score)


@pytest.mark.parametrize("frames", [3, 9, 200])
def test_scores_sequences_of_any_length(frames: int) -> None:
    assert fitted()(people(4, frames)[0]).score.isfinite().all()
    assert fitted(frames=frames)(people(4)[0]).score.isfinite().all()


def test_refuses() -> None:
    with pytest.raises(ConfigError, match="84"):
        zoo.create_model("minirocket", features=50)
    with pytest.raises(TrainingError, match="fit first"):
        zoo.create_model("minirocket")(people(2)[0])

import numpy as np
import pytest
import torch

from baselines.knn_dtw import warped_distances


def by_the_book(a: np.ndarray, b: np.ndarray, window: float) -> float:
    """Cell by cell, as Sakoe and Chiba 1978 write it."""
    frames = len(a)
    band = int(np.ceil(window * frames))
    best = np.full((frames + 1, frames + 1), np.inf)
    best[0, 0] = 0
    for s in range(frames):
        for t in range(frames):
            if abs(s - t) <= band:
                before = min(best[s, t], best[s, t + 1], best[s + 1, t])
                best[s + 1, t + 1] = ((a[s] - b[t]) ** 2).sum() + before
    return float(np.sqrt(best[-1, -1]))


def test_worked_example() -> None:
    """The example in the documentation of dtaidistance."""
    one = torch.tensor([0.0, 0, 1, 2, 1, 0, 1, 0, 0])[:, None]
    other = torch.tensor([0.0, 1, 2, 0, 0, 0, 0, 0, 0])[:, None]
    found = warped_distances(one, torch.stack([other, one]))
    assert found.tolist() == pytest.approx([np.sqrt(2), 0])


@pytest.mark.parametrize("frames", [1, 2, 7, 20])
@pytest.mark.parametrize("window", [0.0, 0.1, 0.5, 1.0])
def test_equals_the_definition(frames: int, window: float) -> None:
    generator = torch.Generator().manual_seed(frames)
    query = torch.randn(frames, 4, generator=generator).cumsum(0)
    known = torch.randn(6, frames, 4, generator=generator).cumsum(1)
    expected = [by_the_book(query.numpy(), one.numpy(), window) for one in known]
    assert warped_distances(query, known, window).tolist() == pytest.approx(expected, rel=1e-4)


def test_a_window_of_nothing_is_the_euclidean_distance() -> None:
    query, known = torch.randn(10, 3), torch.randn(4, 10, 3)
    expected = (known - query).flatten(1).norm(dim=1)
    torch.testing.assert_close(warped_distances(query, known, 0.0), expected)


def test_tempo_does_not_count() -> None:
    time = torch.linspace(0, 1, 60)
    steady, hurried = (torch.sin(6 * t)[:, None] for t in (time, time**1.3))
    other = torch.sin(6 * time + 0.5)[:, None]
    near, far = warped_distances(steady, torch.stack([hurried, other]), 0.2).tolist()
    assert near < 0.3 * far

"""Two performances are brought together in time."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from zoo.data.recording import Recording
from zoo.data.resample import resample
from zoo.viewer.alignment import aligned_frames, warped_path


def every_way(rows: int, columns: int) -> list[list[tuple[int, int]]]:
    """All ways through a small table that never go back."""

    def from_(i: int, j: int) -> Any:
        if (i, j) == (rows - 1, columns - 1):
            yield [(i, j)]
        for di, dj in ((1, 1), (1, 0), (0, 1)):
            if i + di < rows and j + dj < columns:
                for rest in from_(i + di, j + dj):
                    yield [(i, j), *rest]

    return list(from_(0, 0))


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 4), (4, 1), (4, 5)])
def test_no_way_is_cheaper(rows: int, columns: int) -> None:
    for seed in range(5):
        cost = np.random.default_rng(seed).random((rows, columns))
        path = warped_path(cost)
        assert tuple(path[0]) == (0, 0)
        assert tuple(path[-1]) == (rows - 1, columns - 1)
        paid = cost[path[:, 0], path[:, 1]].sum()
        assert paid == pytest.approx(
            min(sum(cost[at] for at in way) for way in every_way(rows, columns))
        )


def test_a_slower_performance_meets_the_same_moments(predictor: Any, tested: list[str]) -> None:
    (recording,) = predictor.recordings(tested[0])
    assert recording.positions is not None
    slow = slowed(recording, 2)
    frames = aligned_frames(recording, slow)
    assert len(frames) == recording.num_frames
    assert (np.diff(frames) >= 0).all()
    expected = np.linspace(0, slow.num_frames - 1, recording.num_frames)
    # Where nobody moves, one moment is as good as another; on the whole they are met.
    assert np.median(np.abs(frames - expected)) <= 0.02 * slow.num_frames
    moved = slow.positions[frames] - recording.positions  # type: ignore[index]
    assert np.linalg.norm(moved, axis=-1).mean() < 0.02


def slowed(recording: Recording, times: int) -> Recording:
    """The same movement, so many times as slow, elsewhere in the room and larger."""
    assert recording.positions is not None
    x = resample(recording.positions.astype(np.float64), times * recording.num_frames)
    return replace(
        recording, positions=x.astype(np.float32), orientations=None, tracked=None, timestamps=None
    )


def test_the_other_one_may_stand_elsewhere_turned_and_be_taller(
    predictor: Any, tested: list[str]
) -> None:
    (recording,) = predictor.recordings(tested[0])
    x = recording.positions.astype(np.float64)
    turned = np.stack([x[..., 2], x[..., 1], -x[..., 0]], -1) * 1.2 + (3, 0, 5)
    other = replace(recording, positions=turned.astype(np.float32), orientations=None)
    frames = aligned_frames(recording, other)
    assert np.abs(frames - np.arange(recording.num_frames)).max() <= 2

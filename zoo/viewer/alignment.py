"""Two performances of one exercise brought together in time."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from zoo.data.recording import Recording
from zoo.data.resample import resample
from zoo.data.transforms import Motion, center, face_camera, repair_jumps, scale_body
from zoo.skeleton import load_layout

Array = NDArray[np.float64]

_FRAMES = 240
"""Equally spaced frames that stand for each performance."""


def aligned_frames(recording: Recording, other: Recording) -> NDArray[np.int64]:
    """For each frame (T,) of a recording the frame of another that shows the same moment.

    Dynamic time warping (Sakoe, Chiba 1978) of poses without place, size and direction: the path
    from both first to both last frames that never goes back and has the least sum of squared
    distances, as `warped_distances` of the nearest neighbour does it. A frame that meets several
    takes their middle.

    Args:
        recording: with positions.
        other: of the same layout, with positions.
    """
    a, b = _poses(recording), _poses(other)
    path = warped_path(cdist(a, b, "sqeuclidean"))
    sums, counts = np.zeros(len(a)), np.zeros(len(a))
    np.add.at(sums, path[:, 0], path[:, 1])
    np.add.at(counts, path[:, 0], 1)
    share = (sums / counts) / max(len(b) - 1, 1)
    at = np.linspace(0, 1, recording.num_frames)
    smooth = np.interp(at, np.linspace(0, 1, len(a)), share)
    return (smooth * (other.num_frames - 1)).round().astype(np.int64)


def warped_path(cost: Array) -> NDArray[np.int64]:
    """The cheapest way (L, 2) through costs (A, B) from the first pair to the last, never back."""
    rows, columns = cost.shape
    total = np.full((rows + 1, columns + 1), np.inf)
    total[0, 0] = 0.0
    for i in range(rows):
        above, here, paid = total[i].tolist(), total[i + 1].tolist(), cost[i].tolist()
        for j in range(columns):
            here[j + 1] = paid[j] + min(above[j], above[j + 1], here[j])
        total[i + 1] = here
    i, j = rows, columns
    way = [(i - 1, j - 1)]
    while (i, j) != (1, 1):
        steps = [(i - 1, j - 1), (i - 1, j), (i, j - 1)]
        i, j = min(steps, key=lambda step: float(total[step]))
        way.append((i - 1, j - 1))
    return np.array(way[::-1])


def _poses(recording: Recording) -> Array:
    """One row a frame, (A, V · 3)."""
    layout = load_layout(recording.layout)
    motion = Motion.of(recording, layout).only({"position"})
    for step in (repair_jumps, face_camera, center, scale_body):
        motion = step(motion)
    x = motion.streams["position"].astype(np.float64)
    frames = min(_FRAMES, len(x))
    return resample(x, frames).reshape(frames, -1)

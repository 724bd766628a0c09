"""The two networks: what they are given, and what their numbers mean."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from zoo.errors import DataError
from zoo.pose import EXTRA
from zoo.pose.packages import Networks
from zoo.pose.region import Region

Floats = NDArray[np.float32]

DETECTOR_PIXELS = 224
LANDMARK_PIXELS = 256
LANDMARKS = 33
"""The public ones; two more, the middle of the body and a point on its circle, follow them."""
POINTS = 39

PERSON = 0.5
"""From this probability on there is somebody."""

_STRIDES = (8, 16, 32, 32, 32)
_OVERLAP = 0.3
_HEAT_REACH = 3


@dataclass(frozen=True, eq=False)
class Found:
    """What the landmark network says of one square.

    Attributes:
        person: probability that somebody is in it.
        points: (39, 3), x and y from 0 to 1 in the square, z in parts of its side.
        visibility: (39,) probability that a point is seen.
        world: (39, 3) metres from the middle of the hips, in the square's directions.
    """

    person: float
    points: Floats
    visibility: Floats
    world: Floats


def anchors() -> Floats:
    """Middles x, y (2254, 2), from 0 to 1, of the squares that the detector's answers belong to.

    Two for each place of a grid of 28 × 28 and of 14 × 14, six for each of 7 × 7.
    """
    found = []
    for stride in sorted(set(_STRIDES)):
        grid = DETECTOR_PIXELS // stride
        middles = (np.arange(grid) + 0.5) / grid
        y, x = np.meshgrid(middles, middles, indexing="ij")
        places = np.stack([x.ravel(), y.ravel()], axis=-1)
        found.append(np.repeat(places, 2 * _STRIDES.count(stride), axis=0))
    return np.concatenate(found).astype(np.float32)


class Detector:
    """Finds the person in a picture of whom it is surest."""

    def __init__(self, networks: Networks) -> None:
        self._run = _interpreter(networks.detector)
        self._anchors = anchors()

    def __call__(self, picture: NDArray[np.uint8]) -> Region | None:
        """The square of the person in a picture (height, width, 3); None where nobody is found."""
        height, width = picture.shape[:2]
        whole = Region.whole(width, height)
        crop = whole.crop(picture, DETECTOR_PIXELS, repeat=False)
        by_size = {answer.shape[-1]: answer[0] for answer in self._run(2 * crop - 1)}
        points = best_detection(by_size[12], by_size[1][:, 0], self._anchors)
        if points is None:
            return None
        middle, rim = whole.to_picture(points)
        return Region.of_person(middle, rim)


def best_detection(boxes: Floats, scores: Floats, places: Floats) -> Floats | None:
    """Middle of the hips and point on the body's circle (2, 2), from 0 to 1, of the surest person.

    Answers that overlap with the surest one by 0.3 (intersection over union) are averaged with it,
    weighed by their probabilities.

    Args:
        boxes: (2254, 12) middle x, y, width, height and four points, in pixels from the anchor.
        scores: (2254,) logits.
        places: (2254, 2), see `anchors`.
    """
    sure = expit(scores)
    kept = np.flatnonzero(sure >= PERSON)
    if not len(kept):
        return None
    sizes = boxes[kept, 2:4] / DETECTOR_PIXELS
    middles = boxes[kept, :2] / DETECTOR_PIXELS + places[kept]
    best = int(np.argmax(sure[kept]))
    low = np.maximum(middles - sizes / 2, (middles - sizes / 2)[best])
    high = np.minimum(middles + sizes / 2, (middles + sizes / 2)[best])
    shared = np.maximum(high - low, 0).prod(axis=1)
    areas = sizes.prod(axis=1)
    overlap = shared / np.maximum(areas + areas[best] - shared, 1e-9)
    alike = overlap > _OVERLAP
    alike[best] = True
    points = boxes[kept, 4:8].reshape(-1, 2, 2) / DETECTOR_PIXELS + places[kept, None]
    weighed: Floats = np.average(points[alike], axis=0, weights=sure[kept][alike])
    return weighed


class LandmarkNetwork:
    """Finds the points of the person in a square."""

    def __init__(self, networks: Networks) -> None:
        self._run = _interpreter(networks.landmarks)

    def __call__(self, picture: NDArray[np.uint8], region: Region) -> Found:
        """The points of the person in a square of a picture (height, width, 3)."""
        crop = region.crop(picture, LANDMARK_PIXELS, repeat=True)
        answers = self._run(crop)
        flat = {answer.size: answer.ravel() for answer in answers if answer.ndim == 2}
        heat = next(a[0] for a in answers if a.ndim == 4 and a.shape[-1] == POINTS)
        raw = flat[5 * POINTS].reshape(POINTS, 5)
        points = refined(raw[:, :3] / LANDMARK_PIXELS, heat)
        visibility = expit(raw[:, 3])
        return Found(float(flat[1][0]), points, visibility, flat[3 * POINTS].reshape(POINTS, 3))


def refined(points: Floats, heat: Floats) -> Floats:
    """Points (39, 3) moved to the middle of what the heat maps (64, 64, 39) show about them.

    Of 7 × 7 places about a point; where none of them has a probability of a half the point stays.
    """
    moved = points.copy()
    rows, columns = heat.shape[:2]
    for number, (x, y) in enumerate(points[:, :2]):
        column, row = int(x * columns), int(y * rows)
        if not (0 <= column < columns and 0 <= row < rows):
            continue
        top, left = max(0, row - _HEAT_REACH), max(0, column - _HEAT_REACH)
        part = heat[top : row + _HEAT_REACH + 1, left : column + _HEAT_REACH + 1, number]
        warmth = expit(part)
        if warmth.max() >= PERSON:
            down, across = np.indices(warmth.shape)
            total = warmth.sum()
            moved[number, 0] = ((left + across) * warmth).sum() / total / columns
            moved[number, 1] = ((top + down) * warmth).sum() / total / rows
    return moved


def _interpreter(network: bytes) -> Any:
    """From an input (pixels, pixels, 3) to the outputs of a network; one thread, so repeatable.

    Raises:
        DataError: the library that runs it is not installed, or it is no such network.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise DataError(f"MediaPipe's networks are run by ai-edge-litert: {EXTRA}") from None
    try:
        made = Interpreter(model_content=network, num_threads=1)
        made.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise DataError(f"a network of MediaPipe Pose cannot be loaded: {error}") from None
    (given,) = made.get_input_details()
    outputs = [detail["index"] for detail in made.get_output_details()]

    def run(crop: Floats) -> list[Floats]:
        made.set_tensor(given["index"], crop[None].astype(np.float32))
        made.invoke()
        return [made.get_tensor(index) for index in outputs]

    return run

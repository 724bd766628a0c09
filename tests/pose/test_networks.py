import numpy as np
import pytest

from zoo.pose.networks import DETECTOR_PIXELS, POINTS, anchors, best_detection, refined


def test_there_are_as_many_anchors_as_the_detector_has_answers() -> None:
    places = anchors()
    assert places.shape == (2254, 2)
    assert places[:2].ravel().tolist() == pytest.approx([0.5 / 28] * 4)
    assert places[1568].tolist() == pytest.approx([0.5 / 14] * 2)
    assert places[-1].tolist() == pytest.approx([6.5 / 7] * 2)
    assert places[2].tolist() == pytest.approx([1.5 / 28, 0.5 / 28])  # along the row first


def answers() -> tuple[np.ndarray, np.ndarray]:
    return np.zeros((2254, 12), np.float32), np.full(2254, -5.0, np.float32)


def answer(boxes: np.ndarray, at: int, middle: tuple[float, float], size: float) -> None:
    """An answer of a box, and of points a quarter of its size below and above its middle."""
    away = (np.array(middle) - anchors()[at]) * DETECTOR_PIXELS
    boxes[at, :2], boxes[at, 2:4] = away, size * DETECTOR_PIXELS
    boxes[at, 4:6] = away
    boxes[at, 6:8] = [away[0], away[1] - size * DETECTOR_PIXELS]


def test_nobody_where_nothing_is_sure() -> None:
    boxes, scores = answers()
    assert best_detection(boxes, scores, anchors()) is None


def test_the_surest_person_is_taken_and_others_are_left_alone() -> None:
    boxes, scores = answers()
    answer(boxes, 100, (0.25, 0.5), 0.2)
    answer(boxes, 1700, (0.75, 0.5), 0.2)
    scores[100], scores[1700] = 1.0, 3.0
    found = best_detection(boxes, scores, anchors())
    assert found == pytest.approx(np.array([[0.75, 0.5], [0.75, 0.3]]), abs=1e-5)


def test_answers_about_one_person_are_averaged_by_how_sure_they_are() -> None:
    boxes, scores = answers()
    answer(boxes, 100, (0.50, 0.5), 0.2)
    answer(boxes, 101, (0.52, 0.5), 0.2)
    scores[100], scores[101] = np.log(0.9 / 0.1), np.log(0.6 / 0.4)
    found = best_detection(boxes, scores, anchors())
    assert found is not None
    assert found[0, 0] == pytest.approx((0.9 * 0.50 + 0.6 * 0.52) / 1.5, abs=1e-5)


def test_points_move_to_where_the_heat_is() -> None:
    points = np.full((POINTS, 3), 0.5, np.float32)
    points[2, :2] = -0.2  # outside of the square
    heat = np.full((64, 64, POINTS), -20.0, np.float32)
    heat[34, 30, 0] = 20.0
    heat[34, 30, 1] = -1.0  # less than a half
    moved = refined(points, heat)
    assert moved[0, :2].tolist() == pytest.approx([30 / 64, 34 / 64], abs=1e-5)
    assert (moved[1:] == points[1:]).all()
    assert (points[0] == 0.5).all()

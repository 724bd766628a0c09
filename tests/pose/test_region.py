import math

import numpy as np
import pytest

from zoo.pose.region import ENLARGED, Region


def test_the_whole_picture_lies_in_the_middle_of_its_square() -> None:
    whole = Region.whole(640, 480)
    corners = whole.to_picture(np.array([[0.0, 0.125], [1.0, 0.875]]))
    assert corners.tolist() == [[0.0, 0.0], [640.0, 480.0]]


@pytest.mark.parametrize("degrees", [0, 30, 90, 135, 180, -60])
def test_a_person_is_upright_in_their_square(degrees: float) -> None:
    """However they lie in the picture, the point above the hips is above the middle."""
    lean = math.radians(degrees)
    middle = np.array([200.0, 150.0])
    rim = middle + 80 * np.array([math.sin(lean), -math.cos(lean)])
    region = Region.of_person(middle, rim)
    assert region.size == pytest.approx(2 * 80 * ENLARGED)
    assert region.to_picture(np.array([0.5, 0.5])) == pytest.approx(middle)
    above = np.array([0.5, 0.5 - 80 / region.size])
    assert region.to_picture(above) == pytest.approx(rim)
    assert region.turned(np.array([0.0, -1.0, 3.0])) == pytest.approx(
        [math.sin(lean), -math.cos(lean), 3.0]
    )


def test_a_crop_of_the_same_size_is_the_picture() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    crop = Region(16.0, 16.0, 32.0).crop(picture, 32, repeat=False)
    assert np.abs(255 * crop - picture).max() < 1e-3


def test_a_quarter_turn_turns_the_crop() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    crop = Region(16.0, 16.0, 32.0, math.pi / 2).crop(picture, 32, repeat=False)
    assert np.abs(255 * crop[1:] - np.rot90(picture)[:-1]).max() < 1e-3


def test_beyond_the_picture_is_black_or_its_last_pixel() -> None:
    picture = np.full((10, 20, 3), 200, dtype=np.uint8)
    region = Region(10.0, 5.0, 40.0)
    assert (region.crop(picture, 40, repeat=True) == np.float32(200 / 255)).all()
    black = region.crop(picture, 40, repeat=False)
    assert black[0].max() == 0
    assert black[20, 20].min() == np.float32(200 / 255)

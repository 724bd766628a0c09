"""The numbers of the page are those of the recording, and few."""

import base64
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from zoo.viewer.page import render
from zoo.viewer.payload import MOST_FRAMES, payload, shown_frames
from zoo.viewer.view import View, views_of


def numbers(text: str, kind: str) -> Any:
    return np.frombuffer(base64.b64decode(text), kind)


def test_places_are_the_recordings_to_the_millimetre(views: list[View]) -> None:
    body, found = views[0].body, payload(views[0])
    frames, joints = body.recording.num_frames, body.layout.num_joints
    assert found["frames"] == frames
    places = numbers(found["places"], "<i2").reshape(frames, joints, 3) / 1000
    moved = places - body.positions
    assert np.ptp(moved, axis=(0, 1)).max() < 0.0011  # all by the same way, but for rounding
    other = numbers(found["beside"]["places"], "<i2").reshape(frames, joints, 3)
    assert (other[0] != places[0]).any()


def test_angles_and_bands(views: list[View]) -> None:
    view = views[0]
    knee = next(m for m in payload(view)["measures"] if m["title"] == "Knee bend")
    own = next(m for m in view.body.measures if m.title == "Knee bend")
    for shown, side in zip(knee["sides"], own.sides, strict=True):
        assert np.allclose(numbers(shown, "<i2") / 10, side, atol=0.051)
    reach = view.healthy.reach["Knee bend"]
    assert knee["low"] == [reach.low[0], reach.low[2]]
    assert knee["high"] == [reach.high[0], reach.high[2]]


def test_what_moved_the_score(views: list[View]) -> None:
    found, rests = payload(views[0])["rests"], views[0].rests_on
    assert rests is not None
    rates = numbers(found["rates"], "i1").reshape(found["points"], -1)
    expected = np.clip(rests.rates / rests.limit, -1, 1) * 127
    assert np.abs(rates - expected).max() <= 0.5
    assert [part["name"] for part in found["parts"]][:2] == ["head", "trunk"]


@pytest.mark.parametrize(
    ("frames", "fps", "step"), [(900, 30, 1), (900, 25, 1), (900, 60, 2), (18_000, 30, 3)]
)
def test_so_many_frames_are_shown(frames: int, fps: float, step: int) -> None:
    shown = shown_frames(frames, fps)
    assert len(shown) <= MOST_FRAMES
    assert shown[1] == step


def test_ten_minutes_make_a_small_page(predictor: Any, tested: list[str]) -> None:
    (recording,) = predictor.recordings(tested[0])
    times = -(-18_000 // recording.num_frames)
    arrays = {
        name: np.tile(getattr(recording, name), (times, 1, 1)[: getattr(recording, name).ndim])
        for name in ("positions", "orientations", "tracked")
        if getattr(recording, name) is not None
    }
    long = replace(recording, id="long", timestamps=None, **arrays)

    class Given(type(predictor)):  # type: ignore[misc]
        def recordings(self, source: Any) -> Any:
            return [long]

    given = Given(**{k: v for k, v in vars(predictor).items() if not k.startswith("_")
                     and k in predictor.__dataclass_fields__})  # fmt: skip
    page = render(views_of(given, ["long"]))
    assert len(page) < 4_000_000
    assert f"Of the {long.num_frames} frames one in 4 is shown" in page or "one in 3" in page


def test_it_is_json(views: list[View]) -> None:
    json.dumps(payload(views[0]), allow_nan=False)

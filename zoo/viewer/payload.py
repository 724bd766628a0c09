"""The numbers of a view as the page's scripts take them: quantised, thinned, as base64."""

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.viewer import words
from zoo.viewer.measures import DEGREES, Array, Measure
from zoo.viewer.rests_on import RestsOn
from zoo.viewer.view import View

MOST_FRAMES = 6000
"""Frames that are shown of one recording at most: 200 seconds of 30 a second, else fewer."""

_USUAL_RATE = 30.0


def shown_frames(frames: int, fps: float) -> NDArray[np.int64]:
    """Which frames are shown: 30 a second, and `MOST_FRAMES` at most."""
    step = max(1, round(fps / _USUAL_RATE), -(-frames // MOST_FRAMES))
    return np.arange(0, frames, step)


def payload(view: View) -> dict[str, Any]:
    """What the scripts know of a recording.

    Places are whole millimetres, angles and distances tenths, what moved the score 127 steps each
    way; fine enough for a picture, and a small file.
    """
    body = view.body
    shown = shown_frames(body.recording.num_frames, body.fps)
    seconds = float(shown[-1]) / body.fps
    origin = _origin(body.positions)
    run = view.predictor.run
    other = None
    if view.beside is not None:
        theirs = view.beside.body.positions
        moved = theirs - _origin(theirs)
        other = {
            "title": view.beside.body.recording.id,
            "places": _text(1000 * moved[view.beside.frames[shown]], np.int16),
        }
    height = max(0.5, float(np.percentile((body.positions - origin)[..., 1].max(axis=1), 99)))
    return {
        "title": words.title(view),
        "described": words.described(view),
        "timeline": words.timeline(view),
        "seconds": seconds,
        "frames": len(shown),
        "bones": [list(bone) for bone in body.layout.bones],
        "sides": _sides(view),
        "places": _text(1000 * (body.positions[shown] - origin), np.int16),
        "middle": [0.0, round(height / 2, 3), 0.0],
        "height": round(height, 3),
        "beside": other,
        "score": body.scored.score,
        "interval": None if body.scored.interval is None else list(body.scored.interval),
        "range": list(run.record.dataset.score_range),
        "digits": min(run.digits, 2),
        "soFar": [
            [min(t, seconds), s]
            for t, s in zip(view.so_far.seconds, view.so_far.scores, strict=True)
        ],
        "repetitions": _repetitions(view),
        "rests": None if view.rests_on is None else _rests(view, view.rests_on),
        "measures": [_measure(view, at, shown) for at in range(len(body.measures))],
        "first": _telling(view),
    }


def _origin(positions: Array) -> Array:
    """The usual place of the body on the ground, and the usual height of its lowest joint."""
    middle = np.median(positions.mean(axis=1), axis=0)
    middle[1] = np.median(positions[..., 1].min(axis=1))
    return middle


def _sides(view: View) -> list[int]:
    """0 of the middle, 1 left, 2 right, for each joint."""
    sides = [0] * view.body.layout.num_joints
    for left, right in view.body.layout.pairs:
        sides[left], sides[right] = 1, 2
    return sides


def _repetitions(view: View) -> list[list[Any]]:
    body, digits = view.body, view.predictor.run.digits
    scores = view.repetition_scores
    return [
        [start / body.fps, stop / body.fps, f"{scores[i]:.{digits}f}" if scores else ""]
        for i, (start, stop) in enumerate(body.repetitions)
    ]


def _rests(view: View, found: RestsOn) -> dict[str, Any]:
    """Joints' rates, and those of body parts relative to the strongest part."""
    parts = view.body.layout.parts or {"body": tuple(range(view.body.layout.num_joints))}
    sums = {name: found.rates[:, list(joints)].sum(axis=1) for name, joints in parts.items()}
    if not found.signed:
        sums = {name: rates / len(parts[name]) for name, rates in sums.items()}
    strongest = max(float(np.abs(rates).max()) for rates in sums.values()) or 1.0
    share = min(1.0, float(np.abs(found.rates).max()) / found.limit)
    what = "What raised and lowered the score" if found.signed else "What the score depends on"
    return {
        "title": f"{what}{', spread evenly over time' if found.steady else ''}",
        "signed": found.signed,
        "points": len(found.seconds),
        "rates": _text(127 * np.clip(found.rates / found.limit, -1, 1), np.int8),
        "parts": [
            {
                "name": name.replace("_", " "),
                "values": _text(127 * share * rates / strongest, np.int8),
            }
            for name, rates in sums.items()
        ],
    }


def _measure(view: View, at: int, shown: NDArray[np.int64]) -> dict[str, Any]:
    measure: Measure = view.body.measures[at]
    reach = view.healthy.reach.get(measure.title)
    beside = None
    if view.beside is not None:
        frames = view.beside.frames[shown]
        beside = [_text(10 * s[frames], np.int16) for s in view.beside.body.measures[at].sides]
    return {
        "title": measure.title,
        "what": measure.what,
        "unit": measure.unit,
        "sides": [_text(10 * side[shown], np.int16) for side in measure.sides],
        "low": None if reach is None else [reach.low[0], reach.low[2]],
        "high": None if reach is None else [reach.high[0], reach.high[2]],
        "beside": beside,
    }


def _telling(view: View) -> str:
    """The measure that is shown first: that of the widest range, of healthy people where known."""
    reach = view.healthy.reach
    wide: dict[str, float] = {
        measure.title: reach[measure.title].range[0]
        if measure.title in reach
        else max(extent.ranges)
        for measure, extent in zip(view.body.measures, view.body.extents, strict=True)
        if measure.unit == DEGREES
    }
    return max(wide, key=lambda title: wide[title], default="")


def _text(values: Array, kind: type[np.signedinteger[Any]]) -> str:
    """Whole numbers of a kind, little-endian, as base64; what is beyond the kind is its limit."""
    limits = np.iinfo(kind)
    whole = np.clip(np.nan_to_num(values).round(), limits.min, limits.max)
    little = np.dtype(kind).newbyteorder("<")
    return base64.b64encode(np.ascontiguousarray(whole.astype(little)).tobytes()).decode()

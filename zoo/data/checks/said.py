"""What stands beside the joints: names, scores, exercise, frame rate."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from registry.nearest import did_you_mean
from zoo.data.checks.look import Look
from zoo.data.recording import Recording
from zoo.errors import DataError
from zoo.words import some

_HIGHEST_FPS = 1000.0
_TEXTS = ("id", "subject", "group", "exercise", "session")


def plain_values(recording: Recording, look: Look) -> Recording:
    """Names are texts, scores numbers, `extra` plain data; numpy's scalars are turned into them."""
    where = f"recording {recording.id}"
    texts: dict[str, Any] = {
        name: _text(getattr(recording, name), f"{where}: {name}") for name in _TEXTS
    }
    scores = {
        str(name): _number(value, f"{where}: the score {name!r}")
        for name, value in recording.scores.items()
    }
    extra = _plain(recording.extra, f"{where}: extra")
    fps = _number(recording.fps, f"{where}: fps")
    return replace(recording, **texts, scores=scores, extra=extra, fps=fps)


def frame_rate(recording: Recording, look: Look) -> Recording:
    """A rate of 0, of NaN or beyond any sensor's says nothing of time."""
    fps = recording.fps
    if not 0 < fps <= _HIGHEST_FPS:
        wanted = f"a number above 0 and up to {_HIGHEST_FPS:g}: set fps to the sensor's rate"
        raise look.refusal("frame-rate", f"{fps:g} frames a second", wanted)
    return recording


def exercise(recording: Recording, look: Look) -> Recording:
    """An exercise that the dataset does not name is a misprint, or missing in its list."""
    known = look.expected.exercises
    if known and recording.exercise and recording.exercise not in known:
        near = did_you_mean(recording.exercise, known)
        wanted = f"one of {some(known, most=8)}. {near} Or name it among the dataset's exercises"
        raise look.refusal("exercise", f"the exercise {recording.exercise!r}", wanted)
    return recording


def scores(recording: Recording, look: Look) -> Recording:
    """A total outside the range, or that is no number, is left out, and the recording kept."""
    kept = {name: value for name, value in recording.scores.items() if math.isfinite(value)}
    for name in recording.scores.keys() - kept.keys():
        look.fault(
            "bad-score", f"{recording.scores[name]} as score {name!r}", "a number; it is left out"
        )
    total, span = kept.get("total"), look.expected.score_range
    wanted = ""
    if total is not None and look.expected.binary and total not in (0, 1):
        wanted = "1 for right or 0 for wrong, as the dataset says (binary)"
    elif total is not None and span is not None and not span[0] <= total <= span[1]:
        wanted = (
            f"{span[0]:g} to {span[1]:g}, the dataset's score range: scale the scores or set the "
            "range they have"
        )
    if wanted:
        look.fault("bad-score", f"a total score of {total:g}", f"{wanted}; it is left out")
        del kept["total"]
    return recording if len(kept) == len(recording.scores) else replace(recording, scores=kept)


def _text(value: Any, what: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | np.integer):
        raise DataError(f"{what} is {value!r}, expected a text")
    return str(value)


def _number(value: Any, what: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise DataError(f"{what} is {value!r}, expected a number") from None


def _plain(value: Any, what: str) -> Any:
    """Numpy's scalars and arrays as Python's own; the rest as it is."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{what}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, what) for item in value]
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return value

"""What the page has to know of a run: how a camera's skeleton becomes what its model is fed."""

import math
from typing import Any

from zoo.build import to_plain
from zoo.data.readers.body import SURE
from zoo.data.readers.joints import weights
from zoo.data.readers.mediapipe_json import names
from zoo.data.readers.units import TURNS
from zoo.data.resample import SOURCES
from zoo.data.segment import Sampling
from zoo.data.transforms.body import pelvis_joints, side_pairs
from zoo.errors import ConfigError, DataError
from zoo.exporting.record import ExportRecord
from zoo.nn.model import contract_of
from zoo.prediction import Predictor
from zoo.runs.intervals import no_interval
from zoo.skeleton.layout import Layout, load_layout
from zoo.words import fixed, percent

FILE = "run.json"
TRANSFORMS = ("repair-jumps", "face-camera", "center", "scale-body", "smooth")
"""Transforms that the page can do, the ones of the same name in page/transforms.js."""

GIVEN = ("position", "mask", "fps")
"""What the page gives to a model, by the names of `zoo.data.batch.Batch`."""

FPS = 30.0
"""Frames a second of the page's even clock, where the model is not fed at a rate of its own."""


def manifest(predictor: Predictor, pose: str) -> dict[str, Any]:
    """What `page/` reads of a run, as plain containers.

    Args:
        predictor: the run's.
        pose: name of MediaPipe's model of landmarks.

    Raises:
        ConfigError: the run needs what a camera or the page cannot give; the message says what.
    """
    record, protocol, feed = predictor.run.record, predictor.protocol, predictor.trained.feed
    layout = load_layout(predictor.trained.layout)
    _require_positions(predictor)
    sampling: Sampling = feed.sampling or protocol.sampling
    steps = () if feed.raw else protocol.transforms
    unknown = [step.name for step in steps if step.name not in TRANSFORMS]
    if unknown:
        raise ConfigError(
            f"the run's protocol transforms recordings by {' and '.join(unknown)}, which the page "
            f"cannot do; it has {', '.join(TRANSFORMS)}"
        )
    low, high = record.dataset.score_range
    interval = _interval(predictor)
    return {
        "title": record.model.title,
        "exercise": _exercise(predictor),
        "told": _told(predictor, interval is not None),
        "careful": careful(predictor),
        "scale": [low, high],
        "digits": 1 if high - low > 1 else 2,
        "interval": interval,
        "level": percent(predictor.level),
        "fps": feed.rate or FPS,
        "rate": feed.rate,
        "frames": None if feed.raw or feed.rate is not None else protocol.frames,
        "sampling": sampling.to_dict(),
        "aggregate": "mean" if protocol.aggregate == "none" else protocol.aggregate,
        "steps": [{"name": step.name, "params": to_plain(step.resolved())} for step in steps],
        "skeleton": {
            "joints": list(layout.joints),
            "bones": [list(bone) for bone in layout.bones],
            "pelvis": pelvis_joints(layout),
            "sides": [list(pair) for pair in side_pairs(layout)],
        },
        "mapping": _mapping(layout),
        "pose": pose,
    }


def _require_positions(predictor: Predictor) -> None:
    """Nothing, where positions are all that the model is fed."""
    model = predictor.run.record.model.name
    if contract_of(predictor.trained.model).derive is not None:
        raise ConfigError(
            f"{model} is fed what its own code measures in Python, which the page cannot do. Score "
            "saved recordings with zoo.predict, or take a network that is fed joints"
        )
    for stream in predictor.trained.streams:
        missing = [raw for raw in SOURCES.get(stream, (stream,)) if raw != "position"]
        if missing:
            raise ConfigError(
                f"{model} was trained on the stream {stream!r}, and a "
                "camera gives positions of joints and nothing else. Train one on positions: "
                "model.streams=[position]"
            )


def _mapping(layout: Layout) -> dict[str, Any]:
    """How the joints of a layout are made of the 33 landmarks, as the reader does it."""
    try:
        made_of, _ = weights(names(), layout)
    except DataError as error:
        raise ConfigError(
            f"the run's skeleton layout is {layout.name}, which cannot be made of MediaPipe's "
            f"landmarks: {error}"
        ) from None
    joints = [
        [[int(landmark), float(row[landmark])] for landmark in row.nonzero()[0]] for row in made_of
    ]
    return {"joints": joints, "turn": [list(row) for row in TURNS["-y"]], "sure": SURE}


def _interval(predictor: Predictor) -> dict[str, Any] | None:
    """How wide intervals are, see `Calibration`; None where none can be promised."""
    found = predictor.calibration
    alike = predictor.run.record.dataset.hips_centred and not predictor.run.leaky
    if not (found.finite and alike):
        return None
    return {"factor": found.factor, "scaled": found.scaled}


def graph_inputs(exported: ExportRecord) -> list[str]:
    """Names of what the exported graph takes.

    Raises:
        ConfigError: it takes what the page does not have.
    """
    found = [port.name for port in exported.graphs[0].inputs]
    missing = [name for name in found if name not in GIVEN]
    if missing:
        raise ConfigError(
            f"{exported.title} takes {' and '.join(missing)}, which the page does not have: it has "
            f"{', '.join(GIVEN)}"
        )
    return found


def _exercise(predictor: Predictor) -> str:
    told = predictor.run.record.dataset
    title = told.exercises.get(told.exercise, "")
    return f"exercise {told.exercise}: {title}" if title else f"exercise {told.exercise}"


def _told(predictor: Predictor, promised: bool) -> list[str]:
    """What a reader of the score has to know, in sentences."""
    run, calibration = predictor.run, predictor.calibration
    record, digits = run.record, run.digits
    found = [
        "The score is only as good as the skeleton that the camera's picture gives. Depth is "
        "guessed from one picture; wide clothes, bad light, a part of the body outside the picture "
        "or a second person make it worse.",
        f"The model was trained on {record.dataset.title}, {_exercise(predictor)}. It knows no "
        "other exercise: it gives a score for anything that moves.",
    ]
    if record.dataset.hips_centred:
        found.append(
            "Its training people's skeletons have the hips in the middle of every frame, as a "
            "single camera gives them. How far off it is on the skeletons of this page nobody has "
            "measured."
        )
    mad, usual = run.mad, run.baseline_test.get("mad", math.nan)
    low, high = record.dataset.score_range
    found.append(
        f"On people it had never seen it was off by {fixed(mad, digits)} points on average, on a "
        f"scale from {low:g} to {high:g}; the mean score of the training people, given to "
        f"everybody, was off by {fixed(usual, digits)}."
    )
    if promised:
        found.append(
            f"The interval holds the true score with {percent(calibration.level)} for a new "
            f"person who is recorded as the training people were, from the errors for "
            f"{calibration.people} people."
        )
    elif not record.dataset.hips_centred:
        found.append("No interval: none holds for skeletons the model was not trained on.")
    elif run.leaky:
        found.append("No interval: the run's protocol leaks, so none holds for new people.")
    else:
        found.append(no_interval(calibration))
    return found


def careful(predictor: Predictor) -> list[str]:
    """What forbids to use a score as it stands, in sentences; empty where nothing does."""
    found = []
    if not predictor.run.record.dataset.hips_centred:
        found.append(
            "The model was not trained on skeletons of a single camera but on such as keep how the "
            "body moves through the room. Nobody knows how far off it is here: do not use the score"
        )
    return [f"{text}." for text in (*found, *predictor.warnings)]

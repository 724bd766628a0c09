"""All that a page shows of one recording, as numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.data.recording import NOT_TRACKED, TRACKED, Recording
from zoo.errors import ConfigError, DataError
from zoo.prediction import Predictor, ScoredRecording
from zoo.skeleton import Layout, load_layout
from zoo.viewer.alignment import aligned_frames
from zoo.viewer.healthy import Healthy, healthy_reach
from zoo.viewer.measures import Array, Extent, Measure, exercise_frames, extent, measures_of, mended
from zoo.viewer.rests_on import RestsOn, rests_on
from zoo.viewer.so_far import SoFar, scores_so_far


@dataclass(frozen=True, eq=False)
class Body:
    """A recording's movement as it is shown.

    Attributes:
        recording: as far as it may be believed.
        scored: its score.
        positions: (T, V, 3) metres, jumps bridged and facing the sensor.
        measures: angles and distances over time.
        extents: how far each measure goes, in the order of `measures`.
        exercise: (start, stop) frames of the exercise, without what comes before and after.
        repetitions: (start, stop) frames of each; empty where none are found.
    """

    recording: Recording
    scored: ScoredRecording
    positions: Array
    measures: tuple[Measure, ...]
    extents: tuple[Extent, ...]
    exercise: tuple[int, int]
    repetitions: tuple[tuple[int, int], ...]

    @property
    def fps(self) -> float:
        """Frames a second."""
        return self.recording.fps

    @property
    def seconds(self) -> float:
        """From the first frame to the last."""
        return (self.recording.num_frames - 1) / self.fps

    @property
    def layout(self) -> Layout:
        """The skeleton."""
        return load_layout(self.recording.layout)


@dataclass(frozen=True, eq=False)
class Beside:
    """Another recording shown in the same moment of the movement.

    Attributes:
        body: the other one.
        frames: (T,) its frame for each frame of the first.
    """

    body: Body
    frames: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class View:
    """One recording with its score and what it rests on.

    Attributes:
        predictor: the model of a finished run.
        body: the movement.
        so_far: scores of its beginnings.
        rests_on: what moved the score; None where nothing tells.
        healthy: how far healthy people go.
        beside: another recording in the same moments; None without one.
        repetition_scores: one for each repetition, where the protocol scores repetitions.
        notes: what a reader of the page should know.
    """

    predictor: Predictor = field(repr=False)
    body: Body
    so_far: SoFar
    rests_on: RestsOn | None
    healthy: Healthy
    beside: Beside | None = None
    repetition_scores: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()


def views_of(
    predictor: Predictor,
    sources: Sequence[Path | str],
    *,
    beside: Path | str | None = None,
    method: str | None = None,
) -> list[View]:
    """What a page shows of each recording.

    Args:
        predictor: the model of a finished run.
        sources: files, folders or ids of prepared recordings; each may hold several recordings.
        beside: one recording that all are compared with.
        method: an attribution by name, see `rests_on`.

    Raises:
        DataError: a source cannot be used or has no positions, `beside` holds several recordings,
            or the model lacks what `method` needs.
        ConfigError: no source.
        RegistryError: no such method.
    """
    if not sources:
        raise ConfigError("there is no recording to show: name a file, a folder or an id")
    other = None if beside is None else _only(predictor, beside)
    known: dict[str, Healthy] = {}
    views = []
    for source in sources:
        for body in _bodies(predictor, source):
            exercise = body.recording.exercise
            if exercise not in known:
                known[exercise] = healthy_reach(predictor, exercise)
            views.append(_view(predictor, body, known[exercise], other, method))
    return views


def _view(
    predictor: Predictor, body: Body, healthy: Healthy, other: Body | None, method: str | None
) -> View:
    compared = None
    if other is not None:
        compared = Beside(other, aligned_frames(body.recording, other.recording))
    cuts = predictor.trained.feed.sampling or predictor.protocol.sampling
    spans = tuple((s.start, s.stop) for s in body.scored.segments)
    scored = cuts.kind == "repetitions" and spans == body.repetitions
    return View(
        predictor=predictor,
        body=body,
        so_far=scores_so_far(predictor, body.recording),
        rests_on=rests_on(predictor, body.recording, method),
        healthy=healthy,
        beside=compared,
        repetition_scores=tuple(s.score for s in body.scored.segments) if scored else (),
        notes=(
            *predictor.warnings,
            *body.scored.notes,
            *_unseen(body.recording),
            *_flat(body.recording),
        ),
    )


def _bodies(predictor: Predictor, source: Path | str) -> list[Body]:
    return [_body(predictor, recording, source) for recording in predictor.recordings(source)]


def _body(predictor: Predictor, recording: Recording, source: Path | str) -> Body:
    if recording.positions is None:
        raise DataError(
            f"recording {recording.id} has no positions of joints, so there is no movement to show"
        )
    scored = predictor.score_recording(recording, source=str(source))
    recording = predictor.looked(recording).recording
    positions = mended(recording)
    layout = load_layout(recording.layout)
    metric = predictor.metric and recording.extra.get("dimensions") != 2
    measures = tuple(measures_of(positions, layout, metric=metric))
    frames, repetitions = exercise_frames(recording)
    return Body(
        recording=recording,
        scored=scored,
        positions=positions,
        measures=measures,
        extents=tuple(extent(measure, frames) for measure in measures),
        exercise=frames,
        repetitions=tuple(repetitions),
    )


def _only(predictor: Predictor, source: Path | str) -> Body:
    bodies = _bodies(predictor, source)
    if len(bodies) != 1:
        ids = ", ".join(body.recording.id for body in bodies[:5])
        raise DataError(f"{source} holds {len(bodies)} recordings ({ids} …), expected one beside")
    return bodies[0]


def _flat(recording: Recording) -> list[str]:
    """That a camera saw no depth."""
    if recording.extra.get("dimensions") != 2:
        return []
    return [
        "the camera saw no depth: angles are those in its picture, and there are no centimetres"
    ]


_OFTEN = 0.2
"""Share of the frames in which a joint was not seen, from which on it is named."""


def _unseen(recording: Recording) -> list[str]:
    """Joints that the sensor often guessed or lost."""
    if recording.tracked is None:
        return []
    states = recording.tracked
    if not (states == TRACKED).any():  # the sensor gives no such states after all
        return []
    share = (states < TRACKED).mean(axis=0)
    lost = float((states == NOT_TRACKED).mean())
    joints = load_layout(recording.layout).joints
    often = [f"{joints[v]} ({share[v]:.0%})" for v in np.argsort(-share) if share[v] >= _OFTEN]
    if not often:
        return []
    more = f" and {len(often) - 6} more" if len(often) > 6 else ""
    gone = f"; {lost:.1%} of all joints were lost" if lost >= 0.001 else ""
    return [
        f"the sensor did not see but guessed some joints in many frames: {', '.join(often[:6])}"
        f"{more}{gone}. What is shown of them is uncertain"
    ]

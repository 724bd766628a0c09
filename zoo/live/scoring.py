"""Two ways to the score of all frames so far: frame by frame, or all of them again."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from zoo.data.recording import Recording
from zoo.data.segment import Sampling
from zoo.errors import ConfigError, DataError
from zoo.evaluation.aggregate import aggregate
from zoo.live.frames import Frame, Frames
from zoo.live.pipeline import Causal, Clock, Scaled, causal_step
from zoo.nn.streaming import StreamingStep
from zoo.prediction import Predictor
from zoo.runs.intervals import on_scale
from zoo.runs.scores import shortest
from zoo.skeleton.layout import Layout, load_layout

LEAST = 2.0
"""Seconds before which no score is given: of less, nobody could tell how well it is done."""


@dataclass(frozen=True)
class Said:
    """A score of frames so far.

    Attributes:
        score: in score units.
        interval: around it, on the scale, see `Predictor.calibration`; None where there is none.
    """

    score: float
    interval: tuple[float, float] | None


class Scorer(Protocol):
    """Scores the frames so far."""

    @property
    def how(self) -> str:
        """What is computed when, in words."""

    def push(self, frames: Frames, frame: Frame, time: float) -> Said | None:
        """After each frame: what is said now, None where it is what was said before."""


def scorer_for(predictor: Predictor, every: float) -> Scorer:
    """The way that a run's model can be scored: frame by frame where it was trained for it.

    Args:
        predictor: of the run.
        every: seconds between two scores of what is scored again as a whole.
    """
    try:
        return FrameByFrame(predictor)
    except ConfigError as error:
        return AllAgain(predictor, every, str(error))


def of_recording(predictor: Predictor, recording: Recording) -> Said:
    """The score of a recording, or of the frames so far, as the run's protocol has it.

    Unlike `Predictor.score_recording` it looks neither for faults nor for copies of what was
    trained on, and takes no times: it is for many calls a minute.

    Raises:
        DataError: too short, or the score is no finite number.
    """
    trained, protocol = predictor.trained, predictor.protocol
    samples = protocol.samples([recording], trained.streams, scored=False, feed=trained.feed)
    batch = samples.batch()
    scores = shortest(trained.score(batch).numpy()).tolist()
    score = float(aggregate(samples.recording, scores, _how(predictor))[0])
    deviation = trained.deviation(batch) if predictor.calibration.scaled else None
    return said(predictor, score, None if deviation is None else float(deviation.mean()))


def said(predictor: Predictor, score: float, deviation: float | None) -> Said:
    """A score with its interval.

    Raises:
        DataError: it is no finite number.
    """
    if not math.isfinite(score):
        raise DataError("the model's score is no finite number")
    calibration = predictor.calibration
    if not calibration.finite:
        return Said(score, None)
    radius = float(calibration.radius(None if deviation is None else [deviation], 1)[0])
    return Said(score, on_scale(score, radius, predictor.run.record.dataset.score_range))


@dataclass(eq=False)
class AllAgain:
    """All frames so far are scored as a recording, every so many seconds.

    Attributes:
        predictor: of the run.
        every: seconds.
        why: it is not scored frame by frame.
    """

    predictor: Predictor
    every: float
    why: str
    _last: float = -math.inf

    @property
    def how(self) -> str:
        """What is computed when."""
        return f"all frames so far again every {self.every:g} s: {self.why}"

    def push(self, frames: Frames, frame: Frame, time: float) -> Said | None:
        """Score, if it is time."""
        if time < max(LEAST, self._last + self.every - 1e-6):
            return None
        self._last = time
        return of_recording(self.predictor, frames.recording())


@dataclass(eq=False)
class FrameByFrame:
    """A network that was trained causally and fed at a rate of its own, frame by frame.

    Where it was trained on windows of some seconds, a score is the mean over those that are whole;
    before the first of them there is none.

    Attributes:
        predictor: of the run.

    Raises:
        ConfigError: it was not, with the reason.
    """

    predictor: Predictor
    _open: list[tuple[Tensor, ...]] = field(default_factory=list)
    _ages: list[int] = field(default_factory=list)
    _whole: list[tuple[float, float | None]] = field(default_factory=list)
    _steps: list[Causal] = field(default_factory=list)
    _fed: int = 0

    def __post_init__(self) -> None:
        trained, protocol = self.predictor.trained, self.predictor.protocol
        if not self.predictor.run.record.config["model"].get("causal"):
            raise ConfigError(
                "the network was not trained to look back only (model.causal) and is fed whole "
                "recordings"
            )
        feed = trained.feed
        if feed.rate is None:
            raise ConfigError(
                f"recordings are brought to {protocol.frames} frames, whatever their length: a "
                "network that is fed at a rate of its own (trainer.rate) goes frame by frame"
            )
        self._length, self._stride = _window(feed.sampling or protocol.sampling, feed.rate)
        self.layout: Layout = load_layout(trained.layout)
        for step in protocol.transforms:
            causal = causal_step(step, self.layout, feed.rate)
            if causal is None:
                raise ConfigError(f"the transform {step.name} needs the whole recording")
            self._steps.append(causal)
        self._clock = Clock(feed.rate)
        self._scaled = Scaled(trained.streams, trained.stream_scaler, self.layout, feed.rate)
        self._step = StreamingStep(trained.model)
        self._rate = feed.rate

    @property
    def how(self) -> str:
        """What is computed when."""
        rest = ", with what looks at all frames again" if self._step.grows else ""
        if self._length is None:
            return f"frame by frame at {self._rate:g} a second{rest}"
        seconds = self._length / self._rate
        return (
            f"frame by frame at {self._rate:g} a second{rest}, in windows of {seconds:g} s as in "
            f"training: no score before the first is whole"
        )

    @torch.inference_mode()
    def push(self, frames: Frames, frame: Frame, time: float) -> Said | None:
        """Score each frame that is due."""
        found: Said | None = None
        for due in self._clock(frame, time):
            for step in self._steps:
                due = step(due)
            scaled = self._scaled(due)
            if scaled is not None:
                found = self._fed_with(scaled.to(self.predictor.trained.device)) or found
        return found if time >= LEAST else None

    def _fed_with(self, frame: Tensor) -> Said | None:
        if self._length is None:
            self._open = self._open or [self._step.initial_state()]
            now, self._open[0] = self._scores(frame, self._open[0])
            self._fed += 1
            return said(self.predictor, *now) if self._changed() else None
        if self._fed % self._stride == 0:
            self._open.append(self._step.initial_state())
            self._ages.append(0)
        self._fed += 1
        done = False
        for place, state in enumerate(self._open):
            now, self._open[place] = self._scores(frame, state)
            self._ages[place] += 1
            if self._ages[place] == self._length:
                self._whole.append(now)
                done = True
        if not done:
            return None
        keep = [i for i, age in enumerate(self._ages) if age < self._length]
        self._open = [self._open[i] for i in keep]
        self._ages = [self._ages[i] for i in keep]
        names = [""] * len(self._whole)
        score = float(aggregate(names, [s for s, _ in self._whole], _how(self.predictor))[0])
        deviations = [d for _, d in self._whole if d is not None]
        return said(self.predictor, score, _mean(deviations))

    def _changed(self) -> bool:
        """Whether the score may be another one than a frame before."""
        return (self._fed - 1) % self._step.rate == 0

    def _scores(
        self, frame: Tensor, state: tuple[Tensor, ...]
    ) -> tuple[tuple[float, float | None], tuple[Tensor, ...]]:
        answer, state = self._step.say(frame, *state)
        target = self.predictor.trained.target_scaler
        score = float(shortest(target.inverse(answer.score).cpu().numpy())[0])
        if answer.log_variance is None or not self.predictor.calibration.scaled:
            return (score, None), state
        variance = target.inverse_variance(answer.log_variance.exp())
        return (score, float(variance.sqrt()[0])), state


def _window(sampling: Sampling, rate: float) -> tuple[int | None, int]:
    """Frames of a window and between the starts of two; no length for whole recordings.

    Raises:
        ConfigError: samples that only a whole recording has.
    """
    if sampling.kind == "recording":
        return None, 1
    if sampling.kind == "windows" and sampling.seconds is not None:
        length, stride = sampling.frames(rate)
        return length, stride or length
    raise ConfigError(
        f"recordings are cut into {sampling.kind}, whose borders only a whole recording has"
    )


def _how(predictor: Predictor) -> str:
    how = predictor.protocol.aggregate
    return "mean" if how == "none" else how


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None

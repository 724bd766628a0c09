"""A trained model while frames come in."""

import time as clock
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.data.recording import Recording
from zoo.data.resample import SOURCES
from zoo.errors import ConfigError, DataError
from zoo.live.frames import BadFrameError, Frames
from zoo.live.repetitions import RepetitionFinder
from zoo.live.scoring import Said, of_recording, scorer_for
from zoo.loaded_model import LoadedModel
from zoo.prediction import Predictor, ScoredRecording
from zoo.runs.run import Run


@dataclass(frozen=True)
class Repetition:
    """A repetition that has ended.

    Attributes:
        number: from 1.
        start: its first frame, from 0, of those that were taken.
        stop: one past its last frame.
        seconds: when it began and when it ended, from the first frame.
        score: of it alone, as if it were a recording; None where it cannot be scored.
        interval: around the score. It is calibrated on whole recordings: of a part of one it is a
            hint.
    """

    number: int
    start: int
    stop: int
    seconds: tuple[float, float]
    score: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Update:
    """What is known after a frame.

    Attributes:
        frame: its number among all that came, from 1.
        time: seconds since the first.
        score: of all frames so far, in score units; None until there is one.
        interval: around it. Calibrated on whole recordings, it holds for one that is over; of a
            part of one it is a hint (docs/streaming.md has figures).
        fresh: whether score and interval were computed with this frame.
        repetitions: those that ended with it.
        notes: what is odd about it.
        ms: milliseconds that it took.
    """

    frame: int
    time: float
    score: float | None
    interval: tuple[float, float] | None
    fresh: bool
    repetitions: tuple[Repetition, ...]
    notes: tuple[str, ...]
    ms: float

    @property
    def changed(self) -> bool:
        """Whether there is anything to show that was not there before."""
        return self.fresh or bool(self.repetitions or self.notes)


class Stream:
    """A recording that goes on: joints in, frame by frame, scores of all so far out.

        stream = zoo.live.Stream("runs/RUN", fps=30)
        for positions in camera:            # (V, 3) metres, y up
            update = stream.push(positions)
            print(update.score, update.interval)
        print(stream.finish().score)        # as zoo.predict of the whole recording

    A network that was trained for it (``model.causal`` and ``trainer.rate``) is run frame by frame;
    of others all frames so far are scored anew every so many seconds. `how` says which, and why.
    What a recording's preparation takes from the whole is taken from the frames so far, so that a
    score on the way may differ from what the same frames would get as a file; `finish` is exactly
    that. A bad frame is left out and told.

    Args:
        model: a loaded model, or a finished run, its folder or a bundle.
        fps: frames a second, where frames come without times.
        every: seconds between two scores where all frames so far are scored anew.
        repetitions: find repetitions as they end, and score each.

    Attributes:
        model: the loaded model.

    Raises:
        ConfigError: `every` or `fps` is impossible.
    """

    def __init__(
        self,
        model: LoadedModel | Run | Path | str,
        *,
        fps: float | None = None,
        every: float = 1.0,
        repetitions: bool = True,
    ) -> None:
        if not isinstance(model, LoadedModel):
            model = LoadedModel(Predictor.open(model))
        self.model = model
        if not every > 0:
            raise ConfigError(f"every is {every!r}, expected seconds above 0")
        sources = dict.fromkeys(raw for name in self.model.streams for raw in SOURCES[name])
        self._frames = Frames(self.model.layout, tuple(sources), fps)
        self._finder = RepetitionFinder() if repetitions else None
        self._scorer = scorer_for(self.model.predictor, every)
        self._said: Said | None = None

    @property
    def how(self) -> str:
        """What is computed when, in words."""
        return self._scorer.how

    @property
    def recording(self) -> Recording:
        """The frames so far as a recording.

        Raises:
            DataError: fewer than two frames.
        """
        return self._frames.recording()

    def push(self, frame: Any, time: float | None = None) -> Update:
        """Take a frame.

        Args:
            frame: positions (V, 3) in metres, y up; or a mapping of joints' names to x, y, z; or a
                mapping of the streams ``position``, ``orientation`` (w, x, y, z) and ``angle``
                (degrees) to such.
            time: seconds; where the clock begins does not matter. Needed where no fps was given.

        Raises:
            DataError: neither times nor fps.
        """
        begun = clock.perf_counter()
        frames = self._frames
        try:
            taken = frames.add(frame, time)
        except BadFrameError as error:
            return self._update(begun, [f"{error}: left out"])
        notes = [*frames.notes]
        said = self._score(taken, notes)
        self._said = said or self._said
        return self._update(begun, notes, said is not None, self._repetitions())

    def miss(self, problem: str) -> Update:
        """Count a frame that came and could not be read.

        Args:
            problem: why not.
        """
        begun = clock.perf_counter()
        self._frames.refuse(problem)
        return self._update(begun, self._frames.notes)

    def end(self) -> tuple[Repetition, ...]:
        """No more frames come: the repetitions that were not seen to be over."""
        return self._repetitions(over=True)

    def finish(self) -> ScoredRecording:
        """The score of the whole recording: exactly ``model.predict(stream.recording)``.

        Raises:
            DataError: as `LoadedModel.predict` does; fewer than two frames.
        """
        return self.model.predict(self.recording)

    def _update(
        self,
        begun: float,
        notes: list[str],
        fresh: bool = False,
        ended: tuple[Repetition, ...] = (),
    ) -> Update:
        now, frames = self._said, self._frames
        return Update(
            frame=frames.given,
            time=float(frames.times[-1]) if len(frames) else 0.0,
            score=None if now is None else now.score,
            interval=None if now is None else now.interval,
            fresh=fresh,
            repetitions=ended,
            notes=tuple(notes),
            ms=1000 * (clock.perf_counter() - begun),
        )

    def _score(self, taken: Any, notes: list[str]) -> Said | None:
        try:
            return self._scorer.push(self._frames, taken, float(self._frames.times[-1]))
        except DataError as error:
            notes.append(f"frame {self._frames.given}: no score: {error}")
            return None

    def _repetitions(self, *, over: bool = False) -> tuple[Repetition, ...]:
        if self._finder is None:
            return ()
        found = []
        new = self._finder.look(self._frames, over=over)
        for offset, (start, stop) in enumerate(new, start=len(self._finder.ended) - len(new) + 1):
            try:
                said = of_recording(self.model.predictor, self._frames.recording(start, stop))
            except DataError:
                said = None
            times = self._frames.times
            found.append(
                Repetition(
                    number=offset,
                    start=start,
                    stop=stop,
                    seconds=(float(times[start]), float(times[stop - 1])),
                    score=None if said is None else said.score,
                    interval=None if said is None else said.interval,
                )
            )
        return tuple(found)

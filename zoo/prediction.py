"""Scoring recordings with the model of a finished run."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from torch import Tensor

from registry import DATASETS, READERS, UserError, nearest
from zoo.build import to_plain
from zoo.data.adapters.base import FaultError, PrepareReport, Reader, faults_in
from zoo.data.adapters.description import FILE as DESCRIPTION
from zoo.data.adapters.description import Description
from zoo.data.adapters.folder_files import TABLE, file_of, fps_of
from zoo.data.adapters.table import read_table
from zoo.data.batch import Batch
from zoo.data.checks import Expected, Looked, looked_at
from zoo.data.dataset import SkeletonDataset, create_adapter, load_dataset
from zoo.data.known import dataset_settings, is_folder, with_settings
from zoo.data.paths import data_root as default_root
from zoo.data.readers import fitting_readers, read_recordings, reader_for, readers_of
from zoo.data.recording import UNKNOWN_SUBJECT, Recording
from zoo.data.resample import SOURCES
from zoo.data.signature import Signature
from zoo.data.transforms import hips_centred
from zoo.errors import DataError
from zoo.evaluation.aggregate import aggregate
from zoo.evaluation.conformal import Calibration
from zoo.protocol.protocol import Protocol
from zoo.runs.intervals import LEVEL, on_scale, run_calibration, too_wide
from zoo.runs.run import Run
from zoo.runs.scores import shortest
from zoo.skeleton import load_layout
from zoo.training.bundle import open_trained, protocol_of
from zoo.training.evaluate import TrainedModel, load_trained
from zoo.training.source import model_source

TIMED_CALLS = 3
"""Calls of the model whose median is the time of a recording."""

_FAR_OFF = 0.2
"""Share of the scale by which a score beyond it is no score any more."""

_FILE_ENDINGS = (".csv", ".txt")


@dataclass(frozen=True)
class ScoredSegment:
    """One sample of a recording.

    Attributes:
        start: its first frame in the recording, from 0.
        stop: one past its last frame.
        score: in score units.
    """

    start: int
    stop: int
    score: float


@dataclass(frozen=True)
class ScoredRecording:
    """What a model says of one recording.

    Attributes:
        source: the file, folder or id that was asked for.
        recording: id of the recording.
        score: in score units, the segments' scores brought together as the protocol says.
        segments: the samples the protocol cuts, in order of time.
        frames: frames T of the recording, as the sensor gave them.
        seconds: time of one call of the model on all segments together: z-score, copying to the
            device, forward pass, copying back. The median of `TIMED_CALLS` calls, after one that
            warmed the model up on segments of this number and length. Reading the file is not in
            it, nor what `preparation_seconds` has.
        preparation_seconds: time of transforms, cutting and resampling; measured once.
        true: the true total score, where it is known.
        notes: what a reader of the score should know, such as that the model was trained on this
            person.
        interval: lowest and highest score of the interval around `score`, on the scale, see
            `Predictor.calibration`; None where none can be promised: too few validation people,
            another dataset or exercise, or a person the model was made with.
    """

    source: str
    recording: str
    score: float
    segments: tuple[ScoredSegment, ...]
    frames: int
    seconds: float
    preparation_seconds: float
    true: float | None = None
    notes: tuple[str, ...] = field(default=())
    interval: tuple[float, float] | None = None

    @property
    def ms_per_frame(self) -> float:
        """Milliseconds of `seconds` for each frame of the recording, not of the resampled one."""
        return 1000 * self.seconds / self.frames

    def to_dict(self) -> dict[str, Any]:
        """Plain containers, `ms_per_frame` included."""
        return {**to_plain(self), "ms_per_frame": self.ms_per_frame}


@dataclass(frozen=True, eq=False)
class Predictor:
    """The model of a finished run and all that stands between a file and its score.

    Attributes:
        trained: the model with its scalers.
        protocol: how recordings become samples, and samples' scores one score.
        dataset: name of the dataset whose form files have and whose ids are meant.
        data_root: folder of prepared datasets.
        level: probability with which an interval holds the true score.
        settings: of the dataset or reader, where files need other ones than its defaults.
    """

    trained: TrainedModel
    protocol: Protocol
    dataset: str
    data_root: Path
    level: float = LEVEL
    settings: Mapping[str, Any] = field(default_factory=dict)
    _warm: set[tuple[int, ...]] = field(default_factory=set, repr=False)

    @classmethod
    def open(
        cls,
        run: Run | Path | str,
        *,
        dataset: str | None = None,
        data_root: Path | str | None = None,
        device: str | None = None,
        level: float = LEVEL,
        settings: Mapping[str, Any] | None = None,
    ) -> "Predictor":
        """Load a finished run's model; arguments and errors as in `zoo.predict`."""
        found = open_trained(run)
        root = default_root(data_root)
        if dataset is not None and dataset not in (found.record.dataset.name, *READERS.names()):
            dataset = dataset_settings(dataset, root)["name"]
        trained = load_trained(found, device=device or "auto")
        protocol = protocol_of(found)
        own = dataset or found.record.dataset.name
        return cls(trained, protocol, own, root, level, settings or {})

    @property
    def run(self) -> Run:
        """The finished run."""
        return self.trained.run

    @cached_property
    def calibration(self) -> Calibration:
        """How wide intervals are: from the errors for the run's validation people."""
        return run_calibration(self.run, self.level, self.how)

    @property
    def warnings(self) -> list[str]:
        """What holds for every score of this run: a leaky protocol, changed code."""
        record, found = self.run.record, []
        if self.run.leaky:
            found.append(f"the run's protocol leaks: {record.protocol.leak_reason}")
        then = record.model.source.sha256
        now = model_source(record.model.name, self.trained.model).sha256
        if then is not None and now is not None and then != now:
            found.append(
                f"the code of {record.model.name} has changed since it was trained; "
                "`zoo evaluate` tells whether it still gives the same scores"
            )
        return found

    def score(self, source: Path | str) -> list[ScoredRecording]:
        """Score what `source` names: a file, a folder, or the id of a prepared recording.

        Of a folder with ``recordings.csv`` and ``dataset.yaml`` every recording is scored, read as
        they say, whatever `dataset` is.

        Raises:
            DataError: see `zoo.predict`.
        """
        name = str(source)
        with _named(name):
            own, found = self._for(name), []
            for recording, notes in own._usable(name):
                try:
                    found.append(own.score_recording(recording, source=name, notes=notes))
                except FaultError as error:
                    raise error.advised(own._advice(error.setting, recording)) from None
            return found

    def recordings(self, source: Path | str) -> list[Recording]:
        """What `source` names, in the model's layout; errors as in `score`."""
        name = str(source)
        with _named(name):
            return [recording for recording, _ in self._for(name)._usable(name)]

    def score_recording(
        self, recording: Recording, *, source: str = "", notes: Sequence[str] = ()
    ) -> ScoredRecording:
        """Score one recording.

        Args:
            recording: in the model's layout.
            source: where it comes from; its id if empty.
            notes: come first among the notes of the result.

        Raises:
            DataError: another layout, nobody to be seen or whatever else `zoo.data.checks` refuses,
                a stream it cannot give, or a score that is no finite number.
        """
        looked = self.looked(recording)
        recording = looked.recording
        begun = time.perf_counter()
        samples = self.protocol.samples(
            [recording], self.trained.streams, scored=False, feed=self.trained.feed
        )
        batch = samples.batch()
        prepared = time.perf_counter() - begun
        raw, seconds = self._timed(batch)
        scores = shortest(raw.numpy()).tolist()
        if not all(math.isfinite(score) for score in scores):
            raise DataError(f"recording {recording.id}: the model's score is no finite number")
        score = float(aggregate(samples.recording, scores, self.how)[0])
        true = recording.scores.get("total")
        interval = self._interval(recording, score, batch)
        scale = self.run.record.dataset.score_range
        wide = [] if interval is None else [too_wide(interval[1] - interval[0], scale)]
        wide = [f"the interval covers {said}" for said in wide if said]
        return ScoredRecording(
            source=source or recording.id,
            recording=recording.id,
            score=score,
            segments=tuple(
                ScoredSegment(start, stop, score)
                for (start, stop), score in zip(samples.frames, scores, strict=True)
            ),
            frames=recording.num_frames,
            seconds=seconds,
            preparation_seconds=prepared,
            true=None if true is None else float(true),
            notes=(
                *notes,
                *(str(fault) for fault in looked.faults),
                *(text for _, text in looked.notes),
                *self._notes(recording),
                *self._beyond(score),
                *wide,
            ),
            interval=interval,
        )

    def own_dataset(self) -> SkeletonDataset:
        """The prepared dataset that the run was trained on, whatever files are scored.

        Raises:
            DataError: it is not prepared.
            RegistryError: it is not registered here.
        """
        told = self.run.record.dataset
        params = {k: v for k, v in told.params.items() if k not in ("name", "exercise")}
        return load_dataset(told.name, self.data_root, **params)

    def looked(self, recording: Recording) -> Looked:
        """The recording as far as it may be believed, with what is to know of it.

        Raises:
            DataError: another layout, or `zoo.data.checks` refuses it.
        """
        self._require_layout(recording.layout, f"recording {recording.id}")
        expected = Expected(metric=self.metric)
        if not self._foreign:
            told = self.run.record.dataset
            expected = replace(
                expected,
                score_range=told.score_range,
                binary=told.binary,
                exercises=tuple(told.exercises),
            )
        return looked_at(recording, expected)

    def _advice(self, setting: tuple[str, str] | None, recording: Recording) -> str:
        """Which setting would read a file right; empty where there is none."""
        if setting is None or self._reader is None:
            return ""
        value = self._reader.mend(*setting, recording)
        return value and f"give the reader the setting {setting[0]}={value}"

    @cached_property
    def metric(self) -> bool:
        """Whether positions are metres with y up, as far as the dataset says."""
        return self.dataset not in DATASETS or DATASETS.get(self.dataset).load().metric

    def _beyond(self, score: float) -> list[str]:
        """A score that no rater could give."""
        low, high = self.run.record.dataset.score_range
        off = max(low - score, score - high)
        if off <= 0:
            return []
        far = ": the recording is unlike those the model was trained on, do not use the score"
        return [
            f"the score lies outside the scale, {low:g} to {high:g}"
            + (far if off > _FAR_OFF * (high - low) else "")
        ]

    @cached_property
    def _seen(self) -> dict[str, Signature]:
        """Signatures of the recordings that were trained or chosen with, where they are at hand."""
        seen = [r for part in self._parts for r in self.run.split[part]["recordings"]]
        try:
            dataset, layout = self._recordings, load_layout(self.trained.layout)
            return {r: Signature.of(dataset.recording(r), layout) for r in seen}
        except UserError:
            return {}

    def _copies(self, recording: Recording) -> list[str]:
        """That its content was trained on, under another name."""
        own = Signature.of(recording, load_layout(recording.layout))
        for name, other in self._seen.items():
            how = own.likeness(other)
            if how:
                return [f"{self._parts[self._part_of(name)]} {name}, which it is like: {how}"]
        return []

    def _interval(
        self, recording: Recording, score: float, batch: Batch
    ) -> tuple[float, float] | None:
        """Around the score of a recording with these samples, where it can be promised."""
        if not (self.calibration.finite and self._stands_for_new_people(recording)):
            return None
        deviation = self.trained.deviation(batch) if self.calibration.scaled else None
        mean = None if deviation is None else [float(deviation.mean())]
        radius = float(self.calibration.radius(mean, 1)[0])
        return on_scale(score, radius, self.run.record.dataset.score_range)

    def _stands_for_new_people(self, recording: Recording) -> bool:
        """Whether the people the intervals are calibrated on are like this one.

        They are not where the dataset or the exercise is another, nor for one of those the model
        was made with: it was fitted to some, and the interval to the errors for the others.
        """
        return not (
            self._foreign
            or self._other_exercise(recording)
            or self._known_in(recording)
            or self._copies(recording)
        )

    def _other_exercise(self, recording: Recording) -> bool:
        exercise = self.run.record.dataset.params.get("exercise")
        return exercise is not None and recording.exercise not in ("", str(exercise))

    def _known_in(self, recording: Recording) -> list[str]:
        """Parts of the split, but the test, in which the recording or its person stands."""
        split = self.run.split
        return [
            part
            for part in ("train", "validation")
            if recording.id in split[part]["recordings"]
            or recording.subject in set(split[part]["persons"]) - {UNKNOWN_SUBJECT}
        ]

    @property
    def how(self) -> str:
        """How samples' scores become a recording's."""
        # A protocol that scores pieces by themselves says nothing of the whole: take their mean.
        return "mean" if self.protocol.aggregate == "none" else self.protocol.aggregate

    @property
    def _foreign(self) -> bool:
        return self.dataset != self.run.record.dataset.name

    @property
    def _params(self) -> dict[str, Any]:
        """Parameters of the dataset: the run's own, or another one as it is known here."""
        own: Mapping[str, Any] = self.run.record.dataset.params
        if self._foreign:
            own = dataset_settings(self.dataset, self.data_root)
        return {k: v for k, v in own.items() if k not in ("name", "exercise")}

    @cached_property
    def _reader(self) -> Reader | None:
        if self._foreign and self.dataset in READERS and self.dataset not in DATASETS:
            return reader_for(self.dataset, self.trained.layout, **self.settings)
        params = with_settings(self._params, self.settings)
        adapter = create_adapter(self.dataset, data_root=self.data_root, **params)
        return adapter if isinstance(adapter, Reader) else None

    @cached_property
    def _recordings(self) -> SkeletonDataset:
        params = self._params if is_folder(self._params) else {**self._params, **self.settings}
        return load_dataset(self.dataset, self.data_root, **params)

    def _timed(self, batch: Batch) -> tuple[Tensor, float]:
        """Scores (N,) of the batch, and the median time of one call."""
        shape = tuple(next(iter(batch.x.values())).shape[:2])
        if shape not in self._warm:
            self.trained.score(batch)
            self._warm.add(shape)
        times = []
        for _ in range(TIMED_CALLS):
            begun = time.perf_counter()
            scores = self.trained.score(batch)
            times.append(time.perf_counter() - begun)
        return scores, median(times)

    def _usable(self, name: str) -> Iterator[tuple[Recording, list[str]]]:
        """As `_read`, but refuse a recording without a stream that stands in a file of its own."""
        for recording, notes in self._read(name):
            absent = {"orientation": recording.orientations is None}
            for stream, file in self._reader.beside.items() if self._reader else ():
                if stream in self._sources and absent.get(stream):
                    raise DataError(
                        f"{name}: {self.run.record.model.name} was trained on "
                        f"{' and '.join(self.trained.streams)}, and this recording has no "
                        f"{stream}. Expected {file}"
                    )
            yield recording, notes

    @property
    def _sources(self) -> set[str]:
        """The recorded streams that the model is fed, or fed with what follows from them."""
        return {raw for name in self.trained.streams for raw in SOURCES[name]}

    def _read(self, name: str) -> Iterator[tuple[Recording, list[str]]]:
        """Recordings with what their reader has to say of them."""
        path = Path(name).expanduser()
        if path.exists():
            yield from self._read_file(path, name)
        else:
            yield self._prepared(name)

    def _for(self, name: str) -> "Predictor":
        """This one; for a folder of recordings that is another dataset, one that reads them."""
        folder = Path(name).expanduser()
        if not _is_described(folder):
            return self
        described = Description.read(folder)
        if is_folder(self._params) and self._params["reader"] == described.reader:
            return self
        settings = {**described.settings, **self.settings}
        return replace(self, dataset=described.reader, settings=settings)

    def _read_folder(self, path: Path) -> Iterator[tuple[Recording, list[str]]]:
        """The recordings of a folder that says itself which files it holds."""
        with faults_in(str(path / TABLE)):
            rows = read_table(path / TABLE).rows
            files = {file_of(path, row): fps_of(row) for row in rows}
        for file, fps in files.items():
            rate = {} if fps is None else {"fps": fps}
            reading = replace(self, settings={**self.settings, **rate})
            yield from reading._read_file(file, str(file))

    def _read_file(self, path: Path, name: str) -> Iterator[tuple[Recording, list[str]]]:
        if _is_described(path):
            yield from self._read_folder(path)
            return
        reader = self._reader
        if reader is None:
            layout = self.trained.layout
            fitting = fitting_readers(layout)
            like = " or ".join(readers_of(path, layout))
            raise DataError(
                f"{name}: {self.dataset} reads no single files. Name the dataset or reader whose "
                f"form the file has with dataset=; with the model's layout {layout}: "
                f"{', '.join(fitting) or 'no dataset'}{like and f'. It looks like {like}'}"
            )
        if reader.layout:
            self._require_layout(reader.layout, f"{name}, read as {self.dataset},")
        report = PrepareReport()
        found: list[tuple[Recording, list[str]]] = []
        for recording in read_recordings(reader, path, report):
            found.append((recording, _said(report, recording)))
        if found:  # what was said behind the last one, such as that another was skipped
            found[-1][1].extend(_said(report, found[-1][0]))
        yield from found

    def _prepared(self, name: str) -> tuple[Recording, list[str]]:
        if Path(name).suffix.casefold() in _FILE_ENDINGS or Path(name).is_absolute():
            raise DataError(f"{name}: no such file or folder")
        try:
            dataset = self._recordings
        except UserError as error:
            raise DataError(
                f"{name}: no such file or folder; as the id of a recording it cannot be looked up: "
                f"{error}"
            ) from None
        ids = [info.id for info in dataset.index]
        if name not in ids:
            close = nearest(name, ids)
            hint = f"Did you mean {' or '.join(close)}?" if close else f"Its ids are as {ids[0]}."
            raise DataError(
                f"{name}: no such file or folder, and {self.dataset} has no recording of this id. "
                f"{hint}"
            )
        self._require_layout(dataset.layout, f"recording {name} of {self.dataset}")
        notes = []
        if not self._foreign and dataset.fingerprint != self.run.record.dataset.fingerprint:
            notes.append(f"{self.dataset} was prepared anew since the run was trained and differs")
        return dataset[ids.index(name)], notes

    def _require_layout(self, layout: str, what: str) -> None:
        if layout == self.trained.layout:
            return
        theirs, ours = load_layout(layout), load_layout(self.trained.layout)
        raise DataError(
            f"{what} has the skeleton layout {theirs.name} ({theirs.num_joints} joints), the model "
            f"was trained on {ours.name} ({ours.num_joints} joints) and cannot score it"
        )

    def _notes(self, recording: Recording) -> list[str]:
        """What the run's split and exercise say about this recording."""
        view = self._another_view(recording)
        if self._foreign:
            return [
                f"the model was trained on {self.run.record.dataset.name}, not on {self.dataset}, "
                "and never tested on such recordings",
                *view,
            ]
        found, split = view, self.run.split
        if self._other_exercise(recording):
            found.append(
                f"this is exercise {recording.exercise}, the model was trained on exercise "
                f"{self.run.record.dataset.exercise}"
            )
        for part in self._known_in(recording):
            itself = recording.id in split[part]["recordings"]
            which = "this recording" if itself else f"other recordings of {recording.subject}"
            found.append(f"{self._parts[part]} {which}")
        tested = recording.id in split["test"]["recordings"]
        known = tested or self._part_of(recording.id)
        return found if known else [*found, *self._copies(recording)]

    def _another_view(self, recording: Recording) -> list[str]:
        """Whether one camera saw it and a depth sensor the training people, or the reverse."""
        if recording.positions is None:
            return []
        single = hips_centred(recording.positions, load_layout(recording.layout))
        if single == self.run.record.dataset.hips_centred:
            same = "the hips lie at the origin in every frame, as in the recordings trained on"
            return [same] if single and self._foreign else []
        trained = self.run.record.dataset.name
        has, lacks = ("this recording", trained)[:: -1 if single else 1]
        return [
            f"in {lacks} the hips lie at the origin in every frame, as in skeletons of a single "
            f"camera, {has} keeps how the body moves through the room: do not use the score"
        ]

    @property
    def _parts(self) -> dict[str, str]:
        """Parts of the split that the model has seen, and how messages say so."""
        calibrated = "its intervals were calibrated with"
        validation = {
            "best": f"the model's epoch was chosen and {calibrated}",
            "refit": f"the model was trained and {calibrated}",
            "last": "the model's intervals were calibrated with",
        }
        return {
            "train": "the model was trained on",
            "validation": validation[self.protocol.selection],
        }

    def _part_of(self, name: str) -> str:
        """The part of the split that the model has seen this recording in; empty for none."""
        split = self.run.split
        return next((p for p in self._parts if name in split[p]["recordings"]), "")


def _is_described(path: Path) -> bool:
    """Whether it is a folder of recordings with a description, as `zoo data new` writes it."""
    return (path / DESCRIPTION).is_file() and (path / TABLE).is_file()


def _said(report: PrepareReport, recording: Recording) -> list[str]:
    """What a reader has told since the last time, without the recording's own id before it."""
    notes = [note.removeprefix(f"{recording.id}: ") for note in report.notes]
    said = [str(problem) for problem in report.problems] + notes
    report.problems.clear()
    report.notes.clear()
    return said


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Errors about what `name` names say so."""
    try:
        yield
    except DataError as error:
        text = str(error)
        raise DataError(text if name in text else f"{name}: {text}") from None

"""What a finished run says of itself: ``run.json``, and nothing else, as typed values.

It carries all that its readers need, titles and the range of scores among it: whoever reads a run
opens no dataset, no configuration of today and no registry.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.build import Measured, build
from zoo.catalogue import family_of
from zoo.errors import DataError
from zoo.files import read_json
from zoo.runs.environment import ZOO
from zoo.runs.folder import RECORD
from zoo.runs.key import MACHINE_KEYS, RunKey, without_machine
from zoo.skeleton.layout import Layout, load_layout, own_layout
from zoo.words import score_digits

SCHEMA = 2
"""Version of ``run.json``; raised when a key changes its meaning."""


@dataclass(frozen=True)
class Source:
    """Whose code a model is.

    Attributes:
        owner: a distribution with its version, or a file; None where it was registered nowhere.
        cls: ``module:Class``.
        sha256: of the file the class stands in; None where there is no such file.
    """

    owner: str | None
    cls: str = field(metadata={"key": "class"})
    sha256: str | None

    @property
    def provider(self) -> str:
        """Who provides it, whatever the version: a distribution, or the name of a file."""
        owner = self.owner or "unknown"
        if owner.endswith(".py"):
            return owner.replace("\\", "/").rpartition("/")[2]
        return owner.partition(" ")[0]

    @property
    def builtin(self) -> bool:
        """Whether the zoo itself provides it."""
        return self.provider == ZOO


@dataclass(frozen=True)
class RunModel:
    """The model of a run.

    Attributes:
        name: registered name.
        params: its parameters.
        title: full name, like the next four from its card.
        summary: one or two sentences.
        tags: such as ``graph``, ``trivial``, ``leak-reference``.
        paper: reference.
        doi: digital object identifier.
        streams: what it takes.
        parameters: trained numbers; like the next two None where unknown.
        flops: operations for one sequence.
        latency_ms: time to score one sequence.
        closed_form: it is fitted once, without a trainer.
        draws: random numbers are drawn in training it, so that other seeds give other scores.
        source: whose code it is.
    """

    name: str
    params: Mapping[str, Any]
    title: str
    summary: str
    tags: tuple[str, ...]
    paper: str
    doi: str
    streams: tuple[str, ...]
    parameters: int | None
    flops: int | None
    latency_ms: float | None
    closed_form: bool
    draws: bool
    source: Source

    @property
    def family(self) -> str:
        """``trivial``, ``classical``, ``neural``, ``graph`` or ``other``, by the tags."""
        return family_of(self.tags)


@dataclass(frozen=True)
class RunDataset:
    """The dataset of a run; with a cross-dataset protocol, the one it is trained on.

    Attributes:
        name: registered name.
        params: its parameters, and ``exercise``; None there takes all exercises as one.
        fingerprint: of its prepared form.
        layout: name of the skeleton layout.
        title: full name.
        score_range: lowest and highest possible score.
        exercises: title of each exercise, by id.
        binary: whether what is predicted is right (1) or wrong (0).
        hips_centred: whether the hips lie at the origin in every frame of its recordings, as a
            single camera gives them; how the body moves through the room is then not in them.
    """

    name: str
    params: Mapping[str, Any]
    fingerprint: str
    layout: str
    title: str
    score_range: tuple[float, float]
    exercises: Mapping[str, str]
    binary: bool
    hips_centred: bool = False

    @property
    def exercise(self) -> str:
        """Exercise id; ``all`` where the recordings were not chosen by exercise."""
        exercise = self.params.get("exercise")
        return "all" if exercise is None else str(exercise)

    @property
    def skeleton(self) -> Layout:
        """The layout, also one that only this dataset has."""
        own = self.params.get("layout")
        return own_layout(own) if isinstance(own, Mapping) else load_layout(self.layout)

    @property
    def digits(self) -> int:
        """Decimals of its scores and of errors in them."""
        return score_digits(self.score_range)


@dataclass(frozen=True)
class RunProtocol:
    """How a run was evaluated.

    Attributes:
        name: of its configuration.
        params: its parameters.
        hash: of everything in it that can change a number.
        folds: how many there are on these recordings, repeats counted.
        title: full name.
        summary: one sentence.
        leaky: a person may stand on both sides.
        leak_reason: why.
        warning: what the leakage gate said of this fold; None for an honest protocol.
        selection: which weights were tested, see `zoo.protocol.protocol.Protocol`.
        aggregate: how samples become recordings.
    """

    name: str
    params: Mapping[str, Any]
    hash: str
    folds: int
    title: str
    summary: str
    leaky: bool
    leak_reason: str
    warning: str | None
    selection: str
    aggregate: str


@dataclass(frozen=True)
class PartCounts:
    """How many samples, recordings and persons a part of the split has."""

    samples: int
    recordings: int
    persons: int


@dataclass(frozen=True)
class Epochs:
    """How many epochs were trained, the best on validation people (None: none), the one kept.

    With ``selection: refit`` those of both trainings are counted.
    """

    trained: int
    best: int | None
    selected: int


@dataclass(frozen=True)
class Member:
    """One run of an ensemble.

    Attributes:
        model: what it is called.
        key_hash: of its settings and data.
        weight: its share; those of all members are not negative and sum to one.
    """

    model: str
    key_hash: str
    weight: float


@dataclass(frozen=True)
class PersonContext:
    """What the scores of a run also rest on: the other exercises of the same person.

    Attributes:
        weight: how far each score is drawn towards them, above 0 and below 1.
        runs: hash of the key of each run that scored them, sorted.
    """

    weight: float
    runs: tuple[str, ...]


@dataclass(frozen=True)
class InitFrom:
    """The run whose weights a training started from.

    Attributes:
        key_hash: of its settings and data.
        origin: it in a few words.
        taken: how many weights were taken whole.
        partly: names of weights taken for the joints that both layouts have.
        fresh: why each other weight stayed as initialised, by name.
        missing_joints: joints of the model's layout that the other one lacks.
    """

    key_hash: str
    origin: str
    taken: int
    partly: tuple[str, ...]
    fresh: Mapping[str, str]
    missing_joints: tuple[str, ...]


@dataclass(frozen=True)
class RunRecord:
    """The content of ``run.json``.

    Attributes:
        schema: version of the file's form.
        created: ISO time.
        key_hash: of settings and data.
        split_hash: who stood where.
        seed: of weights and order.
        fold: fold that was tested.
        model: what was trained.
        dataset: on which data.
        protocol: how it was evaluated.
        trainer: settings of the trainer.
        changed: which settings differed from the defaults of that day, by the key a user types
            (without ``model.``), as they were.
        counts: by part.
        epochs: how long it was trained.
        metrics: by part (``test``, ``validation``), level (``recording``, ``sample``) and name, in
            score units where they have one. What was undefined is NaN, and null in the file.
        baseline: the same of the mean training score of the same split.
        baseline_score: that mean.
        durations: seconds by what took them.
        hardware: what it was computed on.
        versions: distributions it was computed with.
        sessions: what each process that worked on it computed with.
        files: SHA-256 of every file beside this one.
        code: SHA-256 of the files of heads that are not the zoo's own, as in its key.
        members: of an ensemble, or the one run whose scores were drawn by `context`; else empty.
        context: what its scores also rest on; None where each rests on one recording.
        init_from: the run it started from; None where it started afresh.
    """

    schema: int
    created: str
    key_hash: str
    split_hash: str
    seed: int
    fold: int
    model: RunModel
    dataset: RunDataset
    protocol: RunProtocol
    trainer: Mapping[str, Any]
    changed: Mapping[str, Any]
    counts: Mapping[str, PartCounts]
    epochs: Epochs
    metrics: Mapping[str, Mapping[str, Mapping[str, Measured]]]
    baseline: Mapping[str, Mapping[str, Mapping[str, Measured]]]
    baseline_score: float
    durations: Mapping[str, float]
    hardware: Mapping[str, Any]
    versions: Mapping[str, str]
    sessions: tuple[Mapping[str, Any], ...]
    files: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
    members: tuple[Member, ...] = ()
    context: PersonContext | None = None
    init_from: InitFrom | None = None

    @property
    def sees(self) -> str:
        """What a score rests on: one ``recording``, or further ones of the same ``person``."""
        return "recording" if self.context is None else "person"

    @property
    def config(self) -> dict[str, Any]:
        """The composed configuration it was made from."""
        blocks = (("model", self.model), ("dataset", self.dataset), ("protocol", self.protocol))
        config: dict[str, Any] = {
            **{kind: {"name": block.name, **block.params} for kind, block in blocks},
            "trainer": dict(self.trainer),
            "seed": self.seed,
            "fold": self.fold,
        }
        if self.members:
            config["members"] = [member.key_hash for member in self.members]
        if self.context is not None:
            config["context"] = list(self.context.runs)
        return config

    @property
    def key(self) -> RunKey:
        """The key of its settings and data; `key_hash` is its hash, unless somebody changed them.

        Nothing in it depends on what is registered today.
        """
        return RunKey(
            without_machine(self.config),
            self.dataset.fingerprint,
            self.dataset.layout,
            self.protocol.hash,
            self.code,
        )


def read_record(folder: Path) -> RunRecord:
    """The record of the run in `folder`.

    Raises:
        DataError: there is none, it is of another version, or it is damaged; the message names the
            file, the key, what was found and what was expected.
    """
    file = folder / RECORD
    values = read_json(file)
    if values.get("schema") != SCHEMA:
        raise DataError(f"{file} has schema {values.get('schema')!r}, this zoo reads {SCHEMA}")
    record = build(RunRecord, values, f"{file} is damaged:", error=DataError)
    missing = [part for part in ("train", "validation", "test") if part not in record.counts]
    if missing or "train" not in record.durations:
        lacks = ", ".join(missing or ["train"])
        raise DataError(f"{file} is damaged: {'counts' if missing else 'durations'} lacks {lacks}")
    for where, metrics in (("metrics", record.metrics), ("baseline", record.baseline)):
        for part, levels in {"test": {}, **metrics}.items():
            if "mad" not in levels.get("recording", {}):
                raise DataError(f"{file} is damaged: {where}.{part}.recording lacks mad")
    return record


def settings_of(
    model: Mapping[str, Any], dataset: Mapping[str, Any], trainer: Mapping[str, Any] | None
) -> str:
    """What was chosen, as canonical JSON: equal for all exercises, folds and seeds of an entry.

    Args:
        model: its parameters.
        dataset: its parameters.
        trainer: its settings; None for a model that is not trained.
    """
    params = {k: v for k, v in dataset.items() if k not in ("name", "exercise")}
    settings = {"model": {k: v for k, v in model.items() if k != "name"}}
    if params:
        settings["dataset"] = params
    if trainer is not None:
        settings["trainer"] = {k: v for k, v in trainer.items() if k not in MACHINE_KEYS}
        start = trainer.get("init_from")
        if isinstance(start, Mapping):  # each fold and seed may have its own
            settings["trainer"]["init_from"] = {k: v for k, v in start.items() if k != "run"}
    text = json.dumps(settings, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sys.intern(text)  # thousands of runs have the same


def flat(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Settings by the key a user would type, without ``model.``."""
    return {
        key if block == "model" else f"{block}.{key}": value
        for block, values in settings.items()
        for key, value in values.items()
    }


def changed_settings(
    config: Mapping[str, Any], usual: Mapping[str, Any], *, closed_form: bool = False
) -> dict[str, Any]:
    """The settings of `config` that differ from the `usual` ones, by `flat` key.

    Of a block of settings, such as ``trainer.augment``, those in it that differ.

    Args:
        config: a composed configuration.
        usual: the one that would be composed of the same model, dataset and protocol without a
            word from the user; what it does not name is null there.
        closed_form: the model is not trained, whatever is set for the trainer.
    """
    chosen, defaults = (
        flat(
            json.loads(
                settings_of(
                    values["model"], values["dataset"], None if closed_form else values["trainer"]
                )
            )
        )
        for values in (config, usual)
    )
    return dict(_differing(chosen, defaults))


def _differing(chosen: Mapping[str, Any], usual: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in chosen.items():
        other = usual.get(key)
        if (
            isinstance(value, Mapping)
            and isinstance(other, Mapping)
            and value.keys() == other.keys()
        ):
            yield from ((f"{key}.{name}", v) for name, v in _differing(value, other))
        elif value != other:
            yield key, value

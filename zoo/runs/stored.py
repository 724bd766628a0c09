"""Finished runs read for a comparison: only what a board needs of each, and quickly.

A board reads thousands of folders. Of each it opens ``run.json``, ``predictions.csv`` and the
trainer's block of ``config.yaml``; the checkpoint, the history and the split stay closed.
"""

import contextlib
import gc
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray

from zoo.data.recording import UNKNOWN_SUBJECT
from zoo.errors import DataError, ZooError
from zoo.evaluation.metrics import mad
from zoo.files import read_json
from zoo.runs.find import finished_runs
from zoo.runs.folder import CONFIG, PREDICTIONS, RECORD
from zoo.runs.key import MACHINE_KEYS
from zoo.runs.predictions import Predictions, read_predictions
from zoo.runs.run import SCHEMA

UNKNOWN = ("", UNKNOWN_SUBJECT)
"""In place of a person where the dataset does not say who performs."""


@dataclass(frozen=True)
class ProtocolId:
    """A protocol as a run names it.

    Attributes:
        name: of its configuration.
        hash: of everything that can change a number.
        leaky: a person may stand on both sides.
        leak_reason: why.
        aggregate: how samples become recordings.
        params: canonical JSON of its parameters.
    """

    name: str
    hash: str
    leaky: bool
    leak_reason: str
    aggregate: str
    params: str = field(compare=False, repr=False)


@dataclass(frozen=True, eq=False)
class StoredRun:
    """What a board needs of one finished run.

    Attributes:
        path: the run folder.
        dataset: name of the dataset.
        fingerprint: of its prepared form.
        protocol: how it was evaluated.
        exercise: exercise id; ``all`` where the dataset was not cut by exercise.
        fold: fold that was tested.
        seed: of weights and order.
        model: registered name.
        owner: who provides the model: a distribution with its version, or a file.
        code: SHA-256 of the file the model's class stands in, or empty.
        settings: canonical JSON of what was chosen: parameters of model and dataset, trainer.
        closed_form: the model is fitted once, without a trainer.
        cost: parameters, flops, latency_ms, train_seconds, epochs; None where unknown.
        versions: distributions it was computed with.
        created: ISO time.
        split_hash: who stood where.
        key_hash: of settings and data.
        baseline_score: the mean training score.
        people: how many stand in all parts together; None where the record does not say.
        test: true and predicted scores of the test samples.
        members: of an ensemble, the hash of each member's key; else empty.
        started_from: where its weights started from another run's: that run in a few words, by the
            hash of its key; else empty.
    """

    path: Path
    dataset: str
    fingerprint: str
    protocol: ProtocolId
    exercise: str
    fold: int
    seed: int
    model: str
    owner: str
    code: str
    settings: str
    closed_form: bool
    cost: Mapping[str, float | None]
    versions: Mapping[str, str]
    created: str
    split_hash: str
    key_hash: str
    baseline_score: float
    people: int | None
    test: Predictions = field(repr=False)
    members: tuple[str, ...] = ()
    started_from: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> tuple[str, int, int]:
        """Exercise, fold and seed."""
        return self.exercise, self.fold, self.seed

    @cached_property
    def rows(self) -> "ScoredRows":
        """The test part at the level it is scored at.

        Raises:
            DataError: a recording has two true scores.
        """
        table = self.test
        who = [
            recording if person in UNKNOWN else person
            for person, recording in zip(table.person, table.recording, strict=True)
        ]
        if self.protocol.aggregate == "none" or len(set(table.recording)) == len(table):
            return ScoredRows(who, table.group, table.true, table.predicted)
        whole = table.per_recording(self.protocol.aggregate)
        at = whole.first.tolist()
        return ScoredRows(
            [who[i] for i in at], [table.group[i] for i in at], whole.true, whole.predicted
        )

    @cached_property
    def tested(self) -> "Tested":
        """What it was tested on: the split, and a hash of the true scores, good in one process."""
        table = self.test
        rows = zip(table.recording, table.segment, table.true.tolist(), strict=True)
        return self.split_hash, hash(frozenset(rows))

    @cached_property
    def mad(self) -> float:
        """Mean absolute deviation on the test part, in score units."""
        return mad(self.rows.true, self.rows.predicted)


Tested = tuple[str, int]


class ScoredRows(NamedTuple):
    """What a run is scored on: a row a recording or, with ``aggregate: none``, a row a sample.

    Attributes:
        person: who performed it (R,); the recording where the dataset does not say.
        group: clinical group (R,).
        true: true scores (R,).
        predicted: the model's scores (R,).
    """

    person: list[str]
    group: list[str]
    true: NDArray[np.float64]
    predicted: NDArray[np.float64]


@dataclass(frozen=True)
class Unreadable:
    """A run folder that cannot be used, and why."""

    path: Path
    reason: str


def read_store(root: Path) -> tuple[list[StoredRun], list[Unreadable]]:
    """Every finished run below `root`, and those that cannot be read.

    Raises:
        DataError: there is no folder `root`.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such folder of runs. `zoo train` and `zoo bench` make one")
    runs: list[StoredRun] = []
    unreadable: list[Unreadable] = []
    with _no_collection():
        for folder in finished_runs(root, limit=sys.maxsize)[0]:
            try:
                runs.append(read_stored(folder))
            except ZooError as error:
                unreadable.append(Unreadable(folder, str(error)))
    return runs, unreadable


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """No search for cycles while a million objects are made that stay: it finds none, again and
    again, and takes a quarter of the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def read_stored(folder: Path) -> StoredRun:
    """The run in `folder`, as a board needs it.

    Raises:
        DataError: it is damaged, of another schema, or lacks what a board needs.
    """
    record = read_json(folder / RECORD)
    if record.get("schema") != SCHEMA:
        raise DataError(
            f"{folder / RECORD} has schema {record.get('schema')!r}, this zoo reads {SCHEMA}"
        )
    try:
        return _stored(folder, record)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{folder / RECORD} is damaged ({error!r})") from None


def trainer_settings(config: str) -> dict[str, Any]:
    """The trainer's block of a ``config.yaml``.

    Args:
        config: the file's text.

    Raises:
        DataError: there is no such block, or it does not parse.
    """
    block = _TRAINER.search(config)
    return dict(_parsed(block.group(0) if block else ""))


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
    return canonical(settings)


_TRAINER = re.compile(r"^trainer:.*\n(?:[ #].*\n|\n)*", re.MULTILINE)
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _stored(folder: Path, record: Mapping[str, Any]) -> StoredRun:
    model, dataset, protocol = record["model"], record["dataset"], record["protocol"]
    closed_form = bool(model.get("closed_form"))
    try:
        trainer = trainer_settings((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{folder / CONFIG} cannot be read: {error}") from None
    source = model.get("source") or {}
    table = read_predictions(folder / PREDICTIONS).of("test")
    if not len(table):
        raise DataError(f"{folder / PREDICTIONS} has no test samples")
    exercise = dataset["params"].get("exercise")
    started = record.get("init_from")
    return StoredRun(
        path=folder,
        dataset=_text(dataset["name"]),
        fingerprint=_text(dataset["fingerprint"]),
        protocol=ProtocolId(
            _text(protocol["name"]),
            _text(protocol["hash"]),
            bool(protocol["leaky"]),
            _text(protocol.get("leak_reason") or ""),
            _text(protocol.get("aggregate") or "mean"),
            canonical(protocol.get("params") or {}),
        ),
        exercise="all" if exercise is None else _text(str(exercise)),
        fold=int(record["fold"]),
        seed=int(record["seed"]),
        model=_text(model["name"]),
        owner=_text(source.get("owner") or "unknown"),
        code=_text(source.get("sha256") or ""),
        settings=settings_of(model["params"], dataset["params"], None if closed_form else trainer),
        closed_form=closed_form,
        cost={
            "parameters": _number(model.get("parameters")),
            "flops": _number(model.get("flops")),
            "latency_ms": _number(model.get("latency_ms")),
            "train_seconds": _number((record.get("durations") or {}).get("train")),
            "epochs": _number((record.get("epochs") or {}).get("trained")),
        },
        versions={k: str(v) for k, v in (record.get("versions") or {}).items()},
        created=_text(record.get("created") or ""),
        split_hash=_text(record["split_hash"]),
        key_hash=_text(record["key_hash"]),
        baseline_score=float(record["baseline_score"]),
        people=_people(record.get("counts")),
        test=table,
        members=tuple(_text(member["key_hash"]) for member in record.get("members") or ()),
        started_from={_text(started["key_hash"]): _text(started["origin"])} if started else {},
    )


def _people(counts: Any) -> int | None:
    if not isinstance(counts, Mapping):
        return None
    return sum(int(part["persons"]) for part in counts.values())


def canonical(value: Any) -> str:
    """A container as JSON with sorted keys: equal content, equal text; kept once in memory."""
    return sys.intern(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


@lru_cache(maxsize=1024)
def _parsed(block: str) -> Mapping[str, Any]:
    try:
        return dict(yaml.load(block, Loader=_LOADER)["trainer"])
    except (yaml.YAMLError, TypeError, KeyError, ValueError) as error:
        raise DataError(f"{CONFIG} has no readable trainer block ({error!r})") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} should be text")
    return value


def _number(value: Any) -> float | None:
    return None if value is None else float(value)

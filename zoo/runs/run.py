"""A finished run as it lies on the disk, what was found in it, and several taken together."""

import math
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from registry.outside import read_text
from zoo.build import build
from zoo.errors import DataError
from zoo.evaluation.metrics import all_metrics, board_metrics, mad
from zoo.evaluation.statistics import Paired, Table, paired_tables
from zoo.files import file_hash, read_json
from zoo.runs.folder import HISTORY, LARGEST_FILE, PREDICTIONS, RECORD, SPLIT
from zoo.runs.key import differences
from zoo.runs.record import RunRecord, read_record, settings_of
from zoo.runs.scores import COLUMNS, Metrics, Scores, read_scores
from zoo.tables import Shown, SmallTable, dataframe
from zoo.words import fixed

if TYPE_CHECKING:
    from pandas import DataFrame

Tested = tuple[str, int]

LARGEST_SPLIT = 200_000_000
_EPOCH = ("epoch", "lr", "loss", "validation_mad", "seconds")


@dataclass(frozen=True)
class _SplitPart:
    """Who stands in one part of ``split.json``, and a sample's recording and number."""

    persons: Sequence[str]
    recordings: Sequence[str]
    samples: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class _Split:
    """The content of ``split.json``."""

    hash: str
    train: _SplitPart
    validation: _SplitPart
    test: _SplitPart


@dataclass(frozen=True, eq=False, repr=False)
class Run(Shown):
    """A finished run folder; files beside ``run.json`` are read when they are asked for.

    Attributes:
        path: the folder.
        record: ``run.json``.
    """

    path: Path
    record: RunRecord

    @property
    def exercise(self) -> str:
        """Exercise id; ``all`` where the recordings were not chosen by exercise."""
        return self.record.dataset.exercise

    @property
    def fold(self) -> int:
        """Fold that was tested."""
        return self.record.fold

    @property
    def seed(self) -> int:
        """Of weights and order."""
        return self.record.seed

    @property
    def place(self) -> tuple[str, int, int]:
        """Exercise, fold and seed."""
        return self.exercise, self.fold, self.seed

    @property
    def leaky(self) -> bool:
        """Whether the protocol lets a person stand on both sides."""
        return self.record.protocol.leaky

    @property
    def jointly_trained(self) -> bool:
        """Whether it, or a member of it, learnt the dataset's other exercises too."""
        return self.record.trainer.get("exercises", "one") == "all"

    @property
    def digits(self) -> int:
        """Decimals of its scores and of errors in them."""
        return self.record.dataset.digits

    @property
    def test(self) -> Metrics:
        """Metrics on the test part, per recording."""
        return self.record.metrics["test"]["recording"]

    @property
    def baseline_test(self) -> Metrics:
        """The mean training score's metrics on the test part, per recording."""
        return self.record.baseline["test"]["recording"]

    @cached_property
    def settings(self) -> str:
        """What was chosen, as canonical JSON; see `settings_of`."""
        record = self.record
        trainer = None if record.model.closed_form else record.trainer
        return settings_of(record.model.params, record.dataset.params, trainer)

    @cached_property
    def scores(self) -> Scores:
        """True and predicted scores of validation and test samples.

        Raises:
            DataError: the table is missing, damaged, or has no test samples.
        """
        scores = read_scores(self.path / PREDICTIONS, binary=self.record.dataset.binary)
        if "test" not in scores.part:
            raise DataError(f"{self.path / PREDICTIONS} has no test samples")
        return scores

    @cached_property
    def test_scores(self) -> Scores:
        """True and predicted scores of the test samples."""
        return self.scores.of("test")

    @cached_property
    def tested(self) -> Scores:
        """The test part at the level it is scored at.

        Raises:
            DataError: a recording has two true scores.
        """
        return self.test_scores.per_recording(self.record.protocol.aggregate)

    @cached_property
    def tested_on(self) -> Tested:
        """What it was tested on: the split, and a hash of people and true scores.

        The hash is good in one process.
        """
        test = self.test_scores
        rows = zip(test.recording, test.sample, test.person, test.true.tolist(), strict=True)
        return self.record.split_hash, hash(frozenset(rows))

    @cached_property
    def mad(self) -> float:
        """Mean absolute deviation on the test part, in score units, from the predictions."""
        return mad(self.tested.true, self.tested.predicted)

    @cached_property
    def split(self) -> dict[str, Any]:
        """Persons, recordings and samples of each part.

        Raises:
            DataError: it is missing, or damaged.
        """
        file = self.path / SPLIT
        values = read_json(file, LARGEST_SPLIT)
        build(_Split, values, f"{file} is damaged:", error=DataError)
        return values

    @cached_property
    def history(self) -> list[dict[str, float]]:
        """One mapping per epoch: epoch, lr, loss, validation_mad, seconds; NaN for none.

        Raises:
            DataError: it is missing, or damaged; the message names the line.
        """
        file = self.path / HISTORY
        text = read_text(file, LARGEST_SPLIT, error=DataError)
        head, *lines = text.splitlines() or [""]
        if tuple(head.split(",")) != _EPOCH:
            raise DataError(f"{file}, line 1: expected the columns {', '.join(_EPOCH)}")
        rows = []
        for number, line in enumerate(lines, 2):
            try:
                values = [float(cell) if cell else math.nan for cell in line.split(",")]
                rows.append(dict(zip(_EPOCH, values, strict=True)))
            except ValueError:
                raise DataError(
                    f"{file}, line {number}: found {line[:80]!r}, expected {len(_EPOCH)} numbers"
                ) from None
        return rows

    def to_dataframe(self) -> "DataFrame":
        """True and predicted scores of validation and test samples, a row a sample (pandas)."""
        scores = self.scores
        return dataframe({name: getattr(scores, name) for name in COLUMNS})

    def tables(self) -> list[SmallTable]:
        """Its metrics on the test people beside the mean score's."""
        record = self.record
        leaky = [f"This protocol leaks: {record.protocol.leak_reason}"] if self.leaky else []
        title = (
            f"{record.model.name} on {record.dataset.name}/{self.exercise}, "
            f"{record.protocol.name} fold {self.fold}, seed {self.seed}: tested on "
            f"{record.counts['test'].persons} people"
        )
        found = {record.model.name: self.test, "mean score": self.baseline_test}
        return [self.metrics_table(title, found, [*leaky, f"kept in {self.path}"])]

    def metrics_table(
        self, title: str, found: Mapping[str, Metrics], notes: Sequence[str]
    ) -> SmallTable:
        """A table of metrics, a row for each of `found`."""
        first = next(iter(found.values()))
        shown = [m for m in all_metrics() if m.shown and m.name in first]
        digits = {m.name: self.digits if m.decimals is None else m.decimals for m in shown}
        rows = [
            [name, *(fixed(values.get(key), decimals) for key, decimals in digits.items())]
            for name, values in found.items()
        ]
        return SmallTable(title, ["", *(m.heading for m in shown)], rows, notes)

    def altered_files(self) -> list[str]:
        """Names of files that are missing or no longer what the run wrote, sorted."""
        return sorted(
            name
            for name, digest in self.record.files.items()
            if not _is_as_written(self.path, name, digest)
        )


def _is_as_written(folder: Path, name: str, digest: str) -> bool:
    file = folder / name
    try:
        beside = Path(name).name == name and file.is_file()
        return beside and file.stat().st_size <= LARGEST_FILE and file_hash(file) == digest
    except (OSError, ValueError):  # a name that no file system takes, a file nobody may read
        return False


def load_run(path: Path | str) -> Run:
    """The finished run in the folder `path`.

    Raises:
        DataError: it is no run, not finished, damaged, or of another version of the zoo.
    """
    folder = Path(path)
    try:
        return Run(folder, read_record(folder))
    except DataError:
        if os.path.lexists(folder / RECORD):
            raise
        if (folder.with_name(f"{folder.name}.partial")).is_dir() or folder.suffix == ".partial":
            raise DataError(
                f"the run {folder} is not finished: train it again with the same settings and "
                "resume=True"
            ) from None
        raise DataError(f"{folder} is no run folder: it has no {RECORD}") from None


def incomparable(a: RunRecord, b: RunRecord) -> list[str]:
    """Why two runs cannot be compared, one reason each; empty if they can.

    They can when the data's fingerprint, the exercise and the protocol's hash agree and, of the
    same fold, the split's. Runs of different folds belong to one comparison when the rest agrees.
    Names say nothing; models, trainer settings and seeds are what is compared.

    Args:
        a: of a run.
        b: of another one.
    """
    found = []
    data, other = a.dataset, b.dataset
    if data.fingerprint != other.fingerprint:
        shown = _both(data.fingerprint, other.fingerprint, data.name, other.name)
        found.append(f"they are computed on different data: fingerprint {shown}")
    if data.exercise != other.exercise:
        found.append(f"they are of different exercises: {data.exercise} and {other.exercise}")
    one, two = a.protocol, b.protocol
    if one.hash != two.hash:
        shown = _both(one.hash, two.hash, one.name, two.name)
        keys = [d.partition(":")[0] for d in differences(one.params, two.params)]
        at = f"; they differ in {', '.join(keys)}" if keys else ""
        found.append(f"they follow different protocols: hash {shown}{at}")
    if not found and a.fold == b.fold and a.split_hash != b.split_hash:
        shown = _both(a.split_hash, b.split_hash)
        found.append(f"fold {a.fold} is split differently: hash {shown}")
    return found


def _both(one: str, other: str, *names: str) -> str:
    """Two hashes, shortened, with the names of what they are of."""
    of = [f" of {name}" for name in names] or ["", ""]
    return f"{one[:12]}…{of[0]} and {other[:12]}…{of[1]}"


def versus_mean_score(runs: Sequence[Run]) -> Paired | None:
    """Some runs of one model against the mean training scores of their splits, person by person.

    `Paired.word` says whether it is better; `low` to `high` is the interval of the difference.

    Args:
        runs: one run, or several that differ in fold, seed or exercise.

    Returns:
        None where nothing can be said so: of fewer than two persons, and of a target that is right
        or wrong, whose error is least for whoever is sure (see `ranking_metric`): there an AUC of
        0.5 is what the mean score has.
    """
    if runs[0].record.dataset.binary:
        return None
    tables = pooled_tables(runs)
    if len({person for table in tables for person in table.person}) < 2:
        return None
    return paired_tables(tables, pooled_tables(runs, baseline=True))


def pooled_metrics(runs: Sequence[Run], *, baseline: bool = False) -> Metrics:
    """Metrics over the test rows of all folds together, averaged over seeds, then over exercises.

    They say more than the mean of the folds where a fold has few people: an order among five says
    little, and a fold without a wrong performance has no AUC.

    Args:
        runs: of one model.
        baseline: the mean training score of each fold instead of the model's scores.
    """
    tables = pooled_tables(runs, baseline=baseline)
    exercises = list(dict.fromkeys(table.exercise for table in tables))
    return {
        metric: fmean(
            fmean(table.value(metric) for table in tables if table.exercise == exercise)
            for exercise in exercises
        )
        for metric in board_metrics(runs[0].record.dataset.binary)
    }


def pooled_tables(runs: Iterable[Run], *, baseline: bool = False) -> list[Table]:
    """A `pooled_table` for every exercise and seed, in the order of the runs."""
    parts: dict[tuple[str, int], list[Run]] = defaultdict(list)
    for run in runs:
        parts[run.exercise, run.seed].append(run)
    return [pooled_table(part, baseline=baseline) for part in parts.values()]


def pooled_table(runs: Sequence[Run], *, baseline: bool = False) -> Table:
    """Everybody's test scores in one exercise with one seed, each by the model of their own fold.

    Args:
        runs: of one exercise and seed, one run a fold.
        baseline: the mean training score of each fold instead of the model's scores.

    Raises:
        DataError: a recording has two true scores within one fold.
    """
    rows = [run.tested for run in runs]
    scores = [
        np.full_like(r.true, run.record.baseline_score) if baseline else r.predicted
        for r, run in zip(rows, runs, strict=True)
    ]
    return Table(
        exercise=runs[0].exercise,
        seed=runs[0].seed,
        person=[person for r in rows for person in r.who],
        true=np.concatenate([r.true for r in rows]),
        predicted=np.concatenate(scores),
        fold=[run.fold for r, run in zip(rows, runs, strict=True) for _ in r.who],
        group=[group for r in rows for group in r.group],
    )

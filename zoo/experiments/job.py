"""One run of a sweep: its settings, its place, the code it needs, and what is there of it already.

A run that failed is kept beside where it would stand: ``NAME.failed.json``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from zoo.build import build, to_plain
from zoo.errors import DataError
from zoo.files import (
    StorageError,
    is_being_written,
    read_json,
    storage_error,
    to_json,
    write_atomically,
)
from zoo.runs.environment import ZOO, versions
from zoo.runs.folder import RECORD, RESUME
from zoo.runs.record import Source, read_record
from zoo.words import score_digits
from zoo.workspace import Workspace

_FAILURE_SCHEMA = 1
_LONGEST = 20_000


@dataclass(frozen=True)
class Code:
    """Whose code computes a run; runs of other code are computed anew.

    Attributes:
        source: of the model.
        version: of skeleton-zoo.
    """

    source: Source
    version: str

    @classmethod
    def of(cls, source: Any, versions: Any) -> "Code":
        """As a run keeps it, finished, half done or failed.

        Raises:
            DataError: it is damaged.
        """
        if not isinstance(versions, Mapping):
            raise DataError(f"versions is {versions!r}, expected keys and values")
        return cls(build(Source, source, "source", error=DataError), str(versions.get(ZOO)))


@dataclass(frozen=True)
class Job:
    """A run to be there at the end.

    Attributes:
        config: the composed configuration.
        path: where the finished run stands or will stand.
        key_hash: SHA-256 of the run's key: settings, data and protocol.
        title: the run in a few words.
        code: what it is to be computed by.
        digits: decimals of scores and of errors in them.
    """

    config: Mapping[str, Any]
    path: Path
    key_hash: str
    title: str
    code: Code
    digits: int

    @classmethod
    def of(cls, config: Mapping[str, Any], workspace: Workspace, source: Source) -> "Job":
        """The run of `config` in a workspace, computed by a model's code and the zoo's of now."""
        key, code = workspace.key(config), Code.of(source, versions())
        digits = score_digits(workspace.dataset(config).score_range)
        return cls(config, key.path(workspace.runs), key.hash, key.title, code, digits)

    @property
    def model(self) -> str:
        """Name of the model."""
        return str(self.config["model"]["name"])

    @property
    def exercise(self) -> str:
        """Exercise id, empty where the dataset has none."""
        return str(self.config["dataset"].get("exercise") or "")

    @property
    def partial(self) -> Path:
        """Where the run lives while it is computed."""
        return self.path.with_name(f"{self.path.name}.partial")

    @property
    def failure_file(self) -> Path:
        """Where its failure is kept."""
        return self.path.with_name(f"{self.path.name}.failed.json")

    def keep_failure(self, error: str, traceback: str) -> None:
        """Write what went wrong, with all that is needed to look into it.

        Args:
            error: one line.
            traceback: as Python prints it, or what the process wrote last; its end is kept.

        Raises:
            StorageError: no room on the disk.
        """
        record = {
            "schema": _FAILURE_SCHEMA,
            "created": datetime.now(UTC).isoformat(),
            "key_hash": self.key_hash,
            "title": self.title,
            "error": error,
            "traceback": traceback[-_LONGEST:],
            "source": to_plain(self.code.source),
            "versions": versions(),
            "config": dict(self.config),
        }
        try:
            self.failure_file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise storage_error(self.failure_file, 0, problem) from problem
        write_atomically(self.failure_file, to_json(record))

    def failure(self) -> dict[str, Any] | None:
        """The failure of exactly this run by exactly this code; None where there is none."""
        try:
            record = read_json(self.failure_file)
            code = Code.of(record.get("source"), record.get("versions"))
        except DataError:
            return None
        return record if (record.get("key_hash"), code) == (self.key_hash, self.code) else None

    def forget_failure(self) -> None:
        """Take the failure away: the run is finished."""
        try:
            self.failure_file.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"cannot remove {self.failure_file}: {error.strerror}") from error


class State(Enum):
    """How a run stands, by content: its key, its data and the code that computed it.

    FINISHED: with these settings, data and code. STALE: finished or half done by other code, or
    damaged; computed anew. HALF_DONE: can be resumed. FAILED: its failure is kept. BUSY: another
    process writes it. NEW: nothing is there.
    """

    FINISHED = "finished"
    STALE = "stale"
    HALF_DONE = "half done"
    FAILED = "failed"
    BUSY = "busy"
    NEW = "new"


def look(job: Job) -> State:
    """How `job` stands at this moment; a few file look-ups, nothing is changed."""
    there = (job.path / RECORD).is_file()
    if there and _finished_by(job):
        return State.FINISHED
    if is_being_written(job.partial):
        return State.BUSY
    if (job.partial / RESUME).is_file():
        return State.HALF_DONE if _begun_by(job) else State.STALE
    if job.failure() is not None:
        return State.FAILED
    return State.STALE if there else State.NEW


def _finished_by(job: Job) -> bool:
    try:
        record = read_record(job.path)
    except DataError:
        return False
    then = Code.of(record.model.source, record.versions)
    return (record.key_hash, then) == (job.key_hash, job.code)


def _begun_by(job: Job) -> bool:
    """Whether the last process that worked on a half-done run had the same code."""
    try:
        last = read_json(job.partial / RESUME)["sessions"][-1]
        return Code.of(last["source"], last["versions"]) == job.code
    except (DataError, KeyError, IndexError, TypeError):
        return False

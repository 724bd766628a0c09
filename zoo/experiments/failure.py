"""A run that failed, kept beside where it would stand: ``NAME.failed.json``."""

from datetime import UTC, datetime
from typing import Any

from zoo.build import to_plain
from zoo.errors import DataError
from zoo.experiments.job import Code, Job
from zoo.files import StorageError, read_json, storage_error, to_json, write_atomically
from zoo.runs.environment import versions

SCHEMA = 1
_LONGEST = 20_000


def keep_failure(job: Job, error: str, traceback: str) -> None:
    """Write what went wrong, with all that is needed to look into it.

    Args:
        job: the run.
        error: one line.
        traceback: as Python prints it, or what the process wrote last; its end is kept.

    Raises:
        StorageError: no room on the disk.
    """
    record = {
        "schema": SCHEMA,
        "created": _now(),
        "key_hash": job.key_hash,
        "title": job.title,
        "error": error,
        "traceback": traceback[-_LONGEST:],
        "source": to_plain(job.code.source),
        "versions": versions(),
        "config": dict(job.config),
    }
    try:
        job.failure_file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise storage_error(job.failure_file, 0, problem) from problem
    write_atomically(job.failure_file, to_json(record))


def read_failure(job: Job) -> dict[str, Any] | None:
    """The failure of exactly this run by exactly this code; None where there is none."""
    try:
        record = read_json(job.failure_file)
        code = Code.stored(record.get("source"), record.get("versions"))
    except DataError:
        return None
    return record if record.get("key_hash") == job.key_hash and code == job.code else None


def forget_failure(job: Job) -> None:
    """Take the failure away: the run is finished."""
    try:
        job.failure_file.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"cannot remove {job.failure_file}: {error.strerror}") from error


def _now() -> str:
    return datetime.now(UTC).isoformat()

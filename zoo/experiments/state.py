"""What is there of a run already, by content: its key, its data and the code that computed it."""

from enum import Enum

from zoo.errors import DataError
from zoo.experiments.failure import read_failure
from zoo.experiments.job import Code, Job
from zoo.files import is_being_written, read_json
from zoo.runs.environment import ZOO
from zoo.runs.folder import RECORD, RESUME
from zoo.runs.record import read_record


class State(Enum):
    """How a run stands.

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
    if job.failure_file.is_file() and read_failure(job) is not None:
        return State.FAILED
    return State.STALE if there else State.NEW


def _finished_by(job: Job) -> bool:
    try:
        record = read_record(job.path)
    except DataError:
        return False
    then = Code(record.model.source, str(record.versions.get(ZOO)))
    return record.key_hash == job.key_hash and then == job.code


def _begun_by(job: Job) -> bool:
    """Whether the last process that worked on a half-done run had the same code."""
    try:
        last = read_json(job.partial / RESUME)["sessions"][-1]
        return Code.stored(last["source"], last["versions"]) == job.code
    except (DataError, KeyError, IndexError, TypeError):
        return False

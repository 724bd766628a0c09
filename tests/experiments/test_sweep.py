"""What becomes of every run: skipped by content, resumed, computed anew, kept as failed."""

import json
import shutil
from pathlib import Path

import pytest

from zoo.data.store import fingerprint
from zoo.experiments import events
from zoo.experiments.events import Event
from zoo.experiments.job import State, look
from zoo.experiments.schema import Row
from zoo.experiments.work import compute
from zoo.files import StorageError, WriteLock
from zoo.runs.run import load_run


def states(plan):
    return [look(job) for job in plan.jobs]


def counts(result):
    return result.finished, result.there, result.failed


def test_everything_is_computed_once(desk):
    plan = desk.plan("toy-line", "toy-mean", seeds=(0, 1))
    assert len(plan.jobs) == 8
    assert states(plan) == [State.NEW] * 8
    assert counts(desk.sweep(plan)) == (8, 0, 0)
    again = desk.inline()
    assert counts(desk.sweep(desk.plan("toy-line", "toy-mean", seeds=(0, 1)), again)) == (0, 8, 0)
    assert not again.submitted
    run = load_run(plan.jobs[0].path)
    assert run.record.key_hash == plan.jobs[0].key_hash
    assert run.record.config["trainer"]["threads"] == 1


def test_runs_of_other_code_are_computed_anew(desk, change):
    plan = desk.plan("toy-line", "mean")
    desk.sweep(plan)
    before = load_run(plan.jobs[0].path).record.model.source.sha256
    change("# better now")
    now = desk.plan("toy-line", "mean")
    assert states(now) == [State.STALE, State.STALE, State.FINISHED, State.FINISHED]
    assert counts(desk.sweep(now)) == (2, 2, 0)
    assert load_run(plan.jobs[0].path).record.model.source.sha256 != before


def test_runs_of_another_zoo_are_computed_anew(desk):
    (job,) = desk.plan("mean", folds=(0,)).jobs
    desk.sweep(desk.plan("mean", folds=(0,)))
    record = json.loads((job.path / "run.json").read_text())
    record["versions"]["skeleton-zoo"] = "0.0.1"
    (job.path / "run.json").write_text(json.dumps(record))
    assert look(job) is State.STALE


def test_other_data_are_other_runs(desk, trained, tmp_path):
    desk.sweep(desk.plan("mean"))
    other = tmp_path / "data" / "kimore"
    shutil.copytree(trained.data_root / "kimore", other)
    manifest = json.loads((other / "manifest.json").read_text())
    manifest["recordings"][1]["scores"]["total"] += 1
    manifest["fingerprint"] = fingerprint(manifest)
    (other / "manifest.json").write_text(json.dumps(manifest))
    desk.data_root = other.parent
    assert set(states(desk.plan("mean"))) == {State.NEW}


@pytest.mark.parametrize("damage", ["", "{", '{"model": 3, "versions": {}}'])
def test_a_damaged_run_is_computed_anew(desk, damage):
    plan = desk.plan("mean", folds=(0,))
    desk.sweep(plan)
    (plan.jobs[0].path / "run.json").write_text(damage)
    assert states(plan) == [State.STALE]
    assert counts(desk.sweep(plan)) == (1, 0, 0)
    assert states(plan) == [State.FINISHED]


class Interrupted(BaseException):
    pass


@pytest.fixture
def stops_after(desk):
    """Computes a job up to an epoch and leaves it there."""

    def stop(job, epochs):
        def tell(event: Event) -> None:
            if event.kind == events.EPOCH and event.epoch >= epochs:
                raise Interrupted

        with pytest.raises(Interrupted):
            compute(desk.inline().workspace, job.config, tell)
        assert (job.partial / "resume.json").is_file()

    return stop


def test_half_done_runs_are_resumed(desk, stops_after):
    plan = desk.plan("toy-line", folds=(0,))
    stops_after(plan.jobs[0], 1)
    assert states(plan) == [State.HALF_DONE]
    assert counts(desk.sweep(plan)) == (1, 0, 0)
    sessions = load_run(plan.jobs[0].path).record.sessions
    assert [s["after_epoch"] for s in sessions] == [0, 1]


def test_half_done_runs_of_other_code_are_begun_anew(desk, stops_after, change):
    stops_after(desk.plan("toy-line", folds=(0,)).jobs[0], 1)
    change("# better now")
    plan = desk.plan("toy-line", folds=(0,))
    assert states(plan) == [State.STALE]
    assert counts(desk.sweep(plan)) == (1, 0, 0)
    assert len(load_run(plan.jobs[0].path).record.sessions) == 1


def test_a_damaged_checkpoint_is_begun_anew(desk, stops_after):
    plan = desk.plan("toy-line", folds=(0,))
    stops_after(plan.jobs[0], 1)
    for file in plan.jobs[0].partial.glob("*.safetensors"):
        file.write_bytes(b"nothing")
    assert states(plan) == [State.HALF_DONE]
    assert counts(desk.sweep(plan)) == (1, 0, 0)


def test_a_failure_stops_nothing_and_is_kept(desk, tmp_path, change):
    mended = tmp_path / "mended"
    settings = {"model.mended": str(mended)}

    def plan():
        return desk.plan(Row("toy-failing", settings=settings), "mean", folds=(0,))

    job = plan().jobs[0]
    result = desk.sweep(plan())
    assert counts(result) == (1, 0, 1)
    assert result.failures == [(job.title, "RuntimeError: the toy is broken")]
    kept = json.loads(job.failure_file.read_text())
    assert "toys.py" in kept["traceback"]
    assert kept["config"]["model"]["name"] == "toy-failing"
    assert kept["source"]["sha256"]
    assert not list(desk.runs.rglob("*.partial"))

    untouched = desk.inline()
    assert counts(desk.sweep(plan(), untouched)) == (0, 1, 1)
    assert not untouched.submitted, "a failure stands until it is to be tried again"

    assert counts(desk.sweep(plan(), retry_failed=True)) == (0, 1, 1)
    change("# tried to mend it")
    executor = desk.inline()
    assert counts(desk.sweep(plan(), executor)) == (0, 1, 1)
    assert len(executor.submitted) == 1, "other code is another try"

    mended.touch()
    assert counts(desk.sweep(plan(), retry_failed=True)) == (1, 1, 0)
    assert not job.failure_file.exists()


def test_a_failure_of_another_sweep_meanwhile_is_not_tried_again(desk):
    plan = desk.plan("toy-failing")

    def other_sweep(job):
        if job is plan.jobs[0]:
            desk.sweep(desk.plan("toy-failing", folds=(1,)), retry_failed=True)

    desk.sweep(plan)
    executor = desk.inline(other_sweep)
    assert counts(desk.sweep(plan, executor, retry_failed=True)) == (0, 0, 2)
    assert executor.submitted == plan.jobs[:1]


def test_a_run_whose_process_dies_is_begun_twice(desk):
    plan = desk.plan("mean", folds=(0,))
    lost = Event(events.LOST, message="was killed by signal 9 (SIGKILL)", traceback="last words")
    deaths = [lost]
    assert counts(desk.sweep(plan, desk.inline(lambda job: deaths.pop() if deaths else None))) == (
        1, 0, 0,
    )  # fmt: skip

    plan = desk.plan("mean", folds=(1,))
    executor = desk.inline(lambda job: lost)
    result = desk.sweep(plan, executor)
    assert counts(result) == (0, 0, 1)
    assert len(executor.submitted) == 2
    assert "killed by signal 9" in result.failures[0][1]
    assert json.loads(plan.jobs[0].failure_file.read_text())["traceback"] == "last words"


def test_busy_runs_are_looked_at_again(desk, monkeypatch):
    """Another process holds one run; it finishes it while this sweep computes the other."""
    monkeypatch.setattr("zoo.experiments.sweep._BUSY_TICK", 0.01)
    plan = desk.plan("mean")
    first, second = plan.jobs
    lock = WriteLock(first.partial)
    lock.acquire()
    assert states(plan) == [State.BUSY, State.NEW]
    polls = []

    class Executor(type(desk.inline())):
        def poll(self, seconds):
            polls.append(list(self.waiting))
            if len(polls) == 5:
                lock.release()  # the other process has died
            return super().poll(seconds)

    executor = Executor(desk.inline().workspace)
    assert counts(desk.sweep(plan, executor)) == (2, 0, 0)
    assert executor.submitted == [second, first]
    assert len(polls) >= 6


def test_runs_another_sweep_finishes_meanwhile_are_not_repeated(desk):
    plan = desk.plan("mean", "toy-mean")

    def other_sweep(job):
        if job is plan.jobs[0]:
            desk.sweep(desk.plan("toy-mean"))

    executor = desk.inline(other_sweep)
    assert counts(desk.sweep(plan, executor)) == (2, 2, 0)
    assert executor.submitted == plan.jobs[:2]


def test_busy_when_it_begins(desk):
    plan = desk.plan("mean", folds=(0,))
    busy = [Event(events.BUSY)]
    assert counts(desk.sweep(plan, desk.inline(lambda job: busy.pop() if busy else None))) == (
        1, 0, 0,
    )  # fmt: skip


def test_a_full_disk_ends_the_sweep(desk):
    plan = desk.plan("mean", "toy-mean")
    executor = desk.inline(
        lambda job: Event(events.NO_ROOM, message="no room") if job is plan.jobs[1] else None
    )
    with pytest.raises(StorageError, match=r"no room. 1 of 4 runs are done; make room"):
        desk.sweep(plan, executor)
    assert executor.stopped
    assert counts(desk.sweep(plan)) == (3, 1, 0)


def test_a_failure_that_cannot_be_kept_ends_the_sweep(desk, monkeypatch):
    def no_room(path: Path, content: bytes) -> None:
        raise StorageError("no room for the failure")

    monkeypatch.setattr("zoo.experiments.job.write_atomically", no_room)
    with pytest.raises(StorageError, match="no room for the failure"):
        desk.sweep(desk.plan("toy-failing", folds=(0,)))

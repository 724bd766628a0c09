"""Real processes: plug-ins reach them, deaths are noticed, changed code is imported anew."""

import os
import time

import pytest

from registry import MODELS, Source, catalogues, use_config_dir
from zoo.errors import ZooError
from zoo.experiments.executors import local
from zoo.experiments.executors.local import LocalExecutor
from zoo.experiments.executors.setup import Setup
from zoo.experiments.job import State, look
from zoo.experiments.schema import Row
from zoo.runs.run import load_run


@pytest.fixture
def config_dir(tmp_path, monkeypatch, toys):
    """A folder of the user's with a model of its own."""
    monkeypatch.setattr(catalogues, "_user_dirs", [])
    folder = tmp_path / "configs" / "model"
    folder.mkdir(parents=True)
    (folder / "my-mean.yaml").write_text("code: baselines.constant:MeanScore\n")
    use_config_dir(folder.parent)


def executor_for(desk, plan, workers=1):
    setup = Setup.of_this_process(desk.runs, desk.data_root, {job.model for job in plan.jobs})
    return LocalExecutor(workers, setup)


def test_whatever_happens_to_processes(desk, config_dir):
    """One after the other in one process, so that the next ones meet what is left of the last."""
    plan = desk.plan("toy-line", "toy-failing", "my-mean", "toy-dying", folds=(0,))
    printed, failing, mine, dying = plan.jobs
    result = desk.sweep(plan, executor_for(desk, plan))
    assert (result.finished, result.there, result.failed) == (2, 0, 2)
    assert look(printed) is look(mine) is State.FINISHED
    assert load_run(printed.path).record.sessions[0]["threads"] == 1
    assert dict(result.failures) == {
        failing.title: "RuntimeError: the toy is broken",
        dying.title: "its process was killed by signal 9 (SIGKILL), twice",
    }
    assert "last words of the toy" in dying.failure_file.read_text()
    assert "a line that is no news" not in dying.failure_file.read_text()


def test_code_that_changes_while_a_sweep_runs_is_imported_anew(desk, change):
    plan = desk.plan("toy-line", seeds=(0, 1), folds=(0,))
    _, second = plan.jobs
    executor = executor_for(desk, plan)
    pids = []
    submit = executor.submit

    def change_before_second(job):
        if job is second and len(pids) == 1:
            change("# better now")
        submit(job)
        pids.append(executor._workers[-1]._process.pid)

    executor.submit = change_before_second
    result = desk.sweep(plan, executor)
    assert (result.finished, result.failed) == (2, 0)
    assert len(pids) == 3
    assert pids[0] == pids[1] != pids[2]
    then, now = (load_run(j.path).record.model.source.sha256 for j in plan.jobs)
    assert then != now
    states = [look(job) for job in desk.plan("toy-line", seeds=(0, 1), folds=(0,)).jobs]
    assert states == [State.STALE, State.FINISHED]


def test_processes_that_cannot_start_end_the_sweep(desk, monkeypatch):
    monkeypatch.setattr(local, "_START", "raise SystemExit('no torch here')")
    plan = desk.plan("mean", folds=(0,))
    with pytest.raises(ZooError, match=r"ended with exit code 1: no torch here"):
        desk.sweep(plan, executor_for(desk, plan))


def test_a_process_whose_starter_is_gone_keeps_what_it_has_and_ends(desk):
    plan = desk.plan(
        Row("toy-line", settings={"model.pause": 0.02, "trainer.epochs": 500}), folds=(0,)
    )
    (job,) = plan.jobs
    executor = executor_for(desk, plan)
    executor.submit(job)
    while not (job.partial / "resume.json").is_file():
        executor.poll(0.1)
    process = executor._workers[0]._process
    os.close(process.stdin.fileno())  # what a kill of the starter does
    until = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    assert process.returncode == 0
    assert look(job) is State.HALF_DONE


def test_models_of_the_running_script_are_refused(desk, monkeypatch):
    MODELS.add("toy-here", Source("__main__", "Here", "module __main__"))
    try:
        with pytest.raises(ZooError, match="put it into a file of its own"):
            Setup.of_this_process(desk.runs, None, ["toy-here"])
    finally:
        MODELS.forget("toy-here")

"""Whole sweeps, really stopped: the store ends as if nothing had happened."""

import contextlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
import yaml

from zoo.experiments.executors.local import LocalExecutor
from zoo.experiments.executors.setup import Setup
from zoo.experiments.job import State, look
from zoo.experiments.progress import Display
from zoo.experiments.schema import Row
from zoo.experiments.sweep import SweepStopped
from zoo.files import StorageError

PATIENT = Row("toy-line", settings={"model.pause": 0.02, "trainer.epochs": 40})


@pytest.fixture
def start(desk, toys, tmp_path, quick_settings):
    """Starts `zoo experiment` on toys, in a process of its own."""
    block = {
        "dataset": "kimore",
        "exercises": [5],
        "seeds": [0, 1],
        "rows": [{"model": PATIENT.model, "set": dict(PATIENT.settings)}, "toy-mean"],
        "report": {"figures": []},
    }
    folder = tmp_path / "configs" / "experiment"
    folder.mkdir(parents=True)
    (folder / "toys.yaml").write_text(yaml.safe_dump(block))

    def run(*arguments):
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "zoo", "experiment", "toys"),
                *("--plugin", str(toys), "--config-dir", str(folder.parent)),
                *("--runs", str(desk.runs), "--data-root", str(desk.data_root)),
                *("--output", str(tmp_path / "report")),
                *arguments,
                *quick_settings,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return run


def predictions(plan):
    return [(job.path / "predictions.csv").read_bytes() for job in plan.jobs]


def undisturbed(desk, plan, tmp_path):
    """The predictions of the same plan in a store of its own."""
    kept, desk.runs = desk.runs, tmp_path / "undisturbed"
    other = desk.plan(PATIENT, "toy-mean", seeds=(0, 1))
    desk.sweep(other)
    desk.runs = kept
    assert [job.key_hash for job in other.jobs] == [job.key_hash for job in plan.jobs]
    return predictions(other)


def require_whole(desk, plan, tmp_path):
    """The store holds every run of the plan, as an undisturbed sweep leaves it, and no more."""
    assert {look(job) for job in plan.jobs} == {State.FINISHED}
    assert predictions(plan) == undisturbed(desk, plan, tmp_path)
    assert len(list(desk.runs.rglob("run.json"))) == len(plan.jobs)
    assert not list(desk.runs.rglob("*.partial"))
    assert not list(desk.runs.rglob("*.failed.json"))


def strike(process, number, delay, progress):
    """Send a signal some time after the sweep has got something done; the output and exit code."""
    lines = iter(process.stdout.readline, "")
    shown = next((line for line in lines if "/8 done" in line), "it never began")
    before, until = progress(), time.monotonic() + 300
    while progress() == before:
        assert process.poll() is None, shown + process.stdout.read()
        assert time.monotonic() < until, "nothing ever got done"
        time.sleep(0.01)
    time.sleep(delay)
    process.send_signal(number)
    output = process.stdout.read()
    return output, process.wait()


@pytest.mark.parametrize(
    "numbers",
    [
        (signal.SIGKILL, signal.SIGINT, signal.SIGTERM),
        pytest.param([signal.SIGKILL, signal.SIGINT] * 5, marks=pytest.mark.slow),
    ],
)
def test_a_sweep_that_is_stopped_again_and_again(desk, start, tmp_path, numbers):
    plan = desk.plan(PATIENT, "toy-mean", seeds=(0, 1))
    chance = random.Random()

    def progress():
        return sorted(
            (str(file), file.stat().st_mtime_ns)
            for name in ("run.json", "resume.json")
            for file in desk.runs.rglob(name)
        )

    for number in numbers:
        process = start("--jobs", "1" if len(numbers) == 3 else "2")
        output, code = strike(process, number, chance.uniform(0, 0.5), progress)
        if number is not signal.SIGKILL:
            assert code == 128 + number, output
            assert re.search(r"came when \d of 8 runs were done. The same command goes on", output)
            assert not any(look(job) is State.BUSY for job in plan.jobs)
    process = start("--jobs", "2")
    output, _ = process.communicate(timeout=600)
    assert process.returncode == 0, output
    require_whole(desk, plan, tmp_path)


def test_two_sweeps_at_once_share_the_work(desk, start, tmp_path):
    plan = desk.plan(PATIENT, "toy-mean", seeds=(0, 1))
    computed = 0
    for process in [start("--jobs", "1"), start("--jobs", "1")]:
        output, _ = process.communicate(timeout=600)
        assert process.returncode == 0, output
        own, there = re.search(r"(\d+) runs computed, (\d+) were there already", output).groups()
        assert int(own) + int(there) == len(plan.jobs)
        computed += int(own)
    assert computed == len(plan.jobs)
    require_whole(desk, plan, tmp_path)


@pytest.mark.slow
def test_two_sweeps_of_which_one_is_killed_again_and_again(desk, start, tmp_path):
    plan = desk.plan(PATIENT, "toy-mean", seeds=(0, 1))
    patient, chance = start("--jobs", "1"), random.Random()
    for _ in range(4):
        other = start("--jobs", "1")
        time.sleep(chance.uniform(3, 12))
        other.kill()
        other.communicate()
    output, _ = patient.communicate(timeout=900)
    assert patient.returncode == 0, output
    output, _ = start("--jobs", "1").communicate(timeout=900)
    assert "were there already" in output
    require_whole(desk, plan, tmp_path)


def test_a_full_disk(desk, small_disk, tmp_path):
    desk.runs = small_disk / "runs"
    plan = desk.plan("toy-mean", seeds=(0, 1, 2))
    ballast = small_disk / "ballast"

    class Filling(Display):
        def on_finished(self, progress, job, event):
            with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(b"x" * 4096)

    setup = Setup.of_this_process(desk.runs, desk.data_root, ["toy-mean"])
    with pytest.raises(StorageError, match=r"no room to write .* make room and give the same"):
        desk.sweep(plan, LocalExecutor(1, setup), display=Filling())
    finished = [job for job in plan.jobs if look(job) is State.FINISHED]
    assert finished
    ballast.unlink()
    result = desk.sweep(plan)
    assert (result.there, result.finished) == (len(finished), len(plan.jobs) - len(finished))
    assert {look(job) for job in plan.jobs} == {State.FINISHED}
    shutil.rmtree(desk.runs)


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")]
)
def test_a_signal_lets_the_runs_at_work_end(desk, number, name):
    plan = desk.plan("mean")
    executor = desk.inline(lambda job: signal.raise_signal(number))
    with pytest.raises(SweepStopped, match=f"{name} came when 1 of 2 runs were done") as stopped:
        desk.sweep(plan, executor)
    assert stopped.value.exit_code == 128 + number
    assert executor.stopped
    assert [look(job) for job in plan.jobs] == [State.FINISHED, State.NEW]

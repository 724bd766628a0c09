"""The same sweep on a Ray cluster of two machines, one of which is lost."""

import json
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from zoo.errors import ZooError
from zoo.experiments import events
from zoo.experiments.executors.cluster import NodeProcess
from zoo.experiments.executors.payload import Payload
from zoo.experiments.executors.setup import Setup
from zoo.experiments.job import Code, State, look
from zoo.experiments.schema import Row
from zoo.experiments.work import compute
from zoo.runs.run import load_run


@pytest.fixture(scope="module")
def cluster():
    """Two machines of one CPU each; the second may be removed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
        pytest.importorskip("ray", reason="Ray is not installed (extra: ray)")
        from ray.cluster_utils import Cluster

        # Ray's sockets need a short path
        with tempfile.TemporaryDirectory(prefix="ray") as folder:
            # and a folder for the address of its newest cluster, which it does not make itself
            patch.setenv("RAY_TMPDIR", folder)
            (Path(folder) / "ray").mkdir()
            head = {"num_cpus": 1, "include_dashboard": False, "temp_dir": folder}
            made = Cluster(initialize_head=True, head_node_args=head)
            made.second = made.add_node(num_cpus=1)
            yield made
            made.shutdown()


def test_a_lost_machine_s_runs_are_run_again(desk, cluster, tmp_path):
    from zoo.experiments.executors.cluster import RayExecutor

    slow = Row("toy-line", settings={"model.pause": 0.05, "trainer.epochs": 60})
    plan = desk.plan(slow, "toy-mean", "toy-failing", seeds=(0, 1))
    executor = RayExecutor(plan, cluster.address)
    assert executor.cpus == 2
    kinds = []
    poll = executor.poll

    def poll_and_lose(seconds):
        happened = poll(seconds)
        kinds.extend(message.kind for _, message in happened)
        if executor.second_is_there and len(executor._at_work) == 2 and events.FINISHED in kinds:
            executor.second_is_there = False
            cluster.remove_node(cluster.second, allow_graceful=False)
        return happened

    executor.poll, executor.second_is_there = poll_and_lose, True
    home = desk.data_root
    result = desk.sweep(plan, executor)
    assert not executor.second_is_there
    assert (result.finished, result.failed) == (8, 4)
    assert events.AGAIN in kinds
    assert {error for _, error in result.failures} == {"RuntimeError: the toy is broken"}
    assert not list(desk.runs.rglob("*.partial"))

    desk.runs, cluster_runs = tmp_path / "here", desk.runs
    here = desk.plan(slow, "toy-mean", seeds=(0, 1))
    desk.sweep(here)
    for job in here.jobs:
        there = load_run(cluster_runs / job.path.relative_to(desk.runs))
        assert not there.altered_files()
        assert (there.path / "predictions.csv").read_bytes() == (
            job.path / "predictions.csv"
        ).read_bytes()
    assert home == desk.data_root


def test_what_is_stopped_comes_back(desk, cluster):
    from zoo.experiments.executors.cluster import RayExecutor

    endless = Row("toy-line", settings={"model.pause": 0.02, "trainer.epochs": 5000})
    plan = desk.plan(endless, folds=(0,))
    (job,) = plan.jobs
    executor = RayExecutor(plan, cluster.address)
    executor.submit(job)
    assert look(job) is State.BUSY, "its lock is held here"
    assert executor.poll(15) == []
    executor.stop()
    happened = []
    while not happened:
        happened = executor.poll(1)
    executor.close()
    assert [message.kind for _, message in happened] == [events.STOPPED]
    assert look(job) in (State.HALF_DONE, State.NEW)


def packed(desk, plan):
    setup = Setup.of_this_process(desk.runs, desk.data_root, {job.model for job in plan.jobs})
    return Payload.pack(setup, (group.session for group in plan.groups), lambda files: files)


def test_plug_ins_and_data_travel(desk, toys, tmp_path, trained):
    """Unpacked where neither lies in its old place; then the run is what it is here."""
    desk.data_root = shutil.copytree(trained.data_root, tmp_path / "data")
    plan = desk.plan("toy-mean", folds=(0,))
    payload = packed(desk, plan)
    shutil.rmtree(desk.data_root)
    toys.write_text("raise SystemExit('another file of the same name')")
    room = tmp_path / "room"
    root = payload.unpack(room, lambda files: files)
    assert root == room / "data"
    moved = room / "texts" / toys.relative_to(toys.anchor)
    assert moved.read_text().startswith('"""Models that do')


def test_what_lies_in_its_place_is_used_there(desk, tmp_path):
    plan = desk.plan("toy-mean", folds=(0,))

    def fetch(files):
        raise AssertionError("nothing is to be fetched")

    assert packed(desk, plan).unpack(tmp_path / "room", fetch) == desk.data_root
    assert not (tmp_path / "room").exists()


def test_a_machine_with_other_code_is_refused(desk):
    plan = desk.plan("toy-mean", folds=(0,))
    (job,) = plan.jobs
    process = NodeProcess(packed(desk, plan), lambda files: files)
    other = Code(replace(job.code.source, sha256="0" * 64), job.code.version)
    with pytest.raises(ZooError, match="other code of the model toy-mean"):
        process.compute(replace(job, code=other), {})
    older = Code(job.code.source, "0.0.1")
    with pytest.raises(ZooError, match=r"this machine has 0\.0\.1"):
        process.compute(replace(job, code=older), {})
    ending, files = process.compute(job, {})
    assert ending.kind == events.FINISHED
    assert json.loads(files["run.json"])["key_hash"] == job.key_hash
    assert not desk.runs.exists()


def test_a_stopped_run_comes_back_and_is_resumed(desk, monkeypatch):
    plan = desk.plan(Row("toy-line", settings={"trainer.epochs": 4}), folds=(0,))
    (job,) = plan.jobs
    process = NodeProcess(packed(desk, plan), lambda files: files)

    def stopped_after_two(workspace, config, tell):
        def stop(event):
            if event.kind == events.EPOCH and event.epoch == 2:
                raise KeyboardInterrupt

        return compute(workspace, config, stop)

    monkeypatch.setattr("zoo.experiments.work._SECONDS_BETWEEN_EPOCHS", 0)
    with monkeypatch.context() as patch:
        patch.setattr("zoo.experiments.executors.cluster.compute", stopped_after_two)
        ending, kept = process.compute(job, {})
    assert ending.kind == events.STOPPED
    assert "resume.json" in kept

    _, finished = NodeProcess(packed(desk, plan), lambda files: files).compute(job, kept)
    sessions = json.loads(finished["run.json"])["sessions"]
    assert [session["after_epoch"] for session in sessions] == [0, 2]

import json

import pytest

from zoo import files
from zoo.files import BusyError, StorageError
from zoo.runs import folder
from zoo.runs.folder import RunExistsError, RunFolder, Start

FILES = {"a.csv": b"a", "b.csv": b"b"}


def listing(path):
    return sorted(str(p.relative_to(path)) for p in path.rglob("*") if p.is_file())


def make_finished(path, content=FILES):
    run = RunFolder(path)
    run.begin(overwrite=True)
    run.finish(content, {"schema": 1})
    run.end()
    return run


def make_half_done(path):
    run = RunFolder(path)
    assert run.begin() is Start.NEW
    (run.partial / "resume-abc.safetensors").write_bytes(b"tensors")
    run.resume_file.write_text("{}")
    run.end()
    return run


def test_a_finished_run_is_whole_and_nothing_else_is_left(tmp_path):
    make_finished(tmp_path / "x" / "run")
    assert listing(tmp_path) == ["x/run/a.csv", "x/run/b.csv", "x/run/run.json"]
    record = json.loads((tmp_path / "x/run/run.json").read_text())
    assert set(record["files"]) == {"a.csv", "b.csv"}
    assert record["files"]["a.csv"] == files.file_hash(tmp_path / "x/run/a.csv")


def test_a_finished_run_is_kept_taken_or_replaced(tmp_path):
    path = tmp_path / "run"
    make_finished(path)
    with pytest.raises(RunExistsError, match=r"finished in .*resume=True.*overwrite=True"):
        RunFolder(path).begin()
    assert RunFolder(path).begin(resume=True) is Start.FINISHED
    run = RunFolder(path)
    assert run.begin(overwrite=True) is Start.NEW
    assert (path / "a.csv").read_bytes() == b"a"
    run.finish({"a.csv": b"new"}, {"schema": 1})
    run.end()
    assert listing(tmp_path) == ["run/a.csv", "run/run.json"]
    assert (path / "a.csv").read_bytes() == b"new"


def test_a_half_done_run_goes_on_or_begins_anew(tmp_path):
    path = tmp_path / "run"
    make_half_done(path)
    with pytest.raises(RunExistsError, match=r"begun in .*not finished.*resume=True"):
        RunFolder(path).begin()
    run = RunFolder(path)
    assert run.begin(resume=True) is Start.RESUME
    with pytest.raises(BusyError, match=r"process \d+ is writing .*resume=True"):
        RunFolder(path).begin(resume=True)
    run.end()
    assert (run.partial / "resume-abc.safetensors").exists()
    assert run.begin(overwrite=True) is Start.NEW
    assert listing(run.partial) == []
    run.end()
    assert not run.partial.exists()


def test_resume_begins_where_there_is_nothing(tmp_path):
    run = RunFolder(tmp_path / "run")
    assert run.begin(resume=True) is Start.NEW
    run.end()
    assert listing(tmp_path) == []


def test_an_overwrite_that_was_killed_leaves_the_old_run_and_can_go_on(tmp_path):
    path = tmp_path / "run"
    make_finished(path)
    run = RunFolder(path)
    run.begin(overwrite=True)
    run.resume_file.write_text("{}")
    run.end()
    assert (path / "a.csv").read_bytes() == b"a"
    assert run.begin(resume=True) is Start.RESUME
    run.finish({"a.csv": b"new"}, {"schema": 1})
    run.end()
    assert (path / "a.csv").read_bytes() == b"new"


class Killed(BaseException):
    """Stands for a kill: nothing catches it."""


@pytest.mark.parametrize("replacing", [False, True])
def test_killed_at_any_step_of_finishing_the_run_is_whole_or_can_go_on(
    tmp_path, monkeypatch, replacing
):
    """Every call that changes the disk is let fail once; afterwards --resume sets things right."""
    steps, outcomes = 0, set()
    while True:
        path = tmp_path / f"run{steps}"
        if replacing:
            make_finished(path, {"a.csv": b"old"})
        run = RunFolder(path)
        run.begin(overwrite=replacing)
        run.resume_file.write_text("{}")
        countdown = [steps]

        def kill_at_zero(function, countdown=countdown):
            def call(*args, **kwargs):
                if countdown[0] == 0:
                    raise Killed
                countdown[0] -= 1
                return function(*args, **kwargs)

            return call

        with monkeypatch.context() as patch:
            for name in ("replace", "rename", "fsync"):
                patch.setattr(folder.os, name, kill_at_zero(getattr(folder.os, name)))
            patch.setattr(folder.shutil, "rmtree", kill_at_zero(folder.shutil.rmtree))
            try:
                run.finish(FILES, {"schema": 1})
                finished = True
            except Killed:
                finished = False
        run._lock.release()
        if finished:
            break
        again = RunFolder(path)
        content = (path / "a.csv").read_bytes() if path.exists() else None
        assert content in ((None, b"a", b"old") if replacing else (None, b"a"))
        start = again.begin(resume=True)
        assert content != b"a" or start is Start.FINISHED
        outcomes.add(start)
        if start is Start.RESUME:
            again.finish(FILES, {"schema": 1})
            again.end()
        assert listing(path) == ["a.csv", "b.csv", "run.json"]
        assert (path / "a.csv").read_bytes() == b"a"
        assert not again.partial.exists()
        steps += 1
    assert steps > 10
    assert outcomes == {Start.RESUME, Start.FINISHED}


def test_a_full_disk_while_finishing_keeps_what_can_be_resumed(tmp_path, monkeypatch):
    run = make_half_done(tmp_path / "run")
    run.begin(resume=True)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "replace", full)
        with pytest.raises(StorageError, match="no room"):
            run.finish(FILES, {"schema": 1})
    run.end()
    assert not run.path.exists()
    assert run.begin(resume=True) is Start.RESUME
    run.end()


def test_leftovers_of_a_killed_writer_are_swept_up(tmp_path):
    run = make_half_done(tmp_path / "run")
    (run.partial / ".resume.json.99.tmp").write_bytes(b"half")
    (run.partial / "run.tmp").mkdir()
    assert run.begin(resume=True) is Start.RESUME
    assert listing(run.partial) == ["resume-abc.safetensors", "resume.json"]
    run.end()

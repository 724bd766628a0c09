"""A prepare that is killed, interrupted, out of space or not alone leaves a whole store or none."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from zoo.data.dataset import SkeletonDataset
from zoo.errors import DataError

SCRIPT = """
import pathlib, sys, time
import numpy as np
from zoo import files
from zoo.data import store
from zoo.data.adapters.base import Adapter
from zoo.data.dataset import prepare
from zoo.data.recording import Recording

root, stage, value = pathlib.Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])

def stop(module, name, call=1, before=True):
    real, calls = getattr(module, name), []
    def stopping(*args, **kwargs):
        calls.append(1)
        here = len(calls) == call
        result = None if here and before else real(*args, **kwargs)
        if here:
            print("here", flush=True)
            time.sleep(60)
        return result
    setattr(module, name, stopping)

class Numbers(Adapter):
    name, layout, fps, score_range, exercises = "numbers", "kinect-v2", 30.0, (0, 50), {"1": "x"}
    needs_source = False
    def read(self, source, report, progress):
        for i in range(50):
            if i == 25 and stage == "reading":
                print("here", flush=True)
                time.sleep(60)
            positions = np.full((200, 25, 3), value + i, dtype=np.float32)
            positions[:, 0] += 1.0
            positions[::2, 1] += 1.0
            yield Recording(f"{i:02d}", f"{i}", "G", "1", "1", "kinect-v2", 30.0, positions)

if stage == "data half written":
    def half(path, content):
        path.write_bytes(content[:1000])
        print("here", flush=True)
        time.sleep(60)
    store.write_atomically = half
elif stage == "before the manifest":
    stop(store, "write_atomically", 1, before=False)
elif stage == "before the exchange":
    stop(files, "_put")
elif stage == "after the exchange":
    stop(files, "_put", before=False)
elif stage == "between two renames":
    files._exchange = lambda one, other: False
    real_rename = pathlib.Path.rename
    def rename(self, other):
        result = real_rename(self, other)
        if ".old-" in other.name:
            print("here", flush=True)
            time.sleep(60)
        return result
    pathlib.Path.rename = rename
elif stage == "full disk":
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
prepare(Numbers(), None, root)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


def start(tmp_path: Path, root: Path, stage: str, value: float) -> "subprocess.Popen[str]":
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    return subprocess.Popen(
        [sys.executable, str(script), str(root), stage, str(value)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def first_value(root: Path) -> float:
    positions = SkeletonDataset.open(root, "numbers")[0].positions
    assert positions is not None
    return float(positions[0, 0, 0]) - 1.0


def finish(tmp_path: Path, root: Path, value: float) -> None:
    """A prepare after the accident works and clears what the dead one left."""
    done = start(tmp_path, root, "none", value)
    _, err = done.communicate(timeout=300)
    assert done.returncode == 0, err
    assert first_value(root) == value
    assert sorted(f.name for f in root.iterdir()) == ["numbers"]


STAGES = [
    "reading",
    "data half written",
    "before the manifest",
    "before the exchange",
    "after the exchange",
    "between two renames",
]


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
@pytest.mark.parametrize("stage", STAGES)
def test_killed_at_any_moment(tmp_path: Path, root: Path, stage: str) -> None:
    if stage != "between two renames":  # there is no old store then, so nothing is between
        process = start(tmp_path, root, stage, 1)
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
        if stage == "after the exchange":
            assert first_value(root) == 1
        else:
            with pytest.raises(DataError, match="numbers is not prepared"):
                SkeletonDataset.open(root, "numbers")
    finish(tmp_path, root, 2)
    process = start(tmp_path, root, stage, 3)
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert first_value(root) == (3 if stage == "after the exchange" else 2)
    finish(tmp_path, root, 4)


@pytest.mark.skipif(sys.platform == "win32", reason="interrupts as POSIX does")
def test_interrupted_it_leaves_nothing(tmp_path: Path, root: Path) -> None:
    for stage in ("reading", "data half written"):
        process = start(tmp_path, root, stage, 1)
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=300)
        assert "KeyboardInterrupt" in err
        assert [f.name for f in root.iterdir()] == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits file sizes as POSIX does")
def test_a_full_disk_is_one_message_and_leaves_nothing(tmp_path: Path, root: Path) -> None:
    """A limit on the size of files stands in for the full disk: the same calls fail."""
    process = start(tmp_path, root, "full disk", 1)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "the prepared dataset cannot be written to" in err.splitlines()[-1]
    assert "What was there before is as it was. Make room" in err.splitlines()[-1]
    assert [f.name for f in root.iterdir()] == []
    finish(tmp_path, root, 2)
    process = start(tmp_path, root, "full disk", 3)
    process.communicate(timeout=300)
    assert first_value(root) == 2
    assert sorted(f.name for f in root.iterdir()) == ["numbers"]


def test_several_at_once_do_not_harm_each_other(tmp_path: Path, root: Path) -> None:
    processes = [start(tmp_path, root, "none", value) for value in (1, 2, 3)]
    for process in processes:
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
    assert first_value(root) in (1, 2, 3)
    assert sorted(f.name for f in root.iterdir()) == ["numbers"]

import shutil
import signal
import subprocess
import sys

import pytest

from zoo.runs.lock import FolderLock, RunBusyError, locked

HOLD = """
import sys, time
from pathlib import Path
from zoo.runs.lock import FolderLock
FolderLock(Path(sys.argv[1])).acquire()
print("held", flush=True)
time.sleep(60)
"""


def test_a_second_holder_is_told_who_holds_it(tmp_path):
    first, second = FolderLock(tmp_path / "run"), FolderLock(tmp_path / "run")
    first.acquire()
    assert first.held
    with pytest.raises(RunBusyError, match=r"process \d+ is writing .*--resume"):
        second.acquire()
    assert not second.held
    first.release()
    first.release()
    second.acquire()
    second.release()


def test_asking_who_holds_it_changes_nothing(tmp_path):
    folder = tmp_path / "run"
    assert not locked(folder)
    assert not folder.exists()
    lock = FolderLock(folder)
    lock.acquire()
    assert locked(folder)
    assert lock.held
    lock.release()
    assert not locked(folder)


def test_the_lock_falls_away_with_the_process_that_holds_it(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        lock = FolderLock(tmp_path)
        with pytest.raises(RunBusyError, match=f"process {process.pid}"):
            lock.acquire()
        process.send_signal(signal.SIGKILL)
        process.wait()
        lock.acquire()
        lock.release()


def test_a_removed_folder_is_not_mistaken_for_a_held_one(tmp_path):
    folder = tmp_path / "run"
    first, second = FolderLock(folder), FolderLock(folder)
    first.acquire()
    shutil.rmtree(folder)
    assert not first.held
    second.acquire()
    assert second.held
    assert not first.held

import shutil
import signal
import subprocess
import sys
import threading

import pytest

from zoo.files import BusyError, WriteLock, is_being_written

HOLD = """
import sys, time
from pathlib import Path
from zoo.files import WriteLock
lock = WriteLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
time.sleep(60)
"""


def test_a_second_holder_is_told_who_holds_it(tmp_path):
    first, second = WriteLock(tmp_path / "run"), WriteLock(tmp_path / "run")
    first.acquire()
    assert first.held
    with pytest.raises(BusyError, match=r"process \d+ is writing .*run"):
        second.acquire()
    assert not second.held
    first.release()
    first.release()
    second.acquire()
    second.release()
    assert list(tmp_path.iterdir()) == []


def test_asking_who_holds_it_changes_nothing(tmp_path):
    folder = tmp_path / "run"
    assert not is_being_written(folder)
    assert list(tmp_path.iterdir()) == []
    lock = WriteLock(folder)
    lock.acquire()
    assert is_being_written(folder)
    assert lock.held
    lock.release()
    assert not is_being_written(folder)


def test_the_lock_falls_away_with_the_process_that_holds_it(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "held\n"
        lock = WriteLock(tmp_path / "run")
        with pytest.raises(BusyError, match=f"process {process.pid}"):
            lock.acquire()
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not is_being_written(tmp_path / "run")
        lock.acquire()
        lock.release()
    assert list(tmp_path.iterdir()) == []


def test_it_does_not_depend_on_the_folder_that_is_written(tmp_path):
    folder = tmp_path / "run"
    first, second = WriteLock(folder), WriteLock(folder)
    first.acquire()
    folder.mkdir()
    shutil.rmtree(folder)
    assert first.held
    with pytest.raises(BusyError):
        second.acquire()
    first.release()
    second.acquire()
    assert second.held
    assert not first.held
    second.release()


def test_of_many_that_want_it_one_has_it_at_a_time(tmp_path):
    """The file is removed by each holder while the others wait for it."""
    inside, most = [], []

    def work(number):
        lock = WriteLock(tmp_path / "run")
        lock.acquire(wait=True)
        inside.append(number)
        most.append(len(inside))
        threading.Event().wait(0.02)
        inside.remove(number)
        lock.release()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 6
    assert list(tmp_path.iterdir()) == []

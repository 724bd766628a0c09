"""Real processes, really stopped: whatever happens, --resume ends with the same bits."""

import contextlib
import itertools
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("toy_run.py")
BYTES = ("checkpoint.safetensors", "predictions.csv")


class Child:
    """A training in a process of its own, forked from one that has imported torch."""

    def __init__(self, server, fifo, runs, *arguments):
        os.mkfifo(fifo)
        self._server = server
        self.pid = self._ask(arguments=[str(runs), *arguments], output=str(fifo))
        self.stdout = fifo.open()

    def _ask(self, **request):
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())

    def send_signal(self, number):
        os.kill(self.pid, number)

    def wait(self):
        """The rest of the output, and the exit status: negative for a signal."""
        with self.stdout:
            rest = self.stdout.read()
        return rest, self._ask(wait=self.pid)


class Fresh:
    """The same in an interpreter of its own."""

    def __init__(self, runs, *arguments):
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT), str(runs), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.stdout, self.send_signal = self._process.stdout, self._process.send_signal

    def wait(self):
        rest, _ = self._process.communicate()
        return rest, self._process.returncode


@pytest.fixture(scope="module")
def server():
    with subprocess.Popen(
        [sys.executable, str(SCRIPT), "--serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.stdin.close()


@pytest.fixture
def start(server, tmp_path):
    """Starts a training: runs folder and arguments of `toy_run`."""
    count = itertools.count()
    return lambda runs, *arguments: Child(
        server, tmp_path / f"output{next(count)}", runs, *arguments
    )


def after_epoch(process, epoch):
    """Read the output up to the report of `epoch`."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line == f"epoch {epoch}\n":
            return "".join(lines)
    raise AssertionError(f"epoch {epoch} was never reached: {lines}")


def strike(process, number, epoch, delay):
    """Wait until `epoch` is reported, a little longer, and send the signal; output and status."""
    output = after_epoch(process, epoch)
    time.sleep(delay)
    process.send_signal(number)
    rest, status = process.wait()
    return output + rest, status


def run_here(toy, capsys, runs, *arguments):
    """The same script in this process; its exit code and output."""
    code = toy.main([str(runs), *arguments])
    return code, capsys.readouterr().out


def the_run(runs):
    (record,) = Path(runs).rglob("run.json")
    assert not list(Path(runs).rglob("*.partial"))
    return record.parent


def require_same(runs, others):
    for name in BYTES:
        assert (the_run(runs) / name).read_bytes() == (the_run(others) / name).read_bytes(), name


def kept_epoch(output):
    return int(output.split("Everything up to epoch ")[1].split()[0])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_stopped_in_every_way_a_run_ends_with_the_same_bits(
    toy, capsys, tmp_path, start, precision, optimizer
):
    settings = [
        "trainer.epochs=12", f'trainer.precision="{precision}"', f'trainer.optimizer="{optimizer}"'
    ]  # fmt: skip
    runs, chance, kept = tmp_path / "killed", random.Random(), 0
    kills = [(signal.SIGKILL, 3, 2), (signal.SIGTERM, 5, 3), (signal.SIGINT, 8, 4)]
    for number, epoch, every in kills:
        process = start(runs, *settings, "--resume", "pause=0.01", f"checkpoint_every={every}")
        output, status = strike(process, number, epoch, chance.uniform(0, 0.04))
        assert f"epoch {kept + 1}\n" in output
        assert f"epoch {kept}\n" not in output, "the run did not go on but began anew"
        if number == signal.SIGKILL:
            assert status == -signal.SIGKILL
            assert "stopped" not in output
            kept = max(e for e in range(13) if e % every == 0 and f"epoch {e}\n" in output)
        else:
            assert status == 128 + number, output
            kept = kept_epoch(output)
            assert epoch <= kept <= epoch + 3
            assert "Run the same again with resume=True to go on" in output
            continue
        # the kill may have come between the checkpoint of an epoch and the report of it
        kept = json.loads(next(runs.rglob("resume.json")).read_text())["history"][-1]["epoch"]
    code, output = run_here(toy, capsys, runs, *settings, "--resume")
    assert code == 0
    assert f"epoch {kept + 1}\n" in output
    assert f"epoch {kept}\n" not in output
    assert "note" not in output
    code, output = run_here(toy, capsys, tmp_path / "whole", *settings)
    assert output.count("epoch") == 12
    require_same(runs, tmp_path / "whole")


def test_killed_in_an_interpreter_of_its_own(toy, capsys, tmp_path):
    settings = ["trainer.epochs=8", "trainer.checkpoint_every=1"]
    process = Fresh(tmp_path / "killed", *settings, "pause=0.02")
    delay = random.uniform(0, 0.1)
    output, status = strike(process, signal.SIGKILL, random.randint(1, 5), delay)
    assert status == -signal.SIGKILL
    assert "finished" not in output
    assert run_here(toy, capsys, tmp_path / "killed", *settings, "--resume")[0] == 0
    assert run_here(toy, capsys, tmp_path / "whole", *settings)[0] == 0
    require_same(tmp_path / "killed", tmp_path / "whole")


@pytest.mark.parametrize("kills", [15, pytest.param(200, marks=pytest.mark.slow)])
def test_killed_at_random_moments(toy, capsys, tmp_path, start, kills):
    """Processes that live for moments: kills fall into training, writing and renaming."""
    runs, chance, statuses = tmp_path / "killed", random.Random(), []
    settings = ["trainer.epochs=60", "trainer.checkpoint_every=1"]
    for _ in range(kills):
        process = start(runs, *settings, "--resume")
        time.sleep(chance.uniform(0, 0.2))
        process.send_signal(chance.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT]))
        output, status = process.wait()
        statuses.append(status)
        if status == 1:  # Ctrl-C before the training had begun
            assert output.rstrip().endswith("KeyboardInterrupt"), output
        if list(runs.rglob("run.json")) and not list(runs.rglob("*.partial")):
            the_run(runs).rename(tmp_path / f"finished{len(statuses)}")
    assert sum(status != 0 for status in statuses) >= kills // 3, statuses
    assert set(statuses) <= {0, 1, 130, 143, -signal.SIGKILL, -signal.SIGTERM}, statuses
    assert run_here(toy, capsys, runs, *settings, "--resume")[0] == 0
    assert run_here(toy, capsys, tmp_path / "whole", *settings)[0] == 0
    require_same(runs, tmp_path / "whole")
    for finished in tmp_path.glob("finished*"):
        for name in BYTES:
            expected = (the_run(tmp_path / "whole") / name).read_bytes()
            assert (finished / name).read_bytes() == expected


SETTINGS = ["trainer.epochs=8", "trainer.checkpoint_every=1"]


def require_starved_and_resumed(toy, capsys, tmp_path, process, runs, fill, make_room):
    after_epoch(process, 3)
    fill()
    output, status = process.wait()
    assert status == 2, output
    assert "no room to write" in output
    assert "MB are needed" in output
    kept = kept_epoch(output)
    assert kept in (3, 4)
    assert "Make room and run the same again with resume=True to go on" in output
    make_room()
    code, output = run_here(toy, capsys, runs, *SETTINGS, "--resume")
    assert code == 0
    assert f"epoch {kept + 1}\n" in output
    assert f"epoch {kept}\n" not in output
    run_here(toy, capsys, tmp_path / "whole", *SETTINGS)
    require_same(runs, tmp_path / "whole")


def test_on_a_full_disk_the_last_checkpoint_stays(toy, capsys, tmp_path, start, small_disk):
    ballast = small_disk / "ballast"

    def fill():
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)

    runs = small_disk / "runs"
    process = start(runs, *SETTINGS, "pause=0.05")
    require_starved_and_resumed(toy, capsys, tmp_path, process, runs, fill, ballast.unlink)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="no prlimit on this system")
def test_a_file_that_may_not_grow_is_a_full_disk(toy, capsys, tmp_path, start):
    runs = tmp_path / "runs"
    process = start(runs, *SETTINGS, "pause=0.05")

    def fill():
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1024, 1024))

    require_starved_and_resumed(toy, capsys, tmp_path, process, runs, fill, lambda: None)


def test_two_processes_do_not_write_the_same_run(toy, capsys, tmp_path, start):
    runs = tmp_path / "runs"
    process = start(runs, *SETTINGS, "pause=0.1")
    after_epoch(process, 1)
    code, output = run_here(toy, capsys, runs, *SETTINGS, "--resume")
    assert code == 2
    assert f"process {process.pid} is writing" in output
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert run_here(toy, capsys, runs, *SETTINGS, "--resume")[0] == 0

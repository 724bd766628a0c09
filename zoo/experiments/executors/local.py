"""The executor of one machine: long-lived processes, one run at a time in each."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from typing import IO, Any

from zoo.errors import ZooError
from zoo.experiments import events
from zoo.experiments.events import Event
from zoo.experiments.executors.setup import Setup
from zoo.experiments.executors.worker import READY
from zoo.experiments.job import Job

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from zoo.experiments.executors.worker import main; main()"
)
_ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_LOG_BYTES = 8_000
_FALSE_STARTS = 3


class LocalExecutor:
    """Runs jobs in `workers` processes of one thread each.

    A process that dies is noticed and replaced; its job ends as lost. Processes are no children of
    the terminal: Ctrl-C reaches them through `stop`, and when this process is killed they notice,
    keep what they have computed and end.

    Args:
        workers: how many processes.
        setup: what they must know.
    """

    def __init__(self, workers: int, setup: Setup) -> None:
        self._setup = setup
        self._most = workers
        self._workers: list[_Worker] = []
        self._inbox: queue.SimpleQueue[tuple[_Worker, Event | None]] = queue.SimpleQueue()
        self._stopping = False
        self._false_starts = 0

    @property
    def free(self) -> int:
        """Processes without a job, those included that are not there yet."""
        busy = sum(worker.job is not None for worker in self._workers)
        return 0 if self._stopping else self._most - busy

    def submit(self, job: Job) -> None:
        """Give a job to a process without one, started if need be."""
        idle = [worker for worker in self._workers if worker.job is None]
        if not idle:
            idle = [_Worker(self._setup, self._inbox)]
            self._workers += idle
        idle[0].give(job)

    def poll(self, seconds: float) -> list[tuple[Job, Event]]:
        """What the processes have said.

        Raises:
            ZooError: processes die before they are ready, again and again.
        """
        found: list[tuple[Job, Event]] = []
        while True:
            try:
                worker, event = self._inbox.get(timeout=0 if found else seconds)
            except queue.Empty:
                return found
            if event is None:
                found += self._end_of(worker)
            elif event.kind == READY:
                worker.ready = True
                self._false_starts = 0
            elif worker.job is not None:
                found.append((worker.job, event))
                if event.is_end:
                    worker.job = None
                if event.kind == events.AGAIN:
                    self._workers.remove(worker)

    def stop(self) -> None:
        """Close the processes' input: they keep what they have and end."""
        self._stopping = True
        for worker in self._workers:
            worker.dismiss()

    def close(self) -> None:
        """Kill what is left."""
        self._stopping = True
        for worker in self._workers:
            worker.end()
        self._workers.clear()

    def _end_of(self, worker: "_Worker") -> list[tuple[Job, Event]]:
        """The end of a process and of the job it had."""
        how, log = worker.end()
        if worker in self._workers:
            self._workers.remove(worker)
        if not worker.ready and not self._stopping:
            self._false_starts += 1
            if self._false_starts == _FALSE_STARTS:
                raise ZooError(f"no process for the runs can be started, it {how}: {log.strip()}")
        if worker.job is None:
            return []
        if self._stopping:
            return [(worker.job, Event(events.STOPPED, message=how))]
        kind = events.LOST if worker.ready else events.AGAIN
        return [(worker.job, Event(kind, message=how, traceback=log))]


class _Worker:
    """One process, its job, and what it last wrote to standard error."""

    def __init__(
        self, setup: Setup, inbox: "queue.SimpleQueue[tuple[_Worker, Event | None]]"
    ) -> None:
        self.job: Job | None = None
        self.ready = False
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `end`
        alone: dict[str, Any] = (
            {"creationflags": 0x200}  # CREATE_NEW_PROCESS_GROUP
            if sys.platform == "win32"
            else {"start_new_session": True}
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            encoding="utf-8",
            env={**os.environ, **dict.fromkeys(_ONE_THREAD, "1")},
            **alone,
        )
        threading.Thread(target=self._listen, args=(inbox,), daemon=True).start()
        self._write(vars(setup))

    def give(self, job: Job) -> None:
        """Let the process compute `job`."""
        self.job = job
        self._write(job.config)

    def dismiss(self) -> None:
        """Close its input, which tells it to stop."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it is gone already; its end is noticed
            self._process.stdin.close()

    def end(self) -> tuple[str, str]:
        """Kill it if it still runs; how it ended, and what it wrote last."""
        self.dismiss()
        if self._process.poll() is None:
            self._process.kill()
        code = self._process.wait()
        self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, self._log.tell() - _LOG_BYTES))
        log = self._log.read().decode(errors="replace")
        self._log.close()
        return _how(code), log

    def _write(self, message: Any) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has just died; its end is noticed
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()

    def _listen(self, inbox: "queue.SimpleQueue[tuple[_Worker, Event | None]]") -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError):  # half a line of a process that was killed
            for line in self._process.stdout:
                inbox.put((self, Event(**json.loads(line))))
        self._process.wait()
        inbox.put((self, None))


def _how(code: int) -> str:
    """How a process ended, in words that follow its name."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"was killed by signal {-code}"

"""A process that computes runs one after the other, ordered by lines of JSON on standard input.

It answers by lines of JSON on what was standard output when it began; what models print goes to
standard error. It stops, and keeps what it has computed, when it is told to or when the other end
of its input is gone.
"""

import _thread
import contextlib
import json
import os
import queue
import signal
import sys
import threading
from typing import Any, TextIO

READY = "ready"


def main() -> None:
    """Read the setup, then jobs; answer until there are no more."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    answers = _private_stdout()
    orders: queue.SimpleQueue[Any] = queue.SimpleQueue()
    setup = json.loads(sys.stdin.readline())
    stopping = threading.Event()
    threading.Thread(target=_listen, args=(orders, stopping), daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        _work(setup, orders, stopping, answers)
    answers.flush()
    os._exit(0)  # at once: the listening thread may hold standard input


def _work(
    setup: dict[str, Any],
    orders: "queue.SimpleQueue[Any]",
    stopping: threading.Event,
    answers: TextIO,
) -> None:
    from zoo.experiments import events
    from zoo.experiments.events import Event
    from zoo.experiments.executors.setup import Setup
    from zoo.experiments.work import compute
    from zoo.workspace import Workspace

    here = Setup(**setup)
    here.apply()
    workspace = Workspace(here.runs, here.data_root)

    def tell(message: Event) -> None:
        answers.write(json.dumps(vars(message)) + "\n")
        answers.flush()

    tell(Event(READY))
    while (config := orders.get()) is not None and not stopping.is_set():
        _empty_log()
        try:
            ending = compute(workspace, config, tell)
        except KeyboardInterrupt:
            ending = Event(events.STOPPED)
        tell(ending)
        if ending.kind == events.AGAIN:
            return


def _listen(orders: "queue.SimpleQueue[Any]", stopping: threading.Event) -> None:
    """Take jobs; at the end of input stop whatever is computed at that moment."""
    for line in sys.stdin:
        orders.put(json.loads(line))
    stopping.set()
    orders.put(None)
    _thread.interrupt_main(signal.SIGINT)


def _private_stdout() -> TextIO:
    """A stream of our own to where standard output went, which now goes to standard error."""
    sys.stdout.flush()
    own = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return own


def _empty_log() -> None:
    """Forget what earlier runs printed, where that goes to a file."""
    with contextlib.suppress(OSError):
        os.ftruncate(2, 0)
        os.lseek(2, 0, os.SEEK_SET)

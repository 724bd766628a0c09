"""Stopping on Ctrl-C and SIGTERM without losing an epoch that is already computed."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

_NAMES = {"SIGINT": "Ctrl-C", "SIGTERM": "SIGTERM", "SIGHUP": "SIGHUP (the terminal was closed)"}


class Stopped(KeyboardInterrupt):
    """Somebody stopped the work. It passes ``except Exception``, as an interrupt should.

    Attributes:
        message: what happened and how to go on.
        exit_code: what the command line exits with: 130 for Ctrl-C, 143 for SIGTERM.
    """

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = 128 + signal_number


class TrainingStopped(Stopped):
    """Somebody stopped the training.

    Attributes:
        epoch: last epoch that is kept.
        path: the run folder, finished or not.
    """

    def __init__(self, message: str, signal_number: int, epoch: int, path: Path) -> None:
        super().__init__(message, signal_number)
        self.epoch = epoch
        self.path = path


class StopRequest(BaseException):
    """Raised where the work may stop; the run turns it into `TrainingStopped`.

    Attributes:
        signal_number: what arrived.
        hard: it arrived a second time and nothing more is to be done.
    """

    def __init__(self, signal_number: int, hard: bool = False) -> None:
        super().__init__(signal_number)
        self.signal_number = signal_number
        self.hard = hard

    @property
    def cause(self) -> str:
        """What the user knows it as."""
        name = signal.Signals(self.signal_number).name
        return _NAMES.get(name, name)


class StopSignals:
    """While active, the first SIGINT, SIGTERM or SIGHUP is remembered and a second one raises.

    Handlers are installed in the main thread only and put back at the end; a signal that the
    process ignores (as under ``nohup``) stays ignored.
    """

    def __init__(self) -> None:
        self.requested: int | None = None
        self._immediate = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            for name in _NAMES:
                number = getattr(signal, name, None)
                if number is None or signal.getsignal(number) in (signal.SIG_IGN, None):
                    continue
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def check(self) -> None:
        """Raise `StopRequest` if a signal has arrived."""
        if self.requested is not None:
            raise StopRequest(self.requested)

    @contextmanager
    def immediate(self) -> Iterator[None]:
        """Inside, a signal raises at once: for long calls into code that cannot check."""
        self.check()
        self._immediate = True
        try:
            yield
        finally:
            self._immediate = False

    def _handle(self, number: int, _: FrameType | None) -> None:
        again = self.requested is not None
        self.requested = number
        if again or self._immediate:
            raise StopRequest(number, hard=again)

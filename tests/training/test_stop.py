import os
import signal
import threading
from pathlib import Path

import pytest

from zoo.training.stop import StopRequest, StopSignals, TrainingStopped


def test_the_first_signal_waits_and_the_second_does_not():
    before = signal.getsignal(signal.SIGINT)
    with StopSignals() as stop:
        stop.check()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.requested == signal.SIGINT
        with pytest.raises(StopRequest) as request:
            stop.check()
        assert (request.value.cause, request.value.hard) == ("Ctrl-C", False)
        with pytest.raises(StopRequest) as request:
            os.kill(os.getpid(), signal.SIGTERM)
        assert request.value.hard
    assert signal.getsignal(signal.SIGINT) is before


def test_inside_immediate_a_signal_raises_at_once():
    with StopSignals() as stop, pytest.raises(StopRequest) as request, stop.immediate():
        os.kill(os.getpid(), signal.SIGTERM)
    assert (request.value.signal_number, request.value.hard) == (signal.SIGTERM, False)


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopSignals() as stop:
            os.kill(os.getpid(), signal.SIGHUP)
            assert stop.requested is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_another_thread_touches_no_handler():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def work():
        with StopSignals():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


def test_a_stop_passes_except_exception_and_knows_its_exit_code():
    stopped = TrainingStopped("why", signal.SIGTERM, 3, Path("x"))
    assert not isinstance(stopped, Exception)
    assert isinstance(stopped, KeyboardInterrupt)
    assert (stopped.exit_code, str(stopped)) == (143, "why")
    assert TrainingStopped("why", signal.SIGINT, 3, Path("x")).exit_code == 130

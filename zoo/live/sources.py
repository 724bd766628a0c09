"""Where frames come from: lines of JSON, a table that grows, a port on this machine.

Each source gives `Incoming` frames one after another, bad ones too: what cannot be read is told,
and the next one is read.
"""

import json
import queue
import socket
import threading
import time as clock
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from zoo.data.adapters.base import FaultError
from zoo.data.readers.clock import RATES, SECONDS
from zoo.data.readers.tables import Columns, columns_of, table_of
from zoo.errors import DataError

LOOPBACK = "127.0.0.1"
_LARGEST = 65_507
"""Bytes of a UDP datagram."""
_POLL = 0.05
"""Seconds between two looks at a file that grows."""


@dataclass(frozen=True)
class Incoming:
    """A frame as it came.

    Attributes:
        frame: what `Stream.push` takes; None where it could not be read.
        time: seconds; None where none was given.
        problem: why it could not be read.
    """

    frame: Any = None
    time: float | None = None
    problem: str = ""


def read_message(text: str | bytes) -> Incoming:
    """A frame in JSON.

    A list of joints ``[[x, y, z], …]`` in the order of the layout; or an object of ``position``,
    ``orientation``, ``angle`` (each such a list, or an object of joints' names to numbers) and
    ``time`` in seconds.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Incoming(problem=f"no JSON ({error})")
    if isinstance(value, dict):
        time = value.pop("time", None)
        plain = time is None or (isinstance(time, int | float) and not isinstance(time, bool))
        if not plain:
            return Incoming(problem=f"the time {time!r} is no number of seconds")
        return Incoming(value, None if time is None else float(time))
    return Incoming(value)


def lines(stream: TextIO) -> Iterator[Incoming]:
    """A frame a line of JSON, until the stream ends."""
    for line in stream:
        if line.strip():
            yield read_message(line)


def growing_table(
    file: Path, more: Callable[[], bool], wait: Callable[[float], None] = clock.sleep
) -> Iterator[Incoming]:
    """The rows of a table that is still written: a header with joints, then a row a frame.

    Columns are those of the reader ``wide-csv``: ``Nose_x``, ``Nose_y``, ``Nose_z``, …, and
    ``time``. A row that is not written to its end waits for the rest.

    Args:
        file: text, a column a coordinate.
        more: whether to wait for more at the end of the file.
        wait: for so many seconds.

    Raises:
        DataError: the file cannot be read, or its first line names no joints.
    """
    header, columns, unit = "", Columns(), _Unit()
    for number, line in enumerate(_whole_lines(file, more, wait), start=1):
        if not line.strip():
            continue
        if not header:
            header, columns = line, columns_of(table_of(line).header)
            if not columns.joints:
                raise DataError(f"{file}: the first line names no joints, such as Nose_x, Nose_y")
            continue
        try:
            found = _row(table_of(f"{header}\n{line}"), columns)
        except FaultError as error:
            yield Incoming(problem=f"line {number}: {error.problem.found}")
            continue
        yield from unit(found, columns.unit)
    yield from unit.rest()


def datagrams(port: int, stop: threading.Event) -> Iterator[Incoming]:
    """A frame a UDP datagram of JSON, sent to a port of this machine alone; an empty one ends it.

    Raises:
        DataError: the port is taken.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        _bind(receiver, port)
        receiver.settimeout(0.2)
        while not stop.is_set():
            try:
                data = receiver.recv(_LARGEST)
            except TimeoutError:
                continue
            if not data.strip():
                return
            yield read_message(data)


def websocket(port: int, stop: threading.Event) -> Iterator[tuple[Incoming, Callable[[str], None]]]:
    """A frame a message of a WebSocket on a port of this machine, with a way to answer.

    An empty message ends it.

    Raises:
        DataError: the port is taken, or the package ``websockets`` is not installed.
    """
    try:
        from websockets.exceptions import ConnectionClosed
        from websockets.sync.server import ServerConnection, serve
    except ImportError:
        raise DataError(
            "frames over a WebSocket need the package websockets: pip install 'skeleton-zoo[live]'"
        ) from None
    arrived: queue.Queue[tuple[Incoming, Callable[[str], None]] | None] = queue.Queue(maxsize=1000)

    def serve_one(connection: ServerConnection) -> None:
        def answer(text: str) -> None:
            try:
                connection.send(text)
            except ConnectionClosed:
                return

        for message in connection:
            arrived.put((read_message(message), answer) if message.strip() else None)

    receiver = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _bind(receiver, port)
    with serve(serve_one, sock=receiver) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            while not stop.is_set():
                try:
                    found = arrived.get(timeout=0.2)
                except queue.Empty:
                    continue
                if found is None:
                    return
                yield found
        finally:
            server.shutdown()
            thread.join()


def _bind(receiver: socket.socket, port: int) -> None:
    try:
        receiver.bind((LOOPBACK, port))
    except (OSError, OverflowError) as error:
        raise DataError(f"port {port} of this machine cannot be used: {error}") from None
    if receiver.type == socket.SOCK_STREAM:
        receiver.listen()


def _whole_lines(
    file: Path, more: Callable[[], bool], wait: Callable[[float], None]
) -> Iterator[str]:
    """Lines that are written to their end; the last one too where no more will come."""
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            begun = ""
            while True:
                begun += opened.readline()
                if begun.endswith("\n"):
                    yield begun.rstrip("\r\n").removeprefix("\ufeff")
                    begun = ""
                elif more():
                    wait(_POLL)
                else:
                    break
            if begun:
                yield begun
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}, expected a table that is written") from None


def _row(table: Any, columns: Columns) -> Incoming:
    """A row as a frame.

    Raises:
        FaultError: a cell that holds no number, or another number of cells.
    """
    row = table.rows[0] if table.rows else []
    if len(row) != len(table.header):
        raise FaultError("row-width", None, f"{len(row)} values", f"{len(table.header)}")
    parts = "xyz"
    missing = [joint for joint, of in columns.joints.items() if not set(parts) <= of.keys()]
    if missing:
        raise FaultError("joints", None, f"no x, y and z of {missing[0]}", "all three")
    values = {
        joint: table.numbers([of[part] for part in parts])[0].tolist()
        for joint, of in columns.joints.items()
    }
    time = None if columns.time is None else float(table.numbers([columns.time])[0, 0])
    return Incoming({"position": values}, time)


class _Unit:
    """Times of a table in seconds; where no unit is named, the first step between two tells it."""

    def __init__(self) -> None:
        self.first: Incoming | None = None
        self.scale: float | None = None

    def __call__(self, found: Incoming, named: str) -> Iterable[Incoming]:
        if found.time is None or self.scale is not None or named:
            self.scale = SECONDS[named] if named else self.scale
            return [self._scaled(found)]
        if self.first is None:
            self.first = found
            return []
        step = found.time - (self.first.time or 0.0)
        fitting = [
            s for s in SECONDS.values() if step > 0 and RATES[0] <= 1 / (step * s) < RATES[1]
        ]
        self.scale = fitting[0] if fitting else 1.0
        first, self.first = self.first, None
        return [self._scaled(first), self._scaled(found)]

    def rest(self) -> Iterable[Incoming]:
        """What waited for a second row that did not come."""
        return [] if self.first is None else [self.first]

    def _scaled(self, found: Incoming) -> Incoming:
        if found.time is None or not np.isfinite(found.time):
            return Incoming(found.frame, None, found.problem)
        return Incoming(found.frame, found.time * (self.scale or 1.0), found.problem)

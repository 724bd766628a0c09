"""Where frames come from: JSON, a table that grows, ports of this machine."""

import io
import json
import socket
import threading
import time
from pathlib import Path

import pytest

from zoo.errors import DataError
from zoo.live.sources import (
    LOOPBACK,
    Incoming,
    datagrams,
    growing_table,
    lines,
    read_message,
    websocket,
)


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def test_a_frame_is_a_list_or_an_object_with_a_time() -> None:
    joints = [[0, 1, 2], [3, 4, 5]]
    assert read_message(json.dumps(joints)) == Incoming(joints)
    found = read_message(json.dumps({"position": joints, "time": 2}))
    assert found == Incoming({"position": joints}, 2.0)
    for bad in ("{", "[" * 100_000, '{"position": [], "time": "noon"}'):
        assert read_message(bad).problem
    three = list(lines(io.StringIO("[[0]]\n\nnonsense\n[[1]]\n")))
    assert [bool(one.problem) for one in three] == [False, True, False]


def test_a_growing_table_waits_for_the_rest_of_a_row(tmp_path: Path) -> None:
    file = tmp_path / "take.csv"
    pieces = [
        "Nose_x,Nose_y,Nose_z,time_ms\n1,2,3,0\n4,5",
        ",6,33\n",
        "7,x,9,66\n7,8\n",
        "7,8,9,99",
    ]
    file.write_text(pieces.pop(0))
    waited: list[float] = []

    def more() -> bool:
        return bool(pieces)

    def wait(seconds: float) -> None:
        waited.append(seconds)
        with file.open("a") as opened:
            opened.write(pieces.pop(0))

    found = list(growing_table(file, more, wait))
    assert len(waited) == 3
    assert found[0] == Incoming({"position": {"Nose": [1.0, 2.0, 3.0]}}, 0.0)
    assert found[1] == Incoming({"position": {"Nose": [4.0, 5.0, 6.0]}}, 0.033)
    assert found[2].problem == "line 4: 'x' as Nose_y"
    assert found[3].problem == "line 5: 2 values"
    assert found[4].time == pytest.approx(0.099)


def test_a_table_says_its_unit_of_time_or_its_steps_do(tmp_path: Path) -> None:
    file = tmp_path / "take.csv"
    file.write_text("time,Nose_x,Nose_y,Nose_z\n1000,1,2,3\n1033,1,2,3\n1066,1,2,3\n")
    times = [one.time for one in growing_table(file, lambda: False)]
    assert times == pytest.approx([1.0, 1.033, 1.066])
    file.write_text("Nose_x,Nose_y,Nose_z\n1,2,3\n")
    assert [one.time for one in growing_table(file, lambda: False)] == [None]


def test_a_file_that_is_none_and_one_without_joints_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        list(growing_table(tmp_path / "absent.csv", lambda: False))
    (tmp_path / "a.csv").write_text("1,2,3\n4,5,6\n")
    with pytest.raises(DataError, match="names no joints"):
        list(growing_table(tmp_path / "a.csv", lambda: False))


def test_datagrams_of_this_machine() -> None:
    port, stop = free_port(socket.SOCK_DGRAM), threading.Event()
    found: list[Incoming] = []
    reader = threading.Thread(target=lambda: found.extend(datagrams(port, stop)))
    reader.start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(100):  # the receiver may not be there yet
            sender.sendto(b'{"position": [[1, 2, 3]], "time": 1}', (LOOPBACK, port))
            time.sleep(0.02)
            if found or not reader.is_alive():
                break
        sender.sendto(b"", (LOOPBACK, port))
    reader.join(timeout=30)
    stop.set()
    assert not reader.is_alive()
    assert set(map(repr, found)) <= {repr(Incoming({"position": [[1, 2, 3]]}, 1.0))}


def test_a_websocket_is_answered() -> None:
    client = pytest.importorskip("websockets.sync.client", reason="needs websockets")
    port, stop = free_port(socket.SOCK_STREAM), threading.Event()
    found: list[Incoming] = []

    def serve() -> None:
        for incoming, answer in websocket(port, stop):
            found.append(incoming)
            answer("heard")

    server = threading.Thread(target=serve)
    server.start()
    connection = None
    for _ in range(200):
        try:
            connection = client.connect(f"ws://{LOOPBACK}:{port}", open_timeout=10, proxy=None)
            break
        except OSError:
            time.sleep(0.05)
    assert connection is not None
    with connection:
        connection.send("[[1, 2, 3]]")
        assert connection.recv(timeout=30) == "heard"
        connection.send("")
    server.join(timeout=30)
    stop.set()
    assert not server.is_alive()
    assert found == [Incoming([[1, 2, 3]])]


def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((LOOPBACK, 0))
        port = other.getsockname()[1]
        with pytest.raises(DataError, match=f"port {port} of this machine cannot be used"):
            list(datagrams(port, threading.Event()))
    with pytest.raises(DataError, match="port 70000"):
        list(datagrams(70000, threading.Event()))

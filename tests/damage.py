"""Damage as broken disks, other programs, hands and enemies leave it, for tests of every reader.

A reader of a file from outside either takes it or raises a `UserError` that a person can read:
`told` says so of one call. `structures`, `texts` and `cuts` make damaged contents from a sound one,
`special_files` puts what is no file in its place.
"""

import contextlib
import json
import os
import random
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from zoo.errors import UserError

LONGEST_MESSAGE = 3000
LONGEST_WAIT = 60

WILD: tuple[Any, ...] = (
    None, True, 5, -1, 0.5, 1e308, 10**17, "", "x", "x" * 300, "5", "../../x", "a\x00b", "\n",
    "[x]", "*", [], {}, [[]], [1, 2, 3], ["x"], {"a": 1}, {"name": 5}, {"name": "x"},
)  # fmt: skip
"""Values of every type, and of sizes and forms that are no plain ones."""

RAW = {
    "deep list": "[" * 100_000 + "]" * 100_000,
    "deep mapping": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "60 deep": "[" * 60 + "]" * 60,
    "5000 digits": "9" * 5000,
    "beyond float": "1e999",
    "nan": "NaN",
    "half a character": '"\\ud800"',
    "zero byte": '"\\u0000"',
    "alias": "*a",
    "fill in": '"${oc.env:HOME}"',
    "object": "!!python/object/apply:os.getcwd []",
    "cut": '{"a": ',
}
"""What stands in place of a value, as text."""

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)
)
"""YAML whose aliases multiply."""


def told(call: Callable[[], Any], what: str = "") -> str | None:
    """Run `call`; the message of the `UserError` it ended with, None where it was content.

    Anything else it raises, a message nobody can read and a call that never ends are failures.
    """

    def too_long(*_: Any) -> None:
        raise AssertionError(f"{what}: no end after {LONGEST_WAIT} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LONGEST_WAIT)
    try:
        call()
    except UserError as error:
        message = str(error)
        assert message, what
        assert len(message) < LONGEST_MESSAGE, f"{what}: {len(message)} characters"
        assert "Traceback" not in message, what
        return message
    except Exception as error:
        raise AssertionError(f"{what}: {type(error).__name__}: {str(error)[:300]}") from error
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return None


def structures(values: Any, chance: random.Random, count: int) -> Iterator[tuple[str, str]]:
    """`count` damaged forms of a JSON value, as text, and what was done.

    A key or item is dropped, doubled or renamed, or its value becomes one of `WILD` or `RAW`.
    """
    places = list(_places(values))
    for _ in range(count):
        place = chance.choice(places)
        where = ".".join(map(str, place))
        kind = chance.randrange(8)
        copy = json.loads(json.dumps(values))
        above = copy
        for step in place[:-1]:
            above = above[step]
        key = place[-1]
        if kind == 0:
            del above[key]
            yield f"{where} dropped", json.dumps(copy)
        elif kind == 1 and isinstance(above, list):
            above.append(above[key])
            yield f"{where} doubled", json.dumps(copy)
        elif kind == 1:
            above[f"{key}_"] = above.pop(key)
            yield f"{where} renamed", json.dumps(copy)
        elif kind == 2:
            name, raw = chance.choice(list(RAW.items()))
            above[key] = "\x01here\x01"
            yield f"{where}: {name}", json.dumps(copy).replace(json.dumps("\x01here\x01"), raw)
        else:
            above[key] = chance.choice(WILD)
            yield f"{where} is {str(above[key])[:40]!r}", json.dumps(copy)


def texts(content: bytes, chance: random.Random, count: int) -> Iterator[tuple[str, bytes]]:
    """`count` damaged forms of a text: lines and cells that are gone, doubled, long or wild."""
    lines = content.split(b"\n")
    for _ in range(count):
        new = list(lines)
        at = chance.randrange(len(new))
        kind = chance.randrange(8)
        if kind == 0:
            del new[at]
        elif kind == 1:
            new.insert(at, new[at])
        elif kind == 2:
            new[at] = new[at] * 1000
        elif kind == 3:
            new[at] = b"\xff\xfe\x00" + new[at]
        elif kind == 4:
            new[at] = b'"' + new[at]
        else:
            cells = new[at].split(b",")
            cell = chance.randrange(len(cells))
            cells[cell] = chance.choice(
                (b"", b"nan", b"inf", b"1e999", b"-1e300", b"x", b"9" * 5000, b"\x00", b"\xc2\xb2",
                 b"\xd9\xa1" * 3000, b'"', b"=1+1", b"1" * 200_000)
            )  # fmt: skip
            new[at] = b",".join(cells)
        yield f"line {at + 1}, way {kind}", b"\n".join(new)


def cuts(content: bytes, chance: random.Random, count: int) -> Iterator[tuple[str, bytes]]:
    """`count` damaged forms of any bytes: cut, flipped, filled, swapped, and nothing at all."""
    yield "empty", b""
    for _ in range(count):
        at = chance.randrange(len(content))
        new = bytearray(content)
        kind = chance.randrange(5)
        if kind == 0:
            new = new[:at]
        elif kind == 1:
            new[at] ^= 1 << chance.randrange(8)
        elif kind == 2:
            new[at : at + 8] = b"\xff" * 8
        elif kind == 3:
            new[at:at] = bytes(chance.randrange(256) for _ in range(16))
        else:
            new[:8] = chance.randrange(2**63).to_bytes(8, "little")
        yield f"byte {at}, way {kind}", bytes(new)


SPECIAL = ("folder", "pipe", "device", "link to nothing", "link to itself", "unreadable", "huge")


@contextlib.contextmanager
def special_file(file: Path, kind: str) -> Iterator[None]:
    """What is no file in the place of one; afterwards the file is back."""
    kept = file.with_name(f"{file.name}.kept")
    file.rename(kept)
    try:
        if kind == "folder":
            file.mkdir()
        elif kind == "pipe":
            os.mkfifo(file)
        elif kind == "device":
            file.symlink_to("/dev/zero")
        elif kind == "link to nothing":
            file.symlink_to(file.with_name("nothing"))
        elif kind == "link to itself":
            file.symlink_to(file)
        elif kind == "unreadable":
            file.write_bytes(kept.read_bytes())
            file.chmod(0)
        else:
            with file.open("wb") as sparse:
                sparse.truncate(20_000_000_000)
        yield
    finally:
        if stat.S_ISDIR(file.lstat().st_mode):
            file.rmdir()
        else:
            file.unlink()
        kept.rename(file)


def _places(values: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = values.items() if isinstance(values, dict) else enumerate(values)
    for key, value in items:
        yield (*above, key)
        if isinstance(value, dict | list):
            yield from _places(value, (*above, key))

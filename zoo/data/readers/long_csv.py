"""Tables of one row a joint: frame, joint, x, y, z."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from registry import register_reader
from zoo.data.adapters.base import FaultError, PrepareReport, faults_in
from zoo.data.readers.body import Body, PoseReader, numbered, states_of
from zoo.data.readers.tables import PARTS, Table, columns_of, glance, read_table
from zoo.data.recording import Recording

JOINT = ("joint", "jointname", "jointid", "jointindex", "jointnumber", "marker", "markername",
         "landmark", "landmarkid", "landmarkindex", "landmarkname", "keypoint", "keypointid",
         "keypointname", "bodypart", "part", "name", "label", "point")  # fmt: skip
"""Names of the column of joints, without blanks and underscores, the likeliest first."""

_MOST_JOINTS = 1000


@register_reader("long-csv")
class LongCsvReader(PoseReader):
    """A row for every frame and joint, in any order, with a header.

    There has to be a column ``joint`` (or ``marker``, ``landmark``, …), columns ``x``, ``y`` (and
    ``z``), and ``frame`` or ``time``; ``confidence`` or ``state`` may be there. Rows that are
    missing are lost joints.

    Args:
        layout: see `PoseReader`; empty: found from the names of the joints.
        joints: names of the joints by their numbers, where the file has numbers from 0 for names.
        units: see `PoseReader`.
        up: see `PoseReader`.
        fps: frames a second, where there is no column of times.
    """

    title = "CSV, a row a joint"
    suffixes = (".csv", ".tsv", ".txt")

    def __init__(
        self,
        layout: str = "",
        joints: tuple[str, ...] = (),
        units: str = "",
        up: str = "",
        fps: float | None = None,
    ) -> None:
        super().__init__(layout, fps, units, up)
        self.joints = joints

    def looks_like(self, path: Path) -> bool:
        """See `Reader.looks_like`; recognised by the header."""
        table = glance(path) if super().looks_like(path) else None
        if table is None or not {"x", "y"} <= _parts(table.header).keys():
            return False
        return _joint(table.header) is not None and "trackingstatus" not in _plain(table.header)

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """One recording; see `Reader.read_file`."""
        with faults_in(str(file)):
            body = _body(read_table(file), self.joints)
        yield self.recording(body, file, report)


def _plain(header: Sequence[str]) -> list[str]:
    return ["".join(c for c in name.lower() if c.isalnum()) for name in header]


def _parts(header: Sequence[str]) -> dict[str, int]:
    """Columns of x, y, z, confidence and state."""
    found: dict[str, int] = {}
    for place, name in enumerate(_plain(header)):
        if name in PARTS:
            found.setdefault(PARTS[name], place)
    return found


def _joint(header: Sequence[str]) -> int | None:
    names = _plain(header)
    return next((names.index(name) for name in JOINT if name in names), None)


def _body(table: Table, names: tuple[str, ...]) -> Body:
    parts, joint, columns = _parts(table.header), _joint(table.header), columns_of(table.header)
    clock = columns.frame if columns.frame is not None else columns.time
    if joint is None or clock is None or not {"x", "y"} <= parts.keys():
        shown = ", ".join(name[:20] for name in table.header[:8]) or f"{table.width} numbers"
        raise FaultError("header", 1, f"{shown} in the first line", "frame, joint, x, y, z")
    axes = [parts[axis] for axis in "xyz" if axis in parts]
    points, when = table.numbers(axes), table.numbers([clock])[:, 0]
    if not np.isfinite(when).all():
        line = table.lines[int(np.argmin(np.isfinite(when)))]
        raise FaultError("not-a-number", line, "no frame", "the frame or time of every row")
    called = [row[joint] for row in table.rows]
    own = list(dict.fromkeys(called))
    if len(own) > _MOST_JOINTS:
        raise FaultError("joints", None, f"{len(own)} joints", f"at most {_MOST_JOINTS}")
    at, frame = {name: place for place, name in enumerate(own)}, np.unique(when)
    frames = np.searchsorted(frame, when)
    joints = np.array([at[name] for name in called])
    _check_once(table, frames * len(own) + joints, called)
    values = np.full((len(frame), len(own), len(axes)), np.nan)
    values[frames, joints] = points
    body = Body(_named(own, names), values)
    for part in ("state", "confidence"):
        if part in parts:
            given = np.full(values.shape[:2], np.nan)
            given[frames, joints] = table.numbers([parts[part]])[:, 0]
            plain = np.isin(np.nan_to_num(given), (0, 1, 2)).all()
            state = part == "state" and plain
            body.states = np.nan_to_num(given).astype(np.uint8) if state else states_of(given)
            break
    if columns.time is not None:
        times = np.full(len(frame), np.nan)
        times[frames] = table.numbers([columns.time])[:, 0]
        body.times, body.unit = times, columns.unit
    whole = (frame == np.round(frame)).all() and np.abs(frame).max() < 2**50
    if columns.frame is not None and whole:
        body = numbered(body, [int(number) for number in frame])
    return body


def _named(own: list[str], names: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the joints, by `names` where the file has numbers."""
    if not names or not all(name.isdecimal() for name in own):
        return tuple(own)
    if any(int(name[:9]) >= len(names) for name in own):
        shown = max(own, key=lambda name: int(name[:9]))
        raise FaultError("joints", None, f"joint {shown}", f"0 to {len(names) - 1}, as joints has")
    return tuple(names[int(name)] for name in own)


def _check_once(table: Table, keys: np.ndarray, called: list[str]) -> None:
    _, first, counts = np.unique(keys, return_index=True, return_counts=True)
    if (counts > 1).any():
        row = int(first[counts > 1].min())
        twice = int(np.flatnonzero(keys == keys[row])[1])
        found = f"{called[twice]} again in the frame of line {table.lines[row]}"
        raise FaultError("twice", table.lines[twice], found, "one row a joint and frame")

"""TRC, the marker trajectories of OpenSim, OpenCap and Pose2Sim."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from registry import register_reader
from zoo.data.adapters.base import FaultError, PrepareReport, faults_in
from zoo.data.readers.body import Body, PoseReader
from zoo.data.readers.text import head_of, read_text
from zoo.data.recording import Recording

UNITS = {"m": "m", "meters": "m", "metres": "m", "cm": "cm", "mm": "mm", "millimeters": "mm"}
_HEADER = 5


@register_reader("trc")
class TrcReader(PoseReader):
    """Five lines of header, then a line a frame: its number, its time, and x, y, z a marker.

    Frame rate and units come from the header, names of the markers from its fourth line. Empty
    cells are lost markers.

    Args:
        layout: see `PoseReader`; empty: the one whose joints the markers' names have.
        joints: other names for the markers, in the file's order.
        up: axis that points up; y in OpenSim.
        fps: frames a second, taken instead of the file's.
    """

    title = "TRC of OpenSim, OpenCap or Pose2Sim"
    suffixes = (".trc",)

    def __init__(
        self,
        layout: str = "",
        joints: tuple[str, ...] = (),
        up: str = "y",
        fps: float | None = None,
    ) -> None:
        super().__init__(layout, fps, "", up)
        self.joints = joints

    def looks_like(self, path: Path) -> bool:
        """See `Reader.looks_like`; recognised by the ending or the first word."""
        return super().looks_like(path) or head_of(path, 64).startswith("PathFileType")

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """One recording; see `Reader.read_file`."""
        with faults_in(str(file)):
            body = _body(read_text(file), self.joints)
        yield self.recording(body, file, report)


def _body(text: str, joints: tuple[str, ...]) -> Body:
    lines = text.split("\n")
    if len(lines) <= _HEADER or not lines[0].startswith("PathFileType"):
        raise FaultError("trc", 1, f"{lines[0][:40]!r}", "PathFileType, and four lines more")
    names = [name.strip() for name in lines[1].split("\t")]
    values = [value.strip() for value in lines[2].split("\t")]
    said = dict(zip(names, values, strict=False))
    units = UNITS.get(said.get("Units", "").lower())
    if units is None:
        found = f"{said.get('Units', 'nothing')!r} as Units"
        raise FaultError("trc", 3, found, "mm, cm or m")
    markers = [name.strip() for name in lines[3].split("\t")[2:] if name.strip()]
    if not markers:
        raise FaultError("trc", 4, "no markers", "Frame#, Time and names of markers")
    if joints and len(joints) != len(markers):
        found = f"{len(markers)} markers ({', '.join(markers[:4])}, …)"
        raise FaultError("joints", 4, found, f"{len(joints)}, as joints names them")
    width = 2 + 3 * len(markers)
    numbers, rows = list[int](), list[list[float]]()
    for number, line in enumerate(lines[_HEADER:], start=_HEADER + 1):
        if not line.strip():
            continue
        cells = line.rstrip("\n").split("\t")
        while len(cells) > width and not cells[-1].strip():
            cells.pop()
        if len(cells) != width:
            last = not any(later.strip() for later in lines[number:])
            kind = "truncated" if last and rows and len(cells) < width else "row-width"
            raise FaultError(
                kind, number, f"{len(cells)} values", f"{width}: {len(markers)} markers"
            )
        rows.append([_number(cell, number) for cell in cells])
        numbers.append(number)
    if not rows:
        raise FaultError("empty", None, "no frames", "a line a frame")
    table = np.array(rows)
    body = Body(joints or tuple(markers), table[:, 2:].reshape(len(table), -1, 3), units=units)
    body.times, body.unit, body.lines = table[:, 1], "s", numbers
    declared = said.get("NumFrames", "")
    if declared.isdecimal() and int(declared[:9]) > len(rows):
        body.notes.append(f"{len(rows)} frames of the {declared} that the header says")
    return body


def _number(cell: str, line: int) -> float:
    text = cell.strip()
    if not text or text.lower() == "nan":
        return np.nan
    try:
        return float(text)
    except ValueError:
        raise FaultError("not-a-number", line, f"{text[:40]!r}", "a number") from None

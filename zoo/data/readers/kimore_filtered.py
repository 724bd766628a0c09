"""KIMORE as others pass it on: positions with a header of column numbers, 101 values a row."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from registry import register_reader
from zoo.data.adapters.base import FaultError, PrepareReport, faults_in
from zoo.data.adapters.kimore_frames import JOINTS, read_positions
from zoo.data.adapters.rows import Rows
from zoo.data.readers.body import Body, PoseReader
from zoo.data.readers.tables import LOST, Table, glance, numbered_header, read_table
from zoo.data.recording import Recording
from zoo.skeleton.layout import load_layout

_WIDTH = 4 * JOINTS


@register_reader("kimore-filtered")
class KimoreFilteredReader(PoseReader):
    """KIMORE's ``JointPosition`` rows without blank lines, below a header of 0, 1, 2 and so on.

    A row is 25 × (x, y, z, state) and one value more, 0 or empty, which is left out.

    Args:
        layout: ``kinect-v2`` or a layout with other bones of the same joints.
        fps: frames a second; a Kinect v2 gives 30.
    """

    title = "KIMORE, positions with a header of column numbers"
    suffixes = (".csv",)

    def __init__(self, layout: str = "kinect-v2", fps: float = 30.0) -> None:
        super().__init__(layout, fps, "m", "y")

    def looks_like(self, path: Path) -> bool:
        """See `Reader.looks_like`; recognised by the header and the number of columns."""
        table = glance(path) if super().looks_like(path) else None
        return table is not None and numbered_header(table.header) and _start(table) is not None

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """One recording; see `Reader.read_file`."""
        with faults_in(str(file)):
            table = read_table(file)
            start = _start(table)
            if start is None:
                shown = f"{table.width} values"
                wanted = f"{_WIDTH} and a trailing 0: {JOINTS} joints of x, y, z, state"
                raise FaultError("row-width", table.lines[0], shown, wanted)
            values = table.numbers(range(start, start + _WIDTH))
            bad = np.argwhere(~np.isfinite(values))
            if len(bad):
                row, column = bad[0]
                shown = f"{table.rows[row][start + column][:40]!r} as value {column + 1}"
                raise FaultError("not-a-number", table.lines[row], shown, "a number")
            with np.errstate(over="ignore"):  # what is no float32 is infinite, and counts as lost
                single = values.astype(np.float32)
            rows = Rows(single, np.array(table.lines), (_WIDTH,))
            positions, states = read_positions(rows)
            names = load_layout("kinect-v2").joints
            body = Body(names, positions.astype(np.float64), states=states)
        yield self.recording(body, file, report)


def _start(table: Table) -> int | None:
    """The column of the first joint; None where the columns are not 25 × 4."""
    width = table.width
    if table.header and not table.header[0] and width in (_WIDTH + 1, _WIDTH + 2):
        return 1  # an index that pandas wrote
    if width == _WIDTH + 1 and any(r[-1].lower() not in (*LOST, "0", "0.0") for r in table.rows):
        return None
    return 0 if width in (_WIDTH, _WIDTH + 1) else None

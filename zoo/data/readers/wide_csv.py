"""Tables of one row a frame, a column a coordinate: ``Nose_x, Nose_y, Nose_z, …``."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from registry import register_reader
from zoo.data.adapters.base import FaultError, PrepareReport, faults_in
from zoo.data.readers.body import Body, PoseReader, numbered, states_of
from zoo.data.readers.mediapipe import MediaPipeReader
from zoo.data.readers.tables import Columns, Table, columns_of, frame_numbers, glance, read_table
from zoo.data.recording import Recording

_ENOUGH = 5
"""Fewer joints are no skeleton."""


@register_reader("wide-csv")
class WideCsvReader(PoseReader):
    """A header that names joints and coordinates in any order, and a row a frame.

    ``Nose_x``, ``Nose.x``, ``x_Nose``, ``NoseX`` and ``x1`` are understood, and beside x, y (and
    z) a confidence, visibility or tracking state. A column ``time`` or ``timestamp`` gives the
    frame rate. Other columns are left alone.

    Args:
        layout: see `PoseReader`; empty: found from the names of the joints.
        joints: names of the joints in the order of the columns, where the header only numbers them.
        units: see `PoseReader`.
        up: see `PoseReader`.
        fps: frames a second, where there is no column of times.
    """

    title = "CSV, a row a frame and a column a coordinate"
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
        if not super().looks_like(path):
            return False
        table = glance(path)
        return (
            table is not None
            and len(columns_of(table.header).joints) >= _ENOUGH
            and not MediaPipeReader().looks_like(path)
        )

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """One recording; see `Reader.read_file`."""
        with faults_in(str(file)):
            table = read_table(file)
            columns = columns_of(table.header)
            if len(columns.joints) < min(_ENOUGH, len(self.joints) or _ENOUGH):
                shown = ", ".join(c[:20] for c in table.header[:6]) or f"{table.width} numbers"
                wanted = "a header such as Nose_x, Nose_y, Nose_z"
                raise FaultError("header", 1, f"{shown} in the first line", wanted)
            body = _body(table, columns, self.joints)
            numbers = frame_numbers(table, columns)
            body = body if numbers is None else numbered(body, numbers)
        yield self.recording(body, file, report)


def _body(table: Table, columns: Columns, names: tuple[str, ...]) -> Body:
    joints = tuple(columns.joints)
    parts = "xyz" if all("z" in columns.joints[j] for j in joints) else "xy"
    values = np.stack(
        [table.numbers([columns.joints[joint][part] for joint in joints]) for part in parts],
        axis=-1,
    )
    if names and len(names) != len(joints):
        found = f"{len(joints)} joints in the header"
        raise FaultError("joints", 1, found, f"{len(names)}, as joints names them")
    body = Body(names or joints, values, lines=table.lines)
    for part in ("state", "confidence"):
        given = [columns.joints[joint].get(part) for joint in joints]
        if None not in given:
            numbers = table.numbers([place for place in given if place is not None])
            body.states = _states(numbers, table) if part == "state" else states_of(numbers)
            break
    if columns.time is not None:
        body.times, body.unit = table.numbers([columns.time])[:, 0], columns.unit
    return body


def _states(numbers: np.ndarray, table: Table) -> np.ndarray:
    wrong = np.argwhere(~np.isin(np.nan_to_num(numbers), (0, 1, 2)))
    if len(wrong):
        frame, joint = wrong[0]
        found = f"{numbers[frame, joint]:g} as state of joint {joint + 1}"
        expected = "0 (lost), 1 (inferred) or 2 (tracked)"
        raise FaultError("tracking-state", table.lines[frame], found, expected)
    return np.nan_to_num(numbers).astype(np.uint8)

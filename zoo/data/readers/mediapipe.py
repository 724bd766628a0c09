"""MediaPipe Pose (BlazePose): 33 landmarks of one camera, as CSV or JSON.

The model gives two things: landmarks in the picture (x, y in parts of its width and height, z in
parts of its width) and world landmarks (metres). In both y points down. World landmarks have their
origin between the hips in every frame, so that how the body moves through the room is lost. Nobody
writes the same file, so both are told apart by their values: only world landmarks keep the middle
of the hips at the origin.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from registry import register_reader
from zoo.data.adapters.base import FaultError, PrepareReport, faults_in
from zoo.data.readers.body import Body, PoseReader, numbered, one_of
from zoo.data.readers.joints import places
from zoo.data.readers.mediapipe_json import JOINTS, LAYOUT, body_of, looks_like_landmarks, names
from zoo.data.readers.tables import (
    LOST,
    Columns,
    Table,
    columns_of,
    frame_numbers,
    glance,
    is_number,
    numbered_header,
    read_table,
)
from zoo.data.readers.text import head_of, read_json
from zoo.data.readers.units import checked_aspect, square
from zoo.data.recording import Recording
from zoo.skeleton.layout import load_layout

Floats = NDArray[np.float64]
Landmarks = Literal["auto", "world", "image"]

HIPS = (23, 24)

_WIDTHS = {132: "xyzc", 165: "xyzc-", 99: "xyz"}
"""What the numbers of a landmark are, by how many columns there are in all."""

_HIPS_AT_ORIGIN = 0.1
_PARTS_OF_PICTURE = 4.0


@register_reader("mediapipe")
class MediaPipeReader(PoseReader):
    """MediaPipe Pose's landmarks; world landmarks are taken where a file has both.

    Args:
        layout: ``mediapipe``, or another one whose joints can be made of the 33 landmarks:
            ``kinect-v2``, ``coco``.
        landmarks: ``world`` or ``image``; ``auto`` tells them by their values.
        aspect: width of the picture divided by its height, for image landmarks.
        fps: frames a second, where the file has no times.

    Raises:
        ConfigError: a setting that is none of these.
    """

    title = "MediaPipe Pose, 33 landmarks"
    suffixes = (".csv", ".json", ".jsonl", ".txt")

    def __init__(
        self,
        layout: str = LAYOUT,
        landmarks: Landmarks = "auto",
        aspect: float | None = None,
        fps: float | None = None,
    ) -> None:
        super().__init__(layout, fps, up="-y")
        self.landmarks = one_of(landmarks, ("auto", "world", "image"), "landmarks")
        self.aspect = checked_aspect(aspect)

    def looks_like(self, path: Path) -> bool:
        """See `Reader.looks_like`; recognised by header or number of columns, or keys."""
        if not super().looks_like(path):
            return False
        if head_of(path, 512).lstrip()[:1] in ("{", "["):
            return looks_like_landmarks(head_of(path))
        table = glance(path)
        return table is not None and _columns(table) is not None

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """One recording; see `Reader.read_file`."""
        with faults_in(str(file)):
            json = head_of(file, 512).lstrip()[:1] in ("{", "[")
            body, world = body_of(read_json(file), self.landmarks) if json else self._of_table(file)
            body = self._in_metres(body, world)
        yield self.recording(body, file, report)

    def _of_table(self, file: Path) -> tuple[Body, bool | None]:
        table = read_table(file)
        found = _columns(table)
        if found is None:
            shown = f"{table.width} columns"
            wanted = f"{JOINTS} landmarks: 132 columns of x, y, z, visibility, or 99 of x, y, z"
            raise FaultError("landmarks", table.lines[0], shown, wanted)
        columns, joints, world = found
        places_of = {part: [joint.get(part) for joint in joints] for part in "xyz"}
        parts = [part for part in "xyz" if None not in places_of[part]]
        arrays = [table.numbers([joint[part] for joint in joints]) for part in parts]
        seen = [joint.get("confidence") for joint in joints]
        confidence = None if None in seen else table.numbers([c for c in seen if c is not None])
        times = None if columns.time is None else table.numbers([columns.time])[:, 0]
        body = Body(names(), np.stack(arrays, axis=-1), confidence, lines=table.lines)
        body.times, body.unit = times, columns.unit
        numbers = frame_numbers(table, columns)
        return (body if numbers is None else numbered(body, numbers)), world

    def _in_metres(self, body: Body, world: bool | None) -> Body:
        """The body with square coordinates, and what kind of landmarks they are, noted."""
        values = body.values
        values[~np.isfinite(values).all(-1) | (values == 0).all(-1)] = np.nan
        kind = _kind(values) if self.landmarks == "auto" and world is None else None
        if kind == "world" or self.landmarks == "world" or (world and self.landmarks == "auto"):
            body.units = "m"
            if values.shape[2] == 2:
                raise FaultError("landmarks", None, "world landmarks without z", "x, y and z")
            body.notes.append(
                "world landmarks: metres, centred between the hips in every frame, so that how the "
                "body moves through the room is lost"
            )
            return body
        body.units = "none"
        kind = kind or _kind(values)
        if kind == "pixels":
            body.notes.append("image landmarks in pixels")
            if values.shape[2] == 3 and np.nanmedian(np.abs(values[..., 2])) < _PARTS_OF_PICTURE:
                body.values = values[..., :2]
                body.notes.append("z is in another unit than x and y and left out")
            return body
        body.notes.append(f"image landmarks: {square(values, self.aspect)}")
        return body


def _kind(values: Floats) -> str:
    """``world``, ``image`` (parts of the picture) or ``pixels``, by the values (T, 33, C)."""
    flat = values[..., :2]
    hips = flat[:, HIPS].mean(axis=1)
    hips = hips[np.isfinite(hips).all(-1)]
    if len(hips) and np.abs(np.median(hips, axis=0)).max() < _HIPS_AT_ORIGIN:
        return "world"
    known = np.abs(flat[np.isfinite(flat)])
    return "pixels" if len(known) and np.median(known) > _PARTS_OF_PICTURE else "image"


def _columns(table: Table) -> tuple[Columns, list[dict[str, int]], bool | None] | None:
    """The columns of the 33 landmarks, and whether their names say world; None where they are not.

    They are found by name, by number, or as the 132 numbers of a row.
    """
    header = table.header
    if header and not numbered_header(header):
        columns = columns_of(header)
        world = {n: p for n, p in columns.joints.items() if "world" in n.lower() or n[:1] == "w"}
        for chosen, kind in ((world, True), (_without(columns.joints, world), None)):
            joints = _named(chosen)
            if joints is not None:
                return columns, joints, kind
        return None
    return _unnamed(table)


def _named(joints: Mapping[str, dict[str, int]]) -> list[dict[str, int]] | None:
    """The 33 joints in order, found by their names or numbers; None where they are not there."""
    plain = {name.lower().replace("world", "").strip(" _.-"): name for name in joints}
    names = list(plain)
    found = places(names, load_layout(LAYOUT))
    if None not in found:
        return [joints[plain[names[place]]] for place in found if place is not None]
    numbers = {}
    for name in joints:
        digits = "".join(c for c in name if c.isdecimal())
        if digits and len(digits) < 4:
            numbers[int(digits)] = name
    if len(numbers) != len(joints):
        return None
    for first in (0, 1):
        if sorted(numbers) == list(range(first, first + JOINTS)):
            return [joints[numbers[first + joint]] for joint in range(JOINTS)]
    return None


def _without(
    joints: Mapping[str, dict[str, int]], others: Mapping[str, Any]
) -> dict[str, dict[str, int]]:
    return {name: parts for name, parts in joints.items() if name not in others}


def _unnamed(table: Table) -> tuple[Columns, list[dict[str, int]], bool | None] | None:
    """Columns without names: 33 × (x, y, z, visibility), perhaps behind a number or a label."""
    rows = table.rows[:50]
    start, stop = 0, table.width
    while stop and any(_is_label(row[stop - 1]) for row in rows):
        stop -= 1
    while start < stop and any(_is_label(row[start]) for row in rows):
        start += 1
    if stop - start - 1 in _WIDTHS and stop - start not in _WIDTHS and _counts(rows, start):
        start += 1
    parts = _WIDTHS.get(stop - start, "")
    if not parts:
        return None
    step = len(parts)
    joints = [
        {
            {"c": "confidence"}.get(part, part): start + joint * step + i
            for i, part in enumerate(parts)
            if part != "-"
        }
        for joint in range(JOINTS)
    ]
    return Columns(), joints, None


def _is_label(cell: str) -> bool:
    return cell.lower() not in LOST and not is_number(cell)


def _counts(rows: list[list[str]], column: int) -> bool:
    """Whether a column goes up from row to row, as frame numbers and times do."""
    try:
        numbers = [float(row[column].replace(",", ".")) for row in rows]
    except ValueError:
        return False
    return len(rows) > 1 and all(a < b for a, b in pairwise(numbers))

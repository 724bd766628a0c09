"""MediaPipe Pose (BlazePose): 33 landmarks of one camera, as CSV or JSON.

The model gives two things: landmarks in the picture (x, y in parts of its width and height, z in
parts of its width) and world landmarks (metres). In both y points down. World landmarks have their
origin between the hips in every frame, so that how the body moves through the room is lost. Nobody
writes the same file, so both are told apart by their values: only world landmarks keep the middle
of the hips at the origin.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from registry import register_reader
from zoo.data.adapters.base import FaultError, PrepareReport, faults_in
from zoo.data.readers.body import Body, PoseReader, one_of
from zoo.data.readers.joints import key, places
from zoo.data.readers.tables import (
    LOST,
    Columns,
    Table,
    columns_of,
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

LAYOUT = "mediapipe"
JOINTS = 33
HIPS = (23, 24)

_WIDTHS = {132: "xyzc", 165: "xyzc-", 99: "xyz"}
"""What the numbers of a landmark are, by how many columns there are in all."""

_HIPS_AT_ORIGIN = 0.1
_PARTS_OF_PICTURE = 4.0

_WORLD = ("poseWorldLandmarks", "pose_world_landmarks", "worldLandmarks", "world_landmarks",
          "keypoints3D", "keypoints_3d")  # fmt: skip
_IMAGE = ("poseLandmarks", "pose_landmarks", "landmarks", "landmark", "keypoints", "pose")
_FRAMES = ("frames", "data", "results", "poses", "sequence", "pose_data", "detections")
_TIMES = (("timestamp_ms", "ms"), ("time_ms", "ms"), ("timestamp", ""), ("time", ""), ("t", ""))


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
        """See `Reader.looks_like`; told by the header or the number of columns, or the keys."""
        if not super().looks_like(path):
            return False
        if head_of(path, 512).lstrip()[:1] in ("{", "["):
            return _json_looks(head_of(path))
        table = glance(path)
        return table is not None and _columns(table) is not None

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """One recording; see `Reader.read_file`."""
        with faults_in(str(file)):
            json = head_of(file, 512).lstrip()[:1] in ("{", "[")
            body, world = self._of_json(read_json(file)) if json else self._of_table(file)
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
        body = Body(_names(), np.stack(arrays, axis=-1), confidence, lines=table.lines)
        body.times, body.unit = times, columns.unit
        return body, world

    def _of_json(self, value: Any) -> tuple[Body, bool | None]:
        frames, fps = _frames(value)
        wanted = {"auto": (_WORLD, _IMAGE), "world": (_WORLD,), "image": (_IMAGE,)}[self.landmarks]
        found, times, unit, kinds = [], list[float](), "", set[bool]()
        for number, frame in enumerate(frames):
            person, world = _person(frame, wanted)
            landmarks = _landmarks(person, number)
            found.append(landmarks)
            if world is not None and np.isfinite(landmarks).any():
                kinds.add(world)
            time, unit = _time(frame, unit)
            times.append(time)
        if not found:
            raise FaultError("empty", None, "no frames", f"frames of {JOINTS} landmarks")
        if len(kinds) > 1:
            found_both = "world landmarks in some frames, image landmarks in others"
            raise FaultError("landmarks", None, found_both, "one kind; say landmarks=image")
        values = np.stack(found)
        shown = np.isfinite(values[..., 3])
        body = Body(_names(), values[..., :3], values[..., 3] if shown.any() else None, fps=fps)
        if not np.isfinite(values[..., 2]).any():
            body.values = values[..., :2]
        if np.isfinite(times).all():
            body.times, body.unit = np.array(times), unit
        return body, kinds.pop() if kinds else None

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


def _names() -> tuple[str, ...]:
    return load_layout(LAYOUT).joints


def _kind(values: Floats) -> str:
    """``world``, ``image`` (parts of the picture) or ``pixels``, told by the values (T, 33, C)."""
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


def _json_looks(head: str) -> bool:
    """Whether JSON begins as landmarks do, and not as what other programs write."""
    if any(f'"{word}"' in head for word in ("people", "instance_info", "positions", "image_id")):
        return False
    known = any(f'"{word}"' in head for word in (*_WORLD, "poseLandmarks", "pose_landmarks"))
    named = "visibility" in head or '"LEFT_EYE_INNER"' in head.upper()
    return known or named


def _frames(value: Any) -> tuple[Sequence[Any], float | None]:
    """The frames of a file, and the frames a second that it tells."""
    fps: Any = None
    for _ in range(3):
        if isinstance(value, list):
            return value, fps
        if not isinstance(value, Mapping):
            break
        for name in ("fps", "frame_rate", "frameRate"):
            rate = value.get(name)
            if isinstance(rate, int | float) and not isinstance(rate, bool):
                fps = float(rate)
        if value and all(str(name).replace(".", "", 1).isdecimal() for name in value):
            order = sorted(value, key=lambda name: float(name[:30]))
            return [value[name] for name in order], fps
        inner = next((value[n] for n in (*_FRAMES, *_WORLD, *_IMAGE) if n in value), None)
        if inner is None:
            break
        value = inner
    raise FaultError("landmarks", None, _shown(value), f"a list of frames of {JOINTS} landmarks")


def _person(frame: Any, wanted: Sequence[Sequence[str]]) -> tuple[Any, bool | None]:
    """The landmarks of a frame as they stand there, and whether their key says world."""
    if not isinstance(frame, Mapping):
        return frame, None
    for names in wanted:
        for name in names:
            if frame.get(name):
                inner, deeper = frame[name], None
                if isinstance(inner, Mapping):
                    inner, deeper = _person(inner, wanted)
                return inner, True if names is _WORLD else deeper
    if any(name in frame for names in (_WORLD, _IMAGE) for name in names):
        return None, None  # nobody in this frame
    return frame, None


def _landmarks(value: Any, frame: int) -> Floats:
    """Landmarks (33, 4) of x, y, z, visibility, NaN where there is nothing."""
    nothing = np.full((JOINTS, 4), np.nan)
    if value is None or (isinstance(value, list | Mapping | str) and not value):
        return nothing
    if isinstance(value, Mapping):
        names = {key(str(name)): item for name, item in value.items()}
        items = [names.get(key(joint)) for joint in _names()]
        if not any(item is not None for item in items):
            raise FaultError("landmarks", None, f"{_shown(value)} in frame {frame}", _WANTED)
        return _rows(items, frame, nothing)
    if not isinstance(value, list):
        raise FaultError("landmarks", None, f"{_shown(value)} in frame {frame}", _WANTED)
    if len(value) < JOINTS and isinstance(value[0], list) and len(value[0]) == JOINTS:
        value = value[0]  # a list of people, of whom MediaPipe puts the surest first
    if len(value) in _WIDTHS and not isinstance(value[0], list | Mapping):
        step = len(value) // JOINTS
        value = [value[step * joint : step * joint + min(step, 4)] for joint in range(JOINTS)]
    if len(value) != JOINTS:
        shown = f"{len(value)} landmarks in frame {frame}"
        raise FaultError("landmarks", None, shown, f"{JOINTS}")
    return _rows(value, frame, nothing)


def _rows(items: Sequence[Any], frame: int, rows: Floats) -> Floats:
    for joint, item in enumerate(items):
        if item is None:
            continue
        if isinstance(item, Mapping):
            seen = item.get("visibility", item.get("score", item.get("confidence")))
            numbers = [item.get("x"), item.get("y"), item.get("z"), seen]
        elif isinstance(item, list):
            numbers = [*item[:4], *[None] * (4 - len(item))]
        else:
            numbers = [item]
        if not all(n is None or type(n) in (int, float) for n in numbers) or len(numbers) != 4:
            shown = f"{_shown(item)} as landmark {joint} of frame {frame}"
            raise FaultError("not-a-number", None, shown, "x, y, z and visibility")
        for part, number in enumerate(numbers):
            if number is not None and abs(number) < 1e300:
                rows[joint, part] = number
    return rows


def _time(frame: Any, unit: str) -> tuple[float, str]:
    """The time of a frame, NaN where it has none, and its unit."""
    if isinstance(frame, Mapping):
        for name, own in _TIMES:
            time: Any = frame.get(name)
            if type(time) in (int, float) and abs(time) < 1e300:
                return float(time), own
    return np.nan, unit


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        keys = ", ".join(str(k)[:20] for k in list(value)[:4])
        return f"an object with the keys {keys}" if value else "an empty object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return repr(value)[:40]


_WANTED = f"{JOINTS} landmarks"

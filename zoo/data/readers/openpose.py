"""OpenPose: a folder with one JSON file a frame, BODY_25 or COCO with 18 joints."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry import register_reader
from zoo.data.adapters.base import FaultError, PrepareReport, faults_in
from zoo.data.readers.body import Body, PoseReader, numbered
from zoo.data.readers.people import chosen, linked
from zoo.data.readers.text import head_of, number, read_json
from zoo.data.recording import Recording
from zoo.skeleton.layout import load_layout

Floats = NDArray[np.float64]

LAYOUTS = {25: "openpose-body25", 18: "openpose-coco18"}
_NUMBER = re.compile(r"(\d+)(?:_keypoints)?\.json$", re.IGNORECASE)


@register_reader("openpose")
class OpenPoseReader(PoseReader):
    """OpenPose's ``NAME_000000000012_keypoints.json``, one a frame; their folder is a recording.

    Of several people the one is kept who is in sight and moves most, told as a note. A joint of
    confidence 0 is lost. Where the files hold points in space (``pose_keypoints_3d``), these are
    taken.

    Args:
        layout: see `PoseReader`; empty: ``openpose-body25`` or ``openpose-coco18``, by the file.
        fps: frames a second; the files do not tell.
        units: see `PoseReader`.
        up: see `PoseReader`.
    """

    title = "OpenPose, a folder of one JSON file a frame"
    suffixes = (".json",)

    def __init__(
        self, layout: str = "", fps: float | None = None, units: str = "", up: str = ""
    ) -> None:
        super().__init__(layout, fps, units, up)

    def looks_like(self, path: Path) -> bool:
        """See `Reader.looks_like`; a folder whose first JSON file has people, or such a file."""
        try:
            file = next(iter(_files(path)), None) if path.is_dir() else path
        except OSError:
            return False
        if file is None or file.suffix.lower() != ".json":
            return False
        return '"people"' in head_of(file) and head_of(file, 64).lstrip().startswith("{")

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """One recording of a folder, or of the folder that a frame lies in; see `Reader`."""
        with faults_in(str(file)):
            folder = file if file.is_dir() else file.parent
            files = _files(folder)
            if not files:
                found = ", ".join(sorted(f.name for f in folder.iterdir())[:3]) or "an empty folder"
                raise FaultError("no-frames", None, found, "NAME_000000000000_keypoints.json, …")
            if not file.is_dir():
                found = f"one frame of {len(files)}"
                raise FaultError("one-frame", None, found, f"the folder of all frames, {folder}")
        frames, joints, width = _frames(files)
        with faults_in(str(folder)):
            if not joints:
                raise FaultError("nobody", None, f"nobody in {len(files)} frames", "a person")
            people, notes = chosen(linked(frames), joints, width)
            names = load_layout(LAYOUTS[joints]).joints
            body = Body(names, people[..., :-1], people[..., -1], notes=notes)
            if width == 4:
                body.notes.append("points in space are taken (pose_keypoints_3d)")
            body = numbered(body, _numbers(files))
        yield self.recording(body, folder, report)


def _files(folder: Path) -> list[Path]:
    """The frames of a folder in order of their numbers, without hidden files."""
    found = [f for f in folder.iterdir() if f.suffix.lower() == ".json" and f.name[:1] != "."]
    return sorted(found, key=lambda f: (_number(f), f.name))


def _number(file: Path) -> int:
    match = _NUMBER.search(file.name)
    return int(match[1][-18:]) if match else 0


def _numbers(files: list[Path]) -> list[int]:
    numbers = [_number(file) for file in files]
    return numbers if len(set(numbers)) == len(numbers) else list(range(len(numbers)))


def _frames(files: list[Path]) -> tuple[list[list[Floats]], int, int]:
    """People of every frame (J, C), NaN where a joint is lost, with J and C."""
    found: list[list[Floats]] = []
    joints = width = 0
    for file in files:
        with faults_in(str(file)):
            value = read_json(file)
            people = value.get("people") if isinstance(value, Mapping) else None
            if not isinstance(people, list):
                raise FaultError("openpose", None, "no list of people", "OpenPose's people")
            here = []
            for person in people:
                points = _person(person)
                joints, width = joints or len(points), width or points.shape[1]
                if points.shape != (joints, width):
                    shown = f"{len(points)} joints of {points.shape[1]} numbers"
                    raise FaultError("joints", None, shown, f"{joints} of {width}, as before")
                here.append(points)
            found.append(here)
    return found, joints, width


def _person(person: Any) -> Floats:
    if not isinstance(person, Mapping):
        raise FaultError("openpose", None, f"{str(person)[:40]!r} as a person", "keypoints")
    for name, width in (("pose_keypoints_3d", 4), ("pose_keypoints_2d", 3), ("pose_keypoints", 3)):
        flat = person.get(name)
        if not flat:
            continue
        if not isinstance(flat, list) or len(flat) not in (width * j for j in LAYOUTS):
            shown = f"{len(flat)} numbers" if isinstance(flat, list) else str(flat)[:40]
            wanted = " or ".join(f"{j} × {width}" for j in LAYOUTS)
            raise FaultError("joints", None, f"{shown} in {name}", wanted)
        points = np.array([number(item) for item in flat]).reshape(-1, width)
        points[~(points[:, -1] > 0)] = np.nan
        return points
    return np.full((25, 3), np.nan)

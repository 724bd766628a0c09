"""AlphaPose's results: one JSON file of people in pictures, COCO or Halpe joints."""

import re
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry import register_reader
from zoo.data.adapters.base import FaultError, PrepareReport, faults_in
from zoo.data.readers.body import Body, PoseReader, numbered
from zoo.data.readers.people import chosen, named
from zoo.data.readers.text import head_of, number, read_json
from zoo.data.recording import Recording
from zoo.skeleton.layout import load_layout

Floats = NDArray[np.float64]

LAYOUTS = {17: ("coco", 17), 26: ("halpe26", 26), 136: ("halpe26", 26), 133: ("coco", 17)}
"""By the number of joints in the file: the layout, and how many of the first joints it takes."""

_DIGITS = re.compile(r"(\d+)\D*$")


@register_reader("alphapose")
class AlphaPoseReader(PoseReader):
    """AlphaPose's ``alphapose-results.json``: a list of people, each with its picture.

    Joints are COCO's 17 or Halpe's 26; of Halpe's 136 the first 26 are read, of the 133 of COCO
    WholeBody the first 17. Where people have a track (``idx``), it says who is who. Of several the
    one is kept who is in sight and moves most, told as a note.

    Args:
        layout: see `PoseReader`; empty: ``coco`` or ``halpe26``, by the file.
        fps: frames a second; the file does not tell.
    """

    title = "AlphaPose, one JSON file of results"
    suffixes = (".json",)

    def __init__(self, layout: str = "", fps: float | None = None) -> None:
        super().__init__(layout, fps)

    def looks_like(self, path: Path) -> bool:
        """See `Reader.looks_like`; recognised by its keys."""
        head = head_of(path) if super().looks_like(path) else ""
        return head.lstrip().startswith("[") and '"image_id"' in head and '"keypoints"' in head

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """One recording; see `Reader.read_file`."""
        with faults_in(str(file)):
            frames = _pictures(read_json(file))
            sizes = {len(points) for people in frames.values() for points, _ in people}
            if len(sizes) != 1:
                found = f"{' and '.join(map(str, sorted(sizes))) or 'no'} joints"
                raise FaultError("joints", None, found, "one person's joints in every picture")
            layout, joints = LAYOUTS[sizes.pop()]
            people = [
                [(points[:joints], idx) for points, idx in frames[name]] for name in sorted(frames)
            ]
            values, notes = chosen(named(people), joints, 3)
            body = Body(load_layout(layout).joints, values[..., :2], values[..., 2], notes=notes)
            body = numbered(body, sorted(frames))
        yield self.recording(body, file, report)


def _pictures(value: Any) -> dict[int, list[tuple[Floats, Hashable]]]:
    """People of every picture by its number: joints (J, 3), NaN where lost, and track."""
    if not isinstance(value, list):
        raise FaultError("alphapose", None, f"{type(value).__name__}", "a list of people")
    found: dict[int, list[tuple[Floats, Hashable]]] = {}
    for i, person in enumerate(value):
        if not isinstance(person, Mapping) or "keypoints" not in person:
            raise FaultError(
                "alphapose", None, f"{str(person)[:40]} as entry {i}", "image_id and keypoints"
            )
        flat = person["keypoints"]
        if not isinstance(flat, list) or len(flat) not in (3 * joints for joints in LAYOUTS):
            shown = f"{len(flat)} numbers" if isinstance(flat, list) else f"{str(flat)[:40]!r}"
            wanted = " or ".join(f"{joints} × 3" for joints in LAYOUTS)
            raise FaultError("joints", None, f"{shown} as keypoints of entry {i}", wanted)
        points = np.array([number(item) for item in flat]).reshape(-1, 3)
        points[~(points[:, 2] > 0)] = np.nan
        digits = _DIGITS.search(str(person.get("image_id", "")))
        if digits is None:
            shown = f"{str(person.get('image_id'))[:40]!r} as image_id of entry {i}"
            raise FaultError("alphapose", None, shown, "the number of a picture")
        found.setdefault(int(digits[1][-15:]), []).append((points, _track(person.get("idx"))))
    return found


def _track(idx: Any) -> Hashable:
    while isinstance(idx, list) and idx:
        idx = idx[0]
    return idx if type(idx) in (int, float, str) else None

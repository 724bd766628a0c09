"""KERAAL's skeletons from video, by OpenPose, AlphaPose or BlazePose: JSON, a key a frame.

The BlazePose files were made of the mirrored picture (``cv2.flip`` in the authors'
get_blazepose_skeleton.py), in which the model takes the right arm for the left. It is undone here:
sides are exchanged and x turned round.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from registry import register_reader
from zoo.data.adapters.base import FaultError, PrepareReport, faults_in
from zoo.data.adapters.keraal import KeraalAdapter
from zoo.data.readers.body import Body, PoseReader, numbered
from zoo.data.readers.joints import places
from zoo.data.readers.text import head_of, number, read_json
from zoo.data.readers.units import checked_aspect, square
from zoo.data.recording import Recording
from zoo.skeleton.layout import load_layout

LAYOUTS = {"OP": "openpose-coco18", "AP": "coco", "BP": "mediapipe"}


@register_reader("keraal-video")
class KeraalVideoReader(PoseReader):
    """``{"positions": {"1.0": {"Nose": [x, y], …}, …}}``, x and y in parts of the picture.

    Joints are OpenPose's 18, AlphaPose's 17 (by number) or MediaPipe's 33, as the file says. Joints
    that a frame lacks are lost. Person, exercise and label come from the file's name, as in
    `KeraalAdapter`; annotations are not read.

    Args:
        layout: see `PoseReader`; empty: ``openpose-coco18``, ``coco`` or ``mediapipe``.
        fps: frames a second; the files do not tell.
        aspect: width of the picture divided by its height.
    """

    title = "KERAAL, JSON of OpenPose, AlphaPose or BlazePose"
    suffixes = (".json", ".txt")

    def __init__(
        self, layout: str = "", fps: float | None = None, aspect: float | None = None
    ) -> None:
        super().__init__(layout, fps, "none", "-y")
        self.aspect = checked_aspect(aspect)

    def looks_like(self, path: Path) -> bool:
        """See `Reader.looks_like`; recognised by the key ``positions``."""
        head = head_of(path, 256) if super().looks_like(path) else ""
        return head.lstrip().startswith("{") and '"positions"' in head

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """One recording; see `Reader.read_file`."""
        with faults_in(str(file)):
            value = read_json(file)
            frames = value.get("positions") if isinstance(value, Mapping) else None
            if not isinstance(frames, Mapping) or not frames:
                raise FaultError("keraal", None, "no positions", "positions, a key a frame")
            body = _body(frames)
            body.notes.insert(0, square(body.values, self.aspect))
            body.identity = _identity(file)
        yield self.recording(body, file, report)


def _body(frames: Mapping[str, Any]) -> Body:
    names = {name for frame in frames.values() if isinstance(frame, Mapping) for name in frame}
    layout = load_layout(LAYOUTS[_model(names)])
    joints = layout.joints
    blaze = layout.name == LAYOUTS["BP"]
    given = sorted(names)
    if not all(name.isdecimal() for name in names):
        found = places(given, layout)
        if all(place is None for place in found):
            shown = ", ".join(given[:3])
            raise FaultError("joints", None, f"joints {shown or '(none)'}", "Nose, Neck, …")
        spelled = [None if place is None else given[place] for place in found]
    else:
        spelled = [str(joint) for joint in range(len(joints))]
    values = np.full((len(frames), len(joints), 3 if blaze else 2), np.nan)
    numbers = []
    for t, (name, frame) in enumerate(frames.items()):
        numbers.append(_number(name))
        if not isinstance(frame, Mapping):
            raise FaultError("keraal", None, f"{str(frame)[:40]!r} in frame {name}", "joints")
        for joint, own in enumerate(spelled):
            point = frame.get(own) if own is not None else None
            if point is None:
                continue
            if not isinstance(point, list) or len(point) != values.shape[2]:
                shown = f"{str(point)[:40]} as {own} in frame {name}"
                raise FaultError("keraal", None, shown, f"{values.shape[2]} numbers")
            values[t, joint] = [number(item) for item in point]
    values[(values == 0).all(-1)] = np.nan
    body = Body(joints, values)
    if blaze:
        body.values = values[:, layout.mirror]
        body.values[..., 0] = 1 - body.values[..., 0]
        body.notes.append("BlazePose saw the picture mirrored: left and right are exchanged back")
    return numbered(body, numbers)


def _model(names: set[str]) -> str:
    if all(name.isdecimal() for name in names):
        return "AP"
    return "BP" if any("inner" in name.lower() for name in names) else "OP"


def _number(name: str) -> int:
    try:
        return int(float(name[:30]))
    except (ValueError, OverflowError):
        shown = f"{name[:40]!r} as a frame"
        raise FaultError("keraal", None, shown, "the number of a frame") from None


def _identity(file: Path) -> dict[str, Any]:
    """What the name says, as of the Kinect's recording of the same movement."""
    for model in LAYOUTS:
        name = file.name.replace(f"-{model}-", "-Kinect-", 1)
        if name != file.name:
            named = KeraalAdapter()._named(Path(name).with_suffix(".txt"))
            return {} if named is None else dict(vars(named))
    return {}

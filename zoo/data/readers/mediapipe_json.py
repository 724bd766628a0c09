"""JSON of MediaPipe Pose's landmarks, in the forms in which people write it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.adapters.base import FaultError
from zoo.data.readers.body import Body
from zoo.data.readers.joints import key
from zoo.skeleton.layout import load_layout

Floats = NDArray[np.float64]

LAYOUT = "mediapipe"
JOINTS = 33

_WANTED = f"{JOINTS} landmarks"
_STEPS = {132: 4, 165: 5, 99: 3}
"""Numbers of a landmark by how many there are in a flat list."""

_WORLD = ("poseWorldLandmarks", "pose_world_landmarks", "worldLandmarks", "world_landmarks",
          "keypoints3D", "keypoints_3d")  # fmt: skip
_IMAGE = ("poseLandmarks", "pose_landmarks", "landmarks", "landmark", "keypoints", "pose")
_FRAMES = ("frames", "data", "results", "poses", "sequence", "pose_data", "detections")
_TIMES = (("timestamp_ms", "ms"), ("time_ms", "ms"), ("timestamp", ""), ("time", ""), ("t", ""))


def names() -> tuple[str, ...]:
    """Names of the 33 landmarks."""
    return load_layout(LAYOUT).joints


def body_of(value: Any, landmarks: str) -> tuple[Body, bool | None]:
    """The body in a file, and whether its keys call the landmarks those of the world.

    Args:
        value: what the file holds.
        landmarks: ``world``, ``image`` or ``auto``: which are wanted where there are both.

    Raises:
        FaultError: no frames of 33 landmarks, or both kinds in turn.
    """
    frames, fps = _frames(value)
    wanted = {"auto": (_WORLD, _IMAGE), "world": (_WORLD,), "image": (_IMAGE,)}[landmarks]
    found, times, unit, kinds = [], list[float](), "", set[bool]()
    for number, frame in enumerate(frames):
        person, world = _person(frame, wanted)
        points = _landmarks(person, number)
        found.append(points)
        if world is not None and np.isfinite(points).any():
            kinds.add(world)
        time, unit = _time(frame, unit)
        times.append(time)
    if not found:
        raise FaultError("empty", None, "no frames", f"frames of {_WANTED}")
    if len(kinds) > 1:
        both = "world landmarks in some frames, image landmarks in others"
        raise FaultError("landmarks", None, both, "one kind; say landmarks=image")
    values = np.stack(found)
    seen = values[..., 3] if np.isfinite(values[..., 3]).any() else None
    body = Body(names(), values[..., :3], seen, fps=fps)
    if not np.isfinite(values[..., 2]).any():
        body.values = values[..., :2]
    if np.isfinite(times).all():
        body.times, body.unit = np.array(times), unit
    return body, kinds.pop() if kinds else None


def looks_like_landmarks(head: str) -> bool:
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
        given = {key(str(name)): item for name, item in value.items()}
        items = [given.get(key(joint)) for joint in names()]
        if not any(item is not None for item in items):
            raise FaultError("landmarks", None, f"{_shown(value)} in frame {frame}", _WANTED)
        return _rows(items, frame, nothing)
    if not isinstance(value, list):
        raise FaultError("landmarks", None, f"{_shown(value)} in frame {frame}", _WANTED)
    if len(value) < JOINTS and isinstance(value[0], list) and len(value[0]) == JOINTS:
        value = value[0]  # a list of people, of whom MediaPipe puts the surest first
    if len(value) in _STEPS and not isinstance(value[0], list | Mapping):
        step = _STEPS[len(value)]
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

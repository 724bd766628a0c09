"""Whether what is left looks like a body: long enough, in metres, upright, moving."""

import numpy as np
from numpy.typing import NDArray

from zoo.data.checks.look import MIN_FRAMES, Look
from zoo.data.recording import NOT_TRACKED, Recording
from zoo.skeleton.layout import Layout, load_layout

_SIZES = (0.2, 4.0)
"""Metres from one end of a body to the other, arms stretched out; in KIMORE 0.94 to 2.4."""
_JUMP_METRES = 0.5
_LOST_SHARE = 0.05
_UPSIDE_DOWN = 0.25


def long_enough(recording: Recording, look: Look) -> Recording:
    """A few frames are no movement."""
    frames = recording.num_frames
    if frames < MIN_FRAMES:
        found = f"{frames} frame{'s' * (frames != 1)}"
        raise look.refusal("too-short", found, f"at least {MIN_FRAMES} frames")
    return recording


def units(recording: Recording, look: Look) -> Recording:
    """A body of more than 4 m or less than 20 cm stands in another unit."""
    if recording.positions is None or not look.expected.metric:
        return recording
    x = recording.positions
    size = float(np.median(np.linalg.norm(np.ptp(x, axis=1), axis=-1)))
    low, high = _SIZES
    if not low <= size <= high:
        advice, unit = _unit(size, flat=not np.ptp(x[..., 2]))
        setting = ("units", unit) if unit else None
        wanted = f"{low:g} to {high:g} metres: {advice}"
        raise look.refusal("units", f"a body {size:.4g} long", wanted, setting)
    return recording


def upright(recording: Recording, look: Look) -> Recording:
    """The head is above the feet, or beside them in who lies down; never below."""
    layout, x = load_layout(recording.layout), recording.positions
    ends = _head_and_feet(layout)
    if x is None or ends is None or not look.expected.metric:
        return recording
    head, feet = ends
    up = np.median(x[:, head].mean(axis=1) - x[:, feet].mean(axis=1), axis=0)
    length = float(np.linalg.norm(up))
    if up[1] < -_UPSIDE_DOWN * length:
        found = f"the head {-up[1]:.2f} m below the feet"
        wanted = "y to point up: negate y (a picture's y points down)"
        raise look.refusal("axes", found, wanted, ("up", "-y"))
    if abs(up[1]) < 0.5 * length:
        axis = "z" if abs(up[2]) > abs(up[0]) else "x"
        look.note("axes", f"from feet to head it is {abs(up['xyz'.index(axis)]):.2f} m along "
                  f"{axis} and {up[1]:.2f} m along y, which has to point up, unless the person "
                  "lies down")  # fmt: skip
    return recording


def jumps(recording: Recording, look: Look) -> Recording:
    """Names frames at which the whole skeleton leaps: the tracker took something else for it."""
    x = recording.positions
    if x is None or not look.expected.metric:
        return recording
    leaps = np.median(np.linalg.norm(np.diff(x, axis=0), axis=-1), axis=1)
    frames = np.flatnonzero(leaps > _JUMP_METRES) + 1
    if len(frames):
        shown = ", ".join(str(f) for f in frames[:6]) + (", …" if len(frames) > 6 else "")
        look.note("jumps", f"the skeleton jumps by up to {leaps.max():.2f} m (frames {shown}); "
                  "kept as it is, the transform repair-jumps bridges it")  # fmt: skip
    return recording


def still(recording: Recording, look: Look) -> Recording:
    """Frames that are all the same are a picture, and no movement."""
    named = {name: getattr(recording, name) for name in ("positions", "orientations", "angles")}
    there = {name: array for name, array in named.items() if array is not None}
    frozen = [name for name, array in there.items() if (array == array[:1]).all()]
    if len(frozen) == len(there):
        look.note("still", "nothing moves: all frames are the same")
    elif frozen:
        moving = " and ".join(name for name in there if name not in frozen)
        look.note("still", f"the {' and '.join(frozen)} do not move, the {moving} do")
    return recording


def lost_joints(recording: Recording, look: Look) -> Recording:
    """How much of the skeleton the sensor lost."""
    if recording.tracked is None:
        return recording
    lost = (recording.tracked == NOT_TRACKED).mean(axis=0)
    if lost.mean() >= _LOST_SHARE or lost.max() >= 0.5:
        name = load_layout(recording.layout).joints[int(lost.argmax())]
        look.note(
            "lost-joints",
            f"{lost.mean():.0%} of the joints are lost, {name} in {lost.max():.0%} of the frames",
        )
    return recording


def _unit(size: float, flat: bool) -> tuple[str, str]:
    """What to do with places of a body of this size, and their unit as readers call it."""
    if flat and size > 20:
        return "these look like pixels; divide by the pixels that a metre has", "none"
    if size < 20 or size > 5000:
        return "say in which unit they are", ""
    if size <= 400:
        return "these look like centimetres; divide by 100", "cm"
    return "these look like millimetres; divide by 1000", "mm"


def _head_and_feet(layout: Layout) -> tuple[NDArray[np.intp], NDArray[np.intp]] | None:
    """Joints of the head, and the last ones of the legs; None where the layout names none."""
    head = layout.parts.get("head", ())
    legs = [*layout.parts.get("left_leg", ()), *layout.parts.get("right_leg", ())]
    parents = {layout.parents[j] for j in legs}
    feet = [j for j in legs if j not in parents]
    if not head or not feet:
        return None
    return np.array(head), np.array(feet)

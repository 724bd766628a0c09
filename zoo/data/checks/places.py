"""Where joints are: lost ones, and numbers that no place in a room has."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.bodies import reach
from zoo.data.checks.look import MIN_FRAMES, MOST_MISSING, Look
from zoo.data.gaps import bridged
from zoo.data.recording import NOT_TRACKED, TRACKED, Recording
from zoo.skeleton.layout import load_layout
from zoo.words import some

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_REACH = 4.0
"""A joint so many times as far from the middle of the body as its outer joints (`reach`) is none.

In KIMORE's sound recordings the farthest joint is at 2.2, where the tracker took something else for
the person at 3.4; in UI-PRMD's at 1.6. The measure is the body itself, so it holds in any unit.
"""

_ROOM = 50.0
"""And no body is so many times as far from its usual place: some 50 m."""


def places(recording: Recording, look: Look) -> Recording:
    """Bridges places that are no number or far beyond a body; unseen joints go to their parents.

    A recording in which a joint is wild more often than not is refused, and so is one of which half
    of the joints were never seen.
    """
    if recording.positions is None:
        return recording
    x = recording.positions.astype(np.float64)
    unknown: Flags = ~np.asarray(np.isfinite(x).all(axis=-1))
    wild = _wild(x, unknown)
    missing: Flags = unknown | wild
    if not missing.any():
        return recording
    _tell_wild(recording, x, wild, look)
    some_seen: Flags = ~np.asarray(missing.all(axis=1))
    never: Flags = np.asarray(missing[some_seen].all(axis=0))
    names = load_layout(recording.layout).joints
    if never.mean() > MOST_MISSING:
        found = f"{int(never.sum())} of {len(never)} joints never seen"
        raise look.refusal("never-seen", found, "a layout whose joints are in the recording")
    x[missing] = 0.0
    filled = bridged(x, missing)
    if never.any():
        lost = [names[j] for j in np.flatnonzero(never)]
        look.fault(
            "never-seen", f"no place of {some(lost)}", "places; the parent joint's are taken"
        )
        _place_at_parents(filled, never, load_layout(recording.layout).parents)
    filled[~some_seen] = 0.0
    states = np.full(missing.shape, TRACKED, dtype=np.uint8)
    states = np.where(missing, NOT_TRACKED, states if (t := recording.tracked) is None else t)
    return replace(recording, positions=filled.astype(np.float32), tracked=states.astype(np.uint8))


def turns(recording: Recording, look: Look) -> Recording:
    """Refuses orientations and angles that are no numbers; there is nothing to bridge them with."""
    for name in ("orientations", "angles"):
        values = getattr(recording, name)
        if values is not None and not np.isfinite(values).all():
            frame, joint = np.argwhere(~np.isfinite(values))[0][:2]
            joint_name = load_layout(recording.layout).joints[joint]
            found = f"{name} of {joint_name} that are no number in frame {frame}"
            raise look.refusal("not-finite", found, "finite numbers")
    return recording


def seen_frames(recording: Recording) -> Flags:
    """Frames (T,) in which somebody is: a joint is tracked, and not all joints are at one place."""
    seen = np.ones(recording.num_frames, dtype=bool)
    if recording.tracked is not None:
        seen &= (recording.tracked == TRACKED).any(axis=1)
    if recording.positions is not None:
        x = recording.positions
        seen &= (x != x[:, :1]).any(axis=(1, 2))
    else:
        turned = recording.orientations if recording.angles is None else recording.angles
        seen &= (turned != 0).any(axis=(1, 2))  # type: ignore[union-attr]
    return seen


def nobody(recording: Recording, look: Look) -> Recording:
    """Takes out the frames in which nobody was seen; what is left keeps its time.

    Refused where fewer than `MIN_FRAMES` are left, or more is missing between them than is there.
    """
    seen = seen_frames(recording)
    count, frames = int(seen.sum()), len(seen)
    if count == frames:
        return recording
    if count < MIN_FRAMES:
        found = f"somebody in {count} of {frames} frames (joints lost or all at one place)"
        raise look.refusal("nobody-seen", found, f"a tracked body in at least {MIN_FRAMES} frames")
    first, last = int(seen.argmax()), frames - 1 - int(seen[::-1].argmax())
    between = last + 1 - first - count
    if between > MOST_MISSING * (last + 1 - first):
        found = f"nobody in {between} of the {last + 1 - first} frames from the first to the last"
        raise look.refusal("nobody-seen", found, "somebody in at least half of them")
    outside = frames - between - count
    parts = [f"{outside} at its ends, left out"] if outside else []
    parts += [f"{between} between, bridged"] if between else []
    lost = f"nobody is seen in {frames - count} of {frames} frames"
    look.note("nobody-seen", f"{lost}: {' and '.join(parts)}")
    times = recording.timestamps
    if times is None and between:
        times = np.arange(frames) / recording.fps
    return keep_frames(replace(recording, timestamps=times), seen)


def keep_frames(recording: Recording, kept: Flags) -> Recording:
    """The frames where `kept` (T,) is true; time is counted from the first of them."""
    arrays: dict[str, Any] = {
        name: None if (array := getattr(recording, name)) is None else array[kept]
        for name in ("positions", "orientations", "angles", "tracked", "timestamps")
    }
    if arrays["timestamps"] is not None:
        arrays["timestamps"] = arrays["timestamps"] - arrays["timestamps"][0]
    return replace(recording, **arrays)


def _wild(x: Array, unknown: Flags) -> Flags:
    """Joints (T, V) far beyond the body, which is told from the median joint of each frame."""
    known = np.where(unknown[..., None], np.nan, x) if unknown.any() else x
    somebody = ~unknown.all(axis=1) & (known != known[:, :1]).any(axis=(1, 2))
    wild = np.zeros(unknown.shape, dtype=bool)
    if not somebody.any():
        return wild
    inside = known[somebody]
    median = np.nanmedian if unknown.any() else np.median
    middle = median(inside, axis=1, keepdims=True)
    away = np.linalg.norm(inside - middle, axis=-1)
    outer = reach(away)
    if outer > 0:
        moved = np.linalg.norm(middle - np.median(middle, axis=0), axis=-1)
        far = (away > _REACH * outer) | (moved > _ROOM * outer)
        wild[somebody] = far & ~unknown[somebody]
    return wild


def _tell_wild(recording: Recording, x: Array, wild: Flags, look: Look) -> None:
    if not wild.any():
        return
    names = load_layout(recording.layout).joints
    frame, joint = (int(i) for i in np.argwhere(wild)[0])
    place = ", ".join(f"{v:g}" for v in x[frame, joint])
    more = int(wild.sum()) - 1
    found = f"{names[joint]} at ({place}) in frame {frame}"
    found += f", and {more} more such place{'s' * (more > 1)}" if more else ""
    shares = wild.mean(axis=0)
    if shares.max() > MOST_MISSING:
        found += f"; {names[shares.argmax()]} in {shares.max():.0%} of the frames"
        raise look.refusal("wild-place", found, "places of a body")
    look.fault("wild-place", found, "a place within reach of the body; bridged over time")


def _place_at_parents(x: Array, never: Flags, parents: tuple[int, ...]) -> None:
    middle = np.median(x[:, ~never], axis=1)
    for joint in np.flatnonzero(never):
        above = parents[joint]
        while above >= 0 and never[above]:
            above = parents[above]
        x[:, joint] = x[:, above] if above >= 0 else middle

"""What a protocol makes of a recording, made of frames as they come.

A transform that takes its measure from the whole recording takes it here from the frames so far:
the direction of the body is the mean up to now, and a joint that jumped is held where it was until
it comes back, where a recording's gap is bridged from both sides.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.data.bodies import reach
from zoo.data.resample import SOURCES, derive
from zoo.data.rotation import about, continuous_sign, multiply
from zoo.data.scalers import StreamScaler
from zoo.data.transforms import Motion, Step, normalized, pelvis_joints, side_pairs
from zoo.data.transforms.repair import JOINT_SPEED, REACH, RETURN
from zoo.live.frames import Frame
from zoo.skeleton.layout import Layout

Array = NDArray[np.float64]
Causal = Callable[[dict[str, Array]], dict[str, Array]]
"""From the streams (V, C) of one frame to those that a transform makes of them."""


class Repair:
    """`repair-jumps`, looking back: what jumped is held where it was.

    A body that was somewhere else for longer than it was seen before is believed, as the longest
    part of a recording is.
    """

    def __init__(
        self, layout: Layout, fps: float, max_speed: float, min_seconds: float, tolerance: float
    ) -> None:
        self.fps, self.max_speed, self.tolerance = fps, max_speed, tolerance
        self.shortest = max(1, round(min_seconds * fps))
        self.before: Array | None = None
        self.good: dict[str, Array] | None = None
        self.within: Array | None = None
        self.believed, self.other = 0, 0
        self.astray: NDArray[np.int64] = np.zeros(layout.num_joints, dtype=np.int64)

    def __call__(self, streams: dict[str, Array]) -> dict[str, Array]:
        """The next frame."""
        x = streams.get("position")
        if x is None:
            return streams
        jumped = (
            self.before is not None and _apart(x, self.before) > self.max_speed / self.fps
        ) or not bool((x != x[:1]).any())
        self.before = x
        if self.good is not None and (jumped or self.other):
            near = _apart(x, self.good["position"]) <= self.tolerance
            self.other = 0 if near else self.other + 1
            if 0 < self.other <= max(self.shortest, self.believed):
                return self.good
        self.believed, self.other = self.believed + 1, 0
        self.good = {**streams, "position": self._joints(x)}
        return self.good

    def _joints(self, x: Array) -> Array:
        """Positions with joints that left the body held where they were in it."""
        middle = np.median(x, axis=0)
        within = x - middle
        away = np.linalg.norm(within, axis=-1)
        lost = away > REACH * reach(away[None])
        if self.within is not None:
            moved = np.linalg.norm(within - self.within, axis=-1)
            lost |= moved > np.where(self.astray > 0, RETURN, JOINT_SPEED / self.fps)
            lost &= (self.astray < self.shortest) | (away > REACH * reach(away[None]))
            within = np.where(lost[:, None], self.within, within)
        self.astray = np.where(lost, self.astray + 1, 0)
        self.within = within
        return np.where(lost[:, None], within + middle, x)


class Face:
    """`face-camera` by the mean direction of the frames so far."""

    def __init__(self, layout: Layout) -> None:
        self.pairs = np.array(side_pairs(layout)).reshape(-1, 2)
        self.across = np.zeros(3)
        self.told: NDArray[np.bool_] | None = None

    def __call__(self, streams: dict[str, Array]) -> dict[str, Array]:
        """The next frame."""
        if "position" not in streams or not len(self.pairs):
            return streams
        x = streams["position"]
        self.across += (x[self.pairs[:, 1]] - x[self.pairs[:, 0]]).mean(axis=0)
        length = float(np.hypot(self.across[0], self.across[2]))
        if length < 1e-6:
            return streams
        cos, sin = self.across[0] / length, self.across[2] / length
        turned = x.copy()
        turned[:, 0] = cos * x[:, 0] + sin * x[:, 2]
        turned[:, 2] = cos * x[:, 2] - sin * x[:, 0]
        found = {**streams, "position": turned}
        q = streams.get("orientation")
        if q is not None:
            here = np.abs(q - (1.0, 0.0, 0.0, 0.0)).max(axis=1) >= 1e-9
            self.told = here if self.told is None else self.told | here
            turn = about(1, float(np.degrees(np.arctan2(sin, cos))))
            found["orientation"] = np.where(self.told[:, None], multiply(turn, q), q)
        return found


class Center:
    """`center` by the pelvis of each frame, or by that of the first."""

    def __init__(self, layout: Layout, by: str) -> None:
        self.pelvis, self.by = pelvis_joints(layout), by
        self.origin: Array | None = None

    def __call__(self, streams: dict[str, Array]) -> dict[str, Array]:
        """The next frame."""
        if "position" not in streams:
            return streams
        x = streams["position"]
        if self.by == "frame" or self.origin is None:
            self.origin = x[self.pelvis].mean(axis=0)
        return {**streams, "position": x - self.origin}


def causal_step(step: Step, layout: Layout, fps: float) -> Causal | None:
    """A transform that looks back only; None where it needs the whole recording."""
    settings = step.resolved()
    if not step.entry.source.built_in:
        return None
    if step.name == "repair-jumps":
        return Repair(layout, fps, **settings)
    if step.name == "face-camera":
        return Face(layout)
    if step.name == "center" and settings["by"] in ("frame", "first"):
        return Center(layout, settings["by"])
    return None


class Clock:
    """Frames at even times, on the straight lines between those that come.

    Args:
        rate: frames a second.
    """

    def __init__(self, rate: float) -> None:
        self.rate, self.done = rate, 0
        self.last: tuple[float, Frame] | None = None

    def __call__(self, frame: Frame, time: float) -> Iterator[dict[str, Array]]:
        """Those that are due once the frame at `time` is there."""
        before, self.last = self.last, (time, frame)
        while self.done / self.rate <= time + 1e-6:
            due = self.done / self.rate
            self.done += 1
            if before is None or due >= time - 1e-6:
                yield dict(frame)
                continue
            share = (due - before[0]) / (time - before[0])
            mixed = {k: v + share * (frame[k] - v) for k, v in before[1].items()}
            if "orientation" in mixed:
                mixed["orientation"] = normalized(mixed["orientation"])
            yield mixed


class Scaled:
    """The streams that a model is fed of single frames, scaled as in training.

    A stream of motion is the way to the next frame: its frames come one later. Of each quaternion
    and its negative, the one is taken that the frames so far speak for.

    Args:
        streams: of the model.
        scaler: as fitted in training.
        layout: of V joints.
        rate: frames a second.
    """

    def __init__(
        self, streams: Sequence[str], scaler: StreamScaler, layout: Layout, rate: float
    ) -> None:
        self.streams, self.layout, self.rate = tuple(streams), layout, rate
        self.raw = {name for stream in streams for name in SOURCES[stream]}
        self.later = any(name.endswith("motion") for name in streams)
        self.before: dict[str, Array] | None = None
        self.towards: Array | None = None
        self.mean = {k: v.double().numpy() for k, v in scaler.mean.items()}
        self.deviation = {k: v.double().numpy() for k, v in scaler.deviation.items()}
        reference = scaler.reference
        self.reference = None if reference is None else reference.double().numpy()

    def __call__(self, frame: dict[str, Array]) -> Tensor | None:
        """The streams side by side (1, V, C); None for the first frame where motion is fed."""
        now = {name: frame[name] for name in self.raw}
        if "orientation" in now and self.before is not None:
            q = now["orientation"][None]
            now["orientation"] = continuous_sign(q, self.before["orientation"])[0]
        before, self.before = self.before, now
        pair = [now]
        if self.later:
            if before is None:
                return None
            pair = [before, now]
        stacked = {name: np.stack([one[name] for one in pair]) for name in self.raw}
        made = derive(Motion(stacked, self.layout, self.rate), self.streams)
        parts = [self._scaled(name, made[name][0]) for name in self.streams]
        return torch.from_numpy(np.concatenate(parts, axis=-1)).float().unsqueeze(0)

    def _scaled(self, name: str, values: Array) -> Array:
        if name == "orientation" and self.reference is not None:
            along = np.einsum("vc,vc->v", values, self.reference)
            self.towards = along if self.towards is None else self.towards + along
            values = values * np.where(self.towards < 0, -1.0, 1.0)[:, None]
        if name not in self.mean:
            return values
        return (values - self.mean[name]) / self.deviation[name]


def _apart(a: Array, b: Array) -> float:
    """Distance of the median joint of two poses (V, 3)."""
    squared = ((a - b) ** 2).sum(axis=-1)
    middle = len(squared) // 2
    return float(np.sqrt(np.partition(squared, middle)[middle]))

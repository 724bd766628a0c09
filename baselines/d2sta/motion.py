"""How much each joint moves, in the measures that the grouping module of D2STA can go by.

``features`` and ``input`` are the paper's: standard deviations over time. ``relative`` and
``physiological`` answer the two weaknesses that it names (Kuang et al., Sensors 2026, 26(1), 287,
section 5): no regard to the body's topology and size, none to the limits of its joints.

Both need positions of one scale along all axes, while networks are fed z-scores, each joint and
coordinate by a mean and deviation of its own, which keep neither lengths nor angles. The
z-score is undone first: `D2STA.set_scale` is given the fitted means and deviations, which the
model keeps in its weights. They are training data's, like those of the scaler itself; nothing is
learnt from a test sample.

A measure goes from the streams a network is fed, each (N, T, V, C_s), and the mask (N, T) or None
to (N, V, C); C is its `channels`.

Axes: N sequences, T frames, V joints, C channels.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from baselines.d2sta.grouping import range_of_motion
from registry import find_config
from registry.nearest import did_you_mean
from registry.yaml_files import read_yaml
from zoo.build import build
from zoo.data.batch import STREAM_CHANNELS
from zoo.data.scalers import StreamScaler
from zoo.errors import ConfigError
from zoo.nn.masking import frame_mean
from zoo.skeleton.layout import Layout

MOTIONS = ("features", "input", "relative", "physiological")


class Unscaled(nn.Module):
    """Positions as they were before the z-score.

    Args:
        joints: V.

    Attributes:
        mean: (V, 3), of each coordinate.
        deviation: (V, 3). Until `set_scale` both leave positions as they are, which is right
            where the protocol's scaler is ``none``.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, joints: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(joints, 3))
        self.register_buffer("deviation", torch.ones(joints, 3))

    def forward(self, position: Tensor) -> Tensor:
        """(N, T, V, 3) z-scores → (N, T, V, 3) in the data's unit, float32 or wider."""
        position = position.to(torch.promote_types(position.dtype, torch.float32))
        return position * self.deviation + self.mean

    def set_scale(self, scaler: StreamScaler) -> None:
        """Take the mean and deviation of the fitted `scaler`."""
        if "position" in scaler.mean:
            self.mean.copy_(scaler.mean["position"])
            self.deviation.copy_(scaler.deviation["position"])


class InputMotion(nn.Module):
    """Standard deviation over time of every channel of every stream, as it comes in.

    Args:
        streams: the names of the streams.
    """

    def __init__(self, streams: Sequence[str]) -> None:
        super().__init__()
        self.channels = sum(STREAM_CHANNELS[name] for name in streams)

    def forward(self, inputs: Sequence[Tensor], mask: Tensor | None = None) -> Tensor:
        """The range of motion."""
        return range_of_motion(torch.cat(list(inputs), dim=-1), mask)


class PositionMotion(nn.Module):
    """A measure of positions as they were before the z-score.

    Args:
        layout: the skeleton.
        stream: place of the positions among the streams.
    """

    channels: int

    def __init__(self, layout: Layout, stream: int) -> None:
        super().__init__()
        self.stream = stream
        self.unscaled = Unscaled(layout.num_joints)

    def set_scale(self, scaler: StreamScaler) -> None:
        """Take the scale of the positions."""
        self.unscaled.set_scale(scaler)


class RelativeMotion(PositionMotion):
    r"""Standard deviation over time of the way from a joint's parent, in body sizes.

    .. math:: M_j = \mathrm{std}_t\left(\frac{x_j - x_{parent(j)}}{s}\right)

    The size s of a sequence's body is the length of its bones, the mean over bones and frames.
    The root, which has no parent, does not move. The index does not depend on the unit, the
    size of the body and where it stands or walks.
    """

    channels = 3
    parents: Tensor

    def __init__(self, layout: Layout, stream: int) -> None:
        super().__init__(layout, stream)
        parents = [joint if parent < 0 else parent for joint, parent in enumerate(layout.parents)]
        self.register_buffer("parents", torch.tensor(parents), persistent=False)
        self.bones = max(len(layout.bones), 1)

    def forward(self, inputs: Sequence[Tensor], mask: Tensor | None = None) -> Tensor:
        """The channels are x, y and z."""
        position = self.unscaled(inputs[self.stream])
        way = position - position[:, :, self.parents]
        size = frame_mean(way.norm(dim=-1).sum(dim=-1) / self.bones, mask)
        return range_of_motion(way / size.clamp_min(1e-8)[:, None, None, None], mask)


class PhysiologicalMotion(PositionMotion):
    """The range of each joint's angle, relative to the joint's normal range.

    Two channels: from the smallest to the largest angle, where 1 is a joint that goes through
    its whole normal range, and, less moved by single frames, the standard deviation. Both are
    relative to the normal range. They do not depend on the unit, the size of the body, where
    it stands and how it is turned.

    The normal ranges, their source, the bones between which each joint is measured, and what
    counts for joints without a range: ``normal_ranges.yaml`` beside this file.

    Raises:
        ConfigError: the table of normal ranges is malformed.
    """

    channels = 2
    ends: Tensor
    share: Tensor

    def __init__(self, layout: Layout, stream: int) -> None:
        super().__init__(layout, stream)
        angles = joint_angles(layout)
        ends = torch.tensor([angle.ends for angle in angles], dtype=torch.long).reshape(-1, 4)
        share = torch.zeros(layout.num_joints, len(angles))
        for number, angle in enumerate(angles):
            share[angle.joint, number] = 1 / math.radians(angle.degrees)
        share /= (share > 0).sum(dim=1, keepdim=True).clamp_min(1)
        self.register_buffer("ends", ends.T.contiguous(), persistent=False)
        self.register_buffer("share", share, persistent=False)

    def forward(self, inputs: Sequence[Tensor], mask: Tensor | None = None) -> Tensor:
        """The channels are extent and standard deviation."""
        position = self.unscaled(inputs[self.stream])
        from_a, to_a, from_b, to_b = self.ends
        angle = _angle_between(
            position[:, :, to_a] - position[:, :, from_a],
            position[:, :, to_b] - position[:, :, from_b],
        )
        high, low = angle, angle
        if mask is not None:
            high = angle.masked_fill(~mask[:, :, None], 0.0)
            low = angle.masked_fill(~mask[:, :, None], math.pi)
        extent = (high.amax(dim=1) - low.amin(dim=1)).clamp_min(0)
        deviation = range_of_motion(angle[..., None], mask)[..., 0]
        ranges = torch.stack([extent, deviation], dim=-1)
        return torch.einsum("nkc,vk->nvc", ranges, self.share.to(ranges.dtype))


class JointAngle(NamedTuple):
    """An angle of a skeleton.

    Attributes:
        joint: whose it is.
        ends: joints a, b, c, d: between the directions from a to b and from c to d.
        degrees: its normal range.
    """

    joint: int
    ends: tuple[int, int, int, int]
    degrees: float


@dataclass(frozen=True)
class AngleRow:
    """A row of the table of normal ranges.

    Attributes:
        joint: whose angle it is.
        range: name of its normal range.
        between: two directions, each from one joint to another.
    """

    joint: str
    range: str
    between: tuple[tuple[str, str], tuple[str, str]]


@dataclass(frozen=True)
class RangeTable:
    """The table of normal ranges.

    Attributes:
        ranges: in degrees, by name.
        angles: which joints have one.
    """

    ranges: Mapping[str, float]
    angles: tuple[AngleRow, ...]


def joint_angles(layout: Layout) -> list[JointAngle]:
    """The angles by which the motion of the joints of `layout` is measured.

    Where a joint has several, the mean of their ranges is taken. A table of one's own stands as
    ``motion/normal_ranges.yaml`` in a folder given by ``--config-dir``.

    Raises:
        ConfigError: the table of normal ranges is malformed.
    """
    own = find_config("motion", "normal_ranges")
    file = Path(__file__).with_name("normal_ranges.yaml") if own is None else own
    table = build(RangeTable, read_yaml(file), str(file))
    angles: list[JointAngle] = []
    for row in table.angles:
        if row.range not in table.ranges:
            near = did_you_mean(row.range, table.ranges)
            raise ConfigError(f"{file}: no range is called {row.range!r}. {near}")
        degrees = table.ranges[row.range]
        if not degrees > 0:
            raise ConfigError(f"{file}: the range {row.range} is {degrees:g} degrees, not above 0")
        (a, b), (c, d) = row.between
        if {row.joint, a, b, c, d} <= set(layout.joints):
            ends = (layout.index(a), layout.index(b), layout.index(c), layout.index(d))
            angles.append(JointAngle(layout.index(row.joint), ends, degrees))
    known = {angle.joint for angle in angles}
    for child, middle in layout.bones:
        parent = layout.parents[middle]
        if parent >= 0 and middle not in known:
            angles.append(JointAngle(middle, (middle, parent, middle, child), 180.0))
    return angles


def motion_index(
    motion: str, layout: Layout, streams: Sequence[str]
) -> InputMotion | PositionMotion | None:
    """The measure called `motion` (one of `MOTIONS`); None for ``features``.

    Args:
        motion: its name.
        layout: the skeleton.
        streams: names of the streams a network is fed, in order.

    Raises:
        ConfigError: no such measure, or it needs positions and they are not among the streams.
    """
    if motion not in MOTIONS:
        raise ConfigError(
            f"motion={motion!r} is none of {', '.join(MOTIONS)}. {did_you_mean(motion, MOTIONS)}"
        )
    if motion == "features":
        return None
    if motion == "input":
        return InputMotion(streams)
    if "position" not in streams:
        raise ConfigError(
            f"motion={motion} measures positions, the streams are {', '.join(streams)}. Add "
            "position to the streams, or set motion to features or input"
        )
    kind = RelativeMotion if motion == "relative" else PhysiologicalMotion
    return kind(layout, list(streams).index("position"))


def _angle_between(a: Tensor, b: Tensor) -> Tensor:
    """Angle (...) in radians, 0 to π, between `a` (..., 3) and `b`; 0 where one has no length.

    From both sine and cosine, which is accurate at 0 and π, where arccos is not; the gradient is
    finite everywhere.
    """
    sine = torch.linalg.cross(a, b).norm(dim=-1)
    cosine = (a * b).sum(dim=-1)
    empty = (sine == 0) & (cosine == 0)
    return torch.where(empty, 0.0, torch.atan2(sine, torch.where(empty, 1.0, cosine)))

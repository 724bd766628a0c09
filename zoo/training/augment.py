"""Training samples, changed anew in every epoch by what keeps their score (``trainer.augment``).

The streams a recording has (position, orientation, angle) are changed in the units of the protocol,
before they are scaled; bones and motions are then derived from the changed positions, so that every
stream of a sample shows one and the same body. What is drawn follows from the seed, the epoch and
the step, each switch from numbers of its own: a resumed training sees the same samples, and one
switch more changes nothing of what the others draw.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from zoo.data.batch import Batch
from zoo.data.resample import SOURCES
from zoo.data.scalers import StreamScaler
from zoo.data.transforms.body import pelvis_joints
from zoo.data.transforms.motion import MIRROR, RAW_STREAMS
from zoo.errors import ConfigError
from zoo.nn.model import Contract
from zoo.skeleton.kinematics import quat_about, quat_multiply, quat_rotate
from zoo.skeleton.layout import Layout, tree_levels
from zoo.training.config import Augment
from zoo.training.seeding import derive_seed

Draw = Callable[[str], torch.Generator]
"""From the name of a switch to the random numbers of this step that are its own."""


@dataclass(frozen=True, eq=False)
class AugmentedSamples:
    """Training samples that are changed whenever they are asked for.

    Attributes:
        settings: what is changed.
        layout: of the samples.
        batch: the samples, unscaled.
        scaler: as fitted on unchanged samples.
        seed: of the run.
    """

    settings: Augment
    layout: Layout
    batch: Batch
    scaler: StreamScaler
    seed: int

    @classmethod
    def of(
        cls, settings: Augment, layout: Layout, scaler: StreamScaler, scaled: Batch, seed: int
    ) -> "AugmentedSamples":
        """Those of the `scaled` batch."""
        return cls(settings, layout, scaler.inverse(scaled), scaler, seed)

    def to(self, device: torch.device) -> "AugmentedSamples":
        """The same samples on `device`; random numbers are drawn on the CPU all the same."""
        return replace(self, batch=self.batch.to(device))

    def draw(self, index: Tensor, epoch: int, step: int) -> Batch:
        """The samples at `index` (M,), changed and scaled, as one step of the training sees them.

        Args:
            index: which.
            epoch: from 1.
            step: from 0, within the epoch.
        """

        def numbers(switch: str) -> torch.Generator:
            seed = derive_seed("augment", self.seed, epoch, step, switch)
            return torch.Generator().manual_seed(seed)

        changed = augmented(self.batch.select(index), self.settings, self.layout, numbers)
        return self.scaler.transform(changed)


def augmented(batch: Batch, settings: Augment, layout: Layout, draw: Draw) -> Batch:
    """A new batch of N samples of V joints, unscaled, changed as `settings` says.

    Args:
        batch: unscaled samples; padded frames hold zeros, then and afterwards.
        settings: what is changed.
        layout: of the samples.
        draw: where each switch's random numbers come from.
    """
    wanted = tuple(batch.x)
    raw = {name: batch.x[name] for name in RAW_STREAMS if name in batch.x}
    if "position" not in raw and "bone" in batch.x:
        raw["position"] = _down_the_tree(batch.x["bone"], layout)
    body = _Bodies(raw, batch.mask, layout)
    size = batch.size
    if settings.mirror:
        chosen = torch.rand(size, generator=draw("mirror")) < settings.mirror
        body = body.mirrored(chosen.to(body.device))
    if settings.turn:
        degrees = settings.turn * _both_ways((size,), draw("turn"))
        body = body.turned(torch.deg2rad(degrees).to(body.device))
    if settings.limbs:
        limb = limbs(layout)
        drawn = _both_ways((size, int(limb.max()) + 1), draw("limbs"))[:, limb]
        body = body.lengthened((1 + settings.limbs * drawn).to(body.device))
    if settings.lost:
        body = body.with_gaps(*_gaps(body.lengths.cpu(), layout, settings.lost, draw("lost")))
    if settings.noise:
        shape = raw["position"].shape
        noise = settings.noise * torch.randn(shape, generator=draw("noise"))
        body = body.shifted(noise.to(body.device))
    if settings.crop < 1:
        share = torch.rand(2, size, generator=draw("crop"))
        body = body.cropped(settings.crop, *share.to(body.device))
    return batch._replace(x=body.streams(wanted), mask=body.mask)


@dataclass(frozen=True, eq=False)
class _Bodies:
    """Raw streams (N, T, V, C) of N samples, their mask (N, T) and their layout."""

    raw: dict[str, Tensor]
    mask: Tensor | None
    layout: Layout

    @property
    def device(self) -> torch.device:
        return next(iter(self.raw.values())).device

    @property
    def lengths(self) -> Tensor:
        """Real frames (N,) of each sample."""
        first = next(iter(self.raw.values()))
        if self.mask is None:
            return torch.full((len(first),), first.shape[1], device=first.device)
        return self.mask.sum(1)

    def mirrored(self, chosen: Tensor) -> "_Bodies":
        """Those `chosen` (N,) as a mirror at x = 0 shows them.

        See `zoo.data.transforms.motion.MIRROR`.
        """
        partner = list(self.layout.mirror)
        raw = dict(self.raw)
        for name in MIRROR.keys() & raw.keys():
            x = raw[name]
            other = x[:, :, partner] * x.new_tensor(MIRROR[name])
            raw[name] = torch.where(chosen[:, None, None, None], other, x)
        return replace(self, raw=raw)

    def turned(self, angle: Tensor) -> "_Bodies":
        """Each body turned by `angle` (N,) radians about the vertical (y) through its pelvis."""
        q = quat_about(1, angle)[:, None, None]
        raw = dict(self.raw)
        if "position" in raw:
            pivot = self._mean_pelvis() * raw["position"].new_tensor((1, 0, 1))
            raw["position"] = quat_rotate(q, raw["position"] - pivot) + pivot
        if "orientation" in raw:
            old = raw["orientation"]
            raw["orientation"] = torch.where(self._unoriented(), old, quat_multiply(q, old))
        return replace(self, raw=raw)

    def lengthened(self, factor: Tensor) -> "_Bodies":
        """The bone that ends in each joint times `factor` (N, V), the pelvis staying in place."""
        x = self.raw["position"]
        scaled = _down_the_tree(_bones(x, self.layout) * factor[:, None, :, None], self.layout)
        pelvis = pelvis_joints(self.layout)
        back = (x[:, :, pelvis] - scaled[:, :, pelvis]).mean(2, keepdim=True)
        return replace(self, raw={**self.raw, "position": scaled + back})

    def with_gaps(self, start: Tensor, stop: Tensor) -> "_Bodies":
        """Frames `start` to `stop` (N, V) of each joint lost, and bridged by a straight line.

        At the ends the nearest seen value is held, as `zoo.data.gaps.bridged` does.
        """
        start, stop = start.to(self.device), stop.to(self.device)
        frames = next(iter(self.raw.values())).shape[1]
        last = self.lengths[:, None] - 1
        before = torch.where(start > 0, start - 1, stop).clamp(max=last)
        after = torch.where(stop <= last, stop, start - 1).clamp(min=0)
        t = torch.arange(frames, device=self.device)[:, None]
        way = (t - start[:, None] + 1) / (stop - start + 1)[:, None]
        lost = ((t >= start[:, None]) & (t < stop[:, None]))[..., None]
        raw = {}
        for name, x in self.raw.items():
            a, b = _at_frame(x, before), _at_frame(x, after)
            if name == "orientation":
                b = torch.where((a * b).sum(-1, keepdim=True) < 0, -b, b)
            bridge = a + way[..., None] * (b - a)
            if name == "orientation":
                bridge = torch.nn.functional.normalize(bridge, dim=-1)
            raw[name] = torch.where(lost, bridge, x)
        return replace(self, raw=raw)

    def shifted(self, by: Tensor) -> "_Bodies":
        """Positions with `by` (N, T, V, 3) added."""
        return replace(self, raw={**self.raw, "position": self.raw["position"] + by})

    def cropped(self, least: float, share: Tensor, place: Tensor) -> "_Bodies":
        """One piece of each sample, moved to its front, the mask behind it.

        Args:
            least: the smallest share of the frames that is kept.
            share: (N,) in [0, 1), from `least` of the frames to all of them.
            place: (N,) in [0, 1), from the earliest piece to the latest.
        """
        whole = self.lengths
        kept = ((least + (1 - least) * share) * whole).round().clamp(min=1).long()
        first = (place * (whole - kept + 1)).long()
        frames = next(iter(self.raw.values())).shape[1]
        t = torch.arange(frames, device=self.device)
        at = (first[:, None] + t).clamp(max=frames - 1)
        rows = torch.arange(len(at), device=self.device)[:, None]
        raw = {name: x[rows, at] for name, x in self.raw.items()}
        return replace(self, raw=raw, mask=t < kept[:, None])

    def streams(self, names: Sequence[str]) -> dict[str, Tensor]:
        """The streams called `names`, each (N, T, V, C), zero in padded frames."""
        found = {}
        for name in names:
            if name in self.raw:
                x = self.raw[name]
            else:
                x = self.raw["position"]
                x = x if name == "joint_motion" else _bones(x, self.layout)
                x = x if name == "bone" else self._motion(x)
            found[name] = x if self.mask is None else x * self.mask[:, :, None, None]
        return found

    def _motion(self, x: Tensor) -> Tensor:
        """Difference to the next frame; 0 in the last real one."""
        moved = torch.zeros_like(x)
        moved[:, :-1] = x[:, 1:] - x[:, :-1]
        if self.mask is not None:
            moved[:, :-1] *= self.mask[:, 1:, None, None]
        return moved

    def _mean_pelvis(self) -> Tensor:
        """(N, 1, 1, 3)."""
        pelvis = self.raw["position"][:, :, pelvis_joints(self.layout)].mean(2)
        if self.mask is not None:
            pelvis = pelvis * self.mask[..., None]
        return (pelvis.sum(1) / self.lengths[:, None])[:, None, None]

    def _unoriented(self) -> Tensor:
        """(N, 1, V, 1): joints to which the sensor gives no orientation, the identity always."""
        q = self.raw["orientation"]
        none = q[..., 1:].abs().amax(-1) < 1e-5
        if self.mask is not None:
            none = none | ~self.mask[..., None]
        return none.all(1)[:, None, :, None]


def limbs(layout: Layout) -> Tensor:
    """Number of the limb (V,) that each joint's bone belongs to; the same on both sides.

    The limbs are the layout's body parts; joints in none are one more.
    """
    part = {joint: name for name, joints in layout.parts.items() for joint in joints}
    both = [
        tuple(sorted((part.get(joint, ""), part.get(other, ""))))
        for joint, other in enumerate(layout.mirror)
    ]
    number = {limb: i for i, limb in enumerate(dict.fromkeys(both))}
    return torch.tensor([number[limb] for limb in both])


def require_augmentable(settings: Augment, contract: Contract, layout: Layout) -> None:
    """Nothing, if what a model is fed can be changed as `settings` says.

    Args:
        settings: what is changed.
        contract: of the model.
        layout: of the samples.

    Raises:
        ConfigError: it cannot, with the reason.
    """
    on, streams = settings.switched_on, contract.streams
    if not on:
        return
    if contract.closed_form or contract.derive is not None:
        why = "is fitted once and sees no epochs"
        if not contract.closed_form:
            why = "learns from what it has computed of the recordings once"
        raise ConfigError(
            f"trainer.augment.{on[0]} is set, but this model {why}: augmentation is for models "
            "that are trained by gradients on the recordings themselves"
        )
    fed = " and ".join(streams)
    placed = "position" in streams or ("bone" in streams and "joint_motion" not in streams)
    derived = [name for name in streams if name not in RAW_STREAMS]
    if derived and not placed:
        raise ConfigError(
            f"trainer.augment.{on[0]} is set, and the model is fed {fed}: changed samples need the "
            f"{SOURCES[derived[0]][0]} that {derived[0]} is derived from. Add it, as "
            f"model.streams=[position, {', '.join(streams)}], or switch augmentation off"
        )
    for key in on:
        reason = _reason(key, streams, layout, placed)
        if reason:
            raise ConfigError(f"trainer.augment.{key} is set, but {reason}")


def _reason(key: str, streams: Sequence[str], layout: Layout, placed: bool) -> str:
    if key == "mirror" and not layout.pairs:
        return f"the layout {layout.name} has no pairs of left and right joints"
    if key in ("mirror", "turn") and "angle" in streams:
        return (
            "the model is fed joint angles: which way an angle counts on either side, and against "
            "the room, is its sensor's own choice and not known here"
        )
    if key in ("limbs", "noise") and not placed:
        return f"it changes positions, and the model is fed {' and '.join(streams)}"
    return ""


def _gaps(
    lengths: Tensor, layout: Layout, chance: float, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """First frame of each joint's gap and the one behind it, both (N, V); empty where none is."""
    chosen, length, place = torch.rand(3, len(lengths), layout.num_joints, generator=generator)
    whole = lengths[:, None]
    gap = torch.where(chosen < chance, (length * whole / 2).ceil(), 0).long().clamp(max=whole - 1)
    start = (place * (whole - gap + 1)).long()
    return start, start + gap


def _both_ways(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Uniform in [−1, 1)."""
    return 2 * torch.rand(shape, generator=generator) - 1


def _at_frame(x: Tensor, frame: Tensor) -> Tensor:
    """(N, 1, V, C): of each joint its values in `frame` (N, V)."""
    at = frame[:, None, :, None].expand(-1, 1, -1, x.shape[-1])
    return x.gather(1, at)


def _bones(x: Tensor, layout: Layout) -> Tensor:
    """From each joint's parent to it (N, T, V, 3); 0 at the root."""
    parents = [parent if parent >= 0 else joint for joint, parent in enumerate(layout.parents)]
    return x - x[:, :, parents]


def _down_the_tree(bones: Tensor, layout: Layout) -> Tensor:
    """Places (N, T, V, 3) of joints whose bones these are, the root in the origin."""
    places = bones.clone()
    for level in tree_levels(layout.parents)[1:]:
        places[:, :, level] += places[:, :, [layout.parents[joint] for joint in level]]
    return places

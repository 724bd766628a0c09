"""Which layers of a trained network work on one frame at a time in another form, and in which."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from zoo.nn.blocks import GraphUnit
from zoo.nn.multibranch import MultiBranchConv, Peak
from zoo.nn.norm import BatchNorm, InputNorm
from zoo.nn.pointwise import PointConv
from zoo.nn.sequence import SequenceConv
from zoo.nn.spatial import JointBiasConv, SkeletonConv
from zoo.nn.stepping import (
    Affine,
    DenseGraph,
    Recurrent,
    StepAlongTime,
    StepCell,
    StepFrames,
    StepPeak,
    StepPoints,
    Tape,
    Window,
    WindowMap,
    affine_of,
)
from zoo.nn.temporal import AlongTime, FrameConv, TemporalConv

FIXED_GRAPHS = (SkeletonConv, JointBiasConv)
"""Convolutions, but not what derives from them, whose graph is the same for all sequences."""


@dataclass(frozen=True)
class Seen:
    """What a layer along time was given of one sequence.

    Attributes:
        rate: frames of the network's input for one of the layer's.
        joints: V; 1 where all joints of a frame are one vector.
        channels: C.
        rows: sequences that a recurrent network runs along, such as one a joint.
    """

    rate: int
    joints: int = 1
    channels: int = 1
    rows: int = 1


def stepped(
    name: str, layer: nn.Module, tape: Tape, seen: Seen, norms: dict[nn.Module, nn.Module]
) -> nn.Module | None:
    """What replaces a layer; None for one that stays, as it looks at single frames.

    Args:
        name: of the layer.
        layer: of a trained network.
        tape: of the step.
        seen: what the layer was given.
        norms: the normalisation behind a layer, which is taken into it.
    """
    norm = norms.get(layer)
    folded = None if norm is None else affine_of(norm)  # type: ignore[arg-type]
    if isinstance(layer, PointConv):
        return StepPoints(WindowMap(layer.weight, layer.bias, norm=folded))
    if isinstance(layer, AlongTime):
        frames = (layer.kernel_size[0] - 1) * layer.dilation[0] + 1
        window = Window(tape, name, seen.joints, layer.in_channels, frames, seen.rate)
        dilation = layer.dilation[0]
        return StepAlongTime(window, WindowMap(layer.weight, layer.bias, dilation, norm=folded))
    if isinstance(layer, Peak):
        return StepPeak(Window(tape, name, seen.joints, seen.channels, 3, seen.rate))
    if isinstance(layer, FrameConv):
        frames = layer.kernel_size[0]
        window = Window(tape, name, seen.joints, layer.in_channels, frames, seen.rate)
        return StepFrames(window, WindowMap(layer.weight, layer.bias))
    if isinstance(layer, SequenceConv):
        conv, frames = layer.conv, (layer.conv.kernel_size[0] - 1) * layer.dilation + 1
        window = Window(tape, name, 1, conv.in_channels, frames, seen.rate)
        return StepFrames(window, WindowMap(conv.weight, conv.bias, layer.dilation, conv.groups))
    if isinstance(layer, Recurrent):
        return StepCell(tape, name, layer, seen.rows, seen.rate)
    if type(layer) in FIXED_GRAPHS:
        assert isinstance(layer, SkeletonConv)
        return DenseGraph(layer, folded)
    return None


def norms_behind(model: nn.Module) -> dict[nn.Module, nn.Module]:
    """By layer, the normalisation that follows it and can be taken into it."""
    found: dict[nn.Module, nn.Module] = {}
    for module in model.modules():
        if isinstance(module, GraphUnit | TemporalConv):
            if isinstance(module, TemporalConv) or type(module.conv) in FIXED_GRAPHS:
                found[module.conv] = module.norm
        elif isinstance(module, MultiBranchConv):
            found[module.entry] = module.entry_norm
            if module.mix is not None and module.mix_norm is not None:
                found[module.mix] = module.mix_norm
    return found


def stepped_norm(norm: BatchNorm | InputNorm, taken: bool, joints: int) -> nn.Module:
    """What replaces a normalisation; `taken` says that the layer before it does its work."""
    relu = isinstance(norm, BatchNorm) and norm.relu
    if taken:
        return nn.ReLU() if relu else nn.Identity()
    scale, shift = affine_of(norm)
    if isinstance(norm, InputNorm):
        scale, shift = scale.view(joints, -1), shift.view(joints, -1)
    return Affine(scale, shift, norm.weight.dtype, relu)


def replace_layers(
    model: nn.Module, replacement: Callable[[str, nn.Module], nn.Module | None]
) -> None:
    """Put what `replacement` gives for a layer and its name in its place, inner ones first."""
    for name, layer in reversed(list(model.named_modules())):
        new = replacement(name, layer) if name else None
        if new is not None:
            parent, _, last = name.rpartition(".")
            setattr(model.get_submodule(parent), last, new)

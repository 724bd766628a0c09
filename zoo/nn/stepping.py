"""Layers as they work on one frame at a time, for `zoo.nn.streaming`.

A layer along time is replaced by one that keeps the frames it needs of its own input. What it keeps
stands on a `Tape`, which hands out the state before a frame and collects the one after it, so that
the step itself holds no state: tensors go in and come out.

Shapes are those of the layers replaced, with T = 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.nn.spatial import JointBiasConv, SkeletonConv
from zoo.nn.trunk import Trunk

Recurrent = nn.GRU | nn.LSTM | nn.RNN


class NothingNewError(Exception):
    """No layer behind the trunks has anything to do at this frame."""


@dataclass(eq=False)
class Tape:
    """The state of a step's layers while it works on a frame.

    Attributes:
        count: frames before this one: a number, or a tensor () where the step is exported, which
            must not depend on it.
        state: before the frame.
        kept: after it.
        shapes: of each state, for one sequence; the axis along which sequences stand.
        names: of the layers they belong to.
    """

    count: int | Tensor = 0
    state: list[Tensor] = field(default_factory=list)
    kept: list[Tensor] = field(default_factory=list)
    shapes: list[tuple[tuple[int, ...], int]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def reserve(self, name: str, shape: Sequence[int], axis: int = 0) -> int:
        """Room for a state; its place."""
        self.names.append(name)
        self.shapes.append((tuple(shape), axis))
        return len(self.shapes) - 1

    def due(self, rate: int) -> bool | Tensor:
        """Whether what happens every `rate` frames happens at this one."""
        return True if rate == 1 else self.count % rate == 0

    def keep(self, place: int, new: Tensor, rate: int) -> None:
        """Take over `new` as the state at a place, if it is due."""
        due = self.due(rate)
        if isinstance(due, Tensor):
            new = torch.where(due, new, self.state[place])
        elif not due:
            return
        self.kept[place] = new


class Window(nn.Module):
    """The last R frames of a layer's input, zeros before the first.

    Args:
        tape: of the step.
        name: of the layer.
        joints: V.
        channels: C.
        frames: R.
        rate: frames of the network's input for one of the layer's.

    Shapes: x (N, V, C) → (N, V, R, C).
    """

    def __init__(
        self, tape: Tape, name: str, joints: int, channels: int, frames: int, rate: int
    ) -> None:
        super().__init__()
        self.tape, self.rate = tape, rate
        self.place = tape.reserve(name, (1, joints, frames - 1, channels)) if frames > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        """Push a frame."""
        x = x.unsqueeze(2)
        if self.place is None:
            return x
        window = torch.cat([self.tape.state[self.place], x], dim=2)
        self.tape.keep(self.place, window[:, :, 1:], self.rate)
        return window


class WindowMap(nn.Module):
    """A convolution along time, of the last frame of a window alone.

    Args:
        weight: (C_out, C_in / groups, k, 1).
        bias: (C_out,) or None.
        dilation: of the kernel.
        groups: of channels.
        scale: (C_out,) and shift (C_out,) of a normalisation that follows, or None.

    Shapes: window (N, V, R, C_in) → (N, V, C_out).
    """

    weight: Tensor
    bias: Tensor

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None,
        dilation: int = 1,
        groups: int = 1,
        norm: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        super().__init__()
        wide = weight.detach().squeeze(3).double()
        if groups > 1:  # the channels of other groups count nothing
            size, per_group = wide.shape[0] // groups, wide.shape[1]
            blocks = wide.new_zeros(wide.shape[0], per_group * groups, wide.shape[2])
            for g in range(groups):
                rows, columns = (slice(g * n, (g + 1) * n) for n in (size, per_group))
                blocks[rows, columns] = wide[rows]
            wide = blocks
        shift = wide.new_zeros(len(wide)) if bias is None else bias.detach().double()
        if norm is not None:
            wide = wide * norm[0][:, None, None]
            shift = shift * norm[0] + norm[1]
        self.dilation = dilation
        flat = wide.transpose(1, 2).flatten(1)
        self.register_buffer("weight", flat.to(weight.dtype).contiguous())
        self.register_buffer("bias", shift.to(weight.dtype))

    def forward(self, window: Tensor) -> Tensor:
        """Convolve."""
        if self.dilation > 1:
            window = window[:, :, :: self.dilation]
        return F.linear(window.flatten(2), self.weight, self.bias)


class Affine(nn.Module):
    """A batch normalisation as it is after training: x·scale + shift, and perhaps a ReLU.

    Shapes: x (N, T, V, C), scale and shift (C,) or (V, C) → (N, T, V, C).
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, scale: Tensor, shift: Tensor, dtype: torch.dtype, relu: bool) -> None:
        super().__init__()
        self.relu = relu
        self.register_buffer("scale", scale.to(dtype))
        self.register_buffer("shift", shift.to(dtype))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise."""
        y = x * self.scale + self.shift
        return F.relu(y) if self.relu else y


def affine_of(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Scale and shift of a trained normalisation, in double precision."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    mean, variance = norm.running_mean.double(), norm.running_var.double()
    scale = norm.weight.detach().double() * (variance + norm.eps).rsqrt()
    return scale, norm.bias.detach().double() - mean * scale


class DenseGraph(nn.Module):
    r"""`SkeletonConv` of one frame as two matrix products, with what normalises it.

    .. math:: y_w = o_w + \sum_k W_k \sum_v A_{k,v,w}\, x_v

    Shapes: x (N, 1, V, C_in) → (N, 1, V, C_out); a mask is not needed.
    """

    graph: Tensor
    weight: Tensor
    offset: Tensor

    def __init__(self, conv: SkeletonConv, norm: tuple[Tensor, Tensor] | None = None) -> None:
        super().__init__()
        adjacency = conv.adjacency().detach().double()  # [type, source, target]
        weight, bias = conv.weight.detach().double(), conv.bias.detach().double()
        if isinstance(conv, JointBiasConv):
            offset = bias.sum(0).expand(conv.num_joints, -1)
        else:
            offset = torch.einsum("kvw,ko->wo", adjacency, bias)
        if norm is not None:
            weight, offset = weight * norm[0][:, None], offset * norm[0] + norm[1]
        dtype = conv.weight.dtype
        rows = adjacency.permute(2, 0, 1).flatten(0, 1)  # [target and type, source]
        self.register_buffer("graph", rows.to(dtype).contiguous())
        flat = weight.permute(1, 0, 2).flatten(1)  # [C_out, type and C_in]
        self.register_buffer("weight", flat.to(dtype).contiguous())
        self.register_buffer("offset", offset.to(dtype).contiguous())

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve."""
        h = (self.graph @ x).unflatten(2, (x.shape[2], -1)).flatten(3)
        return F.linear(h, self.weight) + self.offset


class StepAlongTime(nn.Module):
    """`AlongTime`, image (N, C_in, 1, V) → (N, C_out, 1, V)."""

    def __init__(self, window: Window, convolve: WindowMap) -> None:
        super().__init__()
        self.window, self.convolve = window, convolve

    def forward(self, image: Tensor) -> Tensor:
        """Convolve."""
        y: Tensor = self.convolve(self.window(image.squeeze(2).transpose(1, 2)))
        return y.transpose(1, 2).unsqueeze(2)


class StepPeak(nn.Module):
    """`Peak`, image (N, C, 1, V) → (N, C, 1, V)."""

    def __init__(self, window: Window) -> None:
        super().__init__()
        self.window = window

    def forward(self, image: Tensor) -> Tensor:
        """The maximum."""
        y: Tensor = self.window(image.squeeze(2).transpose(1, 2))
        return y.amax(2).transpose(1, 2).unsqueeze(2)


class StepFrames(nn.Module):
    """`FrameConv` and `SequenceConv`: x (N, 1, V, C_in) or (N, 1, C_in), mask → C_out channels."""

    def __init__(self, window: Window, convolve: WindowMap) -> None:
        super().__init__()
        self.window, self.convolve = window, convolve

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve."""
        frame = x.squeeze(1) if x.dim() == 4 else x
        y: Tensor = self.convolve(self.window(frame))
        return y.unsqueeze(1) if x.dim() == 4 else y


class StepPoints(nn.Module):
    """`PointConv`, with what normalises it: x (N, 1, V, C_in) → (N, 1, V, C_out)."""

    def __init__(self, convolve: WindowMap) -> None:
        super().__init__()
        self.convolve = convolve

    def forward(self, x: Tensor) -> Tensor:
        """Map every joint."""
        return F.linear(x, self.convolve.weight, self.convolve.bias)


class StepCell(nn.Module):
    """A recurrent network in one direction: x (N, 1, C) → its states at this frame (N, 1, H)."""

    def __init__(self, tape: Tape, name: str, cell: Recurrent, rows: int, rate: int) -> None:
        super().__init__()
        self.tape, self.cell, self.rate = tape, cell, rate
        shape = cell.num_layers, rows, cell.hidden_size
        parts = ("h", "c") if isinstance(cell, nn.LSTM) else ("h",)
        self.places = [tape.reserve(f"{name}.{part}", shape, axis=1) for part in parts]

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        """Go on from the state before."""
        before = [self.tape.state[place] for place in self.places]
        y, after = self.cell(x, tuple(before) if len(before) > 1 else before[0])
        for place, new in zip(self.places, after if len(before) > 1 else [after], strict=True):
            self.tape.keep(place, new, self.rate)
        return y, None


class StepTrunk(nn.Module):
    """`Trunk`, which leaves alone the blocks that have nothing to do at this frame.

    Args:
        tape: of the step.
        trunk: with layers that are replaced already.
        rates: frames of the network's input for one of what comes out of each block.
        last: whether no other trunk comes after it; it then says that there is nothing new.
        history: what it gives, all frames so far, where what follows looks at them all: a name, V
            and C. None for the newest frame alone.
    """

    def __init__(
        self,
        tape: Tape,
        trunk: Trunk,
        rates: Sequence[int],
        last: bool,
        history: tuple[str, int, int] | None,
    ) -> None:
        super().__init__()
        self.tape, self.stem, self.blocks, self.rates = tape, trunk.stem, trunk.blocks, rates
        self.last, self.place = last, None
        if history is not None:
            name, joints, channels = history
            self.place = tape.reserve(name, (1, 0, joints, channels))

    def forward(
        self, x: Tensor, mask: Tensor | None = None, added: Sequence[Tensor] = ()
    ) -> tuple[Tensor, None]:
        """Features of the last block."""
        x = self.stem(x)
        for index, (block, rate) in enumerate(zip(self.blocks, self.rates, strict=True)):
            x, _ = block(x + added[index] if added else x, None)
            if self.tape.due(rate) is False:
                if self.last:
                    raise NothingNewError
                return x, None
        if self.place is not None:
            x = torch.cat([self.tape.state[self.place], x], dim=1)
            self.tape.kept[self.place] = x
        return x, None

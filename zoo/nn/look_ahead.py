"""Which layer of a network sees later frames: found by changing them."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from zoo.data.batch import STREAM_CHANNELS, Batch
from zoo.nn.model import ScoreModel

ROUNDING = 1e-4
"""Difference between features, relative to their size, that rounding explains."""
_WITHIN = ("BatchNorm", "PointConv", "Linear")
"""Layers that look at one frame: where one shows later frames, the layer it belongs to saw them."""


def random_streams(model: ScoreModel, frames: int, sequences: int = 1) -> dict[str, Tensor]:
    """Streams (N, T, V, C) of random numbers, always the same."""
    made = torch.Generator().manual_seed(frames)
    like = next(model.parameters())
    return {
        name: torch.randn(
            sequences, frames, model.num_joints, STREAM_CHANNELS[name], generator=made
        ).to(like)
        for name in model.streams
    }


@torch.no_grad()
def looks_ahead(model: ScoreModel) -> str:
    """Which layer sees later frames, in words."""
    frames, changed = 37, 20
    first = random_streams(model, frames, 3)
    second = {
        name: torch.cat([x[:, :changed], x[:, changed:].flip(0) + 1], dim=1)
        for name, x in first.items()
    }
    with _evaluated(model):
        seen = [dict(_outputs(model, x, frames)) for x in (first, second)]
    for name, before in seen[0].items():
        after = seen[1].get(name)
        if after is None or after.shape != before.shape:
            continue
        stride = round(frames / before.shape[1])
        same = -(-changed // stride)
        size = before.abs().max().clamp(min=1e-12)
        if bool((before - after)[:, :same].abs().max() > ROUNDING * size):
            if type(model.get_submodule(name)).__name__ in _WITHIN:
                name = name.rpartition(".")[0] or name
            kind = type(model.get_submodule(name)).__name__
            return f"its layer {name} ({kind}) looks at later frames"
    return "its features are of the whole recording, not of each frame"


@contextmanager
def _evaluated(model: nn.Module) -> Iterator[None]:
    was = model.training
    model.eval()
    yield
    model.train(was)


def _outputs(model: ScoreModel, x: dict[str, Tensor], frames: int) -> Iterator[tuple[str, Tensor]]:
    """What comes out of each layer that keeps time as the axis behind that of sequences."""
    found: list[tuple[str, Tensor]] = []
    lengths = {-(-frames // 2**i) for i in range(4)}

    def note(name: str) -> Any:
        def hook(layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            y = output[0] if isinstance(output, tuple) else output
            along = isinstance(y, Tensor) and y.dim() > 2 and y.shape[0] == 3
            if along and y.shape[1] in lengths:
                found.append((name, y))

        return hook

    hooks = [
        layer.register_forward_hook(note(name)) for name, layer in model.named_modules() if name
    ]
    try:
        model.extract(Batch(x))
    finally:
        for hook in hooks:
            hook.remove()
    return itertools.chain(found)

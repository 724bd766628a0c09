"""Neural building blocks for skeleton sequences of shape (N, T, V, C).

N sequences, T frames, V joints, C channels. What most models need has its name here, imported when
first asked for; the rest is in the modules.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.nn.attention import MultiHeadAttention
    from zoo.nn.heads import MSEHead
    from zoo.nn.inputs import stack_streams, stream_channels, stream_names
    from zoo.nn.masking import zero_padding
    from zoo.nn.model import ScoreModel
    from zoo.nn.norm import BatchNorm, InputNorm
    from zoo.nn.pooling import mean_pool
    from zoo.nn.spatial import SkeletonConv
    from zoo.nn.temporal import TemporalConv
    from zoo.nn.trunk import BlockNetwork, Trunk

_HOMES = {
    "BatchNorm": "norm",
    "BlockNetwork": "trunk",
    "InputNorm": "norm",
    "MSEHead": "heads",
    "MultiHeadAttention": "attention",
    "ScoreModel": "model",
    "SkeletonConv": "spatial",
    "TemporalConv": "temporal",
    "Trunk": "trunk",
    "mean_pool": "pooling",
    "stack_streams": "inputs",
    "stream_channels": "inputs",
    "stream_names": "inputs",
    "zero_padding": "masking",
}

__all__ = [
    "BatchNorm",
    "BlockNetwork",
    "InputNorm",
    "MSEHead",
    "MultiHeadAttention",
    "ScoreModel",
    "SkeletonConv",
    "TemporalConv",
    "Trunk",
    "mean_pool",
    "stack_streams",
    "stream_channels",
    "stream_names",
    "zero_padding",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"zoo.nn.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

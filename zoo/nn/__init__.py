"""Neural building blocks for skeleton sequences of shape (N, T, V, C).

N sequences, T frames, V joints, C channels. Each name is imported when first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.nn.adaptive import AdaptiveSkeletonConv
    from zoo.nn.attention import MultiHeadAttention
    from zoo.nn.blocks import GraphUnit, SpaceTimeBlock, STGCNBlock, shortcut
    from zoo.nn.channelwise import DynamicSkeletonConv, RefinedSkeletonConv
    from zoo.nn.dropout import Dropout
    from zoo.nn.heads import MSEHead
    from zoo.nn.inputs import stack_streams, stream_channels, stream_names
    from zoo.nn.masking import frame_counts, stride_mask, zero_padding
    from zoo.nn.model import ScoreModel, contract_of
    from zoo.nn.multibranch import MultiBranchConv
    from zoo.nn.norm import BatchNorm, InputNorm
    from zoo.nn.pooling import frame_mean, mean_pool
    from zoo.nn.spatial import SkeletonConv
    from zoo.nn.temporal import FrameConv, TemporalConv
    from zoo.nn.trunk import BlockNetwork, Trunk

_LAZY = {
    "AdaptiveSkeletonConv": "adaptive",
    "BatchNorm": "norm",
    "BlockNetwork": "trunk",
    "Dropout": "dropout",
    "DynamicSkeletonConv": "channelwise",
    "FrameConv": "temporal",
    "GraphUnit": "blocks",
    "InputNorm": "norm",
    "MSEHead": "heads",
    "MultiBranchConv": "multibranch",
    "MultiHeadAttention": "attention",
    "RefinedSkeletonConv": "channelwise",
    "STGCNBlock": "blocks",
    "ScoreModel": "model",
    "SkeletonConv": "spatial",
    "SpaceTimeBlock": "blocks",
    "TemporalConv": "temporal",
    "Trunk": "trunk",
    "contract_of": "model",
    "frame_counts": "masking",
    "frame_mean": "pooling",
    "mean_pool": "pooling",
    "shortcut": "blocks",
    "stack_streams": "inputs",
    "stream_channels": "inputs",
    "stream_names": "inputs",
    "stride_mask": "masking",
    "zero_padding": "masking",
}

__all__ = [
    "AdaptiveSkeletonConv",
    "BatchNorm",
    "BlockNetwork",
    "Dropout",
    "DynamicSkeletonConv",
    "FrameConv",
    "GraphUnit",
    "InputNorm",
    "MSEHead",
    "MultiBranchConv",
    "MultiHeadAttention",
    "RefinedSkeletonConv",
    "STGCNBlock",
    "ScoreModel",
    "SkeletonConv",
    "SpaceTimeBlock",
    "TemporalConv",
    "Trunk",
    "contract_of",
    "frame_counts",
    "frame_mean",
    "mean_pool",
    "shortcut",
    "stack_streams",
    "stream_channels",
    "stream_names",
    "stride_mask",
    "zero_padding",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(f"zoo.nn.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

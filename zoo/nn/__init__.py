"""Neural building blocks for skeleton sequences of shape (N, T, V, C).

N sequences, T frames, V joints, C channels. Each name is imported when first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.nn.adaptive import AdaptiveSkeletonConv
    from zoo.nn.attention import MultiHeadAttention
    from zoo.nn.blocks import STGCNBlock, STGCNTrunk, shortcut
    from zoo.nn.channelwise import DynamicSkeletonConv, RefinedSkeletonConv
    from zoo.nn.dropout import Dropout
    from zoo.nn.heads import RegressionHead
    from zoo.nn.inputs import stack_streams, stream_channels, stream_names
    from zoo.nn.masking import frame_counts, stride_mask, zero_padding
    from zoo.nn.multibranch import MultiBranchConv
    from zoo.nn.network import BlockNetwork
    from zoo.nn.norm import BatchNorm, InputNorm
    from zoo.nn.pooling import mean_pool
    from zoo.nn.spatial import SkeletonConv
    from zoo.nn.temporal import FrameConv, TemporalConv

_LAZY = {
    "AdaptiveSkeletonConv": "adaptive",
    "BatchNorm": "norm",
    "BlockNetwork": "network",
    "Dropout": "dropout",
    "DynamicSkeletonConv": "channelwise",
    "FrameConv": "temporal",
    "InputNorm": "norm",
    "MultiBranchConv": "multibranch",
    "MultiHeadAttention": "attention",
    "RefinedSkeletonConv": "channelwise",
    "RegressionHead": "heads",
    "STGCNBlock": "blocks",
    "STGCNTrunk": "blocks",
    "SkeletonConv": "spatial",
    "TemporalConv": "temporal",
    "frame_counts": "masking",
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
    "InputNorm",
    "MultiBranchConv",
    "MultiHeadAttention",
    "RefinedSkeletonConv",
    "RegressionHead",
    "STGCNBlock",
    "STGCNTrunk",
    "SkeletonConv",
    "TemporalConv",
    "frame_counts",
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

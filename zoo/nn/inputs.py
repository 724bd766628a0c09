"""From the named streams of a batch to the one tensor a network starts from."""

from collections.abc import Sequence

import torch
from torch import Tensor

from registry import did_you_mean
from zoo.data.batch import STREAM_CHANNELS, Batch
from zoo.errors import ConfigError, DataError


def stream_names(streams: str | Sequence[str]) -> tuple[str, ...]:
    """`streams` as a tuple of known names.

    Raises:
        ConfigError: none, one twice, or a name that is not in `STREAM_CHANNELS`.
    """
    names = (streams,) if isinstance(streams, str) else tuple(streams)
    if not names:
        raise ConfigError("a model needs at least one stream, such as position")
    for name in names:
        if name not in STREAM_CHANNELS:
            raise ConfigError(f"there is no stream {name!r}. {did_you_mean(name, STREAM_CHANNELS)}")
    if len(set(names)) < len(names):
        raise ConfigError(f"a stream is named twice in {', '.join(names)}")
    return names


def stream_channels(streams: Sequence[str]) -> int:
    """Channels of the streams together."""
    return sum(STREAM_CHANNELS[name] for name in streams)


def stack_streams(batch: Batch, streams: Sequence[str], num_joints: int) -> Tensor:
    """The streams side by side along the channels, (N, T, V, ΣC).

    Raises:
        DataError: the batch lacks a stream, or has another number of joints.
    """
    tensors = [batch.stream(name) for name in streams]
    for name, x in zip(streams, tensors, strict=True):
        expected = (num_joints, STREAM_CHANNELS[name])
        if tuple(x.shape[2:]) != expected:
            raise DataError(
                f"the stream {name!r} has joints × channels {tuple(x.shape[2:])}, the model was "
                f"made for {expected}: create it with the layout of the data"
            )
    return tensors[0] if len(tensors) == 1 else torch.cat(tensors, dim=-1)

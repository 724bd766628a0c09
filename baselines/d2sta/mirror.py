"""What a network would be fed of a body in the mirror, computed from what it is fed."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zoo.data.batch import STREAM_CHANNELS, Batch
from zoo.data.scalers import StreamScaler
from zoo.errors import ConfigError
from zoo.skeleton.layout import Layout

SIGNS = {
    "position": (-1, 1, 1),
    "orientation": (1, 1, -1, -1),
    "bone": (-1, 1, 1),
    "joint_motion": (-1, 1, 1),
    "bone_motion": (-1, 1, 1),
}
"""By stream, what a mirror at x = 0 does to its channels; joints of both sides change places.

A mirrored rotation keeps its part about x, in axes of the joint that are mirrored too: so stand
Kinect's on the left and on the right.
"""


class MirroredStreams(nn.Module):
    """Scaled streams → the scaled streams of the mirrored body.

    Args:
        layout: whose pairs of joints change places.
        streams: names of the streams.

    Raises:
        ConfigError: the layout has no pairs, or a stream is an angle whose sign is not known.
    """

    def __init__(self, layout: Layout, streams: Sequence[str]) -> None:
        super().__init__()
        for name in streams:
            if name not in SIGNS or not layout.pairs:
                what = f"the stream {name!r}" if layout.pairs else f"the layout {layout.name!r}"
                raise ConfigError(f"{what} cannot be mirrored: set model.mirror=false")
        self.streams = tuple(dict.fromkeys(streams))
        self.partner = list(layout.mirror)
        for name in self.streams:
            shape = layout.num_joints, STREAM_CHANNELS[name]
            self.register_buffer(f"{name}_mean", torch.zeros(shape))
            self.register_buffer(f"{name}_deviation", torch.ones(shape))
        if "orientation" in self.streams:
            self.register_buffer("orientation_reference", torch.zeros(layout.num_joints, 4))

    def prepare(self, scaler: StreamScaler) -> None:
        """Take what the fitted `scaler` does; until then streams count as unscaled."""
        for name in self.streams:
            if name in scaler.mean:
                self.get_buffer(f"{name}_mean").copy_(scaler.mean[name])
                self.get_buffer(f"{name}_deviation").copy_(scaler.deviation[name])
        if "orientation" in self.streams and scaler.reference is not None:
            self.get_buffer("orientation_reference").copy_(scaler.reference)

    def forward(self, batch: Batch) -> Batch:
        """A new batch; padded frames hold zeros."""
        return batch._replace(x={name: self._mirrored(batch, name) for name in self.streams})

    def _mirrored(self, batch: Batch, name: str) -> Tensor:
        mean, deviation = self.get_buffer(f"{name}_mean"), self.get_buffer(f"{name}_deviation")
        x = batch.stream(name) * deviation + mean
        if batch.mask is not None:
            x = x * batch.mask[:, :, None, None]
        x = x[:, :, self.partner] * x.new_tensor(SIGNS[name])
        if name == "orientation":
            towards = torch.einsum("ntvc,vc->nv", x, self.get_buffer("orientation_reference"))
            x = torch.where(towards[:, None, :, None] < 0, -x, x)
        x = (x - mean) / deviation
        return x if batch.mask is None else x * batch.mask[:, :, None, None]

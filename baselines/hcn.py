"""HCN: convolutions for which joints are first pixels, then channels.

Li, Zhong, Xie, Pu, "Co-occurrence Feature Learning from Skeleton Data for Action Recognition and
Detection with Hierarchical Aggregation", IJCAI 2018, arXiv 1804.06055.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.nn.dropout import Dropout
from zoo.nn.heads import MSEHead
from zoo.nn.model import ScoreModel
from zoo.nn.sequence import resample_frames
from zoo.nn.temporal import FrameConv
from zoo.skeleton.layout import Layout


class CooccurrenceStream(nn.Module):
    """The first four convolutions, for positions or for motion.

    Two learn features of each joint by itself (1×1 and 3×1 along time). Then joints and channels
    change places: the image is frames × features and has a channel for each joint, so that the
    next two (3×3, each halved by pooling) mix all joints.

    Args:
        in_channels: C.
        point_channels: of the first convolution.
        image: D, of the second.
        channels: of the third and the fourth.
        dropout: probability, of whole channels, after the fourth.

    Shapes: x (N, T, V, C) → (N, channels[1], T / 4, D / 4).
    """

    def __init__(
        self,
        in_channels: int,
        num_joints: int,
        point_channels: int,
        image: int,
        channels: Sequence[int],
        dropout: float,
    ) -> None:
        super().__init__()
        self.conv1 = FrameConv(in_channels, point_channels)
        self.conv2 = FrameConv(point_channels, image, 3)
        self.conv3 = nn.Conv2d(num_joints, channels[0], 3, padding=1)
        self.conv4 = nn.Conv2d(channels[0], channels[1], 3, padding=1)
        self.dropout = nn.Dropout2d(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Features of all joints together."""
        x = self.conv2(F.relu(self.conv1(x)))
        x = F.max_pool2d(self.conv3(x.transpose(1, 2)), 2)
        return F.max_pool2d(self.dropout(self.conv4(x)), 2)


class HCN(ScoreModel):
    """Hierarchical co-occurrence network.

    A stream of positions and one of their motion x_{t+1} - x_t, side by side; two more
    convolutions (3×3, ReLU, halved by pooling), a hidden layer, the score.

    Args:
        frames: T that a sequence is resampled to, a multiple of 16.
        point_channels: of the first convolution.
        image: of the second, a multiple of 16.
        channels: of the third to the sixth.
        hidden: width of the layer before the score.
        dropout: probability after the last three convolutions and the hidden layer.

    Raises:
        ConfigError: sizes that cannot be halved four times, or other than four channels.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        frames: int = 32,
        point_channels: int = 64,
        image: int = 32,
        channels: Sequence[int] = (32, 64, 128, 256),
        hidden: int = 256,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(layout, streams)
        if frames < 16 or frames % 16 or image < 16 or image % 16:
            raise ConfigError(
                f"frames={frames}, image={image}: both are halved four times, take multiples of 16"
            )
        if len(channels) != 4:
            raise ConfigError(f"channels are {list(channels)}: the last four convolutions need one")
        self.frames = frames
        self.position, self.motion = (
            CooccurrenceStream(
                self.in_channels,
                layout.num_joints,
                point_channels,
                image,
                channels[:2],
                dropout,
            )
            for _ in range(2)
        )
        self.conv5 = nn.Conv2d(2 * channels[1], channels[2], 3, padding=1)
        self.conv6 = nn.Conv2d(channels[2], channels[3], 3, padding=1)
        self.channel_dropout = nn.Dropout2d(dropout)
        self.hidden = nn.Linear(channels[3] * (frames // 16) * (image // 16), hidden)
        self.dropout = Dropout(dropout)
        self.head = MSEHead.of(hidden)

    def images(self, batch: Batch) -> Tensor:
        """What the hidden layer sees, (N, channels[3], frames / 16, image / 16)."""
        x = resample_frames(self.stacked(batch), batch.mask, self.frames)
        motion = resample_frames(x[:, 1:] - x[:, :-1], None, self.frames)
        y = torch.cat([self.position(x), self.motion(motion)], dim=1)
        for conv in (self.conv5, self.conv6):
            y = F.max_pool2d(self.channel_dropout(F.relu(conv(y))), 2)
        return y

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """What the hidden layer says (N, C)."""
        return self.dropout(F.relu(self.hidden(self.images(batch).flatten(1)))), None

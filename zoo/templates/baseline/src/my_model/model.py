"""The model: one class from a batch of movements to a score each. Change what you like.

What it shows is small on purpose: a linear layer looks at every frame by itself, and the score is
read from what these frames are on average and how much they vary.
"""

from collections.abc import Sequence

import torch
from torch import nn

from registry import register_model
from zoo.data.batch import Batch, Prediction
from zoo.nn.inputs import stack_streams, stream_channels, stream_names
from zoo.nn.masking import mean_pool, zero_padding
from zoo.skeleton import Layout


# configs/model/my_model.yaml makes the model known once the package is installed; the decorator
# does the same for `--plugin model.py` and for tests that run before that.
@register_model("my_model")
class MyModel(nn.Module):
    """Mean and spread over time of a linear view of each frame, then a linear layer.

    Args:
        layout: the skeleton; the number of joints V is taken from it, never assumed.
        streams: what the model wants to see; see docs/plugins.md for what there is.
        width: numbers each frame is turned into.
        dropout: probability of dropping one of them in training.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position", "joint_motion"),
        width: int = 32,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.streams = stream_names(streams)  # the zoo reads this and makes these streams
        self.num_joints = layout.num_joints
        self.frame = nn.Linear(layout.num_joints * stream_channels(self.streams), width)
        self.dropout = nn.Dropout(dropout)
        self.score = nn.Linear(2 * width, 1)

    def forward(self, batch: Batch) -> Prediction:
        """One score for each sequence of the batch, (N,), in standardised units."""
        x = stack_streams(batch, self.streams, self.num_joints)  # (N, T, V, C)
        x = zero_padding(x, batch.mask)  # else a NaN there reaches the gradient
        h = self.frame(x.flatten(2)).relu().unsqueeze(2)  # (N, T, 1, width)
        mean = mean_pool(h, batch.mask)  # (N, width), padded frames left out
        variance = mean_pool((h - mean[:, None, None]).square(), batch.mask)
        seen = torch.cat([mean, (variance + 1e-6).sqrt()], dim=1)
        return Prediction(self.score(self.dropout(seen)).squeeze(-1))

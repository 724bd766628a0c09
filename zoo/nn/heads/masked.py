"""Where hidden joints are: a loss that needs no scores, for a training to start from."""

import torch
from torch import Tensor, nn

from registry import register_head
from zoo.data.batch import Batch, Prediction
from zoo.errors import ConfigError
from zoo.nn.heads.base import Extractor, Head, above, whole
from zoo.nn.inputs import stack_streams
from zoo.nn.masking import zero_padding


@register_head("masked-joints")
class MaskedJointsHead(Head):
    r"""The places of joints that the network is not shown, from its features of these joints.

    .. math::
        L = \frac{1}{|H|} \sum_{(t,v) \in H}
        \frac1C \bigl\lVert W f_{t,v}(x \odot \bar h) + b - x_{st,v} \bigr\rVert^2

    In training each joint of a sequence is hidden with probability `share`, in all of its frames:
    its streams are 0, the mean of the training people where they are z-scored. f are the network's
    features, every s-th frame of which it keeps, and H the hidden joints in these frames. Masked
    autoencoding of skeletons, with a linear decoder (the idea of MAMP, Mao et al., ICCV 2023).

    Nothing is learnt of scores: the score is the mean of those trained on, so that a validation
    part cannot choose an epoch. It is for another run to start from (``trainer.init_from``), with
    ``protocol.selection=last``.

    Args:
        share: of the joints that are hidden.
        channels: C, how many of the first stream's channels are asked for.
    """

    def __init__(self, layers: nn.Sequential, share: float = 0.4, channels: int = 3) -> None:
        super().__init__(layers, whole("channels", channels, 1))
        self.share = above("share", share, 0)
        if self.share >= 1:
            raise ConfigError(f"model.head.share is {share!r}, expected a number below 1")
        self.channels = channels

    def answer(self, model: Extractor, batch: Batch) -> Prediction:
        """The mean score, and as output (N, 1) how far off each sequence's hidden joints are.

        Raises:
            ConfigError: the network has no features of each joint.
        """
        x = zero_padding(stack_streams(batch, model.streams, model.num_joints), batch.mask)
        hidden = self._hidden(x)
        shown = {
            name: stream.masked_fill(hidden[:, None, :, None], 0.0)
            for name, stream in batch.x.items()
        }
        features, mask = model.extract(batch._replace(x=shown))
        width = next(m.in_features for m in self.layers if isinstance(m, nn.Linear))
        if features.dim() != 4 or features.shape[2:] != (model.num_joints, width):
            raise ConfigError(
                f"model.head=masked-joints needs the features of each joint, (N, T, "
                f"{model.num_joints}, {width}); {type(model).__name__} has {tuple(features.shape)}"
            )
        stride = -(-x.shape[1] // features.shape[1])
        truth = x[:, ::stride, :, : self.channels]
        off = (self.layers(features) - truth).square().mean(-1)
        asked = hidden[:, None].expand_as(off)
        if mask is not None:
            asked = asked & mask[..., None]
        error = (off * asked).sum((1, 2)) / asked.sum((1, 2)).clamp(min=1)
        return Prediction(0.0 * error, output=error[:, None])

    def forward(self, features: Tensor) -> Prediction:
        """Refuse features that are no longer of joints.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(
            "model.head=masked-joints is for networks that derive from ScoreModel and have the "
            "features of each joint, as graph networks do"
        )

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The mean error of hidden joints, whatever the scores are."""
        return output.mean()

    def _hidden(self, x: Tensor) -> Tensor:
        """Which joints are hidden (N, V); out of training always the same ones."""
        N, V = len(x), x.shape[2]
        if not self.training:
            every = max(1, round(1 / self.share))
            return (torch.arange(V, device=x.device) % every == 0).expand(N, V)
        drawn = torch.rand(N, V, device=x.device)
        # At least one, and never all.
        order = drawn.argsort(1).argsort(1)
        return ((drawn < self.share) | (order == 0)) & (order < V - 1)

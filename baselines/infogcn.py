"""InfoGCN: self-attention within the graph, an information bottleneck before the answer.

Chi, Ha, Chi, Lee, Huang, Ramani, "InfoGCN: Representation Learning for Human Skeleton-Based
Action Recognition", CVPR 2022, doi 10.1109/CVPR52688.2022.01955.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.nn.blocks import SpaceTimeBlock, shortcut
from zoo.nn.fused import typed_graph_product
from zoo.nn.heads import MSEHead
from zoo.nn.model import ScoreModel
from zoo.nn.multibranch import CTRGCN_BRANCHES, MultiBranchConv
from zoo.nn.norm import BatchNorm
from zoo.nn.pointwise import pointwise
from zoo.nn.trunk import JointEmbedding, Trunk, require_one_each
from zoo.skeleton.layout import Layout


def relative_positions(layout: Layout, k: int) -> Tensor:
    r"""The matrix of the k-th mode representation, I − Pᵏ, (V, V).

    P leads from every joint to its parent, so that each joint is seen from its k-th ancestor;
    joints that are nearer to the root than k, and all joints for k = 0, stay where they are.
    """
    matrix = torch.eye(layout.num_joints)
    if k == 0:
        return matrix
    for joint in range(layout.num_joints):
        ancestor = joint
        for _ in range(k):
            ancestor = layout.parents[ancestor] if ancestor >= 0 else -1
        if ancestor >= 0:
            matrix[joint, ancestor] -= 1
    return matrix


class SelfAttentionConv(nn.Module):
    r"""SA-GC, self-attention based graph convolution.

    .. math::
        a_{h,w,v} = \mathrm{softmax}_v\Bigl(\frac{q_{h,w}^\top k_{h,v}}{\sqrt{d}}\Bigr), \qquad
        y_w = \mathrm{ReLU}\Bigl(\mathrm{BN}\bigl(\sum_h b_h + W_h \sum_v
        S_{h,w,v}\, a_{h,w,v}\, x_v\bigr) + \mathrm{down}(x_w)\Bigr)

    q and k are linear in the layer-normalised x and belong to one frame; S is learned, shared by
    all frames and sequences, and starts as the identity.

    Args:
        heads: H.

    Shapes: x (N, T, V, C_in) → (N, T, V, C_out); a mask is not needed, as no frame looks at
    another.
    """

    def __init__(self, in_channels: int, out_channels: int, num_joints: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        width = max(1, in_channels // 8)
        self.scale = width**-0.5
        self.attention_norm = nn.LayerNorm(in_channels)
        self.query_key = nn.Linear(in_channels, 2 * heads * width)
        self.S = nn.Parameter(torch.eye(num_joints).repeat(heads, 1, 1))
        self.weight = nn.Parameter(torch.empty(heads, out_channels, in_channels))
        self.bias = nn.Parameter(torch.zeros(heads, out_channels))
        self.norm = BatchNorm(out_channels)
        self.down = shortcut(in_channels, out_channels)
        # As the authors' code: attention starts sharp, the graph's own path almost closed.
        nn.init.normal_(self.query_key.weight)
        nn.init.normal_(self.weight, std=math.sqrt(2 / (out_channels * in_channels * heads)))
        nn.init.constant_(self.norm.weight, 1e-6)

    def attention(self, x: Tensor) -> Tensor:
        """a, the weights of each frame (N, T, H, V, V) as [.., target, source]."""
        tokens = pointwise(self.attention_norm(x), self.query_key.weight, self.query_key.bias)
        tokens = tokens.unflatten(-1, (2, self.heads, -1))  # (N, T, V, 2, H, d)
        query, key = tokens.permute(3, 0, 1, 4, 2, 5).unbind(0)
        return torch.softmax(query @ key.transpose(-1, -2) * self.scale, dim=-1)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Convolve x (N, T, V, C_in) to (N, T, V, C_out)."""
        N, T, V, C = x.shape
        graph = (self.S * self.attention(x)).flatten(0, 1).transpose(1, 2)
        # Every frame has a graph of its own: frames go where sequences are expected.
        y = typed_graph_product(
            x.reshape(N * T, 1, V, C),
            self.weight,
            graph,  # [frame, target, head, source]
            self.bias.sum(0),
        ).reshape(N, T, V, -1)
        return F.relu(self.norm(y) + self.down(x), inplace=True)


class InfoGCN(ScoreModel):
    """InfoGCN with a regression head.

    The skeleton seen from each joint's ancestor, embedded joint by joint; blocks of attention
    within frames and branches along time; a latent vector that is a Gaussian while training.

    Args:
        mode: k of the k-th mode representation; 0 for the joints as they are. The paper adds the
            answers of networks with k = 1, 2 and 8, each on positions and on motion.
        channels: width of each block; the embedding has the first one.
        strides: temporal stride of each block.
        heads: of the attention.
        noise: ratio of the latent's learned standard deviation, exp(noise · log-variance).
        dropout: probability before the latent layers.

    Raises:
        ConfigError: unequal numbers of channels and strides, or a negative mode.
    """

    modes: Tensor

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        mode: int = 1,
        channels: Sequence[int] = (64, 64, 64, 128, 128, 128, 256, 256, 256),
        strides: Sequence[int] = (1, 1, 1, 2, 1, 1, 2, 1, 1),
        heads: int = 3,
        noise: float = 0.1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__(layout, streams)
        if mode < 0:
            raise ConfigError(f"mode={mode} must be 0 or a number of bones towards the root")
        self.noise = noise
        self.register_buffer("modes", relative_positions(layout, mode), persistent=False)

        def block(width: int, channels: int, *, stride: int, residual: bool) -> SpaceTimeBlock:
            spatial = SelfAttentionConv(width, channels, layout.num_joints, heads)
            temporal = MultiBranchConv(channels, channels, CTRGCN_BRANCHES, stride=stride)
            return SpaceTimeBlock(spatial, temporal, width, channels, stride=stride, relu=True)

        require_one_each("block", channels=channels, strides=strides)
        stem = JointEmbedding(layout.num_joints, self.in_channels, channels[0])
        self.trunk = Trunk(stem, block, channels[0], channels, strides)
        width = channels[-1]
        self.encoder = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Dropout(dropout))
        self.mean = nn.Linear(width, width)
        self.log_variance = nn.Linear(width, width)
        self.head = MSEHead.of(width)

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Features of the last block (N, T', V, C) and the mask at that length (N, T')."""
        return self.trunk(self.modes @ self.stacked(batch), batch.mask)

    def pool(self, features: Tensor, mask: Tensor | None) -> Tensor:
        """The latent vector z (N, C): drawn around its mean while training, else the mean."""
        hidden = self.encoder(super().pool(features, mask))
        z: Tensor = self.mean(hidden)
        if not self.training:
            return z
        deviation = (self.noise * self.log_variance(hidden)).exp().clamp(max=100)
        return z + deviation * torch.randn_like(z)

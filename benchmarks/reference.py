"""The same networks in the plain form: (N, C, T, V), `einsum('nkctv,kvw->nctw')`.

This is how ST-GCN, AAGCN and most of their successors are written. Every class here is built from
one of ours and takes over its weights, so that both must give the same output.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from baselines.aagcn import AAGCN, AttendedUnit, STCAttention
from baselines.d2sta import D2STA
from baselines.stgcn import STGCN
from zoo.data.batch import Batch
from zoo.nn.adaptive import AdaptiveSkeletonConv
from zoo.nn.blocks import SpaceTimeBlock, STGCNBlock
from zoo.nn.norm import InputNorm
from zoo.nn.spatial import SkeletonConv
from zoo.nn.temporal import TemporalConv


def conv1x1(weight: Tensor, bias: Tensor) -> nn.Conv2d:
    """A 1×1 convolution with this weight (C_out, C_in) and bias (C_out,)."""
    conv = nn.Conv2d(weight.shape[1], weight.shape[0], 1)
    conv.weight.data = weight.detach().clone()[:, :, None, None]
    conv.bias.data = bias.detach().clone()
    return conv


def batch_norm(norm: nn.BatchNorm2d | nn.BatchNorm1d, kind: type[nn.Module]) -> nn.Module:
    """A plain batch normalisation with the state of one of ours."""
    plain = kind(norm.num_features)
    plain.load_state_dict(norm.state_dict())
    return plain


class Spatial(nn.Module):
    """ST-GCN's graph convolution: 1×1 convolution to K·C channels, einsum with A∘PA."""

    def __init__(self, ours: SkeletonConv) -> None:
        super().__init__()
        self.conv = conv1x1(ours.weight.flatten(0, 1), ours.bias.flatten())
        self.types = ours.num_types
        learnable = isinstance(ours.A, nn.Parameter)
        if learnable:
            self.A = nn.Parameter(ours.A.detach().clone())
        else:
            self.register_buffer("A", ours.A.clone())
        self.importance = copy.deepcopy(ours.importance)

    def forward(self, x: Tensor) -> Tensor:
        A = self.A if self.importance is None else self.A * self.importance
        n, _, t, v = x.shape
        h = self.conv(x).view(n, self.types, -1, t, v)
        return torch.einsum("nkctv,kvw->nctw", h, A).contiguous()


class AdaptiveSpatial(nn.Module):
    """AAGCN's graph convolution, subset by subset, as its authors write it."""

    def __init__(self, ours: AdaptiveSkeletonConv) -> None:
        super().__init__()
        types = range(ours.num_types)
        self.A = nn.Parameter(ours.A.detach().clone())
        self.alpha = nn.Parameter(ours.alpha.detach().clone())
        self.theta, self.phi = (
            nn.ModuleList(
                conv1x1(ours.embedding_weight[i, k], ours.embedding_bias[i, k]) for k in types
            )
            for i in (0, 1)
        )
        self.conv = nn.ModuleList(conv1x1(ours.weight[k], ours.bias[k]) for k in types)

    def forward(self, x: Tensor) -> Tensor:
        n, c, t, v = x.shape
        y: Tensor | None = None
        for k, conv in enumerate(self.conv):
            theta = self.theta[k](x).permute(0, 3, 1, 2).reshape(n, v, -1)
            phi = self.phi[k](x).reshape(n, -1, v)
            A = torch.tanh(theta @ phi / theta.shape[-1])
            A = self.A[k] + A * self.alpha
            z = conv((x.reshape(n, c * t, v) @ A).view(n, c, t, v))
            y = z if y is None else y + z
        return y


class Temporal(nn.Module):
    """k×1 convolution and batch normalisation."""

    def __init__(self, ours: TemporalConv) -> None:
        super().__init__()
        self.conv = copy.deepcopy(ours.conv).to(memory_format=torch.contiguous_format)
        self.norm = batch_norm(ours.norm, nn.BatchNorm2d)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


def shortcut(ours: nn.Module | None) -> nn.Module | None:
    """The plain form of a block's shortcut."""
    return Temporal(ours) if isinstance(ours, TemporalConv) else copy.deepcopy(ours)


class Block(nn.Module):
    """ST-GCN's block."""

    def __init__(self, ours: STGCNBlock) -> None:
        super().__init__()
        self.spatial = Spatial(ours.spatial.conv)
        self.norm = batch_norm(ours.spatial.norm, nn.BatchNorm2d)
        self.temporal = Temporal(ours.temporal)
        self.dropout = nn.Dropout(ours.dropout.p)
        self.residual = shortcut(ours.residual)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm(self.spatial(x)), inplace=True)
        y = self.dropout(self.temporal(y))
        if self.residual is not None:
            y = y + self.residual(x)
        return F.relu(y, inplace=True)


class Attention(nn.Module):
    """AAGCN's three attention modules, one after the other."""

    def __init__(self, ours: STCAttention) -> None:
        super().__init__()
        self.joints, self.frames, self.squeeze, self.excite = (
            copy.deepcopy(m) for m in (ours.joints, ours.frames, ours.squeeze, ours.excite)
        )

    def forward(self, y: Tensor) -> Tensor:
        y = y * torch.sigmoid(self.joints(y.mean(-2))).unsqueeze(-2) + y
        y = y * torch.sigmoid(self.frames(y.mean(-1))).unsqueeze(-1) + y
        hidden = F.relu(self.squeeze(y.mean(-1).mean(-1)))
        return y * torch.sigmoid(self.excite(hidden)).unsqueeze(-1).unsqueeze(-1) + y


class AdaptiveBlock(nn.Module):
    """AAGCN's block."""

    def __init__(self, ours: SpaceTimeBlock) -> None:
        super().__init__()
        attended = isinstance(ours.spatial, AttendedUnit)
        self.spatial = AdaptiveSpatial(ours.spatial.conv)
        self.norm = batch_norm(ours.spatial.norm, nn.BatchNorm2d)
        self.down = shortcut(ours.spatial.down)
        self.attention = Attention(ours.spatial.attention) if attended else None
        self.temporal = Temporal(ours.temporal)
        self.residual = shortcut(ours.residual)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm(self.spatial(x)) + self.down(x), inplace=True)
        y = y if self.attention is None else self.attention(y)
        y = self.temporal(y)
        if self.residual is not None:
            y = y + self.residual(x)
        return F.relu(y, inplace=True)


class PlainInputNorm(nn.Module):
    """Batch normalisation over V·C channels, joint-major."""

    def __init__(self, ours: InputNorm) -> None:
        super().__init__()
        self.norm = batch_norm(ours, nn.BatchNorm1d)

    def forward(self, x: Tensor) -> Tensor:
        n, t, v, c = x.shape
        x = self.norm(x.permute(0, 2, 3, 1).reshape(n, v * c, t))
        return x.view(n, v, c, t).permute(0, 2, 3, 1).contiguous()


class Network(nn.Module):
    """STGCN or AAGCN in the plain form."""

    def __init__(self, ours: STGCN | AAGCN) -> None:
        super().__init__()
        self.stream = ours.streams[0]
        self.input_norm = PlainInputNorm(ours.trunk.stem)
        kind = Block if isinstance(ours, STGCN) else AdaptiveBlock
        self.blocks = nn.Sequential(*(kind(block) for block in ours.trunk.blocks))
        self.head = copy.deepcopy(ours.head)

    def forward(self, batch: Batch) -> Tensor:
        x = self.blocks(self.input_norm(batch.stream(self.stream)))
        return self.head(x.mean((2, 3))).score


class TwoStreams(nn.Module):
    """D2STA with its streams in the plain form; what comes after them is ours in both."""

    def __init__(self, ours: D2STA) -> None:
        super().__init__()
        self.inputs = ours.inputs
        self.backbones = nn.ModuleList(
            nn.Sequential(*(Block(block) for block in stream.blocks)) for stream in ours.backbones
        )
        self.grouping = copy.deepcopy(ours.grouping)
        self.head = copy.deepcopy(ours.head)

    def forward(self, batch: Batch) -> Tensor:
        streams = [
            backbone(batch.stream(name).permute(0, 3, 1, 2).contiguous())
            for name, backbone in zip(self.inputs, self.backbones, strict=True)
        ]
        x = torch.cat(streams, dim=1).permute(0, 2, 3, 1)
        if self.grouping is not None:
            x = self.grouping(x, None, None).x
        return self.head(x.mean((1, 2))).score


def plain(ours: nn.Module) -> nn.Module:
    """The plain form of one of our networks, with the same weights."""
    return TwoStreams(ours) if isinstance(ours, D2STA) else Network(ours)

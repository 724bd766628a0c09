"""Joints in soft groups by how much they move: the SADG module of D2STA.

Source: Kuang, Yin, Yang, Zhao, Sun, "Dual-Stream STGCN with Motion-Aware Grouping for
Rehabilitation Action Quality Assessment", Sensors 2026, 26(1), 287, doi 10.3390/s26010287.

Axes: N sequences, T frames, V joints, G groups, C channels, H heads.

Modules give back features (N, T, V, C) and, on request, their attention, else an empty dictionary:
``assignment`` (N, V, G), the soft assignment of joints to groups, ``within_group`` (N, H, G, T, T),
weights along time, and ``between_groups`` (N, H, T, G, G), between groups, both [query, key].
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.nn.attention import MultiHeadAttention
from zoo.nn.masking import frame_mean

PROJECTIONS = ("mean", "sum")
ORDERS = ("time-first", "groups-first")


Grouped = tuple[Tensor, dict[str, Tensor]]
"""Features and attention."""


def range_of_motion(x: Tensor, mask: Tensor | None = None) -> Tensor:
    r"""Standard deviation over time, :math:`M = \sqrt{\mathrm{Var}_t(X) + \varepsilon}`.

    The population variance (divided by T) is taken, so that one frame has a range of motion too;
    ε, 1e-8 in the squared unit of `x`, keeps the gradient finite where a joint stands still.

    Args:
        x: (N, T, V, C).
        mask: (N, T) bool, True where a frame is real; None when all are.

    Returns:
        (N, V, C) in the unit of `x`, float32 or wider.
    """
    x = x.to(torch.promote_types(x.dtype, torch.float32))
    # Several times as fast on the CPU as torch.var, which goes through time joint by joint.
    variance = frame_mean((x - frame_mean(x, mask)[:, None]).square(), mask)
    return torch.sqrt(variance + 1e-8)


class GroupAssignment(nn.Module):
    r"""The mask generator: joints to groups by a two-layer perceptron on the range of motion.

    .. math:: P = \mathrm{softmax}_g\left(W_2\,\mathrm{ReLU}(W_1 M + b_1) + b_2\right)

    Args:
        channels: C, of the range of motion.
        groups: G.
        hidden: width of the hidden layer.
    """

    def __init__(self, channels: int, groups: int, hidden: int) -> None:
        super().__init__()
        if groups < 1 or hidden < 1:
            raise ConfigError(f"groups={groups} and hidden={hidden} must be at least 1")
        self.first = nn.Linear(channels, hidden)
        self.second = nn.Linear(hidden, groups)

    def forward(self, motion: Tensor) -> Tensor:
        """Soft assignment (N, V, G) for the range of motion (N, V, C); each row sums to one."""
        logits = self.second(torch.relu(self.first(motion)))
        return torch.softmax(logits.to(motion.dtype), dim=-1)


def joints_to_groups(x: Tensor, assignment: Tensor, projection: str = "mean") -> Tensor:
    r"""Features of the groups, :math:`F_g = \sum_j P_{jg} X_j`, as a sum or as a weighted mean.

    Args:
        x: (N, T, V, C).
        assignment: P, (N, V, G).
        projection: ``sum``, or ``mean``: the weights of a group's joints are scaled to sum to one,
            so that a group's features do not grow with its size.

    Returns:
        (N, T, G, C).
    """
    n, t, v, c = x.shape
    weight = assignment.transpose(1, 2)
    if projection == "mean":
        weight = weight / weight.sum(dim=-1, keepdim=True).clamp_min(1e-6)
    weight = weight.to(x.dtype)[:, None].expand(n, t, -1, v)
    return torch.bmm(weight.reshape(n * t, -1, v), x.reshape(n * t, v, c)).view(n, t, -1, c)


def groups_to_joints(groups: Tensor, assignment: Tensor, residual: Tensor) -> Tensor:
    r"""Back-projection with residual, :math:`Y_j = X_j + \sum_g P_{jg} F_g`.

    Args:
        groups: F, (N, T, G, C).
        assignment: P, (N, V, G).
        residual: X, (N, T, V, C).

    Returns:
        (N, T, V, C).
    """
    n, t, v, c = residual.shape
    weight = assignment.to(groups.dtype)[:, None].expand(n, t, v, -1).reshape(n * t, v, -1)
    flat = groups.reshape(n * t, -1, c)
    return torch.baddbmm(residual.reshape(n * t, v, c).to(flat.dtype), weight, flat).view(
        n, t, v, c
    )


class TwoStageAttention(nn.Module):
    """Multi-head attention within each group along time, then between the groups of a frame.

    Args:
        heads: H, in both stages.
        width: inner width of both stages; None for `channels`.
        dropout: of the attention weights.
        order: ``time-first`` (within a group, then between groups) or ``groups-first``.
        residual: add each stage's input to its output.
        norm: layer normalisation of each stage's input.
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        *,
        width: int | None = None,
        dropout: float = 0.0,
        order: str = "time-first",
        residual: bool = True,
        norm: bool = False,
    ) -> None:
        super().__init__()
        if order not in ORDERS:
            raise ConfigError(f"order={order!r} is none of {', '.join(ORDERS)}")
        self.order = order
        self.residual = residual
        self.within = MultiHeadAttention(channels, heads, width=width, dropout=dropout)
        self.between = MultiHeadAttention(channels, heads, width=width, dropout=dropout)
        self.within_norm = nn.LayerNorm(channels) if norm else nn.Identity()
        self.between_norm = nn.LayerNorm(channels) if norm else nn.Identity()

    def forward(
        self, groups: Tensor, mask: Tensor | None = None, *, return_attention: bool = False
    ) -> Grouped:
        """Attend (N, T, G, C); `mask` (N, T) says which frames may be looked at."""
        if self.order == "time-first":
            groups, within = self._along_time(groups, mask, return_attention)
            groups, between = self._across_groups(groups, return_attention)
        else:
            groups, between = self._across_groups(groups, return_attention)
            groups, within = self._along_time(groups, mask, return_attention)
        if within is None or between is None:
            return groups, {}
        return groups, {"within_group": within, "between_groups": between}

    def _along_time(
        self, x: Tensor, mask: Tensor | None, return_weights: bool
    ) -> tuple[Tensor, Tensor | None]:
        n, t, g, c = x.shape
        tokens = self.within_norm(x).transpose(1, 2).reshape(n * g, t, c)
        keys = None if mask is None else mask[:, None].expand(n, g, t).reshape(n * g, t)
        out, weights = self.within(tokens, keys, return_weights=return_weights)
        out = out.view(n, g, t, c).transpose(1, 2)
        if weights is not None:
            weights = weights.view(n, g, -1, t, t).transpose(1, 2)
        return (x + out if self.residual else out), weights

    def _across_groups(self, x: Tensor, return_weights: bool) -> tuple[Tensor, Tensor | None]:
        n, t, g, c = x.shape
        tokens = self.between_norm(x).reshape(n * t, g, c)
        out, weights = self.between(tokens, return_weights=return_weights)
        out = out.view(n, t, g, c)
        if weights is not None:
            weights = weights.view(n, t, -1, g, g).transpose(1, 2)
        return (x + out if self.residual else out), weights


class DynamicGrouping(nn.Module):
    r"""Self-Attention for Dynamic Groups (SADG).

    .. math::
        M &= \mathrm{std}_t(X) \\
        P &= \mathrm{softmax}_g(W_2\,\mathrm{ReLU}(W_1 M + b_1) + b_2) \\
        F &= P^\top X, \qquad F' = \mathrm{MHA}_{groups}(\mathrm{MHA}_{time}(F)) \\
        Y &= X + P F'

    Args:
        attention: the two attention stages.
        groups: G.
        hidden: width of the mask generator's hidden layer.
        motion_channels: channels of the range of motion where another than that of `x` is given
            to `forward`; None for `channels`.
        projection: ``mean`` or ``sum``, see `joints_to_groups`.
    """

    def __init__(
        self,
        channels: int,
        attention: TwoStageAttention,
        *,
        groups: int,
        hidden: int,
        motion_channels: int | None = None,
        projection: str = "mean",
    ) -> None:
        super().__init__()
        if projection not in PROJECTIONS:
            raise ConfigError(f"projection={projection!r} is none of {', '.join(PROJECTIONS)}")
        self.projection = projection
        self.assignment = GroupAssignment(motion_channels or channels, groups, hidden)
        self.attention = attention

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        motion: Tensor | None = None,
        *,
        return_attention: bool = False,
    ) -> Grouped:
        """Group, attend, and give back to the joints.

        Args:
            x: X, (N, T, V, C).
            mask: (N, T) bool, True where a frame is real; None when all are.
            motion: M, (N, V, C_motion); None for the range of motion of `x` itself.
            return_attention: also return the assignment and both stages' weights.
        """
        motion = range_of_motion(x, mask) if motion is None else motion
        assignment = self.assignment(motion)
        groups = joints_to_groups(x, assignment, self.projection)
        groups, attention = self.attention(groups, mask, return_attention=return_attention)
        y = groups_to_joints(groups, assignment, x)
        return y, {"assignment": assignment, **attention} if return_attention else {}


class JointAttention(nn.Module):
    """The same two stages without groups: every joint is its own group (P is the identity).

    This is the paper's ablation "multi-head attention instead of SADG"; `forward` has the
    signature of `DynamicGrouping` and ignores `motion`. The weights it returns have G = V.
    """

    def __init__(self, attention: TwoStageAttention) -> None:
        super().__init__()
        self.attention = attention

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        motion: Tensor | None = None,
        *,
        return_attention: bool = False,
    ) -> Grouped:
        """Attend (N, T, V, C) along time, then between joints, and add `x`."""
        attended, attention = self.attention(x, mask, return_attention=return_attention)
        return x + attended, attention


def rollup(attention: Mapping[str, Tensor], stages: TwoStageAttention) -> Tensor:
    r"""How much of the mean over joints and frames was looked up at each of them, (N, T, V).

    Attention rollup (Abnar and Zuidema, "Quantifying attention flow in transformers", ACL 2020,
    arXiv 2005.00928, section 3): where a layer adds attention A to its input, half of the flow
    stays where it is, :math:`\tfrac12 A + \tfrac12 I`, with A the mean over heads. It runs through
    the steps of the grouping module back from the mean over joints and frames: joints from groups
    (the mask P by groups), groups from groups, frames from frames within a group, groups from
    joints (P by joints). Every step shares out what it gets, so that a sequence's shares add up to
    one.

    Args:
        attention: as this module's head says; without ``assignment`` every joint is a group.
        stages: whose maps they are.
    """
    within = attention["within_group"].double().mean(1)  # (N, G, T, T)
    between = attention["between_groups"].double().mean(1)  # (N, T, G, G)
    samples, groups, frames, _ = within.shape
    if "assignment" in attention:
        assignment = attention["assignment"].double()  # (N, V, G)
    else:
        assignment = torch.eye(groups).to(within).expand(samples, -1, -1)
    joints = assignment.shape[1]
    kept = 0.5 if stages.residual else 0.0
    pooled = within.new_full((samples, frames, joints), 1 / (frames * joints))
    flow = 0.5 * pooled @ assignment  # (N, T, G)
    along_time = ("ngts,ntg->nsg", within)
    across_groups = ("ntgh,ntg->nth", between)
    backwards = [across_groups, along_time]
    if stages.order == "groups-first":
        backwards.reverse()
    for step, weights in backwards:
        flow = kept * flow + (1 - kept) * torch.einsum(step, weights, flow)
    by_joint = assignment / assignment.sum(1, keepdim=True)
    return 0.5 * pooled + flow @ by_joint.transpose(1, 2)

"""LightPRA: dilated causal convolutions over five body parts, at four resolutions of time.

Sardari, Sharifzadeh, Daneshkhah, Loke, Palade, Duncan, Nakisa, "LightPRA: A Lightweight Temporal
Convolutional Network for Automatic Physical Rehabilitation Exercise Assessment", Computers in
Biology and Medicine 173, 2024, doi 10.1016/j.compbiomed.2024.108382.

Written from the abstract and second-hand descriptions; what they leave open is decided in
configs/model/lightpra.yaml.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from baselines.hbrnn import five_parts
from baselines.tcn import TCNBlock
from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.nn.heads import MSEHead
from zoo.nn.masking import stride_mask
from zoo.nn.model import ScoreModel
from zoo.nn.sequence import last_frame
from zoo.skeleton.layout import Layout


class DilatedStack(nn.Module):
    """Residual blocks of TCN one after the other, each with a dilation of its own.

    Args:
        dilations: of the blocks.
        groups: of channels, which do not see each other.

    Shapes: x (N, T, C_in), mask (N, T) or None → (N, T, C_out); frame t sees nothing after it.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        dilations: Sequence[int],
        dropout: float,
        groups: int = 1,
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList()
        for dilation in dilations:
            self.blocks.append(
                TCNBlock(in_channels, out_channels, kernel_size, dilation, dropout, groups)
            )
            in_channels = out_channels

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Features after the last block."""
        for block in self.blocks:
            x = block(x, mask)
        return x


class LightPRA(ScoreModel):
    r"""Light Physical Rehabilitation Assessment.

    With p a body part, s a step through time and TCN a `DilatedStack`:

    .. math::
        e_p &= W_p x_p + b_p & &\text{each of five parts} \\
        h_{p,s} &= \mathrm{TCN}_{p,s}(e_{p,0}, e_{p,s}, e_{p,2s}, \dots) & &\text{every s-th} \\
        z_t &= [h_{p,s,\lfloor t/s \rfloor}]_{p,s} & &\text{each held for s frames} \\
        g &= \mathrm{TCN}_n(\dots \mathrm{TCN}_1(z)), \qquad
        \text{score} = w^\top g_T + c & &\text{the last frame}

    Nothing sees a later frame, so a recording can be scored while it comes in.

    Args:
        layout: the skeleton, with the parts head, trunk, left_arm, right_arm, left_leg, right_leg.
        channels: width of a part at one resolution.
        global_channels: width after the parts are joined.
        global_layers: n.
        steps: s.
        kernel_size: frames a convolution sees.
        dilations: of the blocks of every TCN.
        dropout: probability after each convolution.

    Raises:
        ConfigError: no step or dilation, one below 1, no layer, or a layout without parts.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        channels: int = 16,
        global_channels: int = 32,
        global_layers: int = 3,
        steps: Sequence[int] = (1, 2, 4, 8),
        kernel_size: int = 3,
        dilations: Sequence[int] = (1, 2, 4, 8, 16, 32),
        dropout: float = 0.1,
    ) -> None:
        super().__init__(layout, streams)
        if min([global_layers, *(steps or [0]), *(dilations or [0])]) < 1:
            raise ConfigError(
                f"global_layers={global_layers}, steps={list(steps)}, dilations={list(dilations)}: "
                "the network needs at least one of each, none below 1"
            )
        self.steps = tuple(steps)
        self.joints = list(five_parts(layout).values())
        self.embeddings = nn.ModuleList(
            nn.Linear(len(joints) * self.in_channels, channels) for joints in self.joints
        )
        parts = len(self.joints)
        width = parts * channels
        # The parts' networks, of equal shape, are the groups of one.
        self.parts = nn.ModuleList(
            DilatedStack(width, width, kernel_size, dilations, dropout, parts) for _ in steps
        )
        width *= len(self.steps)
        self.body = nn.ModuleList()
        for _ in range(global_layers):
            self.body.append(DilatedStack(width, global_channels, kernel_size, dilations, dropout))
            width = global_channels
        self.head = MSEHead.of(width)

    def parts_of(self, batch: Batch) -> Tensor:
        """Features z of all parts at all resolutions side by side (N, T, C)."""
        x = self.stacked(batch)
        frames = x.shape[1]
        parts = zip(self.embeddings, self.joints, strict=True)
        e = torch.cat([embed(x[:, :, joints].flatten(2)) for embed, joints in parts], dim=2)
        at_steps = []
        for step, stack in zip(self.steps, self.parts, strict=True):
            h = stack(e[:, ::step], stride_mask(batch.mask, step))
            at_steps.append(h.repeat_interleave(step, dim=1)[:, :frames])
        return torch.cat(at_steps, dim=2)

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Features g (N, T, C), where frame t sees nothing after it, and the mask."""
        x = self.parts_of(batch)
        for stack in self.body:
            x = stack(x, batch.mask)
        return x, batch.mask

    def pool(self, features: Tensor, mask: Tensor | None) -> Tensor:
        """The last frame, which sees all others."""
        return last_frame(features, mask)

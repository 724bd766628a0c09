"""HBRNN: recurrent networks of five body parts, joined to the body layer by layer.

Du, Wang, Wang, "Hierarchical Recurrent Neural Network for Skeleton Based Action Recognition", CVPR
2015, doi 10.1109/CVPR.2015.7298714.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.nn.dropout import Dropout
from zoo.nn.heads import MSEHead
from zoo.nn.model import ScoreModel
from zoo.nn.recurrent import RecurrentLayer
from zoo.skeleton.layout import Layout

LIMBS = ("left_arm", "right_arm", "left_leg", "right_leg")


def five_parts(layout: Layout) -> dict[str, list[int]]:
    """Joints of the four limbs and of ``trunk``, which here includes the head.

    Raises:
        ConfigError: the layout lacks one of them.
    """
    parts = {name: list(layout.parts.get(name, ())) for name in ("head", "trunk", *LIMBS)}
    missing = [name for name in ("trunk", *LIMBS) if not parts[name]]
    if missing:
        raise ConfigError(
            f"layout {layout.name!r} names no joints for {', '.join(missing)}: add them to its "
            "parts"
        )
    return {"trunk": parts["head"] + parts["trunk"], **{name: parts[name] for name in LIMBS}}


class HBRNN(ScoreModel):
    r"""Hierarchical bidirectional recurrent network.

    With B a bidirectional recurrent layer, tanh units but in the last one, which has LSTM cells:

    .. math::
        p &= B_p(x_p) & &\text{trunk and four limbs} \\
        l &= B_l([p_{trunk}, p_l]) & &\text{each limb with the trunk} \\
        u &= B_u([l_{left}, l_{right}]) & &\text{arms, legs} \\
        b &= B([u_{arms}, u_{legs}]) & &\text{body} \\
        s &= \tfrac{1}{T} \sum_t w^\top b_t + c

    Args:
        layout: the skeleton, with the parts head, trunk, left_arm, right_arm, left_leg, right_leg.
        hidden: width of a direction's state in the four recurrent layers.
        dropout: probability before the score.

    Raises:
        ConfigError: other than four widths, or a layout without parts.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        hidden: Sequence[int] = (30, 60, 60, 80),
        dropout: float = 0.0,
    ) -> None:
        super().__init__(layout, streams)
        if len(hidden) != 4:
            raise ConfigError(
                f"hidden is {list(hidden)}: parts, limbs, halves and body need a width each"
            )
        self.joints = five_parts(layout)
        channels = self.in_channels
        part, limb, half, body = hidden

        def layer(width: int, hidden: int) -> RecurrentLayer:
            return RecurrentLayer(nn.RNN, width, hidden, bidirectional=True)

        self.parts = nn.ModuleDict(
            {name: layer(channels * len(joints), part) for name, joints in self.joints.items()}
        )
        self.limbs = nn.ModuleDict({name: layer(4 * part, limb) for name in LIMBS})
        self.arms = layer(4 * limb, half)
        self.legs = layer(4 * limb, half)
        self.body = RecurrentLayer(nn.LSTM, 4 * half, body, bidirectional=True)
        self.dropout = Dropout(dropout)
        self.head = MSEHead.of(2 * body)

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """The body's states b (N, T, 2·C) and the mask."""
        x, mask = self.stacked(batch), batch.mask
        parts: dict[str, Tensor] = {}
        for name, layer in self.parts.items():
            parts[name], _ = layer(x[:, :, self.joints[name]].flatten(2), mask)
        limbs: dict[str, Tensor] = {}
        for name, layer in self.limbs.items():
            limbs[name], _ = layer(torch.cat([parts["trunk"], parts[name]], dim=2), mask)
        arms, _ = self.arms(torch.cat([limbs["left_arm"], limbs["right_arm"]], dim=2), mask)
        legs, _ = self.legs(torch.cat([limbs["left_leg"], limbs["right_leg"]], dim=2), mask)
        body, _ = self.body(torch.cat([arms, legs], dim=2), mask)
        return body, mask

    def pool(self, features: Tensor, mask: Tensor | None) -> Tensor:
        """The mean over frames, and dropout."""
        return self.dropout(super().pool(features, mask))

"""Attention followed from the pooled features back to joints and frames."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from registry import register_attribution
from zoo.data.batch import Batch
from zoo.errors import DataError
from zoo.explain.attribution import Array, Attribution
from zoo.explain.sample import Sample
from zoo.nn.model import contract_of

SHARE = "share of attention"
"""Unit of a rollup: all joints and frames together have 1."""


@register_attribution("attention")
def attention_rollup(sample: Sample) -> Attribution:
    """How much of what the model pools it looked up at each joint and frame.

    The model itself follows its attention back (`zoo.nn.model.ScoreModel.attention_rollup`); all
    joints and frames together get 1. It says where was looked, not whether that raised or lowered
    the score: there is no sign and no baseline.

    Raises:
        DataError: the model has no attention, or none that it follows back.
    """
    batch = sample.batch.to(sample.device)
    if not attention_maps(sample.model, batch):
        raise DataError(
            f"{sample.model_name} returns no attention: use integrated gradients or occlusion"
        )
    with torch.no_grad():
        found = contract_of(sample.model).attention_rollup(batch)
    if found is None:
        raise DataError(
            f"the attention of {sample.model_name} cannot be followed back: it has no "
            "attention_rollup. Use integrated gradients or occlusion"
        )
    shares = found[0].double().cpu()
    frames = len(shares)
    # The features have a frame for every few of the input's, counted from its first.
    every = -(-sample.num_frames // frames)
    at = torch.arange(sample.num_frames).div(every, rounding_mode="floor").clamp(max=frames - 1)
    spread = shares[at] / torch.bincount(at, minlength=frames)[at][:, None]
    return sample.attribution(
        "attention",
        spread,
        title="attention rollup",
        note=f"mean over heads, half of the flow through residuals; {frames} frames of features "
        f"for {sample.num_frames}; the graph convolutions before the attention are not in it",
        unit=SHARE,
    )


def attention_maps(model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
    """A model's named attention maps of z-scored sequences; empty where it has none.

    Args:
        model: in evaluation mode.
        batch: on the model's device.
    """
    with torch.no_grad():
        return contract_of(model).attention_maps(batch)


def attention_in_stages(sample: Sample) -> dict[str, Array]:
    """The attention maps of a model with the two stages of D2STA; empty for any other."""
    maps = attention_maps(sample.model, sample.batch.to(sample.device))
    if not {"within_group", "between_groups"} <= set(maps):
        return {}
    return {key: values[0].double().cpu().numpy() for key, values in maps.items()}

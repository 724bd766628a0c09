"""Attention followed from the pooled features back to joints and frames."""

import inspect
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from baselines.d2sta.grouping import TwoStageAttention
from registry import register_attribution
from zoo.data.batch import Batch
from zoo.errors import DataError
from zoo.explain.attribution import Array, Attribution
from zoo.explain.sample import Sample

SHARE = "share of attention"
"""Unit of a rollup: all joints and frames together have 1."""


@register_attribution("attention")
def attention_rollup(sample: Sample) -> Attribution:
    r"""How much of what D2STA pools it looked up at each joint and frame.

    Attention rollup (Abnar and Zuidema, "Quantifying attention flow in transformers", ACL 2020,
    arXiv 2005.00928, section 3): where a layer adds attention A to its input, half of the flow
    stays where it is, :math:`\tfrac12 A + \tfrac12 I`, with A the mean over heads. It runs through
    the steps of the grouping module back from the mean over joints and frames: joints from groups
    (the mask P by groups), groups from groups, frames from frames within a group, groups from
    joints (P by joints). Every step shares out what it gets, so all joints and frames together get
    1.

    The graph convolutions before it also mix joints and frames; a rollup does not see that. It
    says where was looked, not whether that raised or lowered the score: there is no sign and no
    baseline.

    Raises:
        DataError: the model returns no attention, or that of other steps than `TwoStageAttention`.
    """
    attention = attention_of(sample)
    stages = [m for m in sample.model.modules() if isinstance(m, TwoStageAttention)]
    if len(stages) != 1:
        raise DataError(
            f"the attention of {sample.model_name} cannot be followed back: a rollup knows the two "
            "stages of baselines.d2sta.grouping. Use integrated gradients or occlusion"
        )
    shares = _rollup(attention, stages[0])
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
    """A model's named attention maps of z-scored sequences; empty where it returns none.

    Args:
        model: in evaluation mode.
        batch: on the model's device.
    """
    if "return_attention" not in inspect.signature(model.forward).parameters:
        return {}
    with torch.no_grad():
        return model(batch, return_attention=True).attention or {}


def attention_of(sample: Sample) -> dict[str, Tensor]:
    """A model's named attention maps for one sample, on the CPU, without the axis of samples.

    Raises:
        DataError: the model returns none.
    """
    maps = attention_maps(sample.model, sample.batch.to(sample.device))
    if not maps:
        raise DataError(
            f"{sample.model_name} returns no attention: use integrated gradients or occlusion"
        )
    return {key: values[0].double().cpu() for key, values in maps.items()}


def attention_in_stages(sample: Sample) -> dict[str, Array]:
    """The attention maps of a model with the two stages of D2STA; empty for any other."""
    maps = attention_maps(sample.model, sample.batch.to(sample.device))
    if not {"within_group", "between_groups"} <= set(maps):
        return {}
    return {key: values[0].double().cpu().numpy() for key, values in maps.items()}


def _rollup(attention: dict[str, Tensor], stages: TwoStageAttention) -> Tensor:
    """Shares (T', V) of the flow from the mean over joints and frames."""
    within = attention["within_group"].mean(0)  # (G, T', T')
    between = attention["between_groups"].mean(0)  # (T', G, G)
    groups, frames, _ = within.shape
    assignment = attention.get("assignment", torch.eye(groups).double())  # (V, G)
    joints = len(assignment)
    kept = 0.5 if stages.residual else 0.0
    pooled = torch.full((frames, joints), 1 / (frames * joints)).double()
    flow = 0.5 * pooled @ assignment  # (T', G)
    along_time = ("gts,tg->sg", within)
    across_groups = ("tgh,tg->th", between)
    backwards = [across_groups, along_time]
    if stages.order == "groups-first":
        backwards.reverse()
    for step, weights in backwards:
        flow = kept * flow + (1 - kept) * torch.einsum(step, weights, flow)
    return 0.5 * pooled + flow @ (assignment / assignment.sum(0)).T

"""Measures held at the edges of what most training recordings have shown, as z-scores."""

import torch
from torch import Tensor


def edges_and_scale(values: Tensor, hold: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Low and high edge, mean and deviation (…) of measures (N, …); NaN is left out.

    Mean and deviation are of held values. A measure that is the same for all has a deviation of 1.

    Args:
        values: of the training recordings.
        hold: share of them beyond each edge.
    """
    edges = torch.tensor([hold, 1 - hold], device=values.device)
    low, high = (edge.clone() for edge in values.nanquantile(edges, dim=0).nan_to_num())
    held = values.clamp(low, high)
    mean = held.nanmean(0).nan_to_num()
    held = torch.where(held.isnan(), mean, held)
    deviation = held.std(0, correction=0)
    return low, high, mean, deviation.masked_fill(deviation <= 1e-6 * mean.abs(), 1.0)


def standardised(values: Tensor, low: Tensor, high: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """Measures held at the edges, undefined ones at the mean, as z-scores."""
    held = torch.where(values.isnan(), mean, values.clamp(low, high))
    return (held - mean) / scale

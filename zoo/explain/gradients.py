"""Integrated gradients over joints and time."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from registry import register_attribution
from zoo.data.batch import Batch
from zoo.errors import DataError
from zoo.explain.attribution import Attribution
from zoo.explain.sample import Sample
from zoo.nn.model import contract_of

MOST_STEPS = 512
"""Gradients along the path at most."""


@register_attribution("gradients")
def integrated_gradients(
    sample: Sample, *, baseline: str | None = None, steps: int = 32
) -> Attribution:
    r"""The gradients of the score along the straight way from a baseline to the sample.

    .. math::
        a_{t,v} = \sum_c (x_{t,v,c} - x'_{t,v,c}) \int_0^1
        \frac{\partial f(x' + \alpha (x - x'))}{\partial x_{t,v,c}}\, d\alpha

    Sundararajan, Taly, Yan, "Axiomatic attribution for deep networks", ICML 2017 (arXiv
    1703.01365), eq. 1, summed over the coordinates of all streams. Completeness (their
    proposition 1): all contributions add up to the score less the baseline's score. The integral
    is a Gauss–Legendre sum; its steps are doubled until that holds within ten of the last decimal
    that is shown (0.1 of scores like 0–50, 0.001 of scores of 0–1), up to `MOST_STEPS`, and the
    note tells the gap that is left.

    A derived stream (bone, motion) counts for the joint it stands at.

    Args:
        sample: of a model whose score has a gradient.
        baseline: one of `zoo.explain.sample.BASELINES`, see `Sample.baseline`.
        steps: gradients to begin with.

    Raises:
        DataError: the score does not depend on the streams through differentiable steps.
    """
    allowed = 10.0 ** (1 - sample.digits)
    start, meaning = sample.baseline(baseline)
    base_score = float(sample.scores(start)[0])
    difference = sample.score - base_score
    while True:
        contributions = _integral(sample, start, steps)
        missing = abs(float(contributions.sum()) - difference)
        if missing <= allowed or 2 * steps > MOST_STEPS:
            break
        steps *= 2
    return sample.attribution(
        "gradients",
        contributions,
        title="integrated gradients",
        baseline_score=base_score,
        note=f"against {meaning}; {steps} steps; all contributions together miss the difference "
        f"of the scores by {missing:.2g} points",
    )


def _integral(sample: Sample, start: Batch, steps: int) -> Tensor:
    """Contributions (T, V) in points, with `steps` gradients."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    shares = torch.tensor((nodes + 1) / 2, dtype=torch.float32)
    weight = torch.tensor(weights / 2, dtype=torch.float64)
    way = {name: x - start.x[name] for name, x in sample.batch.x.items()}
    total = {name: torch.zeros_like(x, dtype=torch.float64) for name, x in way.items()}
    for chosen in torch.arange(steps).split(32):
        share = shares[chosen, None, None, None]
        x = {name: start.x[name] + share * step for name, step in way.items()}
        gradients = _gradients(sample, sample.batch.select(torch.zeros_like(chosen))._replace(x=x))
        for name, gradient in gradients.items():
            total[name] += torch.tensordot(weight[chosen], gradient.double(), 1)
    per_stream = [(total[name] * way[name]).sum(-1) for name in way]
    return torch.stack(per_stream).sum(0)[0] * sample.trained.target_scaler.scale


def _gradients(sample: Sample, batch: Batch) -> dict[str, Tensor]:
    """Gradient of each sequence's standardised score by each stream, on the CPU."""
    batch = batch.to(sample.device)
    x = {name: values.requires_grad_() for name, values in batch.x.items()}
    with frozen(sample.model), torch.enable_grad():
        try:
            score = sample.model(batch._replace(x=x)).score
        except RuntimeError as error:
            if "requires grad" not in str(error):
                raise
            score = torch.zeros(())  # the model leaves torch: numpy refuses what needs a gradient
        if not score.requires_grad:
            told = contract_of(sample.model).derived_joints()
            raise DataError(
                f"{sample.model_name} has no gradient: its score does not follow from the streams "
                f"by differentiable steps. Use {'descriptors' if told else 'occlusion'}"
            )
        found = torch.autograd.grad(score.sum(), list(x.values()), allow_unused=True)
    return {
        name: (torch.zeros_like(values) if gradient is None else gradient).cpu()
        for (name, values), gradient in zip(x.items(), found, strict=True)
    }


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """No gradients of the model's parameters, only of what goes in."""
    learning = [p for p in model.parameters() if p.requires_grad]
    for parameter in learning:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in learning:
            parameter.requires_grad_(True)

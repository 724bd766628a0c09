"""Whether an exported graph says what the run's own model says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.data.batch import Batch
from zoo.exporting.errors import ExportError
from zoo.exporting.graph import Port, ScoringGraph
from zoo.exporting.samples import Samples
from zoo.nn.masking import zero_padding
from zoo.training.evaluate import TrainedModel

TOLERANCE = 1e-4
"""Largest difference of a score, in score units, for rounding in another order to explain."""

_SHORTER = 0.6
"""Share of the frames that is left for the check of shorter samples."""

Scores = NDArray[np.float64]
Score = Callable[[Sequence[Tensor]], Scores]
"""What a graph says of its inputs: scores (N,)."""


@dataclass(frozen=True)
class Check:
    """Scores of an exported graph beside those of the run.

    Attributes:
        of: whose samples were scored.
        samples: how many.
        largest_difference: in score units.
        mean_difference: the same of the differences without their signs.
        error: mean absolute error of the graph's scores, in score units; None where true scores
            are not known.
        run_error: the same of the run's.
    """

    of: str
    samples: int
    largest_difference: float
    mean_difference: float
    error: float | None
    run_error: float | None


def compared(
    graph: ScoringGraph,
    score: Score,
    samples: Samples,
    trained: TrainedModel,
    inputs: Sequence[Port],
) -> Check:
    """Score samples with a graph that was written, and with the run's model.

    All at once, one alone, and where samples have frames a part of each, padded: whatever belonged
    to the example that the graph was written with would show.

    Args:
        graph: that was written.
        score: what the file says.
        samples: to be scored.
        trained: the run's model.
        inputs: of the file.
    """
    said = samples.said_by(trained)[0].double().numpy()
    found = score(graph.given(samples.given))
    one = graph.given(samples.given.select(torch.tensor([0])))
    apart = [_apart(found, said), _apart(score(one), said[:1])]
    if any(port.name == "mask" for port in inputs):
        shorter = any("frames" in port.shape for port in inputs)
        parts = graph.given(_parts(samples.given, _SHORTER if shorter else 1.0))
        with torch.no_grad():
            apart.append(_apart(score(parts), graph(*parts)[0].double().numpy()))
    every = np.concatenate(apart)
    known = np.isfinite(samples.true) & samples.real
    return Check(
        of=samples.of,
        samples=len(said),
        largest_difference=float(every.max()) if np.isfinite(every).all() else np.inf,
        mean_difference=float(apart[0].mean()),
        error=_error(found, samples.true, known) if len(found) == len(said) else None,
        run_error=_error(said, samples.true, known),
    )


def checked_graph(
    graph: ScoringGraph,
    score: Score,
    samples: Samples,
    trained: TrainedModel,
    inputs: Sequence[Port],
    what: str,
) -> Check:
    """As `compared`, of a graph that has to say what the run says.

    Raises:
        ExportError: it does not, or stops at samples unlike those it was written with.
    """
    try:
        check = compared(graph, score, samples, trained, inputs)
    except ExportError as error:
        raise ExportError(
            f"{what} is not written: the graph of it that torch made holds for as many samples, or "
            f"as long ones, as it was made with and for no others ({error})"
        ) from None
    if check.largest_difference > TOLERANCE:
        raise ExportError(
            f"{what} is not written: on {check.samples} {check.of} its scores are off from the "
            f"run's by up to {check.largest_difference:.2g}, more than rounding explains "
            f"({TOLERANCE:g}). The model does something that depends on the length or number of "
            "the samples in a way that a graph of tensors cannot hold"
        )
    return check


def _parts(batch: Batch, share: float) -> Batch:
    """A part of each sample, padded; the shortest is half as long as the longest."""
    longest = max(2, round(share * next(iter(batch.x.values())).shape[1]))
    lengths = torch.linspace(longest / 2, longest - 1, batch.size).round().clamp(min=1)
    mask = (torch.arange(longest) < lengths[:, None]) & batch.real_frames()[:, :longest]
    x = {n: zero_padding(values[:, :longest], mask) for n, values in batch.x.items()}
    return batch._replace(x=x, mask=mask)


def _apart(found: Scores, said: Scores) -> Scores:
    """Differences of scores; infinite where a graph gives another number of them."""
    return np.abs(found - said) if found.shape == said.shape else np.full(1, np.inf)


def _error(
    said: NDArray[np.float64], true: NDArray[np.float64], known: NDArray[np.bool_]
) -> float | None:
    return float(np.abs(said - true)[known].mean()) if known.any() else None

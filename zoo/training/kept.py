"""Whether a trained model is wholly in its saved state: made anew, it must say the same."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from zoo.data.batch import Batch
from zoo.errors import CheckpointError, TrainingError
from zoo.nn.model import contract_of
from zoo.training.config import TrainerConfig
from zoo.training.device import predict
from zoo.training.state import load_weights

ROUNDING: Mapping[str, float] = {"fp32": 1e-3, "bf16": 5e-2}
"""By precision: what other hardware or another number of threads changes in standardised units."""


def require_kept(
    build: Callable[[], nn.Module],
    trained: nn.Module,
    weights: Mapping[str, Tensor],
    batch: Batch,
    config: TrainerConfig,
    device: torch.device,
) -> None:
    """Nothing, if a model made anew from `weights` scores as the trained one does.

    Args:
        build: makes the untrained model.
        trained: after its training.
        weights: its state, as it will be saved.
        batch: some sequences, scaled; those of one call are compared.
        config: of the training.
        device: where the trained model is.

    Raises:
        TrainingError: it does not; the message names attributes that hold what was learned and are
            not in the state.
    """
    batch = batch.select(torch.arange(min(batch.size, config.eval_batch_size)))
    expected = predict(trained, batch, config, device)
    closed_form = contract_of(trained).closed_form
    difference = ""
    with torch.random.fork_rng(devices=[]):
        anew = build()
    before = _attributes(anew)  # a score may be computed into one
    try:
        load_weights(anew, weights, free_shapes=closed_form)
        said = predict(anew.to(device), batch, config, device)
    except CheckpointError as error:
        difference = f"cannot be made again from its saved state: {error}"
    except Exception as error:  # a model without what it learned may do anything
        first = str(error).strip().splitlines()[:1]
        difference = (
            f"cannot score from its saved state ({': '.join([type(error).__name__, *first])})"
        )
    else:
        apart = _largest(said.score, expected.score)
        if said.log_variance is not None and expected.log_variance is not None:
            apart = max(apart, _largest(said.log_variance, expected.log_variance))
        if apart <= ROUNDING[config.precision]:
            return
        difference = (
            f"scores otherwise when it is made again from its saved state, by up to {apart:.2g}"
        )
    found = _learned_attributes(_attributes(trained), before)
    where = f": it keeps what it learned in {found}" if found else ""
    raise TrainingError(
        f"{type(trained).__name__} {difference}{where}. Only its parameters and buffers are kept, "
        "for nothing in a run may be code: keep numbers with self.register_buffer, and regressors "
        "of other libraries with zoo.nn.estimator.EstimatorModel"
    )


def _largest(a: Tensor, b: Tensor) -> float:
    apart = float((a - b).abs().max()) if a.numel() else 0.0
    return apart if apart == apart else float("inf")


def _attributes(model: nn.Module) -> dict[str, Any]:
    """Plain attributes of all modules, by dotted name."""
    return dict(_walk(model))


def _walk(model: nn.Module) -> Iterator[tuple[str, Any]]:
    own = vars(nn.Module())
    for path, module in model.named_modules():
        for name, value in vars(module).items():
            if name not in own:
                yield f"{path}.{name}" if path else name, value


def _learned_attributes(trained: Mapping[str, Any], fresh: Mapping[str, Any]) -> str:
    """Attributes that a training may have changed, in words."""
    return ", ".join(
        f"{name} (a {type(value).__module__}.{type(value).__qualname__})".replace("builtins.", "")
        for name, value in trained.items()
        if not (name in fresh and _same(value, fresh[name]))
    )


def _same(a: Any, b: Any) -> bool:
    """Whether two values are alike as far as can be told; what is only itself is not."""
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    try:
        return bool(a == b) or (hasattr(a, "__dict__") and _same_parts(vars(a), vars(b)))
    except Exception:  # an array does not say in one word
        return False


def _same_parts(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)

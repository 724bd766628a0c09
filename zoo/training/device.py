"""Where and in which precision a model is called, and what can go wrong there."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, cast

import torch
from torch import Tensor, nn

from zoo.data.batch import Batch, Prediction
from zoo.errors import ConfigError, TrainingError
from zoo.nn.model import contract_of
from zoo.training.config import TrainerConfig
from zoo.training.stop import StopSignals


def resolve_device(name: str, precision: str = "fp32") -> torch.device:
    """The device of ``trainer.device``.

    Raises:
        ConfigError: torch sees no such device, or it has no bf16.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            raise ConfigError(
                f"trainer.device is {name}, but torch {torch.__version__} sees {count} CUDA "
                "devices here: use trainer.device=cpu, or install a CUDA build of torch"
            )
        if precision == "bf16" and not torch.cuda.is_bf16_supported():
            raise ConfigError(f"{torch.cuda.get_device_name(device)} has no bf16: use fp32")
    return device


def autocast(config: TrainerConfig, device: torch.device) -> AbstractContextManager[Any]:
    """The context in which a model is called for ``trainer.precision``."""
    if config.precision == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()


def predict(
    model: nn.Module,
    batch: Batch,
    config: TrainerConfig,
    device: torch.device,
    stop: StopSignals | None = None,
) -> Prediction:
    """Scores (N,) and, where the model predicts them, variances, in evaluation mode.

    They are float32 on the CPU, in standardised units; nothing else of the answer is kept, nor a
    variance that nothing has learned (see `zoo.nn.model.Contract`).
    """
    model.eval()
    learned = contract_of(model).learns_variance
    scores, variances = [], []
    with torch.no_grad(), autocast(config, device):
        for index in torch.arange(batch.size).split(config.eval_batch_size):
            if stop is not None:
                stop.check()
            answer = model(batch.select(index).trimmed().to(device))
            scores.append(scores_of(answer, len(index)).float().cpu())
            log_variance = getattr(answer, "log_variance", None)
            if learned and log_variance is not None:
                variances.append(log_variance.float().cpu())
    return Prediction(
        torch.cat(scores) if scores else torch.zeros(0),
        torch.cat(variances) if variances else None,
    )


def scores_of(answer: Any, samples: int) -> Tensor:
    """The scores (samples,) in a model's answer, all of whose fields are looked at.

    Raises:
        TrainingError: it is no `Prediction`, or a field of it is of another type or shape; a score
            of another shape would be broadcast against the targets instead of compared.
    """
    if not hasattr(answer, "score"):
        raise TrainingError(
            f"the model's answer is a {type(answer).__name__}, expected a Prediction: end its "
            "forward with `return Prediction(score)` (from zoo.data.batch import Prediction)"
        )
    for name, width in (("score", 0), ("log_variance", 0), ("features", 1), ("output", 1)):
        value = getattr(answer, name, None)
        if value is None and name != "score":
            continue
        if not isinstance(value, Tensor):
            found = type(value).__name__
        elif value.dim() != 1 + width or len(value) != samples:
            found = str(tuple(value.shape))
        elif not value.is_floating_point():
            found = f"of {value.dtype}".replace("torch.", "")
        else:
            continue
        shape = f"({samples}, D)" if width else f"({samples},)"
        raise TrainingError(
            f"the model's Prediction.{name} for {samples} sequences is {found}, "
            f"expected a tensor of shape {shape}, of floats"
        )
    return cast(Tensor, answer.score)


@contextmanager
def explained_errors(config: TrainerConfig) -> Iterator[None]:
    """Turn what torch refuses into a `TrainingError` that says what to try.

    That is an exhausted memory, and batch normalisation over a single sample.
    """
    try:
        yield
    except ValueError as error:
        if "more than 1 value per channel" in str(error):
            raise TrainingError(
                "the model normalises over the batch and cannot be trained on one sample at a "
                "time: use trainer.batch_size=2 or more"
            ) from error
        raise
    except RuntimeError as error:  # torch.OutOfMemoryError is one; the CPU has only the text
        if isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error):
            raise TrainingError(
                f"the memory does not suffice ({str(error).splitlines()[0]}). Try "
                f"trainer.batch_size={max(1, config.batch_size // 2)}, trainer.eval_batch_size=8, "
                "trainer.precision=bf16 or trainer.device=cpu"
            ) from error
        raise

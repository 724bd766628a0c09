"""The state of a training as plain tensors and numbers, and back."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from zoo.errors import CheckpointError
from zoo.training.report import EpochRow
from zoo.words import some

OPTIMIZER_KEYS = ("step", "exp_avg", "exp_avg_sq", "momentum_buffer")
"""What AdamW and SGD remember of a parameter."""


@dataclass
class TrainState:
    """How far a training is, and everything the next epoch depends on.

    Attributes:
        history: one row per finished epoch.
        best_epoch: epoch with the lowest validation MAD, the first of equals; 0 for none.
        best_mad: that MAD; infinity for none.
        best: parameters and buffers after that epoch where it is selected at the end, else empty.
        model: parameters and buffers by name; empty while they change in the model itself.
        optimizer: by ``KEY/PARAMETER``, such as ``exp_avg/head.weight``; empty like `model`.
    """

    history: list[EpochRow] = field(default_factory=list)
    best_epoch: int = 0
    best_mad: float = math.inf
    best: dict[str, Tensor] = field(default_factory=dict)
    model: dict[str, Tensor] = field(default_factory=dict)
    optimizer: dict[str, Tensor] = field(default_factory=dict)

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return len(self.history)


def clone_weights(model: nn.Module) -> dict[str, Tensor]:
    """Copies on the CPU of all parameters and buffers in the model's state dict.

    Raises:
        CheckpointError: the state dict holds something that is no tensor.
    """
    weights = {}
    for name, value in model.state_dict().items():
        if not isinstance(value, Tensor):
            raise CheckpointError(
                f"{type(model).__name__}.state_dict() holds {name!r}, a {type(value).__name__}: "
                "only tensors can be kept, for nothing in a checkpoint may run code"
            )
        weights[name] = value.detach().to("cpu", copy=True)
    return weights


def load_weights(
    model: nn.Module, weights: Mapping[str, Tensor], *, free_shapes: bool = False
) -> None:
    """Copy `weights` into the model's parameters and buffers, which keep their memory.

    Args:
        model: takes them.
        weights: by name, exactly those of the model's state dict.
        free_shapes: all tensors take the shapes of `weights`: a closed-form model's sizes follow
            from the data it was fitted on. Those of a module that says ``sized_by_data = True``
            always do.

    Raises:
        CheckpointError: names, shapes or types differ.
    """
    _reshape(model, weights, everything=free_shapes)
    own = model.state_dict()
    problems = [f"{name} is missing" for name in own.keys() - weights.keys()]
    problems += [f"{name} is not in the model" for name in weights.keys() - own.keys()]
    for name in own.keys() & weights.keys():
        if own[name].shape != weights[name].shape:
            problems.append(
                f"{name} has shape {tuple(weights[name].shape)}, the model's has "
                f"{tuple(own[name].shape)}"
            )
        elif own[name].dtype != weights[name].dtype:
            problems.append(f"{name} is {weights[name].dtype}, the model's is {own[name].dtype}")
    if problems:
        raise CheckpointError(
            f"the stored weights are not those of this {type(model).__name__}: "
            f"{some(sorted(problems), between='; ')}"
        )
    model.load_state_dict(dict(weights))


def optimizer_tensors(
    model: nn.Module, optimizer: torch.optim.Optimizer | None
) -> dict[str, Tensor]:
    """Copies on the CPU of what the optimiser remembers, by ``KEY/PARAMETER``."""
    tensors: dict[str, Tensor] = {}
    if optimizer is None:
        return tensors
    for name, parameter in model.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            if value is not None:
                tensors[f"{key}/{name}"] = value.detach().to("cpu", copy=True)
    return tensors


def load_optimizer(
    model: nn.Module, optimizer: torch.optim.Optimizer | None, tensors: Mapping[str, Tensor]
) -> None:
    """Give the optimiser its memory back.

    Raises:
        CheckpointError: a tensor belongs to no parameter or has another shape.
    """
    parameters = dict(model.named_parameters())
    states: dict[Tensor, dict[str, Tensor]] = {}
    for label, value in tensors.items():
        key, _, name = label.partition("/")
        parameter = parameters.get(name)
        if optimizer is None or key not in OPTIMIZER_KEYS or parameter is None:
            raise CheckpointError(f"the stored optimiser state has an unknown entry {label!r}")
        if value.shape != (() if key == "step" else parameter.shape):
            raise CheckpointError(
                f"the stored optimiser state {label} has shape {tuple(value.shape)}, the "
                f"parameter {tuple(parameter.shape)}"
            )
        if key == "step":  # torch keeps it on the CPU
            states.setdefault(parameter, {})[key] = value.clone()
        else:  # the parameter's memory format, as when it was made: same sums, same bits
            states.setdefault(parameter, {})[key] = torch.empty_like(
                parameter, dtype=value.dtype, requires_grad=False
            ).copy_(value)
    if optimizer is not None:
        optimizer.state.clear()
        optimizer.state.update(states)


def _reshape(model: nn.Module, weights: Mapping[str, Tensor], *, everything: bool) -> None:
    for path, value in weights.items():
        module_path, _, name = path.rpartition(".")
        try:
            module = model.get_submodule(module_path)
        except AttributeError:
            continue
        if not everything and not getattr(module, "sized_by_data", False):
            continue
        for tensors in (module._buffers, module._parameters):
            old = tensors.get(name)
            if name in tensors and (old is None or old.shape != value.shape):
                fresh = torch.empty_like(value, device=value.device if old is None else old.device)
                if tensors is module._parameters:
                    fresh = nn.Parameter(fresh, requires_grad=False)
                tensors[name] = fresh  # type: ignore[assignment]

"""Exercises that are learnt together: each has a read-out of its own beside the common one."""

import torch
from torch import Tensor
from torch.nn import functional as F

from zoo.data.batch import Batch
from zoo.errors import ConfigError


def exercise_numbers(batch: Batch, most: int) -> Tensor:
    """Number of each sequence's exercise (N,) long, 0 where all are of the one that is tested.

    Args:
        batch: as a model gets it.
        most: how many exercises the model can tell apart.

    Raises:
        ConfigError: there are more.
    """
    if batch.exercise is None:
        first = next(iter(batch.x.values()))
        return torch.zeros(batch.size, dtype=torch.long, device=first.device)
    last = int(batch.exercise.max())
    if last >= most:
        raise ConfigError(
            f"{last + 1} exercises are trained on, the model can tell {most} apart: set "
            f"model.exercises={last + 1}, or trainer.exercises=one"
        )
    return batch.exercise


def with_own_copy(seen: Tensor, exercise: Tensor, exercises: int) -> Tensor:
    r"""Features for a linear layer that reads :math:`(v + v_e)^\top z`.

    Args:
        seen: z (N, F).
        exercise: e (N,) long.
        exercises: how many E there may be.

    Returns:
        (N, (1 + E)·F): z, then for each exercise z in the rows that belong to it, else 0.
    """
    own = F.one_hot(exercise, exercises).to(seen)
    return torch.cat([seen, (own[:, :, None] * seen[:, None]).flatten(1)], dim=1)

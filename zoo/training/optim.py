"""Optimisers, and the learning rate as a function of the epoch alone."""

import math

import torch
from torch import nn

from zoo.errors import TrainingError
from zoo.training.config import TrainerConfig


def learning_rate(config: TrainerConfig, epoch: int) -> float:
    """The rate of an epoch, counted from 1.

    In the w warm-up epochs lr·e/(w + 1); after them `lr`, or for the cosine schedule
    lr·(1 + cos(π(e − 1 − w)/(E − w)))/2, which is `lr` at first and ends just above 0.
    """
    warm = config.warmup_epochs
    if epoch <= warm:
        return config.lr * epoch / (warm + 1)
    if config.schedule == "constant":
        return config.lr
    done = (epoch - 1 - warm) / (config.epochs - warm)
    return config.lr * (1 + math.cos(math.pi * done)) / 2


def make_optimizer(model: nn.Module, config: TrainerConfig) -> torch.optim.Optimizer:
    """AdamW or SGD over all parameters that want a gradient.

    Raises:
        TrainingError: there are none.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not parameters:
        raise TrainingError(
            f"{type(model).__name__} has no parameters to train and no method fit(batch, target)"
        )
    if config.optimizer == "sgd":
        return torch.optim.SGD(
            parameters, config.lr, momentum=config.momentum, weight_decay=config.weight_decay
        )
    return torch.optim.AdamW(parameters, config.lr, weight_decay=config.weight_decay)

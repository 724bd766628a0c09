"""What a model costs: parameters and operations."""

import copy
import time
from statistics import median

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from zoo.data.batch import Batch


def count_parameters(model: nn.Module) -> int:
    """Numbers in all parameters, each shared one once."""
    return sum(p.numel() for p in model.parameters())


def count_flops(model: nn.Module, batch: Batch) -> int | None:
    """Floating-point operations of one forward pass for the first sequence of `batch`.

    Matrix products, convolutions and attention are counted, a multiplication and an addition as
    two; elementwise work is not. A copy of the model is run in evaluation mode, so that nothing
    it remembers changes; random numbers are put back.

    Returns:
        The number, or None where the model cannot be copied or counted.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        try:
            double = copy.deepcopy(model).eval()
            counter = FlopCounterMode(display=False)
            with counter:
                double(batch.select(torch.zeros(1, dtype=torch.long, device=_device(batch))))
        except Exception:  # a plug-in model may do anything; a missing figure stops no training
            return None
        return int(counter.get_total_flops())


def measure_latency(model: nn.Module, batch: Batch, repeats: int = 5) -> float:
    """Milliseconds of one forward pass for one sequence, the median of `repeats` after a first.

    In evaluation mode and full precision, on the device and the threads the model was trained
    with; the model is put back as it was.
    """
    training = model.training
    one = batch.select(torch.zeros(1, dtype=torch.long, device=_device(batch)))
    seconds = []
    with torch.no_grad():
        model.eval()
        for _ in range(repeats + 1):
            begun = time.perf_counter()
            model(one).score.cpu()  # which waits for the device
            seconds.append(time.perf_counter() - begun)
        model.train(training)
    return 1000 * median(seconds[1:])


def _device(batch: Batch) -> torch.device:
    return next(iter(batch.x.values())).device

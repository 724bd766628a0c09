"""What a model costs: parameters and operations."""

import copy
import math
import time
from collections.abc import Sequence
from statistics import median
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from zoo.data.batch import Batch


def count_parameters(model: nn.Module) -> int:
    """Numbers in all parameters, each shared one once."""
    return sum(p.numel() for p in model.parameters())


def count_flops(model: nn.Module, batch: Batch) -> int | None:
    """Floating-point operations of one forward pass for the first sequence of `batch`.

    Matrix products (those of recurrent cells among them), convolutions and attention are counted,
    a multiplication and an addition as two; elementwise work is not. A copy of the model is run
    in evaluation mode, so that nothing it remembers changes; random numbers are put back.

    Returns:
        The number, or None where the model cannot be copied or counted.
    """
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        try:
            double = copy.deepcopy(model).eval()
            counter = FlopCounterMode(display=False, custom_mapping=_FUSED_RECURRENT)
            with counter:
                double(batch.select(torch.tensor([0])))
        except Exception:  # a plug-in model may do anything; a missing figure stops no training
            return None
        return int(counter.get_total_flops())


def _onednn_cell_flops(x: Sequence[int], *args: Any, out_shape: Any = None, **_: Any) -> int:
    """Of oneDNN's fused LSTM over x (T, N, C): all products with its two weight matrices."""
    return 2 * x[0] * x[1] * sum(math.prod(weight) for weight in args[:2])


def _cudnn_cell_flops(
    x: Sequence[int], weights: Sequence[Sequence[int]], *_: Any, out_shape: Any = None, **__: Any
) -> int:
    """Of cuDNN's fused cells over x (T, N, C) or (N, T, C), biases left out."""
    return 2 * x[0] * x[1] * sum(math.prod(weight) for weight in weights if len(weight) == 2)


_FUSED_RECURRENT = {
    torch.ops.aten.mkldnn_rnn_layer: _onednn_cell_flops,
    torch.ops.aten._cudnn_rnn: _cudnn_cell_flops,
}
"""What torch's own counter leaves out; where cells are not fused, it sees their products."""


def measure_latency(model: nn.Module, batch: Batch, repeats: int = 5) -> float:
    """Milliseconds of one forward pass for one sequence, the median of `repeats` after a first.

    In evaluation mode and full precision, on the device and the threads the model was trained
    with; the model is put back as it was.
    """
    training = model.training
    one = batch.select(torch.tensor([0]))
    seconds = []
    with torch.no_grad():
        model.eval()
        for _ in range(repeats + 1):
            begun = time.perf_counter()
            model(one).score.cpu()  # which waits for the device
            seconds.append(time.perf_counter() - begun)
        model.train(training)
    return 1000 * median(seconds[1:])

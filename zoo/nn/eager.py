"""When gradients are written out by hand."""

import torch
from torch import Tensor


def plain(x: Tensor) -> bool:
    """Whether to leave what is done with `x` to PyTorch and its autograd.

    What is written out by hand is faster on the CPU only; `torch.compile` and `torch.export` could
    not look into it, and it knows nothing of autocast.
    """
    compiling = torch.compiler.is_compiling()
    return compiling or x.device.type != "cpu" or torch.is_autocast_enabled("cpu")

"""Seeds: every epoch starts from numbers that follow from the run's seed and the epoch alone.

So a run that is stopped and resumed needs no stored generator state: epoch 12 draws the same
dropout masks and the same batch order whether the eleven before it ran in this process or not.
"""

import hashlib
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

BUILD = 0
"""The epoch number under which weights are drawn; training epochs count from 1."""


def derive_seed(*parts: int | str) -> int:
    """A seed of 63 bits that follows from `parts`, the same on every machine."""
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def seed_all(seed: int, epoch: int = BUILD) -> None:
    """Reseed torch (all devices), numpy's and Python's global generators for one epoch.

    Call it with `BUILD` before a model draws its weights.
    """
    value = derive_seed("epoch", seed, epoch)
    random.seed(value)
    np.random.seed(value % 2**32)  # noqa: NPY002 - plug-in models may use the global generator
    torch.manual_seed(value)


def batches(samples: int, batch_size: int, seed: int, epoch: int) -> list[Tensor]:
    """Sample indices of every batch of one epoch, in an order of its own.

    A last batch of a single sample joins the batch before it: batch normalisation cannot be
    trained on one value, and dropping the sample would leave it out of that epoch.
    """
    generator = torch.Generator().manual_seed(derive_seed("order", seed, epoch))
    parts = list(torch.randperm(samples, generator=generator).split(batch_size))
    if len(parts) > 1 and batch_size > 1 and parts[-1].numel() == 1:
        last = parts.pop()
        parts[-1] = torch.cat([parts[-1], last])
    return parts


@contextmanager
def reproducible(threads: int | None = None) -> Iterator[None]:
    """Deterministic algorithms inside; afterwards all generators and settings are as before.

    torch is asked for deterministic algorithms and warns where there is none. On the CPU this
    changes only scatter and indexed accumulation, which then run in a fixed order on one thread;
    convolutions and matrix products are deterministic anyway for a fixed number of threads.
    Filling fresh memory with NaN, which torch adds by default in this mode, is switched off: it
    costs a pass over every activation. On CUDA, cuBLAS needs ``CUBLAS_WORKSPACE_CONFIG``, which
    is set here unless it is set already; equality bit by bit is promised on the CPU only.

    Args:
        threads: CPU threads of torch; None leaves them. Another number of threads adds in
            another order, so results agree to rounding and not to the last bit.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.get_num_threads()
    mode = torch.get_deterministic_debug_mode()
    fill = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    benchmark = torch.backends.cudnn.benchmark
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002
    cuda = range(torch.cuda.device_count() if torch.cuda.is_initialized() else 0)
    try:
        if threads is not None:
            torch.set_num_threads(threads)
        # use_deterministic_algorithms(True, warn_only=True) would import the compiler for this
        torch.set_deterministic_debug_mode("warn")
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        torch.backends.cudnn.benchmark = False
        with torch.random.fork_rng(devices=cuda):
            yield
    finally:
        torch.set_num_threads(before)
        torch.set_deterministic_debug_mode(mode)
        torch.utils.deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]
        torch.backends.cudnn.benchmark = benchmark
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002

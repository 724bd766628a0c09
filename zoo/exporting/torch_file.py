"""A module of tensors as a file of `torch.export`."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric import EdgeIndex

from zoo.exporting.errors import ExportError
from zoo.exporting.graph import Port


def torch_bytes(
    module: nn.Module, example: Sequence[Tensor], inputs: Sequence[Port], what: str
) -> bytes:
    """A module as ``.pt2``; `torch.export.load` opens it.

    Args:
        module: in evaluation mode; called with tensors, gives a tuple of tensors.
        example: its inputs, at least two samples.
        inputs: what they are; a named axis is open.
        what: is exported, for errors.

    Raises:
        ExportError: `torch.export` refuses it.
    """
    shapes = tuple(
        {
            at: torch.export.Dim.DYNAMIC
            for at, axis in enumerate(port.shape)
            if isinstance(axis, str)
        }
        for port in inputs
    )
    file = io.BytesIO()
    try:
        with _quiet():
            program = torch.export.export(module, tuple(example), dynamic_shapes=(shapes,))
            for name, value in program.constants.items():
                if isinstance(value, EdgeIndex):  # nothing reads it, and it cannot be saved
                    program.constants[name] = value.as_tensor()
            torch.export.save(program, file)
    except Exception as error:  # torch.export raises whatever the code it looks at raises
        reason = next(line for line in [*str(error).splitlines(), type(error).__name__] if line)
        raise ExportError(f"{what} cannot be written by torch.export: {reason}") from None
    return file.getvalue()


def run_torch(content: bytes, given: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """What a file of `torch_bytes` says of inputs.

    Raises:
        ExportError: it refuses them.
    """
    with _quiet():
        module = torch.export.load(io.BytesIO(content)).module()
    try:
        with torch.no_grad():
            found: Any = module(*given)
    except Exception as error:  # as above
        raise ExportError(f"the file of torch.export stops: {str(error).splitlines()[0]}") from None
    return tuple(found)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what `torch.export` tells its developers."""
    logger = logging.getLogger("torch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)

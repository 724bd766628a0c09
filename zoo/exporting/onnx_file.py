"""A module of tensors as an ONNX file, and what onnxruntime makes of one."""

import contextlib
import importlib
import io
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from zoo.exporting.errors import ExportError
from zoo.exporting.graph import Port

OPSET = 18


def onnx_bytes(
    module: nn.Module,
    example: Sequence[Tensor],
    inputs: Sequence[Port],
    outputs: Sequence[Port],
    what: str,
) -> bytes:
    """A module as an ONNX model, by running it once and writing down what torch does.

    Torch's other exporter, on `torch.export`, takes a minute for a network whose number of frames
    is open, and unrolls recurrent cells over the frames of the example; this one takes a second and
    writes them as ONNX's own operators. What it may get wrong, a branch or a number that belonged
    to the example alone, is found by comparing scores, see `zoo.exporting.check`.

    Args:
        module: in evaluation mode; called with tensors, gives a tuple of tensors.
        example: its inputs.
        inputs: what they are; a named axis is open.
        outputs: the same of what it gives.
        what: is exported, for errors.

    Raises:
        ExportError: the model does something that ONNX has no operator for.
    """
    axes = {
        port.name: {at: axis for at, axis in enumerate(port.shape) if isinstance(axis, str)}
        for port in (*inputs, *outputs)
    }
    file = io.BytesIO()
    try:
        with _quiet(), _own_operators(), torch.no_grad():
            torch.onnx.export(
                module,
                tuple(example),
                file,
                dynamo=False,
                opset_version=OPSET,
                input_names=[port.name for port in inputs],
                output_names=[port.name for port in outputs],
                dynamic_axes=axes,
            )
    except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
        reason = str(error).splitlines()[0].partition("  [Caused by")[0].partition(". Please")[0]
        raise ExportError(f"{what} cannot be written as ONNX: {reason}") from None
    return file.getvalue()


def run_onnx(content: bytes | Path, given: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """What onnxruntime says of inputs, on one thread of the CPU; more inputs than it has will do.

    Raises:
        ExportError: onnxruntime refuses the model or its inputs.
    """
    opened = session(content)
    known = {port.name: given[port.name] for port in opened.get_inputs()}
    names = [port.name for port in opened.get_outputs()]
    try:
        found = opened.run(names, {name: np.asarray(x) for name, x in known.items()})
    except Exception as error:  # onnxruntime has no class of errors of its own
        raise ExportError(f"onnxruntime stops: {str(error).splitlines()[0]}") from None
    return dict(zip(names, found, strict=True))


def session(content: bytes | Path) -> Any:
    """An ``onnxruntime.InferenceSession`` on one thread of the CPU.

    Raises:
        ExportError: onnxruntime refuses the model.
    """
    runtime = require("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    model = content if isinstance(content, bytes) else str(content)
    try:
        return runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # as above
        raise ExportError(f"onnxruntime refuses it: {str(error).splitlines()[0]}") from None


def require(package: str) -> Any:
    """A package of the extra ``export``.

    Raises:
        ExportError: it is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError:
        raise ExportError(
            f'writing ONNX needs {package.partition(".")[0]}: pip install "skeleton-zoo[export]"'
        ) from None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what torch's exporter tells its developers, a whole graph where it stops."""
    logger = logging.getLogger("torch.onnx")
    level, log = logger.level, torch._C._jit_onnx_log
    logger.setLevel(logging.ERROR)
    torch._C._jit_onnx_log = lambda *_: None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch._C._jit_onnx_log = log
        logger.setLevel(level)


@contextlib.contextmanager
def _own_operators() -> Iterator[None]:
    """Operators that torch's exporter lacks or gets wrong where lengths are open."""
    made = {"aten::mT": _transposed, "aten::movedim": _moved, "aten::unfold": _unfolded}
    for name, symbolic in made.items():
        torch.onnx.register_custom_op_symbolic(name, symbolic, OPSET)
    try:
        yield
    finally:
        for name in made:
            torch.onnx.unregister_custom_op_symbolic(name, OPSET)


def _transposed(g: Any, x: Any) -> Any:
    rank = x.type().dim()
    return g.op("Transpose", x, perm_i=[*range(rank - 2), rank - 1, rank - 2])


def _moved(g: Any, x: Any, source: Any, destination: Any) -> Any:
    rank = x.type().dim()
    taken, put = ([at % rank for at in _whole_numbers(axes)] for axes in (source, destination))
    others = iter(at for at in range(rank) if at not in taken)
    places = dict(zip(put, taken, strict=True))
    order = [places[at] if at in places else next(others) for at in range(rank)]
    return g.op("Transpose", x, perm_i=order)


def _unfolded(g: Any, x: Any, axis: Any, size: Any, step: Any) -> Any:
    """Windows of an axis of any length, as the last axis."""
    ((at,), (wide,), (apart,)) = map(_whole_numbers, (axis, size, step))
    rank = x.type().dim()
    at %= rank

    def constant(value: Any) -> Any:
        return g.op("Constant", value_t=torch.tensor(value))

    length = g.op("Gather", g.op("Shape", x), constant(at), axis_i=0)
    end = g.op("Sub", length, constant(wide - 1))
    starts = g.op("Unsqueeze", g.op("Range", constant(0), end, constant(apart)), constant([1]))
    windows = g.op("Gather", x, g.op("Add", starts, constant([list(range(wide))])), axis_i=at)
    order = [*range(at + 1), *range(at + 2, rank + 1), at + 1]
    return g.op("Transpose", windows, perm_i=order)


def _whole_numbers(value: Any) -> list[int]:
    """The whole numbers that an argument of an operator holds."""
    kind = "is" if value.node().kind() == "prim::ListConstruct" else "t"
    found = torch.onnx.symbolic_helper._maybe_get_const(value, kind)
    return [int(number) for number in np.atleast_1d(np.asarray(found))]

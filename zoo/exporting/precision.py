"""ONNX models with coarser numbers, made by onnxruntime's own tools."""

import logging
import tempfile
from pathlib import Path

from zoo.exporting.errors import ExportError
from zoo.exporting.onnx_file import require

PRECISIONS = ("fp32", "fp16", "int8")
"""What weights are kept in. bf16 is none of them: onnxruntime computes hardly anything in it."""


def in_precision(content: bytes, precision: str, what: str) -> bytes:
    """An ONNX model in another precision; inputs and outputs stay as they are.

    Args:
        content: the model in ``fp32``.
        precision: ``fp16`` halves weights and what is computed; ``int8`` takes weights to whole
            numbers with a scale for each, and what is computed too while it is computed
            (onnxruntime's dynamic quantisation), and needs no recordings to find scales.
        what: is exported, for errors.

    Raises:
        ExportError: onnxruntime's tools refuse the model.
    """
    try:
        return _half(content) if precision == "fp16" else _whole(content)
    except ExportError:
        raise
    except Exception as error:  # these tools raise whatever they meet
        raise ExportError(
            f"{what} cannot be written in {precision}: {str(error).splitlines()[0]}"
        ) from None


def _half(content: bytes) -> bytes:
    onnx = require("onnx")
    convert = require("onnxruntime.transformers.float16").convert_float_to_float16
    made: bytes = convert(onnx.load_from_string(content), keep_io_types=True).SerializeToString()
    return made


def _whole(content: bytes) -> bytes:
    quantization = require("onnxruntime.quantization")
    simplified = require("onnxruntime.quantization.shape_inference").quant_pre_process
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # it recommends what shapes that are open forbid
    try:
        with tempfile.TemporaryDirectory() as folder:
            given, made = Path(folder, "fp32.onnx"), Path(folder, "int8.onnx")
            given.write_bytes(content)
            simplified(given, given, skip_symbolic_shape=True)
            quantization.quantize_dynamic(given, made, weight_type=quantization.QuantType.QInt8)
            return made.read_bytes()
    finally:
        root.setLevel(level)

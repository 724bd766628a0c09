"""A finished run's model in a folder of its own, as a graph that other programs run."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from registry import did_you_mean
from zoo.build import to_plain
from zoo.errors import ConfigError
from zoo.exporting.check import Check, Score, Scores, checked_graph, compared
from zoo.exporting.graph import Port, ScoringGraph
from zoo.exporting.onnx_file import onnx_bytes, require, run_onnx
from zoo.exporting.precision import PRECISIONS, in_precision
from zoo.exporting.readme import readme
from zoo.exporting.record import (
    EXAMPLE,
    README,
    RECORD,
    SCHEMA,
    Before,
    ExportRecord,
    GraphFile,
    Interval,
)
from zoo.exporting.samples import Samples
from zoo.exporting.torch_file import run_torch, torch_bytes
from zoo.files import replaced_folder, to_json
from zoo.prediction import Predictor
from zoo.runs.run import Run
from zoo.skeleton.layout import load_layout
from zoo.training.bundle import require_unaltered

GRAPH_FORMATS = {"onnx": ".onnx", "torch": ".pt2"}
"""Formats of a graph, with the ending of its file."""


def export_graph(
    run: Run | Path | str,
    output: Path | None = None,
    *,
    kind: str,
    precision: str = "fp32",
    data_root: Path | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a finished run's model as a graph of tensors; see `zoo.export`."""
    if precision not in PRECISIONS:
        raise ConfigError(
            f"there is no precision {precision!r}. {did_you_mean(precision, PRECISIONS)}"
        )
    if kind == "onnx":
        for package in ("onnx", "onnxruntime"):
            require(package)
    elif precision != "fp32":
        raise ConfigError(f"{precision} is for the format onnx, not for {kind}")
    predictor = Predictor.open(run, data_root=data_root, device="cpu")
    found = predictor.run
    require_unaltered(found)
    target = Path(f"{found.record.model.name}-{kind}") if output is None else output
    if target.exists() and not target.is_dir():
        raise ConfigError(f"{target} is a file: a graph is written into a folder of its own")
    if target.exists() and any(target.iterdir()):
        if not overwrite:
            raise ConfigError(
                f"{target} exists already: name another with output=, or overwrite=True"
            )
        if not (target / RECORD).is_file():
            raise ConfigError(f"{target} is not replaced: there is no {RECORD}, it is no export")
    target.parent.mkdir(parents=True, exist_ok=True)
    with replaced_folder(target) as folder:
        _write(predictor, kind, precision, folder)
    return target


def _write(predictor: Predictor, kind: str, precision: str, folder: Path) -> None:
    trained, what = predictor.trained, predictor.run.record.model.name
    made_up = Samples.made_up(predictor)
    graph = ScoringGraph.of(trained, made_up.given).eval()
    given, inputs = graph.given(made_up.given), graph.inputs
    score: Score
    if kind == "onnx":
        content = onnx_bytes(graph, given, inputs, graph.outputs, what)
        score = partial(_said_by_onnx, content, inputs)
    else:
        inputs = _of_fixed_length(inputs, predictor)
        content = torch_bytes(graph, given, inputs, what)
        score = partial(_said_by_torch, content)
    tested = Samples.test(predictor)
    check = checked_graph(graph, score, tested, trained, inputs, what)
    ending = GRAPH_FORMATS[kind]
    files = [_written(folder / f"model{ending}", "fp32", content, inputs, graph.outputs, check)]
    if precision != "fp32":
        coarse = in_precision(content, precision, what)
        own = compared(graph, partial(_said_by_onnx, coarse, inputs), tested, trained, inputs)
        file = folder / f"model.{precision}{ending}"
        files.append(_written(file, precision, coarse, inputs, graph.outputs, own))
    record = _record(predictor, kind, tuple(files))
    first = graph.given(made_up.given.select(torch.tensor([0])))
    (folder / EXAMPLE).write_bytes(to_json(_example(inputs, first, float(score(first)[0]))))
    (folder / RECORD).write_bytes(to_json(to_plain(record)))
    (folder / README).write_text(readme(record), encoding="utf-8")


def _written(
    file: Path,
    precision: str,
    content: bytes,
    inputs: Sequence[Port],
    outputs: Sequence[Port],
    check: Check,
) -> GraphFile:
    file.write_bytes(content)
    return GraphFile(file.name, precision, len(content), tuple(inputs), tuple(outputs), check)


def _said_by_onnx(content: bytes, inputs: Sequence[Port], given: Sequence[Tensor]) -> Scores:
    named = {port.name: x.numpy() for port, x in zip(inputs, given, strict=True)}
    return run_onnx(content, named)["score"].astype(np.float64)


def _said_by_torch(content: bytes, given: Sequence[Tensor]) -> Scores:
    return run_torch(content, given)[0].double().numpy()


def _of_fixed_length(inputs: Sequence[Port], predictor: Predictor) -> tuple[Port, ...]:
    """Inputs whose frames are as many as the protocol makes, where it says how many.

    To find out what holds for any number of them takes `torch.export` a minute and more.
    """
    feed, frames = predictor.trained.feed, predictor.protocol.frames
    if feed.raw or feed.rate is not None or frames is None:
        return tuple(inputs)
    return tuple(
        replace(port, shape=tuple(frames if axis == "frames" else axis for axis in port.shape))
        for port in inputs
    )


def _record(predictor: Predictor, kind: str, graphs: tuple[GraphFile, ...]) -> ExportRecord:
    record, protocol = predictor.run.record, predictor.protocol
    feed, layout = predictor.trained.feed, load_layout(predictor.trained.layout)
    fixed = not feed.raw and feed.rate is None
    steps = () if feed.raw else protocol.transforms
    calibration = predictor.calibration
    exercise = record.dataset.exercise
    return ExportRecord(
        schema=SCHEMA,
        format=kind,
        model=record.model.name,
        title=record.model.title,
        dataset=record.dataset.title,
        exercise=record.dataset.exercises.get(exercise, exercise),
        score_range=record.dataset.score_range,
        layout=layout.name,
        joints=layout.joints,
        parents=layout.parents,
        before=Before(
            transforms=tuple({step.name: step.resolved()} for step in steps),
            sampling=(feed.sampling or protocol.sampling).to_dict(),
            frames=protocol.frames if fixed else None,
            rate=feed.rate,
            aggregate=protocol.aggregate,
        ),
        interval=Interval(calibration.level, calibration.factor, calibration.scaled)
        if calibration.finite and not predictor.run.leaky
        else None,
        graphs=graphs,
    )


def _example(inputs: Sequence[Port], given: Sequence[Tensor], score: float) -> Mapping[str, Any]:
    """Inputs of one sample and the score that comes out."""
    named = {
        port.name: {
            "type": port.type,
            "dims": list(x.shape),
            "data": to_plain(x.flatten().tolist()),
        }
        for port, x in zip(inputs, given, strict=True)
    }
    return {"inputs": named, "score": score}

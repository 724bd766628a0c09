"""The README beside an exported graph."""

from collections.abc import Mapping, Sequence
from typing import Any

from zoo.exporting.graph import Port
from zoo.exporting.record import EXAMPLE, RECORD, ExportRecord, GraphFile
from zoo.words import fixed, percent

_PYTHON = {
    "onnx": """\
import json
import numpy as np
import onnxruntime

types = {{"float32": np.float32, "bool": np.bool_, "int64": np.int64}}
example = json.load(open("{example}"))
given = {{name: np.array(x["data"], types[x["type"]]).reshape(x["dims"])
         for name, x in example["inputs"].items()}}
session = onnxruntime.InferenceSession("{file}", providers=["CPUExecutionProvider"])
print(session.run(["score"], given)[0], "expected", example["score"])
""",
    "torch": """\
import json
import torch

types = {{"float32": torch.float32, "bool": torch.bool, "int64": torch.int64}}
example = json.load(open("{example}"))
given = [torch.tensor([float("nan") if v is None else v for v in x["data"]], dtype=types[x["type"]])
         .reshape(x["dims"]) for x in example["inputs"].values()]
model = torch.export.load("{file}").module()
print(model(*given)[0], "expected", example["score"])
""",
}

_JAVASCRIPT = """\
import * as ort from "onnxruntime-web";   // npm install onnxruntime-web
import {{ readFile }} from "node:fs/promises";   // in a browser: fetch

const arrays = {{ float32: (d) => Float32Array.from(d, (v) => v ?? NaN),
                 bool: (d) => Uint8Array.from(d), int64: (d) => BigInt64Array.from(d, BigInt) }};
const example = JSON.parse(await readFile("{example}", "utf8"));
const given = Object.fromEntries(Object.entries(example.inputs).map(([name, x]) =>
  [name, new ort.Tensor(x.type, arrays[x.type](x.data), x.dims)]));
const session = await ort.InferenceSession.create(await readFile("{file}"));
const {{ score }} = await session.run(given);
console.log(score.data[0], "expected", example.score);
"""


def readme(record: ExportRecord) -> str:
    """What is in an export, and how it is used, as Markdown."""
    first = record.graphs[0]
    low, high = record.score_range
    parts = [
        f"# {record.title}",
        f"The model `{record.model}`, trained on {record.dataset}, exercise {record.exercise}: it "
        f"scores a performance from {low:g} to {high:g}. Written by skeleton-zoo; no code and "
        "nobody's data are in it.",
        _files(record.graphs),
        _before(record),
        f"## Inputs of `{first.name}`",
        _ports(first.inputs),
        f"Joints, in this order ({record.layout}): {', '.join(record.joints)}.",
        "## Outputs",
        _ports(first.outputs),
        _after(record),
        "## Python",
        _code("python", _PYTHON[record.format].format(example=EXAMPLE, file=first.name)),
    ]
    if record.format == "onnx":
        source = _JAVASCRIPT.format(example=EXAMPLE, file=first.name)
        parts += ["## JavaScript", "Save it as `example.mjs`.", _code("js", source)]
    parts.append(
        f"`{EXAMPLE}` holds inputs of a made-up performance, behind which there is nobody, and the "
        f"score that has to come out; `{RECORD}` says all of this to programs."
    )
    return "\n\n".join(parts) + "\n"


def _files(graphs: Sequence[GraphFile]) -> str:
    lines = [
        "| file | precision | MB | checked on | largest difference of a score | mean |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for graph in graphs:
        check = graph.check
        lines.append(
            f"| `{graph.name}` | {graph.precision} | {graph.bytes / 1e6:.2f} | "
            f"{check.samples} {check.of} | {check.largest_difference:.1e} | "
            f"{check.mean_difference:.1e} |"
        )
    return "\n".join(lines)


def _before(record: ExportRecord) -> str:
    before, steps = record.before, []
    for step in before.transforms:
        ((name, settings),) = step.items()
        steps.append(f"`{name}`{_settings(settings)}")
    sampling = dict(before.sampling)
    kind = sampling.pop("kind")
    cut = "the whole recording is one sample"
    if kind != "recording":
        cut = f"it is cut into {kind}{_settings(sampling)}, each a sample"
    length = "each sample keeps its frames"
    if before.rate is not None:
        length = f"each sample is brought to {before.rate:g} frames a second"
    elif before.frames is not None:
        length = f"each sample is brought to {before.frames} frames"
    if before.rate is not None or before.frames is not None:
        length += " by cubic splines from its first frame to its last (scipy's CubicSpline)"
    first = f"its frames pass {', '.join(steps)}" if steps else "its frames stay as recorded"
    return (
        "## Before the graph\n\n"
        f"A recording is in metres, y up; quaternions change sign nowhere in time. Then {first} "
        f"(`zoo.data.transforms`); {cut}; {length}. "
        "`zoo.load_model(RUN).graph_inputs(FILE)` does all of it in Python. Inside the graph are "
        "the streams that follow from these, the z-score, the model, and the way back to score "
        "units."
    )


def _after(record: ExportRecord) -> str:
    said = f"A recording's score is the {record.before.aggregate} of its samples' scores. "
    if record.before.aggregate == "none":
        said = "Each sample is scored by itself. "
    if record.interval is None:
        return said + "No interval can be promised around it."
    interval = record.interval
    width = f"{fixed(interval.factor)} × `deviation`" if interval.scaled else fixed(interval.factor)
    return said + (
        f"The true score of a new person lies within ± {width} of it with a probability of at "
        f"least {percent(interval.level)}."
    )


def _ports(ports: Sequence[Port]) -> str:
    lines = ["| name | type | shape | what |", "| --- | --- | --- | --- |"]
    for port in ports:
        shape = " × ".join(map(str, port.shape))
        lines.append(f"| `{port.name}` | {port.type} | {shape} | {port.what} |")
    return "\n".join(lines)


def _settings(settings: Mapping[str, Any]) -> str:
    given = ", ".join(f"{k}: {v}" for k, v in settings.items() if v is not None)
    return f" ({given})" if given else ""


def _code(language: str, source: str) -> str:
    return f"```{language}\n{source}```"

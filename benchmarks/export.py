"""Exported networks beside the torch model they were made of: size, difference, time of a clip.

    python benchmarks/export.py [--models stgcn-small,gru] [--repeats 15] [--json FILE]
    python benchmarks/export.py --runs RUNS --dataset kimore [--data-root DIR]

Every registered network that can be exported, untrained, one size of each code, on one clip of 100
frames and 25 joints (or what the model measures of it), on one thread. Torch in fp32 and the ONNX
files are called in turn; the median of the processor times is shown. With --runs instead: the
finished runs of networks below a folder, with the mean absolute error on their test recordings.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

import zoo
from registry import MODELS
from zoo.data.samples import build_samples
from zoo.data.scalers import StreamScaler, TargetScaler
from zoo.data.segment import Sampling
from zoo.errors import UserError
from zoo.exporting.graph import ScoringGraph, source_streams
from zoo.exporting.made_up import made_up_recording
from zoo.exporting.onnx_file import onnx_bytes, session
from zoo.exporting.precision import PRECISIONS, in_precision
from zoo.exporting.samples import Samples
from zoo.nn.model import contract_of
from zoo.prediction import Predictor
from zoo.runs.find import read_runs
from zoo.skeleton import load_layout

LAYOUT, FRAMES = "kinect-v2", 100


def untrained(name: str) -> tuple[ScoringGraph, Samples]:
    """A network as it is made, and four clips; its scores are in standardised units."""
    torch.manual_seed(0)
    model = zoo.create_model(name, LAYOUT).eval()
    contract = contract_of(model)
    recordings = [made_up_recording(load_layout(LAYOUT), 5.0 + i, i) for i in range(4)]

    def made(streams: Any) -> Any:
        frames = None if contract.raw else FRAMES
        return build_samples(recordings, Sampling(), (), streams, frames, scored=False)

    fed = made(contract.streams)
    if contract.derive is not None:
        given = fed = contract.derive.of(fed, None)
    else:
        given = made(source_streams(contract.streams))
    scaler = StreamScaler("none" if contract.raw else "zscore").fit(fed.batch())
    contract.prepare(scaler.transform(fed.batch()), scaler)
    layout = load_layout(LAYOUT)
    graph = ScoringGraph(model, layout, scaler, TargetScaler("none"), (0, 1), given.batch())
    return graph.eval(), Samples(given.batch(), fed.batch(), np.full(4, np.nan), "", False)


def measured(
    name: str, graph: ScoringGraph, samples: Samples, repeats: int
) -> Mapping[str, Mapping[str, float]]:
    """By precision, ``torch`` among them: bytes, differences, milliseconds and error."""
    given = graph.given(samples.given)
    one = graph.given(samples.given.select(torch.tensor([0])))
    with torch.no_grad():
        said = graph(*given.values())[0].double().numpy()
    content = onnx_bytes(graph, tuple(given.values()), graph.inputs, graph.outputs, name)
    calls: dict[str, Callable[[], Any]] = {"torch": lambda: graph(*one.values())}
    found: dict[str, dict[str, float]] = {
        "torch": {"bytes": sum(p.numel() * p.element_size() for p in graph.parameters())}
    }
    for precision in PRECISIONS:
        try:
            made = content if precision == "fp32" else in_precision(content, precision, name)
            opened = session(made)
            names = {port.name for port in opened.get_inputs()}
            score = opened.run(["score"], _arrays(given, names))[0].astype(np.float64)
        except (UserError, RuntimeError) as error:
            print(f"{name} {precision}: {str(error).splitlines()[0]}")
            continue
        apart = np.abs(score - said)
        found[precision] = {
            "bytes": len(made),
            "largest": float(apart.max()),
            "mean": float(apart.mean()),
            "error": float(np.abs(score - samples.true).mean()),
        }
        arrays = _arrays(one, names)
        calls[precision] = lambda opened=opened, arrays=arrays: opened.run(["score"], arrays)
    times: dict[str, list[float]] = {key: [] for key in calls}
    with torch.no_grad():
        for _ in range(repeats + 2):
            for key, call in calls.items():
                begun = time.process_time()
                call()
                times[key].append(1000 * (time.process_time() - begun))
    for key, values in times.items():
        found[key]["ms"] = statistics.median(values[2:])
    return found


def _arrays(given: Mapping[str, torch.Tensor], names: set[str]) -> dict[str, Any]:
    return {name: x.numpy() for name, x in given.items() if name in names}


def of_runs(args: argparse.Namespace) -> dict[str, Any]:
    """One run of every network below a folder: the first fold of the last exercise there is."""
    chosen: dict[str, Any] = {}
    for run in read_runs(args.runs)[0]:
        record = run.record
        if record.dataset.name == args.dataset and not record.members and record.context is None:
            if record.model.closed_form or record.fold or record.seed not in (0, 3407):
                continue
            known = chosen.get(record.model.name)
            if known is None or record.dataset.exercise > known.record.dataset.exercise:
                chosen[record.model.name] = run
    found = {}
    for name, run in sorted(chosen.items()):
        predictor = Predictor.open(run, data_root=args.data_root, device="cpu")
        samples = Samples.test(predictor)
        graph = ScoringGraph.of(predictor.trained, samples.given).eval()
        found[name] = measured(name, graph, samples, args.repeats)
        print(name, json.dumps(found[name]), flush=True)
    return found


def show(found: Mapping[str, Mapping[str, Mapping[str, float]]], errors: bool) -> None:
    """A table: a row a network."""
    table = Table("network", "torch ms")
    for precision in PRECISIONS:
        for column in ("MB", "ms", "largest", *(("MAD",) if errors else ())):
            table.add_column(f"{precision} {column}")
    for name, by in found.items():
        row = [name, f"{by['torch']['ms']:.2f}"]
        for precision in PRECISIONS:
            one = by.get(precision)
            if one is None:
                row += ["–"] * (4 if errors else 3)
                continue
            row += [f"{one['bytes'] / 1e6:.2f}", f"{one['ms']:.2f}", f"{one['largest']:.1e}"]
            row += [f"{one['error']:.2f}"] if errors else []
        table.add_row(*row)
    Console(width=200).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default="")
    parser.add_argument("--runs", type=Path)
    parser.add_argument("--dataset", default="kimore")
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.runs is not None:
        found = of_runs(args)
    else:
        every = [n for n in MODELS.names() if f"{n}-small" not in MODELS.names()]
        found = {}
        for name in args.models.split(",") if args.models else every:
            if not args.models and hasattr(MODELS.get(name).load(), "fit"):
                continue
            found[name] = measured(name, *untrained(name), args.repeats)
            print(name, json.dumps(found[name]), flush=True)
    show(found, errors=args.runs is not None)
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()

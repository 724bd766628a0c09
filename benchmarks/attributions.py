"""Do attributions point at the joints at fault? On the simulator; the table of docs/explain.md.

    python benchmarks/attributions.py [--runs DIR] [--models NAME ...] [--json FILE]

Each model is trained on every exercise of the dataset `synthetic`, exercise n tested on fold n − 1
of `person-kfold`, and all recordings of that fold are explained. Finished runs are taken as they
are.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from pointing import Pointing, PointingRow, Reading, measure, table, usual_joints

import zoo
from registry import ATTRIBUTIONS
from zoo.data.simulator.exercises import EXERCISES
from zoo.errors import DataError
from zoo.evaluation.statistics.bootstrap import Interval
from zoo.explain.methods import attribute
from zoo.explain.sample import samples_of
from zoo.nn.adaptive import AdaptiveSkeletonConv
from zoo.prediction import Predictor
from zoo.skeleton import load_layout

MODELS = ("d2sta-small", "stgcn-small", "aagcn-small", "kgn")


def explained(model: str, exercise: str, runs: Path) -> list[Pointing]:
    """Train a model on an exercise and explain the people of its test fold."""
    run = zoo.train(
        model,
        "synthetic",
        exercise=exercise,
        fold=list(EXERCISES).index(exercise),
        overrides={"trainer.threads": 1},
        runs=runs,
        resume=True,
    )
    predictor = Predictor.open(run)
    recordings = {r.id: r for r in zoo.load_dataset("synthetic") if r.exercise == exercise}
    tested = [recordings[name] for name in run.split["test"]["recordings"]]
    learnt = [recordings[name] for name in run.split["train"]["recordings"]]
    usual = usual_joints(learnt, load_layout(predictor.trained.layout))
    return measure(predictor, tested, usable(predictor, tested[0].id), usual)


def usable(predictor: Predictor, recording: str) -> list[str]:
    """The methods that can explain this model in sensible time."""
    sample = samples_of(predictor, recording)[0]
    found = []
    for method in ATTRIBUTIONS.names():
        adaptive = any(isinstance(m, AdaptiveSkeletonConv) for m in sample.model.modules())
        if method == "edges" and adaptive:
            continue  # an edge of every type between all joints: a minute a recording
        try:
            attribute(sample, method)
        except DataError:
            continue
        found.append(method)
    return found


def markdown(rows: Sequence[PointingRow]) -> str:
    """The two tables of docs/explain.md: joints, then body parts and sides."""
    head = "| model | method | ranks by | average precision | over chance | over range of motion |"
    joints = [f"{head} verdict |", "| --- " * 7 + "|"]
    parts = [f"{head} verdict | side |", "| --- " * 8 + "|"]
    for row in rows:
        name = f"| `{row.model}` | {row.method} | {row.ranking} |"
        joints.append(f"{name} {reading(row.joints)} |")
        parts.append(f"{name} {reading(row.parts)} | {plain(row.side)} |")
    return "\n".join([*joints, "", *parts])


def reading(of: Reading) -> str:
    motion = "–" if of.over_motion is None else signed(of.over_motion)
    return f"{plain(of.value)} | {signed(of.over_chance)} | {motion} | {of.verdict}"


def plain(interval: Interval) -> str:
    return f"{interval.value:.2f} ({interval.low:.2f}–{interval.high:.2f})"


def signed(interval: Interval) -> str:
    return f"{interval.value:+.2f} ({interval.low:+.2f} to {interval.high:+.2f})".replace("-", "−")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of all runs")
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--exercises", nargs="+", default=list(EXERCISES), choices=EXERCISES)
    parser.add_argument("--json", type=Path, help="also write the figures of every recording")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found: list[Pointing] = []
    for model in options.models:
        for exercise in options.exercises:
            found += explained(model, exercise, options.runs)
            print(f"{model}, exercise {exercise}: explained", file=sys.stderr)
    if options.json:
        figures = [asdict(pointing) for pointing in found]
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(markdown(table(found)))


if __name__ == "__main__":
    main()

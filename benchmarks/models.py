"""Every network of the zoo at its published size, beside the floor of its arithmetic.

    python benchmarks/models.py [--models stgcn,ctrgcn] [--threads 2] [--repeats 5] [--json FILE]

A training step (forward, backward and AdamW) of N sequences and the scoring of one, on 25 joints.
The floor is the time that the floating-point operations of a model's matrix products and
convolutions would take at the rate of one large matrix product, which is timed in turn with the
model. Of a training step they are three times those of the forward pass: one such for the result,
one for the gradients of the features, one for those of the weights. On a machine that does other
things as well, the ratio of processor times is the one to look at.
"""

import argparse
import statistics
from dataclasses import asdict, dataclass

import torch
from rich.table import Table
from timing import Comparison, arguments, compare, show, write_json
from torch import nn
from train_step import inference, training_step

import zoo
from registry import MODELS
from zoo.data.batch import STREAM_CHANNELS, Batch
from zoo.skeleton import load_layout
from zoo.training.cost import count_flops, count_parameters

SIZE = 2048
"""Rows and columns of the matrices whose product gives the rate."""


@dataclass
class Timing:
    """A model, or one way of using it, beside its floor.

    Attributes:
        measured: wall and processor times of the model, with those of the large matrix product as
            the reference.
        flops: floating-point operations of the model.
    """

    measured: Comparison
    flops: int

    @property
    def milliseconds(self) -> float:
        """Median wall time of the model."""
        return statistics.median(self.measured.ours_ms)

    @property
    def floor_ms(self) -> float:
        """Wall time of as many operations in large matrix products."""
        return statistics.median(self.measured.reference_ms) * self.flops / (2 * SIZE**3)

    @property
    def ratio(self) -> float:
        """Wall time over the floor's."""
        return self.milliseconds / self.floor_ms

    @property
    def cpu_ratio(self) -> float:
        """Processor time over the floor's."""
        return self.measured.cpu_ratio * (2 * SIZE**3) / self.flops

    def figures(self) -> dict[str, object]:
        """For the JSON file."""
        return asdict(self) | {
            "ms": self.milliseconds,
            "floor_ms": self.floor_ms,
            "ratio": self.ratio,
            "cpu_ratio": self.cpu_ratio,
        }


def published() -> list[str]:
    """Models trained by gradients, without their small variants."""
    entries = [entry for entry in MODELS.entries() if not entry.name.endswith("-small")]
    return [entry.name for entry in entries if not hasattr(entry.load(), "fit")]


def measure(name: str, options: argparse.Namespace) -> tuple[nn.Module, Timing, Timing]:
    """The model, a training step and the inference of one sequence."""
    torch.manual_seed(0)
    model = zoo.create_model(name)
    joints = load_layout("kinect-v2").num_joints
    batch = Batch(
        {
            stream: torch.randn(options.sequences, options.frames, joints, STREAM_CHANNELS[stream])
            for stream in model.streams
        }
    )
    flops = count_flops(model, batch)
    if not flops:
        raise SystemExit(f"the operations of {name} cannot be counted")
    matrix = torch.randn(SIZE, SIZE)
    product = torch.empty_like(matrix)

    def multiply() -> torch.Tensor:
        return torch.mm(matrix, matrix, out=product)

    step = training_step(model, batch, torch.randn(options.sequences))
    training = compare(f"{name} training step", multiply, step, options.repeats, warm_up=1)
    one = inference(model, batch.select(torch.tensor([0])))
    scoring = compare(f"{name} inference", multiply, one, 3 * options.repeats, warm_up=3)
    return model, Timing(training, 3 * flops * options.sequences), Timing(scoring, flops)


def main() -> None:
    options = arguments(
        __doc__,
        repeats=5,
        more=lambda parser: parser.add_argument(
            "--models", default="", help="names, with commas between them (default all networks)"
        ),
    )
    names = [name for name in options.models.split(",") if name] or published()
    title = f"Networks, a training step of N={options.sequences} and inference of one, " + (
        f"T={options.frames}, V=25"
    )
    table = Table(title=title)
    table.add_column("model")
    for heading in ("parameters", "GFLOP"):
        table.add_column(heading, justify="right")
    for use in ("training", "inference"):
        for heading in ("ms", "floor", "ratio", "of CPU time"):
            table.add_column(f"{use} {heading}" if heading == "ms" else heading, justify="right")
    cases: list[dict[str, object]] = []
    for name in names:
        if options.only not in name:
            continue
        model, *timings = measure(name, options)
        cells = [
            cell
            for t in timings
            for cell in (
                f"{t.milliseconds:.1f}",
                f"{t.floor_ms:.1f}",
                f"{t.ratio:.2f}",
                f"{t.cpu_ratio:.2f}",
            )
        ]
        parameters = count_parameters(model)
        table.add_row(name, f"{parameters:,}", f"{timings[1].flops / 1e9:.2f}", *cells)
        cases.append(
            {"model": name, "parameters": parameters}
            | {use: t.figures() for use, t in zip(("training", "inference"), timings, strict=True)}
        )
    show(table, options)
    write_json(title, cases, options)


if __name__ == "__main__":
    main()

"""A small fold, small models, and a script that trains them in a process of its own.

Run as a script by the tests that stop, kill and starve a training:

    python toy_run.py RUNS_FOLDER [--resume] [--overwrite] [trainer.key=value …]
    python toy_run.py --serve        forks such a process for every line of JSON it reads
"""

import importlib
import json
import os
import sys
import time
import traceback
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import nn

from zoo.data.batch import Batch, Prediction
from zoo.data.samples import SampleSet
from zoo.data.scalers import StreamScaler, TargetScaler
from zoo.errors import ZooError
from zoo.protocol.leakage import LeakageReport
from zoo.protocol.protocol import FoldData, Protocol
from zoo.protocol.split import Split
from zoo.training.report import EpochRow, Reporter
from zoo.training.run import train_run
from zoo.training.stop import TrainingStopped

DATASET = SimpleNamespace(
    name="toy",
    layout="toy5",
    fingerprint="f" * 64,
    title="Toys",
    score_range=(0.0, 50.0),
    exercise_titles={"5": "toying"},
    hips_centred=False,
)
FRAMES, JOINTS = 12, 5

sys.modules.setdefault("toy_run", sys.modules[__name__])


class TinyNet(nn.Module):
    """Convolution, batch normalisation and dropout: all that makes resuming hard."""

    __module__ = "toy_run"  # of one name, run as a script or imported: a run keeps whose it was
    streams = ("position",)

    def __init__(self, width: int = 8, pause: float = 0.0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, width, (3, 1), padding=(1, 0))
        self.norm = nn.BatchNorm2d(width)
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Linear(width, 1)
        self.pause = pause

    def forward(self, batch: Batch) -> Prediction:
        time.sleep(self.pause)
        x = batch.stream("position").permute(0, 3, 1, 2)
        x = torch.relu(self.norm(self.conv(x))).mean((2, 3))
        return Prediction(self.head(self.dropout(x)).squeeze(1))


class Nearest(nn.Module):
    """A closed-form model whose buffers take the size of the training set."""

    streams = ("position",)
    known: torch.Tensor
    scores: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("known", torch.zeros(0, JOINTS, 3))
        self.register_buffer("scores", torch.zeros(0))

    def fit(self, batch: Batch, target: torch.Tensor) -> None:
        self.known = batch.stream("position").mean(1)
        self.scores = target.clone()

    def forward(self, batch: Batch) -> Prediction:
        x = batch.stream("position").mean(1).flatten(1)
        nearest = torch.cdist(x, self.known.flatten(1)).argmin(1)
        return Prediction(self.scores[nearest])


def make_samples(persons: int = 12, pieces: int = 2, seed: int = 0) -> SampleSet:
    generator = torch.Generator().manual_seed(seed)
    samples = persons * pieces
    x = torch.randn(samples, FRAMES, JOINTS, 3, generator=generator)
    score = 20 + 10 * torch.rand(persons, generator=generator).repeat_interleave(pieces)
    x[..., 0] += (score[:, None, None] - 25) / 5
    return SampleSet(
        streams={"position": x},
        mask=None,
        target=score,
        recording=[f"P{i // pieces:02d}/Es5" for i in range(samples)],
        segment=[i % pieces for i in range(samples)],
        subject=[f"P{i // pieces:02d}" for i in range(samples)],
        group=["CG" if i % 2 else "GPP" for i in range(samples)],
        exercise=["5"] * samples,
        frames=[(0, FRAMES)] * samples,
        fps=[30.0] * samples,
        layout="toy5",
    )


def make_fold(seed: int = 0, validation: bool = True, persons: int = 12, **protocol) -> FoldData:
    samples = make_samples(persons, seed=seed)
    n = len(samples)
    train, rest = list(range(n * 2 // 3)), list(range(n * 2 // 3, n))
    valid = rest[: len(rest) // 2] if validation else []
    split = Split.of(samples, train, valid, rest[len(rest) // 2 :])
    at = split.train
    return FoldData(
        protocol=Protocol(name="toy-protocol", **protocol),
        fold=0,
        samples=samples,
        split=split,
        stream_scaler=StreamScaler().fit(samples.batch(at)),
        target_scaler=TargetScaler().fit(samples.target[at]),
        leakage=object.__new__(LeakageReport),
        warning=None,
    )


def make_config(model: str = "toy", **trainer) -> dict:
    settings = {"epochs": 6, "batch_size": 5, "lr": 0.01, "threads": 1, "device": "cpu"}
    return {
        "model": {"name": model, "width": 8},
        "dataset": {"name": "toy", "exercise": "5"},
        "protocol": {"name": "toy-protocol"},
        "trainer": {**settings, **trainer},
        "seed": 7,
        "fold": 0,
    }


class Lines(Reporter):
    """One line per epoch, so that a test knows when to strike."""

    def on_epoch(self, row: EpochRow) -> None:
        print("epoch", row.epoch, flush=True)

    def on_note(self, text: str) -> None:
        print("note", text, flush=True)


def main(arguments: list[str]) -> int:
    trainer = {}
    for argument in arguments[1:]:
        if "=" in argument:
            key, _, value = argument.partition("=")
            trainer[key.removeprefix("trainer.")] = json.loads(value)
    pause = trainer.pop("pause", 0.0)
    selection = trainer.pop("selection", "best")
    try:
        run = train_run(
            lambda: TinyNet(pause=pause),
            make_fold(selection=selection),
            make_config(**trainer),
            dataset=DATASET,
            runs=Path(arguments[0]),
            resume="--resume" in arguments,
            overwrite="--overwrite" in arguments,
            reporter=Lines(),
        )
    except TrainingStopped as stopped:
        print("stopped", stopped.message, flush=True)
        return stopped.exit_code
    except ZooError as error:
        print("error", error, flush=True)
        return 2
    print("finished", run.path, flush=True)
    return 0


def serve() -> None:
    """Fork a process per request, so that a test of many kills imports torch once."""
    torch.set_num_threads(1)
    importlib.import_module("torch._dynamo")  # every optimiser does, and it takes seconds
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            print(os.waitstatus_to_exitcode(os.waitpid(request["wait"], 0)[1]), flush=True)
            continue
        child = os.fork()
        if child == 0:
            output = os.open(request["output"], os.O_WRONLY)
            os.dup2(output, 1)
            os.dup2(output, 2)
            os.close(output)
            code = 1
            try:
                code = main(request["arguments"])
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(code)
        print(child, flush=True)


if __name__ == "__main__":
    if "--serve" in sys.argv:
        serve()
    else:
        sys.exit(main(sys.argv[1:]))

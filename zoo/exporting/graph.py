"""The whole way from a sample's frames to its score, as one module of tensors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from zoo.data.batch import STREAM_CHANNELS, Batch
from zoo.data.resample import SOURCES
from zoo.data.scalers import StreamScaler, TargetScaler
from zoo.nn.model import contract_of
from zoo.skeleton.layout import Layout, load_layout
from zoo.training.evaluate import TrainedModel

WHAT: Mapping[str, str] = {
    "position": "joints in metres: x to the person's left-to-right, y up, z away from the sensor",
    "orientation": "unit quaternions w, x, y, z of the joints",
    "angle": "angles of the joints in degrees",
    "mask": "true where a frame is real; frames behind a sample's last one are false and hold 0",
    "fps": "frames a second of each sample",
    "group": "number of the person's clinical group, see zoo.data.batch.group_code; -1 for none",
}
"""What an input of a graph is; any other is a stream that the model itself derives."""

BESIDE: Mapping[str, str] = {"mask": "bool", "fps": "float32", "group": "int64"}
"""Fields of a batch beside its streams that may be inputs, with their types."""


@dataclass(frozen=True)
class Port:
    """An input or output of a graph.

    Attributes:
        name: of the tensor.
        type: ``float32``, ``bool`` or ``int64``.
        shape: a number for an axis of fixed length, else the axis' name.
        what: in words, with the unit.
    """

    name: str
    type: str
    shape: tuple[int | str, ...]
    what: str


class ScoringGraph(nn.Module):
    """From the streams that a sensor gives, as the run's protocol makes them, to scores.

    Inside are the streams that follow from others, the z-score, the model with its head, and the
    way back to score units. A model that derives its streams in NumPy starts behind that: its
    inputs are what it derives.

    Args:
        model: trained, on the CPU, in evaluation mode.
        layout: its skeleton.
        stream_scaler: as fitted in training.
        target_scaler: as fitted in training.
        score_range: lowest and highest possible score.
        example: a batch of the input streams with all that a batch may have beside them.

    Attributes:
        inputs: in the order in which they are given, without what the model never looks at.
        outputs: in the order in which they are returned.
    """

    def __init__(
        self,
        model: nn.Module,
        layout: Layout,
        stream_scaler: StreamScaler,
        target_scaler: TargetScaler,
        score_range: tuple[float, float],
        example: Batch,
    ) -> None:
        super().__init__()
        contract = contract_of(model)
        self.model = model
        self.streams = contract.streams if contract.derive is None else tuple(example.x)
        above = [parent if parent >= 0 else joint for joint, parent in enumerate(layout.parents)]
        self.register_buffer("_above", torch.tensor(above), persistent=False)
        self._scaler, self._target = stream_scaler, target_scaler
        self._derives, self._learns = contract.derive is not None, contract.learns_variance
        self._names = (*example.x, *self._asked(example))
        self.inputs = tuple(_port(name, example, self._derives) for name in self._names)
        score = f"in score units, on the scale from {score_range[0]:g} to {score_range[1]:g}"
        self.outputs = (Port("score", "float32", ("samples",), score),)
        if self._says(example).log_variance is not None and self._learns:
            what = "how far off the model expects the score to be, in score units"
            self.outputs += (Port("deviation", "float32", ("samples",), what),)

    @classmethod
    def of(cls, trained: TrainedModel, example: Batch) -> "ScoringGraph":
        """That of a finished run."""
        scale = trained.run.record.dataset.score_range
        layout = load_layout(trained.layout)
        scalers = trained.stream_scaler, trained.target_scaler
        return cls(trained.model, layout, *scalers, scale, example)

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        """The outputs of N samples, each (N,), from the inputs."""
        named = dict(zip(self._names, given, strict=True))
        beside = {name: named.get(name) for name in BESIDE}
        said = self._says(Batch({n: x for n, x in named.items() if n not in BESIDE}, **beside))
        found = [said.score * self._target.scale + self._target.offset]
        if len(self.outputs) > 1:
            found.append((said.log_variance / 2).exp() * self._target.scale)
        return tuple(found)

    def given(self, batch: Batch) -> tuple[Tensor, ...]:
        """The inputs that a batch of the input streams holds."""
        whole = {**batch.x, "mask": batch.real_frames(), "fps": batch.fps, "group": batch.group}
        return tuple(whole[name] for name in self._names)

    def _says(self, batch: Batch) -> Any:
        if self._derives:
            return self.model(batch)
        x = {name: self._stream(name, batch) for name in self.streams}
        return self.model(self._scaler.transform(batch._replace(x=x)))

    def _stream(self, name: str, batch: Batch) -> Tensor:
        """A stream (N, T, V, C), derived as `zoo.data.resample.derive` does."""
        if name in batch.x:
            return batch.x[name]
        x = batch.stream("position")
        if name.startswith("bone"):
            x = x - x[:, :, self._above]
        if name.endswith("motion"):
            moved = x[:, 1:] - x[:, :-1]
            if batch.mask is not None:
                moved = moved * batch.mask[:, 1:, None, None]
            x = torch.cat([moved, torch.zeros_like(x[:, :1])], dim=1)
        return x

    def _asked(self, example: Batch) -> tuple[str, ...]:
        """What of `BESIDE` the model looks at."""
        asked: set[str] = set()

        class Watched(Batch):
            def __getattribute__(self, name: str) -> Any:
                asked.add(name)
                return super().__getattribute__(name)

        with torch.no_grad():
            self._says(Watched(*example))
        return tuple(n for n in BESIDE if n in asked and not (self._derives and n == "mask"))


def source_streams(streams: Sequence[str]) -> tuple[str, ...]:
    """The recorded streams that all of `streams` follow from."""
    return tuple(dict.fromkeys(raw for name in streams for raw in SOURCES[name]))


def _port(name: str, example: Batch, derives: bool) -> Port:
    if name == "mask":
        return Port(name, BESIDE[name], ("samples", "frames"), WHAT[name])
    if name in BESIDE:
        return Port(name, BESIDE[name], ("samples",), WHAT[name])
    shape = tuple(example.x[name].shape)
    if derives:
        what = f"{name}, as the model's own `derive` computes it; NaN is what is undefined"
        return Port(name, "float32", ("samples", *shape[1:]), what)
    axes = ("samples", "frames", shape[2], STREAM_CHANNELS[name])
    return Port(name, "float32", axes, WHAT[name])

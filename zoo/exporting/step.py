"""One frame in, the score of all frames so far out: a causal network's step as a graph."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from zoo.data.batch import STREAM_CHANNELS, Batch
from zoo.errors import ConfigError
from zoo.exporting.check import TOLERANCE, Check
from zoo.exporting.errors import ExportError
from zoo.exporting.graph import WHAT, Port, source_streams
from zoo.exporting.onnx_file import session
from zoo.exporting.samples import Samples
from zoo.nn.streaming import StreamingStep
from zoo.skeleton.layout import load_layout
from zoo.training.evaluate import TrainedModel

_STREAMS = ("position", "angle", "bone")
"""Streams whose value at a frame needs no other frame."""

_CHECKED = 4
"""Samples that are gone through frame by frame."""


class StepGraph(nn.Module):
    """A `StreamingStep` with the streams that follow from others, the z-score and score units.

    Args:
        trained: on the CPU.

    Attributes:
        inputs: one frame of each recorded stream, then the state.
        outputs: the score, then the state after the frame, whose names begin with ``next_``.

    Raises:
        ConfigError: the run's network cannot be run frame by frame, with the reason.
    """

    def __init__(self, trained: TrainedModel) -> None:
        super().__init__()
        streams = trained.streams
        if trained.feed.rate is None:
            raise ConfigError(
                "its samples have one number of frames, whatever time they took: a network that is "
                "fed at a rate of its own (trainer.rate) goes frame by frame"
            )
        later = [name for name in streams if name not in _STREAMS]
        if later:
            raise ConfigError(f"{' and '.join(later)} of a frame cannot be told from that frame")
        self.step = StreamingStep(trained.model)
        if self.step.grows:
            raise ConfigError("its layers behind the blocks look at all frames, which pile up")
        layout = load_layout(trained.layout)
        above = [parent if parent >= 0 else joint for joint, parent in enumerate(layout.parents)]
        self.register_buffer("_above", torch.tensor(above), persistent=False)
        self._streams, self._sources = streams, source_streams(streams)
        self._scaler, self._target = trained.stream_scaler, trained.target_scaler
        joints = layout.num_joints
        frames = tuple(
            Port(name, "float32", (1, joints, STREAM_CHANNELS[name]), f"one frame: {WHAT[name]}")
            for name in self._sources
        )
        names = [f"state_{number}" for number in range(len(self.step.state_names))]
        kinds = [str(x.dtype).removeprefix("torch.") for x in self.step.initial_state()]
        shapes = [tuple(x.shape) for x in self.step.initial_state()]
        what = [f"0 before the first frame; {name}" for name in self.step.state_names]
        state = tuple(map(Port, names, kinds, shapes, what))
        low, high = trained.run.record.dataset.score_range
        score = f"of the frames so far, in score units, from {low:g} to {high:g}"
        after = (
            Port(f"next_{p.name}", p.type, p.shape, f"{p.name} of the next call") for p in state
        )
        self.inputs = (*frames, *state)
        self.outputs = (Port("score", "float32", (1,), score), *after)

    def example(self) -> tuple[Tensor, ...]:
        """Inputs of zeros: the first call."""
        types = {"float32": torch.float32, "int64": torch.int64}
        shapes = [tuple(map(int, port.shape)) for port in self.inputs]
        kinds = [types[port.type] for port in self.inputs]
        return tuple(torch.zeros(s, dtype=t) for s, t in zip(shapes, kinds, strict=True))

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        """Score (1,) and the state after a frame."""
        recorded = dict(zip(self._sources, given, strict=False))
        state = given[len(self._sources) :]
        x = {name: self._stream(name, recorded).unsqueeze(1) for name in self._streams}
        scaled = self._scaler.transform(Batch(x)).x
        frame = torch.cat([scaled[name][:, 0] for name in self._streams], dim=-1)
        score, *after = self.step(frame, *state)
        return score * self._target.scale + self._target.offset, *after

    def _stream(self, name: str, recorded: dict[str, Tensor]) -> Tensor:
        x = recorded["position" if name == "bone" else name]
        return x - x[:, self._above] if name == "bone" else x


def checked_step(content: bytes, samples: Samples, trained: TrainedModel, what: str) -> Check:
    """Samples gone through frame by frame by onnxruntime, beside the run's scores of the whole.

    Raises:
        ExportError: they differ by more than rounding explains.
    """
    opened = session(content)
    few = samples.select(list(range(min(_CHECKED, len(samples.true)))))
    said = few.said_by(trained)[0].double().numpy()
    lengths = few.given.real_frames().sum(1).tolist()
    found = np.zeros(len(said))
    for row, length in enumerate(lengths):
        frames = {name: x[row, :length].numpy() for name, x in few.given.x.items()}
        found[row] = _gone_through(opened, frames, length)
    apart = np.abs(found - said)
    check = Check(few.of, len(said), float(apart.max()), float(apart.mean()), None, None)
    if not check.largest_difference <= TOLERANCE:
        raise ExportError(
            f"the step of {what} is not written: frame by frame its scores are off from the run's "
            f"by up to {check.largest_difference:.2g}, more than rounding explains ({TOLERANCE:g})"
        )
    return check


def _gone_through(opened: Any, frames: Mapping[str, NDArray[Any]], length: int) -> float:
    """The score after the last of some frames."""
    names = [port.name for port in opened.get_outputs()]
    state = {
        port.name: np.zeros(port.shape, np.int64 if "int64" in port.type else np.float32)
        for port in opened.get_inputs()
        if port.name not in frames
    }
    said: dict[str, Any] = {}
    for frame in range(length):
        given = {name: x[frame : frame + 1] for name, x in frames.items()}
        said = dict(zip(names, opened.run(names, {**given, **state}), strict=True))
        state = {name: said[f"next_{name}"] for name in state}
    return float(said["score"][0])

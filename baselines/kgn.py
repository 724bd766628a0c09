r"""The kinematic graph network: message passing on descriptors of the joints.

The zoo's own. Time is summed up first, by measures that a clinician would take of each joint
(`baselines.joint_descriptors`); then joints tell each other, along typed edges of the skeleton,
what they have been doing. With :math:`d_j` the standardised descriptors of joint :math:`j` and
:math:`e` the exercise,

.. math::
    h_j^{(0)} &= \mathrm{ReLU}(W d_j + b + c_{e,j}) \\
    h^{(l+1)} &= h^{(l)} + \mathrm{ReLU}\Bigl(\sum_k \hat A_k\, \mathrm{drop}(h^{(l)}) W_k\Bigr) \\
    z &= [\mathrm{ReLU}(h^{(L)} U) \;;\; g] \\
    s &= (v + v_e)^\top \mathrm{drop}(z) + (u + u_e)^\top \mathrm{drop}([d\,; g]) / 3 ,

with :math:`k` over the joint itself, its parent, its children and the joint of the other side, and
:math:`g` measures of the whole body. Half of the recordings are mirrored in training; the score is
the mean over both.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from baselines.held import edges_and_scale, standardised
from baselines.joint_descriptors import STREAMS, JointDescriptors
from registry import did_you_mean
from zoo.data.batch import Batch
from zoo.data.scalers import StreamScaler
from zoo.data.transforms.motion import MIRROR, mirrored
from zoo.errors import ConfigError
from zoo.nn.exercises import exercise_numbers, with_own_copy
from zoo.nn.heads.regression import HuberHead
from zoo.nn.model import ScoreModel
from zoo.nn.spatial import SkeletonConv
from zoo.skeleton.graph import SkeletonGraph
from zoo.skeleton.layout import Layout

_LINE = 1 / 3
"""What the linear path's inputs are divided by, so that it learns more slowly than the rest."""
_HELD = 0.05
"""Share of the training recordings beyond each edge at which a descriptor is held."""
_STEPS = (-3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0)
"""Edges of the bins in which `KGN` may be given its descriptors, as z-scores."""

EDGES: Mapping[str, str] = {
    "self": "the joint itself",
    "parent": "from its parent",
    "children": "from its children",
    "mirror": "from the same joint of the other side",
    "limbs": "from the ends of the other limbs",
}
"""Kinds of edges."""


class KGN(ScoreModel):
    """Message passing on kinematic descriptors of the joints; see the module's formula.

    Args:
        streams: what the joints are described by: ``position``, or, where a recording has no
            more, ``angle``, of which nobody can say what a mirror makes.
        width: channels of a joint.
        layers: L, rounds of messages.
        readout: channels of a joint that the read-out sees.
        dropout: probability, in training, of dropping a channel.
        edges: kinds of edges, of `EDGES`.
        line: whether there is a linear path from the descriptors to the score.
        mirror: whether recordings are mirrored in training, and scores are the mean over both.
        courses: describe the mean course of a repetition too, see `JointDescriptors`.
        repetitions: describe repetitions and take the mean, instead of the recording.
        steps: give the joints each descriptor in steps too, so that they can tell thresholds:
            piecewise linear encoding (Gorishniy, Rubachev, Babenko, NeurIPS 2022,
            arXiv 2203.05556), its bins between fixed z-scores.
        exercises: how many exercises it can tell apart; each has read-outs of its own beside the
            common one.

    Raises:
        ConfigError: another stream, an unknown kind of edge, or a number out of range.
    """

    raw = True

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        width: int = 32,
        layers: int = 2,
        readout: int = 16,
        dropout: float = 0.4,
        edges: Sequence[str] = ("self", "parent", "children", "mirror"),
        line: bool = True,
        mirror: bool = True,
        courses: bool = False,
        repetitions: bool = False,
        steps: bool = False,
        exercises: int = 10,
    ) -> None:
        super().__init__(layout, streams)
        if len(self.streams) != 1 or self.streams[0] not in STREAMS:
            raise ConfigError(
                f"model.streams is {list(self.streams)}, expected one of {', '.join(STREAMS)}"
            )
        for name, value in (("width", width), ("readout", readout), ("exercises", exercises)):
            if value < 1:
                raise ConfigError(f"model.{name} is {value!r}, expected at least 1")
        self.descriptors = JointDescriptors(
            layout, stream=self.streams[0], courses=courses, repetitions=repetitions
        )
        how = {"streams": self.streams, "courses": courses, "repetitions": repetitions}
        self.derived = {"layout": layout.to_config(), **how}
        self.sides = 2 if self.streams[0] in MIRROR else 1
        self.mirror = mirror and self.sides == 2
        self.exercises, self.steps = exercises, steps
        joints, described = len(self.descriptors.joints), len(self.descriptors.names)
        inputs = described * (len(_STEPS) if steps else 1)
        whole = len(self.descriptors.whole_names)
        self.embed = nn.Linear(inputs, width)
        self.places = nn.Parameter(torch.randn(exercises, joints, width) * 0.1)
        graph = descriptor_graph(layout, self.descriptors.joints, edges)
        self.messages = nn.ModuleList(SkeletonConv(width, width, graph) for _ in range(layers))
        self.narrow = nn.Linear(width, readout)
        self.dropout = nn.Dropout(dropout)
        self.line = line
        seen = joints * readout + whole + (joints * inputs + whole if line else 0)
        self.head = HuberHead.of(seen * (1 + exercises))
        for name, size in (("joint", (joints, described)), ("whole", (1, whole))):
            unfitted = {"low": -torch.inf, "high": torch.inf, "mean": 0.0, "scale": 1.0}
            for what, start in unfitted.items():
                self.register_buffer(f"{name}_{what}", torch.full((exercises, *size), start))

    def derive(self, batch: Batch) -> Batch:
        """Descriptors ``joint`` (N, S, J, D), ``whole`` (N, S, 1, G).

        S is 2, as recorded and mirrored, or 1 where there is no mirror.
        """
        if "joint" in batch.x:
            return batch
        (stream,) = self.streams
        device, layout = batch.stream(stream).device, self.descriptors.layout
        joint, whole = [], []
        for seen, rate in batch.sequences([stream]):
            mirror = [mirrored(seen, layout)] if self.sides == 2 else []
            for streams in (seen, *mirror):
                measured = self.descriptors.measure(streams[stream], rate)
                joint.append(torch.from_numpy(measured[0]))
                whole.append(torch.from_numpy(measured[1]))
        found = {"joint": torch.stack(joint), "whole": torch.stack(whole)[:, None]}
        sides = {
            name: values.unflatten(0, (-1, self.sides)).to(device, torch.float32)
            for name, values in found.items()
        }
        return batch._replace(x=sides, mask=None)

    def derived_joints(self) -> Mapping[str, Tensor]:
        """The joints described, as they were and mirrored, and -1 for measures of the body."""
        joints = self.descriptors.joints
        swapped = [self.descriptors.layout.mirror[joint] for joint in joints]
        told = torch.tensor([joints, swapped])[: self.sides]
        return {"joint": told, "whole": torch.full((self.sides, 1), -1)}

    def prepare(self, batch: Batch, scaler: StreamScaler) -> None:
        """Take edges, mean and deviation of every descriptor, within each exercise."""
        batch = self.derive(batch)
        exercise = exercise_numbers(batch, self.exercises)
        for name in ("joint", "whole"):
            values = batch.x[name][:, 0]
            for e in exercise.unique().tolist():
                found = edges_and_scale(values[exercise == e], _HELD)
                for what, value in zip(("low", "high", "mean", "scale"), found, strict=True):
                    getattr(self, f"{name}_{what}")[e] = value

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """What the read-outs see (N, (1 + E)·F): the common one, then that of each exercise."""
        batch = self.derive(batch)
        exercise = exercise_numbers(batch, self.exercises)
        if self.mirror and not self.training:
            seen = (self._seen(batch, 0, exercise) + self._seen(batch, 1, exercise)) / 2
        elif self.mirror:
            side = torch.randint(2, (batch.size,)).to(exercise.device)
            seen = self._seen(batch, side, exercise)
        else:
            seen = self._seen(batch, 0, exercise)
        return with_own_copy(seen, exercise, self.exercises), None

    def _seen(self, batch: Batch, side: Tensor | int, exercise: Tensor) -> Tensor:
        """Features (N, F) of one side of the mirror."""
        rows = torch.arange(batch.size, device=exercise.device)
        joint, whole = (
            self._standardised(name, batch.x[name][rows, side], exercise)
            for name in ("joint", "whole")
        )
        if self.steps:
            joint = torch.cat([joint, in_steps(joint).flatten(-2)], dim=-1)
        h = F.relu(self.embed(joint) + self.places[exercise])
        for layer in self.messages:
            h = h + F.relu(layer(self.dropout(h)[:, None])[:, 0])
        z = F.relu(self.narrow(self.dropout(h))).flatten(1)
        whole = whole.flatten(1)
        found = [self.dropout(z), self.dropout(whole)]
        if self.line:
            found.append(self.dropout(torch.cat([joint.flatten(1), whole], dim=1)) * _LINE)
        return torch.cat(found, dim=1)

    def _standardised(self, name: str, values: Tensor, exercise: Tensor) -> Tensor:
        """Descriptors (N, …) held at the edges, undefined ones at the mean, as z-scores."""
        low, high, mean, scale = (
            getattr(self, f"{name}_{what}")[exercise] for what in ("low", "high", "mean", "scale")
        )
        return standardised(values, low, high, mean, scale)


def in_steps(z: Tensor) -> Tensor:
    """How far z-scores (…) have come in each bin (…, B), from −½ below it to ½ above it."""
    edges = torch.tensor(_STEPS, dtype=z.dtype, device=z.device)
    return ((z[..., None] - edges[:-1]) / edges.diff()).clamp(0, 1) - 0.5


def descriptor_graph(layout: Layout, joints: Sequence[int], edges: Sequence[str]) -> SkeletonGraph:
    """The graph of some joints of a layout, each kind of edge with weights that sum to one.

    Args:
        layout: the skeleton.
        joints: the nodes, as indices of the layout.
        edges: kinds of edges, of `EDGES`.

    Raises:
        ConfigError: an unknown kind of edge, or none.
    """
    if not edges:
        raise ConfigError(f"model.edges is empty, expected some of {', '.join(EDGES)}")
    place = {joint: at for at, joint in enumerate(joints)}
    children = {joint: [c for c in joints if layout.parents[c] == joint] for joint in joints}
    limbs = [part for part in layout.parts if part.endswith(("_arm", "_leg"))]
    ends = [[j for j in layout.parts[part] if j in place][-1:] for part in limbs]
    every_end = {joint for end in ends for joint in end}
    sources = {
        "self": lambda joint: [joint],
        "parent": lambda joint: [layout.parents[joint]],
        "children": lambda joint: children[joint],
        "mirror": lambda joint: [layout.mirror[joint]],
        "limbs": lambda joint: sorted(every_end - {joint}) if joint in every_end else [],
    }
    adjacency = torch.zeros(len(edges), len(joints), len(joints))
    for kind, name in enumerate(edges):
        if name not in sources:
            raise ConfigError(f"there is no kind of edge {name!r}. {did_you_mean(name, EDGES)}")
        for joint in joints:
            known = [place[source] for source in sources[name](joint) if source in place]
            for source in known:
                adjacency[kind, source, place[joint]] = 1 / len(known)
    return SkeletonGraph.from_adjacency(adjacency)

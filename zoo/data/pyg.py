"""Samples as graphs of PyTorch Geometric, for its models and its loader."""

import torch
from torch import Tensor
from torch_geometric.data import Data

from zoo.data.batch import Batch
from zoo.data.samples import SampleSet
from zoo.errors import ConfigError
from zoo.skeleton.graph import space_time_edges
from zoo.skeleton.layout import load_layout

NODES = ("joint-frames", "joints")
"""What a node of a graph is."""


def to_graphs(
    samples: SampleSet,
    nodes: str = "joint-frames",
    *,
    batch: Batch | None = None,
    target: Tensor | None = None,
) -> list[Data]:
    """A ``torch_geometric.data.Data`` for each sample.

    Its attributes: ``x``, all streams side by side; ``pos``, joint positions in metres where the
    samples have them; ``edge_index``; ``y`` (1,); ``num_frames``; ``fps``; and ``recording``,
    ``segment``, ``subject``, ``group``, ``exercise``, which a loader gathers in lists.

    With ``joint-frames`` each joint of each of the T frames is a node, number t·V + v: ``x``
    (T·V, C), ``pos`` (T·V, 3); edges are the bones of every frame and each joint's step from frame
    to frame, both ways. With ``joints`` each joint is one: ``x`` (V, T·C), its whole course,
    ``pos`` (V, 3), its mean place; edges are the bones. Padded frames are left out.

    Args:
        samples: where they come from; unscaled.
        nodes: one of `NODES`.
        batch: what ``x`` is made of; the samples' own streams if None.
        target: (S,) what ``y`` is; the samples' scores if None.

    Raises:
        ConfigError: another `nodes`, or ``joints`` of samples of unlike length.
    """
    if nodes not in NODES:
        raise ConfigError(f"nodes is {nodes!r}, expected {' or '.join(NODES)}")
    if nodes == "joints" and samples.mask is not None:
        raise ConfigError(
            "samples of unlike length have no common number of channels a joint: bring them to one "
            "length (frames=100), or make every joint of every frame a node (nodes='joint-frames')"
        )
    layout = load_layout(samples.layout)
    batch = samples.batch() if batch is None else batch
    target = samples.target if target is None else target
    x = torch.cat(list(batch.x.values()), dim=-1)
    places = samples.streams.get("position")
    edges: dict[int, Tensor] = {}
    graphs = []
    for i in range(len(samples)):
        T = x.shape[1] if samples.mask is None else int(samples.mask[i].sum())
        own, pos = x[i, :T], None if places is None else places[i, :T]
        if nodes == "joints":
            edge_index = layout.edge_index()
            own = own.transpose(0, 1)
            pos = None if pos is None else pos.mean(0)
        else:
            if T not in edges:
                edges[T] = space_time_edges(layout, T)
            edge_index = edges[T]
            own = own.flatten(0, 1)
            pos = None if pos is None else pos.flatten(0, 1)
        graphs.append(
            Data(
                x=own.flatten(1).contiguous(),
                pos=pos,
                edge_index=edge_index,
                y=target[i : i + 1],
                num_frames=T,
                fps=samples.fps[i],
                recording=samples.recording[i],
                segment=samples.segment[i],
                subject=samples.subject[i],
                group=samples.group[i],
                exercise=samples.exercise[i],
            )
        )
    return graphs

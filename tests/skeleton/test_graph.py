"""Partitions: counts, golden graphs, normalisation, and ST-GCN's rule written out once more."""

import copy
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch_geometric import EdgeIndex

from zoo.errors import ConfigError
from zoo.skeleton import Layout, load_layout
from zoo.skeleton.graph import PARTITIONS, SkeletonGraph, build_graph, hop_distance

LAYOUTS = (
    "coco",
    "halpe26",
    "human36m",
    "opencap",
    "openpose-body25",
    "openpose-coco18",
    "pose2sim",
    "kinect-v2",
    "kinect-v2-agcn",
    "mediapipe",
    "uiprmd-kinect",
    "uiprmd-vicon",
    "uiprmd-vicon-angles",
)

every_layout = pytest.mark.parametrize("name", LAYOUTS)
every_partition = pytest.mark.parametrize("partition", PARTITIONS)


def counts(graph: SkeletonGraph) -> list[int]:
    return graph.adjacency().count_nonzero(dim=(1, 2)).tolist()


@pytest.mark.parametrize("name", ["kinect-v2", "kinect-v2-agcn"])
@pytest.mark.parametrize(
    ("partition", "expected"),
    [
        ("uniform", [73]),
        ("symmetric", [73]),
        ("distance", [25, 48]),
        ("spatial", [25, 24, 24]),
        ("stgcn_spatial", [25, 40, 8]),
    ],
)
def test_counts_on_kinect(name: str, partition: str, expected: list[int]) -> None:
    graph = build_graph(load_layout(name), partition)
    assert counts(graph) == expected
    assert torch.bincount(graph.edge_type, minlength=graph.num_types).tolist() == expected


@pytest.mark.parametrize(
    ("network", "partition", "keys"),
    [
        ("aagcn", "spatial", ["state/A"]),
        ("ctrgcn", "spatial", ["state/A"]),
        ("stgcn", "stgcn_spatial", [f"state/gcn.{i}.gcn.A" for i in range(10)]),
    ],
)
def test_golden_graphs(
    golden: Callable[[str], Path], network: str, partition: str, keys: list[str]
) -> None:
    """The files' learnable A were moved from their start; these are fixed buffers."""
    ours = build_graph(load_layout("kinect-v2"), partition).adjacency().numpy()
    with np.load(golden(f"pyskl_{network}")) as file:
        for key in keys:
            np.testing.assert_array_equal(ours, file[key])


@every_layout
@every_partition
def test_edges_are_sorted_and_unique(name: str, partition: str) -> None:
    layout = load_layout(name)
    graph = build_graph(layout, partition)
    joints = layout.num_joints
    assert graph.num_joints == joints
    assert graph.edge_index.dtype == graph.edge_type.dtype == torch.long
    assert graph.edge_weight.dtype == torch.float32
    assert graph.edge_index.shape == (2, 3 * joints - 2)
    source, target = graph.edge_index
    order = (target * joints + source) * graph.num_types + graph.edge_type
    assert (order.diff() > 0).all()
    EdgeIndex(graph.edge_index, sparse_size=(joints, joints), sort_order="col").validate()


@every_layout
@every_partition
def test_round_trip_and_determinism(name: str, partition: str) -> None:
    graph = build_graph(load_layout(name), partition)
    dense = graph.adjacency()
    assert dense.shape == (graph.num_types, graph.num_joints, graph.num_joints)
    for other in (
        SkeletonGraph.from_adjacency(dense),
        build_graph(load_layout(name), partition),
        copy.deepcopy(graph),
    ):
        assert torch.equal(other.edge_index, graph.edge_index)
        assert torch.equal(other.edge_type, graph.edge_type)
        assert torch.equal(other.edge_weight, graph.edge_weight)


@every_layout
def test_normalisation(name: str) -> None:
    layout = load_layout(name)
    ones = torch.ones(layout.num_joints)
    uniform = build_graph(layout, "uniform").adjacency()
    torch.testing.assert_close(uniform[0].sum(0), ones)
    for partition in ("distance", "stgcn_spatial"):
        parts = build_graph(layout, partition).adjacency()
        torch.testing.assert_close(parts.sum(0), uniform[0], rtol=0, atol=0)
    (near,) = build_graph(layout, "symmetric").adjacency()
    degree = (near > 0).sum(0).float()
    torch.testing.assert_close(near, (near > 0) / (degree[:, None] * degree).sqrt())
    for subset in build_graph(layout, "spatial").adjacency():
        into = subset.sum(0)
        torch.testing.assert_close(into[into > 0], ones[into > 0])


@every_layout
def test_spatial_leads_away_then_back(name: str) -> None:
    layout = load_layout(name)
    away, back = build_graph(layout, "spatial").adjacency()[1:] > 0
    assert torch.equal(away, back.T)
    toward = dict(enumerate(layout.parents_from(layout.center)))
    expected = {(parent, child) for child, parent in toward.items() if parent >= 0}
    assert {(int(s), int(t)) for s, t in away.nonzero()} == expected


@every_layout
def test_stgcn_rule_as_written_in_the_release(name: str) -> None:
    layout = load_layout(name)
    ours = build_graph(layout, "stgcn_spatial").adjacency().numpy()
    np.testing.assert_array_equal(ours, released_stgcn_spatial(layout))


def released_stgcn_spatial(layout: Layout) -> NDArray[np.float32]:
    """ST-GCN's rule entry by entry, with distances beyond one hop infinite."""
    joints = range(layout.num_joints)
    bones = {*layout.bones, *((p, c) for c, p in layout.bones)}

    def hops(a: int, b: int) -> float:
        return 0 if a == b else 1 if (a, b) in bones else math.inf

    result = np.zeros((3, len(joints), len(joints)))
    for target in joints:
        near = [source for source in joints if hops(source, target) <= 1]
        for source in near:
            if source == target:
                kind = 0
            else:
                kind = 1 if hops(source, layout.center) >= hops(target, layout.center) else 2
            result[kind, source, target] = 1 / len(near)
    return result.astype(np.float32)


@every_layout
def test_hop_distance_is_the_way_through_the_tree(name: str) -> None:
    layout = load_layout(name)
    hops = hop_distance(layout)
    for start in range(layout.num_joints):
        parents = layout.parents_from(start)
        for joint in range(layout.num_joints):
            steps, at = 0, joint
            while parents[at] >= 0:
                steps, at = steps + 1, parents[at]
            assert hops[start, joint] == steps


def test_a_chain_by_hand() -> None:
    chain = Layout("chain", ("a", "b", "c"), (-1, 0, 1), center=1)
    spatial = build_graph(chain, "spatial").adjacency()
    assert spatial[1].tolist() == [[0, 0, 0], [1, 0, 1], [0, 0, 0]]
    assert spatial[2].tolist() == [[0, 0.5, 0], [0, 0, 0], [0, 0.5, 0]]
    distance = build_graph(chain, "distance").adjacency()
    third = torch.tensor(1 / 3)
    torch.testing.assert_close(distance[0], torch.diag(torch.tensor([0.5, third, 0.5])))
    torch.testing.assert_close(distance[1, :, 1], torch.stack([third, third * 0, third]))


@every_partition
def test_a_single_joint(partition: str) -> None:
    graph = build_graph(Layout("dot", ("dot",), (-1,)), partition)
    assert counts(graph) == [1] + [0] * (graph.num_types - 1)


def test_refusals() -> None:
    with pytest.raises(ConfigError, match="'spatal'.*'spatial'"):
        build_graph(load_layout("coco"), "spatal")
    with pytest.raises(ValueError, match=r"\(3, 4\)"):
        SkeletonGraph.from_adjacency(torch.zeros(3, 4))

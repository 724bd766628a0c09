r"""Skeletons as graphs with typed edges.

A graph convolution on a skeleton aggregates, for each joint :math:`w`,

.. math:: y_w = \sum_k \sum_v A_{k, v, w}\, x_v W_k ,

with one weight :math:`W_k` for every type :math:`k` of edges from a source :math:`v` to a target
:math:`w`. A partition says which edge has which type and how :math:`A` is normalised.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from registry import did_you_mean
from zoo.errors import ConfigError
from zoo.skeleton.layout import Layout


@dataclass(frozen=True, eq=False)
class SkeletonGraph:
    """A small static graph with K types of weighted, directed edges.

    Edges are sorted by target, then source, then type, so ``edge_index`` fits
    ``torch_geometric.EdgeIndex(..., sort_order="col")``.

    Attributes:
        num_joints: V.
        num_types: K; a type may have no edges.
        edge_index: (2, E) long, sources above targets.
        edge_type: (E,) long, from 0 to K - 1.
        edge_weight: (E,) float.
    """

    num_joints: int
    num_types: int
    edge_index: Tensor
    edge_type: Tensor
    edge_weight: Tensor

    @classmethod
    def from_adjacency(cls, adjacency: Tensor) -> "SkeletonGraph":
        """The graph of the non-zero entries of `adjacency` (K, V, V), indexed A[k, source, target].

        Raises:
            ValueError: a shape other than (K, V, V).
        """
        if adjacency.ndim != 3 or adjacency.shape[1] != adjacency.shape[2]:
            raise ValueError(f"adjacency has shape {tuple(adjacency.shape)}, expected (K, V, V)")
        target, source, kind = adjacency.permute(2, 1, 0).nonzero(as_tuple=True)
        return cls(
            num_joints=adjacency.shape[1],
            num_types=adjacency.shape[0],
            edge_index=torch.stack([source, target]),
            edge_type=kind,
            edge_weight=adjacency[kind, source, target],
        )

    def adjacency(self) -> Tensor:
        """The weights as a dense (K, V, V) tensor, indexed A[k, source, target]."""
        dense = self.edge_weight.new_zeros(self.num_types, self.num_joints, self.num_joints)
        dense[self.edge_type, self.edge_index[0], self.edge_index[1]] = self.edge_weight
        return dense


def space_time_edges(layout: Layout, frames: int, *, self_loops: bool = False) -> Tensor:
    """Edges of a graph with a node for each joint of each frame, number t·V + v for joint v.

    Bones join the joints of one frame, steps join each joint with itself one frame on; both ways.

    Args:
        layout: skeleton of V joints.
        frames: T.
        self_loops: join every node with itself, too.

    Returns:
        (2, E) long, as PyTorch Geometric takes it; E is 2·T·(V − 1) + 2·(T − 1)·V, and T·V more
        with self-loops.

    Raises:
        ConfigError: no frame.
    """
    if frames < 1:
        raise ConfigError(f"frames is {frames}, expected a whole number of at least 1")
    V = layout.num_joints
    starts = V * torch.arange(frames)
    bones = (layout.edge_index()[:, None, :] + starts[None, :, None]).flatten(1)
    before = torch.arange(V * (frames - 1))
    steps = torch.stack([before, before + V])
    every = torch.arange(V * frames).expand(2, -1) if self_loops else before[None, :0].expand(2, -1)
    return torch.cat([bones, steps, steps.flip(0), every], dim=1)


def hop_distance(layout: Layout) -> Tensor:
    """Number of bones on the way between any two joints (V, V) long."""
    joints = layout.num_joints
    hops = torch.full((joints, joints), joints)
    hops.fill_diagonal_(0)
    for child, parent in layout.bones:
        hops[child, parent] = hops[parent, child] = 1
    for via in range(joints):
        hops = torch.minimum(hops, hops[:, via, None] + hops[via])
    return hops


def build_graph(layout: Layout, partition: str) -> SkeletonGraph:
    r"""The graph of a layout under one of five partitions.

    Below, :math:`h_{vw}` counts the bones between joints :math:`v` and :math:`w`, :math:`c` is the
    layout's centre joint, :math:`B_{vw} = 1` where :math:`h_{vw} \le 1` (bones both ways and self
    loops), and :math:`\hat B_{vw} = B_{vw} / \sum_u B_{uw}` is its column-normalised form.

    * ``uniform``, K = 1: :math:`A_0 = \hat B`. "Uni-labelling" of Yan et al. 2018.
    * ``symmetric``, K = 1: :math:`A_0 = D^{-1/2} B D^{-1/2}` with :math:`D` the column sums of
      :math:`B`, the normalisation of Kipf and Welling 2017 (arXiv 1609.02907, equation 2).
    * ``distance``, K = 2: :math:`A_k = \hat B` where :math:`h_{vw} = k`, else 0: self loops and
      neighbours. "Distance partitioning" of the same paper, as its authors released it: both
      subsets share the normalisation of their sum, whereas the paper's equation 10 normalises
      each by itself (and symmetrically).
    * ``spatial``, K = 3: self loops; edges that lead away from the centre
      (:math:`h_{vc} < h_{wc}`); edges that lead towards it (:math:`h_{vc} > h_{wc}`); each
      column-normalised by itself. Shi et al. 2019 (2s-AGCN) and PYSKL call them identity, inward
      and outward after the bones (child, parent) they are made from; this is their order.
    * ``stgcn_spatial``, K = 3: self loops, edges with :math:`g_v \ge g_w`, edges with
      :math:`g_v < g_w`, all weighted by :math:`\hat B`, where :math:`g_v = h_{vc}` up to one hop
      and infinite beyond. This is "spatial configuration" of Yan et al. 2018 as they released it:
      because distances are cut at one hop, all edges farther from the centre than that compare
      infinity with infinity and fall into the second subset (25, 40 and 8 non-zeros on Kinect v2,
      where `spatial` has 25, 24 and 24).

    References:
        Yan, Xiong, Lin: Spatial temporal graph convolutional networks for skeleton-based action
        recognition, AAAI 2018, arXiv 1801.07455. Shi, Zhang, Cheng, Lu: Two-stream adaptive graph
        convolutional networks for skeleton-based action recognition, CVPR 2019, arXiv 1805.07694.

    Args:
        layout: with V joints.
        partition: ``uniform``, ``symmetric``, ``distance``, ``spatial`` or ``stgcn_spatial``.

    Raises:
        ConfigError: no partition has this name.
    """
    if partition not in PARTITIONS:
        raise ConfigError(
            f"no graph partition is called {partition!r}. {did_you_mean(partition, PARTITIONS)}"
        )
    hops = hop_distance(layout)
    adjacency = PARTITIONS[partition](hops, hops[:, layout.center])
    return SkeletonGraph.from_adjacency(adjacency.float())


def _normalised(edges: Tensor) -> Tensor:
    """Weights (.., V, V) double whose columns, the edges into one joint, sum to 1 or are empty."""
    dense = edges.double()
    return dense / dense.sum(-2, keepdim=True).clamp(min=1)


def _uniform(hops: Tensor, to_center: Tensor) -> Tensor:
    return _normalised(hops <= 1)[None]


def _symmetric(hops: Tensor, to_center: Tensor) -> Tensor:
    near = (hops <= 1).double()
    scale = near.sum(0).rsqrt()
    return (scale[:, None] * near * scale)[None]


def _distance(hops: Tensor, to_center: Tensor) -> Tensor:
    return _normalised(hops <= 1) * torch.stack([hops == 0, hops == 1])


def _spatial(hops: Tensor, to_center: Tensor) -> Tensor:
    source, target = to_center[:, None], to_center[None, :]
    bone = hops == 1
    return _normalised(torch.stack([hops == 0, bone & (source < target), bone & (source > target)]))


def _stgcn_spatial(hops: Tensor, to_center: Tensor) -> Tensor:
    cut = torch.where(to_center <= 1, to_center.double(), torch.inf)
    source, target = cut[:, None], cut[None, :]
    bone = hops == 1
    subsets = torch.stack([hops == 0, bone & (source >= target), bone & (source < target)])
    return _normalised(hops <= 1) * subsets


PARTITIONS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "uniform": _uniform,
    "symmetric": _symmetric,
    "distance": _distance,
    "spatial": _spatial,
    "stgcn_spatial": _stgcn_spatial,
}
"""The partitions that `build_graph` knows, by name."""

"""Which messages between joints a score needs: PyG's explainers on the edge path."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch_geometric.explain import Explainer, GNNExplainer
from torch_geometric.explain.algorithm import ExplainerAlgorithm
from torch_geometric.explain.algorithm.utils import clear_masks, set_masks
from torch_geometric.nn import MessagePassing

from registry import register_attribution
from zoo.errors import DataError
from zoo.explain.attribution import Array, Attribution
from zoo.explain.gradients import frozen
from zoo.explain.sample import Sample
from zoo.nn.model import contract_of
from zoo.nn.spatial import SkeletonConv
from zoo.words import fixed

MASK = "edge mask"
"""Unit of an edge's importance, 0 to 1 with `GNNExplainer`."""


@dataclass(frozen=True, eq=False)
class EdgeImportance:
    """How much a score needs the messages along each edge of the skeleton.

    Attributes:
        edge_index: (2, E) source and target joints.
        importance: (E,) the explainer's edge mask.
        masked_score: the sample's score, in score units, with every message times its importance.
        note: which algorithm, and how long.
    """

    edge_index: NDArray[np.int64]
    importance: Array
    masked_score: float
    note: str

    def by_joint(self, num_joints: int) -> Array:
        """Mean importance of the messages that leave each joint, its own to itself among them.

        (V,); 0 for a joint that sends none.
        """
        source = self.edge_index[0]
        total = np.bincount(source, self.importance, minlength=num_joints)
        sent: Array = total / np.maximum(np.bincount(source, minlength=num_joints), 1)
        return sent


class JointGraph(nn.Module):
    """A sample's model in the form PyG's explainers expect: nodes, edges, one output.

    ``forward(x, edge_index)`` takes the joints as nodes with all their frames and channels as
    features, x (V, T·ΣC), and gives the standardised score (1, 1). The layers know their edges;
    `edge_index` only says what a mask refers to.

    Raises:
        DataError: the model has no `SkeletonConv`, other message passing, or several graphs, or
            it derives what its graph is of.
    """

    def __init__(self, sample: Sample) -> None:
        super().__init__()
        if contract_of(sample.model).derive is not None:
            raise DataError(
                f"the nodes of {sample.model_name} are descriptors of whole recordings, not joints "
                "in time: use descriptors"
            )
        self.model = sample.model
        layers = [m for m in self.model.modules() if isinstance(m, MessagePassing)]
        convolutions = [m for m in layers if isinstance(m, SkeletonConv)]
        if not layers or len(layers) != len(convolutions):
            raise DataError(
                f"{sample.model_name} passes no messages along the edges of a skeleton "
                "(zoo.nn.spatial.SkeletonConv): use integrated gradients or occlusion"
            )
        first = convolutions[0]
        self.edge_index: Tensor = first.edge_index
        self.edge_type: Tensor = first.edge_type
        for layer in convolutions:
            if not (
                torch.equal(layer.edge_index, self.edge_index)
                and torch.equal(layer.edge_type, self.edge_type)
            ):
                raise DataError(
                    f"the graph convolutions of {sample.model_name} have different edges, and a "
                    "mask of edges would mean another thing in each"
                )
        self._batch = sample.batch.to(sample.device)
        self._widths = [x.shape[-1] for x in self._batch.x.values()]
        self.eval()  # an explainer puts the whole back into the mode in which it found this

    @property
    def nodes(self) -> Tensor:
        """The sample as features of joints (V, T·ΣC)."""
        joined = torch.cat(list(self._batch.x.values()), dim=-1)[0]
        return joined.transpose(0, 1).flatten(1)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        """The standardised score (1, 1) of joints with the features `x`."""
        sequence = x.unflatten(1, (-1, sum(self._widths))).transpose(0, 1)[None]
        parts = sequence.split(self._widths, dim=-1)
        batch = self._batch._replace(x=dict(zip(self._batch.x, parts, strict=True)))
        score: Tensor = self.model(batch).score
        return score[:, None]


def edge_importance(
    sample: Sample,
    *,
    algorithm: ExplainerAlgorithm | None = None,
    epochs: int = 100,
    seed: int = 0,
) -> EdgeImportance:
    """Explain a sample's score by a mask on the messages of all graph convolutions.

    `torch_geometric.explain.Explainer` with `GNNExplainer` (Ying et al., NeurIPS 2019, arXiv
    1903.03894): the mask that keeps the score with as few and as decided edges as it can. All
    layers share one mask. PyG's explain mode takes `SkeletonConv` along its edges; an adaptive
    graph has an edge of every type between all joints, and is many times slower there.

    Args:
        sample: of a model with graph convolutions (`SkeletonConv`) on one graph.
        algorithm: any explainer of PyG that masks edges; None for `GNNExplainer`.
        epochs: gradient steps of `GNNExplainer`.
        seed: of the mask it starts from.

    Raises:
        DataError: see `JointGraph`.
    """
    graph = JointGraph(sample)
    chosen = algorithm or GNNExplainer(epochs=epochs, lr=0.05)
    explainer = Explainer(
        graph,
        chosen,
        explanation_type="model",
        edge_mask_type="object",
        model_config={"mode": "regression", "task_level": "graph", "return_type": "raw"},
    )
    with torch.random.fork_rng(), frozen(sample.model):
        torch.manual_seed(seed)
        mask = explainer(graph.nodes, graph.edge_index).edge_mask.detach()
    with torch.no_grad():
        important = masked_score(sample, graph, mask)
    name = type(chosen).__name__
    return EdgeImportance(
        edge_index=graph.edge_index.cpu().numpy(),
        importance=mask.double().cpu().numpy(),
        masked_score=important,
        note=f"{name}, {epochs} steps" if algorithm is None else name,
    )


def masked_score(sample: Sample, graph: JointGraph, mask: Tensor) -> float:
    """The score in score units by the edge path, every message times its entry of `mask` (E,)."""
    set_masks(graph, mask, graph.edge_index, apply_sigmoid=False)
    try:
        standardised = graph(graph.nodes, graph.edge_index)[0]
    finally:
        clear_masks(graph)
    return float(sample.trained.target_scaler.inverse(standardised.float().cpu()))


@register_attribution("edges")
def edge_attribution(sample: Sample, **how: Any) -> Attribution:
    """`edge_importance` as an attribution: each joint's messages, alike in every frame."""
    found = edge_importance(sample, **how)
    joints = found.by_joint(sample.layout.num_joints)
    return sample.attribution(
        "edges",
        np.tile(joints / sample.num_frames, (sample.num_frames, 1)),
        note=f"{found.note}; mean of the messages that leave a joint, the same in every frame; "
        f"with the masked messages the score is {fixed(found.masked_score, sample.digits)}",
        unit=MASK,
    )

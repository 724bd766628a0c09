"""Where torch-scatter is installed PyG uses it; the edge path must not change by that."""

import pytest
import torch

from zoo.nn.spatial import SkeletonConv
from zoo.skeleton import load_layout
from zoo.skeleton.graph import build_graph


def test_edge_path_agrees_with_torch_scatter() -> None:
    scatter = pytest.importorskip("torch_scatter", reason="the scatter extra is not installed")
    graph = build_graph(load_layout("kinect-v2"), "spatial")
    conv = SkeletonConv(4, 4, graph).double()
    torch.nn.init.zeros_(conv.bias)
    x = torch.randn(2, 3, 25, 4, dtype=torch.float64)
    source, target = graph.edge_index
    messages = x[:, :, source] * graph.edge_weight.double().unsqueeze(-1)
    slots = target * graph.num_types + graph.edge_type
    summed = scatter.scatter(messages, slots, dim=2, dim_size=25 * graph.num_types, reduce="sum")
    expected = torch.einsum(
        "ntvkc,kdc->ntvd", summed.view(2, 3, 25, graph.num_types, 4), conv.weight
    )
    conv.fuse = False
    torch.testing.assert_close(conv(x), expected, rtol=1e-10, atol=1e-10)

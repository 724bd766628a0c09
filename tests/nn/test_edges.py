"""Looking up a skeleton's edges: values and gradients against the product with all pairs."""

import pytest
import torch

from zoo.nn.edges import SkeletonEdges, edge_graph_product

V, K = 5, 2


@pytest.mark.parametrize("pairs", [[(0, 1, 0), (2, 1, 0), (3, 1, 0), (1, 4, 1), (4, 4, 1)], []])
def test_looking_up_is_the_product_with_all_pairs(pairs):
    torch.manual_seed(0)
    source, target, kind = torch.tensor(pairs, dtype=torch.long).reshape(-1, 3).unbind(1)
    edges = SkeletonEdges(source, target, kind, V, K)
    inputs = (
        torch.randn(2, 30, V, 3),
        torch.randn(K, 6, 3),
        torch.randn(len(pairs)),
        torch.randn(V, 6),
    )
    own = [value.clone().requires_grad_() for value in inputs]
    plain = [value.double().requires_grad_() for value in inputs]
    x, weight, strength, offset = own
    y = edge_graph_product(x, weight, edges, strength, offset)
    x, weight, strength, offset = plain
    graph = torch.zeros(K, V, V, dtype=torch.double).index_put((kind, source, target), strength)
    expected = torch.einsum("kvw,ntvc,kdc->ntwd", graph, x, weight) + offset
    upstream = torch.randn(y.shape)
    y.backward(upstream)
    expected.backward(upstream.double())
    for found, right in [
        (y, expected),
        *((a.grad, b.grad) for a, b in zip(own, plain, strict=True)),
    ]:
        torch.testing.assert_close(found.double(), right, rtol=1e-5, atol=1e-4)

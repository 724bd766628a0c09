"""Products in groups of channels: values and gradients against their plain form."""

import pytest
import torch

from zoo.nn.grouped import grouped_graph_product, peak, weighted_layers

X = (2, 40, 5, 3, 4)


@pytest.mark.parametrize("total", [False, True])
def test_a_grouped_product_is_its_plain_form(total):
    torch.manual_seed(0)
    inputs = torch.randn(*X), torch.randn(2, 3, 5, 5), torch.randn(2, 3, 4, 6)
    graphs_of = "sgvw,ntvgc,sgcd->ntwgd" if total else "sgvw,ntvgc,sgcd->ntwgsd"
    own = [value.clone().requires_grad_() for value in inputs]
    plain = [value.double().requires_grad_() for value in inputs]
    x, graphs, weight = own
    y = grouped_graph_product(x, graphs, weight, total=total)
    x, graphs, weight = plain
    expected = torch.einsum(graphs_of, graphs, x, weight)
    compare(y, expected, own, plain)


def test_weighted_layers_are_their_plain_form():
    torch.manual_seed(0)
    inputs = torch.randn(*X), torch.randn(2, 3, 4)
    own = [value.clone().requires_grad_() for value in inputs]
    plain = [value.double().requires_grad_() for value in inputs]
    expected = (plain[0] * plain[1][:, None, None]).sum(3)
    compare(weighted_layers(*own), expected, own, plain)


def test_peaks_share_their_gradient_as_amax_does():
    torch.manual_seed(0)
    inputs = [torch.randint(0, 4, X).float()]
    own = [value.clone().requires_grad_() for value in inputs]
    plain = [value.double().requires_grad_() for value in inputs]
    compare(peak(*own), plain[0].amax(1), own, plain)


def test_padded_frames_are_no_peaks():
    x = torch.randn(*X)
    mask = torch.arange(40) < torch.tensor([[40], [7]])
    x[1, 7:] = float("nan")
    assert torch.equal(peak(x, mask)[1], x[1, :7].amax(0))


def compare(y, expected, own, plain):
    upstream = torch.randn(y.shape)
    y.backward(upstream)
    expected.backward(upstream.double())
    pairs = [(y, expected), *((a.grad, b.grad) for a, b in zip(own, plain, strict=True))]
    for found, right in pairs:
        torch.testing.assert_close(found.double(), right, rtol=1e-5, atol=1e-4)

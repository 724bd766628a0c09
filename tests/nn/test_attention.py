import math

import pytest
import torch
from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.nn.attention import MultiHeadAttention


def literal_attention(module: MultiHeadAttention, x: Tensor, keys: Tensor | None) -> Tensor:
    """The formula of Vaswani et al., one head and one query at a time."""
    width, heads = module.width, module.heads
    d = width // heads
    out = torch.zeros_like(x)
    for b in range(x.shape[0]):
        joined = torch.zeros(x.shape[1], width, dtype=x.dtype)
        for h in range(heads):
            parts = []
            for p in range(3):
                rows = slice(p * width + h * d, p * width + (h + 1) * d)
                parts.append(x[b] @ module.qkv.weight[rows].T + module.qkv.bias[rows])
            q, k, v = parts
            for i in range(x.shape[1]):
                allowed = [j for j in range(x.shape[1]) if keys is None or keys[b, j]]
                e = [math.exp(float(q[i] @ k[j]) / math.sqrt(d)) for j in allowed]
                for weight, j in zip(e, allowed, strict=True):
                    joined[i, h * d : (h + 1) * d] += weight / sum(e) * v[j]
        out[b] = joined @ module.out.weight.T + module.out.bias
    return out


@pytest.fixture
def attention() -> MultiHeadAttention:
    torch.manual_seed(0)
    module = MultiHeadAttention(12, 3, width=6).double().eval()
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    return module


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("weights", [False, True])
def test_equals_the_formula(attention: MultiHeadAttention, masked: bool, weights: bool) -> None:
    x = torch.randn(2, 5, 12, dtype=torch.float64)
    keys = torch.tensor([[1, 1, 1, 0, 0], [1, 0, 1, 1, 1]]).bool() if masked else None
    with torch.no_grad():
        out = attention(x, keys, return_weights=weights)[0]
        torch.testing.assert_close(out, literal_attention(attention, x, keys))


def test_equals_torch_multihead_attention() -> None:
    module = MultiHeadAttention(12, 4).double()
    torch_module = nn.MultiheadAttention(12, 4, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        torch_module.in_proj_weight.copy_(module.qkv.weight)
        torch_module.in_proj_bias.copy_(module.qkv.bias)
        torch_module.out_proj.weight.copy_(module.out.weight)
        torch_module.out_proj.bias.copy_(module.out.bias)
    x = torch.randn(3, 7, 12, dtype=torch.float64)
    keys = torch.rand(3, 7) > 0.3
    keys[:, 0] = True
    ours, own_weights = module(x, keys, return_weights=True)
    theirs, weights = torch_module(x, x, x, ~keys, average_attn_weights=False)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(own_weights, weights)


def test_weights_are_distributions_over_the_real_keys(attention: MultiHeadAttention) -> None:
    keys = torch.tensor([[True, True, False, True]])
    _, weights = attention(torch.randn(1, 4, 12).double(), keys, return_weights=True)
    assert weights.shape == (1, 3, 4, 4)
    torch.testing.assert_close(weights.sum(-1), torch.ones(1, 3, 4, dtype=torch.float64))
    assert (weights[..., 2] == 0).all()


def test_fused_and_explicit_paths_have_equal_gradients(attention: MultiHeadAttention) -> None:
    x = torch.randn(2, 5, 12, dtype=torch.float64, requires_grad=True)
    keys = torch.tensor([[1, 1, 1, 0, 0], [1, 0, 1, 1, 1]]).bool()
    inputs = [x, *attention.parameters()]
    fast = torch.autograd.grad(attention(x, keys)[0].square().sum(), inputs)
    slow = torch.autograd.grad(attention(x, keys, return_weights=True)[0].square().sum(), inputs)
    for a, b in zip(fast, slow, strict=True):
        torch.testing.assert_close(a, b)


def test_without_weights_none_are_returned(attention: MultiHeadAttention) -> None:
    assert attention(torch.randn(1, 4, 12).double())[1] is None


def test_order_of_heads_does_not_matter(attention: MultiHeadAttention) -> None:
    x = torch.randn(2, 5, 12, dtype=torch.float64)
    before, weights_before = attention(x, return_weights=True)
    order = [2, 0, 1]
    columns = torch.cat([torch.arange(h * 2, h * 2 + 2) for h in order])
    rows = torch.cat([columns, columns + 6, columns + 12])
    with torch.no_grad():
        attention.qkv.weight.copy_(attention.qkv.weight[rows])
        attention.qkv.bias.copy_(attention.qkv.bias[rows])
        attention.out.weight.copy_(attention.out.weight[:, columns])
    after, weights_after = attention(x, return_weights=True)
    torch.testing.assert_close(before, after)
    torch.testing.assert_close(weights_before[:, order], weights_after)


def test_order_of_tokens_is_carried_through(attention: MultiHeadAttention) -> None:
    x = torch.randn(2, 5, 12, dtype=torch.float64)
    order = torch.tensor([3, 1, 4, 0, 2])
    torch.testing.assert_close(attention(x)[0][:, order], attention(x[:, order])[0])


@pytest.mark.parametrize("weights", [False, True])
def test_sequence_without_a_real_key_stays_finite(
    attention: MultiHeadAttention, weights: bool
) -> None:
    x = torch.randn(2, 3, 12, dtype=torch.float64, requires_grad=True)
    keys = torch.tensor([[False, False, False], [True, True, True]])
    attention(x, keys, return_weights=weights)[0].sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_heads_change_no_parameter_count() -> None:
    sizes = {
        sum(p.numel() for p in MultiHeadAttention(32, h, width=16).parameters())
        for h in (1, 2, 4, 8, 16)
    }
    assert sizes == {32 * 48 + 48 + 16 * 32 + 32}


def test_dropout_only_in_training() -> None:
    module = MultiHeadAttention(8, 2, dropout=0.5)
    x = torch.randn(4, 6, 8)
    assert not torch.equal(module(x)[0], module(x)[0])
    module.eval()
    assert torch.equal(module(x)[0], module(x)[0])


@pytest.mark.parametrize("heads", [0, 5])
def test_heads_that_do_not_divide_the_width_are_refused(heads: int) -> None:
    with pytest.raises(ConfigError, match="does not divide the attention width 12"):
        MultiHeadAttention(12, heads)

import pytest
import torch
from torch.nn import functional as F

from zoo.nn.pointwise import FEW_ROWS, pointwise, pointwise_weight_grad, takes_convolution


@pytest.mark.parametrize("shape", [(2, 30, 25, 8), (60, 25, 8), (40, 25, 8), (1, 1, 3, 8)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bias", [True, False])
def test_is_a_linear_map(shape: tuple[int, ...], dtype: torch.dtype, bias: bool) -> None:
    torch.manual_seed(0)
    x = torch.randn(shape, dtype=dtype, requires_grad=True)
    weight = torch.randn(6, 8, dtype=dtype, requires_grad=True)
    b = torch.randn(6, dtype=dtype, requires_grad=True) if bias else None
    many = x[..., 0].numel() > FEW_ROWS
    assert takes_convolution(x) == (many and dtype == torch.float32)
    inputs = [x, weight] + ([b] if bias else [])
    y, expected = pointwise(x, weight, b), F.linear(x, weight, b)
    torch.testing.assert_close(y, expected)
    upstream = torch.randn(y.shape, dtype=dtype)
    grads = torch.autograd.grad(y, inputs, upstream)
    for a, e in zip(grads, torch.autograd.grad(expected, inputs, upstream), strict=True):
        torch.testing.assert_close(a, e, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(
        pointwise_weight_grad(x.detach(), upstream), grads[1], rtol=1e-4, atol=1e-4
    )


def test_autocast_lowers_precision() -> None:
    x, weight = torch.randn(2, 20, 25, 8), torch.randn(6, 8)
    with torch.autocast("cpu", torch.bfloat16):
        assert pointwise(x, weight).dtype == torch.bfloat16

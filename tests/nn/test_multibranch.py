"""MultiBranchConv: branch by branch, as its authors write it."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from zoo.errors import ConfigError
from zoo.nn.multibranch import CTRGCN_BRANCHES, PYSKL_BRANCHES, MultiBranchConv, branch_widths


def make(*args: object, **options: object) -> MultiBranchConv:
    torch.manual_seed(0)
    conv = MultiBranchConv(*args, **options).double()
    with torch.no_grad():
        for p in conv.parameters():
            p.add_(0.3 * torch.randn_like(p))
    return conv


def normalise(x: Tensor, norm: torch.nn.BatchNorm2d, channels: slice) -> Tensor:
    """`x` (N, c, T, V) over all but its channels."""
    return F.batch_norm(x, None, None, norm.weight[channels], norm.bias[channels], training=True)


def step_by_step(conv: MultiBranchConv, branches: Sequence, x: Tensor) -> Tensor:
    """A 1×1 convolution, normalisation, ReLU and convolution of its own for every branch."""
    x = x.permute(0, 3, 1, 2)
    if conv.joint_weight is not None:
        x = torch.cat([x, x.mean(-1, keepdim=True)], -1)
    outs, start = [], 0
    for i, width in enumerate(conv.widths):
        own = slice(start, start + width)
        start += width
        if i == len(conv.widths) - 1:
            outs.append(F.conv2d(x, conv.direct.weight, conv.direct.bias, stride=(conv.stride, 1)))
            continue
        h = F.conv2d(x, conv.entry.weight[own], conv.entry.bias[own])
        h = F.relu(normalise(h, conv.entry_norm, own))
        if i == len(branches):
            outs.append(F.max_pool2d(h, (3, 1), (conv.stride, 1), (1, 0)))
        else:
            kernel, dilation = branches[i]
            outs.append(
                F.conv2d(
                    h,
                    conv.convs[i].weight,
                    conv.convs[i].bias,
                    stride=(conv.stride, 1),
                    padding=((kernel - 1) * dilation // 2, 0),
                    dilation=(dilation, 1),
                )
            )
    y = torch.cat(outs, 1)
    if conv.joint_weight is not None:
        y = y[..., :-1] + torch.einsum("nct,v->nctv", y[..., -1], conv.joint_weight)
    y = normalise(y, conv.norm, slice(None))
    if conv.mix is not None:
        y = F.conv2d(F.relu(y), conv.mix.weight, conv.mix.bias)
        y = normalise(y, conv.mix_norm, slice(None))
    return y.permute(0, 2, 3, 1)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("frames", [11, 12])
@pytest.mark.parametrize(
    ("branches", "options"),
    [
        (PYSKL_BRANCHES, {"mix": True}),
        (PYSKL_BRANCHES, {"mix": True, "joint_mean": 5}),
        (PYSKL_BRANCHES, {"remainder": "last"}),
        (CTRGCN_BRANCHES, {"remainder": "last"}),
        ([(3, 2)], {}),
        ([(3, 1)], {"joint_mean": 5}),
    ],
)
def test_it_is_the_branches_side_by_side(
    branches: list, options: dict, frames: int, stride: int
) -> None:
    conv = make(6, 16, branches, stride=stride, **options)
    x = torch.randn(3, frames, 5, 6, dtype=torch.float64, requires_grad=True)
    first, second = conv(x), step_by_step(conv, branches, x)
    assert first.shape == (3, -(-frames // stride), 5, 16)
    torch.testing.assert_close(first, second, rtol=0, atol=1e-10)
    weight = torch.randn_like(first)
    inputs = [x, *conv.parameters()]
    for a, b in zip(
        torch.autograd.grad((first * weight).sum(), inputs),
        torch.autograd.grad((second * weight).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-9)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("branches", [PYSKL_BRANCHES, CTRGCN_BRANCHES])
def test_padding_counts_as_zero(branches: list, stride: int) -> None:
    conv = make(6, 16, branches, stride=stride, mix=True, joint_mean=5).eval()
    x = torch.randn(2, 11, 5, 6, dtype=torch.float64)
    mask = torch.arange(11) < torch.tensor([[11], [6]])
    x[~mask] = 50.0
    kept = -(-6 // stride)
    torch.testing.assert_close(conv(x, mask)[1:, :kept], conv(x[1:, :6]))


def test_widths_add_up() -> None:
    assert branch_widths(64, 6) == [14, 10, 10, 10, 10, 10]
    assert branch_widths(64, 6, "last") == [10, 10, 10, 10, 10, 14]
    assert branch_widths(6, 6) == [1] * 6
    with pytest.raises(ConfigError, match="5 channels are too few for 6 branches"):
        branch_widths(5, 6)

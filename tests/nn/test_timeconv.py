"""TimeConv: values and gradients against `torch.nn.Conv2d`."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from zoo.nn import temporal
from zoo.nn.blocks import shortcut
from zoo.nn.multibranch import MultiBranchConv
from zoo.nn.temporal import TimeConv


@pytest.fixture(autouse=True)
def few_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let three channels be as many as it takes."""
    monkeypatch.setattr(temporal, "WIDE", 3)


def make(channels: int = 5, kernel_size: int = 3, stride: int = 1) -> TimeConv:
    return TimeConv(3, channels, (kernel_size, 1), (stride, 1), (kernel_size // 2, 0))


def features(frames: int, dtype: torch.dtype = torch.float64) -> Tensor:
    torch.manual_seed(0)
    return torch.randn(2, frames, 4, 3, dtype=dtype).permute(0, 3, 1, 2).requires_grad_()


@pytest.mark.parametrize("frames", [1, 7, 12])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel_size", [1, 3, 5, 9])
def test_is_a_convolution(frames: int, stride: int, kernel_size: int) -> None:
    image = features(frames)
    conv = make(5, kernel_size, stride).double()
    y, expected = conv(image), nn.Conv2d.forward(conv, image)
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-12)
    inputs = [image, *conv.parameters()]
    upstream = torch.randn_like(y)
    for a, e in zip(
        torch.autograd.grad(y, inputs, upstream),
        torch.autograd.grad(expected, inputs, upstream),
        strict=True,
    ):
        torch.testing.assert_close(a, e, rtol=0, atol=1e-12)


def test_gradients_are_those_of_small_differences() -> None:
    conv = make(stride=2).double()
    assert torch.autograd.gradcheck(conv, (features(7),))


def test_the_length_stays() -> None:
    for kernel_size in (1, 3, 9):
        conv = make(5, kernel_size)
        assert conv(features(12, torch.float32)).shape == (2, 5, 12, 4)


@pytest.mark.parametrize("frozen", ["image", "weight", "bias"])
def test_only_gradients_that_are_asked_for(frozen: str) -> None:
    image, conv = features(6, torch.float32), make()
    inputs: dict[str, Tensor] = {"image": image, **dict(conv.named_parameters())}
    inputs[frozen].requires_grad_(False)
    conv(image).square().sum().backward()
    assert [name for name, x in inputs.items() if x.grad is None] == [frozen]


def test_slices_of_channels_and_other_layouts() -> None:
    """A branch sees some of the channels; the last layers of others may be in another order."""
    torch.manual_seed(0)
    conv = make().double()
    wide = torch.randn(2, 6, 4, 8, dtype=torch.float64).permute(0, 3, 1, 2)[:, 2:5]
    for image in (wide, wide.contiguous()):
        upstream = torch.randn(2, 5, 6, 4, dtype=torch.float64)
        pair = [f(image) for f in (conv, lambda x: nn.Conv2d.forward(conv, x))]
        first, second = (torch.autograd.grad(y, conv.weight, upstream)[0] for y in pair)
        torch.testing.assert_close(first, second, rtol=0, atol=1e-12)


def test_left_to_pytorch_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    image, conv = features(6, torch.float32), make()
    assert "_TimeConv" in type(conv(image).grad_fn).__name__
    with torch.autocast("cpu", torch.bfloat16):
        assert conv(image).dtype == torch.bfloat16
    monkeypatch.setattr(temporal, "plain", lambda x: True)
    assert "_TimeConv" not in type(conv(image).grad_fn).__name__


@pytest.mark.parametrize(("channels", "kernel_size"), [(2, 3), (3, 1)])
def test_left_to_pytorch_where_that_is_faster(channels: int, kernel_size: int) -> None:
    conv = make(channels, kernel_size)
    assert "_TimeConv" not in type(conv(features(6, torch.float32)).grad_fn).__name__


class Convolutions(TorchDispatchMode):
    """Kernel and stride of every convolution that torch computes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[list[int], list[int]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.convolution.default:
            self.seen.append((list(args[1].shape[2:]), list(args[3])))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    "layer", [lambda: shortcut(3, 8, 2), lambda: MultiBranchConv(3, 12, stride=2)]
)
def test_no_convolution_is_of_one_frame_and_strided(layer: Callable[[], nn.Module]) -> None:
    """Its gradient in oneDNN writes beyond its memory where there are few channels."""
    with Convolutions() as found:
        layer()(torch.randn(4, 100, 25, 3))
    assert found.seen
    assert not [seen for seen in found.seen if seen[0] == [1, 1] and max(seen[1]) > 1]

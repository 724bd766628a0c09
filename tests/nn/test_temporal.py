import pytest
import torch
from torch import nn

from zoo.nn.temporal import FrameConv, TemporalConv


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("frames", [1, 7, 12])
def test_is_a_convolution_of_each_joint_then_batch_norm(stride: int, frames: int) -> None:
    torch.manual_seed(0)
    temporal = TemporalConv(3, 5, 9, stride).double().eval()
    with torch.no_grad():
        temporal.norm.running_mean.normal_()
        temporal.norm.running_var.uniform_(0.5, 2)
        temporal.norm.weight.normal_()
        temporal.norm.bias.normal_()
    x = torch.randn(2, frames, 4, 3, dtype=torch.float64)

    line = nn.Conv1d(3, 5, 9, stride, padding=4).double()
    line.weight.data = temporal.conv.weight.data.squeeze(-1)
    line.bias.data = temporal.conv.bias.data
    norm = temporal.norm
    for joint in range(4):
        expected = line(x[:, :, joint].transpose(1, 2)).transpose(1, 2)
        expected = (expected - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
        expected = expected * norm.weight + norm.bias
        torch.testing.assert_close(temporal(x)[:, :, joint], expected, rtol=0, atol=1e-12)
    assert temporal(x).shape[1] == -(-frames // stride)


def test_memory_stays_channels_last() -> None:
    x = torch.randn(2, 12, 25, 16)
    temporal = TemporalConv(16, 32, 9, 2)
    assert temporal(x).is_contiguous()
    assert temporal.eval()(x).is_contiguous()


def test_padded_frames_count_as_zero() -> None:
    temporal = TemporalConv(3, 5, 5).eval()
    x = torch.randn(2, 10, 4, 3)
    mask = torch.arange(10).expand(2, 10) < 6
    dirty = x.clone()
    dirty[:, 6:] = float("nan")
    y = temporal(dirty, mask)
    torch.testing.assert_close(y[:, :6], temporal(x[:, :6]))


@pytest.mark.parametrize("kernel_size", [1, 4, 5])
def test_frame_conv_keeps_the_length(kernel_size: int) -> None:
    torch.manual_seed(0)
    conv = FrameConv(3, 5, kernel_size).double()
    x = torch.randn(2, 7, 4, 3, dtype=torch.float64)
    past = (kernel_size - 1) // 2
    padded = torch.zeros(2, 7 + kernel_size - 1, 4, 3, dtype=torch.float64)
    padded[:, past : past + 7] = x
    windows = padded.unfold(1, kernel_size, 1)  # (N, T, V, C, k)
    expected = torch.einsum("ntvck,ock->ntvo", windows, conv.weight.squeeze(-1)) + conv.bias
    torch.testing.assert_close(conv(x), expected)
    mask = (torch.arange(7) < 5).expand(2, 7)
    dirty = x.clone()
    dirty[:, 5:] = float("nan")
    torch.testing.assert_close(conv(dirty, mask)[:, :5], conv(x[:, :5]))

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.nn.model import ScoreModel
from zoo.nn.sequence import (
    SeparableConv,
    SequenceConv,
    SequenceNorm,
    check_pooling,
    last_frame,
    pool_frames,
    resample_frames,
    reverse_frames,
)
from zoo.skeleton.layout import Layout


def mask_of(lengths: list[int], frames: int) -> torch.Tensor:
    return torch.arange(frames) < torch.tensor(lengths).unsqueeze(1)


def test_joints_stand_side_by_side_and_padding_is_zero() -> None:
    position = torch.randn(2, 4, 3, 3)
    position[1, 2:] = float("nan")
    batch = Batch({"position": position, "angle": torch.randn(2, 4, 3, 3)}, mask_of([4, 2], 4))
    layout = Layout("chain", ("a", "b", "c"), (-1, 0, 1))
    x = ScoreModel(layout, ["angle", "position"]).stacked(batch).flatten(2)
    assert x.shape == (2, 4, 18)
    assert torch.equal(x[0, 1, 6:9], batch.x["angle"][0, 1, 1])
    assert torch.equal(x[0, 1, 9:12], position[0, 1, 1])
    assert not x[1, 2:].any()


def test_last_frame_is_the_last_real_one() -> None:
    x = torch.randn(3, 5, 2)
    assert torch.equal(last_frame(x), x[:, 4])
    last = last_frame(x, mask_of([5, 1, 3], 5))
    assert torch.equal(last, torch.stack([x[0, 4], x[1, 0], x[2, 2]]))


def test_real_frames_are_reversed_and_padding_stays_behind() -> None:
    x = torch.tensor([[1.0, 2, 3, 4], [1, 2, 8, 9]]).unsqueeze(2)
    mask = mask_of([4, 2], 4)
    y = reverse_frames(x, mask)
    assert y[0].flatten().tolist() == [4, 3, 2, 1]
    assert y[1, :2].flatten().tolist() == [2, 1]
    assert torch.equal(reverse_frames(y, mask), x)
    assert torch.equal(reverse_frames(x), x.flip(1))


def test_pooling_by_name() -> None:
    x = torch.tensor([[1.0, 2, 6], [1, 3, 100]]).unsqueeze(2)
    mask = mask_of([3, 2], 3)
    assert pool_frames(x, mask, "mean").flatten().tolist() == [3, 2]
    assert pool_frames(x, mask, "last").flatten().tolist() == [6, 3]
    assert check_pooling("mean") == "mean"
    with pytest.raises(ConfigError, match="'max': choose one of last, mean"):
        check_pooling("max")


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("dilation", [1, 2, 3])
@pytest.mark.parametrize("kernel_size", [1, 2, 5, 8])
@pytest.mark.parametrize("frames", [1, 7, 12])
def test_convolution_is_pytorchs(
    causal: bool, dilation: int, kernel_size: int, frames: int
) -> None:
    torch.manual_seed(0)
    conv = SequenceConv(4, 6, kernel_size, dilation=dilation, groups=2, causal=causal)
    x = torch.randn(2, frames, 4)
    span = dilation * (kernel_size - 1)
    past = span if causal else span // 2
    expected = F.conv1d(
        F.pad(x.transpose(1, 2), (past, span - past)),
        conv.conv.weight.squeeze(3),
        conv.conv.bias,
        dilation=dilation,
        groups=2,
    ).transpose(1, 2)
    torch.testing.assert_close(conv(x), expected)


@pytest.mark.parametrize("dilation", [1, 2])
def test_convolution_takes_padded_frames_for_zero(dilation: int) -> None:
    conv = SeparableConv(3, 5, 4, dilation=dilation)
    x = torch.randn(2, 10, 3)
    dirty = x.clone()
    dirty[:, 6:] = float("nan")
    y = conv(dirty, mask_of([6, 6], 10))
    torch.testing.assert_close(y[:, :6], conv(x[:, :6]))


def test_separable_convolution_has_few_weights() -> None:
    assert sum(p.numel() for p in SeparableConv(54, 32, 40).parameters()) == 54 * 40 + 54 * 32


def test_norm_is_of_real_frames_only() -> None:
    torch.manual_seed(0)
    x = torch.randn(3, 8, 4)
    mask = mask_of([8, 3, 5], 8)
    dirty = x.masked_fill(~mask.unsqueeze(2), 1e6)
    norm, plain = SequenceNorm(4), nn.BatchNorm1d(4)
    torch.testing.assert_close(norm(dirty, mask)[mask], plain(x[mask]))
    torch.testing.assert_close(norm.running_mean, plain.running_mean)
    torch.testing.assert_close(norm.running_var, plain.running_var)
    torch.testing.assert_close(norm.eval()(dirty, mask)[mask], plain.eval()(x[mask]))
    torch.testing.assert_close(norm(x), norm(x, torch.ones(3, 8, dtype=torch.bool)))


@pytest.mark.parametrize("frames", [1, 4, 9])
def test_resampled_frames_lie_on_lines_between_real_ones(frames: int) -> None:
    x = torch.randn(3, 7, 2, 3)
    lengths = [7, 1, 4]
    mask = mask_of(lengths, 7)
    y = resample_frames(x.masked_fill(~mask[..., None, None], float("nan")), mask, frames)
    for n, length in enumerate(lengths):
        line = x[n, :length].flatten(1).T.unsqueeze(0)
        expected = F.interpolate(line, frames, mode="linear", align_corners=True)[0].T
        torch.testing.assert_close(y[n].flatten(1), expected)
    torch.testing.assert_close(y[:1], resample_frames(x[:1], None, frames))

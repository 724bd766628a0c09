"""Masks, norms, pooling, inputs and heads."""

import pytest
import torch
from torch import nn

from zoo.data.batch import Batch
from zoo.errors import ConfigError, DataError
from zoo.nn.heads import MSEHead
from zoo.nn.inputs import stack_streams, stream_channels, stream_names
from zoo.nn.masking import frame_counts, mean_pool, stride_mask, zero_padding
from zoo.nn.norm import BatchNorm, InputNorm


def test_padding_becomes_zero_whatever_it_held() -> None:
    x = torch.randn(2, 3, 4, 5)
    mask = torch.tensor([[True, True, False], [True, False, False]])
    dirty = x.clone()
    dirty[~mask] = float("nan")
    clean = zero_padding(dirty, mask)
    assert torch.equal(clean[mask], x[mask])
    assert (clean[~mask] == 0).all()
    assert zero_padding(x, None) is x


@pytest.mark.parametrize("length", range(1, 8))
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_strided_mask_counts_what_is_left(length: int, stride: int) -> None:
    mask = (torch.arange(9) < length).unsqueeze(0)
    assert stride_mask(mask, stride).sum() == -(-length // stride)
    assert stride_mask(None, stride) is None


def test_frame_counts_are_never_zero() -> None:
    assert frame_counts(torch.tensor([[True, True], [False, False]])).tolist() == [2, 1]


def test_mean_pool_sees_real_frames_only() -> None:
    x = torch.randn(2, 6, 4, 3)
    mask = torch.arange(6) < torch.tensor([[6], [2]])
    pooled = mean_pool(x, mask)
    torch.testing.assert_close(pooled[0], x[0].mean((0, 1)))
    torch.testing.assert_close(pooled[1], x[1, :2].mean((0, 1)))
    torch.testing.assert_close(mean_pool(x), x.mean((1, 2)))


def test_batch_norm_is_one_of_the_last_axis() -> None:
    x = torch.randn(3, 6, 4, 5)
    norm = BatchNorm(5)
    expected = nn.BatchNorm1d(5)(x.reshape(-1, 5)).reshape(x.shape)
    torch.testing.assert_close(norm(x), expected)
    assert norm(x).is_contiguous()
    torch.testing.assert_close(BatchNorm(5, relu=True)(x), expected.relu())


def test_input_norm_is_joint_major() -> None:
    norm = InputNorm(4, 3).eval()
    with torch.no_grad():
        norm.bias.copy_(torch.arange(12))
    y = norm(torch.zeros(2, 6, 4, 3))
    torch.testing.assert_close(y[1, 2], torch.arange(12.0).reshape(4, 3))


def test_streams_lie_side_by_side() -> None:
    batch = Batch({"position": torch.randn(2, 6, 4, 3), "orientation": torch.randn(2, 6, 4, 4)})
    x = stack_streams(batch, ("orientation", "position"), 4)
    assert torch.equal(x[..., :4], batch.x["orientation"])
    assert torch.equal(x[..., 4:], batch.x["position"])
    assert stream_channels(("orientation", "position")) == 7
    assert stack_streams(batch, ("position",), 4) is batch.x["position"]


def test_wrong_number_of_joints_is_a_clear_error() -> None:
    batch = Batch({"position": torch.randn(2, 6, 4, 3)})
    with pytest.raises(DataError, match=r"\(4, 3\).*\(5, 3\)"):
        stack_streams(batch, ("position",), 5)


def test_stream_names() -> None:
    assert stream_names("bone") == ("bone",)
    assert stream_names(["bone", "position"]) == ("bone", "position")
    with pytest.raises(ConfigError, match="position"):
        stream_names(["positoin"])
    with pytest.raises(ConfigError, match="twice"):
        stream_names(["bone", "bone"])
    with pytest.raises(ConfigError, match="at least one"):
        stream_names([])


def test_head_gives_one_number_a_row() -> None:
    assert MSEHead.of(8)(torch.randn(5, 8)).score.shape == (5,)
    head = MSEHead.of(8, [16, 4], dropout=0.1)
    widths = [tuple(m.weight.shape) for m in head.modules() if isinstance(m, nn.Linear)]
    assert widths == [(16, 8), (4, 16), (1, 4)]

import pytest
import torch

from zoo.nn.masking import frame_mean, mean_pool
from zoo.nn.sequence import resample_frames


@pytest.fixture
def padded() -> tuple[torch.Tensor, torch.Tensor]:
    """Two sequences of 7 and 4 frames; what pads them is NaN."""
    x = torch.randn(2, 7, 5, 3, generator=torch.Generator().manual_seed(0))
    x[1, 4:] = torch.nan
    return x, torch.arange(7) < torch.tensor([[7], [4]])


def test_padding_counts_in_nothing(padded) -> None:
    x, mask = padded
    for measure in (
        frame_mean,
        mean_pool,
        lambda x, mask: mean_pool(x.flatten(2), mask),
        lambda x, mask: resample_frames(x, mask, 6),
    ):
        together = measure(x, mask)
        torch.testing.assert_close(together[:1], measure(x[:1], None))
        torch.testing.assert_close(together[1:], measure(x[1:, :4], None))


def test_mean() -> None:
    x = torch.tensor([1.0, 2.0, 6.0, 9.0]).reshape(1, 4, 1)
    assert frame_mean(x[..., None], None).item() == 4.5


def test_resampling_is_linear_from_the_first_to_the_last_frame() -> None:
    x = torch.tensor([0.0, 10.0, 40.0]).reshape(1, 3, 1, 1)
    assert resample_frames(x, None, 5).flatten().tolist() == [0, 5, 10, 25, 40]
    assert resample_frames(x[:, :1], None, 3).flatten().tolist() == [0, 0, 0]
    assert resample_frames(x, None, 1).flatten().tolist() == [0]

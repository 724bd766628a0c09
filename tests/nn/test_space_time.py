import torch
from torch import Tensor, nn
from zoo.nn.space_time import SpaceTimeBlock


class Linear(nn.Module):
    """A spatial layer that remembers the mask it was given."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.map = nn.Linear(in_channels, out_channels)
        self.mask: Tensor | None = None

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        self.mask = mask
        y: Tensor = self.map(x)
        return y


def test_block_is_its_formula() -> None:
    torch.manual_seed(0)
    block = SpaceTimeBlock(Linear(3, 8), 3, 8, stride=2).eval()
    x = torch.randn(2, 9, 5, 3)
    y, mask = block(x)
    assert mask is None
    expected = torch.relu(block.temporal(block.spatial(x)) + block.residual(x))
    torch.testing.assert_close(y, expected)
    assert y.shape == (2, 5, 5, 8)


def test_without_a_residual() -> None:
    block = SpaceTimeBlock(Linear(4, 4), 4, 4, residual=False).eval()
    x = torch.randn(2, 9, 5, 4)
    torch.testing.assert_close(block(x)[0], torch.relu(block.temporal(block.spatial(x))))


def test_another_relu_after_the_branches() -> None:
    torch.manual_seed(0)
    block = SpaceTimeBlock(Linear(4, 4), 4, 4, relu=True).eval()
    x = torch.randn(2, 9, 5, 4)
    branches = torch.relu(block.temporal(block.spatial(x)))
    torch.testing.assert_close(block(x)[0], torch.relu(branches + x))


def test_padding_changes_no_real_frame() -> None:
    torch.manual_seed(0)
    block = SpaceTimeBlock(Linear(4, 4), 4, 4, stride=2).eval()
    x = torch.randn(2, 9, 5, 4)
    mask = torch.arange(9) < torch.tensor([[9], [5]])
    y, strided = block(x, mask)
    assert block.spatial.mask is mask
    assert strided.tolist() == mask[:, ::2].tolist()
    torch.testing.assert_close(y[1:, :3], block(x[1:, :5])[0])

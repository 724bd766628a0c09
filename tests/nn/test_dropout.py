import pytest
import torch

from zoo.nn.dropout import Dropout


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.9])
def test_drops_the_right_share_and_keeps_the_mean(p: float) -> None:
    torch.manual_seed(0)
    x = torch.ones(1_000_003)
    y = Dropout(p)(x)
    dropped = (y == 0).float().mean().item()
    assert dropped == pytest.approx(p, abs=5 * (p * (1 - p) / len(x)) ** 0.5)
    kept = y[y != 0]
    assert kept.unique().numel() == 1
    assert kept[0].item() == pytest.approx(1 / (1 - p), rel=1e-3)


def test_elements_are_dropped_independently() -> None:
    torch.manual_seed(0)
    keep = (Dropout(0.5)(torch.ones(1 << 18)) != 0).double() * 2 - 1
    for lag in (1, 2, 3, 4, 5, 8, 64):
        correlation = (keep[:-lag] * keep[lag:]).mean().item()
        assert abs(correlation) < 5 / len(keep) ** 0.5


def test_gradient_goes_where_the_values_went() -> None:
    x = torch.randn(3, 4, 5, dtype=torch.float64, requires_grad=True)
    y = Dropout(0.3)(x)
    (grad,) = torch.autograd.grad(y.sum(), x)
    torch.testing.assert_close(grad * x, y)


def test_seed_decides() -> None:
    x = torch.randn(100)
    results = []
    for _ in range(2):
        torch.manual_seed(5)
        results.append(Dropout(0.5)(x))
    assert torch.equal(*results)
    assert not torch.equal(results[0], Dropout(0.5)(x))


def test_nothing_happens_outside_training_or_without_probability() -> None:
    x = torch.randn(10)
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x
    assert (Dropout(1.0)(x) == 0).all()
    assert Dropout(0.5)(torch.empty(0)).numel() == 0


def test_input_is_left_as_it_was() -> None:
    x = torch.randn(4, 6).t()
    before = x.clone()
    y = Dropout(0.5)(x)
    assert torch.equal(x, before)
    kept = y != 0
    torch.testing.assert_close(y[kept], 2 * x[kept])


def test_low_precision() -> None:
    y = Dropout(0.5)(torch.ones(1000, dtype=torch.bfloat16))
    assert y.dtype == torch.bfloat16
    assert set(y.unique().tolist()) == {0.0, 2.0}

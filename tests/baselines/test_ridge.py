import numpy as np
import pytest
import torch
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from baselines.ridge import Ridge
from zoo.errors import ConfigError, TrainingError

ALPHAS = [0.1, 1.0, 10.0, 100.0, 1000.0]


@pytest.mark.parametrize("size", [(40, 7), (30, 200)], ids=["tall", "wide"])
def test_is_scikit_learns_with_its_choice_of_alpha(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    x = 3 * torch.randn(size) + 5
    x[:, 2] = 1.5
    y = x[:, 0] - x[:, 1] + 4 * torch.randn(size[0])
    new = 3 * torch.randn(20, size[1]) + 5
    model = Ridge(ALPHAS)
    model.fit(x, y)
    reference = make_pipeline(StandardScaler(), RidgeCV(ALPHAS)).fit(
        x.double().numpy(), y.double().numpy()
    )
    assert model.alpha == pytest.approx(reference[-1].alpha_)
    np.testing.assert_allclose(
        model(new), reference.predict(new.double().numpy()), rtol=1e-4, atol=1e-4
    )


def test_samples_that_say_nothing_get_the_mean() -> None:
    model = Ridge(1.0)
    model.fit(torch.ones(4, 3), torch.tensor([1.0, 2.0, 3.0, 6.0]))
    assert model(torch.ones(2, 3)).tolist() == [3.0, 3.0]


@pytest.mark.parametrize("alphas", [[], 0.0, [1.0, -1.0]])
def test_impossible_alphas(alphas) -> None:
    with pytest.raises(ConfigError, match="alphas"):
        Ridge(alphas)


def test_unfitted() -> None:
    with pytest.raises(TrainingError, match="fit first"):
        Ridge(1.0)(torch.zeros(2, 3))

import numpy as np
import pytest
import torch
from sklearn.ensemble import ExtraTreesRegressor, GradientBoostingRegressor

from baselines.regressors import BoostedTrees, ExtraTrees


@pytest.fixture
def data() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(80, 12, generator=generator)
    y = x[:, 0] - 2 * x[:, 1].abs() + 0.1 * torch.randn(80, generator=generator)
    return x, y, torch.randn(50, 12, generator=generator)


def expected(estimator, data) -> np.ndarray:
    x, y, new = (part.numpy() for part in data)
    return estimator.fit(x, y.astype(np.float64)).predict(new)


def seed() -> int:
    """The number that a fit draws after ``torch.manual_seed(3)``."""
    torch.manual_seed(3)
    drawn = int(torch.randint(2**31 - 1, ()))
    torch.manual_seed(3)
    return drawn


def test_extra_trees_are_those_of_scikit_learn(data) -> None:
    reference = ExtraTreesRegressor(
        30, min_samples_leaf=2, max_features=0.3, random_state=seed(), n_jobs=1
    )
    model = ExtraTrees(trees=30)
    model.fit(data[0], data[1])
    np.testing.assert_allclose(model(data[2]), expected(reference, data), rtol=1e-5, atol=1e-6)


def test_boosted_trees_are_those_of_scikit_learn(data) -> None:
    reference = GradientBoostingRegressor(
        n_estimators=40,
        max_depth=2,
        learning_rate=0.05,
        subsample=0.5,
        max_features=0.1,
        random_state=seed(),
    )
    model = BoostedTrees(trees=40)
    model.fit(data[0], data[1])
    np.testing.assert_allclose(model(data[2]), expected(reference, data), rtol=1e-5, atol=1e-6)


def test_another_seed_gives_other_trees(data) -> None:
    model = ExtraTrees(trees=5)
    scores = []
    for number in (3, 3, 4):
        torch.manual_seed(number)
        model.fit(data[0], data[1])
        scores.append(model(data[2]))
    assert torch.equal(scores[0], scores[1])
    assert not torch.equal(scores[0], scores[2])


def test_equal_scores_grow_single_leaves() -> None:
    model = ExtraTrees(trees=3)
    model.fit(torch.randn(6, 4), torch.full((6,), 2.0))
    assert model(torch.randn(2, 4)).tolist() == [2.0, 2.0]

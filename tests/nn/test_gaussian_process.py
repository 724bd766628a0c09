"""Gaussian-process regression against scikit-learn's."""

import pytest
import torch
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel

from zoo.errors import TrainingError
from zoo.nn.gaussian_process import GaussianProcess

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]

KERNELS = [(0.5, 1.0, 0.5, 0.5), (2.0, 0.4, 1e-4, 1e-3), (1e-4, 3.0, 1.7, 0.02)]


def samples(count=40, seed=0):
    """Features of several scales, and scores of a curve through them."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 6, generator=generator)
    noise = 0.3 * torch.randn(count, generator=generator)
    y = 7 + 2 * torch.sin(2 * x[:, 0]) + x[:, 1] + noise
    return x * torch.tensor([3, 2, 1, 0.5, 0.3, 0.01]) + 5, y


def reference(process, optimizer=None):
    """scikit-learn's regressor with the same kernel, for features in its units."""
    a, length, b, noise = process.kernel.tolist()
    kernel = (
        ConstantKernel(a) * RBF(length)
        + ConstantKernel(b) * DotProduct(0.0, "fixed")
        + WhiteKernel(noise)
    )
    return GaussianProcessRegressor(kernel, alpha=0.0, optimizer=optimizer)


def standardised(process, x, y):
    z = ((x.double() - process.mean) / process.scale).numpy()
    return z, ((y.double() - process.offset) / process.spread).numpy()


@pytest.mark.parametrize("kernel", KERNELS)
def test_it_is_scikit_learns(kernel):
    x, y = samples()
    new, _ = samples(30, seed=1)
    process = GaussianProcess()
    process.kernel = torch.tensor(kernel, dtype=torch.float64)
    process.condition(x, y)
    known, scores = standardised(process, x, y)
    expected = reference(process).fit(known, scores)
    mean, deviation = expected.predict(standardised(process, new, y[:1])[0], return_std=True)
    said = process(new)
    spread, offset = float(process.spread), float(process.offset)
    score = torch.tensor(mean * spread + offset, dtype=torch.float32)
    torch.testing.assert_close(said.score, score, atol=1e-4, rtol=1e-5)
    found = (said.log_variance / 2).exp()
    torch.testing.assert_close(found, torch.tensor(deviation * spread).float(), atol=1e-4, rtol=0)
    likelihood = expected.log_marginal_likelihood_value_
    assert process.log_likelihood(x, y) == pytest.approx(likelihood, abs=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_no_search_of_scikit_learns_finds_a_likelier_kernel(seed):
    x, y = samples(seed=seed)
    process = GaussianProcess()
    process.fit(x, y)
    known, scores = standardised(process, x, y)
    start = reference(process, "fmin_l_bfgs_b")
    best = max(
        start.set_params(n_restarts_optimizer=tries, random_state=0)
        .fit(known, scores)
        .log_marginal_likelihood_value_
        for tries in (0, 3)
    )
    assert process.log_likelihood(x, y) > best - 0.05


def test_the_variance_is_what_scores_are_off_by():
    """Scores drawn from such a process: of new ones 68 % lie within a deviation."""
    inside = []
    for seed in range(12):
        generator = torch.Generator().manual_seed(seed)
        x = torch.randn(160, 4, generator=generator, dtype=torch.float64)
        away = torch.cdist(x, x).square() / (2 * 4)
        covariance = torch.exp(-away) + 0.5 * x @ x.T / 4 + 0.2 * torch.eye(160)
        drawn = torch.randn(160, generator=generator, dtype=torch.float64)
        y = 3 + torch.linalg.cholesky(covariance) @ drawn
        process = GaussianProcess()
        process.fit(x[:80], y[:80])
        said = process(x[80:])
        inside.append((said.score - y[80:]).abs() < (said.log_variance / 2).exp())
    assert float(torch.cat(inside).float().mean()) == pytest.approx(0.683, abs=0.05)


def test_far_from_all_samples_it_knows_little():
    x, y = samples()
    process = GaussianProcess()
    process.fit(x, y)
    near, far = process(x[:1]), process(x[:1] + 1e4)
    assert float(far.log_variance) > float(near.log_variance) + 1


def test_the_same_samples_give_the_same_process():
    x, y = samples()
    one, again = GaussianProcess(), GaussianProcess()
    one.fit(x, y)
    again.fit(*samples(25, seed=3))
    again.fit(x, y)
    for name, value in one.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])


def test_units_make_no_difference():
    x, y = samples()
    one, other = GaussianProcess(), GaussianProcess()
    one.fit(x, y)
    other.fit(7 * x.double() - 3, 10 * y.double() + 20)
    torch.testing.assert_close(other.kernel, one.kernel, rtol=1e-3, atol=1e-4)
    new, _ = samples(9, seed=2)
    theirs, ours = other(7 * new.double() - 3), one(new.double())
    torch.testing.assert_close((theirs.score - 20) / 10, ours.score, rtol=1e-3, atol=1e-3)


def test_a_feature_that_hardly_varied_does_not_become_a_large_one():
    """As a unit of a network that fires for the first time."""
    x, y = samples()
    faint = torch.cat([x, 1e-3 * torch.randn(40, 1, generator=torch.manual_seed(0))], dim=1)
    process = GaussianProcess()
    process.fit(faint, y)
    louder = torch.cat([x[:5], torch.full((5, 1), 0.3)], dim=1)
    torch.testing.assert_close(process(louder).score, process(faint[:5]).score, atol=0.2, rtol=0)


def test_equal_scores_and_constant_features_are_no_fault():
    x, _ = samples()
    process = GaussianProcess()
    process.fit(torch.cat([x, torch.full((40, 1), 3.0)], dim=1), torch.full((40,), 2.0))
    said = process(torch.ones(3, 7))
    assert torch.isfinite(said.log_variance).all()
    torch.testing.assert_close(said.score, torch.full((3,), 2.0))


def test_it_wants_to_be_fitted():
    with pytest.raises(TrainingError, match="call fit first"):
        GaussianProcess()(torch.ones(2, 6))

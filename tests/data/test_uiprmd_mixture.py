import numpy as np
import pytest

from zoo.data.adapters.uiprmd import likelihood
from zoo.data.adapters.uiprmd.likelihood import Mixture


def path(seed: int, people: int = 12, frames: int = 40) -> np.ndarray:
    """Points of a curve in time, with noise: (N, 3)."""
    rng = np.random.default_rng(seed)
    time = np.tile(np.arange(1.0, frames + 1), people)
    curve = np.stack([np.sin(time / 9), np.cos(time / 6)], axis=1)
    return np.concatenate([time[:, None], curve + rng.normal(0, 0.05, curve.shape)], axis=1)


def test_it_is_what_scikit_learn_fits_from_the_same_start() -> None:
    library = pytest.importorskip("sklearn.mixture")
    points = path(0)
    ours = Mixture.fit(points, 4)
    spans = np.digitize(points[:, 0], np.linspace(1, 40, 5)[1:-1])
    parts = [points[spans == k] for k in range(4)]
    added = likelihood.ADDED_VARIANCE * np.eye(3)
    theirs = library.GaussianMixture(
        4,
        tol=1e-9,
        reg_covar=likelihood.ADDED_VARIANCE,
        max_iter=2000,
        weights_init=[len(part) / len(points) for part in parts],
        means_init=[part.mean(axis=0) for part in parts],
        precisions_init=[np.linalg.inv(np.cov(part.T, bias=True) + added) for part in parts],
    ).fit(points)
    np.testing.assert_allclose(ours.means, theirs.means_, atol=0.05)
    other = path(1)
    np.testing.assert_allclose(ours.log_density(other), theirs.score_samples(other), atol=0.02)


def test_one_component_is_the_normal_distribution() -> None:
    from scipy.stats import multivariate_normal

    points = path(2)
    covariance = np.cov(points.T, bias=True) + likelihood.ADDED_VARIANCE * np.eye(3)
    expected = multivariate_normal(points.mean(axis=0), covariance).logpdf(points)
    np.testing.assert_allclose(Mixture.fit(points, 1).log_density(points), expected)


def test_a_point_out_of_the_world_has_the_smallest_density() -> None:
    density = Mixture.fit(path(3), 4).log_density(np.array([[1e6, 1e6, 1e6]]))
    assert density == pytest.approx(np.log(np.finfo(float).tiny))

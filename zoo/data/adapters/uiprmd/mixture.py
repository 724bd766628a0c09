"""A Gaussian mixture over time, as robots learn gestures from demonstrations."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ADDED_VARIANCE = 1e-5
"""Added to every variance after each step, so that no component collapses."""
TOLERANCE = 1e-7
"""Fitting ends when the mean log-likelihood changes by less than this share of itself.

The published fit stops at 1e-10, after up to seven times as many steps; the scores move by less
than the fourth decimal.
"""
MAX_STEPS = 500

_LOG_TINY = float(np.log(np.finfo(np.float64).tiny))


@dataclass(frozen=True, eq=False)
class Mixture:
    """K Gaussians in D dimensions.

    Attributes:
        weights: (K,), sum 1.
        means: (K, D).
        covariances: (K, D, D).
    """

    weights: Floats
    means: Floats
    covariances: Floats

    @classmethod
    def fit(cls, points: Floats, components: int) -> "Mixture":
        """Expectation and maximisation from equal spans of time.

        Nothing is drawn at random: component k starts as mean and covariance of the points in
        the k-th of equal spans of the first dimension, which is time (Calinon, Billard: Incremental
        Learning of Gestures by Imitation in a Humanoid Robot, HRI 2007).

        Args:
            points: (N, D); the first dimension is time.
            components: K.
        """
        time = points[:, 0]
        bounds = np.linspace(time.min(), time.max(), components + 1)[1:-1]
        share = np.eye(components)[np.searchsorted(bounds, time, side="right")]
        mixture = cls._from_shares(points, share)
        before = -np.inf
        for _ in range(MAX_STEPS):
            joint = mixture._log_joint(points)
            density = _log_sum(joint)
            likelihood = float(density.mean())
            if abs(likelihood - before) < TOLERANCE * abs(before):
                break
            before = likelihood
            mixture = cls._from_shares(points, np.exp(joint - density[:, None]))
        return mixture

    def log_density(self, points: Floats) -> Floats:
        """Log density at points (N, D) → (N,), not below that of the smallest normal number."""
        return np.maximum(_log_sum(self._log_joint(points)), _LOG_TINY)

    @classmethod
    def _from_shares(cls, points: Floats, shares: Floats) -> "Mixture":
        counts = shares.sum(axis=0)
        means = shares.T @ points / counts[:, None]
        covariances = np.empty((len(counts), points.shape[1], points.shape[1]))
        for k, (mean, count) in enumerate(zip(means, counts, strict=True)):
            away = points - mean
            covariances[k] = (away * shares[:, k : k + 1]).T @ away / count
        covariances += ADDED_VARIANCE * np.eye(points.shape[1])
        return cls(counts / len(points), means, covariances)

    def _log_joint(self, points: Floats) -> Floats:
        """Log of weight times density of every component, (N, K)."""
        result = np.empty((len(points), len(self.weights)))
        for k, covariance in enumerate(self.covariances):
            root = np.linalg.cholesky(covariance)
            scaled = np.linalg.solve(root, (points - self.means[k]).T)
            log_volume = np.log(np.diag(root)).sum() + len(root) / 2 * np.log(2 * np.pi)
            result[:, k] = np.log(self.weights[k]) - log_volume - (scaled**2).sum(axis=0) / 2
        return result


def _log_sum(joint: Floats) -> Floats:
    """Log of the sum of exponentials along the last axis; faster than a reduction by logaddexp."""
    highest = joint.max(axis=1)
    total: Floats = highest + np.log(np.exp(joint - highest[:, None]).sum(axis=1))
    return total

"""The quality score of UI-PRMD: how likely a motion is among right ones.

Liao, Vakanski, Xian: A Deep Learning Framework for Assessing Physical Rehabilitation Exercises.
IEEE TNSRE 28(2):468-477, 2020, doi 10.1109/TNSRE.2020.2966249. Angles are brought to one length,
centred, reduced to a few numbers a frame; a Gaussian mixture of right repetitions over time gives
the log-likelihood, and a logistic function the score. docs/data.md says what is different here,
why, and how the scores agree with the published ones.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo.data.adapters.uiprmd.tree import Repetition
from zoo.data.resample import resample

Floats = NDArray[np.float64]

PRINCIPAL_COMPONENTS = 6
"""Numbers a frame is reduced to. The published autoencoder has four, of a curved space."""
GAUSSIANS = 6
ALPHA_RIGHT = 3.2
ALPHA_WRONG = 10.0
MIN_RIGHT = 2
"""Right repetitions without which there is nothing to compare with."""

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
    """K Gaussians in D dimensions, as robots learn gestures from demonstrations.

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


@dataclass(frozen=True, eq=False)
class Reference:
    """What right repetitions of a movement look like.

    Attributes:
        scale: degrees that count as 1.
        axes: principal axes of the right repetitions (D, P).
        mixture: of time, in frames from 1, and the P coordinates.
    """

    scale: float
    axes: Floats
    mixture: Mixture

    @classmethod
    def fit(cls, right: Floats) -> "Reference":
        """From right repetitions (S, L, D), centred, in degrees."""
        scale = float(np.ceil(np.abs(right).max()))
        frames = right.reshape(-1, right.shape[2]) / scale
        axes = np.linalg.eigh(np.cov(frames.T))[1][:, ::-1][:, :PRINCIPAL_COMPONENTS]
        points = _timed(right / scale @ axes)
        return cls(scale, axes, Mixture.fit(points, GAUSSIANS))

    def unlikeliness(self, motions: Floats) -> Floats:
        """Mean negative log-likelihood of a frame, of motions (S, L, D) → (S,)."""
        points = _timed(motions / self.scale @ self.axes)
        return -self.mixture.log_density(points).reshape(len(motions), -1).mean(axis=1)


def quality_scores(
    angles: Mapping[Repetition, Floats], leave_out: bool = False
) -> dict[Repetition, float]:
    """Scores of repetitions of one movement, 0 to 1; the same input gives the same scores.

    Args:
        angles: (T, V, 3) degrees of each repetition, right and wrong, without gaps or jumps.
        leave_out: compare every person with the right repetitions of the others only.

    Returns:
        A score for every repetition; none at all where there are too few right ones.
    """
    keys = sorted(angles)
    right = np.array([key.correct for key in keys], dtype=bool)
    people = np.array([key.subject for key in keys])
    if np.count_nonzero(right) < MIN_RIGHT or (leave_out and len(set(people[right])) < 2):
        return {}
    length = math.ceil(np.mean([len(angles[key]) for key in keys if key.correct]))
    motions = np.stack([_aligned(angles[key], length) for key in keys])
    values = np.empty(len(keys))
    for person in sorted(set(people)) if leave_out else [None]:
        theirs = people == person if leave_out else np.ones(len(keys), dtype=bool)
        known = right & ~theirs if leave_out else right
        values[theirs] = Reference.fit(motions[known]).unlikeliness(motions[theirs])
    return _scores(dict(zip(keys, values.tolist(), strict=True)))


def _scores(unlikeliness: Mapping[Repetition, float]) -> dict[Repetition, float]:
    """The published scoring functions, counted from the likeliest right repetition.

    A density has a unit, so its logarithm has no zero of its own: with another scale of the
    reduced numbers every value moves by the same amount, and the scores with it. In the published
    scores of m01, from which the likelihoods can be computed back, the likeliest right repetition
    lies at -0.002 of the unit below; here it is 0 for every movement.
    """
    right = np.array([value for key, value in unlikeliness.items() if key.correct])
    zero = right.min()
    unit = (right - zero).mean() + 3 * right.std(ddof=1)
    if unit == 0:
        return dict.fromkeys(unlikeliness, 1 / (1 + math.exp(-ALPHA_RIGHT)))
    relative = {key: (value - zero) / unit for key, value in unlikeliness.items()}
    usual = float((right.mean() - zero) / unit)
    scores = {}
    for key, value in relative.items():
        # A wrong repetition is scored from the right one of the same person and number.
        twin = Repetition(key.movement, key.subject, key.episode, True)
        base = value if key.correct else relative.get(twin, usual)
        odds = math.exp(base - ALPHA_RIGHT) + (value - base) / ALPHA_WRONG
        scores[key] = 1 / (1 + max(odds, 0.0))
    return scores


def _aligned(angles: Floats, length: int) -> Floats:
    """Angles (T, V, 3) as (L, 3 V) around the mean of the repetition."""
    motion = resample(angles.reshape(len(angles), -1), length)
    return motion - motion.mean(axis=0)


def _timed(reduced: Floats) -> Floats:
    """(S, L, P) as points (S L, 1 + P), the time of the frame first."""
    count, length, _ = reduced.shape
    time = np.tile(np.arange(1.0, length + 1), count)[:, None]
    return np.concatenate([time, reduced.reshape(count * length, -1)], axis=1)


def _log_sum(joint: Floats) -> Floats:
    """Log of the sum of exponentials along the last axis; faster than a reduction by logaddexp."""
    highest = joint.max(axis=1)
    total: Floats = highest + np.log(np.exp(joint - highest[:, None]).sum(axis=1))
    return total

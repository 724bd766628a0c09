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

from zoo.data.adapters.uiprmd.mixture import Mixture
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

"""Minimum-jerk movements between postures, along one time line."""

from collections.abc import Mapping

import numpy as np

from zoo.data.rotation import Array


def minimum_jerk(fraction: Array) -> Array:
    """Share of the way covered at a share of the time, both 0–1.

    s(τ) = 10 τ³ − 15 τ⁴ + 6 τ⁵, the movement from rest to rest whose integrated squared jerk is
    least (Flash & Hogan, The coordination of arm movements, J. Neurosci. 1985).
    """
    return fraction**3 * (10 + fraction * (-15 + 6 * fraction))


class Timeline:
    """Postures and the times at which a person has reached them.

    Args:
        posture: value of every channel at time 0.
    """

    def __init__(self, posture: Mapping[str, float]) -> None:
        self._times = [0.0]
        self._postures = [dict(posture)]

    @property
    def now(self) -> float:
        """Time reached so far, seconds."""
        return self._times[-1]

    @property
    def posture(self) -> Mapping[str, float]:
        """The posture reached so far."""
        return self._postures[-1]

    def move(self, seconds: float, **targets: float) -> None:
        """Moves the named channels to their targets, from rest to rest; without any, waits.

        Raises:
            KeyError: a channel that the first posture does not have.
        """
        unknown = targets.keys() - self._postures[0].keys()
        if unknown:
            raise KeyError(f"no such channel: {', '.join(sorted(unknown))}")
        if seconds > 0:
            self._times.append(self.now + seconds)
            self._postures.append({**self._postures[-1], **targets})

    def sample(self, fps: float) -> dict[str, Array]:
        """Every channel at frames 0, 1/fps, … until the last posture, each (T,)."""
        keys = np.array(self._times)
        frames = np.arange(int(keys[-1] * fps) + 1) / fps
        begin = np.clip(np.searchsorted(keys, frames, side="right") - 1, 0, len(keys) - 2)
        passed = (frames - keys[begin]) / (keys[begin + 1] - keys[begin])
        share = minimum_jerk(np.clip(passed, 0.0, 1.0))[:, None]
        names = list(self._postures[0])
        values = np.array([[posture[name] for name in names] for posture in self._postures])
        path = values[begin] + (values[begin + 1] - values[begin]) * share
        return dict(zip(names, path.T.copy(), strict=True))


def wander(rng: np.random.Generator, frames: int, step: float, shape: tuple[int, ...]) -> Array:
    """Smooth unit-variance noise (frames, *shape): a new independent value every `step` frames.

    Between the values it runs along minimum-jerk arcs; the weights are normalised so that the
    variance stays 1 on the way.
    """
    knots = rng.standard_normal((int(frames / step) + 3, *shape))
    place = np.arange(frames) / step + rng.random()
    begin = place.astype(np.int64)
    share = minimum_jerk(place - begin)
    share = (share / np.sqrt(share**2 + (1 - share) ** 2)).reshape(-1, *[1] * len(shape))
    rest = np.sqrt(1 - share**2)
    return knots[begin] * rest + knots[begin + 1] * share

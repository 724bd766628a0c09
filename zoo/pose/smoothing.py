"""Smoothing in time as MediaPipe Pose does it: slow movements strongly, fast ones little."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass
class OneEuro:
    """The one-euro filter: a low pass whose cut-off rises with speed.

    α = 1 / (1 + f / (2π c)), c = min_cutoff + beta · |v|, v the smoothed speed, f the frame rate.
    Casiez, Roussel, Vogel: 1 € Filter. CHI 2012, 2527–2530.

    Attributes:
        min_cutoff: cut-off at rest, hertz.
        beta: how it rises with speed.
        speed_cutoff: cut-off of the speed itself, hertz.
    """

    min_cutoff: float
    beta: float
    speed_cutoff: float = 1.0
    _raw: Array | None = None
    _value: Array | None = None
    _speed: Array | float = 0.0
    _time: float = 0.0

    def __call__(self, value: Array, seconds: float, scale: float = 1.0) -> Array:
        """The smoothed value.

        Args:
            value: of any shape, the same in every frame.
            seconds: time of the frame; one that is not later changes nothing.
            scale: values are multiplied by it to tell speeds.
        """
        if self._value is None or self._raw is None:
            self._raw, self._value, self._time = value, value, seconds
            return value
        step = seconds - self._time
        if step <= 0:
            return self._value
        speed = (value - self._raw) * scale / step
        share = _share(self.speed_cutoff, step)
        self._speed = share * speed + (1 - share) * self._speed
        share = _share(self.min_cutoff + self.beta * np.abs(self._speed), step)
        self._value = share * value + (1 - share) * self._value
        self._raw, self._time = value, seconds
        return self._value


@dataclass
class LowPass:
    """An exponential mean: so much of the new value, the rest of the old."""

    share: float
    _value: Array | None = None

    def __call__(self, value: Array) -> Array:
        """The smoothed value."""
        old = value if self._value is None else self._value
        self._value = self.share * value + (1 - self.share) * old
        return self._value


def _share(cutoff: Array | float, step: float) -> Array | float:
    return 1 / (1 + 1 / (2 * math.pi * cutoff * step))

import numpy as np
import pytest

from zoo.pose.smoothing import LowPass, OneEuro

FPS = 30


def smoothed(values: np.ndarray, filter_: OneEuro) -> np.ndarray:
    return np.array([filter_(np.array([v]), i / FPS)[0] for i, v in enumerate(values)])


def test_what_stands_still_stays() -> None:
    assert (smoothed(np.full(20, 0.7), OneEuro(0.1, 40.0)) == 0.7).all()


def test_noise_about_a_place_is_damped() -> None:
    noise = np.random.default_rng(0).normal(0, 0.001, 300)
    assert smoothed(noise, OneEuro(0.1, 40.0))[50:].std() < 0.5 * noise[50:].std()


def test_fast_movements_lag_less_than_slow_ones() -> None:
    """Of a movement at constant speed, how many frames it is behind."""
    lags = []
    for speed in (0.02, 2.0):
        line = np.arange(200) * speed / FPS
        lags.append((line - smoothed(line, OneEuro(0.1, 40.0)))[-1] / (speed / FPS))
    slow, fast = lags
    assert fast < 0.2 < 1 < slow


def test_by_hand() -> None:
    """Second value of a jump by one, from the formula of the paper."""
    found = smoothed(np.array([0.0, 1.0]), OneEuro(1.0, 2.0))[1]
    rate = 2 * np.pi / FPS
    speed = FPS * rate / (1 + rate)
    cutoff = 1 + 2 * speed
    assert found == pytest.approx(rate * cutoff / (1 + rate * cutoff))


def test_a_frame_that_is_not_later_changes_nothing() -> None:
    filter_ = OneEuro(0.1, 40.0)
    filter_(np.array([0.0]), 1.0)
    assert filter_(np.array([5.0]), 1.0) == [0.0]


def test_the_low_pass_is_a_mean_that_forgets() -> None:
    filter_ = LowPass(0.25)
    assert [filter_(np.array([v]))[0] for v in (0.0, 1.0, 1.0)] == [0.0, 0.25, 0.4375]

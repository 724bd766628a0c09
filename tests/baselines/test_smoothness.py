import numpy as np
import pytest

from baselines.motion_measures import log_dimensionless_jerk, spectral_arc_length

TIME = np.arange(-1, 1, 0.01)
REACH = np.exp(-5 * TIME**2)[:, None]
"""The example of the released code of Balasubramanian et al. 2015, at 100 frames a second."""


def test_published_example() -> None:
    assert spectral_arc_length(REACH, 100.0) == pytest.approx([-1.41403], abs=5e-6)
    assert log_dimensionless_jerk(REACH, 100.0) == pytest.approx([-5.81636], abs=5e-6)


@pytest.mark.parametrize("measure", [spectral_arc_length, log_dimensionless_jerk])
def test_neither_size_nor_tempo_matters(measure) -> None:
    usual = measure(REACH, 100.0)
    assert measure(7 * REACH, 100.0) == pytest.approx(usual)
    slowly = np.exp(-5 * np.arange(-1, 1, 0.005) ** 2)[:, None]
    assert measure(slowly, 100.0) == pytest.approx(usual, rel=0.02)


@pytest.mark.parametrize("measure", [spectral_arc_length, log_dimensionless_jerk])
def test_a_tremor_is_less_smooth(measure) -> None:
    tremor = REACH * (1 + 0.2 * np.sin(2 * np.pi * 6 * TIME))[:, None]
    assert measure(tremor, 100.0) < measure(REACH, 100.0) - 0.1


@pytest.mark.parametrize("measure", [spectral_arc_length, log_dimensionless_jerk])
def test_profiles_are_measured_apart_and_rest_is_undefined(measure) -> None:
    three = np.concatenate([REACH, np.zeros_like(REACH), REACH[::-1]], axis=1)
    found = measure(three, 100.0)
    assert found[0] == pytest.approx(measure(REACH, 100.0)[0])
    assert np.isnan(found[1])
    assert found[2] == pytest.approx(found[0], rel=0.02)

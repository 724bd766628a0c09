"""`zoo.explain.methods`: the sum over time is the standard deviation."""

import numpy as np

from zoo.explain.methods import range_of_motion


def test_sums_to_the_standard_deviation(linear) -> None:
    sample, _ = linear
    sample.motion[:, 3] = sample.motion[0, 3]
    found = range_of_motion(sample)
    spread = np.sqrt(sample.motion.numpy().var(axis=0).sum(axis=-1))
    np.testing.assert_allclose(found.by_joint(), spread, rtol=1e-5, atol=1e-6)
    assert (found.joint_time[:, 3] == 0).all()
    assert found.unit == "m"

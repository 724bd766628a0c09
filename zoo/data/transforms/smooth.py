"""Smoothing over time."""

from scipy.ndimage import gaussian_filter1d

from registry import register_transform
from zoo.data.transforms.motion import Motion, normalized
from zoo.errors import ConfigError


@register_transform("smooth")
def smooth(motion: Motion, sigma: float = 2.0) -> Motion:
    """Gaussian smoothing over time, edges held; quaternions are renormalised.

    Args:
        motion: the recording.
        sigma: standard deviation of the kernel, in frames.
    """
    if not sigma > 0:
        raise ConfigError(f"transform smooth: sigma is {sigma}, expected more than 0")
    smoothed = {}
    for name, values in motion.streams.items():
        flat = values.reshape(len(values), -1)
        mild = gaussian_filter1d(flat, sigma, axis=0, mode="nearest").reshape(values.shape)
        smoothed[name] = normalized(mild, values) if name == "orientation" else mild
    return motion.with_streams(**smoothed)

"""Whether what a fold holds can be motion and scores at all, looked at before training starts."""

import torch

from zoo.data.batch import STREAM_CHANNELS
from zoo.errors import DataError
from zoo.protocol.protocol import FoldData
from zoo.words import fixed

_TIMES = 1000.0
"""A value so many times the usual largest one of a sample is no measurement."""


def require_plausible(data: FoldData, score_range: tuple[float, float]) -> None:
    """That no sample is beyond any plausible size, and no score outside the scale.

    Args:
        data: the fold; all its parts are looked at.
        score_range: lowest and highest possible total score.

    Raises:
        DataError: the recording, what was found, and what to do.
    """
    samples, again = data.fed, "prepare the dataset again, which looks for such recordings"
    motion = {k: x for k, x in samples.streams.items() if k in STREAM_CHANNELS}  # not derived
    for name, x in motion.items():
        largest = x.abs().flatten(1).amax(1)
        usual = float(largest.nan_to_num(posinf=0.0).median())
        wild = ~(largest <= _TIMES * usual) if usual > 0 else ~largest.isfinite()
        if wild.any():
            i = int(torch.nonzero(wild)[0])
            raise DataError(
                f"recording {samples.recording[i]}: the stream {name} reaches "
                f"{float(largest[i]):.3g}, where {usual:.3g} is usual; {again}"
            )
    low, high = score_range
    outside = torch.nonzero((samples.target < low) | (samples.target > high))
    if len(outside):
        i = int(outside[0])
        raise DataError(
            f"recording {samples.recording[i]}: its total score is "
            f"{fixed(float(samples.target[i]))}, outside the scale {low:g} to {high:g} "
            f"({len(outside)} of {len(samples)} samples): scale the scores, or set the range they "
            "have (score_range)"
        )

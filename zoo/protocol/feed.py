"""How a model is fed under a protocol: what it sees of a recording, not what is tested."""

from dataclasses import dataclass

from zoo.data.segment import Sampling
from zoo.errors import ConfigError


@dataclass(frozen=True)
class Feed:
    """What a model sees of each recording, where it is not what the protocol makes of it.

    The split, what is tested and how it is scored stay the protocol's.

    Attributes:
        raw: samples as recorded: no transform, the sensor's own frames, not scaled.
        rate: frames a second that samples are brought to, each keeping its length in seconds, in
            place of the protocol's number of frames; None where they are not.
        sampling: where the model cuts recordings that the protocol takes whole; a recording's score
            is then brought together from those of its samples. None where it does not.
    """

    raw: bool = False
    rate: float | None = None
    sampling: Sampling | None = None


AS_THE_PROTOCOL = Feed()
"""What the protocol makes."""


def require_feed(feed: Feed, protocol: str, sampling: Sampling, *, closed_form: bool) -> None:
    """Nothing, if a model may be fed in this way.

    Args:
        feed: the way.
        protocol: name of the protocol.
        sampling: of the protocol.
        closed_form: whether the model is fitted once.

    Raises:
        ConfigError: it may not, with the reason.
    """
    given = [name for name in ("rate", "sampling") if getattr(feed, name) is not None]
    if given and closed_form:
        raise ConfigError(
            f"trainer.{given[0]} is set, but this model is fitted once, whatever is set for the "
            "trainer: it is for models that are trained by gradients"
        )
    if feed.sampling is not None and sampling.kind != "recording":
        raise ConfigError(
            f"trainer.sampling is {feed.sampling.kind}, but the protocol {protocol} cuts "
            f"recordings itself ({sampling.kind}), and scores what it cuts: a model chooses its "
            "own samples where whole recordings are tested"
        )

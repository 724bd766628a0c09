"""What a score rests on, joint by joint along the recording's time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo.data.recording import Recording
from zoo.errors import DataError
from zoo.explain.attribution import Array, Attribution
from zoo.explain.draw.shades import FULL_STRENGTH
from zoo.explain.methods import attribute
from zoo.explain.sample import Sample, samples_of
from zoo.explain.words import CAUTION, reaction, sentences, trust
from zoo.nn.model import contract_of
from zoo.prediction import Predictor

_POINTS_IN_TIME = 240
_MOST_SAMPLES = 24


@dataclass(frozen=True, eq=False)
class RestsOn:
    """What moved a score.

    Attributes:
        seconds: (G,) points in time, evenly from the first frame to the last.
        rates: (G, V) what each joint adds to the score at that moment, points a second; of
            methods without a sign, times an even share.
        by_joint: (V,) the sum of each joint's contributions over the recording, points.
        limit: the rate of the strongest colour.
        signed: whether contributions raise and lower.
        steady: whether the method tells of no moment, so that shares are spread evenly.
        sentences: what it says and how to take it.
    """

    seconds: NDArray[np.float64]
    rates: Array
    by_joint: Array
    limit: float
    signed: bool
    steady: bool
    sentences: tuple[str, ...]


def rests_on(
    predictor: Predictor, recording: Recording, method: str | None = None
) -> RestsOn | None:
    """What the score of a recording rests on; None where no sample of it was moved by anything.

    Of a recording that the protocol cuts, contributions are those to the mean of the samples'
    scores.

    Args:
        predictor: the model of a finished run.
        recording: in the model's layout.
        method: an attribution by name; None takes ``descriptors`` for models that derive them,
            else ``gradients``, and ``occlusion`` where there is no gradient.

    Raises:
        DataError: the model lacks what the method needs.
        RegistryError: no such method.
    """
    samples = samples_of(predictor, recording)
    step = -(-len(samples) // _MOST_SAMPLES)
    chosen = samples[::step]
    found: list[tuple[Sample, Attribution]] = []
    for sample in chosen:
        attribution = _attribution(sample, method)
        method = attribution.method  # the same for all of them
        found.append((sample, attribution))
    seconds = np.linspace(0, (recording.num_frames - 1) / recording.fps, _POINTS_IN_TIME)
    rates = np.zeros((len(seconds), found[0][1].joint_time.shape[1]))
    seen = np.zeros(len(seconds))
    for sample, attribution in found:
        start, stop = (frame / recording.fps for frame in sample.frames)
        inside = (seconds >= start) & (seconds <= stop)
        own = np.linspace(start, stop, len(attribution.joint_time))
        values = _shown(attribution)
        for joint in range(rates.shape[1]):
            rates[inside, joint] += np.interp(seconds[inside], own, values[:, joint])
        seen += inside
    rates /= np.maximum(seen, 1)[:, None]
    by_joint = np.mean([a.by_joint() for _, a in found], axis=0)
    first = found[0][1]
    strongest = max(found, key=lambda pair: pair[1].effect if pair[1].signed else 0.0)[1]
    return RestsOn(
        seconds=seconds,
        rates=rates,
        by_joint=by_joint,
        limit=_limit(rates, first, float(np.abs(by_joint).sum())),
        signed=first.signed,
        steady=bool(np.ptp(rates, axis=0).max() < 1e-9),
        sentences=tuple(_said(found, strongest, len(samples), step)),
    )


def _attribution(sample: Sample, method: str | None) -> Attribution:
    if method is not None:
        return attribute(sample, method)
    if contract_of(sample.model).derived_joints():
        return attribute(sample, "descriptors")
    try:
        return attribute(sample, "gradients")
    except DataError:
        return attribute(sample, "occlusion")


def _shown(attribution: Attribution) -> Array:
    """Per second, so that it does not depend on the number of frames; or times an even share."""
    values = attribution.joint_time
    if attribution.signed:
        return values * attribution.fps
    mean = float(values.mean())
    return values / mean if mean else values


def _limit(rates: Array, attribution: Attribution, effect: float) -> float:
    """The rate of the strongest colour, paler where little moved the score; as `Shades` has it."""
    limit = float(np.percentile(np.abs(rates), 99.5)) or float(np.abs(rates).max()) or 1.0
    if not attribution.signed:
        return max(limit, 2.0)
    full = FULL_STRENGTH * attribution.span
    return limit * full / effect if 0 < effect < full else limit


def _said(
    found: list[tuple[Sample, Attribution]], attribution: Attribution, samples: int, step: int
) -> list[str]:
    """The sentences of the sample that was moved most, and that there are others."""
    sample = next(s for s, a in found if a is attribution)
    first, *others = sentences(attribution, sample.model_name, sample.digits)
    if samples > 1:
        start, stop = (frame / sample.recording.fps for frame in sample.frames)
        first = f"From {start:.1f} to {stop:.1f} s, {first}"
    held_still = float(sample.scores(sample.baseline()[0])[0])
    said = [first, reaction(attribution, held_still, sample.digits)]
    said += [other for other in others if other != CAUTION]
    if step > 1:
        said.append(f"Every {step}th of the {samples} parts of the recording was looked at.")
    said += [trust(attribution.method), CAUTION]
    return [sentence for sentence in said if sentence]

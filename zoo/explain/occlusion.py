"""Occlusion: what becomes of the score when a joint or a body part is hidden."""

from collections.abc import Sequence

import numpy as np
import torch

from registry import did_you_mean, register_attribution
from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.explain.attribution import Attribution
from zoo.explain.sample import Sample
from zoo.skeleton import Layout

UNITS = ("parts", "joints")
"""What can be hidden at a time."""

_AT_ONCE = 64  # copies of the sample


@register_attribution("occlusion")
def occlusion(sample: Sample, *, of: str = "parts", baseline: str | None = None) -> Attribution:
    """The score less the score with a body part or joint replaced by the baseline.

    After Zeiler and Fergus, "Visualizing and understanding convolutional networks", ECCV 2014,
    section 4.2, with joints in the place of image patches. It asks nothing of the model but
    scores. What hiding one costs is spread evenly over its joints and frames; the contributions
    of several need not add up to the difference of the scores, and the note says by how much they
    miss it. Joints of no part get 0 where parts are hidden.

    In a derived stream (bone, motion) the entries that stand at the joint are hidden.

    Args:
        sample: of any model.
        of: what is hidden at a time: ``parts`` of the layout or ``joints``.
        baseline: one of `zoo.explain.sample.BASELINES`, see `Sample.baseline`.

    Raises:
        ConfigError: an unknown `of`, or a layout without parts.
    """
    hidden = _units(sample.layout, of)
    start, meaning = sample.baseline(baseline)
    joint_time = np.zeros((sample.num_frames, sample.layout.num_joints))
    for members, score in zip(hidden, _scores(sample, start, hidden), strict=True):
        joint_time[:, members] += (sample.score - score) / (len(members) * sample.num_frames)
    base_score = float(sample.scores(start)[0])
    missing = abs(joint_time.sum() - (sample.score - base_score))
    return sample.attribution(
        "occlusion" if of == "parts" else f"occlusion-{of}",
        joint_time,
        title=f"occlusion of {of}",
        baseline_score=base_score,
        note=f"each of {len(hidden)} {of} replaced by {meaning}; all contributions together "
        f"miss the difference of the scores by {missing:.2g} points",
    )


@register_attribution("occlusion-joints")
def joint_occlusion(sample: Sample) -> Attribution:
    """`occlusion` of one joint at a time."""
    return occlusion(sample, of="joints")


def _units(layout: Layout, of: str) -> list[list[int]]:
    """The joints that are hidden together, for each time something is."""
    if of not in UNITS:
        raise ConfigError(f"occlusion hides no {of!r}. {did_you_mean(of, UNITS)}")
    if of == "joints":
        return [[joint] for joint in range(layout.num_joints)]
    if not layout.parts:
        raise ConfigError(f"the layout {layout.name} names no parts: hide joints")
    return [list(members) for members in layout.parts.values()]


def _scores(sample: Sample, start: Batch, hidden: Sequence[list[int]]) -> list[float]:
    """The score with each of these sets of joints replaced by the baseline."""
    found: list[float] = []
    for begin in range(0, len(hidden), _AT_ONCE):
        part = hidden[begin : begin + _AT_ONCE]
        batch = sample.batch.select(torch.zeros(len(part), dtype=torch.long))
        for i, members in enumerate(part):
            for name, x in batch.x.items():
                x[i, :, members] = start.x[name][0, :, members]
        found.extend(sample.scores(batch).tolist())
    return found

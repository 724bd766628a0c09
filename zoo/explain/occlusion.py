"""Occlusion: what becomes of the score when a joint or a body part is hidden."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from registry import did_you_mean, register_attribution
from zoo.data.batch import Batch
from zoo.data.segment import equal_pieces
from zoo.errors import ConfigError
from zoo.explain.attribution import Attribution
from zoo.explain.sample import Sample
from zoo.skeleton import Layout

UNITS = ("parts", "joints")
"""What can be hidden at a time."""

_AT_ONCE = 64  # copies of the sample


@register_attribution("occlusion")
def occlusion(
    sample: Sample, *, of: str = "parts", baseline: str | None = None, windows: int = 1
) -> Attribution:
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
        windows: stretches of time hidden one by one; 1 hides the whole time.

    Raises:
        ConfigError: an unknown `of`, a layout without parts, or more windows than frames.
    """
    hidden = _units(sample.layout, of)
    if not 1 <= windows <= sample.num_frames:
        raise ConfigError(
            f"windows is {windows}, expected a whole number from 1 to the sample's "
            f"{sample.num_frames} frames"
        )
    start, meaning = sample.baseline(baseline)
    spans = equal_pieces(sample.num_frames, windows)
    cells = [(members, span) for members in hidden.values() for span in spans]
    joint_time = np.zeros((sample.num_frames, sample.layout.num_joints))
    for (members, (first, stop)), score in zip(cells, _scores(sample, start, cells), strict=True):
        share = (sample.score - score) / (len(members) * (stop - first))
        joint_time[first:stop, list(members)] += share
    base_score = float(sample.scores(start)[0])
    missing = abs(joint_time.sum() - (sample.score - base_score))
    when = "" if windows == 1 else f", {windows} stretches of time one by one"
    return sample.attribution(
        "occlusion" if of == "parts" else f"occlusion-{of}",
        joint_time,
        title=f"occlusion of {of}",
        baseline_score=base_score,
        note=f"each of {len(hidden)} {of} replaced by {meaning}{when}; all contributions together "
        f"miss the difference of the scores by {missing:.2g} points",
    )


@register_attribution("occlusion-joints")
def joint_occlusion(sample: Sample) -> Attribution:
    """`occlusion` of one joint at a time."""
    return occlusion(sample, of="joints")


def _units(layout: Layout, of: str) -> Mapping[str, Sequence[int]]:
    if of not in UNITS:
        raise ConfigError(f"occlusion hides no {of!r}. {did_you_mean(of, UNITS)}")
    if of == "joints":
        return {joint: (i,) for i, joint in enumerate(layout.joints)}
    if not layout.parts:
        raise ConfigError(f"the layout {layout.name} names no parts: hide joints")
    return layout.parts


def _scores(
    sample: Sample, start: Batch, cells: Sequence[tuple[Sequence[int], tuple[int, int]]]
) -> list[float]:
    """The score with each cell (joints, frames) replaced by the baseline."""
    found: list[float] = []
    for begin in range(0, len(cells), _AT_ONCE):
        part = cells[begin : begin + _AT_ONCE]
        batch = sample.batch.select(torch.zeros(len(part), dtype=torch.long))
        for i, (members, (first, stop)) in enumerate(part):
            for name, x in batch.x.items():
                x[i, first:stop, list(members)] = start.x[name][0, first:stop, list(members)]
        found.extend(sample.scores(batch).tolist())
    return found

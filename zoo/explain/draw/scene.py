"""What is drawn of a sample: where its joints are, seen from the front, and when."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from zoo.data.resample import resample
from zoo.explain.attribution import Array
from zoo.explain.draw.diagram import diagram
from zoo.explain.sample import Sample
from zoo.skeleton import Layout


@dataclass(frozen=True, eq=False)
class Scene:
    """A moving skeleton, seen from the front as in a mirror.

    Attributes:
        places: (T, V, 2) x from the person's left to right and y up, in metres as recorded; or a
            still diagram without unit.
        times: (T,) seconds from the beginning of the recording.
        layout: the skeleton.
        measured: whether `places` were recorded; False for a diagram.
    """

    places: Array
    times: Array
    layout: Layout
    measured: bool = True

    @property
    def num_frames(self) -> int:
        """T."""
        return len(self.times)

    @cached_property
    def limits(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Left and right, bottom and top of the picture: nearly all there is, and a margin.

        The outermost half percent of the frames is left out, so that one joint that a sensor lost
        for a moment does not make the person small.
        """
        low, high = np.nanpercentile(self.places, (0.5, 99.5), axis=0)
        low, high = low.min(axis=0), high.max(axis=0)
        margin = 0.06 * max(high - low) or 1.0
        (left, bottom), (right, top) = low - margin, high + margin
        return (float(left), float(right)), (float(bottom), float(top))

    @property
    def axis_labels(self) -> tuple[str, str]:
        """Titles of both axes; a diagram has no unit."""
        if not self.measured:
            return "diagram of the layout: no positions were recorded", ""
        return "x, m (person's left to right)", "y, m (up)"


def scene_of(sample: Sample) -> Scene:
    """The frames of a sample as they were recorded, at the times the model saw them."""
    start, stop = sample.frames
    frames, recording = sample.num_frames, sample.recording
    times = np.linspace(start, stop - 1, frames) / recording.fps
    if recording.positions is None:
        still = np.broadcast_to(diagram(sample.layout), (frames, sample.layout.num_joints, 2))
        return Scene(still, times, sample.layout, measured=False)
    places = recording.positions[start:stop, :, :2].astype(np.float64)
    return Scene(resample(places, frames), times, sample.layout)

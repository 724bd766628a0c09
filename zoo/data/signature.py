"""What tells a recording from its copies, taken before a protocol touches it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoo.data.recording import Recording
from zoo.skeleton.layout import Layout

_WEIGHTS_SEED = 3407

BONE_TOLERANCE = 1e-6
"""Largest difference of two lengths of one bone, relative to the sum of the skeleton's bones.

The medians of two people are never so close (on KIMORE at least 3e-3); those of one skeleton moved
to another place in float32 are closer by far.
"""


@dataclass(frozen=True, eq=False)
class Signature:
    """Equal frames have equal numbers; one body has one set of bone lengths.

    Attributes:
        frames: (F,) uint64, ascending, a number for every different frame; equal for frames that
            are equal byte by byte, and for others by a chance of about 2⁻⁶⁰. Frames in which all
            joints are alike, as a sensor gives when it sees nobody, have none.
        bones: (B,) float64 median length of each bone over all frames, metres; None without
            positions or where all bones have length 0.
    """

    frames: NDArray[np.uint64]
    bones: NDArray[np.float64] | None

    @classmethod
    def of(cls, recording: Recording, layout: Layout) -> "Signature":
        """The signature of a recording with the joints of `layout`.

        Positions are looked at where there are any, else orientations, else angles.
        """
        arrays = (recording.positions, recording.orientations, recording.angles)
        joints = np.asarray(next(a for a in arrays if a is not None), dtype=np.float32)
        seen = joints[(joints != joints[:, :1]).any(axis=(1, 2))]
        words = np.ascontiguousarray(seen).view(np.uint32).reshape(-1, joints[0].size)
        # A sum of words times random odd factors, mod 2⁶⁴, is a universal hash.
        random = np.random.default_rng(_WEIGHTS_SEED)
        factors = random.integers(0, 2**64, words.shape[1], dtype=np.uint64) | np.uint64(1)
        frames = np.unique(words.astype(np.uint64) @ factors)
        bones = None
        if recording.positions is not None and layout.bones:
            children, parents = np.array(layout.bones).T
            x = joints.astype(np.float64)
            median = np.median(np.linalg.norm(x[:, children] - x[:, parents], axis=-1), axis=0)
            bones = median if median.any() else None
        return cls(frames, bones)

    def likeness(self, other: "Signature") -> str:
        """What the two have in common that only copies have, in words; empty where nothing is."""
        shared = len(np.intersect1d(self.frames, other.frames, assume_unique=True))
        if shared:
            return f"{shared} of {len(self.frames)} frames are equal"
        if self.bones is None or other.bones is None or self.bones.shape != other.bones.shape:
            return ""
        apart = np.abs(self.bones - other.bones).max()
        same = apart <= BONE_TOLERANCE * self.bones.sum()
        return "all bones have the same length" if same else ""

"""One person followed from frame to frame."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from zoo.pose.networks import LANDMARKS, PERSON, Detector, LandmarkNetwork
from zoo.pose.packages import Networks
from zoo.pose.region import Region
from zoo.pose.smoothing import LowPass, OneEuro

Array = NDArray[np.float64]

_MIDDLE, _RIM = LANDMARKS, LANDMARKS + 1


@dataclass(frozen=True, eq=False)
class Pose:
    """The person in one frame.

    Attributes:
        world: (33, 3) metres from the middle of the hips, x to the right of the picture, y down, z
            away from the camera.
        picture: (33, 2) pixels.
        visibility: (33,) probability that a landmark is seen.
    """

    world: Array
    picture: Array
    visibility: Array


@dataclass
class _Smooth:
    """The filters of one person; their numbers are those of MediaPipe's own graph."""

    world: OneEuro = field(default_factory=lambda: OneEuro(0.1, 40.0))
    picture: OneEuro = field(default_factory=lambda: OneEuro(0.05, 80.0))
    circle: OneEuro = field(default_factory=lambda: OneEuro(0.01, 10.0))
    visibility: LowPass = field(default_factory=lambda: LowPass(0.1))


class Tracker:
    """Follows one person: detected once, then looked for where the last frame had them.

    The detector is asked again when the landmark network sees nobody in the square.

    Args:
        networks: as `zoo.pose.packages.read_networks` gives them.
        smooth: smooth landmarks in time, as MediaPipe does.
    """

    def __init__(self, networks: Networks, *, smooth: bool = True) -> None:
        self._detect = Detector(networks)
        self._find = LandmarkNetwork(networks)
        self._smoothing = smooth
        self.forget()

    def forget(self) -> None:
        """Begin anew, as for another video."""
        self._region: Region | None = None
        self._smooth = _Smooth()

    def __call__(self, picture: NDArray[np.uint8], seconds: float) -> Pose | None:
        """The person in the next frame; None where nobody is seen.

        Args:
            picture: (height, width, 3), red, green, blue.
            seconds: its time.
        """
        followed = self._region
        pose = None if followed is None else self._in(followed, picture, seconds)
        if pose is None:
            self.forget()
            region = self._detect(picture)
            pose = None if region is None else self._in(region, picture, seconds)
        return pose

    def _in(self, region: Region, picture: NDArray[np.uint8], seconds: float) -> Pose | None:
        """The person in a square of the picture."""
        found = self._find(picture, region)
        if found.person < PERSON:
            self._region = None
            return None
        places = region.to_picture(found.points[:, :2])
        world = region.turned(found.world[:LANDMARKS])
        circle, visibility = places[[_MIDDLE, _RIM]], found.visibility[:LANDMARKS].astype(float)
        places = places[:LANDMARKS]
        if self._smoothing:
            scale = 1 / region.size
            places = self._smooth.picture(places, seconds, scale)
            circle = self._smooth.circle(circle, seconds, scale)
            world = self._smooth.world(world, seconds)
            visibility = self._smooth.visibility(visibility)
        self._region = Region.of_person(*circle)
        return Pose(world, places, visibility)

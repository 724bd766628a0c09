"""The turned square of a picture that a network looks at."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

ENLARGED = 1.25
"""A person's square is so many times as wide as twice the distance of its two points."""


@dataclass(frozen=True)
class Region:
    """A square in a picture.

    Attributes:
        x, y: its middle, pixels.
        size: its side, pixels.
        angle: radians that it is turned about its middle, from x (right) to y (down).
    """

    x: float
    y: float
    size: float
    angle: float = 0.0

    @classmethod
    def whole(cls, width: int, height: int) -> "Region":
        """The smallest square that holds a whole picture."""
        return cls(width / 2, height / 2, float(max(width, height)))

    @classmethod
    def of_person(cls, middle: NDArray[np.floating], rim: NDArray[np.floating]) -> "Region":
        """The square of a person, upright in it.

        Args:
            middle: x, y between the hips, pixels.
            rim: x, y of a point above it on a circle that holds the whole body.
        """
        away = rim - middle
        angle = math.pi / 2 - math.atan2(-away[1], away[0])
        angle -= 2 * math.pi * math.floor((angle + math.pi) / (2 * math.pi))
        size = 2 * ENLARGED * float(np.hypot(*away))
        return cls(float(middle[0]), float(middle[1]), size, angle)

    def to_picture(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Points (..., 2) of the square, 0 to 1, in pixels of the picture."""
        x, y = np.moveaxis(np.asarray(points, dtype=np.float64) - 0.5, -1, 0) * self.size
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        return np.stack([self.x + cos * x - sin * y, self.y + sin * x + cos * y], axis=-1)

    def turned(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Points (..., 3) in the square's directions, in those of the picture."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
        return np.asarray(points, dtype=np.float64) @ turn.T

    def crop(self, picture: NDArray[np.uint8], pixels: int, *, repeat: bool) -> Floats:
        """The square as a picture (pixels, pixels, 3) of values from 0 to 1, bilinear.

        Its pixel 0 lies on its edge, not half a pixel inside, and colours are rounded, as in
        MediaPipe on a processor: the networks' answers depend on it by centimetres.

        Args:
            picture: (height, width, 3), red, green, blue.
            pixels: side of what is given.
            repeat: beyond its edges the picture is continued by its last pixel, else by black.
        """
        steps = np.arange(pixels) / pixels
        grid = np.stack(np.meshgrid(steps, steps), axis=-1)
        at = self.to_picture(grid)
        height, width = picture.shape[:2]
        if repeat:
            at = np.clip(at, 0.0, (width - 1, height - 1))
        left, top = np.floor(at).astype(np.int64).transpose(2, 0, 1)
        right_share, low_share = (at - np.floor(at)).astype(np.float32).transpose(2, 0, 1)
        crop = np.zeros((pixels, pixels, 3), dtype=np.float32)
        for down in (0, 1):
            for across in (0, 1):
                x, y = left + across, top + down
                inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
                share = (right_share if across else 1 - right_share) * (
                    low_share if down else 1 - low_share
                )
                colours = picture[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
                crop += (share * inside)[..., None] * colours
        rounded: Floats = np.rint(crop, out=crop)
        return rounded / np.float32(255)

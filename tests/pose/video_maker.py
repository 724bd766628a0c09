"""Videos of a person: a photograph that matplotlib ships, moved across the picture."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def photograph() -> Picture:
    """Grace Hopper from her elbows up, facing the camera (606, 512, 3)."""
    from matplotlib.cbook import get_sample_data
    from PIL import Image

    with get_sample_data("grace_hopper.jpg") as file:
        return np.asarray(Image.open(file).convert("RGB"))


def on_ground(picture: Picture, right: int, down: int, size: tuple[int, int]) -> Picture:
    """A picture laid on grey ground (height, width) of `size`, so far right and down."""
    ground = np.full((*size, 3), 128, dtype=np.uint8)
    height = min(picture.shape[0], size[0] - down)
    width = min(picture.shape[1], size[1] - right)
    ground[down : down + height, right : right + width] = picture[:height, :width]
    return ground


def write_video(file: Path, pictures: Sequence[Picture], fps: int = 30) -> None:
    """A video of pictures whose width and height are even."""
    import av

    height, width = pictures[0].shape[:2]
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mpeg4", rate=Fraction(fps))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.bit_rate = 8_000_000
        for picture in pictures:
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)

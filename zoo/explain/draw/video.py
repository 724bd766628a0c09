"""The moving skeleton as a GIF or an MP4."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from zoo.errors import DataError
from zoo.explain.draw.canvas import Canvas, colour_bar
from zoo.explain.draw.scene import Scene
from zoo.explain.draw.shades import Shades
from zoo.explain.draw.sheet import draw_sum
from zoo.explain.draw.skeleton import SkeletonPlot
from zoo.report.figure_style import SOFT

if TYPE_CHECKING:
    from matplotlib.artist import Artist

MOST_FRAMES = 150
"""Of a longer sample, every so-manyth frame is drawn."""

_FASTEST = 50.0
"""Frames a second that players of GIFs keep up with."""

_SCALE = 96
"""Of a GIF's 256 colours, those of the attribution's scale."""


def can_write_mp4() -> bool:
    """Whether ffmpeg is on this machine."""
    return shutil.which("ffmpeg") is not None


def write_video(
    path: Path,
    scene: Scene,
    shades: Shades,
    title: str,
    subtitle: str = "",
    *,
    frames: int = MOST_FRAMES,
    dpi: int = 100,
) -> None:
    """Draw the moving skeleton with its attribution, in the time the movement took.

    Args:
        path: ``.gif``, or ``.mp4`` where `can_write_mp4`.
        scene: the moving skeleton.
        shades: the attribution, T frames as the scene.
        title: above it.
        subtitle: below the title.
        frames: drawn at most.
        dpi: dots an inch of a picture 5 inches wide.

    Raises:
        DataError: ffmpeg gives up; its last line says why.
    """
    every = -(-scene.num_frames // frames)
    shown = range(0, scene.num_frames, every)
    seconds = float(scene.times[-1] - scene.times[0])
    fps = min(len(shown) / seconds, _FASTEST) if seconds else 1.0
    pictures = list(_pictures(scene, shades, title, subtitle, shown, dpi))
    if path.suffix == ".mp4":
        _write_mp4(path, pictures, fps)
    else:
        scale = (255 * shades.colours(np.linspace(0, 1, _SCALE))[:, :3]).round().astype(np.uint8)
        _write_gif(path, pictures, fps, scale)


def _pictures(
    scene: Scene, shades: Shades, title: str, subtitle: str, shown: range, dpi: int
) -> Iterator[NDArray[np.uint8]]:
    """Pictures (height, width, 3) of the frames; what does not move is drawn once."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = Canvas(360, 446, title, subtitle)
    skeleton = SkeletonPlot(canvas.axes(44, 40, 240, 290), scene, shades)
    colour_bar(canvas, shades, 296, 60, 250)
    below = canvas.axes(44, 376, 240, 40)
    draw_sum(below, scene.times, shades)
    below.set_xlim(scene.times[0], scene.times[-1])
    below.set_xlabel("time, s", size=8)
    now = below.axvline(scene.times[0], color=SOFT, linewidth=1.2)
    canvas.figure.set_dpi(dpi)
    agg = FigureCanvasAgg(canvas.figure)
    moving: list[Artist] = [*skeleton.artists, now]
    for artist in moving:
        artist.set_animated(True)
    agg.draw()
    still = agg.copy_from_bbox(canvas.figure.bbox)
    for frame in shown:
        skeleton.show(frame)
        now.set_xdata([scene.times[frame]] * 2)
        agg.restore_region(still)
        for artist in moving:
            artist.draw(agg.get_renderer())
        rgba = np.asarray(agg.buffer_rgba())
        even = tuple(size - size % 2 for size in rgba.shape[:2])  # as MP4 wants it
        yield rgba[: even[0], : even[1], :3].copy()


def _write_gif(
    path: Path, pictures: list[NDArray[np.uint8]], fps: float, scale: NDArray[np.uint8]
) -> None:
    """All pictures in one palette: those of `scale` (S, 3) and what six pictures have most of.

    Pillow's own search of the nearest colour is coarse and makes white grey.
    """
    from PIL import Image

    some = np.linspace(0, len(pictures) - 1, 6).round().astype(int)
    codes, counts = np.unique(_codes(np.stack([pictures[i] for i in some])), return_counts=True)
    often = codes[np.argsort(-counts, kind="stable")]
    palette = np.concatenate([_colours(often[: 256 - len(scale)]), scale.astype(np.int32)])
    indexed = []
    for picture in pictures:
        found, at = np.unique(_codes(picture), return_inverse=True)
        far = np.square(_colours(found)[:, None] - palette[None]).sum(axis=-1)
        image = Image.fromarray(far.argmin(axis=1).astype(np.uint8)[at.reshape(picture.shape[:2])])
        image.putpalette(palette.astype(np.uint8).tobytes())
        indexed.append(image)
    first, *rest = indexed
    first.save(path, save_all=True, append_images=rest, duration=round(1000 / fps), loop=0)


def _codes(pictures: NDArray[np.uint8]) -> NDArray[np.int32]:
    """One number for each colour (..., 3)."""
    red, green, blue = np.moveaxis(pictures.astype(np.int32), -1, 0)
    codes: NDArray[np.int32] = (red << 16) | (green << 8) | blue
    return codes


def _colours(codes: NDArray[np.int32]) -> NDArray[np.int32]:
    """The colours (..., 3) of `_codes`."""
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1)


def _write_mp4(path: Path, pictures: list[NDArray[np.uint8]], fps: float) -> None:
    """H.264 as every browser plays it, without the encoder's name and the date."""
    height, width = pictures[0].shape[:2]
    command = [
        "ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24",
        "-s", f"{width}x{height}", "-r", f"{fps:.3f}", "-i", "-", "-pix_fmt", "yuv420p",
        "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", str(path),
    ]  # fmt: skip
    content = b"".join(picture.tobytes() for picture in pictures)
    done = subprocess.run(command, input=content, capture_output=True, check=False)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise DataError(f"ffmpeg cannot write the video: {lines[-1]}. Use video='gif'")

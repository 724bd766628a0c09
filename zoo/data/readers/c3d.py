"""C3D, the binary form of motion-capture laboratories.

It is read by the library c3d, which is Python and raises on a damaged file; ezc3d, which is C++,
ended the process in each of three campaigns of 300 damaged files.
"""

import io
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from registry import register_reader
from zoo.data.adapters.base import FaultError, PrepareReport, faults_in
from zoo.data.readers.body import Body, PoseReader
from zoo.data.readers.text import read_bytes
from zoo.data.readers.trc import UNITS
from zoo.data.recording import Recording
from zoo.errors import DataError

_BLOCK = 512
_MAGIC = 0x50


@register_reader("c3d")
class C3dReader(PoseReader):
    """Markers of a C3D file; analog signals are left out.

    Rate, units and labels stand in the file. A prefix of the labels that they share
    (``Subject1:LKNE``) is left out. Markers with a residual below 0 are lost. It needs the library
    c3d: ``pip install 'skeleton-zoo[formats]'``.

    Args:
        layout: see `PoseReader`; empty: the one whose joints the labels name, such as
            ``uiprmd-vicon`` of the Plug-in-Gait markers.
        joints: other names for the markers, in the file's order.
        up: axis that points up; z in most laboratories.
        fps: frames a second, taken instead of the file's.
    """

    title = "C3D"
    suffixes = (".c3d",)

    def __init__(
        self,
        layout: str = "",
        joints: tuple[str, ...] = (),
        up: str = "z",
        fps: float | None = None,
    ) -> None:
        super().__init__(layout, fps, "", up)
        self.joints = joints

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """One recording; see `Reader.read_file`."""
        with faults_in(str(file)):
            data = read_bytes(file)
            _check(data)
            body = _body(_points(data, file), self.joints)
        yield self.recording(body, file, report)


@dataclass(frozen=True)
class _Points:
    """What a file holds: (T, J, 3) with NaN where lost, labels, unit and rate."""

    values: NDArray[np.float64]
    labels: list[str]
    unit: str
    rate: float


def _points(data: bytes, file: Path) -> _Points:
    try:
        import c3d
    except ImportError:
        raise DataError(
            f"{file}: C3D files are read by the library c3d, which is not installed: "
            "pip install 'skeleton-zoo[formats]'"
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader = c3d.Reader(io.BytesIO(data))
            frames = np.stack([points for _, points, _ in reader.read_frames()])
            unit = reader.get("POINT:UNITS")
            found = _Points(
                frames[..., :3].astype(np.float64),
                [str(label) for label in reader.point_labels],
                "" if unit is None else str(unit.string_value),
                float(reader.point_rate),
            )
    except Exception as error:  # whatever the library raises of a damaged file
        shown = str(error).strip()[:200] or "a damaged file"
        raise FaultError("c3d", None, shown, "a sound C3D file") from None
    found.values[frames[..., 3] < 0] = np.nan
    return found


def _check(data: bytes) -> None:
    """Refuses what the library should not be given: sizes that the file cannot hold.

    Raises:
        FaultError: no C3D file, or one cut short.
    """
    if len(data) < 2 * _BLOCK or data[1] != _MAGIC:
        raise FaultError("c3d", None, f"{len(data)} bytes that begin otherwise", "a C3D file")
    points, analog, first, last, _, scale, start, _, _ = struct.unpack_from("<HHHHHfHHf", data, 2)
    size = 4 if scale < 0 else 2
    needed = (start - 1) * _BLOCK + (last - first + 1) * (points * 4 + analog) * size
    if not points or last < first or start < 2 or len(data) < min(needed, 65535 * _BLOCK):
        found = f"{len(data)} bytes, {points} points in frames {first} to {last}"
        raise FaultError("truncated", None, found, f"{max(needed, 0)} bytes")


def _body(found: _Points, joints: tuple[str, ...]) -> Body:
    count = found.values.shape[1]
    names = tuple(label.strip(" \0") for label in found.labels[:count])
    if len(names) < count:
        raise FaultError("labels", None, f"{len(names)} labels of {count} markers", "one each")
    prefixes = {name.partition(":")[0] for name in names if ":" in name}
    if len(prefixes) > 1:
        shown = ", ".join(sorted(prefixes)[:4])
        raise FaultError("labels", None, f"{len(prefixes)} people ({shown})", "one person")
    names = tuple(name.rpartition(":")[2] for name in names)
    if joints and len(joints) != count:
        shown = f"{count} markers ({', '.join(names[:4])}, …)"
        raise FaultError("joints", None, shown, f"{len(joints)}, as joints names them")
    unit = found.unit.strip(" \0").lower()
    if unit not in UNITS:
        raise FaultError("c3d", None, f"{unit[:20]!r} as POINT:UNITS", "mm, cm or m")
    return Body(joints or names, found.values, units=UNITS[unit], fps=found.rate)

"""C3D, the binary form of motion-capture laboratories, read by ezc3d."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

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
    (``Subject1:LKNE``) is left out. Markers with a residual below 0 are lost. Needs ezc3d:
    ``pip install 'skeleton-zoo[formats]'``.

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

    def looks_like(self, path: Path) -> bool:
        """See `Reader.looks_like`; told by the ending."""
        return super().looks_like(path)

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """One recording; see `Reader.read_file`."""
        with faults_in(str(file)):
            _check(read_bytes(file))
            body = _body(_opened(file), self.joints)
        yield self.recording(body, file, report)


def _opened(file: Path) -> Any:
    try:
        import ezc3d
    except ImportError:
        raise DataError(
            f"{file}: C3D files are read by ezc3d, which is not installed: "
            "pip install 'skeleton-zoo[formats]'"
        ) from None
    try:
        return ezc3d.c3d(str(file))
    except Exception as error:  # whatever the library raises of a damaged file
        raise FaultError("c3d", None, str(error)[:200] or "a damaged file", "a C3D file") from None


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


def _body(opened: Any, joints: tuple[str, ...]) -> Body:
    points = opened["data"]["points"]
    said = opened["parameters"]["POINT"]
    values = np.transpose(np.asarray(points[:3], dtype=np.float64), (2, 1, 0)).copy()
    labels = [
        str(label)
        for name in said
        if name == "LABELS" or (name.startswith("LABELS") and name[6:].isdecimal())
        for label in said[name]["value"]
    ]
    count = values.shape[1]
    names = tuple(label.strip() for label in labels[:count])
    if len(names) < count:
        raise FaultError("labels", None, f"{len(names)} labels of {count} markers", "one each")
    prefixes = {name.partition(":")[0] for name in names if ":" in name}
    if len(prefixes) == 1:
        names = tuple(name.rpartition(":")[2] for name in names)
    elif len(prefixes) > 1:
        shown = ", ".join(sorted(prefixes)[:4])
        raise FaultError("labels", None, f"{len(prefixes)} people ({shown})", "one person")
    if joints and len(joints) != count:
        found = f"{count} markers ({', '.join(names[:4])}, …)"
        raise FaultError("joints", None, found, f"{len(joints)}, as joints names them")
    unit = "".join(str(u) for u in said.get("UNITS", {}).get("value", ())[:1]).strip().lower()
    if unit not in UNITS:
        raise FaultError("c3d", None, f"{unit!r} as POINT:UNITS", "mm, cm or m")
    residuals = opened["data"]["meta_points"]["residuals"]
    lost = np.transpose(np.asarray(residuals, dtype=np.float64), (2, 1, 0))[..., 0] < 0
    values[lost] = np.nan
    rate = said.get("RATE", {}).get("value", ())
    body = Body(joints or names, values, units=UNITS[unit])
    body.fps = float(rate[0]) if len(rate) else None
    return body

"""Arrays of numpy: ``.npy`` and ``.npz`` of (frames, joints, coordinates)."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from registry import register_reader
from zoo.data.adapters.base import FaultError, PrepareReport, faults_in
from zoo.data.adapters.npy_files import read_npy, read_npz
from zoo.data.readers.body import Body, PoseReader, one_of
from zoo.data.recording import Recording
from zoo.errors import DataError
from zoo.skeleton.layout import load_layout

Columns = Literal["", "xy", "xyc", "xyz", "xyzc"]

_POSITIONS = (
    "positions", "position", "keypoints3d", "keypoints_3d", "joints3d", "joints_3d", "keypoints",
    "keypoint", "poses", "pose", "joints", "skeleton", "skeletons", "landmarks", "xyz", "coords",
    "reconstruction", "data", "x", "arr_0",
)  # fmt: skip
_CONFIDENCE = ("confidence", "confidences", "scores", "keypoint_score", "keypoint_scores",
               "visibility", "likelihood", "conf")  # fmt: skip
_TIMES = ("timestamps", "timestamp", "times", "time")
_RATES = ("fps", "frame_rate", "framerate", "rate")
_NAMES = ("joint_names", "joints_names", "names", "keypoint_names", "labels")


@register_reader("numpy")
class ArrayReader(PoseReader):
    """An array (T, V, 2), (T, V, 3) or (T, V·3), alone or in a ``.npz`` with what belongs to it.

    A ``.npz`` may have, beside the array (``positions``, ``keypoints``, …), ``confidence`` (T, V),
    ``fps``, ``timestamps`` and ``joint_names``. Python objects are never read.

    Args:
        layout: the joints of the array in its order, or with `joints` the layout to give.
        joints: names of the array's joints in its order, where it is not that of the layout.
        columns: what the numbers of a joint are: ``xy``, ``xyc``, ``xyz`` or ``xyzc``, c being a
            confidence; empty: by their number xy, xyz, xyzc.
        units: see `PoseReader`.
        up: see `PoseReader`.
        fps: frames a second, where the file does not tell.
    """

    title = "numpy arrays of frames, joints and coordinates"
    suffixes = (".npy", ".npz")

    def __init__(
        self,
        layout: str = "",
        joints: tuple[str, ...] = (),
        columns: Columns = "",
        units: str = "",
        up: str = "",
        fps: float | None = None,
    ) -> None:
        super().__init__(layout, fps, units, up)
        self.joints = joints
        self.columns = one_of(columns, ("", "xy", "xyc", "xyz", "xyzc"), "columns")

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """One recording; see `Reader.read_file`."""
        with faults_in(str(file)):
            try:
                packed = file.suffix.lower() == ".npz"
                arrays = read_npz(file) if packed else {"positions": read_npy(file)}
            except DataError as error:
                text = str(error).removeprefix(f"{file}: ")
                raise FaultError("array", None, text, "an array of numbers") from None
            body = self._body(arrays)
        yield self.recording(body, file, report)

    def _body(self, arrays: Mapping[str, NDArray[Any]]) -> Body:
        named = {name.lower(): array for name, array in arrays.items()}
        numeric = {n: a for n, a in named.items() if a.dtype.kind in "iuf"}
        values = next(
            (numeric[n] for n in _POSITIONS if n in numeric and numeric[n].ndim > 1), None
        )
        if values is None:
            shown = ", ".join(f"{n} {a.shape} {a.dtype}" for n, a in list(named.items())[:5])
            wanted = f"numbers called {', '.join(_POSITIONS[:3])}, …"
            raise FaultError("array", None, f"the arrays {shown or '(none)'}", wanted)
        joints = self._joints(named)
        values, columns = self._shaped(np.asarray(values, dtype=np.float64), len(joints))
        body = Body(joints, values[..., : 3 if "z" in columns else 2])
        confidence = next((numeric[n] for n in _CONFIDENCE if n in numeric), None)
        if "c" in columns:
            body.confidence = values[..., -1]
        elif confidence is not None:
            if confidence.size != values.shape[0] * values.shape[1]:
                shown = f"a confidence of the shape {confidence.shape}"
                raise FaultError("array", None, shown, f"{values.shape[:2]}")
            body.confidence = confidence.astype(np.float64).reshape(values.shape[:2])
        times = next((numeric[n] for n in _TIMES if n in numeric), None)
        if times is not None:
            if times.size != len(values):
                found = f"{times.size} times"
                raise FaultError("time-stamps", None, found, f"{len(values)}, one a frame")
            body.times = times.astype(np.float64).ravel()
        rate = next((numeric[n] for n in _RATES if n in numeric and numeric[n].size == 1), None)
        body.fps = None if rate is None else float(rate.ravel()[0])
        return body

    def _joints(self, named: Mapping[str, NDArray[Any]]) -> tuple[str, ...]:
        if self.joints:
            return self.joints
        names = next((named[n] for n in _NAMES if n in named and named[n].dtype.kind == "U"), None)
        if names is not None:
            return tuple(str(name) for name in names.ravel())
        if not self.layout:
            raise FaultError(
                "joints",
                None,
                "numbers without names of joints",
                "their layout: give the reader layout, such as layout=kinect-v2",
            )
        return load_layout(self.layout).joints

    def _shaped(self, values: NDArray[np.float64], joints: int) -> tuple[NDArray[np.float64], str]:
        """Values (T, V, C) of these joints, and what the C numbers are."""
        wanted = f"(frames, {joints}, 2 or 3), as the {joints} joints of the layout"
        given = values.shape
        if values.ndim == 4 and values.shape[0] == 1:
            values = values[0]
        if values.ndim == 4 and values.shape[1] == 1:
            values = values[:, 0]
        if values.ndim == 2 and joints and values.shape[1] % joints == 0:
            values = values.reshape(len(values), joints, -1)
        if values.ndim != 3 or values.shape[1] != joints or not 2 <= values.shape[2] <= 4:
            raise FaultError("array", None, f"an array of the shape {given}", wanted)
        columns = self.columns or {2: "xy", 3: "xyz", 4: "xyzc"}[values.shape[2]]
        if len(columns) != values.shape[2]:
            found = f"{values.shape[2]} numbers a joint"
            raise FaultError("array", None, found, f"{len(columns)} ({columns})")
        return values, columns

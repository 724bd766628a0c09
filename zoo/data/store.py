"""The canonical store: one safetensors file and one JSON manifest per prepared dataset.

``data.safetensors`` holds the arrays of every recording under ``<recording>/<array>``; they are
used in place, mapped from the file. ``manifest.json`` holds everything else and is the index: one
entry per recording with the SHA-256 of its arrays, what was skipped and why, and the fingerprint, a
SHA-256 over all of that which decides what a model sees.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from zoo.data.manifest import MANIFEST_FILE, SCHEMA, Manifest, RecordingInfo, damaged, read_manifest
from zoo.data.recording import Recording
from zoo.errors import DataError
from zoo.files import json_hash, to_json, write_atomically

DATA_FILE = "data.safetensors"

ARRAY_DTYPES: Mapping[str, str] = {
    "timestamps": "<f8",
    "positions": "<f4",
    "orientations": "<f4",
    "angles": "<f4",
    "tracked": "|u1",
}
"""Arrays a recording can have."""

_STORED_DTYPES = {"F64": "<f8", "F32": "<f4", "U8": "|u1"}


@dataclass
class Store:
    """An opened store.

    Attributes:
        folder: where it lies.
        manifest: what it says of itself.
    """

    folder: Path
    manifest: Manifest
    _views: dict[str, NDArray[Any]] | None = field(default=None, repr=False)

    @classmethod
    def open(cls, folder: Path) -> "Store":
        """Opens the store in `folder` by memory map and checks it against its fingerprint.

        Raises:
            DataError: something is missing, damaged, or written by a newer zoo.
        """
        while True:
            store = cls(folder, read_manifest(folder))
            try:
                store.check()
            except DataError:
                # The store may have been replaced between the two files: then look again.
                if read_manifest(folder).plain == store.manifest.plain:
                    raise
            else:
                return store

    def check(self) -> None:
        """Compares every array and the manifest with the digests taken when they were written.

        Raises:
            DataError: something differs; the message names the recordings.
        """
        infos = self.manifest.recordings
        with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
            digests = pool.map(lambda info: array_digest(self.arrays(info)), infos)
            altered = [info.id for info, d in zip(infos, digests, strict=True) if d != info.sha256]
        if altered:
            shown = ", ".join(altered[:5]) + (" and more" if len(altered) > 5 else "")
            raise damaged(self.folder, f"the arrays of {shown} are not those that were written")
        if fingerprint(self.manifest.plain) != self.manifest.fingerprint:
            raise damaged(self.folder, f"{MANIFEST_FILE} does not fit its fingerprint")

    def arrays(self, info: RecordingInfo) -> dict[str, NDArray[Any]]:
        """The arrays of one recording: read-only views of the mapped file."""
        if self._views is None:
            self._views = _mapped(self.folder)
        found = {}
        for name, shape in info.arrays.items():
            label = f"{info.id}/{name}"
            view = self._views.get(label)
            if view is None or view.shape != shape:
                what = f"{DATA_FILE} lacks {label} or has it in another shape"
                raise damaged(self.folder, what)
            found[name] = view
        return found

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_views": None}


class StoreWriter:
    """Gathers recordings and writes them as a store.

    Args:
        header: what the manifest says of the whole dataset; must hold ``name``, ``layout``,
            ``fps``, ``score_range`` and ``adapter`` with its ``version``.
        joints: number of joints every recording must have.
    """

    def __init__(self, header: Mapping[str, Any], joints: int) -> None:
        self._header = _plain(header, "the header")
        self._joints = joints
        self._arrays: dict[str, dict[str, NDArray[Any]]] = {}
        self._entries: dict[str, dict[str, Any]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def require(self, recording: Recording) -> None:
        """That a recording has an id of its own, a frame, and the joints of the layout.

        Raises:
            DataError: it has not; a fault of the adapter, not of the source.
        """
        if recording.id in self._entries:
            raise DataError(f"the adapter gives the recording {recording.id!r} twice")
        if recording.num_frames == 0:
            raise DataError(f"the adapter gives the recording {recording.id!r} without a frame")
        if recording.layout != self._header["layout"] or recording.num_joints != self._joints:
            raise DataError(
                f"recording {recording.id!r} has {recording.num_joints} joints of the layout "
                f"{recording.layout!r}, the dataset {self._joints} of {self._header['layout']!r}"
            )

    def add(self, recording: Recording) -> None:
        """Takes one recording.

        Raises:
            DataError: see `require`; or it holds a value that is not finite.
        """
        self.require(recording)
        arrays: dict[str, NDArray[Any]] = {}
        for name, dtype in ARRAY_DTYPES.items():
            array = getattr(recording, name)
            if array is None:
                continue
            arrays[name] = np.ascontiguousarray(array, dtype=dtype)
            if not np.isfinite(arrays[name]).all():
                frame = int(np.argwhere(~np.isfinite(arrays[name]))[0, 0])
                raise DataError(
                    f"recording {recording.id!r}: {name} are not finite in frame {frame}"
                )
        for name, score in recording.scores.items():
            if not np.isfinite(score):
                raise DataError(f"recording {recording.id!r}: the score {name!r} is {score}")
        self._arrays[recording.id] = arrays
        self._entries[recording.id] = {
            "id": recording.id,
            "subject": recording.subject,
            "group": recording.group,
            "exercise": recording.exercise,
            "session": recording.session,
            "fps": float(recording.fps),
            "frames": recording.num_frames,
            "scores": {name: float(score) for name, score in sorted(recording.scores.items())},
            "arrays": {name: list(array.shape) for name, array in arrays.items()},
            "sha256": array_digest(arrays),
            "extra": _plain(recording.extra, f"recording {recording.id!r}: extra"),
        }

    def write(self, folder: Path, more: Mapping[str, Any] | None = None) -> None:
        """Writes both files into `folder`, which exists.

        Args:
            folder: where to.
            more: further entries of the manifest, outside the fingerprint.

        Raises:
            StorageError: the disk is full or refuses.
        """
        entries = [self._entries[key] for key in sorted(self._entries)]
        manifest = {"schema": SCHEMA, **self._header, "recordings": entries}
        manifest["fingerprint"] = fingerprint(manifest)
        tensors = {
            f"{key}/{name}": array
            for key, arrays in self._arrays.items()
            for name, array in arrays.items()
        }
        content = safetensors.numpy.save(tensors, {"fingerprint": manifest["fingerprint"]})
        write_atomically(folder / DATA_FILE, content)
        write_atomically(folder / MANIFEST_FILE, to_json({**manifest, **(more or {})}))


def array_digest(arrays: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 (hex) over the names, types, shapes and bytes of one recording's arrays."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.data.cast("B"))
    return digest.hexdigest()


def fingerprint(manifest: Mapping[str, Any]) -> str:
    """SHA-256 (hex) over what a model can see of a dataset.

    That is the layout, the adapter's version, and of every recording its arrays, scores, person,
    group, exercise, session, frame rate and extra data; not where it came from or when.
    """
    content = {
        "schema": manifest["schema"],
        "name": manifest["name"],
        "layout": manifest["layout"],
        "score_range": manifest["score_range"],
        "adapter_version": manifest["adapter"]["version"],
        "recordings": manifest["recordings"],
    }
    return json_hash(content)


def _plain(values: Mapping[str, Any], what: str) -> dict[str, Any]:
    """The values as they will be read back from JSON."""
    try:
        return cast(dict[str, Any], json.loads(json.dumps(dict(values), allow_nan=False)))
    except (TypeError, ValueError) as error:
        raise DataError(f"{what} must be plain data that JSON can hold: {error}") from None


def _mapped(folder: Path) -> dict[str, NDArray[Any]]:
    """Every array by its label, in place and read-only.

    safetensors reads and checks the index; its own arrays would be copies, or need torch.
    """
    file = folder / DATA_FILE
    if not file.is_file():
        raise damaged(folder, f"it holds no {DATA_FILE}")
    views = {}
    try:
        with safe_open(file, framework="numpy") as index:
            data = np.memmap(file, mode="r")
            at = 8 + int.from_bytes(data[:8].tobytes(), "little")  # behind the index and its length
            for label in index.offset_keys():
                part = index.get_slice(label)
                dtype = _STORED_DTYPES[part.get_dtype()]
                views[label] = np.ndarray(part.get_shape(), dtype, buffer=data, offset=at)
                at += views[label].nbytes
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise damaged(folder, f"{DATA_FILE} cannot be read ({error})") from None
    return views

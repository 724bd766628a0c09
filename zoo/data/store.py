"""The canonical store: one safetensors file and one JSON manifest per prepared dataset.

``data.safetensors`` holds the arrays of every recording under ``<recording>/<array>``, grouped by
width so that each is aligned and can be used in place. ``manifest.json`` holds everything else and
is the index: one entry per recording with the SHA-256 of its arrays, what was skipped and why, and
the fingerprint, a SHA-256 over all of that which decides what a model sees.
"""

import hashlib
import json
import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from zoo.data.recording import Recording
from zoo.errors import DataError

SCHEMA = 1
DATA_FILE = "data.safetensors"
MANIFEST_FILE = "manifest.json"

ARRAY_DTYPES: Mapping[str, str] = {
    "timestamps": "<f8",
    "positions": "<f4",
    "orientations": "<f4",
    "angles": "<f4",
    "tracked": "|u1",
}
"""Arrays a recording can have; the widest types first, as they lie in the file."""

_SAFETENSORS = {"<f8": "F64", "<f4": "F32", "|u1": "U8"}

Entry = dict[str, Any]


@dataclass
class Store:
    """An opened store.

    Attributes:
        folder: where it lies.
        manifest: the manifest as plain data.
    """

    folder: Path
    manifest: dict[str, Any]
    _places: dict[str, tuple[int, int]]
    _bytes: NDArray[np.uint8] | None = field(default=None, repr=False)

    @classmethod
    def open(cls, folder: Path, check: bool = True) -> "Store":
        """Opens the store in `folder` by memory map.

        Args:
            folder: holds the two files.
            check: read everything once and compare with the fingerprint.

        Raises:
            DataError: something is missing, damaged, or written by a newer zoo.
        """
        while True:
            text = _manifest_text(folder)
            try:
                store = cls._from_manifest(folder, text)
                if check:
                    store.check()
            except DataError:
                # The store may have been replaced between the two files: then look again.
                if _manifest_text(folder) == text:
                    raise
            else:
                return store

    @classmethod
    def _from_manifest(cls, folder: Path, text: str) -> "Store":
        manifest = _parse_manifest(folder, text)
        places = _read_places(folder, manifest)
        return cls(folder, manifest, places)

    def check(self) -> None:
        """Compares every array and the manifest with the digests taken when they were written.

        Raises:
            DataError: something differs; the message names the recordings.
        """
        entries: list[Entry] = self.manifest["recordings"]
        with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
            digests = pool.map(lambda e: array_digest(self.arrays(e)), entries)
            damaged = [e["id"] for e, d in zip(entries, digests, strict=True) if d != e["sha256"]]
        if damaged:
            shown = ", ".join(damaged[:5]) + (" and more" if len(damaged) > 5 else "")
            raise _damaged(self.folder, f"the arrays of {shown} are not those that were written")
        if fingerprint(self.manifest) != self.manifest["fingerprint"]:
            raise _damaged(self.folder, f"{MANIFEST_FILE} does not fit its fingerprint")

    def arrays(self, entry: Entry) -> dict[str, NDArray[Any]]:
        """The arrays of one manifest entry: read-only views of the mapped file."""
        data = self._mapped()
        found = {}
        for name, shape in entry["arrays"].items():
            start, stop = self._places[f"{entry['id']}/{name}"]
            view = data[start:stop].view(ARRAY_DTYPES[name])
            found[name] = view.reshape(shape)
        return found

    def _mapped(self) -> NDArray[np.uint8]:
        if self._bytes is None:
            mapped = np.memmap(self.folder / DATA_FILE, dtype=np.uint8, mode="r")
            self._bytes = np.asarray(mapped)
        return self._bytes

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_bytes": None}


class StoreWriter:
    """Gathers recordings and writes them as a store.

    Args:
        header: what the manifest says of the whole dataset; must hold ``name``, ``layout``,
            ``fps``, ``score_range`` and ``adapter`` with its ``version``.
        joints: number of joints every recording must have, or None to take the first one's.
    """

    def __init__(self, header: Mapping[str, Any], joints: int | None = None) -> None:
        self._header = _plain(header, "the header")
        self._joints = joints
        self._arrays: dict[str, dict[str, NDArray[Any]]] = {}
        self._entries: dict[str, Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, recording: Recording) -> None:
        """Takes one recording.

        Raises:
            DataError: its id is taken, its joints do not fit, or it holds a value that is not
                finite; a fault of the adapter, not of the source.
        """
        if recording.id in self._entries:
            raise DataError(f"the adapter gives the recording {recording.id!r} twice")
        if recording.num_frames == 0:
            raise DataError(f"the adapter gives the recording {recording.id!r} without a frame")
        self._joints = self._joints or recording.num_joints
        if recording.layout != self._header["layout"] or recording.num_joints != self._joints:
            raise DataError(
                f"recording {recording.id!r} has {recording.num_joints} joints of the layout "
                f"{recording.layout!r}, the dataset {self._joints} of {self._header['layout']!r}"
            )
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
            OSError: the disk is full or refuses.
        """
        entries = [self._entries[key] for key in sorted(self._entries)]
        manifest = {"schema": SCHEMA, **self._header, "recordings": entries}
        manifest["fingerprint"] = fingerprint(manifest)
        manifest.update(more or {})
        with (folder / DATA_FILE).open("wb") as file:
            self._write_data(file, manifest["fingerprint"])
            _flush(file)
        with (folder / MANIFEST_FILE).open("wb") as file:
            text = json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False)
            file.write(text.encode())
            _flush(file)

    def _write_data(self, file: BinaryIO, mark: str) -> None:
        header: dict[str, Any] = {"__metadata__": {"fingerprint": mark}}
        position = 0
        for name, array in self._in_file_order():
            header[name] = {
                "dtype": _SAFETENSORS[array.dtype.str],
                "shape": list(array.shape),
                "data_offsets": [position, position + array.nbytes],
            }
            position += array.nbytes
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        file.write(struct.pack("<Q", len(text)) + text)
        for _, array in self._in_file_order():
            file.write(array.data.cast("B"))

    def _in_file_order(self) -> Iterator[tuple[str, NDArray[Any]]]:
        for wanted in ARRAY_DTYPES:
            for key in sorted(self._arrays):
                if wanted in self._arrays[key]:
                    yield f"{key}/{wanted}", self._arrays[key][wanted]


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
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(values: Mapping[str, Any], what: str) -> dict[str, Any]:
    """The values as they will be read back from JSON."""
    try:
        return cast(dict[str, Any], json.loads(json.dumps(dict(values), allow_nan=False)))
    except (TypeError, ValueError) as error:
        raise DataError(f"{what} must be plain data that JSON can hold: {error}") from None


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a store without looking at its arrays.

    Raises:
        DataError: there is none, or it is damaged.
    """
    return _parse_manifest(folder, _manifest_text(folder))


def _manifest_text(folder: Path) -> str:
    try:
        return (folder / MANIFEST_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise _damaged(folder, f"it holds no {MANIFEST_FILE}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(folder, f"{MANIFEST_FILE} cannot be read ({error})") from None


def _parse_manifest(folder: Path, text: str) -> dict[str, Any]:
    try:
        manifest = json.loads(text)
        schema = manifest["schema"]
    except (ValueError, KeyError, TypeError):
        raise _damaged(folder, f"{MANIFEST_FILE} is no manifest") from None
    if schema != SCHEMA:
        raise DataError(
            f"{folder} was written in form {schema}, this version of the zoo reads form {SCHEMA}: "
            "prepare the dataset again with this version, or use the one that wrote it"
        )
    missing = [k for k in ("name", "layout", "recordings", "fingerprint") if k not in manifest]
    if missing:
        raise _damaged(folder, f"{MANIFEST_FILE} lacks {', '.join(missing)}")
    return cast(dict[str, Any], manifest)


def _read_places(folder: Path, manifest: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Byte range of every tensor that the manifest promises, checked against the file."""
    file = folder / DATA_FILE
    try:
        with file.open("rb") as handle:
            size = os.fstat(handle.fileno()).st_size
            (length,) = struct.unpack("<Q", handle.read(8))
            header = json.loads(handle.read(min(length, size)))
        tensors = {k: v for k, v in header.items() if k != "__metadata__"}
        start = 8 + length
        end = start + max(v["data_offsets"][1] for v in tensors.values())
    except FileNotFoundError:
        raise _damaged(folder, f"it holds no {DATA_FILE}") from None
    except (OSError, struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(folder, f"the header of {DATA_FILE} cannot be read ({error})") from None
    if size != end:
        raise _damaged(folder, f"{DATA_FILE} has {size} bytes, its header promises {end}")
    places: dict[str, tuple[int, int]] = {}
    for name, shape in _promised(manifest["recordings"]):
        dtype = ARRAY_DTYPES[name.rpartition("/")[2]]
        tensor = tensors.get(name, {})
        if tensor.get("dtype") != _SAFETENSORS[dtype] or tensor.get("shape") != shape:
            raise _damaged(folder, f"{DATA_FILE} lacks {name} or has it in another shape")
        first, last = tensor["data_offsets"]
        if last - first != int(np.prod(shape)) * np.dtype(dtype).itemsize:
            raise _damaged(folder, f"{DATA_FILE} gives {name} the wrong number of bytes")
        places[name] = (start + first, start + last)
    return places


def _promised(entries: Iterable[Entry]) -> Iterator[tuple[str, list[int]]]:
    for entry in entries:
        for name, shape in entry["arrays"].items():
            yield f"{entry['id']}/{name}", shape


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _damaged(folder: Path, what: str) -> DataError:
    return DataError(
        f"the prepared dataset in {folder} cannot be used: {what}. Prepare it again with "
        f"`zoo data prepare {folder.name} --source DIR`"
    )

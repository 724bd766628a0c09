"""Where MediaPipe Pose's networks are: in a package that the user installs or downloads.

The project ships none. They are in wheels of `mediapipe` up to 0.10 and in the npm package
`@mediapipe/pose`; nothing but the networks is read from either, and no code of theirs runs.
"""

import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from zoo.errors import DataError

Size = Literal["lite", "full", "heavy"]
SIZES: tuple[Size, ...] = ("lite", "full", "heavy")

HOW_TO_GET = (
    "Get a package that has them: `npm install @mediapipe/pose@0.5.1675469404` here, or the wheel "
    "of mediapipe 0.10.21 from PyPI, named with models= (docs: camera)"
)
"""For messages: two ways to the networks."""

_DETECTORS = ("pose_detection.tflite", "pose_solution_packed_assets.data")
_NPM = Path("node_modules/@mediapipe/pose")
_LARGEST = 100_000_000
_MARK = b"TFL3"


@dataclass(frozen=True)
class Networks:
    """The two networks, as TensorFlow Lite files.

    Attributes:
        detector: finds a person in a picture.
        landmarks: finds 33 points of a person in a crop of the picture.
        source: the package they were read from.
    """

    detector: bytes
    landmarks: bytes
    source: Path


def read_networks(models: Path | None = None, size: Size = "full") -> Networks:
    """The networks of a package.

    Args:
        models: a wheel of `mediapipe`, a package of `@mediapipe/pose` (``.tgz``), or a folder that
            holds the files somewhere. None looks for an installed `mediapipe` and for
            ``node_modules/@mediapipe/pose`` here and in the folders above.
        size: of the landmark network. A wheel of `mediapipe` has ``full`` alone.

    Raises:
        DataError: there is no such package, or it lacks a network; the message says which and how
            to get one.
    """
    if size not in SIZES:
        raise DataError(f"the size of the landmark network is {size!r}, expected lite, full, heavy")
    source = _installed() if models is None else models.expanduser()
    wanted = f"pose_landmark_{size}.tflite"
    with _opened(source) as (names, read):
        by_name = {PurePosixPath(name).name: name for name in sorted(names, reverse=True)}
        detector = next((by_name[n] for n in _DETECTORS if n in by_name), None)
        if detector is None or wanted not in by_name:
            has = [n for n in by_name if n.startswith("pose_landmark_") and n.endswith(".tflite")]
            raise DataError(
                f"{source}: found {', '.join(sorted(has)) or 'no network of MediaPipe Pose'}"
                f"{'' if detector else ' and no detector'}, expected {wanted} and "
                f"{' or '.join(_DETECTORS)}. {HOW_TO_GET}"
            )
        found = Networks(read(detector), read(by_name[wanted]), source)
    for name, network in ((detector, found.detector), (wanted, found.landmarks)):
        if network[4:8] != _MARK:
            raise DataError(f"{source}: {name} is no TensorFlow Lite file: it is damaged")
    return found


def _installed() -> Path:
    """Where an installed package lies."""
    spec = find_spec("mediapipe")
    places = [Path(p) for p in (spec.submodule_search_locations or ())] if spec else []
    here = Path.cwd()
    places += [folder / _NPM for folder in (here, *here.parents)]
    for place in places:
        if any(place.rglob("pose_landmark_*.tflite")):
            return place
    raise DataError(f"MediaPipe Pose's networks are not installed here. {HOW_TO_GET}")


@contextmanager
def _opened(source: Path) -> Iterator[tuple[list[str], Callable[[str], bytes]]]:
    """Names of the files in a folder or archive, and how one is read."""
    if source.is_dir():
        files = (f for pattern in ("*.tflite", "*.data") for f in source.rglob(pattern))
        inside = [f.relative_to(source).as_posix() for f in files]
        yield inside, lambda name: (source / name).read_bytes()
        return
    if not source.is_file():
        raise DataError(f"{source}: no such file or folder. {HOW_TO_GET}")
    try:
        if zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as wheel:
                yield wheel.namelist(), lambda name: _read(wheel.open(name), name)
            return
        with tarfile.open(source) as package:
            names = [member.name for member in package if member.isfile()]
            yield names, lambda name: _read(package.extractfile(name), name)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError) as error:
        raise DataError(f"{source} cannot be read as a package: {error}") from None


def _read(file: IO[bytes] | None, name: str) -> bytes:
    """The content of a file in an archive, which may be made to unpack to very much.

    Raises:
        DataError: it is larger than a network.
    """
    assert file is not None
    with file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise DataError(f"{name}: more than {_LARGEST} bytes are no network of MediaPipe Pose")
    return content

"""Readers of files: those of the datasets, of pose estimators, and one's own.

docs/formats.md has a table of them; docs/extending.md shows how to write one.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from registry import READERS, RegistryError
from zoo.build import build_arguments
from zoo.data.adapters import irds, keraal, kimore, stgcn_rehab, uiprmd  # noqa: F401 - their readers register themselves
from zoo.data.adapters.base import FaultError, PrepareReport, Problem, Reader
from zoo.data.readers import (  # noqa: F401
    alphapose,
    arrays,
    c3d,
    irds_csv,
    keraal_video,
    kimore_filtered,
    long_csv,
    mediapipe,
    mmpose,
    ntu,
    openpose,
    trc,
    wide_csv,
)
from zoo.data.recording import Recording
from zoo.errors import DataError


def load_reader(name: str, **options: Any) -> Reader:
    """The reader called `name`.

    Args:
        name: as registered.
        **options: keyword arguments of its class.

    Raises:
        RegistryError: no reader has this name, or it is broken.
        ConfigError: an option it does not have, or of another type.
    """
    cls = _class_of(name)
    return cls(**build_arguments(cls, options, f"reader {name!r}"))


def reader_for(name: str, layout: str, **options: Any) -> Reader:
    """The reader called `name`, asked for a layout where it can give several; as `load_reader`."""
    if "layout" in inspect.signature(_class_of(name)).parameters:
        options = {"layout": layout, **options}
    return load_reader(name, **options)


def fitting_readers(layout: str) -> list[str]:
    """Names of the readers that can give a skeleton layout: of theirs, of any, or when asked."""
    found = []
    for name in READERS.names():
        takes = "layout" in inspect.signature(_class_of(name)).parameters
        if takes or load_reader(name).layout == layout:
            found.append(name)
    return found


def readers_of(path: Path, layout: str | None = None) -> list[str]:
    """Names of the readers that `path` looks like a file of.

    Args:
        path: a file or folder that exists.
        layout: only readers that can give this skeleton layout.
    """
    names = READERS.names() if layout is None else fitting_readers(layout)
    return [name for name in names if load_reader(name).looks_like(path)]


def read_recordings(reader: Reader, path: Path, report: PrepareReport) -> Iterator[Recording]:
    """`Reader.read_file`; of a file that cannot be read it says whose it looks like, or who reads.

    Raises:
        DataError: as `Reader.read_file`.
    """
    try:
        yield from reader.read_file(path, report)
    except DataError as error:
        like = _hint(reader, path)
        if not like:
            raise
        if not isinstance(error, FaultError):
            raise DataError(f"{error}. {like}") from None
        p = error.problem
        raise FaultError(p.kind, p.line, p.found, f"{p.expected} ({like})", p.file) from None


def _hint(reader: Reader, path: Path) -> str:
    """Whose file it looks like, or who reads such files; empty where it looks like the reader's."""
    if not path.exists():
        return ""
    others = [name for name in readers_of(path) if not isinstance(reader, _class_of(name))]
    if others:
        return f"{path.name} looks like a file of {' or '.join(others)}"
    if reader.looks_like(path):
        return ""
    suffix = path.suffix.lower()
    same = [name for name in READERS.names() if suffix and suffix in load_reader(name).suffixes]
    read = f"{suffix} files are read by {', '.join(same)}" if same else f"read are {formats()}"
    return f"{path.name} looks like no form that is known; {read}"


def formats() -> str:
    """What can be read, for messages: every reader with the endings of its files."""
    known = ((name, load_reader(name)) for name in READERS.names())
    return ", ".join(
        f"{name} ({' '.join(reader.suffixes)})" if reader.suffixes else name
        for name, reader in known
    )


def _class_of(name: str) -> type[Reader]:
    entry = READERS.get(name)
    cls = entry.load()
    if not (isinstance(cls, type) and issubclass(cls, Reader)):
        raise RegistryError(f"reader {name!r} of {entry.owner} is no subclass of Reader: {cls!r}")
    return cls


__all__ = [
    "FaultError",
    "PrepareReport",
    "Problem",
    "Reader",
    "fitting_readers",
    "formats",
    "load_reader",
    "read_recordings",
    "reader_for",
    "readers_of",
]

"""Readers of single files: those of the datasets, and one's own (docs/extending.md)."""

from pathlib import Path
from typing import Any

from registry import READERS, RegistryError
from zoo.data.adapters import irds, keraal, kimore, stgcn_rehab, uiprmd  # noqa: F401 - their readers register themselves
from zoo.data.adapters.base import PrepareReport, Problem, Reader


def load_reader(name: str, **options: Any) -> Reader:
    """The reader called `name`.

    Args:
        name: as registered.
        **options: keyword arguments of its class.

    Raises:
        RegistryError: no reader has this name, or it is broken.
    """
    entry = READERS.get(name)
    cls = entry.load()
    if not (isinstance(cls, type) and issubclass(cls, Reader)):
        raise RegistryError(f"reader {name!r} of {entry.owner} is no subclass of Reader: {cls!r}")
    try:
        return cls(**options)
    except TypeError as error:
        raise RegistryError(f"reader {name!r} of {entry.owner}: {error}") from None


def readers_of(path: Path, layout: str | None = None) -> list[str]:
    """Names of the readers that `path` looks like a file of.

    Args:
        path: a file or folder that exists.
        layout: only readers of this skeleton layout.
    """
    found = {name: load_reader(name) for name in READERS.names()}
    return [
        name
        for name, reader in found.items()
        if layout in (None, reader.layout) and reader.looks_like(path)
    ]


__all__ = ["PrepareReport", "Problem", "Reader", "load_reader", "readers_of"]

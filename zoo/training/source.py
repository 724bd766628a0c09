"""Whose code a model is, and whether it is still the one that was imported."""

import inspect
from functools import cache
from pathlib import Path

from torch import nn

from registry import MODELS
from zoo.files import file_hash
from zoo.runs.record import Source


def model_source(name: str, model: nn.Module | type) -> Source:
    """Whose code the model registered as `name` is.

    The file is read once in a process, when it is first asked for: a class that was imported does
    not change when somebody edits its file.
    """
    cls = model if isinstance(model, type) else type(model)
    owner = MODELS.get(name).owner if name in MODELS else None
    return Source(owner, f"{cls.__module__}:{cls.__qualname__}", _imported_hash(cls))


def source_hash(cls: type) -> str | None:
    """SHA-256 of the file `cls` stands in, as it is now; None where there is no such file."""
    try:
        file = inspect.getsourcefile(cls)
        return file_hash(Path(file)) if file else None
    except (OSError, TypeError):
        return None


_imported_hash = cache(source_hash)

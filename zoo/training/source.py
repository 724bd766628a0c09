"""Whose code a model is, and whether it is still the one that was imported."""

import inspect
from hashlib import sha256
from pathlib import Path

from torch import nn

from registry import MODELS, code_digest
from zoo.files import file_hash
from zoo.runs.record import Source


def model_source(name: str, model: nn.Module | type) -> Source:
    """Whose code the model registered as `name` is, with the hash of what was imported.

    For a class of a notebook that is the hash of its methods as its cell has them.
    """
    cls = model if isinstance(model, type) else type(model)
    owner = MODELS.get(name).owner if name in MODELS else None
    file = _file(cls)
    digest = _methods_hash(cls) if file is None else code_digest(file)
    return Source(owner, f"{cls.__module__}:{cls.__qualname__}", digest)


def source_hash(cls: type) -> str | None:
    """SHA-256 of the file `cls` stands in, as it is now; None where there is no such file."""
    file = _file(cls)
    return None if file is None else file_hash(file)


def _file(cls: type) -> Path | None:
    try:
        file = inspect.getsourcefile(cls)
    except (OSError, TypeError):
        return None
    return Path(file) if file and Path(file).is_file() else None


def _methods_hash(cls: type) -> str | None:
    methods = [value for value in vars(cls).values() if inspect.isfunction(value)]
    try:
        text = "".join(map(inspect.getsource, methods))
    except (OSError, TypeError):
        return None
    return sha256(text.encode()).hexdigest()

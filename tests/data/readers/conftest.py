"""Made-up files of every form."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from zoo.data.adapters.base import PrepareReport
from zoo.data.readers import load_reader, read_recordings
from zoo.data.recording import Recording

Read = Callable[..., tuple[list[Recording], list[str]]]


@pytest.fixture(scope="session")
def files() -> ModuleType:
    """The module pose_files.py."""
    file = Path(__file__).with_name("pose_files.py")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def read() -> Read:
    """Reads a file with a reader: its recordings, and what was noted."""

    def reading(name: str, file: Path, **options: Any) -> tuple[list[Recording], list[str]]:
        report = PrepareReport()
        found = list(read_recordings(load_reader(name, **options), file, report))
        return found, report.notes

    return reading

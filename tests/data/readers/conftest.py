"""Made-up files of every form."""

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
def files(module_of: Callable[[str], Any]) -> ModuleType:
    """The module pose_files.py."""
    module: ModuleType = module_of("data/readers/pose_files.py")
    return module


@pytest.fixture
def read() -> Read:
    """Reads a file with a reader: its recordings, and what was noted."""

    def reading(name: str, file: Path, **options: Any) -> tuple[list[Recording], list[str]]:
        report = PrepareReport()
        found = list(read_recordings(load_reader(name, **options), file, report))
        return found, report.notes

    return reading

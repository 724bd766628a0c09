"""Fixtures of the command's tests."""

import os

import pytest


@pytest.fixture(autouse=True)
def no_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """No width is set, also for child processes.

    readline, which pytest imports, puts COLUMNS into the environment behind `os.environ`'s back.
    """
    monkeypatch.delenv("COLUMNS", raising=False)
    os.unsetenv("COLUMNS")

"""The toy fold and models, as a fixture."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).with_name("toy_run.py")


@pytest.fixture(scope="session")
def toy() -> ModuleType:
    """The module `toy_run`: make_fold, make_config, TinyNet, Nearest, DATASET."""
    spec = importlib.util.spec_from_file_location("toy_run", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["toy_run"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def same_bits(one_thread: None) -> None:
    """Bits are compared: one thread, and what was before is put back."""

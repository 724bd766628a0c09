"""Fixtures for the readers of UI-PRMD and IRDS."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest


def load_module(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def uiprmd() -> ModuleType:
    """The module uiprmd_maker.py: hand-made UI-PRMD trees."""
    return load_module(Path(__file__).with_name("uiprmd_maker.py"))


@pytest.fixture(scope="session")
def pristine_uiprmd(uiprmd: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree: Path = uiprmd.make_tree(tmp_path_factory.mktemp("small") / "UI-PRMD")
    return tree


@pytest.fixture
def small_uiprmd(pristine_uiprmd: Path, tmp_path: Path) -> Path:
    """A tree of eighty files, twenty repetitions by each sensor; a test may change it."""
    return shutil.copytree(pristine_uiprmd, tmp_path / "UI-PRMD")


@pytest.fixture(scope="session")
def irds() -> ModuleType:
    """The module irds_maker.py: hand-made IRDS trees."""
    return load_module(Path(__file__).with_name("irds_maker.py"))

"""Fixtures that give tests the real recordings and the golden vectors, where they are at hand."""

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import settings

# One thread a process: pytest-xdist runs two, and torch threads that wait for a busy core make
# small tests many times slower. It must be set before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A process started in the background of a script ignores Ctrl-C and so do its children; the tests
# that press it need it to work.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No test depends on how fast the machine is, and Hypothesis's own profiles have a deadline.
settings.register_profile("zoo", deadline=None)
settings.load_profile("zoo")

KIMORE_SUBJECTS = ("E_ID1", "E_ID3", "E_ID8", "NE_ID11", "NE_ID24", "B_ID8", "P_ID3", "S_ID5")


@pytest.fixture(scope="session", autouse=True)
def no_width() -> None:
    """No width is set, also for child processes.

    readline, which pytest imports, puts COLUMNS into the environment behind `os.environ`'s back.
    """
    os.environ.pop("COLUMNS", None)
    os.unsetenv("COLUMNS")


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Torch on one thread during a test, then what was before."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount command")
    if done.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Development data: the folder `SKELETON_ZOO_SHARED`, else `shared` beside the checkout."""
    named = os.environ.get("SKELETON_ZOO_SHARED")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "data" / "unpack.py").is_file():
        pytest.skip(f"no development data in {folder} (set SKELETON_ZOO_SHARED)")
    return folder


@pytest.fixture(scope="session")
def unpack(shared_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Unpacks real recordings, in the layout their authors publish, once for all workers."""

    pytest.importorskip("openpyxl", reason="unpacking needs openpyxl")
    base = tmp_path_factory.getbasetemp()
    common = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base

    def run(dataset: str, *options: str) -> Path:
        dest = common / "-".join(("unpacked", dataset, *options)).replace(",", "_").replace(
            "/", "_"
        )
        with FileLock(f"{dest}.lock"):
            if not (dest / "done").is_file():
                script = shared_dir / "data" / "unpack.py"
                dest.mkdir(exist_ok=True)
                subprocess.run(
                    [sys.executable, str(script), dataset, str(dest), *options],
                    check=True,
                    capture_output=True,
                )
                (dest / "done").touch()
        return dest

    return run


@pytest.fixture(scope="session")
def kimore_tree(unpack: Callable[..., Path]) -> Path:
    """A real KIMORE tree of the eight people in `KIMORE_SUBJECTS`; treat it as read-only."""
    return unpack("kimore", "--subjects", ",".join(KIMORE_SUBJECTS)) / "KiMoRe"


@pytest.fixture(scope="session")
def make_kimore() -> Any:
    """The class `KimoreMaker` of tests/data/kimore_maker.py: hand-made KIMORE trees."""
    pytest.importorskip("openpyxl", reason="KIMORE's workbooks need openpyxl")
    return _module("data/kimore_maker.py").KimoreMaker


@pytest.fixture(scope="session")
def make_body() -> Any:
    """The function `body` of tests/data/body_maker.py: positions of a standing person."""
    return _module("data/body_maker.py").body


@pytest.fixture(scope="session")
def trained(make_kimore: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A hand-made KIMORE and models trained on it: `Trained` of tests/trained_maker.py."""
    root = tmp_path_factory.mktemp("trained")
    return _module("trained_maker.py").make(make_kimore(root / "KiMoRe"), root)


@pytest.fixture(scope="session")
def mediapipe() -> Any:
    """The module tests/mediapipe_maker.py: folders of made-up MediaPipe recordings."""
    return _module("mediapipe_maker.py")


@pytest.fixture(scope="session")
def pose_files() -> Any:
    """The module tests/data/readers/pose_files.py: made-up files of every form."""
    return _module("data/readers/pose_files.py")


@pytest.fixture(scope="session")
def store_maker() -> Any:
    """The class `StoreMaker` of tests/store_maker.py: folders of made-up runs."""
    return _module("store_maker.py").StoreMaker


@pytest.fixture(scope="session")
def make_record() -> Any:
    """The function `make_record` of tests/record_maker.py: the record of a run."""
    return _module("record_maker.py").make_record


@pytest.fixture
def make_store(store_maker: Any, tmp_path: Path) -> Callable[..., Any]:
    """Makes a `StoreMaker` below ``runs``."""
    return partial(store_maker, tmp_path / "runs")


@pytest.fixture(scope="session")
def fresh_site(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Makes fresh environments with the zoo's wheel: `make` of tests/site_maker.py."""
    pytest.importorskip("hatchling", reason="wheels are built with hatchling")
    return lambda *source: _module("site_maker.py").make(tmp_path_factory.mktemp("site"), *source)


def _module(path: str) -> Any:
    """A module of the tests, which are no package."""
    file = Path(__file__).parent / path
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def module_of() -> Callable[[str], Any]:
    """From a path below tests/ to the module in that file."""
    return _module


@pytest.fixture(scope="session")
def uiprmd_tree(unpack: Callable[..., Path]) -> Callable[[str], Path]:
    """Real UI-PRMD trees by part: kinect, vicon_angles or vicon_positions; read-only."""
    made: dict[str, Path] = {}

    def tree(part: str) -> Path:
        if part not in made:
            made[part] = unpack("uiprmd", "--part", part) / "UI-PRMD"
        return made[part]

    return tree


@pytest.fixture(scope="session")
def golden_tools() -> Any:
    """The module tests/baselines/test_golden.py: reads golden files and renames their weights."""
    return _module("baselines/test_golden.py")


@pytest.fixture(scope="session")
def golden(shared_dir: Path) -> Callable[[str], Path]:
    """Path of the golden file `NAME.npz`."""

    def path(name: str) -> Path:
        file = shared_dir / "golden" / f"{name}.npz"
        if not file.is_file():
            pytest.skip(f"no golden file {file}")
        return file

    return path

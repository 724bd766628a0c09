"""Runs that a camera can feed, and sessions of the simulator's people as the page saves them."""

import functools
import http.server
import importlib.util
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import zoo
from zoo.data.simulator import Settings, record
from zoo.runs.run import Run

HERE = Path(__file__).parent
FPS = 30
HOST = "127.0.0.1"


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data and runs."""
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="session")
def train(desk: Path) -> Callable[..., Run]:
    """Trains a small network, as `zoo.train`."""

    def trained(
        dataset: str = "synthetic-camera",
        model: str = "tcn",
        protocol: str | None = None,
        **overrides: Any,
    ) -> Run:
        few = {"dataset.people": 12, "dataset.repetitions": 2}
        settings = {**few, "trainer.epochs": 2, "trainer.threads": 1, **overrides}
        return zoo.train(
            model,
            dataset,
            protocol=protocol,
            overrides=settings,
            runs=desk / "runs",
            data_root=desk / "data",
            resume=True,
        )

    return trained


@pytest.fixture(scope="session")
def camera_run(train: Callable[..., Run]) -> Run:
    """A run on skeletons as a single camera gives them."""
    return train()


@pytest.fixture(scope="session")
def session_file(desk: Path, mediapipe: Any) -> Callable[..., Path]:
    """Writes a session as the page does: ``session_file(person, exercise, spoil)``.

    `spoil` changes the landmarks (T, 33, 4) in place and gives the frames without a person.
    """

    def written(person: int, exercise: str, spoil: Callable[[Any], Any] | None = None) -> Path:
        recording = record(person, exercise, Settings(repetitions=4))
        points = mediapipe.landmarks(recording)
        rng = np.random.default_rng(person)
        points = points + rng.normal(0, 0.01, points.shape)
        rows = np.concatenate([points, rng.uniform(0.3, 1, (*points.shape[:2], 1))], axis=-1)
        nobody = set() if spoil is None else set(spoil(rows))
        landmarks = np.round(rows, 5).tolist()
        frames = [
            {"poseWorldLandmarks": None if t in nobody else frame}
            for t, frame in enumerate(landmarks)
        ]
        file = desk / f"session-{person}-{exercise}-{len(nobody)}.json"
        file.write_text(json.dumps({"fps": FPS, "frames": frames}), encoding="utf-8")
        return file

    return written


@pytest.fixture(scope="session")
def in_node(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[dict[str, Any]]]:
    """What the page's code makes of sessions: ``in_node(manifest, files)``."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    folder = tmp_path_factory.mktemp("node")
    with resources.as_file(resources.files("zoo.app") / "page") as page:
        shutil.copytree(page, folder / "page")
    (folder / "page" / "package.json").write_text('{"type": "module"}')

    def made(manifest: dict[str, Any], files: list[Path]) -> list[dict[str, Any]]:
        run = folder / "run.json"
        run.write_text(json.dumps(manifest), encoding="utf-8")
        command = [node, HERE / "samples.mjs", folder / "page", run, *files]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout))

    return made


@pytest.fixture(scope="session")
def packages() -> None:
    """The npm packages are in the zoo's cache; no test fetches them."""
    from zoo.app.packages import PACKAGES, cached

    missing = [package.name for package in PACKAGES if not cached(package).is_dir()]
    if missing:
        pytest.skip(f"needs {' and '.join(missing)} in the cache: run zoo app once")


@pytest.fixture(scope="session")
def app_folder(desk: Path, camera_run: Run, packages: None) -> Path:
    """An app of `camera_run`, with the quickest model of landmarks."""
    pytest.importorskip("onnxruntime")
    from zoo.app.folder import write_app

    return write_app(camera_run, desk / "site", pose="lite", level=0.5, data_root=desk / "data")


@pytest.fixture(scope="module")
def served(app_folder: Path) -> Iterator[str]:
    """The address at which a plain server on loopback serves the app."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    handler = functools.partial(Quiet, directory=str(app_folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="session")
def chromium() -> ModuleType:
    """The driver of a headless browser, where there is one."""
    spec = importlib.util.spec_from_file_location("chromium", HERE.parent / "report/chromium.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if module.programs() is None:
        pytest.skip("needs chromium and chromedriver (Debian: chromium chromium-driver)")
    return module


class Page:
    """The app in a browser that can reach nothing but the loopback.

    Args:
        browser: of chromium.py.
        address: where it is served.
    """

    def __init__(self, browser: Any, address: str) -> None:
        self.browser, self.address = browser, address

    def open(self, width: int = 1280, dark: bool = False) -> None:
        """Open the page and wait until it has begun."""
        self.browser.device(width, 900, dark)
        self.browser.open(self.address)
        self.until("!document.getElementById('app').hidden")

    def text(self, name: str) -> str:
        """The text of an element."""
        return str(self.browser.js(f"return document.getElementById('{name}').textContent"))

    def until(self, condition: str, seconds: float = 240) -> Any:
        """Wait for a condition in JavaScript; gives its value."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.browser.js(f"return {condition}")
            if found:
                return found
            time.sleep(0.2)
        said = [self.text(name) for name in ("state", "notice", "score")]
        raise AssertionError(f"never: {condition}; the page says {said}; {self.browser.log()}")


@pytest.fixture
def page_of(
    chromium: ModuleType, served: str, tmp_path: Path
) -> Callable[..., AbstractContextManager[Page]]:
    """Opens a browser with more options and gives the page: ``with page_of(*options) as page``.

    When it is closed, every request of its own pages must have gone to the app's address.
    """

    @contextmanager
    def opened(*options: str) -> Iterator[Page]:
        log = tmp_path / "net.json"
        alone = f"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE {HOST}"
        with chromium.Chromium(
            tmp_path / "profile", alone, f"--log-net-log={log}", *options, graphics=True
        ) as browser:
            yield Page(browser, served)
        asked = requests_of(log, served)
        assert asked
        assert [url for url in asked if not url.startswith((served, "blob:", "data:"))] == []

    return opened


def requests_of(log: Path, origin: str) -> list[str]:
    """The addresses that pages of an origin, and their workers, have asked for."""
    found = []
    for event in json.loads(log.read_bytes())["events"]:
        told = event.get("params", {})
        if "url" in told and str(told.get("initiator", "")).startswith(origin.rstrip("/")):
            found.append(str(told["url"]))
    return found

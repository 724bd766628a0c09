"""The page in a real browser: sessions, cameras, what goes wrong; no request leaves its folder."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.prediction import Predictor
from zoo.runs.run import Run

PageOf = Callable[..., Any]
FINAL = "document.getElementById('score-title').textContent === 'Score'"
NOTICE = "!document.getElementById('notice').hidden"


def test_a_session_gets_the_score_that_python_gives(
    page_of: PageOf, session_file: Callable[..., Path], camera_run: Run
) -> None:
    file = session_file(1, "5")
    (scored,) = Predictor.open(camera_run, dataset="mediapipe", device="cpu").score(file)
    with page_of() as page:
        page.open()
        page.browser.choose("#file", file)
        page.until(FINAL)
        assert page.text("score") == f"{scored.score:.1f}"
        assert page.text("notice") == ""
        assert "repetitions found." in page.text("repetitions")
        assert "interval: " in page.text("interval")
        assert page.browser.log() == []


def test_a_saved_session_can_be_read_again(
    page_of: PageOf, session_file: Callable[..., Path], camera_run: Run, tmp_path: Path
) -> None:
    """What the page saves gives the same score in Python, to a thousandth."""
    with page_of() as page:
        page.open()
        page.browser.js(
            "window.saved = null; const make = URL.createObjectURL;"
            "URL.createObjectURL = (blob) => { blob.text().then((t) => { window.saved = t });"
            "return make(blob) }; HTMLAnchorElement.prototype.click = () => {}"
        )
        page.browser.choose("#file", session_file(2, "1"))
        page.until(FINAL)
        page.browser.press("d")
        text = page.until("window.saved")
        assert "landmarks and scores, no picture" in page.text("state")
    file = tmp_path / "session.json"
    file.write_text(text, encoding="utf-8")
    (scored,) = Predictor.open(camera_run, dataset="mediapipe", device="cpu").score(file)
    assert json.loads(text)["scores"][-1]["score"] == pytest.approx(scored.score, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.json", "[1, 2", "a.json is no session: it is not JSON."),
        ("b.json", '{"fps": 30, "frames": [{"poseWorldLandmarks": [[1]]}]}', "is no session of"),
        ("c.webm", "nothing", "c.webm is no video that this browser can read."),
        ("d.json", '{"fps": 30, "frames": [{"poseWorldLandmarks": null}]}', "nobody is seen"),
    ],
)
def test_files_that_are_none(
    name: str, text: str, told: str, page_of: PageOf, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    with page_of() as page:
        page.open()
        page.browser.choose("#file", file)
        page.until(NOTICE)
        assert told in page.text("notice")


def test_without_a_camera(page_of: PageOf) -> None:
    with page_of("--use-fake-ui-for-media-stream") as page:
        page.open()
        page.browser.press("c")
        page.until(NOTICE)
        assert page.text("notice") == "There is no camera here. Open a video instead."


def test_a_camera_that_is_refused(page_of: PageOf) -> None:
    with page_of("--use-fake-device-for-media-stream", "--deny-permission-prompts") as page:
        page.open()
        page.browser.click("#camera")
        page.until(NOTICE)
        assert page.text("notice").startswith("The camera was refused.")


def test_without_webgl(chromium: Any, served: str, tmp_path: Path) -> None:
    with chromium.Chromium(tmp_path / "profile") as browser:
        browser.open(served)
        said = ""
        for _ in range(100):
            said = browser.js("return document.getElementById('notice').textContent")
            if said:
                break
        assert "no WebGL 2" in said
        assert browser.js("return document.getElementById('camera').disabled")


def test_opened_as_a_file_it_says_how_to_open_it(
    chromium: Any, app_folder: Path, tmp_path: Path
) -> None:
    with chromium.Chromium(tmp_path / "profile") as browser:
        browser.open(app_folder / "index.html")
        said = browser.js("return document.getElementById('not-started').innerText")
        assert "python -m http.server" in said


@pytest.mark.parametrize(("width", "dark"), [(400, True), (1280, False)])
def test_it_fits_and_can_be_read(
    width: int, dark: bool, page_of: PageOf, session_file: Callable[..., Path]
) -> None:
    contrast = (Path(__file__).parents[1] / "report" / "contrast.js").read_text(encoding="utf-8")
    with page_of() as page:
        page.open(width, dark)
        page.browser.choose("#file", session_file(1, "5"))
        page.until(FINAL)
        assert page.browser.js("return document.documentElement.scrollWidth") <= width
        assert page.browser.js(contrast) == {}
        unnamed = page.browser.js(
            "return [...document.querySelectorAll('button, select, input, video, canvas, svg')]"
            ".filter((e) => !(e.textContent.trim() || e.ariaLabel || e.labels?.length ||"
            " e.ariaHidden === 'true' || e.tagName === 'VIDEO')).map((e) => e.id)"
        )
        assert unnamed == []


@pytest.mark.slow
def test_the_camera(page_of: PageOf, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Chromium's fake camera shows a photograph of a person; poses are found, drawn and scored."""
    film = tmp_path / "camera.mjpeg"
    film.write_bytes(b"".join(photographs(20)))
    camera = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )
    with page_of(*camera) as page:
        page.open()
        page.browser.js("document.getElementById('delay').value = '0'")
        page.browser.click("#camera")
        page.until("!document.getElementById('start').disabled")
        page.until("/ms a picture/.test(document.getElementById('speed').textContent)")
        page.browser.click("#start")
        page.until("document.getElementById('score').textContent !== '–'", 500)
        page.browser.click("#stop")
        page.until(FINAL)
        assert 0 < float(page.text("score")) < 50
        with capsys.disabled():
            print(f"\n{page.text('speed')}")
        log = [line for line in page.browser.log() if not mediapipes(line)]
        assert log == []


def mediapipes(line: str) -> bool:
    """Whether a line of the console is one of MediaPipe's own about its graphics."""
    return "pose_solution_simd_wasm_bin.js" in line and ("gl_context" in line or "INFO" in line)


def photographs(count: int) -> list[bytes]:
    """JPEGs of the portrait that matplotlib ships, moving a little from one to the next."""
    image = pytest.importorskip("PIL.Image", reason="needs Pillow")
    cbook = pytest.importorskip("matplotlib.cbook", reason="needs matplotlib")
    with image.open(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)) as opened:
        person = opened.convert("RGB")
    person.thumbnail((480, 480))
    found = []
    for i in range(count):
        picture = image.new("RGB", (640, 480), (90, 90, 90))
        picture.paste(person, (110 + abs(i - count // 2), 0))
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=90)
        found.append(file.getvalue())
    return found

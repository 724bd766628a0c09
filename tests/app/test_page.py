"""The page in a real browser: sessions, cameras, what goes wrong; no request leaves its folder."""

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.prediction import Predictor
from zoo.runs.run import Run
from zoo.skeleton.layout import load_layout

PageOf = Callable[..., Any]
FINAL = "document.getElementById('score-title').textContent === 'Score'"
NOTICE = "!document.getElementById('notice').hidden"
DRAWN = (
    "document.getElementById('skeleton').getContext('2d').getImageData("
    "0, 0, 640, 480).data.some((value) => value)"
)
PATIENCE = 900
"""Seconds for MediaPipe where one processor does the work of a graphics processor."""
KEEP_SAVED = (
    "window.saved = null; const make = URL.createObjectURL;"
    "URL.createObjectURL = (blob) => { blob.text().then((t) => { window.saved = t });"
    "return make(blob) }; HTMLAnchorElement.prototype.click = () => {}"
)
FILM = """
    const picture = new Image();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [640, 480];
    const pen = canvas.getContext("2d");
    const recorder = new MediaRecorder(canvas.captureStream(20));
    const chunks = [];
    let [size, paint] = [0, 0];
    recorder.ondataavailable = ({ data }) => {
      chunks.push(data);
      size += data.size; // a busy browser leaves pictures out: time says nothing of the length
      if (size > 160000 && recorder.state === "recording") recorder.stop();
    };
    recorder.onstop = async () => {
      clearInterval(paint);
      let text = "";
      for (const byte of new Uint8Array(await new Blob(chunks).arrayBuffer())) {
        text += String.fromCharCode(byte);
      }
      window.film = btoa(text);
    };
    const begin = () => {
      recorder.start(100);
      paint = setInterval(() => {
        pen.fillStyle = `hsl(0 0% ${40 + 5 * Math.random()}%)`;
        pen.fillRect(0, 0, 640, 480);
        if (picture.naturalWidth) pen.drawImage(picture, 4 * Math.random(), 0);
        for (let y = 0; y < 480; y += 8) {
          pen.fillStyle = `hsl(0 0% ${30 + 40 * Math.random()}%)`;
          pen.fillRect(0, y, 60, 8);
        }
      }, 50);
    };
    picture.onload = begin;
    picture.onerror = begin;
    picture.src = arguments[0];
"""


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
        page.browser.js(KEEP_SAVED)
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
        (
            "d.json",
            '{"fps": 30, "frames": [{"poseWorldLandmarks": null}]}',
            "No score: nobody is seen",
        ),
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
    """Chromium's fake camera shows a photograph of a person: poses are found and drawn."""
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
        page.until("!document.getElementById('start').disabled", PATIENCE)
        page.until(DRAWN, PATIENCE)
        page.browser.click("#start")
        page.until("document.getElementById('stage').classList.contains('recording')")
        page.until("/poses a second/.test(document.getElementById('speed').textContent)", PATIENCE)
        page.browser.click("#stop")
        page.until(f"{FINAL} || {NOTICE}", PATIENCE)
        with capsys.disabled():
            print(f"\n{page.text('speed')} {page.text('score')} {page.text('notice')}")
        assert "Nobody" not in page.text("notice")
        assert [line for line in page.browser.log() if not of_graphics(line)] == []


@pytest.mark.slow
def test_a_video_of_a_person(
    page_of: PageOf, tmp_path: Path, camera_run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """From pictures to a score in the browser, and from the saved session to the same in Python."""
    with page_of() as page:
        page.open()
        film = filmed(page, tmp_path / "person.webm", photographs(1)[0])
        page.browser.js(KEEP_SAVED)
        page.browser.choose("#file", film)
        page.until(FINAL, PATIENCE)
        assert "Most of the body is not clearly seen" in page.text("notice")  # it is a portrait
        with capsys.disabled():
            print(f"\n{page.text('speed')}")
        page.browser.press("d")
        text = page.until("window.saved")
        assert [line for line in page.browser.log() if not of_graphics(line)] == []
    file = tmp_path / "session.json"
    file.write_text(text, encoding="utf-8")
    (scored,) = Predictor.open(camera_run, dataset="mediapipe", device="cpu").score(file)
    assert json.loads(text)["scores"][-1]["score"] == pytest.approx(scored.score, abs=1e-3)
    (recording,) = Predictor.open(camera_run, dataset="mediapipe").recordings(file)
    kinect = load_layout("kinect-v2")
    place = dict(zip(kinect.joints, np.median(recording.positions, axis=0), strict=True))
    assert place["Head"][1] > place["SpineShoulder"][1] > place["SpineBase"][1]
    assert place["ShoulderLeft"][0] < place["ShoulderRight"][0]


@pytest.mark.slow
def test_a_video_without_a_person(page_of: PageOf, tmp_path: Path) -> None:
    with page_of() as page:
        page.open()
        page.browser.choose("#file", filmed(page, tmp_path / "grey.webm"))
        page.until(NOTICE, PATIENCE)
        assert page.text("notice") == "No score: nobody is seen in it."
        assert page.text("state") == "The whole video has been read."


def filmed(page: Any, file: Path, picture: bytes = b"") -> Path:
    """Some seconds of a picture that moves a little, or of grey, recorded by the browser."""
    page.browser.js(FILM, f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}")
    file.write_bytes(base64.b64decode(page.until("window.film")))
    return file


def of_graphics(line: str) -> bool:
    """Whether a line of the console is what MediaPipe or the driver tells of graphics."""
    told = "pose_solution_simd_wasm_bin.js" in line and ("gl_context" in line or "INFO" in line)
    return told or "GL Driver Message (OpenGL, Performance" in line


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

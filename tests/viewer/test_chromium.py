"""The page in a real browser: it plays, turns, is told, printed, and asks for nothing."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from zoo.viewer.page import render
from zoo.viewer.view import View

LEFT, RIGHT, END, HOME = "\ue012", "\ue014", "\ue010", "\ue011"


@pytest.fixture(scope="module")
def page(views: list[View], tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "page.html"
    file.write_bytes(render(views).encode())
    return file


@pytest.fixture
def show(browser: Any, page: Path) -> Iterator[Callable[..., Any]]:
    """Opens the page standing still; nothing is left in the console, nothing was asked for."""

    def opened(width: int = 1280, dark: bool = False, still: bool = True) -> Any:
        browser.device(width, 800, dark, still=still)
        browser.open(page)
        return browser

    yield opened
    assert browser.log() == []
    assert browser.js("return performance.getEntriesByType('resource').length") == 0


def part(page: Any, name: str, what: str = "textContent") -> Any:
    return page.js(
        "return document.querySelector(`[data-part=${arguments[0]}]`)[arguments[1]]", name, what
    )


def drawn(page: Any) -> int:
    """How many pixels of the picture are not of its ground."""
    return int(
        page.js(
            "const c = document.querySelector('[data-part=canvas]');"
            "const copy = document.createElement('canvas');"
            "copy.width = c.width; copy.height = c.height;"
            "const pen = copy.getContext('2d', {willReadFrequently: true});"
            "document.querySelector('[data-look=front]').click();"  # drawn in this very moment
            "pen.drawImage(c, 0, 0);"
            "const p = pen.getImageData(0, 0, copy.width, copy.height).data;"
            "let n = 0; for (let i = 3; i < p.length; i += 4) n += p[i] > 200; return n"
        )
    )


def focus(page: Any, name: str) -> None:
    page.js("document.querySelector(`[data-part=${arguments[0]}]`).focus()", name)


def test_the_body_is_drawn_in_3d(show: Callable[..., Any]) -> None:
    page = show()
    assert part(page, "canvas", "dataset")["painter"] == "Solid"
    assert drawn(page) > 2000
    assert page.js("return document.querySelector('[data-part=flat]').hidden")


def test_without_webgl_it_is_drawn_flat_and_says_so(
    chromium: Any, page: Path, tmp_path: Path
) -> None:
    with chromium.Chromium(tmp_path) as plain:
        plain.device(1280, 800, still=True)
        plain.open(page)
        assert part(plain, "canvas", "dataset")["painter"] == "Flat"
        assert drawn(plain) > 2000
        assert "gives no 3-D graphics" in plain.js(
            "return document.querySelector('[data-part=flat]').innerText"
        )
        assert plain.log() == []


def test_it_stands_still_for_who_wants_less_motion_and_else_plays(
    show: Callable[..., Any],
) -> None:
    assert part(show(still=True), "play") == "Play"
    assert part(show(still=False), "play") == "Pause"


def test_keys_step_through_the_time(show: Callable[..., Any], views: list[View]) -> None:
    page = show()
    focus(page, "play")
    page.press(RIGHT + RIGHT)
    assert part(page, "time", "value") == "2"
    page.press(LEFT)
    assert part(page, "time", "value") == "1"
    page.press(END)
    frames = views[0].body.recording.num_frames
    assert part(page, "time", "value") == str(frames - 1)
    page.press(HOME)
    assert part(page, "time", "value") == "0"
    page.press("]")
    assert part(page, "speed", "value") == "2"
    page.press("l")
    assert part(page, "loop", "checked")
    focus(page, "canvas")
    page.press(" ")
    assert part(page, "play") == "Pause"
    page.press(" ")
    assert part(page, "play") == "Play"


def test_keys_and_mouse_turn_the_body(show: Callable[..., Any]) -> None:
    page = show()
    picture = (
        "document.querySelector('[data-part=time]').dispatchEvent(new Event('input'));"
        "return document.querySelector('[data-part=canvas]').toDataURL()"
    )
    before = page.js(picture)
    assert page.js(picture) == before
    focus(page, "canvas")
    page.press(RIGHT)
    turned = page.js(picture)
    assert turned != before
    assert part(page, "time", "value") == "0"  # there the arrows turn, and time stands
    page.js(
        "const c = document.querySelector('[data-part=canvas]'); c.setPointerCapture = () => {};"
        "const at = (kind, x) => c.dispatchEvent(new PointerEvent(kind, {clientX: x, clientY: 9}));"
        "at('pointerdown', 10); at('pointermove', 90); at('pointerup', 90)"
    )
    assert page.js(picture) not in (before, turned)


def test_the_moment_is_told(show: Callable[..., Any], views: list[View]) -> None:
    page = show()
    focus(page, "play")
    page.press(END)
    page.js("return new Promise(done => setTimeout(done, 300))")
    told = part(page, "said")
    assert re.match(rf"{views[0].body.seconds:.1f} seconds; ", told)
    assert "score so far" in told
    assert re.search(r"left −?\d+°, right −?\d+°", told)
    live = "return document.querySelector('[data-part=said]').getAttribute('aria-live')"
    assert page.js(live) == "polite"


def test_a_click_on_the_time_axis_goes_there(show: Callable[..., Any]) -> None:
    page = show()
    page.click("[data-part=timeline]")
    assert int(part(page, "time", "value")) > 0


def test_another_measure_and_another_recording(show: Callable[..., Any], views: list[View]) -> None:
    page = show()
    rows = "return [...document.querySelectorAll('.timeline .row')].map(t => t.textContent)"
    assert page.js(rows)[:3] == [
        "Score so far, each beginning scored anew",
        "Repetitions",
        "What raised and lowered the score",
    ]
    page.js(
        "const s = document.querySelector('[data-part=measure]');"
        "s.selectedIndex = [...s.options].findIndex(o => o.text === 'Elbow bend');"
        "s.dispatchEvent(new Event('change', {bubbles: true}))"
    )
    assert page.js(rows)[3].startswith("Elbow bend")
    page.js(
        "const s = document.getElementById('recording'); s.value = 1;"
        "s.dispatchEvent(new Event('change'))"
    )
    shown = page.js(
        "return [...document.querySelectorAll('h1')].filter(h => h.getClientRects().length)"
        ".map(h => h.textContent)"
    )
    assert len(shown) == 1
    assert shown[0].startswith(views[1].body.recording.id)
    assert int(part(page, "time", "max")) == views[1].body.recording.num_frames - 1
    assert drawn(page) > 2000


@pytest.mark.parametrize("dark", [False, True])
def test_light_and_dark_can_be_read(show: Callable[..., Any], dark: bool) -> None:
    page = show(dark=dark)
    script = Path(__file__).parents[1] / "report" / "contrast.js"
    assert page.js(script.read_text(encoding="utf-8")) == {}


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_page_never_scrolls_sideways(show: Callable[..., Any], width: int) -> None:
    page = show(width=width)
    wide = "const r = document.scrollingElement; return r.scrollWidth - r.clientWidth"
    assert page.js(wide) == 0


def test_everything_has_a_name(show: Callable[..., Any]) -> None:
    page = show()
    unnamed = page.js(
        "return [...document.querySelectorAll('button, select, input, summary, canvas, section')]"
        ".filter(c => !(c.labels?.length || c.ariaLabel || c.textContent.trim()"
        " || c.getAttribute('aria-labelledby'))).map(c => c.outerHTML)"
    )
    assert unnamed == []


def test_it_is_printed_on_one_sheet(show: Callable[..., Any]) -> None:
    pdf = show().print()
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    assert re.search(rb"/MediaBox\s*\[\s*0 0 59[45]\S* 84[12]", pdf)

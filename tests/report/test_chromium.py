"""The page in a real browser: it sorts, filters, opens details, and runs nothing that is a name."""

from dataclasses import replace
from pathlib import Path

import pytest

ENTER, ESCAPE, SPACE, TAB = "\ue007", "\ue00c", " ", "\ue004"
HONEST, LEAKY = "#board-0", "#board-1"


@pytest.fixture(autouse=True)
def quiet(browser):
    """No test leaves an error in the console, a violation of the page's policy among them."""
    yield
    assert browser.log() == []


def names(page, board=HONEST, body="ranked"):
    """Names in the rows that are shown, in order."""
    return page.js(
        "return [...document.querySelectorAll(arguments[0])]"
        ".filter(row => row.getClientRects().length)"
        ".map(row => row.querySelector('.name').textContent)",
        f"{board} tbody.{body} tr:not(.divider)",
    )


def heads(page, board=HONEST):
    return page.js(
        "return [...document.querySelectorAll(arguments[0])]"
        ".filter(head => head.getClientRects().length)"
        ".map(head => head.innerText.replace(/\\s+/g, ' ').replace(/ [↕↑↓]/, ''))",
        f"{board} .ranking thead th",
    )


def choose(page, control, value, board=HONEST):
    page.js(
        "const control = document.querySelector(arguments[0]); control.value = arguments[1];"
        "for (const kind of ['input', 'change'])"
        " control.dispatchEvent(new Event(kind, {bubbles: true}));",
        f"{board} [data-control={control}]",
        value,
    )


def text(page, selector):
    return page.js("return document.querySelector(arguments[0]).innerText", selector)


def test_it_sorts(show):
    page = show()
    ranked = names(page)
    assert ranked[0] == "features-trees"
    assert len(ranked) == 20
    page.click(f"{HONEST} th[data-col=parameters] button")
    assert names(page)[-1] == "aagcn"
    head = f"{HONEST} th[data-col=parameters]"
    sort = "return document.querySelector(arguments[0]).getAttribute('aria-sort')"
    assert page.js(sort, head) == "ascending"
    page.js("document.querySelector(arguments[0]).focus()", f"{head} button")
    page.press(ENTER)
    assert page.js(sort, head) == "descending"
    assert names(page)[:2] == ["aagcn", "d2sta"]
    assert names(page, body="published")[0] == "D2STA"
    assert names(page, LEAKY)[0] == "d2sta"
    sorted_by = "return document.querySelectorAll(arguments[0]).length"
    assert page.js(sorted_by, f"{HONEST} [aria-sort]") == 1
    page.click(f"{HONEST} th[data-col=metric-0-spearman] button")
    assert page.js(sort, f"{HONEST} th[data-col=metric-0-spearman]") == "descending"
    assert set(names(page)[-2:]) == {"mean", "median"}  # no number comes last, both ways
    page.click(f"{HONEST} th[data-col=metric-0-spearman] button")
    assert set(names(page)[-2:]) == {"mean", "median"}
    page.click(f"{HONEST} th[data-col=model] button")
    assert names(page)[1:3] == ["aagcn", "bilstm"]


def test_it_filters(show):
    page = show()
    assert text(page, f"{HONEST} .result") == "20 of 20 models, 3 published results"
    choose(page, "family", "graph")
    assert names(page) == ["stgcn-small", "aagcn", "d2sta"]
    assert text(page, f"{HONEST} .result") == "3 of 20 models, 3 published results"
    choose(page, "text", "Orientation d2")
    assert names(page) == ["d2sta"]
    choose(page, "family", "*")
    choose(page, "text", "no such model")
    assert names(page) == names(page, body="published") == []
    assert text(page, f"{HONEST} .result") == "0 of 20 models, 0 published results"
    assert len(names(page, LEAKY)) == 20


def test_exercise_and_metric_switch_the_columns(show):
    page = show()
    metrics = heads(page)[2:6]
    assert metrics == ["MAD mean, points", "RMSE mean, points", "MAPE mean, %", "Spearman mean, ρ"]
    choose(page, "exercise", "2")
    assert heads(page)[2:6] == [m.replace("mean", "ex. 2") for m in metrics]
    choose(page, "metric", "mad")
    assert heads(page)[2:4] == ["MAD ex. 2, points", "Better by than mean score"]
    choose(page, "exercise", "*")
    assert [h.split()[1] for h in heads(page)[2:8]] == ["mean,", *(["ex."] * 5)]
    page.click(f"{HONEST} th[data-col=metric-3-mad] button")
    assert names(page)[0] == "features-trees"


def test_columns_hide(show):
    page = show()
    before = heads(page)
    page.js("document.querySelector(arguments[0]).focus()", f"{HONEST} .menu summary")
    page.press(ENTER)
    page.press(TAB)
    page.press(SPACE)
    assert heads(page) == [h for h in before if not h.startswith("Better")]
    page.click(f"{HONEST} [data-toggle=streams]")
    page.click(f"{HONEST} [data-toggle-published]")
    assert "Streams" not in heads(page)
    assert names(page, body="published") == []
    page.press(ESCAPE)
    assert page.js("return document.activeElement.tagName") == "SUMMARY"
    assert not page.js("return document.querySelector('#board-0 .menu').open")


def test_details_open_and_close(show, example):
    page = show(example.board())
    opened = "return document.getElementById('details').open"
    row = f"{HONEST} tr[data-entry='3']"
    page.js("document.querySelector(arguments[0]).focus()", f"{row} button.name")
    page.press(ENTER)
    assert page.js(opened)
    found = text(page, "#details")
    for part in (
        "stgcn-small",
        "4 of 20 (95 % interval 1–8), tied with the best",
        "380 predictions",
        "1 arm lift",
        "GPP/Parkinson",
        "the mean score",
        "trainer.lr",
        "python 3.11.2, torch 2.13.0",
        "kimore/5/person-kfold/stgcn-small/fold4-seed2-58dae4c4",
        "58dae4c460f8",
    ):
        assert part in found
    assert "leak" not in found
    points = "return document.querySelectorAll('.plot .point').length"
    assert page.js(points) == 380 + 5  # and a mark for each group in the legend
    select = "const s = document.querySelector('#details select'); s.value = '2';"
    page.js(f"{select} s.dispatchEvent(new Event('change'))")
    assert page.js(points) == 76 + 5
    page.press(ESCAPE)
    assert not page.js(opened)
    assert page.js("return document.activeElement.className") == "name"
    page.click(f"{LEAKY} tr[data-entry='0'] td[data-col=rank]")
    assert page.js(opened)
    found = text(page, "#details")
    assert found.startswith("d2sta")
    assert "⚠ These numbers leak: the pieces of one recording" in found
    assert "1900 of the first seed's 3800 predictions, evenly chosen" in found
    page.click("#details header button")
    assert not page.js(opened)


def test_a_public_board_has_no_plot(show):
    page = show()
    page.click(f"{HONEST} tr[data-entry='0'] button.name")
    assert "it holds no person's data" in text(page, "#details")
    assert page.js("return document.querySelectorAll('.plot').length") == 0
    assert "By exercise" in text(page, "#details")


def test_hostile_names_are_shown_and_not_run(show, example):
    page = show()
    assert example.HOSTILE in names(page)
    row = page.js(
        "return [...document.querySelectorAll('#board-0 tr[data-entry]')]"
        ".findIndex(row => row.textContent.includes('alert(1)'))"
    )
    page.click(f"{HONEST} tr[data-entry='{row}'] button.name")
    assert text(page, "#details h2") == example.HOSTILE
    in_pictures = "return [...document.querySelectorAll('svg title')].map(t => t.textContent)"
    assert any(t.startswith(example.HOSTILE) for t in page.js(in_pictures))
    assert page.js("return document.scripts.length") == 2


def test_nothing_in_any_text_is_run(show, example):
    page = show(example.spoiled(example.board()))
    for board in (HONEST, LEAKY):
        page.click(f"{board} tr[data-entry='16'] button.name")
        assert example.RUN in text(page, "#details")
        page.press(ESCAPE)
    assert page.js("return document.title") == "skeleton-zoo leaderboard"
    assert page.js("return document.images.length") == 0
    assert page.js("return document.scripts.length") == 2


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_page_never_scrolls_sideways(show, example, width):
    page = show(example.spoiled(example.board(points=False)), width=width)
    wide = "const r = document.scrollingElement; return r.scrollWidth - r.clientWidth"
    assert page.js(wide) == 0
    page.click(f"{HONEST} tr[data-entry='0'] button.name")
    assert (
        page.js(
            "const d = document.getElementById('details'); return d.scrollWidth - d.clientWidth"
        )
        == 0
    )
    page.press(ESCAPE)
    assert page.js(
        "const box = document.querySelector('.ranking').parentElement;"
        "return box.scrollWidth > box.clientWidth"
    )


def test_light_and_dark(show, example):
    script = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")
    paper = "return getComputedStyle(document.body).backgroundColor"
    board, colours = example.board(), []
    for dark in (False, True):
        page = show(board, dark=dark)
        colours.append(page.js(paper))
        assert page.js(script) == {}
        page.click(f"{LEAKY} tr[data-entry='2'] button.name")
        assert page.js(script) == {}
        page.press(ESCAPE)
    assert colours[0] != colours[1]
    theme = "const t = document.getElementById('theme'); t.value = 'light';"
    page.js(f"{theme} t.dispatchEvent(new Event('change'))")
    assert page.js(paper) == colours[0]


def test_the_cost_can_be_chosen(show):
    page = show()
    shown = (
        "return [...document.querySelectorAll('#board-0 .cost')]"
        ".filter(f => f.getClientRects().length).map(f => f.dataset.axis)"
    )
    assert page.js(shown) == ["parameters"]
    page.js(
        "const s = document.querySelector('[data-cost=board-0]'); s.value = 'flops';"
        "s.dispatchEvent(new Event('change'))"
    )
    assert page.js(shown) == ["flops"]


def test_everything_can_be_reached_and_is_named(show):
    page = show()
    page.press(TAB)
    assert page.js("return document.activeElement.className") == "skip"
    assert page.js("return document.activeElement.getBoundingClientRect().top >= 0")
    unnamed = page.js(
        "return [...document.querySelectorAll('button, select, input, summary, a')]"
        ".filter(c => !(c.labels?.length || c.textContent.trim())).length"
    )
    assert unnamed == 0
    assert page.js("return performance.getEntriesByType('resource').length") == 0


def test_without_scripts_the_table_is_there(show, browser):
    browser.scripts(allowed=False)
    try:
        page = show()
        assert len(names(page)) == 20
        assert "controls" not in page.js(
            "return [...document.querySelectorAll('.controls, .theme, .control')]"
            ".filter(c => c.getClientRects().length).map(c => c.className).join()"
        )
    finally:
        browser.scripts(allowed=True)


def test_an_empty_board_opens(show, example):
    board = replace(example.board(points=False), sections=[], pairs=[])
    assert "There are no complete runs yet" in text(show(board), "main")

"""The page without a browser: well-formed, self-contained, nothing unescaped."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from math import nan

import pytest

from zoo.evaluation.statistics import Interval, Spread
from zoo.report.figure_style import PALETTE
from zoo.report.page import render
from zoo.report.page_details import MAX_POINTS

VOID = {"meta", "input", "br", "hr", "img", "link"}


class Page(HTMLParser):
    """Elements of a page with their attributes and text; complains about what is not nested."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        assert len(attrs) == len(dict(attrs)), f"an attribute twice in {tag}: {attrs}"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self._open[-1] if self._open else "", data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]

    def content(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]

    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(t for tag, t in self.texts if tag != "script"))


def board_data(html: str) -> list:
    found = re.search(r'<script type="application/json" id="board-data">(.*?)</script>', html)
    assert found is not None
    return json.loads(found[1])


@pytest.fixture(scope="module")
def html(example):
    return render(example.board())


def test_it_is_well_formed_and_needs_nothing_else(html):
    page = Page(html)
    assert html.startswith("<!DOCTYPE html>")
    for tag, attrs in page.elements:
        assert not {"src", "srcset", "style", "action", "data", "background"} & set(attrs), tag
        assert not any(name.startswith("on") for name in attrs), tag
        href = attrs.get("href")
        if href is not None:
            assert tag == "a"
            assert href.startswith(("#", "https://doi.org/10."))
    assert not {"link", "img", "iframe", "object", "embed", "base", "form"} & {
        tag for tag, _ in page.elements
    }
    assert "@import" not in html
    assert "url(" not in html


def test_ids_are_unique_and_known(html):
    page = Page(html)
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    known = {*ids, "details-title"}  # in the dialog, once it is open
    for _, attrs in page.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert set((attrs.get(name) or "").split()) <= known
        href = attrs.get("href") or ""
        assert not href.startswith("#") or href[1:] in known


def test_the_policy_names_style_and_script(html):
    page = Page(html)
    policy = next(a["content"] for a in page.all("meta") if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    for content in (*page.content("style"), page.content("script")[-1]):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_tables_and_pictures_can_be_read_aloud(html):
    page = Page(html)
    assert all(attrs.get("scope") for attrs in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    pictures = [attrs for attrs in page.all("svg") if "aria-hidden" not in attrs]
    assert pictures
    assert all(a["role"] == "img" and a["aria-labelledby"] for a in pictures)
    regions = [a for a in page.all("div") if "scroll" in (a.get("class") or "").split()]
    assert all(a["tabindex"] == "0" and a["role"] == "region" for a in regions)


def test_the_whole_table_is_there_without_scripts(html, example):
    for entry in example.board().sections[0].ranked:
        assert f"{entry.mad:.2f}" in html
        assert f"{entry.metrics['3']['mape'].value:.1f}" in html
    text = Page(html).text()
    assert "Published numbers: copied from papers, not rerun, not ranked" in text
    assert "Protocol: random 8:1:1 of pieces Source and leak Leaks: pieces of one" in text
    assert "2026, points of 50" in text
    assert "71 of 75" in text
    assert "≈ tied with best" in text
    assert "not significant" in text


def test_a_leaky_board_says_so(html):
    text = Page(html).text()
    assert "⚠ These numbers leak. This protocol leaks: bodies are recognised." in text
    assert "Leaky numbers: KIMORE under d2sta-paper" in text
    assert text.count("⚠ leaks") >= 4
    assert "Under d2sta-paper half of the 20 models are off by 0.86 points or less" in text
    assert "goes from 0.41 to 8.91" in text
    assert (
        "The best of them under d2sta-paper, d2sta, is number 13 of 20 under person-kfold." in text
    )


def test_hostile_names_are_text(html, example):
    page = Page(html)
    assert len(page.all("script")) == 2
    assert "<script>alert" not in html
    assert "javascript:alert(1)" in page.text()
    assert [e["name"] for e in board_data(html)[0]["entries"]].count(example.HOSTILE) == 1
    spoiled_page = render(example.spoiled(example.board(points=False)))
    page = Page(spoiled_page)
    assert len(page.all("script")) == 2
    assert not page.all("img")
    assert example.RUN in page.text()


def test_the_data_are_safe_inside_a_script(example):
    board = example.with_entry(example.board(points=False), 0, 0, title="</script><!--\u2028&")
    found = re.search(r"<script type=.application/json.*?>(.*?)</script>", render(board))
    assert found is not None
    assert not re.search("[<>&\u2028]", found[1])
    assert json.loads(found[1])[0]["entries"][0]["title"] == "</script><!--\u2028&"


def test_undecodable_names_do_not_break_the_page(example):
    board = example.with_entry(example.board(points=False), 0, 0, name="wheel\udcff\x00")
    assert "wheel��" in render(board).encode().decode()


def test_a_public_board_holds_no_predictions(html, example):
    public = render(example.board(points=False))
    assert all(e["points"] is None for b in board_data(public) for e in b["entries"])
    assert "This page holds no person's data" in public
    assert "do not publish" not in public
    assert "do not publish" in html


def test_many_points_are_thinned_and_the_page_stays_small(example):
    board = example.board()
    for at, section in enumerate(board.sections):
        ranked = [*section.ranked, *(replace(e, name=f"{e.name}-2") for e in section.ranked[:5])]
        if section.protocol.leaky:
            ranked = [replace(e, points={k: p * 5 for k, p in e.points.items()}) for e in ranked]
        board = example.changed(board, at, ranked=ranked)
    html = render(board)
    assert len(html.encode()) < 3_000_000
    points = board_data(html)[1]["entries"][0]["points"]["1"]
    assert points["of"] == 3800
    assert MAX_POINTS / 2 < len(points["true"]) == len(points["group"]) <= MAX_POINTS


def test_missing_numbers(example):
    board = example.changed(example.board(points=False), 0, score_range=None, friedman=None)
    unknown = Interval(nan, nan, nan)
    for i, entry in enumerate(board.sections[0].ranked[:3]):
        metrics = {**entry.metrics, "1": {**entry.metrics["1"], "mad": unknown}}
        board = example.with_entry(
            board, 0, i,
            parameters=None, flops=None, train_seconds=None, latency_ms=None,
            versus_mean=None, versus_best=None, points=None, doi="", paper="",
            spread=Spread(nan, nan), better_than_mean=unknown, metrics=metrics,
            runs=[replace(entry.runs[0], epochs=None, train_seconds=None), *entry.runs[1:]],
        )  # fmt: skip
    Page(render(board))


@pytest.mark.parametrize("empty", ["board", "entries", "pair"])
def test_what_is_empty(example, empty):
    board = example.board(points=False)
    if empty == "board":
        board = replace(board, sections=[], pairs=[])
    elif empty == "entries":
        board = example.changed(board, 0, ranked=[], friedman=None, published=[])
    else:
        board = replace(board, pairs=[replace(board.pairs[0], models=[])])
    text = Page(render(board)).text()
    assert ("There are no complete runs yet" in text) == (empty == "board")


def test_pictures_are_matplotlibs_in_the_colours_of_the_page(html, example):
    page = Page(html)
    pictures = [attrs for attrs in page.all("svg") if attrs.get("role") == "img"]
    assert len(pictures) == 2 * (1 + 3 * 2) + 2
    drawn = "".join(f"{t} {' '.join(v or '' for v in a.values())}" for t, a in page.elements)
    assert "var(--graph)" in drawn
    for light, _ in PALETTE.values():
        assert light not in drawn
    titles = page.content("title")
    assert "knn-bones: 0.41 → 8.91 points" in titles
    assert "features-trees: mean rank 2.40" in titles
    assert any(t.startswith(f"{example.HOSTILE}: MAD 7.70, 12 parameters") for t in titles)


def test_the_same_board_gives_the_same_page(html, example):
    assert render(example.board()) == html

"""The page says what is known, runs nothing that is a name, and holds nobody's own numbers."""

import re
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

import zoo
from zoo.errors import ConfigError, DataError
from zoo.viewer.page import render
from zoo.viewer.view import View, views_of
from zoo.viewer.write import write_page

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


def text(page: str) -> str:
    body = page.partition("<body>")[2].partition('<script type="application/json"')[0]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_it_says_score_interval_error_and_what_they_are_worth(views: list[View]) -> None:
    page = text(render(views))
    scored, run = views[0].body.scored, views[0].predictor.run
    assert f"Score {scored.score:.2f} on the scale from 0 to 50" in page
    assert f"was off by {run.test['mad']:.2f} points on average" in page
    assert "giving everybody the mean score is off by" in page
    assert "is no course of how well the movement is done" in page
    assert "not what is wrong with the movement" in page
    assert "they have no scores of their own" in page
    assert "brought together in time (dynamic time warping)" in page
    assert "nobody's own numbers are in this page" in page
    assert "do not publish it" in page
    assert "may be shown to anybody" in text(render(views, showable=True))


def test_joints_have_the_names_of_people(views: list[View]) -> None:
    assert not re.search(r"\b(KneeLeft|ElbowRight|SpineBase)\b", text(render(views)))


def test_nothing_but_the_file_is_named(views: list[View]) -> None:
    page = render(views)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert unescape(policy[1]).startswith("default-src 'none'; style-src 'sha256-")
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#)""", page.partition("<script>")[0])


def test_no_other_person_is_in_it(views: list[View]) -> None:
    page = render(views)
    shown = {v.body.recording.subject for v in views}
    assert views[0].beside is not None
    shown.add(views[0].beside.body.recording.subject)
    others = {p for part in ("train", "validation", "test")
              for p in views[0].predictor.run.split[part]["persons"]} - shown  # fmt: skip
    assert others
    assert not [person for person in others if re.search(rf"\b{re.escape(person)}\b", page)]


def test_hostile_names_are_text(views: list[View]) -> None:
    body = views[0].body
    hostile = replace(body, recording=replace(body.recording, id=HOSTILE))
    page = render([replace(views[0], body=hostile, notes=(HOSTILE,))])
    assert page.count("<script") == 4
    assert "<img" not in page


def test_a_repetition_shows_its_score_where_it_has_one(
    train: Any, data_root: Any, views: list[View]
) -> None:
    run = train("mean", **{"protocol.sampling.kind": "repetitions"})
    from zoo.prediction import Predictor

    predictor = Predictor.open(run, data_root=data_root)
    (view,) = views_of(predictor, [views[0].body.recording.id])
    assert len(view.repetition_scores) == len(view.body.repetitions) > 1
    assert "Each repetition has the score" in text(render([view]))


def test_bad_input_is_told(predictor: Any, tested: list[str], tmp_path: Any) -> None:
    with pytest.raises(ConfigError, match="no recording to show"):
        views_of(predictor, [])
    with pytest.raises(DataError, match="no such file or folder"):
        views_of(predictor, ["nobody"])
    (tmp_path / "there.html").touch()
    with pytest.raises(ConfigError, match=r"there\.html is there already"):
        write_page(predictor, tested[:1], tmp_path / "there.html")
    with pytest.raises(ConfigError, match="is a folder"):
        write_page(predictor, tested[:1], tmp_path)


def test_in_python(run: Any, data_root: Any, tested: list[str], tmp_path: Any) -> None:
    file = zoo.view(run, tested[:1], tmp_path / "new" / "page.html", data_root=data_root)
    assert file.stat().st_size < 1_500_000
    assert "These recordings may be shown to anybody." in file.read_text(encoding="utf-8")

import pytest

from zoo.evaluation.metrics import board_metrics
from zoo.words import (
    count,
    fixed,
    interval,
    milliseconds,
    percent,
    plain,
    probability,
    score_digits,
    seconds,
    with_interval,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (fixed(5.824), "5.82"),
        (fixed(-0.4, 0, sign=True), "0"),
        (fixed(0.04, 1, sign=True), "0.0"),
        (fixed(-8.2, 1), "−8.2"),
        (fixed(29.2, 0, sign=True), "+29"),
        (fixed(None), "–"),
        (fixed(float("nan")), "–"),
        (interval(5.3, 6.44, 1), "5.3–6.4"),
        (interval(-0.5, 0.25), "−0.50 to 0.25"),
        (interval(None, 1.0), ""),
        (interval(float("nan"), 1.0), ""),
        (with_interval(5.31, 4.9, 6.12), "5.31 (4.90–6.12)"),
        (with_interval(5.31, None, None), "5.31"),
        (with_interval(None, None, None), "–"),
        (percent(0.9), "90%"),
        (percent(0.29), "29%"),
        (percent(0.995), "99.5%"),
        (percent(2 / 3), "66.67%"),
        (count(0), "0"),
        (count(0.1), "0.1"),
        (count(617), "617"),
        (count(999_600), "1 M"),
        (count(196_585), "197 k"),
        (count(2_012_555), "2.01 M"),
        (count(3.52e9), "3.52 G"),
        (count(None), "–"),
        (seconds(0.42), "0.4 s"),
        (seconds(185), "3 min 05 s"),
        (seconds(None), "–"),
        (milliseconds(0.314), "0.31 ms"),
        (milliseconds(10.56), "10.6 ms"),
        (milliseconds(None), "–"),
        (probability(0.00004), "< 0.001"),
        (probability(0.31), "0.310"),
        (probability(None), "–"),
    ],
)
def test_numbers(value, text):
    assert value == text


def test_only_text_is_left():
    tree = {"a\x00": ["x\x1b[31m", ("\udcff", 3, None)], "name\u202egnp.exe": True}
    assert plain(tree) == {"a�": ["x�[31m", ("�", 3, None)], "name�gnp.exe": True}
    assert plain("café\n模型 👩🏽‍🦽 <b>") == "café\n模型 👩🏽‍🦽 <b>"


@pytest.mark.parametrize(
    ("score_range", "digits"), [((0, 50), 2), ((0.0, 1.0), 4), ((-1, 1), 2), (None, 2)]
)
def test_errors_of_small_scores_have_more_decimals(score_range, digits):
    assert score_digits(score_range) == digits
    assert {m.name: m.digits(score_range) for m in board_metrics().values()} == {
        "mad": digits,
        "rmse": digits,
        "mape": 2,
        "spearman": 3,
    }

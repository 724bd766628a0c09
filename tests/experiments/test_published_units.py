"""What a MAD implies for the numbers beside it, where the unit is known."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.evaluation.statistics import Table
from zoo.experiments.units import UNITS, convert

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "published_units.py"
SCORES = np.random.default_rng(5).normal(36, 8, 75).clip(5, 50)


@pytest.fixture(scope="module")
def script() -> Any:
    spec = importlib.util.spec_from_file_location("published_units", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def printed(unit: str, spread: float, seed: int) -> dict[str, float]:
    """The numbers of a paper whose errors are normal, of `spread` points, and in `unit`."""
    draw = np.random.default_rng(seed)
    true = draw.choice(np.repeat(SCORES, 10), 75, replace=False)
    table = Table("1", 0, [""] * 75, true, true + draw.normal(0, spread, 75))
    table = convert(table, unit, 50)
    found = {metric: table.value(metric) for metric in ("mad", "mape", "spearman")}
    if unit == "standardised":
        found["mape"] /= 100
    return found


@pytest.mark.parametrize("unit", UNITS)
def test_the_unit_that_was_used_fits(script: Any, unit: str) -> None:
    """In nearly all of some papers that use it; the ranges hold 95 % of draws."""
    missed = 0
    for seed in range(6):
        paper = printed(unit, 1.4, seed)
        found = script.implied(SCORES, paper["mad"], unit, 50)
        assert set(found._asdict()) == {"mape", "spearman"}
        missed += sum(not fits for fits in script.fitting(paper, found).values())
    assert missed <= 2


@pytest.mark.parametrize(
    ("unit", "other", "metric"),
    [
        ("standardised", "points", "spearman"),
        ("standardised", "points of 100", "spearman"),
        ("points", "standardised", "spearman"),
        ("points", "points of 100", "mape"),
        ("points of 100", "points", "mape"),
    ],
)
def test_another_unit_does_not_fit(script: Any, unit: str, other: str, metric: str) -> None:
    for seed in range(3):
        paper = printed(unit, 1.4, seed)
        found = script.implied(SCORES, paper["mad"], other, 50)
        assert not script.fitting(paper, found)[metric]


def test_what_is_not_published_is_not_judged(script: Any) -> None:
    found = script.implied(SCORES, 1.0, "points", 50)
    assert script.fitting({"mad": 1.0, "spearman": 0.9}, found) == {"spearman": False}
    assert found.mape.low < found.mape.value < found.mape.high

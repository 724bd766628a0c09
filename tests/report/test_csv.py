"""The board as CSV: one flat table, and no cell that a spreadsheet computes."""

import csv
import io

import pytest

from zoo.board.leaderboard import build_board
from zoo.report.csv import render


def rows(root):
    board = build_board(root)
    return board, list(csv.DictReader(io.StringIO(render(board))))


def test_a_row_a_model_and_exercise(store):
    board, table = rows(store.root)
    ranked = [row for row in table if row["status"] == "ranked"]
    assert [(row["name"], row["exercise"]) for row in ranked[:3]] == [
        ("d2sta", "mean"), ("d2sta", "1"), ("d2sta", "5"),
    ]  # fmt: skip
    mad = board.sections[0].ranked[0].metrics["mean"]["mad"]
    assert float(ranked[0]["mad"]) == mad.value
    assert float(ranked[0]["mad_high"]) == mad.high
    assert ranked[0]["seeds"] == "2"
    assert ranked[0]["leaky"] == "false"
    assert ranked[0]["better_than_mean_percent"]
    assert not ranked[1]["better_than_mean_percent"]
    mean = next(row for row in ranked if row["name"] == "mean")
    assert mean["spearman"] == ""
    apart = next(row for row in table if row["status"] == "provisional")
    assert apart["note"] == "1 of 4 runs: runs are missing"
    paper = next(r for r in table if r["status"] == "published" and r["name"] == "D2STA")
    assert (paper["mad"], paper["leaky"], paper["rank"]) == ("0.119", "true", "")
    assert paper["unit"] == "points of 50"


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", " =1", "\t=1", '=HYPERLINK("x")'])
def test_no_name_is_a_formula(store, name):
    store.entry(name, owner="=cmd 1.0")
    _, table = rows(store.root)
    row = next(row for row in table if row["model"].lstrip("' \t") == name.strip())
    assert row["name"].startswith("'")
    assert row["source"].startswith("'")


def test_negative_numbers_stay_numbers(store):
    store.entry("aagcn", error=60.0)
    _, table = rows(store.root)
    worse = next(row for row in table if row["name"] == "aagcn" and row["exercise"] == "mean")
    assert float(worse["better_than_mean_percent"]) < 0


def test_commas_quotes_and_breaks_stay_in_their_cell(store):
    store.entry('a,"b"\nc', owner="x 1.0")
    _, table = rows(store.root)
    assert any(row["name"] == 'a,"b"\nc' for row in table)

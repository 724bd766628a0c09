from pathlib import Path

import numpy as np
import pytest

from zoo.data.adapters.base import FaultError, Problem
from zoo.data.adapters.rows import read_rows


def write(tmp_path: Path, text: str | bytes) -> Path:
    file = tmp_path / "rows.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def fault(tmp_path: Path, text: str | bytes, **options: object) -> Problem:
    with pytest.raises(FaultError) as caught:
        read_rows(write(tmp_path, text), 3, **options)  # type: ignore[arg-type]
    return caught.value.problem


@pytest.mark.parametrize(
    "text",
    [
        "1,2,3\n4,5,6\n",
        "1,2,3,\n4,5,6,\n",
        "\n\n\n1,2,3,\n4,5,6,\n",
        "1,2,3\r\n4,5,6\r\n",
        "1,2,3\r4,5,6",
        "\n1, 2 ,3\n\n4,5,6\n\n",
        b"\xef\xbb\xbf1,2,3\n4,5,6\n",
    ],
)
def test_sound_files(tmp_path: Path, text: str | bytes) -> None:
    rows = read_rows(write(tmp_path, text), 3)
    assert rows.values.dtype == np.float32
    assert rows.values.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert rows.widths == (3,)


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    rows = read_rows(write(tmp_path, "\n\n1,2,3\n\n4,5,6\n"), 3)
    assert rows.lines.tolist() == [3, 5]


def test_float32_is_read_exactly(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    text = "\n".join(",".join(np.format_float_positional(v) for v in row) for row in values)
    assert np.array_equal(read_rows(write(tmp_path, text), 3).values, values)


def test_one_value_a_row(tmp_path: Path) -> None:
    assert read_rows(write(tmp_path, "1\n2\n"), 1).values.tolist() == [[1], [2]]
    with pytest.raises(FaultError):
        read_rows(write(tmp_path, "1,2\n"), 1)


def test_a_row_of_the_wrong_width(tmp_path: Path) -> None:
    error = fault(tmp_path, "\n1,2,3\n4,5\n6,7,8\n")
    assert (error.kind, error.line, error.found, error.expected) == (
        "row-width",
        3,
        "2 values",
        "3 values",
    )
    assert fault(tmp_path, "1,2,3,4\n").found == "4 values"
    assert fault(tmp_path, "1,2,3,4,\n").found == "4 values"
    assert fault(tmp_path, "1;2;3\n").kind == "row-width"


def test_rows_of_several_bodies_only_where_allowed(tmp_path: Path) -> None:
    text = "1,2,3,7,7,7,\n4,5,6,\n"
    assert fault(tmp_path, text).kind == "row-width"
    rows = read_rows(write(tmp_path, text), 3, (1, 2))
    assert rows.values.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert rows.widths == (3, 6)
    error = fault(tmp_path, "1,2,3,4,\n", multiples=(1, 2))
    assert error.expected == "3 values (or 6, of which the first 3 count)"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("x", "not-a-number"),
        ("", "not-a-number"),
        ("1.2.3", "not-a-number"),
        ("1,5", "row-width"),
        ("nan", "not-finite"),
        ("-inf", "not-finite"),
        ("1e99", "not-finite"),
    ],
)
def test_a_value_that_is_no_number(tmp_path: Path, value: str, kind: str) -> None:
    error = fault(tmp_path, f"\n1,2,3\n4,{value},6\n7,8,9\n")
    assert (error.kind, error.line) == (kind, 3)
    if kind != "row-width":
        assert error.found == f"{value!r} as value 2"


@pytest.mark.parametrize(
    ("text", "found"), [("", "an empty file of 0 bytes"), ("\n\n \n", "only blank lines")]
)
def test_an_empty_file(tmp_path: Path, text: str, found: str) -> None:
    error = fault(tmp_path, text)
    assert (error.kind, error.line, error.found) == ("empty", None, found)


@pytest.mark.parametrize("text", ["1,2,3,\n4,5,6,\n7,8", "1,2,3,\n4,5,6,\n7,8,0.1", "1,2,3\n4,5"])
def test_a_cut_last_row(tmp_path: Path, text: str) -> None:
    error = fault(tmp_path, text)
    assert error.kind == "truncated"
    assert error.line == text.count("\n") + 1


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    kinds = ("row-width", "not-a-number", "truncated")
    assert fault(tmp_path, bytes(range(256)) * 4).kind in kinds
    assert fault(tmp_path, "1,2,3\n4,5,6\n".encode("utf-16")).kind in kinds


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FaultError) as caught:
        read_rows(tmp_path / "absent.csv", 3)
    assert caught.value.problem.kind == "unreadable"

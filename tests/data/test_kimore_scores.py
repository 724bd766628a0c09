"""KIMORE's workbooks, on hand-made ones: every fault that is known or to be expected."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.data.adapters.base import PrepareReport, Problem
from zoo.data.adapters.kimore import KimoreAdapter
from zoo.data.recording import Recording


@pytest.fixture
def maker(make_kimore: Any, tmp_path: Path) -> Any:
    return make_kimore(tmp_path / "KiMoRe")


def read(source: Path) -> tuple[dict[str, Recording], PrepareReport]:
    report = PrepareReport()
    progress = KimoreAdapter.NO_PROGRESS
    recordings = list(KimoreAdapter().read(source, report, progress))
    ids = [recording.id for recording in recordings]
    assert ids == sorted(ids)
    return {recording.id: recording for recording in recordings}, report


def only_problem(report: PrepareReport, *kinds_to_ignore: str) -> Problem:
    problems = [p for p in report.problems if p.kind not in ("no-positions", *kinds_to_ignore)]
    assert len(problems) == 1, [str(p) for p in problems]
    return problems[0]


def scores_after(maker: Any, spoil: Callable[[Path], None]) -> tuple[Recording, PrepareReport]:
    """One session whose only workbook is spoilt."""
    maker.session("E_ID1", 1)
    spoil(maker.label("E_ID1", 1))
    recordings, report = read(maker.root)
    return recordings["E_ID1/Es1"], report


def test_a_missing_workbook(maker: Any) -> None:
    recording, report = scores_after(maker, Path.unlink)
    assert recording.scores == {}
    problem = only_problem(report)
    assert (problem.kind, problem.skipped) == ("no-workbook", False)
    assert problem.expected == "Label/ClinicalAssessment_E_ID1.xlsx"


def test_the_workbook_of_another_exercise_serves_too(maker: Any) -> None:
    maker.person("E_ID1")
    for exercise in (1, 2, 3, 5):
        maker.label("E_ID1", exercise).unlink()
    recordings, report = read(maker.root)
    assert [recordings[f"E_ID1/Es{i}"].scores["total"] for i in range(1, 6)] == [
        40.0,
        41.0,
        42.0,
        43.0,
        44.0,
    ]
    assert report.problems == []
    assert sum("taken from CG/Expert/E_ID1/Es4/Label" in note for note in report.notes) == 4


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04 half a workbook", b"not a workbook", bytes(range(256)) * 40]
)
def test_a_broken_workbook(maker: Any, content: bytes) -> None:
    recording, report = scores_after(maker, lambda file: file.write_bytes(content) and None)
    assert recording.scores == {}
    assert only_problem(report).kind == "broken-workbook"


def test_a_cut_workbook(maker: Any) -> None:
    def cut(file: Path) -> None:
        file.write_bytes(file.read_bytes()[:2000])

    assert only_problem(scores_after(maker, cut)[1]).kind == "broken-workbook"


def test_a_wrong_sheet(maker: Any) -> None:
    def supplement(file: Path) -> None:
        from openpyxl import Workbook

        book = Workbook()
        book.active.append(["Subject ID", "Group", "Age ", "Gender"])
        book.active.append(["E_ID1", "CG", 30, "F"])
        book.save(file)

    recording, report = scores_after(maker, supplement)
    assert recording.scores == {}
    problem = only_problem(report)
    assert (problem.kind, problem.line) == ("wrong-sheet", 1)
    assert problem.found == "'Subject ID', 'Group', 'Age '"


def test_the_sheet_of_another_person(maker: Any) -> None:
    recording, report = scores_after(maker, lambda file: maker.workbook(file, "E_ID7"))
    assert recording.scores == {}
    problem = only_problem(report)
    assert (problem.kind, problem.line, problem.found) == ("wrong-sheet", 2, "the scores of E_ID7")


def test_the_scores_may_be_on_a_later_sheet_in_any_column(maker: Any) -> None:
    def moved(file: Path) -> None:
        from openpyxl import Workbook

        maker.workbook(file, "E_ID1")
        from openpyxl import load_workbook

        rows = [[c.value for c in row] for row in load_workbook(file).active.iter_rows()]
        book = Workbook()
        book.active.append(["notes"])
        sheet = book.create_sheet()
        sheet.append([])
        for row in rows:
            text = [
                f" {c} ".replace("clinical", "Clinical ") if isinstance(c, str) else c for c in row
            ]
            sheet.append([None, *reversed(text)])
        book.save(file)

    recording, report = scores_after(maker, moved)
    assert recording.scores == {"total": 40.0, "primary": 10.0, "control": 30.0}
    only = [p for p in report.problems if p.kind != "no-positions"]
    assert only == []


@pytest.mark.parametrize(
    ("total", "kind"),
    [
        (None, "no-score"),
        ("", "no-score"),
        ("good", "bad-score"),
        (51.0, "bad-score"),
        (-1, "bad-score"),
    ],
)
def test_a_missing_or_impossible_score(maker: Any, total: object, kind: str) -> None:
    def spoil(file: Path) -> None:
        maker.workbook(file, "E_ID1", total=(total, 41.0, 42.0, 43.0, 44.0))

    recording, report = scores_after(maker, spoil)
    assert recording.scores == {"primary": 10.0, "control": 30.0}
    problem = only_problem(report)
    assert (problem.kind, problem.line, problem.skipped) == (kind, 2, False)


def test_no_score_at_all_is_one_fault(maker: Any) -> None:
    """As for E_ID17: the sheet is there, its cells are empty."""

    def spoil(file: Path) -> None:
        maker.workbook(file, "E_ID1", *[[None] * 5] * 3)

    recording, report = scores_after(maker, spoil)
    assert recording.scores == {}
    assert only_problem(report).found == "no value of clinical TS, PO, CF for exercise 1"


def test_a_total_that_is_not_the_sum_is_kept_and_noted(maker: Any) -> None:
    """As for E_ID3 and E_ID4 in exercise 5."""

    def spoil(file: Path) -> None:
        maker.workbook(file, "E_ID1", total=(40.67, 41.0, 42.0, 43.0, 44.0))

    recording, report = scores_after(maker, spoil)
    assert recording.scores["total"] == 40.67
    assert any("differs from primary + control by 0.67" in note for note in report.notes)


def test_a_workbook_as_text(maker: Any) -> None:
    """Numbers typed as text are numbers."""

    def spoil(file: Path) -> None:
        maker.workbook(file, "E_ID1", total=("40.5", 41.0, 42.0, 43.0, 44.0))

    assert scores_after(maker, spoil)[0].scores["total"] == 40.5


def test_lock_files_of_office_programs_are_no_workbooks(maker: Any) -> None:
    maker.session("E_ID1", 1)
    label = maker.label("E_ID1", 1)
    label.with_name(f"~${label.name}").write_bytes(b"locked")
    assert read(maker.root)[0]["E_ID1/Es1"].scores["total"] == 40.0


def test_a_workbook_that_unpacks_to_much_more_is_not_read(maker: Any) -> None:
    maker.session("E_ID1", 1, frames=12)
    file = maker.label("E_ID1", 1)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/worksheets/sheet2.xml", b" " * 60_000_000)
    assert file.stat().st_size < 100_000
    report = PrepareReport()
    (one,) = KimoreAdapter().read(maker.root, report, KimoreAdapter.NO_PROGRESS)
    assert one.scores == {}
    (problem,) = [p for p in report.problems if p.kind == "too-large"]
    assert problem.found == "a workbook that unpacks to 60 MB"
    assert problem.expected == "at most 50 MB"


def test_a_workbook_that_lies_about_its_size_is_broken(maker: Any) -> None:
    maker.session("E_ID1", 1, frames=12)
    file = maker.label("E_ID1", 1)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/worksheets/sheet2.xml", b" " * 60_000_000)
    size = (60_000_000).to_bytes(4, "little")
    file.write_bytes(file.read_bytes().replace(size, (1000).to_bytes(4, "little")))
    report = PrepareReport()
    (one,) = KimoreAdapter().read(maker.root, report, KimoreAdapter.NO_PROGRESS)
    assert one.scores == {}
    assert "broken-workbook" in {p.kind for p in report.problems}

"""The STGCN-rehab release of KIMORE, on hand-made files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.data.adapters.base import PrepareReport
from zoo.data.adapters.stgcn_rehab import ORDER, StgcnRehabAdapter
from zoo.data.dataset import SkeletonDataset, create_adapter, prepare
from zoo.data.recording import UNKNOWN_SUBJECT, Recording
from zoo.errors import DataError


def write(
    folder: Path, scores: list[float], states: Any = 2.0, rows: int | None = None
) -> np.ndarray:
    folder.mkdir(parents=True)
    count = 100 * len(scores) if rows is None else rows
    values = np.random.default_rng(len(scores)).normal(scale=0.05, size=(count, 25, 4))
    values[..., 1] += np.where(np.isin(np.arange(25), range(12, 20)), -0.8, 0.5)
    values = values.round(4)
    values[..., 3] = states
    lines = [",".join(f"{v:g}" for v in row) for row in values.reshape(count, 100)]
    (folder / "Train_X.csv").write_text("\n".join(lines) + "\n")
    (folder / "Train_Y.csv").write_text("".join(f"{s}\n" for s in scores))
    return values


def read(source: Path, **options: Any) -> tuple[list[Recording], PrepareReport]:
    report = PrepareReport()
    adapter = StgcnRehabAdapter(**options)
    return list(adapter.read(source, report, adapter.NO_PROGRESS)), report


def counts_file(tmp_path: Path, values: Any) -> str:
    file = tmp_path / "counts.json"
    file.write_text(json.dumps(values))
    return str(file)


def test_repetitions_without_people(tmp_path: Path) -> None:
    values = write(tmp_path / "data" / "Kimore ex5", [48.333, 12.0])
    write(tmp_path / "data" / "Kimore_ex2", [30.0])
    recordings, report = read(tmp_path / "data")
    assert [r.id for r in recordings] == ["Es2/0001", "Es5/0001", "Es5/0002"]
    last = recordings[2]
    assert (last.exercise, last.session, last.subject) == ("5", "0002", UNKNOWN_SUBJECT)
    assert last.scores == {"total": 12.0}
    assert last.orientations is None
    assert np.array_equal(last.positions, values[100:, :, :3].astype(np.float32))
    assert last.tracked is not None
    assert (last.tracked == 2).all()
    assert any("does not say who performs" in note for note in report.notes)


def test_unknown_people_reach_the_dataset(tmp_path: Path) -> None:
    write(tmp_path / "data" / "ex1", [10.0, 20.0])
    dataset = prepare(create_adapter("stgcn-rehab"), tmp_path / "data", tmp_path / "root")
    assert not dataset.subjects_known
    assert not SkeletonDataset.open(tmp_path / "root", "stgcn-rehab").subjects_known


def test_blurred_states_are_none(tmp_path: Path) -> None:
    write(tmp_path / "ex1", [10.0], states=1.5)
    assert read(tmp_path)[0][0].tracked is None


def test_the_folder_of_one_exercise(tmp_path: Path) -> None:
    write(tmp_path / "Exercise 3", [10.0])
    assert [r.id for r in read(tmp_path / "Exercise 3")[0]] == ["Es3/0001"]


def test_people_by_number_of_repetitions(tmp_path: Path) -> None:
    write(tmp_path / "data" / "ex1", [40, 40, 30, 20, 20, 10])
    counts = {"B_ID1": {"1": 1}, "NE_ID2": {"1": 1}, "E_ID10": {"1": 0}, "E_ID2": {"1": 2}}
    counts["NE_ID10"] = {"1": 2, "2": 5}
    recordings, _ = read(tmp_path / "data", counts=counts_file(tmp_path, counts))
    assert [r.subject for r in recordings] == [
        "E_ID2",
        "E_ID2",
        "NE_ID2",
        "NE_ID10",
        "NE_ID10",
        "B_ID1",
    ]
    assert recordings[-1].group == "GPP/BackPain"


def test_people_who_cannot_be_told_apart_stay_together(tmp_path: Path) -> None:
    write(tmp_path / "data" / "ex5", [50.0, 50.0, 50.0, 28.0])
    runs = [
        {"subjects": ["NE_ID14", "NE_ID15"], "score": 50.0, "reps": 3},
        {"subjects": ["S_ID3"], "score": 28.0, "reps": 1},
    ]
    file = counts_file(tmp_path, {"ex5": {"n": 4, "runs": runs}})
    recordings, report = read(tmp_path / "data", counts=file)
    assert [r.subject for r in recordings] == ["NE_ID14+NE_ID15"] * 3 + ["S_ID3"]
    assert recordings[0].group == "CG/NotExpert"
    assert report.notes == []


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"E_ID1": {"1": 2}}, "adds up to 2 repetitions, Train_Y.csv has 3"),
        ({"E_ID1": {"1": 3}}, r"E_ID1 has the score 40 in exercise 1, but line 3 .* says 30"),
        ({"X1": {"1": 3}}, "cannot be understood"),
        ({"E_ID1": 3}, "cannot be understood"),
        ([1], "expected {person"),
    ],
)
def test_counts_that_do_not_fit(tmp_path: Path, counts: Any, message: str) -> None:
    write(tmp_path / "data" / "ex1", [40, 40, 30])
    with pytest.raises(DataError, match=message):
        read(tmp_path / "data", counts=counts_file(tmp_path, counts))


def test_a_counts_file_that_is_not_there(tmp_path: Path) -> None:
    write(tmp_path / "data" / "ex1", [40])
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / "data", counts=str(tmp_path / "absent.json"))


def test_faults_skip_the_exercise(tmp_path: Path) -> None:
    write(tmp_path / "ex1", [40], rows=99)
    write(tmp_path / "ex2", [40])
    write(tmp_path / "ex3", [40])
    write(tmp_path / "ex4", [40])
    (tmp_path / "ex2" / "Train_Y.csv").unlink()
    lines = (tmp_path / "ex3" / "Train_X.csv").read_text().split("\n")
    lines[7] = "1,2,3"
    (tmp_path / "ex3" / "Train_X.csv").write_text("\n".join(lines))
    recordings, report = read(tmp_path)
    assert [r.id for r in recordings] == ["Es4/0001"]
    assert [(p.recording, p.kind, p.file, p.line) for p in report.problems] == [
        ("Es1", "unequal-lengths", "ex1/Train_X.csv", 99),
        ("Es2", "missing-file", "ex2/Train_Y.csv", None),
        ("Es3", "row-width", "ex3/Train_X.csv", 8),
    ]


def test_an_impossible_score_is_kept_without_it(tmp_path: Path) -> None:
    write(tmp_path / "ex1", [40, 60])
    recordings, report = read(tmp_path)
    assert [r.scores for r in recordings] == [{"total": 40.0}, {}]
    assert [(p.kind, p.line, p.skipped) for p in report.problems] == [("bad-score", 2, False)]


def test_folders_that_are_no_release(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no STGCN-rehab release"):
        read(tmp_path)
    write(tmp_path / "squats", [1.0])
    with pytest.raises(DataError, match="does not say which exercise"):
        read(tmp_path)
    (tmp_path / "squats").rename(tmp_path / "ex5")
    write(tmp_path / "Kimore ex5", [1.0])
    with pytest.raises(DataError, match="both hold exercise 5"):
        read(tmp_path)


def test_the_published_counts_fit_the_clinical_scores(shared_dir: Path, tmp_path: Path) -> None:
    """Scores of the runs, repeated, are the release's Train_Y; people come in its order."""
    file = shared_dir / "data" / "kimore_repetition_counts.json"
    runs = json.loads(file.read_text())["ex5"]["runs"]
    scores = [run["score"] for run in runs for _ in range(run["reps"])]
    assert len(scores) == 373
    folder = tmp_path / "ex5"
    folder.mkdir()
    (folder / "Train_X.csv").write_text((",".join(["0"] * 100) + "\n") * 100 * len(scores))
    (folder / "Train_Y.csv").write_text("".join(f"{score}\n" for score in scores))
    recordings, _ = read(tmp_path, counts=str(file))
    subjects = list(dict.fromkeys(r.subject for r in recordings))
    assert subjects[0] == "E_ID1"
    prefixes = [s.partition("_")[0] for s in subjects]
    assert prefixes == sorted(prefixes, key=ORDER.index)
    assert all(r.group for r in recordings)

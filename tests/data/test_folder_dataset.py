"""A folder with recordings.csv and dataset.yaml is a dataset; every fault names file and line."""

import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import zoo
import zoo.skeleton.layout as layout_module
from registry import DATASETS, RegistryError, Source
from zoo.compose import compose
from zoo.data.adapters.base import FaultError
from zoo.data.adapters.folder import FolderAdapter
from zoo.data.adapters.table import read_table
from zoo.data.begin import begin
from zoo.data.dataset import SkeletonDataset, create_adapter, load_dataset, prepare
from zoo.data.known import dataset_settings, own_datasets
from zoo.data.simulator import Settings, record
from zoo.data.survey import survey
from zoo.errors import ConfigError, DataError
from zoo.files import to_csv
from zoo.skeleton import load_layout

FRAMES = 24

DESCRIPTION = """\
title: Squats in two rooms
reader: wide-csv
layout: kinect-v2
settings:
  fps: 25
scores:
  range: [0, 50]
  meaning: made up
exercises:
  lift: Arms up
  squat: Squat
licence: nobody's
"""

HEADER = ("file", "person", "exercise", "score")


@cache
def positions(person: int = 0, exercise: str = "5") -> np.ndarray:
    """(T, 25, 3) in metres, y up."""
    found = record(person, exercise, Settings(repetitions=2)).positions
    assert found is not None
    return found[:FRAMES]


def write_wide(file: Path, values: np.ndarray, names: Sequence[str] | None = None) -> None:
    """A row a frame, a column a coordinate."""
    joints = load_layout("kinect-v2").joints if names is None else names
    file.parent.mkdir(parents=True, exist_ok=True)
    header = [f"{joint}_{axis}" for joint in joints for axis in "xyz"]
    rows = [[f"{value:.5f}" for value in frame.ravel()] for frame in values]
    file.write_text(to_csv(header, rows), encoding="utf-8")


def write_folder(
    folder: Path,
    rows: Sequence[Sequence[object]] | None = None,
    header: Sequence[str] = HEADER,
    description: str = DESCRIPTION,
    people: int = 3,
) -> Path:
    """A folder with recordings of some people, two exercises each."""
    usual = []
    for person in range(people):
        for number, exercise in (("1", "lift"), ("5", "squat")):
            file = f"P{person + 1}_{exercise}.csv"
            write_wide(folder / file, positions(person, number))
            usual.append((file, f"P{person + 1}", exercise, 20 + person))
    text = to_csv(header, usual if rows is None else rows)
    (folder / "recordings.csv").write_text(text, encoding="utf-8")
    (folder / "dataset.yaml").write_text(description, encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "clinic")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


def prepared(folder: Path, root: Path, name: str = "clinic", **more: Any) -> SkeletonDataset:
    return zoo.prepare_dataset(name, folder, root, **more)


def problems(dataset: SkeletonDataset) -> list[str]:
    return [
        f"{p['recording']}: {p['file']}, line {p['line']}: found {p['found']}, expected "
        f"{p['expected']}{' (skipped)' if p['skipped'] else ''}"
        for p in dataset.manifest["problems"]
    ]


def test_what_the_table_says_is_in_the_dataset(folder: Path, root: Path) -> None:
    header = (*HEADER, "group", "session", "score_form", "fps", "site", "age", "id")
    rows = [
        ("P1_squat.csv", "Anna", "squat", "12.5", "patients", "2", "3", "", "north", "61", "a"),
        ("P2_squat.csv", "Bert", "squat", "", "", "", "", "50", "south", "", ""),
    ]
    write_folder(folder, rows, header)
    dataset = prepared(folder, root)
    first, second = (dataset.recording(name) for name in ("a", "P2_squat"))
    assert (first.subject, first.group, first.session) == ("Anna", "patients", "2")
    assert (first.exercise, first.fps, first.num_frames) == ("squat", 25.0, FRAMES)
    assert first.scores == {"form": 3.0, "total": 12.5}
    assert first.extra == {"age": 61.0, "site": "north"}
    assert (second.fps, dict(second.scores), second.extra) == (50.0, {}, {"site": "south"})
    np.testing.assert_allclose(first.positions, positions(0), atol=1e-5)
    assert (dataset.title, dataset.layout, dataset.score_range) == (
        "Squats in two rooms", "kinect-v2", (0.0, 50.0),
    )  # fmt: skip
    assert dataset.exercise_titles == {"lift": "Arms up", "squat": "Squat"}
    assert dataset.manifest["licence"] == "nobody's"
    assert any(
        "files without a row" in note and "1 more" in note for note in dataset.manifest["notes"]
    )


def test_read_twice_it_is_the_same(folder: Path, root: Path, tmp_path: Path) -> None:
    first = prepared(folder, root)
    moved = shutil.copytree(folder, tmp_path / "elsewhere")
    assert prepared(moved, tmp_path / "other").fingerprint == first.fingerprint


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (("gone.csv", "P1", "lift", 1), "found no file gone.csv, expected a file of this folder"),
        (("P1_lif.csv", "P1", "lift", 1), "Did you mean 'P1_lift.csv'"),
        (("P2_lift.csv", "P1", "lift", 1), "found the file P2_lift.csv again, expected each once; "
         "it stands in line 2 already"),
        (("", "P1", "lift", 1), "found an empty cell as file"),
        (("../x.csv", "P1", "lift", 1), "found file '../x.csv', expected a path inside"),
        (("/etc/passwd", "P1", "lift", 1), "expected a path inside this folder"),
        (("P1_lift.csv", "P1", "lifd", 1), "found exercise 'lifd', expected one of the exercises "
         "in dataset.yaml. Did you mean 'lift'?"),
        (("P1_lift.csv", "P1", "", 1), "found exercise ''"),
    ],
)  # fmt: skip
def test_a_bad_row_is_left_out_and_told(
    folder: Path, root: Path, row: tuple[object, ...], told: str
) -> None:
    write_folder(folder, [("P2_lift.csv", "P2", "lift", 5), row])
    dataset = prepared(folder, root)
    (problem,) = problems(dataset)
    assert "recordings.csv, line 3" in problem
    assert told in problem
    assert problem.endswith("(skipped)")
    assert [info.id for info in dataset.index] == ["P2_lift"]


@pytest.mark.parametrize(
    ("score", "told"),
    [
        ("500", "found score 500, expected a number from 0 to 50"),
        ("good", "found score 'good', expected a number from 0 to 50"),
        ("nan", "found score 'nan'"),
        ("1e999", "found score '1e999'"),
    ],
)
def test_a_score_that_is_none_is_told_and_the_recording_kept(
    folder: Path, root: Path, score: str, told: str
) -> None:
    write_folder(folder, [("P1_lift.csv", "P1", "lift", score)])
    dataset = prepared(folder, root)
    (problem,) = problems(dataset)
    assert told in problem
    assert "recordings.csv, line 2" in problem
    assert dataset.recording("P1_lift").scores == {}


@pytest.mark.parametrize("fps", ["0", "-3", "fast", "nan"])
def test_a_frame_rate_that_is_none(folder: Path, root: Path, fps: str) -> None:
    rows = [("P1_lift.csv", "P1", "lift", 1, ""), ("P2_lift.csv", "P2", "lift", 2, fps)]
    write_folder(folder, rows, (*HEADER, "fps"))
    (problem,) = problems(prepared(folder, root))
    assert "recordings.csv, line 3: found fps" in problem
    assert "frames a second, above 0" in problem


def test_ids_are_unique(folder: Path, root: Path) -> None:
    rows = [("P1_lift.csv", "P1", "lift", 1, "x"), ("P2_lift.csv", "P2", "lift", 2, "x")]
    write_folder(folder, rows, (*HEADER, "id"))
    (problem,) = problems(prepared(folder, root))
    assert "line 3: found the id x again" in problem


def test_a_damaged_recording_is_left_out_with_its_line(folder: Path, root: Path) -> None:
    file = folder / "P1_lift.csv"
    lines = file.read_text().splitlines()
    lines[5] = "abc" + lines[5]
    file.write_text("\n".join(lines))
    dataset = prepared(folder, root)
    (problem,) = problems(dataset)
    assert problem.startswith("P1_lift: P1_lift.csv, line 6: found 'abc")
    assert len(dataset) == 5
    with pytest.raises(DataError, match="P1_lift.csv, line 6"):
        prepared(folder, root, strict=True)


def test_a_file_of_another_form_says_what_it_looks_like(folder: Path, root: Path) -> None:
    (folder / "P1_lift.csv").write_text("[[" + "0.5," * 20)
    (problem,) = problems(prepared(folder, root))
    assert "P1_lift.csv" in problem


def test_recordings_of_nobody_allow_no_honest_split(folder: Path, root: Path) -> None:
    write_folder(folder, [("P1_lift.csv", "", "lift", 5), ("P2_lift.csv", "P2", "lift", 6)])
    dataset = prepared(folder, root)
    assert not dataset.subjects_known
    (note,) = (n for n in dataset.manifest["notes"] if "no person" in n)
    assert note.startswith("1 of 2 recordings name no person")


@pytest.mark.parametrize(
    ("separator", "encoding", "end"),
    [
        (";", "utf-8-sig", "\r\n"),
        (";", "cp1252", "\r\n"),
        ("\t", "utf-16", "\n"),
        (",", "utf-8", "\r"),
    ],
)
def test_tables_as_spreadsheets_write_them(
    folder: Path, root: Path, separator: str, encoding: str, end: str
) -> None:
    rows = [HEADER, ("P1_lift.csv", "Jörg", "lift", "12,5" if separator != "," else "12.5")]
    text = end.join(separator.join(row) for row in rows) + end
    (folder / "recordings.csv").write_bytes(text.encode(encoding))
    found = prepared(folder, root).recording("P1_lift")
    assert (found.subject, found.scores["total"]) == ("Jörg", 12.5)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "found an empty file"),
        ("file,person,exercise\n", "no row stands below the header"),
        ("file,exercise\nP1_lift.csv,lift\n", "line 1: it has no column 'person'"),
        ("file,person\nP1_lift.csv,P1\n", "it has no column 'exercise'"),
        ("file,persom,exercise\nx,y,z\n", "no column 'person'. Did you mean 'persom'"),
        ("file,person,person\nx,y,z\n", "line 1: found 2 columns called 'person'"),
        ("file,person,exercise\nP1_lift.csv,P1,lift,4\n", "line 2: found 4 cells, expected 3"),
        ("PK\x03\x04rest", "found a workbook, expected a table, saved as CSV"),
        ('file,person,exercise\n"a,b,c\n', "line 2"),
        ("file\0,person\n", "found bytes that are no text"),
        ("file,person,exercise,score\nP1_lift.csv,P1,lift,FILL_IN\nP2_lift.csv,P2,lift,FILL_IN\n",
         "line 2: found FILL_IN as score, expected a number from 0 to 50; nothing where there is "
         "no score (1 more cells like this)"),
    ],
)  # fmt: skip
def test_a_table_that_is_none(folder: Path, root: Path, text: str, told: str) -> None:
    (folder / "recordings.csv").write_bytes(text.encode())
    with pytest.raises(DataError, match=re.escape(told)) as error:
        prepared(folder, root)
    assert "recordings.csv" in str(error.value)
    assert not (root / "clinic").exists()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("range: [0, 50]", "range: FILL_IN", "line 7: found FILL_IN as scores.range, expected the "
         "lowest and the highest possible score"),
        ("range: [0, 50]", "range: [50, 0]", "line 7: scores.range is [50, 0], expected"),
        ("range: [0, 50]", "range: [0]", "line 7: scores.range is [0], expected a list of 2"),
        ("range: [0, 50]", "range: [0, .inf]", "line 7: scores.range[1] is inf"),
        ("meaning:", "meanin:", "line 8: scores has no key 'meanin'. Did you mean 'meaning'?"),
        ("title:", "titel:", "line 1: has no key 'titel'. Did you mean 'title'?"),
        ("reader: wide-csv", "reader: wide-cvs", "line 2: no reader is called 'wide-cvs'. Did you "
         "mean 'wide-csv'"),
        ("layout: kinect-v2", "layout: kinect-v3", "line 3: no layout is called 'kinect-v3'"),
        ("fps: 25", "fsp: 25", "line 4: reader 'wide-csv' has no key 'fsp'. Did you mean 'fps'"),
        ("fps: 25", "fps: soon", "line 4: reader 'wide-csv'.fps is 'soon', expected a number"),
        ("fps: 25", "fps: 0", "line 4: fps is 0"),
        ("licence:", "guessed: [person]\nlicence:", "still says that person of the table are"),
        ("  lift: Arms up\n  squat: Squat\n", "  {}\n", "exercises is empty"),
        ("licence: nobody's", "licence: [", "dataset.yaml"),
    ],
)  # fmt: skip
def test_a_description_that_is_none(
    folder: Path, root: Path, old: str, new: str, told: str
) -> None:
    assert old in DESCRIPTION
    text = DESCRIPTION.replace(old, new)
    (folder / "dataset.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=re.escape(told)) as error:
        prepared(folder, root)
    assert str(folder / "dataset.yaml") in str(error.value)


def test_binary_scores(folder: Path, root: Path) -> None:
    text = DESCRIPTION.replace("range: [0, 50]", "range: [0, 1]\n  binary: true")
    rows = [("P1_lift.csv", "P1", "lift", 1), ("P2_lift.csv", "P2", "lift", 0.5)]
    dataset = prepared(write_folder(folder, rows, description=text), root)
    assert dataset.binary
    (problem,) = problems(dataset)
    assert "line 3: found score 0.5, expected 1 or 0" in problem


def test_names_of_datasets(folder: Path, root: Path) -> None:
    with pytest.raises(RegistryError, match=r"'clinik'.*holds? no|no dataset is registered"):
        zoo.prepare_dataset("clinik", folder.parent, root)
    for name in ("Clinic", "../x", ".hidden", "a b", ""):
        with pytest.raises(ConfigError, match="cannot be the name of a dataset"):
            prepared(folder, root, name)
    with pytest.raises(ConfigError, match="is the name of a reader"):
        prepared(folder, root, "wide-csv")
    prepared(folder, root, "clinic")
    assert own_datasets(root) == ["clinic"]
    assert {"clinic", "kimore"} <= set(zoo.list_datasets(data_root=root))
    assert zoo.list_datasets("cli*", data_root=root) == ["clinic"]
    with pytest.raises(RegistryError, match="Did you mean 'clinic'"):
        load_dataset("clinik", root)
    with pytest.raises(RegistryError, match="Did you mean 'clinic'"):
        compose(model="mean", dataset="clinik", data_root=root)
    with pytest.raises(RegistryError, match="no dataset is called"):
        load_dataset("../clinic", root / "clinic")


def test_names_that_differ_in_case_alone(folder: Path, root: Path) -> None:
    """On Windows and macOS their folders would be one, whichever comes first."""
    DATASETS.add("Clinic", Source("nowhere", "Clinic", "a plug-in"))
    try:
        with pytest.raises(ConfigError, match="'clinic' cannot be prepared.* 'Clinic' already"):
            prepared(folder, root)
    finally:
        DATASETS.forget("Clinic")
    prepared(folder, root).folder.rename(root / "Clinic")
    with pytest.raises(ConfigError, match="'clinic' cannot be prepared.* 'Clinic' already"):
        prepared(folder, root)
    (root / "Clinic").rename(root / "clinic")
    prepared(folder, root)
    adapter = create_adapter("clinic", source=folder)
    adapter.name = "Clinic"
    with pytest.raises(ConfigError, match="'Clinic' cannot be prepared.* 'clinic' already"):
        prepare(adapter, folder, root)


def test_its_settings_are_a_runs_settings(folder: Path, root: Path) -> None:
    prepared(folder, root)
    block = compose(model="mean", dataset="clinic", data_root=root)["dataset"]
    assert block == {
        "name": "clinic",
        "exercise": "lift",
        "reader": "wide-csv",
        "settings": {"fps": 25},
        "layout": "kinect-v2",
    }
    assert dataset_settings("clinic", root) == block
    with pytest.raises(DataError, match="was prepared with"):
        load_dataset("clinic", root, settings={"fps": 50})


def test_the_layout_may_be_left_to_the_files(folder: Path, root: Path) -> None:
    text = DESCRIPTION.replace("layout: kinect-v2\n", "")
    dataset = prepared(write_folder(folder, description=text), root)
    assert dataset.layout == "kinect-v2"
    assert create_adapter("clinic", data_root=root).layout == "kinect-v2"


OWN = """\
layout:
  joints:
    - {name: base}
    - {name: chest, parent: base}
    - {name: top, parent: chest}
    - {name: hand_left, parent: chest}
    - {name: hand_right, parent: chest}
  pairs: [[hand_left, hand_right]]
"""


def test_joints_of_its_own(folder: Path, root: Path) -> None:
    names = ("top", "base", "chest", "hand_right", "hand_left")
    for file in folder.glob("P*.csv"):
        write_wide(file, positions()[:, :5], names)
    text = DESCRIPTION.replace("layout: kinect-v2\n", OWN)
    dataset = prepared(write_folder_text(folder, text), root)
    assert dataset.layout.startswith("own-5-")
    layout = load_layout(dataset.layout)
    assert layout.joints == ("base", "chest", "top", "hand_left", "hand_right")
    found = dataset[0].positions
    assert found is not None
    order = [names.index(joint) for joint in layout.joints]
    np.testing.assert_allclose(found, positions()[:, order], atol=1e-5)


def write_folder_text(folder: Path, description: str) -> Path:
    (folder / "dataset.yaml").write_text(description, encoding="utf-8")
    return folder


def test_joints_that_are_no_tree(folder: Path, root: Path) -> None:
    text = DESCRIPTION.replace("layout: kinect-v2\n", OWN.replace("parent: base", "parent: bass"))
    with pytest.raises(DataError, match=r"line 3: .*its parent 'bass' is no joint"):
        prepared(write_folder_text(folder, text), root)


def test_a_table_without_scores_is_noted(folder: Path, root: Path) -> None:
    text = to_csv(("file", "person", "exercise"), [("P1_lift.csv", "P1", "lift")])
    (folder / "recordings.csv").write_text(text)
    dataset = prepared(folder, root)
    assert any("1 of 1 recordings have no score" in note for note in dataset.manifest["notes"])


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@settings(max_examples=200)
def test_whatever_a_table_holds_it_is_read_or_told(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "recordings.csv"
        file.write_bytes(content)
        with suppress(FaultError):
            for row in read_table(file).rows:
                assert all(isinstance(cell, str) for cell in row.cells.values())


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.sampled_from(["title", "reader", "settings", "layout", "scores", "exercises"]), _VALUES)
@settings(max_examples=150)
def test_whatever_a_description_holds_it_is_read_or_told(key: str, value: Any) -> None:
    with TemporaryDirectory() as folder:
        values = {**yaml.safe_load(DESCRIPTION), key: value}
        (Path(folder) / "dataset.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
        with suppress(DataError):
            FolderAdapter.parameters_of(Path(folder))


@pytest.mark.parametrize("text", ["title: &a [*a]", "title: " + "[" * 3000])
def test_a_description_without_end(folder: Path, root: Path, text: str) -> None:
    (folder / "dataset.yaml").write_text(text)
    with pytest.raises(DataError, match=r"dataset\.yaml"):
        prepared(folder, root)


def test_a_run_brings_its_joints_along(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_folder(tmp_path / "clinic", people=5)
    names = ("top", "base", "chest", "hand_right", "hand_left")
    for file in folder.glob("P*.csv"):
        write_wide(file, positions(int(file.name[1]))[:, :5], names)
    text = DESCRIPTION.replace("layout: kinect-v2\n", OWN)
    made = prepared(write_folder_text(folder, text), root)
    monkeypatch.setattr(layout_module, "_own", {})  # as in another process
    runs = tmp_path / "runs"
    what = {"runs": runs, "data_root": root, "exercises": ["squat"], "folds": [0], "jobs": 1}
    done = zoo.bench(["ridge-pose"], "clinic", protocols=["person-kfold"], seeds=[0], **what)
    assert (done.finished, done.failures) == (1, [])
    (run,) = runs.glob("clinic/squat/person-kfold/ridge-pose/fold0*")
    monkeypatch.setattr(layout_module, "_own", {})
    (scored,) = zoo.predict(run, [folder / "P1_squat.csv"], data_root=tmp_path / "nothing")
    monkeypatch.setattr(layout_module, "_own", {})
    (known,) = zoo.predict(run, ["P1_squat"], data_root=root)
    assert scored.score == pytest.approx(known.score, abs=1e-3)
    assert load_layout(made.layout).num_joints == 5


def test_a_file_with_several_recordings(tmp_path: Path, root: Path, pose_files: Any) -> None:
    folder = tmp_path / "gestures"
    folder.mkdir()
    pose_files.irds_csv(folder)
    text = "title: a\nreader: irds-csv\nscores: {range: [0, 1]}\nexercises: {'4': Arm}\n"
    write_folder_text(folder, text)
    table = folder / "recordings.csv"
    table.write_text("file,person\nirds.csv,\n")
    with pytest.raises(DataError, match=r"found 2 recordings \(.*expected one; name it in a col"):
        prepared(folder, root, "gestures")
    for file in (table, folder / "dataset.yaml"):
        file.unlink()
    begin(survey(folder))
    rows = table.read_text().splitlines()
    assert rows[0].startswith("file,recording,person,exercise")
    assert len(rows) == 3
    dataset = prepared(write_folder_text(folder, text), root, "gestures")
    assert [info.subject for info in dataset.index] == ["303", "303"]
    assert [info.exercise for info in dataset.index] == ["4", "4"]
    table.write_text("file,recording,person\nirds.csv,x,\n")
    with pytest.raises(DataError, match="found no recording x, expected one of"):
        prepared(folder, root, "gestures")

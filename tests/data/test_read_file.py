"""Single files give the recordings that their dataset has, and say what is wrong with them."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from registry import RegistryError
from zoo.data.adapters.base import Adapter, PrepareReport, Reader
from zoo.data.adapters.kimore import KimoreAdapter
from zoo.data.adapters.stgcn_rehab import StgcnRehabAdapter
from zoo.data.adapters.uiprmd import (
    UiprmdKinectAdapter,
    UiprmdViconAdapter,
    UiprmdViconAnglesAdapter,
)
from zoo.data.readers import load_reader, readers_of
from zoo.data.recording import UNKNOWN_SUBJECT, Recording
from zoo.errors import ConfigError, DataError


def alone(adapter: Adapter, file: Path) -> list[Recording]:
    return list(adapter.read_file(file, PrepareReport()))


def whole(adapter: Adapter, source: Path) -> dict[str, Recording]:
    return {r.id: r for r in adapter.read(source, PrepareReport(), Adapter.NO_PROGRESS)}


def assert_same(one: Recording, other: Recording) -> None:
    for f in fields(Recording):
        a, b = getattr(one, f.name), getattr(other, f.name)
        if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
            np.testing.assert_array_equal(a, b, err_msg=f.name)
        elif f.name != "source":
            assert a == b, f.name


# KIMORE


@pytest.fixture
def kimore(make_kimore: Any, tmp_path: Path) -> Any:
    maker = make_kimore(tmp_path / "KiMoRe")
    maker.session("E_ID1", 5, frames=30)
    ticks = 636_000_000_000 + 330_000 * np.arange(30)
    stamps = "".join(f"{tick},0\n" for tick in ticks)
    maker.timestamps("E_ID1", 5).write_text(stamps)
    return maker


def test_a_session_alone_is_the_one_of_the_tree(kimore):
    expected = whole(KimoreAdapter(), kimore.root)["E_ID1/Es5"]
    assert expected.timestamps is not None
    for file in (
        kimore.positions("E_ID1", 5),
        kimore.orientations("E_ID1", 5),
        kimore.positions("E_ID1", 5).parent,
        kimore.es("E_ID1", 5),
    ):
        (found,) = alone(KimoreAdapter(), file)
        assert_same(found, expected)


def test_a_session_is_found_from_inside_its_folder(kimore, monkeypatch):
    monkeypatch.chdir(kimore.es("E_ID1", 5) / "Raw")
    (found,) = alone(KimoreAdapter(), Path(kimore.positions("E_ID1", 5).name))
    assert found.id == "E_ID1/Es5"


def test_rows_of_several_bodies_are_noted(make_kimore, tmp_path):
    maker = make_kimore(tmp_path)
    maker.session("P_ID5", 1, frames=12, copies=3)
    report = PrepareReport()
    (found,) = KimoreAdapter().read_file(maker.positions("P_ID5", 1), report)
    assert found.num_joints == 25
    assert sum("3 bodies" in note for note in report.notes) == 1


def test_one_file_of_each_kind_belongs_together_whatever_the_stamps(kimore):
    file = kimore.orientations("E_ID1", 5)
    file.rename(file.with_name("jointorientation999.CSV"))
    (found,) = alone(KimoreAdapter(), kimore.positions("E_ID1", 5))
    assert found.orientations is not None


def test_several_stamps_are_kept_apart(kimore):
    first = kimore.positions("E_ID1", 5)
    second = first.with_name("JointPosition2.csv")
    second.write_bytes(first.read_bytes())
    (found,) = alone(KimoreAdapter(), second)
    assert found.orientations is None
    (found,) = alone(KimoreAdapter(), first)
    assert found.orientations is not None
    (found,) = alone(KimoreAdapter(), first.parent)
    assert found.positions is not None
    kimore.edit(second, 30, None)
    with pytest.raises(DataError, match=r"2 different files .*name one"):
        alone(KimoreAdapter(), first.parent)


def test_a_file_of_another_name_is_read_as_positions(kimore, tmp_path):
    file = tmp_path / "patient 7.csv"
    file.write_bytes(kimore.positions("E_ID1", 5).read_bytes())
    (found,) = alone(KimoreAdapter(), file)
    assert (found.id, found.subject, found.exercise) == ("patient 7", UNKNOWN_SUBJECT, "")
    assert dict(found.scores) == {}
    assert found.orientations is None


def test_orientations_under_another_name_are_told_from_positions(kimore, tmp_path):
    file = tmp_path / "patient 7.csv"
    file.write_bytes(kimore.orientations("E_ID1", 5).read_bytes())
    with pytest.raises(DataError, match="as state of"):
        alone(KimoreAdapter(), file)


def test_faulty_time_stamps_and_sheets_cost_only_themselves(kimore):
    kimore.timestamps("E_ID1", 5).write_text("1,0\n2,0\n")
    kimore.workbook(kimore.label("E_ID1", 5), "E_ID1", header=("nothing",) * 16)
    report = PrepareReport()
    (found,) = KimoreAdapter().read_file(kimore.es("E_ID1", 5), report)
    assert found.timestamps is None
    assert "total" not in found.scores
    assert len(report.problems) == 2


# STGCN-rehab


@pytest.fixture
def release(tmp_path: Path) -> Path:
    folder = tmp_path / "release" / "Kimore ex5"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    frames = rng.normal(scale=0.3, size=(300, 25, 4))
    frames[..., 3] = 2
    rows = [",".join(f"{v:.6f}" for v in frame.ravel()) for frame in frames]
    (folder / "Train_X.csv").write_text("\n".join(rows) + "\n")
    (folder / "Train_Y.csv").write_text("30.5\n41\n20\n")
    return folder


def test_every_repetition_of_a_release_is_a_recording(release):
    expected = whole(StgcnRehabAdapter(), release.parent)
    for file in (release / "Train_X.csv", release):
        found = alone(StgcnRehabAdapter(), file)
        assert [r.id for r in found] == list(expected)
        for recording in found:
            assert_same(recording, expected[recording.id])


def test_a_release_without_fitting_scores_has_none(release):
    report = PrepareReport()
    (release / "Train_Y.csv").write_text("30.5\n")
    found = list(StgcnRehabAdapter().read_file(release, report))
    assert [dict(r.scores) for r in found] == [{}, {}, {}]
    assert "1 scores" in str(report.problems[0])
    (release / "Train_Y.csv").unlink()
    assert len(alone(StgcnRehabAdapter(), release)) == 3


def test_a_release_away_from_its_folder_has_no_exercise(release, tmp_path):
    file = tmp_path / "mine.csv"
    file.write_bytes((release / "Train_X.csv").read_bytes())
    found = alone(StgcnRehabAdapter(), file)
    assert [r.id for r in found] == ["mine/0001", "mine/0002", "mine/0003"]
    assert {r.exercise for r in found} == {""}


def test_a_release_that_breaks_off_is_refused(release, tmp_path):
    file = release / "Train_X.csv"
    rows = file.read_text().split("\n")
    file.write_text("\n".join(rows[:250]) + "\n")
    with pytest.raises(DataError, match="line 250: found 250 rows, expected 100 for each"):
        alone(StgcnRehabAdapter(), file)
    file.write_text("\n".join([*rows[:20], "1,2,3", *rows[20:]]))
    with pytest.raises(DataError, match="line 21: found 3 values"):
        alone(StgcnRehabAdapter(), file)
    with pytest.raises(DataError, match=r"no Train_X\.csv"):
        alone(StgcnRehabAdapter(), tmp_path)


# UI-PRMD


@pytest.fixture
def uiprmd(tmp_path: Path) -> Path:
    """One squat by both sensors."""
    root = tmp_path / "UI-PRMD"
    rng = np.random.default_rng(1)
    for sensor, width, frames in (("Kinect", 66, 24), ("Vicon", 117, 40)):
        for kind in ("Positions", "Angles"):
            values = rng.uniform(5, 60, width) + rng.normal(size=(frames, width))
            folder = root / "Segmented Movements" / sensor / kind
            folder.mkdir(parents=True)
            rows = "".join(",".join(f"{v:.5f}" for v in row) + "\n" for row in values)
            (folder / f"m01_s01_e01_{kind.lower()}.txt").write_text(rows)
    return root


def place(root: Path, sensor: str, kind: str) -> Path:
    name = f"m01_s01_e01_{kind.lower()}.txt"
    return root / "Segmented Movements" / sensor / kind / name


@pytest.mark.parametrize(
    ("adapter", "sensor", "kinds"),
    [
        (UiprmdKinectAdapter(), "Kinect", ("Positions", "Angles")),
        (UiprmdViconAdapter(), "Vicon", ("Positions",)),
        (UiprmdViconAnglesAdapter(), "Vicon", ("Angles",)),
    ],
)
def test_a_repetition_alone_is_the_one_of_the_tree(uiprmd, adapter, sensor, kinds):
    expected = whole(adapter, uiprmd)["s01/m01/e01/correct"]
    for kind in kinds:
        (found,) = alone(adapter, place(uiprmd, sensor, kind))
        assert_same(found, expected)


def test_the_kinects_files_may_lie_side_by_side_under_any_name(uiprmd, tmp_path):
    expected = whole(UiprmdKinectAdapter(), uiprmd)["s01/m01/e01/correct"]
    for kind in ("Positions", "Angles"):
        content = place(uiprmd, "Kinect", kind).read_bytes()
        (tmp_path / f"my {kind.lower()} 3.txt").write_bytes(content)
    (found,) = alone(UiprmdKinectAdapter(), tmp_path / "my angles 3.txt")
    np.testing.assert_array_equal(found.positions, expected.positions)
    assert (found.id, found.subject, found.exercise) == ("my angles 3", UNKNOWN_SUBJECT, "")
    assert dict(found.scores) == {}


def test_half_a_kinect_pair_is_refused(uiprmd):
    place(uiprmd, "Kinect", "Angles").unlink()
    with pytest.raises(DataError, match=r"the angles of the same repetition are missing"):
        alone(UiprmdKinectAdapter(), place(uiprmd, "Kinect", "Positions"))


def test_the_kind_of_a_file_is_told_by_its_name(uiprmd, tmp_path):
    with pytest.raises(DataError, match="by its name it holds angles, expected positions"):
        alone(UiprmdViconAdapter(), place(uiprmd, "Vicon", "Angles"))
    with pytest.raises(DataError, match="neither positions nor angles"):
        alone(UiprmdKinectAdapter(), tmp_path / "squat.txt")
    with pytest.raises(DataError, match="is a folder"):
        alone(UiprmdViconAdapter(), tmp_path)


def test_another_sensors_file_is_refused_by_its_width(uiprmd):
    with pytest.raises(DataError, match="line 1: found 66 values, expected 117"):
        alone(UiprmdViconAdapter(), place(uiprmd, "Kinect", "Positions"))


def test_unequal_lengths_of_a_pair_are_refused(uiprmd):
    file = place(uiprmd, "Kinect", "Angles")
    rows = file.read_text().split("\n")
    file.write_text("\n".join(rows[:-3]) + "\n")
    with pytest.raises(DataError, match="22 frames, expected 24 frames"):
        alone(UiprmdKinectAdapter(), place(uiprmd, "Kinect", "Positions"))


def test_lost_markers_are_mended_and_told_or_refused(uiprmd):
    file = place(uiprmd, "Vicon", "Positions")
    rows = [row.split(",") for row in file.read_text().split("\n")[:-1]]
    for row in rows[3:6]:
        row[6:9] = ["0", "0", "0"]
    file.write_text("\n".join(",".join(row) for row in rows) + "\n")
    report = PrepareReport()
    (found,) = UiprmdViconAdapter().read_file(file, report)
    assert found.tracked is not None
    assert (found.tracked[3:6, 2] == 0).all()
    (problem,) = report.problems
    assert problem.file == str(file)
    assert problem.line == 4
    with pytest.raises(DataError, match="at most 5% lost"):
        alone(UiprmdViconAdapter(max_lost=0.05), file)


def test_the_reduced_set_gives_crop_and_score_as_in_the_dataset(uiprmd):
    row = {"r": 1, "subject": "s01", "episode": "e01", "start": 5, "stop": 35, "full": 40}
    sides = {"correct": [row], "incorrect": []}
    (uiprmd / "uiprmd_reduced_subset.json").write_text(json.dumps({"m01": sides}))
    (uiprmd / "Labels_Correct.csv").write_text("0.95\n")
    (uiprmd / "Labels_Incorrect.csv").write_text("")
    for adapter, kind in (
        (UiprmdViconAdapter(score="published"), "Positions"),
        (UiprmdKinectAdapter(score="published"), "Angles"),
    ):
        expected = whole(adapter, uiprmd)["s01/m01/e01/correct"]
        assert dict(expected.scores) == {"correct": 1.0, "total": 0.95}
        (found,) = alone(adapter, place(uiprmd, adapter.sensor, kind))
        assert_same(found, expected)
        assert found.num_frames < expected.extra["whole"]


# What a file looks like


def test_files_are_known_by_their_looks(kimore, release, uiprmd, tmp_path):
    for path in (
        kimore.positions("E_ID1", 5),
        kimore.es("E_ID1", 5),
        kimore.es("E_ID1", 5) / "Raw",
    ):
        assert readers_of(path) == ["kimore"]
    assert readers_of(release) == readers_of(release / "Train_X.csv") == ["stgcn-rehab"]
    assert readers_of(place(uiprmd, "Kinect", "Angles")) == ["uiprmd-kinect"]
    assert readers_of(place(uiprmd, "Vicon", "Positions")) == ["uiprmd-vicon"]
    assert readers_of(place(uiprmd, "Vicon", "Angles")) == ["uiprmd-vicon-angles"]
    (tmp_path / "other.bin").write_bytes(b"\xff\x00")
    assert readers_of(tmp_path / "other.bin") == []


def test_a_reader_is_loaded_by_name_with_its_options():
    reader = load_reader("keraal-vicon", fps=50.0)
    assert isinstance(reader, Reader)
    assert (reader.layout, reader.suffixes) == ("keraal-vicon", (".txt",))
    with pytest.raises(RegistryError, match="no reader is called 'kimor'. Did you mean 'kimore'"):
        load_reader("kimor")
    with pytest.raises(ConfigError, match="reader 'kimore' has no key 'fps'"):
        load_reader("kimore", fps=3)

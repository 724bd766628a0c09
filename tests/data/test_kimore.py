"""KIMORE on hand-made trees: every fault that is known or to be expected."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.data.adapters.base import PrepareReport, Problem
from zoo.data.adapters.kimore import KimoreAdapter
from zoo.data.dataset import SkeletonDataset, prepare
from zoo.data.recording import Recording
from zoo.errors import DataError

END_JOINTS = [3, 15, 19, 21, 22, 23, 24]


@pytest.fixture
def maker(make_kimore: Any, tmp_path: Path) -> Any:
    return make_kimore(tmp_path / "KiMoRe")


def read(source: Path, strict: bool = False) -> tuple[dict[str, Recording], PrepareReport]:
    report = PrepareReport(strict=strict)
    progress = KimoreAdapter.NO_PROGRESS
    recordings = list(KimoreAdapter().read(source, report, progress))
    ids = [recording.id for recording in recordings]
    assert ids == sorted(ids)
    return {recording.id: recording for recording in recordings}, report


def only_problem(report: PrepareReport, *kinds_to_ignore: str) -> Problem:
    problems = [p for p in report.problems if p.kind not in ("no-positions", *kinds_to_ignore)]
    assert len(problems) == 1, [str(p) for p in problems]
    return problems[0]


def test_a_sound_tree(maker: Any) -> None:
    maker.person("E_ID1", frames=6)
    maker.person("NE_ID12", frames=7, seed=50)
    recordings, report = read(maker.root)
    assert report.problems == []
    assert report.skipped == []
    assert len(recordings) == 10
    one = recordings["NE_ID12/Es3"]
    assert (one.subject, one.group, one.exercise, one.session) == (
        "NE_ID12",
        "CG/NotExpert",
        "3",
        "1",
    )
    assert (one.layout, one.fps, one.num_frames, one.num_joints) == ("kinect-v2", 30.0, 7, 25)
    assert one.scores == {"total": 42.0, "primary": 12.0, "control": 30.0}
    assert one.tracked is not None
    assert one.tracked.dtype == np.uint8
    assert (one.tracked[0, 7], one.tracked[1, 7]) == (1, 2)
    assert one.timestamps is None


def test_positions_are_those_of_the_file(maker: Any) -> None:
    maker.session("E_ID1", 1, frames=5)
    recordings, _ = read(maker.root)
    rows = np.genfromtxt(maker.positions("E_ID1", 1), delimiter=",")[:, :100]
    expected = rows.reshape(5, 25, 4)[..., :3].astype(np.float32)
    assert np.array_equal(recordings["E_ID1/Es1"].positions, expected)


@pytest.mark.parametrize("order", ["wxyz", "xyzw"])
def test_quaternions_come_out_w_first_whatever_the_file_has(maker: Any, order: str) -> None:
    maker.session("E_ID1", 1, order=order)
    recordings, report = read(maker.root)
    one = recordings["E_ID1/Es1"]
    assert one.orientations is not None
    assert one.positions is not None
    assert one.orientations.dtype == np.float32
    norms = np.linalg.norm(one.orientations, axis=-1)
    assert np.abs(norms - 1).max() < 1e-6
    w, x, y, z = np.moveaxis(one.orientations[:, 5].astype(np.float64), -1, 0)
    axis = np.stack([2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)], axis=-1)
    bone = (one.positions[:, 5] - one.positions[:, 4]).astype(np.float64)
    bone /= np.linalg.norm(bone, axis=1, keepdims=True)
    assert np.abs(axis - bone).max() < 1e-5
    assert any("w, x, y, z in 1 recordings" in n for n in report.notes) == (order == "wxyz")


def test_quaternions_that_fit_no_bones_are_read_as_described(maker: Any) -> None:
    maker.session("E_ID1", 1, frames=3)
    rows = np.tile([0.6, 0.0, 0.0, 0.8], (3, 25))
    text = "\n".join(",".join(map(str, row)) + "," for row in rows)
    maker.orientations("E_ID1", 1).write_text(text + "\n")
    recordings, _ = read(maker.root)
    expected = np.tile(np.array([0.8, 0.6, 0, 0], dtype=np.float32), (3, 25, 1))
    assert np.allclose(recordings["E_ID1/Es1"].orientations, expected, atol=1e-6)


def test_end_joints_without_an_orientation_get_the_identity(maker: Any) -> None:
    maker.session("E_ID1", 1)
    recordings, report = read(maker.root)
    orientations = recordings["E_ID1/Es1"].orientations
    assert orientations is not None
    assert (orientations[:, END_JOINTS] == [1, 0, 0, 0]).all()
    assert [p.kind for p in report.problems] == ["no-positions"] * 4


def test_a_zero_quaternion_elsewhere(maker: Any) -> None:
    maker.session("E_ID1", 1)
    file = maker.orientations("E_ID1", 1)
    fields = file.read_text().split("\n")[24 + 2].split(",")
    fields[5 * 4 : 6 * 4] = ["0"] * 4
    maker.edit(file, 24 + 3, ",".join(fields))
    recordings, report = read(maker.root)
    assert recordings == {}
    problem = only_problem(report)
    assert (problem.kind, problem.line, problem.skipped) == ("zero-quaternion", 27, True)
    assert problem.found == "a quaternion of length 0 for ElbowLeft"
    assert problem.file == "CG/Expert/E_ID1/Es1/Raw/JointOrientation010118_120000.csv"


def test_a_quaternion_of_another_length(maker: Any) -> None:
    maker.session("E_ID1", 1)
    file = maker.orientations("E_ID1", 1)
    fields = file.read_text().split("\n")[24].split(",")
    fields[0] = "1.5"
    maker.edit(file, 25, ",".join(fields))
    problem = only_problem(read(maker.root)[1])
    assert (problem.kind, problem.line) == ("quaternion-length", 25)


BAD_LINES = {
    "row-width": (
        "1,2,3,",
        "3 values",
        "100 values (or 200 or 300, of which the first 100 count): 25 joints of 4 numbers",
    ),
    "not-a-number": ("abc," + "1," * 99, "'abc' as value 1", "a number"),
    "not-finite": ("0,NaN," + "1," * 98, "'NaN' as value 2", "a finite number"),
}


@pytest.mark.parametrize("kind", list(BAD_LINES))
@pytest.mark.parametrize("which", ["positions", "orientations"])
def test_a_bad_line(maker: Any, kind: str, which: str) -> None:
    maker.person("E_ID1")
    file = getattr(maker, which)("E_ID1", 2)
    line, found, expected = BAD_LINES[kind]
    maker.edit(file, 27, line)
    recordings, report = read(maker.root)
    assert sorted(recordings) == [f"E_ID1/Es{i}" for i in (1, 3, 4, 5)]
    assert report.skipped == ["E_ID1/Es2"]
    problem = only_problem(report)
    assert (problem.kind, problem.line) == (kind, 27)
    assert (problem.found, problem.expected) == (found, expected)
    assert problem.file == f"CG/Expert/E_ID1/Es2/Raw/{file.name}"
    assert str(problem) == f"{problem.file}, line 27: found {found}, expected {expected}"


@pytest.mark.parametrize("value", ["inf", "-inf", "1e60"])
def test_infinity(maker: Any, value: str) -> None:
    maker.session("E_ID1", 1)
    maker.edit(maker.positions("E_ID1", 1), 26, f"{value}," + "1," * 99)
    problem = only_problem(read(maker.root)[1])
    assert (problem.kind, problem.line) == ("not-finite", 26)


def test_a_tracking_state_that_kinect_does_not_know(maker: Any) -> None:
    maker.session("E_ID1", 1)
    maker.edit(maker.positions("E_ID1", 1), 26, "0.1,0.2,2.0,7," + "0,0,2,2," * 24)
    problem = only_problem(read(maker.root)[1])
    assert (problem.kind, problem.line) == ("tracking-state", 26)
    assert problem.found == "7 as state of SpineBase"


def test_empty_and_truncated_files(maker: Any) -> None:
    maker.person("E_ID1")
    maker.positions("E_ID1", 1).write_text("")
    maker.positions("E_ID1", 2).write_text("\n" * 24)
    cut = maker.positions("E_ID1", 3)
    cut.write_text(cut.read_text()[:-200])
    number = maker.orientations("E_ID1", 4)
    number.write_text(number.read_text()[:-3])
    recordings, report = read(maker.root)
    assert sorted(recordings) == ["E_ID1/Es5"]
    assert [(p.recording, p.kind, p.line) for p in report.problems] == [
        ("E_ID1/Es1", "empty", None),
        ("E_ID1/Es2", "empty", None),
        ("E_ID1/Es3", "truncated", 30),
        ("E_ID1/Es4", "truncated", 30),
    ]


def test_unequal_lengths(maker: Any) -> None:
    maker.session("E_ID1", 1, frames=6)
    maker.edit(maker.orientations("E_ID1", 1), 30, None)
    problem = only_problem(read(maker.root)[1])
    assert (problem.kind, problem.line) == ("unequal-lengths", 29)
    assert problem.found == "5 frames of orientations"
    assert problem.expected == "6 as in JointPosition010118_120000.csv"


@pytest.mark.parametrize("copies", [2, 3])
def test_rows_of_several_bodies(maker: Any, copies: int) -> None:
    """201 and 301 fields, as E_ID8 Es1, P_ID3 Es1, P_ID5 Es1 and S_ID6 Es5 were published."""
    maker.session("P_ID3", 1, copies=copies, seed=3)
    maker.session("P_ID3", 2, seed=3)
    recordings, report = read(maker.root)
    wide, plain = recordings["P_ID3/Es1"], recordings["P_ID3/Es2"]
    assert np.array_equal(wide.positions, plain.positions)
    assert np.array_equal(wide.orientations, plain.orientations)
    notes = [n for n in report.notes if n.startswith("P_ID3/Es1")]
    assert notes == [
        f"P_ID3/Es1: {copies} bodies in JointPosition010118_120000.csv; number 1 counts, the "
        "tracked one that moves"
    ]


def test_of_several_bodies_the_tracked_one_that_moves_counts(maker: Any) -> None:
    """A chair stands first in the rows, somebody nobody tracks second, the person third."""
    maker.session("P_ID3", 1, frames=20, seed=3)
    expected = read(maker.root)[0]["P_ID3/Es1"]
    file, turned = maker.positions("P_ID3", 1), maker.orientations("P_ID3", 1)
    rows = np.genfromtxt(file, delimiter=",")[:, :100]
    chair, ghost = np.tile(rows[:1], (20, 1)), rows[::-1].copy()
    chair[:, 3::4], ghost[:, 3::4] = 2, 0
    write = type(maker).rows
    write(file, np.concatenate([chair, ghost, rows], axis=1))
    own = np.genfromtxt(turned, delimiter=",")[:, :100]
    write(turned, np.concatenate([own[::-1], own[::-1], own], axis=1))
    recordings, report = read(maker.root)
    one = recordings["P_ID3/Es1"]
    assert np.array_equal(one.positions, expected.positions)
    assert np.array_equal(one.orientations, expected.orientations)
    assert any("3 bodies" in n and "number 3 counts" in n for n in report.notes)


def test_blank_lines_and_rows_without_a_last_comma(maker: Any) -> None:
    maker.session("E_ID1", 1)
    file = maker.positions("E_ID1", 1)
    lines = [line.rstrip(",") for line in file.read_text().split("\n") if line]
    file.write_text("\r\n".join(lines) + "\r\n")
    recordings, _ = read(maker.root)
    assert recordings["E_ID1/Es1"].num_frames == 6


def test_missing_files_and_folders(maker: Any) -> None:
    maker.person("E_ID1")
    maker.positions("E_ID1", 1).unlink()
    maker.orientations("E_ID1", 2).unlink()
    shutil.rmtree(maker.es("E_ID1", 3) / "Raw")
    shutil.rmtree(maker.es("E_ID1", 4))
    recordings, report = read(maker.root)
    assert sorted(recordings) == ["E_ID1/Es2", "E_ID1/Es5"]
    assert recordings["E_ID1/Es2"].orientations is None
    assert [(p.recording, p.kind, p.found, p.skipped) for p in report.problems] == [
        ("E_ID1/Es1", "no-positions", "no JointPosition*.csv, only orientations", True),
        ("E_ID1/Es2", "no-orientations", "positions alone", False),
        ("E_ID1/Es3", "no-positions", "no JointPosition*.csv", True),
        ("E_ID1/Es4", "no-positions", "no folder Es4", True),
    ]


def test_several_files_of_one_kind(maker: Any) -> None:
    maker.session("E_ID1", 1)
    maker.session("E_ID1", 2)
    first = maker.positions("E_ID1", 1)
    shutil.copy(first, first.with_name("JointPosition020218_120000.csv"))
    other = maker.positions("E_ID1", 2)
    other.with_name("JointPosition020218_120000.csv").write_text("1,2,3\n")
    recordings, report = read(maker.root)
    assert sorted(recordings) == ["E_ID1/Es1"]
    assert any("2 equal copies" in note for note in report.notes)
    problem = only_problem(report)
    assert problem.kind == "several-files"
    assert "2 different files" in problem.found


def test_time_stamps(maker: Any) -> None:
    maker.person("E_ID1", frames=6)
    start = 636505344000000000
    ticks = [start + 330_000 * i for i in range(6)]
    good = "\n\n" + "".join(f"{t},12:00:0{i},\n" for i, t in enumerate(ticks))
    maker.timestamps("E_ID1", 1).write_text(good)
    maker.timestamps("E_ID1", 2).write_text("".join(f"{t}\n" for t in ticks[:4]))
    maker.timestamps("E_ID1", 3).write_text("".join(f"{t}\n" for t in reversed(ticks)))
    maker.timestamps("E_ID1", 4).write_text("noon\n" * 6)
    recordings, report = read(maker.root)
    assert len(recordings) == 5
    seconds = recordings["E_ID1/Es1"].timestamps
    assert seconds is not None
    assert np.allclose(seconds, 0.033 * np.arange(6), atol=1e-12)
    assert all(recordings[f"E_ID1/Es{i}"].timestamps is None for i in (2, 3, 4, 5))
    assert [(p.recording, p.kind, p.line, p.skipped) for p in report.problems] == [
        ("E_ID1/Es2", "time-stamps", 4, False),
        ("E_ID1/Es3", "time-stamps", 2, False),
        ("E_ID1/Es4", "time-stamps", 1, False),
    ]


def test_the_skeletons_jump_is_kept_and_noted(maker: Any, tmp_path: Path) -> None:
    maker.session("E_ID1", 1, frames=12)
    file = maker.positions("E_ID1", 1)
    values = np.genfromtxt(file, delimiter=",")[:, :100].reshape(12, 25, 4)
    values[3:, :, 0] += 2.0
    lines = [",".join(f"{v:.6g}" for v in row) + "," for row in values.reshape(12, 100)]
    file.write_text("\n".join(lines) + "\n")
    dataset = prepare(KimoreAdapter(), maker.root, tmp_path / "root")
    positions = dataset.recording("E_ID1/Es1").positions
    assert positions is not None
    assert positions[3, 0, 0] - positions[2, 0, 0] > 1.5
    (note,) = [n for n in dataset.manifest["notes"] if "jumps" in n]
    assert "(frames 3); kept as it is" in note


def test_video_and_other_files_are_ignored(maker: Any) -> None:
    maker.session("E_ID1", 1)
    raw = maker.es("E_ID1", 1) / "Raw"
    (raw / "color.avi").write_bytes(b"\0" * 100)
    (raw / "FileDepth.bin").write_bytes(b"\0" * 100)
    (maker.es("E_ID1", 1) / "Script").mkdir()
    (maker.root / "readme.txt").write_text("hello")
    assert len(read(maker.root)[0]) == 1


def test_case_does_not_matter_nor_does_the_parent(maker: Any, tmp_path: Path) -> None:
    maker.session("E_ID1", 1)
    maker.session("S_ID2", 3, seed=9)
    plain, _ = read(maker.root)
    for folder in sorted(tmp_path.rglob("*"), key=lambda f: -len(f.parts)):
        if not folder.name.startswith("E_ID1"):
            folder.rename(folder.with_name(folder.name.lower()))
    for source in (tmp_path, tmp_path / "kimore"):
        folded, report = read(source)
        assert sorted(folded) == sorted(plain)
        assert {p.kind for p in report.problems} == {"no-positions"}
        assert np.array_equal(folded["S_ID2/Es3"].positions, plain["S_ID2/Es3"].positions)
        assert folded["S_ID2/Es3"].group == "GPP/Stroke"
        assert folded["S_ID2/Es3"].scores == plain["S_ID2/Es3"].scores


def test_a_folder_that_is_no_kimore(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError, match="is no KIMORE: .* found an empty folder"):
        read(empty)
    for name in ("CG", "photos", "a.txt"):
        (tmp_path / name).mkdir()
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    message = str(caught.value)
    assert "expected its folder KiMoRe with CG/Expert/E_ID1/Es1" in message
    assert "found CG, a.txt, empty, photos" in message
    assert "\n" not in message


def test_two_copies_side_by_side(make_kimore: Any, tmp_path: Path) -> None:
    for name in ("KiMoRe", "KiMoRe (1)"):
        make_kimore(tmp_path / name).session("E_ID1", 1)
    with pytest.raises(DataError, match=r"several copies of KIMORE \(KiMoRe, KiMoRe \(1\)\)"):
        read(tmp_path)


def test_folders_in_the_wrong_place(maker: Any) -> None:
    maker.person("E_ID1")
    (maker.root / "GPP" / "Stroke" / "E_ID2").mkdir(parents=True)
    (maker.root / "CG" / "Expert" / "notes").mkdir()
    (maker.root / "GPP" / "Arthritis").mkdir()
    (maker.root / "CG" / "Expert" / "E_ID1" / "Es6").mkdir()
    recordings, report = read(maker.root)
    assert len(recordings) == 5
    assert {(p.kind, p.file) for p in report.problems} == {
        ("wrong-folder", "GPP/Stroke/E_ID2"),
        ("wrong-folder", "CG/Expert/notes"),
        ("wrong-folder", "GPP/Arthritis"),
        ("wrong-folder", "CG/Expert/E_ID1/Es6"),
    }


def test_strict_stops_at_the_first_fault(maker: Any) -> None:
    maker.person("E_ID1")
    maker.edit(maker.positions("E_ID1", 2), 27, "1,2,3,")
    with pytest.raises(DataError, match=r"E_ID1/Es2: CG/Expert/.*line 27: found 3 values"):
        read(maker.root, strict=True)
    maker.session("E_ID1", 2)
    assert len(read(maker.root, strict=True)[0]) == 5


def test_progress_reaches_the_end(maker: Any) -> None:
    maker.person("E_ID1")
    maker.positions("E_ID1", 5).unlink()
    seen: list[tuple[int, int, str]] = []
    list(KimoreAdapter().read(maker.root, PrepareReport(), lambda *p: seen.append(p)))
    assert [done for done, _, _ in seen] == [1, 2, 3, 4, 5]
    assert {total for _, total, _ in seen} == {5}


def test_the_same_source_gives_the_same_fingerprint(make_kimore: Any, tmp_path: Path) -> None:
    """Whatever the order in which folders were made, and their time stamps."""
    prints = []
    for number, people in enumerate((["E_ID1", "B_ID2", "P_ID10"], ["P_ID10", "E_ID1", "B_ID2"])):
        maker = make_kimore(tmp_path / f"{number}" / "KiMoRe")
        for person in people:
            maker.person(person, frames=12, seed=len(person))
        dataset = prepare(KimoreAdapter(), maker.root, tmp_path / f"root{number}")
        prints.append(dataset.fingerprint)
    assert prints[0] == prints[1]


def test_through_the_store_and_back(maker: Any, tmp_path: Path) -> None:
    maker.person("E_ID1", frames=12)
    maker.orientations("E_ID1", 2).unlink()
    recordings, _ = read(maker.root)
    prepare(KimoreAdapter(), maker.root, tmp_path / "root")
    dataset = SkeletonDataset.open(tmp_path / "root", "kimore")
    assert [r.id for r in dataset] == sorted(recordings)
    for recording in dataset:
        made = recordings[recording.id]
        assert np.array_equal(recording.positions, made.positions)
        assert (recording.orientations is None) == (made.orientations is None)
        assert recording.scores == made.scores
    assert "orientations" not in dataset.index[1].arrays
    assert sum("orientations" in info.arrays for info in dataset.index) == 4


def test_one_file_alone(maker: Any) -> None:
    maker.session("E_ID1", 1)
    recordings, report = read(maker.root)
    file = maker.positions("E_ID1", 1)
    (one,) = KimoreAdapter().read_file(file, report)
    assert np.array_equal(one.positions, recordings["E_ID1/Es1"].positions)
    assert np.array_equal(one.orientations, recordings["E_ID1/Es1"].orientations)
    maker.edit(file, 25, "1,2")
    with pytest.raises(DataError, match="line 25: found 2 values"):
        list(KimoreAdapter().read_file(file, report))

"""UI-PRMD on small trees made here: what is read, and every fault that is reported."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from zoo.data.adapters.base import Adapter, PrepareReport
from zoo.data.adapters.uiprmd import (
    UiprmdKinectAdapter,
    UiprmdViconAdapter,
    UiprmdViconAnglesAdapter,
)
from zoo.data.dataset import SkeletonDataset, create_adapter, prepare
from zoo.errors import ConfigError, DataError

ADAPTERS = (UiprmdKinectAdapter, UiprmdViconAdapter, UiprmdViconAnglesAdapter)


@pytest.fixture
def tree(small_uiprmd: Path) -> Path:
    return small_uiprmd


def replace_value(line: str, column: int, text: str) -> str:
    fields = line.split(",")
    return ",".join([*fields[:column], text, *fields[column + 1 :]])


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_reads_right_and_wrong(uiprmd: ModuleType, tree: Path, adapter: type[Adapter]) -> None:
    calls: list[tuple[int, int, str]] = []
    report = PrepareReport()
    found = list(adapter(score="published").read(tree, report, lambda *call: calls.append(call)))
    assert not report.problems
    assert len({r.id for r in found}) == len(found) == 20
    assert [(done, total) for done, total, _ in calls] == [(n, 20) for n in range(1, 21)]
    one = next(r for r in found if r.id == "s01/m01/e03/incorrect")
    assert (one.subject, one.exercise, one.session) == ("s01", "m01", "e03/incorrect")
    assert one.group == "healthy"
    assert dict(one.scores) == {"correct": 0.0}
    assert {r.scores["correct"] for r in found if r.session.endswith("/correct")} == {1.0}
    assert any("no quality scores" in note for note in report.notes)


def test_arrays_of_each_sensor(uiprmd: ModuleType, tree: Path) -> None:
    kinect = uiprmd.read(UiprmdKinectAdapter(score="published"), tree)[0]["s01/m01/e01/correct"]
    assert kinect.positions is not None
    assert kinect.orientations is not None
    assert kinect.positions.shape == (24, 22, 3)
    assert kinect.positions.dtype == kinect.orientations.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(kinect.orientations, axis=-1), 1, atol=1e-6)
    waist = np.loadtxt(uiprmd.file(tree, "Kinect", "Positions", "m01_s01_e01"), delimiter=",")[
        :, :3
    ]
    np.testing.assert_allclose(kinect.positions[:, 0], waist * (-0.01, 0.01, -0.01), atol=1e-6)

    markers = uiprmd.read(UiprmdViconAdapter(score="published"), tree)[0]["s01/m01/e01/correct"]
    raw = np.loadtxt(uiprmd.file(tree, "Vicon", "Positions", "m01_s01_e01"), delimiter=",")
    assert markers.positions is not None
    assert markers.positions.shape == (40, 39, 3)
    assert markers.orientations is None
    assert markers.tracked is not None
    assert (markers.tracked == 2).all()
    np.testing.assert_allclose(markers.positions[:, 1, 1], raw[:, 5] / 1000, atol=1e-6)

    angles = uiprmd.read(UiprmdViconAnglesAdapter(score="published"), tree)[0][
        "s01/m01/e01/correct"
    ]
    raw = np.loadtxt(uiprmd.file(tree, "Vicon", "Angles", "m01_s01_e01"), delimiter=",")
    assert angles.positions is None
    assert angles.angles is not None
    assert angles.orientations is not None
    np.testing.assert_allclose(angles.angles.reshape(40, -1), raw, atol=1e-4)
    moving = (angles.orientations[..., 0] != 1).any(axis=0)
    assert int(moving.sum()) == 17


def test_batches_do_not_mix_repetitions(
    uiprmd: ModuleType, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uiprmd.edit(uiprmd.file(tree, "Kinect", "Positions", "m01_s01_e02"), lambda lines: lines[:11])
    uiprmd.edit(uiprmd.file(tree, "Kinect", "Angles", "m01_s01_e02"), lambda lines: lines[:11])
    together = uiprmd.read(UiprmdKinectAdapter(score="published"), tree)[0]
    monkeypatch.setattr("zoo.data.adapters.uiprmd.repetitions._BATCH", 1)
    alone = uiprmd.read(UiprmdKinectAdapter(score="published"), tree)[0]
    assert together["s01/m01/e02/correct"].num_frames == 11
    assert together.keys() == alone.keys()
    for key, recording in together.items():
        np.testing.assert_array_equal(recording.positions, alone[key].positions)
        np.testing.assert_array_equal(recording.orientations, alone[key].orientations)


def test_source_may_be_the_folder_above(uiprmd: ModuleType, tree: Path) -> None:
    assert len(uiprmd.read(UiprmdViconAdapter(score="published"), tree.parent)[0]) == 20


FAULTS: dict[str, tuple[Callable[[list[str]], list[str]], str, int | None, str, str]] = {
    "wide row": (
        lambda lines: [*lines[:4], lines[4] + ",1.5", *lines[5:]],
        "row-width", 5, "67 values", "66 values",
    ),
    "narrow row": (
        lambda lines: [*lines[:2], lines[2].rpartition(",")[0], *lines[3:]],
        "row-width", 3, "65 values", "66 values",
    ),
    "no number": (
        lambda lines: [*lines[:6], replace_value(lines[6], 3, "1.2.3"), *lines[7:]],
        "not-a-number", 7, "'1.2.3' as value 4", "a number",
    ),
    "nan": (
        lambda lines: [*lines[:1], replace_value(lines[1], 65, "NaN"), *lines[2:]],
        "not-finite", 2, "'NaN' as value 66", "a finite number",
    ),
    "missing values at the beginning": (
        lambda lines: [replace_value(line, 30, "NaN") for line in lines[:5]] + lines[5:],
        "not-finite", 1, "'NaN' as value 31", "a finite number",
    ),
    "empty values at the beginning": (
        lambda lines: [replace_value(line, 30, "") for line in lines[:5]] + lines[5:],
        "not-a-number", 1, "'' as value 31", "a number",
    ),
    "truncated": (
        lambda lines: [*lines[:9], lines[9][: len(lines[9]) // 2]],
        "truncated", 10, "values", "66 values",
    ),
    "empty file": (lambda lines: [], "empty", None, "empty file of 0 bytes", "rows of numbers"),
    "one frame": (lambda lines: lines[:1], "unequal-length", None, "24 frames", "1 frame"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_file_is_reported_and_skipped(uiprmd: ModuleType, tree: Path, fault: str) -> None:
    change, kind, line, found, expected = FAULTS[fault]
    uiprmd.edit(uiprmd.file(tree, "Kinect", "Positions", "m01_s01_e04", "_inc"), change)
    recordings, report = uiprmd.read(UiprmdKinectAdapter(score="published"), tree)
    assert len(recordings) == 19
    assert report.skipped == ["s01/m01/e04/incorrect"]
    (problem,) = report.problems
    assert (problem.kind, problem.line) == (kind, line)
    assert found in problem.found
    assert expected in problem.expected
    if kind != "unequal-length":
        assert problem.file == (
            "Incorrect Segmented Movements/Kinect/Positions/m01_s01_e04_positions_inc.txt"
        )
    with pytest.raises(DataError, match="m01_s01_e04") as error:
        uiprmd.read(UiprmdKinectAdapter(score="published"), tree, strict=True)
    assert problem.expected in str(error.value)


def test_positions_and_angles_of_unequal_length(uiprmd: ModuleType, tree: Path) -> None:
    uiprmd.edit(uiprmd.file(tree, "Kinect", "Angles", "m01_s01_e04"), lambda lines: lines[:-1])
    recordings, report = uiprmd.read(UiprmdKinectAdapter(score="published"), tree)
    assert "s01/m01/e04/correct" not in recordings
    (problem,) = report.problems
    assert problem.kind == "unequal-length"
    assert problem.file.endswith("Kinect/Angles/m01_s01_e04_angles.txt")
    assert problem.found == "23 frames"
    assert "24 frames as in Segmented Movements/Kinect/Positions/" in problem.expected


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_repetition_of_one_frame(
    uiprmd: ModuleType, tree: Path, adapter: type[UiprmdKinectAdapter]
) -> None:
    """As m10_s05_e09 done wrong."""
    for kind in uiprmd.KINDS:
        uiprmd.edit(
            uiprmd.file(tree, adapter.sensor, kind, "m01_s01_e09", "_inc"), lambda lines: lines[:1]
        )
    recordings, report = uiprmd.read(adapter(score="published"), tree)
    assert len(recordings) == 19
    (problem,) = report.problems
    assert (problem.kind, problem.found) == ("too-short", "1 frame")
    assert problem.recording == "s01/m01/e09/incorrect"


def test_one_missing_file(uiprmd: ModuleType, tree: Path) -> None:
    uiprmd.file(tree, "Kinect", "Angles", "m01_s01_e05").unlink()
    recordings, report = uiprmd.read(UiprmdKinectAdapter(score="published"), tree)
    assert len(recordings) == 19
    (problem,) = report.problems
    assert problem.kind == "missing-file"
    assert problem.file == "Segmented Movements/Kinect/Angles/m01_s01_e05_angles.txt"


def test_a_session_that_is_missing_altogether(uiprmd: ModuleType, tree: Path) -> None:
    """As the Vicon data of m03, s03: the person has other movements, the movement other people."""
    values = uiprmd.numbers("Vicon", 20)
    for ending in uiprmd.SIDES:
        for key in ("m03_s01", "m01_s03"):
            for episode in range(1, 11):
                uiprmd.write(
                    uiprmd.file(tree, "Vicon", "Angles", f"{key}_e{episode:02}", ending), values
                )
    recordings, report = uiprmd.read(UiprmdViconAnglesAdapter(score="published"), tree)
    assert Counter((r.subject, r.exercise) for r in recordings.values()) == {
        ("s01", "m01"): 20, ("s01", "m03"): 20, ("s03", "m01"): 20,
    }  # fmt: skip
    assert Counter(p.kind for p in report.problems) == {"missing-file": 20}
    assert {p.recording for p in report.problems} == {
        f"s03/m03/e{n:02}/{side}" for n in range(1, 11) for side in ("correct", "incorrect")
    }
    with pytest.raises(DataError, match="m03_s03_e01_angles"):
        uiprmd.read(UiprmdViconAnglesAdapter(score="published"), tree, strict=True)


def test_half_a_download_is_noted(uiprmd: ModuleType, tree: Path) -> None:
    for path in (tree / uiprmd.SIDES["_inc"] / "Kinect").rglob("*.txt"):
        path.unlink()
    (tree / uiprmd.SIDES["_inc"] / "Kinect" / "Positions").rmdir()
    (tree / uiprmd.SIDES["_inc"] / "Kinect" / "Angles").rmdir()
    (tree / uiprmd.SIDES["_inc"] / "Kinect").rmdir()
    (tree / uiprmd.SIDES[""] / "Kinect" / "Positions" / "readme.txt").write_text("hello")
    (tree / uiprmd.SIDES[""] / "Kinect" / "Angles" / "m11_s01_e01_angles.txt").write_text("1")
    recordings, report = uiprmd.read(UiprmdKinectAdapter(score="published"), tree)
    assert len(recordings) == 10
    assert not report.problems
    notes = "\n".join(report.notes)
    assert "no folder 'Incorrect Segmented Movements' with Kinect data" in notes
    assert "readme.txt: no name of a UI-PRMD repetition" in notes
    assert "m11_s01_e01_angles.txt: no name" in notes
    assert "no files of m02, m03, m04" in notes


def test_no_ui_prmd_at_all(tmp_path: Path, uiprmd: ModuleType, tree: Path) -> None:
    empty = tmp_path / "other"
    (empty / "CG").mkdir(parents=True)
    with pytest.raises(DataError, match=r"no UI-PRMD folder with Kinect data.*found CG"):
        uiprmd.read(UiprmdKinectAdapter(score="published"), empty)
    with pytest.raises(DataError, match="no such folder"):
        uiprmd.read(UiprmdKinectAdapter(score="published"), tmp_path / "absent")
    with pytest.raises(DataError, match="name their folder"):
        prepare(UiprmdKinectAdapter(score="published"), None, tmp_path)
    for path in (tree / uiprmd.SIDES[""] / "Kinect" / "Angles").iterdir():
        path.unlink()
    (tree / uiprmd.SIDES[""] / "Kinect" / "Angles").rmdir()
    with pytest.raises(DataError, match="has no folder Angles; Positions and Angles are needed"):
        uiprmd.read(UiprmdKinectAdapter(score="published"), tree)
    for path in tree.rglob("Vicon/Positions/*.txt"):
        path.unlink()
    with pytest.raises(DataError, match=r"no file such as m01_s01_e01_positions\.txt"):
        uiprmd.read(UiprmdViconAdapter(score="published"), tree)


def test_a_dropped_marker_is_filled_marked_and_reported(uiprmd: ModuleType, tree: Path) -> None:
    path = uiprmd.file(tree, "Vicon", "Positions", "m01_s01_e01")
    whole = uiprmd.read(UiprmdViconAdapter(score="published"), tree)[0][
        "s01/m01/e01/correct"
    ].positions
    uiprmd.lose(path, 7, slice(0, 6))
    uiprmd.lose(path, 7, slice(20, 24))
    recordings, report = uiprmd.read(UiprmdViconAdapter(score="published"), tree)
    (problem,) = report.problems
    assert (problem.kind, problem.skipped, problem.line) == ("lost-marker", False, 1)
    assert problem.found == "STRN at 0, 0, 0 in 10 of 40 frames"
    recording = recordings["s01/m01/e01/correct"]
    assert recording.positions is not None
    assert recording.tracked is not None
    gone = np.zeros((40, 39), dtype=bool)
    gone[:6, 7] = gone[20:24, 7] = True
    np.testing.assert_array_equal(recording.tracked, np.where(gone, 0, 2))
    np.testing.assert_array_equal(recording.positions[~gone], whole[~gone])
    np.testing.assert_array_equal(recording.positions[:6, 7], whole[[6] * 6, 7])
    middle = whole[19, 7] + (whole[24, 7] - whole[19, 7]) * 0.4
    np.testing.assert_allclose(recording.positions[21, 7], middle, atol=1e-6)
    with pytest.raises(DataError, match="STRN"):
        uiprmd.read(UiprmdViconAdapter(score="published"), tree, strict=True)


def test_a_marker_lost_too_long_costs_the_repetition(uiprmd: ModuleType, tree: Path) -> None:
    uiprmd.lose(uiprmd.file(tree, "Vicon", "Positions", "m01_s01_e01"), 7, slice(10, 31))
    uiprmd.lose(uiprmd.file(tree, "Vicon", "Positions", "m01_s01_e01"), 8, slice(5, 8))
    uiprmd.lose(uiprmd.file(tree, "Vicon", "Angles", "m01_s01_e02", "_inc"), 12, slice(None))
    recordings, report = uiprmd.read(UiprmdViconAdapter(score="published"), tree)
    assert "s01/m01/e01/correct" not in recordings
    (problem,) = report.problems
    assert (problem.kind, problem.skipped, problem.line) == ("lost-marker", True, 6)
    assert problem.found == "STRN at 0, 0, 0 in 21 of 40 frames and 1 more lost"
    assert problem.expected == "at most 50% lost (max_lost)"
    assert len(uiprmd.read(UiprmdViconAdapter(max_lost=0.6, score="published"), tree)[0]) == 20

    assert len(uiprmd.read(UiprmdViconAnglesAdapter(score="published"), tree)[0]) == 19
    kept = uiprmd.read(UiprmdViconAnglesAdapter(max_lost=1, score="published"), tree)[0][
        "s01/m01/e02/incorrect"
    ]
    assert kept.tracked is not None
    assert kept.orientations is not None
    assert (kept.tracked[:, 12] == 0).all()
    np.testing.assert_array_equal(kept.orientations[:, 12], [[1, 0, 0, 0]] * 40)
    with pytest.raises(ConfigError, match="max_lost"):
        UiprmdViconAdapter(max_lost=1.5, score="published")


def test_angles_that_jump_at_180_continue(uiprmd: ModuleType, tree: Path) -> None:
    path = uiprmd.file(tree, "Vicon", "Angles", "m01_s01_e01")
    values = np.loadtxt(path, delimiter=",")
    true = np.linspace(120, 240, 40)
    values[:, 57] = (true + 180) % 360 - 180
    uiprmd.write(path, values)
    recording = uiprmd.read(UiprmdViconAnglesAdapter(score="published"), tree)[0][
        "s01/m01/e01/correct"
    ]
    assert recording.angles is not None
    np.testing.assert_allclose(recording.angles[:, 19, 0], true, atol=1e-4)
    others = np.delete(recording.angles.reshape(40, -1), 57, axis=1)
    np.testing.assert_allclose(others, np.delete(values, 57, axis=1), atol=1e-4)


@pytest.mark.parametrize("name", ["uiprmd-kinect", "uiprmd-vicon", "uiprmd-vicon-angles"])
def test_prepared_and_opened_again(
    uiprmd: ModuleType, tree: Path, tmp_path: Path, name: str
) -> None:
    uiprmd.write_labels(tree, [0.9, 0.8, 0.7], [0.4, 0.3])
    adapter = create_adapter(name, score="published")
    assert "UI-PRMD" in adapter.title
    assert "Vakanski" in adapter.citation
    assert "Public Domain" in adapter.licence
    assert len(adapter.exercises) == 10
    uiprmd.stand(tree)
    prepare(adapter, tree, tmp_path / "store")
    dataset = SkeletonDataset.open(tmp_path / "store", name)
    assert len(dataset) == 20
    assert len(dataset.select(exercise="m01")) == 5
    assert dataset.score_range == (0.0, 1.0)
    assert dataset.fps == adapter.fps
    computed = prepare(create_adapter(name), tree, tmp_path / "computed")
    assert len(computed.select(exercise="m01")) == 20
    assert computed.fingerprint != dataset.fingerprint
    again = uiprmd.read(adapter, tree)[0]
    for recording in dataset:
        for key in ("positions", "orientations", "angles", "tracked"):
            np.testing.assert_array_equal(
                getattr(recording, key), getattr(again[recording.id], key)
            )


def test_importing_the_readers_needs_no_torch() -> None:
    code = (
        "import sys, zoo.data.adapters.uiprmd;"
        "print([m for m in ('torch', 'scipy') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_why_a_repetition_has_no_score(uiprmd: ModuleType, tree: Path) -> None:
    """The Kinect's are scored by the Vicon angles, of which some are lost or missing."""
    gone = uiprmd.file(tree, "Vicon", "Angles", "m01_s01_e03")
    gone.unlink()
    uiprmd.lose(uiprmd.file(tree, "Vicon", "Angles", "m01_s01_e04"), 5, slice(0, 30))
    short = uiprmd.file(tree, "Vicon", "Angles", "m01_s01_e05")
    uiprmd.edit(short, lambda x: x[:4])
    found, report = uiprmd.read(create_adapter("uiprmd-kinect"), tree)
    assert len(found) == 20
    unscored = [key for key, recording in found.items() if "total" not in recording.scores]
    reasons = {p.recording: p for p in report.problems}
    assert sorted(reasons) == unscored == [f"s01/m01/e0{n}/correct" for n in (3, 4, 5)]
    assert {p.kind for p in report.problems} == {"no-score"}
    texts = [str(reasons[key]) for key in unscored]
    angles = "the Vicon angles that scores are computed from"
    place = "Segmented Movements/Vicon/Angles/m01_s01_e0"
    assert texts == [
        f"{place}3_angles.txt: found no such file, expected {angles} (a recorded repetition)",
        f"{place}4_angles.txt: found angles of LClavicle lost in 75% of the frames, expected "
        f"{angles}, at most half of them",
        f"{place}5_angles.txt: found 4 frames, expected at least 10 of {angles}",
    ]
    own = uiprmd.read(create_adapter("uiprmd-vicon-angles"), tree)[1]
    assert not [p for p in own.problems if p.kind == "no-score"]

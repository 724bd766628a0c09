"""The published quality scores of UI-PRMD's reduced set, on small trees made here."""

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from zoo.data.adapters.uiprmd import (
    UiprmdKinectAdapter,
    UiprmdViconAdapter,
    UiprmdViconAnglesAdapter,
)
from zoo.errors import DataError


@pytest.fixture
def tree(small_uiprmd: Path) -> Path:
    return small_uiprmd


def test_quality_scores_and_crops(uiprmd: ModuleType, tree: Path, tmp_path: Path) -> None:
    uiprmd.write_labels(tmp_path / "labels", [0.9, 0.8, 0.7], [0.4, 0.3])
    adapter = UiprmdViconAnglesAdapter(labels=tmp_path / "labels", score="published")
    found, report = uiprmd.read(adapter, tree)
    whole = uiprmd.read(UiprmdViconAnglesAdapter(score="published"), tree)[0]
    totals = {i: r.scores["total"] for i, r in found.items() if "total" in r.scores}
    assert totals == {
        "s01/m01/e02/correct": 0.9, "s01/m01/e04/correct": 0.8, "s01/m01/e05/correct": 0.7,
        "s01/m01/e04/incorrect": 0.4, "s01/m01/e02/incorrect": 0.3,
    }  # fmt: skip
    assert not report.problems
    for key, recording in found.items():
        cut = slice(5, 35) if key in totals else slice(None)
        np.testing.assert_array_equal(recording.angles, whole[key].angles[cut])
    assert found["s01/m01/e02/correct"].extra == {"reduced": True, "crop": [5, 35], "whole": 40}
    assert found["s01/m01/e01/correct"].extra == {}

    kinect = uiprmd.read(
        UiprmdKinectAdapter(labels=str(tmp_path / "labels"), score="published"), tree
    )[0]
    assert kinect["s01/m01/e02/correct"].extra["crop"] == [3, 21]
    assert kinect["s01/m01/e02/correct"].num_frames == 18
    kept = uiprmd.read(
        UiprmdViconAdapter(labels=tmp_path / "labels", crop=False, score="published"), tree
    )[0]
    assert kept["s01/m01/e02/correct"].num_frames == 40
    assert kept["s01/m01/e02/correct"].scores["total"] == 0.9
    assert kept["s01/m01/e02/correct"].extra == {"reduced": True}


def test_labels_beside_the_movements_are_found(uiprmd: ModuleType, tree: Path) -> None:
    uiprmd.write_labels(tree, [0.9, 0.8, 0.7], [0.4, 0.3])
    found, report = uiprmd.read(UiprmdViconAdapter(score="published"), tree)
    assert sum("total" in r.scores for r in found.values()) == 5
    assert any("quality scores of 5 repetitions" in note for note in report.notes)
    assert len(uiprmd.read(UiprmdViconAdapter(score="published"), tree.parent)[0]) == 20


def test_a_subset_that_does_not_fit_leaves_the_repetition_whole(
    uiprmd: ModuleType, tree: Path
) -> None:
    uiprmd.write_labels(tree, [0.9, 0.8, 0.7], [0.4, 0.3], full=41)
    found, report = uiprmd.read(UiprmdViconAdapter(score="published"), tree)
    assert {p.kind for p in report.problems} == {"reduced-set"}
    assert len(report.problems) == 5
    assert "41 frames" in report.problems[0].expected
    assert not report.skipped
    assert found["s01/m01/e02/correct"].num_frames == 40
    assert found["s01/m01/e02/correct"].scores["total"] == 0.9


def test_a_crop_too_short_to_be_a_repetition_is_not_made(uiprmd: ModuleType, tree: Path) -> None:
    uiprmd.write_labels(tree, [0.9, 0.8, 0.7], [0.4, 0.3])
    for kind in uiprmd.KINDS:
        uiprmd.edit(uiprmd.file(tree, "Kinect", kind, "m01_s01_e02"), lambda lines: lines[:12])
    found, report = uiprmd.read(UiprmdKinectAdapter(score="published"), tree)
    (problem,) = report.problems
    assert (problem.kind, problem.found) == ("reduced-set", "a crop of 8 frames")
    assert found["s01/m01/e02/correct"].num_frames == 12


def test_label_files_that_are_wrong(uiprmd: ModuleType, tree: Path, tmp_path: Path) -> None:
    folder = tmp_path / "labels"
    adapter = UiprmdViconAdapter(labels=folder, score="published")
    with pytest.raises(DataError, match=r"Labels_Correct\.csv and Labels_Incorrect\.csv missing"):
        uiprmd.read(adapter, tree)
    uiprmd.write_labels(folder, [0.9, 0.8], [0.4, 0.3])
    with pytest.raises(DataError, match=r"Labels_Correct\.csv: 2 scores for the 3 repetitions"):
        uiprmd.read(adapter, tree)
    uiprmd.write_labels(folder, [0.9, 1.8, 0.7], [0.4, 0.3])
    with pytest.raises(DataError, match=r"Labels_Correct\.csv, line 2: found '1\.8'"):
        uiprmd.read(adapter, tree)
    uiprmd.write_labels(folder, [0.9, 0.8, 0.7], [0.4, 0.3])
    (folder / "Labels_Incorrect.csv").write_text("0.4\ngood\n")
    with pytest.raises(DataError, match=r"Labels_Incorrect\.csv, line 2: found 'good'"):
        uiprmd.read(adapter, tree)
    uiprmd.write_labels(folder, [0.9, 0.8, 0.7], [0.4, 0.3])
    subset = folder / "uiprmd_reduced_subset.json"
    content = json.loads(subset.read_text())
    for broken in ("{", "[]", "{}", '{"m01": {}, "m02": {}}', '{"m02": {"correct": [{}]}}'):
        subset.write_text(broken)
        with pytest.raises(DataError, match=r"uiprmd_reduced_subset\.json: .*expected movement"):
            uiprmd.read(adapter, tree)
    content["m01"]["correct"][1]["stop"] = 60
    subset.write_text(json.dumps(content))
    with pytest.raises(DataError, match="start 5, stop 60, full 40"):
        uiprmd.read(adapter, tree)
    content["m01"]["correct"][1].update(stop=35, r=9)
    subset.write_text(json.dumps(content))
    with pytest.raises(DataError, match="r 9"):
        uiprmd.read(adapter, tree)
    (folder / "Labels_Correct.csv").unlink()
    with pytest.raises(DataError, match=r"Labels_Correct\.csv missing"):
        uiprmd.read(adapter, tree)

"""A folder of recordings in any form is recognised, described, and prepared once filled in."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from zoo.data.begin import begin
from zoo.data.names import guess
from zoo.data.survey import survey
from zoo.errors import DataError

FORMS = {
    "mediapipe": ("mediapipe_csv", None),
    "mediapipe JSON": ("mediapipe_json", None),
    "wide-csv": ("wide_csv", None),
    "long-csv": ("long_csv", None),
    "numpy": ("npz", None),
    "openpose": ("openpose", 25),
    "alphapose": ("alphapose", 25),
    "mmpose": ("mmpose", 25),
    "mmaction": ("mmaction", 25),
    "keraal-video": ("keraal", 25),
    "ntu": ("ntu", None),
    "trc": ("trc", None),
    "c3d": ("c3d", None),
    "irds-csv": ("irds_csv", None),
    "kimore-filtered": ("kimore_filtered", None),
}


def filled(folder: Path, fps: int | None) -> None:
    """Both files with what a person would write."""
    table, description = folder / "recordings.csv", folder / "dataset.yaml"
    header, *rows = table.read_text(encoding="utf-8").splitlines()
    at = header.split(",").index("person")
    lines = [header]
    for i, row in enumerate(rows):
        cells = row.split(",")
        cells[at] = cells[at].replace("FILL_IN", f"P{i}")
        lines.append(",".join(cells).replace("FILL_IN", str(i)))
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = description.read_text(encoding="utf-8")
    text = text.replace("range: FILL_IN", "range: [0, 50]").replace("fps: FILL_IN", f"fps: {fps}")
    text = re.sub(r"^guessed:.*\n", "", text, flags=re.MULTILINE).replace("FILL_IN", "made up")
    description.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_becomes_a_dataset(form: str, pose_files: Any, tmp_path: Path) -> None:
    if form == "c3d":
        pytest.importorskip("c3d", reason="C3D files are read and written by c3d")
    function, fps = FORMS[form]
    folder = tmp_path / "takes"
    for person in ("anna", "bert"):
        (folder / person).mkdir(parents=True)
        getattr(pose_files, function)(folder / person)
    found = survey(folder)
    assert found.reader == form.partition(" ")[0]
    assert len(found.files) == 2
    assert (found.settings.get("fps", 0) is None) == (fps is not None)
    begun = begin(found)
    assert {file.name for file in begun.written} == {"recordings.csv", "dataset.yaml"}
    filled(folder, fps)
    dataset = zoo.prepare_dataset("takes", folder, tmp_path / "root")
    assert dataset.manifest["problems"] == []
    assert len(dataset) == (4 if form == "irds-csv" else 2)
    assert dataset[0].positions is not None


@pytest.mark.parametrize("folder", ["numpy", "kimore", "My Kimore"])
def test_the_suggested_name_is_free(folder: str, pose_files: Any, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir()
    pose_files.npz(tmp_path / folder)
    found = survey(tmp_path / folder)
    assert found.suggested_name == {"My Kimore": "my-kimore"}.get(folder, f"my-{folder}")
    begin(found)
    filled(tmp_path / folder, None)
    name = found.suggested_name
    assert zoo.prepare_dataset(name, tmp_path / folder, tmp_path / "root").name == name


@pytest.mark.parametrize(("units", "scale"), [("cm", 100.0), ("mm", 1000.0), ("none", 4e5)])
@pytest.mark.parametrize(("up", "axes"), [("z", (0, 2, 1)), ("-y", (0, 1, 2))])
def test_units_and_axes_are_guessed_from_the_body(
    units: str, scale: float, up: str, axes: tuple[int, ...], pose_files: Any, tmp_path: Path
) -> None:
    body = scale * pose_files.person("kinect-v2")[..., axes]
    if up == "-y":
        body[..., 1] *= -1
    joints = zoo.skeleton.load_layout("kinect-v2").joints
    header = ["time", *(f"{joint}_{axis}" for joint in joints for axis in "xyz")]
    rows = np.c_[np.arange(len(body)) / 25, body.reshape(len(body), -1)]
    (tmp_path / "take.csv").write_text(pose_files.table(header, rows))
    found = survey(tmp_path)
    assert (found.settings["units"], found.settings["up"]) == (units, up)
    assert set(found.doubts) == {"units", "up"}
    begin(found)
    text = (tmp_path / "dataset.yaml").read_text()
    assert f"  units: {units} # a guess: else nobody would be of a person's size" in text


def test_joints_of_no_layout_are_listed_for_their_parents(pose_files: Any, tmp_path: Path) -> None:
    names = ("top", "base", "chest", "hand_left", "hand_right", "extra")
    body = pose_files.person("kinect-v2")[:, [3, 0, 20, 7, 11, 2]]
    header = ["time", *(f"{name}_{axis}" for name in names for axis in "xyz")]
    rows = np.c_[np.arange(len(body)) / 25, body.reshape(len(body), -1)]
    for person in ("anna", "bert"):
        (tmp_path / f"{person}.csv").write_text(pose_files.table(header, rows))
    found = survey(tmp_path)
    assert found.joints == names
    assert any("the joint that each of 6 hangs on" in place for place in begin(found).to_fill)
    description = tmp_path / "dataset.yaml"
    text = description.read_text()
    with pytest.raises(DataError, match=r"line 7: found FILL_IN as layout.joints\[0\].parent"):
        zoo.prepare_dataset("own", tmp_path, tmp_path / "root")
    text = text.replace("{name: base, parent: FILL_IN}", "{name: base}")
    description.write_text(text.replace("parent: FILL_IN", "parent: base"))
    filled(tmp_path, None)
    dataset = zoo.prepare_dataset("own", tmp_path, tmp_path / "root")
    assert zoo.skeleton.load_layout(dataset.layout).joints == names


def test_a_folder_that_cannot_be_read_says_why(pose_files: Any, tmp_path: Path) -> None:
    file = pose_files.wide_csv(tmp_path)
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], lines[1] + ",1", *lines[2:]]))
    with pytest.raises(DataError, match=r"its recordings cannot be read.*as wide-csv: .*line 2"):
        survey(tmp_path)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["P1_squat_1.csv", "P1_lift_2.csv", "P2_squat_1.csv", "P2_lift_2.csv"],
         {"person": ["P1", "P1", "P2", "P2"], "exercise": ["squat", "lift", "squat", "lift"],
          "session": ["1", "2", "1", "2"]}),
        (["S1/Ex1.csv", "S1/Ex2.csv", "S2/Ex1.csv"],
         {"person": ["S1", "S1", "S2"], "exercise": ["Ex1", "Ex2", "Ex1"]}),
        (["S001C001P001R001A001.skeleton", "S001C001P002R001A001.skeleton"],
         {"person": ["P001", "P002"], "exercise": ["A001", "A001"]}),
        (["patient 7.csv", "patient 8.csv"], {"person": ["patient7", "patient8"]}),
        (["ex_1_p_2.csv", "ex_1_p_3.csv"],
         {"person": ["p2", "p3"], "exercise": ["ex1", "ex1"]}),
        (["a.csv", "b.csv", "c.csv"], {}),
        (["1.csv", "2.csv"], {}),
        (["one.csv", "two/three.csv"], {}),
        ([], {}),
    ],
)  # fmt: skip
def test_what_names_tell(files: list[str], expected: dict[str, list[str]]) -> None:
    assert guess(files) == expected

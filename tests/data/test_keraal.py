"""KERAAL on hand-made files in the published form."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from zoo.data.adapters.base import Adapter, PrepareReport
from zoo.data.adapters.keraal import KeraalAdapter, KeraalViconAdapter
from zoo.data.dataset import SkeletonDataset, create_adapter, prepare
from zoo.data.readers import readers_of
from zoo.data.recording import UNKNOWN_SUBJECT, Recording
from zoo.errors import ConfigError, DataError
from zoo.skeleton import load_layout

SIMULATED = ("P1T1-Unknown-C-0", "P1T2-Unknown-E1B2-3", "P2T1-Unknown-C-1")
FIRST = "G3-P1/CTK/T1-C-0"
ENDS = (3, 15, 19, 21, 22, 23, 24)
FRAMES = 12
ANVIL = """<?xml version="1.0" encoding="UTF-8"?>
<annotation><head/><body>
  <track name="Temporal error"><el><attribute name="type">Error2</attribute></el></track>
  <track name="Global evaluation" type="primary">
    <el index="0" start="0" end="5"><attribute name="evaluation">{}</attribute></el>
  </track>
</body></annotation>
"""


def bone_frames(seed: int, scalar_first: bool) -> NDArray[np.float64]:
    """(FRAMES, 25, 7): joints whose quaternions turn y into the bone, as Kinect's do."""
    positions = np.random.default_rng(seed).normal(scale=0.3, size=(FRAMES, 25, 3))
    positions[:, 12:20, 1] -= 1.0  # legs
    parents = load_layout("kinect-v2").parents_from("SpineBase")
    quaternions = np.zeros((FRAMES, 25, 4))
    quaternions[:, 0, 0] = 1
    for joint in set(range(1, 25)) - set(ENDS):
        bone = positions[:, joint] - positions[:, parents[joint]]
        bone /= np.linalg.norm(bone, axis=1, keepdims=True)
        half = np.stack([1 + bone[:, 1], bone[:, 2], 0 * bone[:, 0], -bone[:, 0]], axis=1)
        quaternions[:, joint] = half / np.linalg.norm(half, axis=1, keepdims=True)
    order = [0, 1, 2, 3] if scalar_first else [1, 2, 3, 0]
    return np.concatenate([positions, quaternions[..., order]], axis=-1).round(6)


def write(path: Path, values: NDArray[np.float64]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = values.reshape(len(values), -1)
    path.write_text("".join(" ".join(f"{v:f}" for v in row) + " \n" for row in rows))


def edit(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")


def read(
    adapter: Adapter, source: Path, strict: bool = False
) -> tuple[dict[str, Recording], PrepareReport]:
    report = PrepareReport(strict=strict)
    found = {r.id: r for r in adapter.read(source, report, Adapter.NO_PROGRESS)}
    return found, report


def positions(recording: Recording) -> NDArray[np.float32]:
    assert recording.positions is not None
    return recording.positions


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Three simulated, three annotated and one other recording; and files of other sensors."""
    root = tmp_path / "KERAAL"
    for i, who in enumerate(SIMULATED):
        kinect = root / "group3" / "kinect" / "CTK"
        write(kinect / f"G3-Kinect-CTK-{who}.txt", bone_frames(i, True))
        vicon = np.random.default_rng(50 + i).normal(600, 300, size=(2 * FRAMES, 17, 7))
        write(root / "group3" / "vicon" / "CTK" / f"G3-Vicon-CTK-{who}.txt", vicon)
    for number, label in (("022", "Correct"), ("023", "Incomplete")):
        group = root / "group1A"
        write(group / "kinect" / f"G1A-Kinect-RTK-R1-Brest-{number}.txt", bone_frames(9, True))
        (group / "annotatorA").mkdir(exist_ok=True)
        (group / "annotatorB").mkdir(exist_ok=True)
        name = f"G1A-RTK-R1-Brest-{number}.anvil"
        (group / "annotatorA" / name).write_text(ANVIL.format(label))
        (group / "annotatorB" / name).write_text(ANVIL.format("Incorrect"))
    folder = root / "group1B" / "kinect"
    write(folder / "G1B-Kinect-RTK-R1-Brest-101.txt", bone_frames(10, True))
    return root


def test_names_labels_and_people(tree: Path) -> None:
    found, report = read(KeraalAdapter(), tree, strict=True)
    assert report.problems == []
    assert list(found) == sorted(
        [
            FIRST,
            "G3-P1/CTK/T2-E1B2-3",
            "G3-P2/CTK/T1-C-1",
            "G1-R1-Brest/RTK/1A-022",
            "G1-R1-Brest/RTK/1A-023",
            "G1-R1-Brest/RTK/1B-101",
        ]
    )
    right, wrong = found[FIRST], found["G3-P1/CTK/T2-E1B2-3"]
    assert (right.subject, right.group) == ("G3-P1", "healthy, errors simulated")
    assert (right.exercise, right.layout, right.fps) == ("CTK", "kinect-v2", 30.0)
    assert (right.scores, wrong.scores) == ({"total": 1.0}, {"total": 0.0})
    assert wrong.extra == {"label": "E1B2"}
    patient = found["G1-R1-Brest/RTK/1A-022"]
    assert (patient.group, patient.scores) == ("patient", {"total": 1.0})
    assert patient.extra == {"label": "Correct", "annotator": "A"}
    assert found["G1-R1-Brest/RTK/1A-023"].scores == {"total": 0.0}
    assert dict(found["G1-R1-Brest/RTK/1B-101"].scores) == {}
    assert {found[key].subject for key in found if "RTK" in key} == {"G1-R1-Brest"}


def test_the_other_annotator(tree: Path) -> None:
    found, _ = read(KeraalAdapter("B"), tree, strict=True)
    assert found["G1-R1-Brest/RTK/1A-022"].scores == {"total": 0.0}
    with pytest.raises(ConfigError, match="annotator is 'C', expected A or B"):
        create_adapter("keraal", annotator="C")


@pytest.mark.parametrize("scalar_first", [True, False])
def test_positions_and_quaternions(tree: Path, scalar_first: bool) -> None:
    write(tree / "group3/kinect/CTK" / f"G3-Kinect-CTK-{SIMULATED[0]}.txt",
          bone_frames(0, scalar_first))  # fmt: skip
    recording = read(KeraalAdapter(), tree)[0][FIRST]
    expected = bone_frames(0, True)
    np.testing.assert_allclose(positions(recording), expected[..., :3], rtol=1e-5)
    assert recording.orientations is not None
    inner = [j for j in range(25) if j not in ENDS]
    np.testing.assert_allclose(recording.orientations[:, inner], expected[:, inner, 3:], atol=1e-5)
    np.testing.assert_array_equal(recording.orientations[:, ENDS, 0], 1)


def test_vicon_becomes_metres_with_y_up(tree: Path) -> None:
    found, report = read(KeraalViconAdapter(), tree, strict=True)
    assert report.problems == []
    assert [key.split("/")[0] for key in found] == ["G3-P1", "G3-P1", "G3-P2"]
    recording = found[FIRST]
    assert (recording.layout, recording.fps, recording.num_joints) == ("keraal-vicon", 60.0, 17)
    x, y, z = np.moveaxis(
        np.random.default_rng(50).normal(600, 300, size=(2 * FRAMES, 17, 7))[..., :3], -1, 0
    )
    np.testing.assert_allclose(
        positions(recording), np.stack([-y, z, -x], axis=-1) / 1000, atol=1e-5
    )
    assert recording.orientations is None
    assert KeraalViconAdapter(fps=100).fps == 100.0
    with pytest.raises(ConfigError, match=r"dataset\.fps is 0"):
        KeraalViconAdapter(fps=0)


@pytest.mark.parametrize(
    ("change", "kind", "line", "message"),
    [
        (lambda x: [*x[:3], x[3] + " 1", *x[4:]], "row-width", 4, "found 176 values"),
        (lambda x: [x[0], "one" + x[1], *x[2:]], "not-a-number", 2, "as value 1"),
        (lambda x: ["nan" + x[0][x[0].index(" ") :], *x[1:]], "not-finite", 1, "'nan' as value 1"),
        (lambda x: [""], "empty", None, "only blank lines"),
    ],
)
def test_faulty_files_are_skipped(
    tree: Path,
    change: Callable[[list[str]], list[str]],
    kind: str,
    line: int | None,
    message: str,
) -> None:
    file = tree / "group3" / "kinect" / "CTK" / f"G3-Kinect-CTK-{SIMULATED[0]}.txt"
    edit(file, change)
    found, report = read(KeraalAdapter(), tree)
    assert FIRST not in found
    assert len(found) == 5
    (problem,) = report.problems
    assert (problem.kind, problem.line, problem.skipped) == (kind, line, True)
    assert problem.file == f"group3/kinect/CTK/{file.name}"
    assert message in str(problem)
    with pytest.raises(DataError, match="strict=True stops"):
        read(KeraalAdapter(), tree, strict=True)


def test_a_broken_last_line_costs_itself_alone(tree: Path) -> None:
    file = tree / "group3" / "kinect" / "CTK" / f"G3-Kinect-CTK-{SIMULATED[0]}.txt"
    edit(file, lambda x: [*x[:-1], x[-1][:500]])
    found, report = read(KeraalAdapter(), tree)
    np.testing.assert_allclose(positions(found[FIRST]), bone_frames(0, True)[:-1, :, :3], rtol=1e-5)
    (problem,) = report.problems
    assert (problem.kind, problem.line, problem.skipped) == ("truncated", FRAMES, False)
    assert "expected 175 values separated by spaces; the row is left out" in str(problem)


def test_annotations_of_the_sample_of_2022(tree: Path) -> None:
    group = tree / "group1A"
    (group / "annotatorA").rename(group / "annotator")
    found, report = read(KeraalAdapter(), tree, strict=True)
    assert report.problems == []
    assert found["G1-R1-Brest/RTK/1A-022"].scores == {"total": 1.0}


def test_the_wrong_number_of_joints(tree: Path) -> None:
    file = tree / "group3" / "kinect" / "CTK" / f"G3-Kinect-CTK-{SIMULATED[0]}.txt"
    write(file, bone_frames(0, True)[:, :17])
    _, report = read(KeraalAdapter(), tree)
    assert "found 119 values, expected 175" in str(report.problems[0])


def test_faulty_quaternions_cost_only_themselves(tree: Path) -> None:
    values = bone_frames(0, True)
    values[5, 8, 3:] *= 2
    write(tree / "group3/kinect/CTK" / f"G3-Kinect-CTK-{SIMULATED[0]}.txt", values)
    found, report = read(KeraalAdapter(), tree)
    assert found[FIRST].orientations is None
    np.testing.assert_allclose(positions(found[FIRST]), values[..., :3], rtol=1e-5)
    (problem,) = report.problems
    assert (problem.kind, problem.line, problem.skipped) == ("quaternion-length", 6, False)
    assert "length 2 for ShoulderRight" in problem.found


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (None, "no-annotation", "annotatorA/G1A-RTK-R1-Brest-022.anvil beside the folder kinect"),
        ("<annotation>", "annotation", "a broken annotatorA/"),
        ('<?xml version="1.0" encoding="klingon"?><annotation/>', "annotation", "unknown encoding"),
        (
            '<?xml version="1.0" encoding="utf-7"?><annotation/>',
            "annotation",
            "a broken annotatorA/",
        ),
        ("<annotation/>", "annotation", "without an evaluation"),
    ],
)
def test_a_missing_or_faulty_annotation(
    tree: Path, text: str | None, kind: str, message: str
) -> None:
    file = tree / "group1A" / "annotatorA" / "G1A-RTK-R1-Brest-022.anvil"
    file.unlink()
    if text is not None:
        file.write_text(text)
    found, report = read(KeraalAdapter(), tree)
    assert dict(found["G1-R1-Brest/RTK/1A-022"].scores) == {}
    (problem,) = report.problems
    assert (problem.kind, problem.skipped) == (kind, False)
    assert message in str(problem)


def test_other_names_are_noted_and_nothing_is_refused(tree: Path, tmp_path: Path) -> None:
    folder = tree / "group3" / "kinect" / "CTK"
    (folder / "G3-Kinect-CTK-P1T1-Unknown-X-0.txt").write_text("1 2 3\n")
    found, report = read(KeraalAdapter(), tree)
    assert len(found) == 6
    assert "P1T1-Unknown-X-0.txt is ignored" in report.notes[0]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"no folder of KERAAL: .*found nothing"):
        read(KeraalAdapter(), tmp_path / "empty")


def test_a_file_alone(tree: Path, tmp_path: Path) -> None:
    file = tree / "group1A" / "kinect" / "G1A-Kinect-RTK-R1-Brest-022.txt"
    (found,) = KeraalAdapter().read_file(file, PrepareReport())
    assert (found.id, found.scores) == ("G1-R1-Brest/RTK/1A-022", {"total": 1.0})
    mine = tmp_path / "mine.txt"
    mine.write_bytes(file.read_bytes())
    (found,) = KeraalAdapter().read_file(mine, PrepareReport())
    assert (found.id, found.subject, dict(found.scores)) == ("mine", UNKNOWN_SUBJECT, {})


@pytest.mark.parametrize("name", ["keraal", "keraal-vicon"])
def test_prepared_and_opened_again(tree: Path, tmp_path: Path, name: str) -> None:
    made = prepare(create_adapter(name), tree, tmp_path / "root")
    opened = SkeletonDataset.open(tmp_path / "root", name)
    assert opened.fingerprint == made.fingerprint
    assert opened.binary
    assert opened.manifest["licence"].startswith("Creative Commons")


def test_its_files_are_known_by_their_names(tree: Path) -> None:
    kinect = next((tree / "group3" / "kinect").rglob("*.txt"))
    assert readers_of(kinect) == ["keraal"]
    vicon = next((tree / "group3" / "vicon").rglob("*.txt"))
    assert readers_of(vicon) == ["keraal-vicon"]
    assert readers_of(vicon, layout="kinect-v2") == []
    assert readers_of(tree) == []

"""IntelliRehabDS on hand-made files in the published forms."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from zoo.data.adapters.base import Adapter, PrepareReport
from zoo.data.adapters.irds import IrdsAdapter, IrdsSimplifiedAdapter
from zoo.data.dataset import SkeletonDataset, create_adapter, prepare
from zoo.data.readers import readers_of
from zoo.data.recording import UNKNOWN_SUBJECT, Recording
from zoo.errors import DataError

FORMS = {"irds": "RawData", "irds-simplified": "Simplified"}
FIRST = "101/0/18_1_1_stand"

both = pytest.mark.parametrize("adapter", [IrdsAdapter(), IrdsSimplifiedAdapter()])


@pytest.fixture
def tree(irds: ModuleType, tmp_path: Path) -> Path:
    made: Path = irds.make_tree(tmp_path / "IRDS")
    return made


def read(
    adapter: Adapter, source: Path, strict: bool = False
) -> tuple[dict[str, Recording], PrepareReport]:
    report = PrepareReport(strict=strict)
    found = {r.id: r for r in adapter.read(source, report, Adapter.NO_PROGRESS)}
    return found, report


def file_of(adapter: Adapter, tree: Path, name: str = "101_18_0_1_1_stand") -> Path:
    return tree / "SkeletonData" / FORMS[adapter.name] / f"{name}.txt"


def positions(recording: Recording) -> NDArray[np.float32]:
    assert recording.positions is not None
    return recording.positions


def edit(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")


@both
def test_labels_people_and_positions(irds: ModuleType, tree: Path, adapter: Adapter) -> None:
    found, report = read(adapter, tree, strict=True)
    assert len(found) == len(irds.NAMES)
    assert report.problems == []
    right = found[FIRST]
    assert (right.subject, right.group, right.exercise) == ("101", "physiotherapist", "0")
    assert (right.layout, right.fps, right.num_frames) == ("kinect-v2", 30.0, irds.FRAMES)
    assert right.scores == {"total": 1.0}
    assert found["101/0/18_2_2_stand"].scores == {"total": 0.0}
    poor = found["201/0/20_1_3_wheelchair"]
    assert dict(poor.scores) == {}
    assert poor.extra == {"label": "poor", "position": "wheelchair"}
    assert poor.group == "patient"
    assert found["301/0/2_10_1_stand"].group == "student"
    np.testing.assert_allclose(positions(right), irds.numbers(0), rtol=1e-5)


def test_both_forms_hold_the_same_motion(tree: Path) -> None:
    raw, simplified = (read(a, tree)[0] for a in (IrdsAdapter(), IrdsSimplifiedAdapter()))
    assert list(raw) == list(simplified)
    for key, recording in raw.items():
        np.testing.assert_array_equal(recording.positions, simplified[key].positions)
        assert simplified[key].tracked is None
        assert recording.tracked is not None
        assert (recording.tracked == 2).all()


@both
def test_source_may_be_the_folder_of_files(tree: Path, adapter: Adapter) -> None:
    folder = file_of(adapter, tree).parent
    assert len(read(adapter, folder)[0]) == 5
    assert len(read(adapter, folder.parent)[0]) == 5
    folder.rename(folder.with_name("mine"))
    assert len(read(adapter, folder.with_name("mine"))[0]) == 5


def test_of_several_bodies_the_one_seen_longest_is_kept(irds: ModuleType, tree: Path) -> None:
    adapter = IrdsAdapter()
    path, other = file_of(adapter, tree), irds.numbers(99, 5)

    def mix(lines: list[str]) -> list[str]:
        strangers = [irds.raw_line(i, joints, body=4) for i, joints in enumerate(other)]
        return [lines[0], *strangers[:3], *lines[1:8], *strangers[3:], *lines[8:]]

    edit(path, mix)
    found, report = read(adapter, tree, strict=True)
    np.testing.assert_allclose(positions(found[FIRST]), irds.numbers(0), rtol=1e-5)
    assert report.notes == [
        f"{FIRST}: 2 bodies were seen; the tracked one that moves, of 14 frames, is kept"
    ]


def test_of_bodies_seen_as_long_the_one_that_moves_is_kept(irds: ModuleType, tree: Path) -> None:
    path, still = file_of(IrdsAdapter(), tree), irds.numbers(99, 1)[0]

    def mix(lines: list[str]) -> list[str]:
        seated = [irds.raw_line(i, still, body=4) for i in range(20)]
        return [lines[0], *[line for pair in zip(seated, lines[1:]) for line in pair], *seated[14:]]  # noqa: B905

    edit(path, mix)
    found, report = read(IrdsAdapter(), tree, strict=True)
    np.testing.assert_allclose(positions(found[FIRST]), irds.numbers(0), rtol=1e-5)
    assert "2 bodies were seen" in report.notes[0]


def test_the_third_value_of_a_line_is_milliseconds(irds: ModuleType, tree: Path) -> None:
    """Frames at 15 Hz with a gap become those of 30 Hz, and the gap is told."""
    path = file_of(IrdsAdapter(), tree)
    times = np.arange(14) * 66.0
    times[9:] += 400

    def late(lines: list[str]) -> list[str]:
        rest = [line.split(",", 3)[3] for line in lines[1:]]
        return [lines[0], *(f"{i},0,{1000 + t:g},{r}" for i, (t, r) in enumerate(zip(times, rest)))]  # noqa: B905

    edit(path, late)
    raw = read(IrdsAdapter(), tree, strict=True)[0][FIRST]
    assert raw.timestamps is not None
    np.testing.assert_allclose(raw.timestamps, times / 1000)
    dataset = prepare(create_adapter("irds"), tree, tree.parent / "root")
    one = dataset.recording(FIRST)
    assert one.num_frames == int(times[-1] / 1000 * 30) + 1
    assert one.timestamps is None
    assert one.tracked is not None
    assert (one.tracked == 0).all(axis=1).sum() == 14  # 0.466 s without a frame
    notes = [n for n in dataset.manifest["notes"] if n.startswith(FIRST)]
    assert notes[0] == (f"{FIRST}: 15.2 frames a second by the time stamps; brought to 30")
    assert notes[1] == f"{FIRST}: 1 gap between frames, the longest 0.47 s at 0.5 s; bridged"


def test_states_are_kept_and_joints_at_zero_are_lost(irds: ModuleType, tree: Path) -> None:
    values = irds.numbers(0)
    values[3, 7] = 0
    path = file_of(IrdsAdapter(), tree)
    lines = [irds.raw_line(i, v, state="Inferred") for i, v in enumerate(values)]
    path.write_text("\n".join(["Version0.1", *lines]) + "\n")
    tracked = read(IrdsAdapter(), tree)[0][FIRST].tracked
    assert tracked is not None
    assert tracked[3, 7] == 0
    assert (tracked == 1).sum() == tracked.size - 1


@pytest.mark.parametrize(
    ("change", "kind", "line", "message"),
    [
        (lambda x: [*x[:5], x[5][:300]], "truncated", 6, "expected 178 values"),
        (lambda x: [x[0]], "empty", None, "found no frames"),
        (
            lambda x: [*x[:4], x[4].replace("Tracked", "Guessed", 1), *x[5:]],
            "tracking-state",
            5,
            "'Guessed' as state of SpineBase",
        ),
        (
            lambda x: [*x[:4], x[4].replace("SpineMid", "Tail"), *x[5:]],
            "joint-name",
            5,
            "found 'Tail' as joint 2, expected SpineMid",
        ),
        (
            lambda x: [*x[:3], x[3].replace("(Head,Tracked,", "(Head,Tracked,one"), *x[4:]],
            "not-a-number",
            4,
            "as x of Head",
        ),
        (lambda x: [*x[:3], x[3].replace("2,0,", "2,me,", 1), *x[4:]], "not-a-number", 4, "'me'"),
    ],
)
def test_faulty_raw_files_are_skipped(
    tree: Path,
    change: Callable[[list[str]], list[str]],
    kind: str,
    line: int | None,
    message: str,
) -> None:
    adapter = IrdsAdapter()
    edit(file_of(adapter, tree), change)
    found, report = read(adapter, tree)
    assert FIRST not in found
    assert len(found) == 4
    (problem,) = report.problems
    assert (problem.kind, problem.line, problem.skipped) == (kind, line, True)
    assert problem.file == "SkeletonData/RawData/101_18_0_1_1_stand.txt"
    assert message in str(problem)
    with pytest.raises(DataError, match="strict=True stops"):
        read(adapter, tree, strict=True)
    with pytest.raises(DataError, match=r"stand\.txt"):
        list(adapter.read_file(file_of(adapter, tree), PrepareReport()))


def test_lines_with_other_joints_are_left_out_and_reported(irds: ModuleType, tree: Path) -> None:
    adapter = IrdsAdapter()
    edit(file_of(adapter, tree), lambda x: [*x[:3], x[3][:300], x[4] + ",1", *x[5:]])
    found, report = read(adapter, tree)
    np.testing.assert_allclose(
        positions(found[FIRST]), np.delete(irds.numbers(0), [2, 3], axis=0), rtol=1e-5
    )
    (problem,) = report.problems
    assert (problem.kind, problem.line, problem.skipped) == ("row-width", 4, False)
    assert "and in 1 more lines" in problem.found


def test_faulty_simplified_files_are_skipped(tree: Path) -> None:
    adapter = IrdsSimplifiedAdapter()
    edit(file_of(adapter, tree), lambda x: [*x[:3], x[3] + ",1", *x[4:]])
    edit(file_of(adapter, tree, "101_18_0_2_2_stand"), lambda x: [*x[:-1], x[-1][:60]])
    found, report = read(adapter, tree)
    assert len(found) == 3
    kinds = {p.recording: (p.kind, p.line) for p in report.problems}
    assert kinds == {
        FIRST: ("row-width", 4),
        "101/0/18_2_2_stand": ("truncated", 14),
    }


def test_the_other_form_is_named(tree: Path, tmp_path: Path) -> None:
    source = tree / "SkeletonData" / "Simplified"
    with pytest.raises(DataError, match="simplified form, which irds-simplified reads"):
        prepare(create_adapter("irds"), source, tmp_path / "root")


def test_other_names_and_second_copies(tree: Path) -> None:
    adapter = IrdsAdapter()
    folder = file_of(adapter, tree).parent
    (folder / "readme.txt").write_text("hello")
    copy = folder / "101_18_0_1_1_stand.TXT"
    copy.write_bytes(file_of(adapter, tree).read_bytes())
    found, report = read(adapter, tree)
    assert len(found) == 5
    assert any("readme.txt is ignored" in note for note in report.notes)
    if len(list(folder.glob("101_18_0_1_1_stand.*"))) == 2:
        assert [p.kind for p in report.problems] == ["several-files"]


@both
def test_no_irds_at_all(tmp_path: Path, adapter: Adapter) -> None:
    (tmp_path / "pictures").mkdir()
    with pytest.raises(DataError, match=r"no folder of IntelliRehabDS: .*found pictures"):
        read(adapter, tmp_path)


@both
def test_a_file_alone(tree: Path, tmp_path: Path, adapter: Adapter) -> None:
    (found,) = adapter.read_file(file_of(adapter, tree), PrepareReport())
    expected = read(adapter, tree)[0][FIRST]
    np.testing.assert_array_equal(found.positions, expected.positions)
    assert (found.id, found.scores, found.extra) == (FIRST, expected.scores, expected.extra)
    mine = tmp_path / "mine.txt"
    mine.write_bytes(file_of(adapter, tree).read_bytes())
    (found,) = adapter.read_file(mine, PrepareReport())
    assert (found.id, found.subject, found.exercise) == ("mine", UNKNOWN_SUBJECT, "")
    assert dict(found.scores) == {}
    with pytest.raises(DataError, match="is a folder"):
        list(adapter.read_file(tmp_path, PrepareReport()))


@pytest.mark.parametrize("name", FORMS)
def test_prepared_and_opened_again(tree: Path, tmp_path: Path, name: str) -> None:
    made = prepare(create_adapter(name), tree, tmp_path / "root")
    opened = SkeletonDataset.open(tmp_path / "root", name)
    assert opened.fingerprint == made.fingerprint
    assert (len(opened), len(opened.select())) == (5, 4)
    assert opened.manifest["licence"].startswith("Creative Commons")
    edit(tree / "SkeletonData" / FORMS[name] / "301_2_0_10_1_stand.txt", lambda x: x[:-1])
    assert prepare(create_adapter(name), tree, tmp_path / "other").fingerprint != made.fingerprint


@both
def test_its_files_are_known_by_their_look(adapter: Adapter, tree: Path) -> None:
    assert readers_of(file_of(adapter, tree)) == [adapter.name]

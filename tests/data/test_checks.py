"""Recordings are looked at before they are believed: each fault with what is said of it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from zoo.data.adapters.base import Adapter, FaultError, PrepareReport, Progress
from zoo.data.checks import CHECKS, Expected, Looked, looked_at
from zoo.data.dataset import SkeletonDataset, create_adapter, load_dataset, prepare
from zoo.data.recording import Recording
from zoo.data.store import MANIFEST_FILE
from zoo.errors import DataError

FRAMES = 60
KIMORE = Expected((0.0, 50.0), exercises=("1", "5"))


@pytest.fixture
def sound(make_body: Callable[..., NDArray[np.float32]]) -> Recording:
    return Recording(
        id="E_ID1/Es5",
        subject="E_ID1",
        group="CG/Expert",
        exercise="5",
        session="1",
        layout="kinect-v2",
        fps=30.0,
        positions=make_body(FRAMES),
        tracked=np.full((FRAMES, 25), 2, dtype=np.uint8),
        scores={"total": 41.0},
        source="Es5/JointPosition.csv",
    )


def places(recording: Recording) -> NDArray[np.float32]:
    assert recording.positions is not None
    return recording.positions.copy()


def states(recording: Recording) -> NDArray[np.uint8]:
    assert recording.tracked is not None
    return recording.tracked.copy()


def told(looked: Looked) -> list[str]:
    return [*(str(fault) for fault in looked.faults), *(text for _, text in looked.notes)]


def refused(recording: Recording, expected: Expected = KIMORE) -> str:
    with pytest.raises(FaultError) as caught:
        looked_at(recording, expected)
    assert caught.value.problem.file == "Es5/JointPosition.csv"
    return str(caught.value).removeprefix("Es5/JointPosition.csv: ")


def test_a_sound_recording_comes_back_as_it_is(sound: Recording) -> None:
    looked = looked_at(sound, KIMORE)
    assert told(looked) == []
    for name in ("positions", "tracked"):
        assert getattr(looked.recording, name) is getattr(sound, name)


def test_looking_twice_changes_nothing(sound: Recording) -> None:
    x, t = places(sound), states(sound)
    x[20:24], t[20:24] = 0, 0
    x[40, 3, 1] = 1e30
    once = looked_at(replace(sound, positions=x, tracked=t), KIMORE).recording
    twice = looked_at(once, KIMORE)
    assert np.array_equal(twice.recording.positions, once.positions)
    assert twice.faults == ()


# Nobody was seen


def test_nobody_is_no_recording(sound: Recording) -> None:
    nobody = replace(sound, positions=np.zeros_like(places(sound)), tracked=0 * states(sound))
    assert refused(nobody) == (
        "found somebody in 0 of 60 frames (joints lost or all at one place), expected a tracked "
        "body in at least 10 frames"
    )
    assert "somebody in 0 of 60" in refused(replace(nobody, tracked=None))
    untracked = replace(sound, tracked=np.ones_like(states(sound)))
    assert "somebody in 0 of 60" in refused(untracked)


def test_frames_without_a_body_are_no_frames(sound: Recording) -> None:
    x, t = places(sound), states(sound)
    x[:5], t[:5], t[50:] = 0, 0, 0
    looked = looked_at(replace(sound, positions=x, tracked=t), KIMORE)
    assert told(looked) == ["nobody is seen in 15 of 60 frames: 15 at its ends, left out"]
    assert np.array_equal(looked.recording.positions, x[5:50])
    assert looked.recording.timestamps is None


def test_a_gap_keeps_its_time_and_is_bridged(sound: Recording) -> None:
    x, t = places(sound), states(sound)
    x[20:26], t[20:26] = 0, 0
    looked = looked_at(replace(sound, positions=x, tracked=t), KIMORE)
    found = looked.recording
    assert told(looked)[:2] == [
        "nobody is seen in 6 of 60 frames: 6 between, bridged",
        "1 gap between frames, the longest 0.23 s at 0.6 s; bridged",
    ]
    assert found.num_frames == FRAMES
    assert states(found)[20:26].max() == 0
    assert states(found)[:20].min() == states(found)[26:].min() == 2
    share = np.linspace(0, 1, 8)[1:-1, None, None]
    np.testing.assert_allclose(places(found)[20:26], x[19] + share * (x[26] - x[19]), atol=1e-5)
    np.testing.assert_allclose(places(found)[26:], x[26:], atol=1e-5)


def test_more_empty_than_seen_frames_are_refused(sound: Recording) -> None:
    t = states(sound)
    t[15:45] = 0
    t[12:15] = 0
    assert refused(replace(sound, tracked=t)) == (
        "found nobody in 33 of the 60 frames from the first to the last, expected somebody in at "
        "least half of them"
    )


def test_lost_joints_are_told(sound: Recording) -> None:
    t = states(sound)
    t[:45, 7] = 0
    looked = looked_at(replace(sound, tracked=t), KIMORE)
    assert told(looked) == ["3% of the joints are lost, HandLeft in 75% of the frames"]


# Wild numbers


@pytest.mark.parametrize("wild", [-99999.0, 1e30, 30.0, np.nan, np.inf])
def test_one_wild_number_is_bridged_and_told(sound: Recording, wild: float) -> None:
    x = places(sound)
    x[30, 7, 0] = wild
    looked = looked_at(replace(sound, positions=x), KIMORE)
    y = places(looked.recording)
    np.testing.assert_allclose(y[30, 7], (x[29, 7] + x[31, 7]) / 2, rtol=1e-5)
    assert states(looked.recording)[30, 7] == 0
    rest = np.ones(x.shape, dtype=bool)
    rest[30, 7] = False
    assert np.array_equal(y[rest], x[rest])
    if np.isfinite(wild):
        (fault,) = looked.faults
        assert (fault.kind, fault.recording, fault.skipped) == ("wild-place", None, False)
        assert fault.found.startswith(f"HandLeft at ({wild:g}, ")
        assert fault.found.endswith(" in frame 30")


def test_a_wild_frame_is_bridged(sound: Recording) -> None:
    x = places(sound)
    x[30] = -99999
    x[40] += 500
    looked = looked_at(replace(sound, positions=x), KIMORE)
    assert np.abs(places(looked.recording)).max() < 4
    assert "and 49 more such places" in looked.faults[0].found or looked.notes


def test_a_joint_that_is_mostly_wild_is_refused(sound: Recording) -> None:
    x = places(sound)
    x[10:55, 7] = -99999
    assert "HandLeft in 75% of the frames, expected places of a body" in refused(
        replace(sound, positions=x)
    )


def test_a_joint_that_was_never_seen_is_at_its_parent(sound: Recording) -> None:
    x = places(sound)
    x[:, 21] = np.nan
    looked = looked_at(replace(sound, positions=x), KIMORE)
    assert np.array_equal(places(looked.recording)[:, 21], x[:, 7])
    assert "no place of HandTipLeft" in told(looked)[0]
    x[:, 4:20] = np.nan
    assert "17 of 25 joints never seen" in refused(replace(sound, positions=x))


def test_turns_that_are_no_numbers_are_refused(sound: Recording) -> None:
    q = np.zeros((FRAMES, 25, 4), dtype=np.float32)
    q[..., 0] = 1
    q[7, 2] = np.nan
    assert "orientations of Neck that are no number in frame 7" in refused(
        replace(sound, orientations=q)
    )


# Time


def test_fifteen_frames_a_second_become_thirty(sound: Recording) -> None:
    slow = replace(sound, timestamps=np.arange(FRAMES) / 15.0)
    looked = looked_at(slow, KIMORE)
    assert told(looked) == ["15 frames a second by the time stamps; brought to 30"]
    assert looked.recording.num_frames == 2 * FRAMES - 1
    assert looked.recording.timestamps is None
    np.testing.assert_allclose(places(looked.recording)[::2], places(sound), atol=1e-5)


def test_an_even_clock_changes_nothing(sound: Recording) -> None:
    jitter = np.random.default_rng(0).uniform(-0.005, 0.005, FRAMES)
    for times in (np.arange(FRAMES) / 30.0, np.arange(FRAMES) / 30.0 + jitter - jitter[0]):
        looked = looked_at(replace(sound, timestamps=times), KIMORE)
        assert looked.recording.positions is sound.positions
        assert told(looked) == []


def test_kinects_own_clock_is_followed(sound: Recording) -> None:
    """33.0 ms a frame, as in KIMORE's files of time stamps: after 60 frames 0.6 of one."""
    looked = looked_at(replace(sound, timestamps=np.arange(FRAMES) * 0.033), KIMORE)
    assert looked.recording.num_frames == int(59 * 0.033 * 30) + 1 == 59
    assert told(looked) == []


def test_quaternions_keep_their_length(sound: Recording) -> None:
    q = np.random.default_rng(0).normal(size=(FRAMES, 25, 4))
    q /= np.linalg.norm(q, axis=-1, keepdims=True)
    slow = replace(sound, orientations=q.astype(np.float32), timestamps=np.arange(FRAMES) / 20.0)
    turned = looked_at(slow, KIMORE).recording.orientations
    np.testing.assert_allclose(np.linalg.norm(turned, axis=-1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda t: np.r_[t[:30], t[30:] - 1.5], "-0.5 s in frame 30 after 0.966667 s"),
        (lambda t: np.r_[t[:30], np.nan, t[31:]], "a time that is no number in frame 30"),
        (lambda t: 1e7 * t, "a frame every 3.33e+05 s"),
        (lambda t: 0 * t, "a frame every 0 s"),
    ],
)
def test_impossible_time_stamps_are_left_out(sound: Recording, change: Any, found: str) -> None:
    stamped = replace(sound, timestamps=change(np.arange(FRAMES) / 30.0))
    looked = looked_at(stamped, KIMORE)
    assert found in told(looked)[0]
    assert told(looked)[0].endswith("30 frames a second are assumed")
    assert looked.recording.positions is sound.positions
    assert looked.recording.timestamps is None


def test_doubled_frames_and_long_gaps(sound: Recording) -> None:
    times = np.arange(FRAMES) / 30.0
    times[20] = times[19]
    looked = looked_at(replace(sound, timestamps=times), KIMORE)
    assert told(looked)[0] == "1 frames have the time of the one before; left out"
    assert looked.recording.num_frames == FRAMES
    times = np.arange(FRAMES) / 30.0
    times[30:] += 5
    assert refused(replace(sound, timestamps=times)) == (
        "found no frames in 5.0 of 7.0 seconds, expected frames in at least half of the time"
    )


@pytest.mark.parametrize("fps", [0.0, -30.0, float("nan"), float("inf"), 1e6])
def test_an_impossible_frame_rate(sound: Recording, fps: float) -> None:
    assert refused(replace(sound, fps=fps)) == (
        f"found {fps:g} frames a second, expected a number above 0 and up to 1000: set fps to the "
        "sensor's rate"
    )


# Units, axes, length


@pytest.mark.parametrize(
    ("factor", "says"),
    [
        (1000, "these look like millimetres; divide by 1000"),
        (100, "these look like centimetres; divide by 100"),
        (0.001, "say in which unit they are"),
    ],
)
def test_other_units_are_refused(sound: Recording, factor: float, says: str) -> None:
    message = refused(replace(sound, positions=places(sound) * np.float32(factor)))
    assert message.startswith("found a body ")
    assert f"expected 0.2 to 4 metres: {says}" in message
    free = replace(KIMORE, metric=False)
    assert (
        looked_at(replace(sound, positions=places(sound) * np.float32(factor)), free).faults == ()
    )


def test_pixels_are_refused(sound: Recording) -> None:
    x = places(sound) * np.float32(200)
    x[..., 2] = 0
    assert "these look like pixels" in refused(replace(sound, positions=x))


def test_a_head_below_the_feet_is_refused(sound: Recording) -> None:
    down = places(sound) * np.array([1, -1, 1], dtype=np.float32)
    message = refused(replace(sound, positions=down))
    assert "m below the feet, expected y to point up: negate y" in message


def test_z_up_is_noted(sound: Recording) -> None:
    message = told(looked_at(replace(sound, positions=places(sound)[..., [0, 2, 1]]), KIMORE))
    assert "m along z and " in message[0]
    assert "along y, which has to point up, unless the person lies down" in message[0]


def test_three_frames_are_no_movement(sound: Recording) -> None:
    short = replace(sound, positions=places(sound)[:3], tracked=None)
    assert refused(short) == "found 3 frames, expected at least 10 frames"


def test_a_picture_is_no_movement(sound: Recording) -> None:
    still = replace(sound, positions=np.tile(places(sound)[:1], (FRAMES, 1, 1)))
    assert told(looked_at(still, KIMORE)) == ["nothing moves: all frames are the same"]


def test_places_that_do_not_move_beside_turning_joints_are_told(sound: Recording) -> None:
    still = np.tile(places(sound)[:1], (FRAMES, 1, 1))
    angle = np.linspace(0, 1, FRAMES)[:, None].repeat(still.shape[1], axis=1)
    turning = np.stack([np.cos(angle), np.sin(angle), 0 * angle, 0 * angle], axis=-1)
    recording = replace(sound, positions=still, orientations=turning.astype(np.float32))
    assert told(looked_at(recording, KIMORE)) == ["the positions do not move, the orientations do"]


# What stands beside the joints


def test_a_score_outside_the_range_is_left_out(sound: Recording) -> None:
    looked = looked_at(replace(sound, scores={"total": 410.0, "primary": 10.0}), KIMORE)
    assert looked.recording.scores == {"primary": 10.0}
    assert told(looked) == [
        "Es5/JointPosition.csv: found a total score of 410, expected 0 to 50, the dataset's score "
        "range: scale the scores or set the range they have; it is left out"
    ]
    looked = looked_at(replace(sound, scores={"total": float("nan")}), KIMORE)
    assert looked.recording.scores == {}


def test_an_exercise_that_nobody_declared(sound: Recording) -> None:
    assert "found the exercise '51', expected one of 1, 5. Did you mean '5'" in refused(
        replace(sound, exercise="51")
    )


def test_numpy_scalars_are_values(sound: Recording) -> None:
    numbers: Any = {"total": np.float32(41), "part": np.int64(3)}
    looked = looked_at(
        replace(
            sound,
            scores=numbers,
            exercise=np.int64(5),  # type: ignore[arg-type]
            extra={"trial": np.int64(3), "box": np.arange(2), "sub": {"x": np.float32(0.5)}},
        ),
        KIMORE,
    ).recording
    assert looked.scores == {"total": 41.0, "part": 3.0}
    assert {type(v) for v in looked.scores.values()} == {float}
    assert looked.exercise == "5"
    assert looked.extra == {"trial": 3, "box": [0, 1], "sub": {"x": 0.5}}
    assert type(looked.extra["trial"]) is int
    with pytest.raises(DataError, match="E_ID1/Es5: the score 'total' is 'good', expected a num"):
        looked_at(replace(sound, scores={"total": "good"}), KIMORE)  # type: ignore[dict-item]


def test_every_check_is_named_in_the_docs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
    table = page.partition("## What is looked at")[2].partition("\n## ")[0]
    assert all(f"`{check.__name__}`" in table for check in CHECKS)


# In prepare


class Given(Adapter):
    """Yields what it is given."""

    name, layout, fps, score_range = "given", "kinect-v2", 30.0, (0.0, 50.0)
    exercises = {"5": "squat"}  # noqa: RUF012
    needs_source = False

    def __init__(self, *recordings: Recording) -> None:
        self.recordings = recordings

    def read(
        self, source: Path | None, report: PrepareReport, progress: Progress
    ) -> Iterator[Recording]:
        yield from self.recordings


def test_one_bad_recording_never_takes_the_good_ones_with_it(
    sound: Recording, tmp_path: Path
) -> None:
    x = places(sound)
    x[30, 7] = -99999
    dataset = prepare(
        Given(
            sound,
            replace(sound, id="nobody", positions=0 * x),
            replace(sound, id="down", positions=places(sound) * np.float32(-1)),
            replace(sound, id="wild", positions=x),
            replace(sound, id="times ten", scores={"total": 410.0}),
            replace(sound, id="numpy", extra={"n": np.int64(1)}),
        ),
        None,
        tmp_path,
    )
    assert [i.id for i in dataset.index] == ["E_ID1/Es5", "numpy", "times ten", "wild"]
    assert [i.id for i in dataset.select().index] == ["E_ID1/Es5", "numpy", "wild"]
    assert dataset.manifest["skipped"] == ["down", "nobody"]
    assert {(p["recording"], p["kind"]) for p in dataset.manifest["problems"]} == {
        ("nobody", "nobody-seen"),
        ("down", "axes"),
        ("wild", "wild-place"),
        ("times ten", "bad-score"),
    }
    with pytest.raises(DataError, match="wild: Es5/JointPosition.csv: found HandLeft at"):
        prepare(Given(replace(sound, id="wild", positions=x)), None, tmp_path / "2", strict=True)


def test_notes_of_many_recordings_are_counted(sound: Recording, tmp_path: Path) -> None:
    still = np.tile(places(sound)[:1], (FRAMES, 1, 1))
    many = [replace(sound, id=f"r{i:02}", positions=still) for i in range(12)]
    assert prepare(Given(*many), None, tmp_path).manifest["notes"] == [
        *(f"r{i:02}: nothing moves: all frames are the same" for i in range(5)),
        "… and the like of 7 more recordings",
    ]


def test_a_store_from_before_is_made_again(make_kimore: Any, tmp_path: Path) -> None:
    maker = make_kimore(tmp_path / "KiMoRe")
    maker.person("E_ID1", frames=12)
    prepare(create_adapter("kimore"), maker.root, tmp_path)
    assert len(load_dataset("kimore", tmp_path)) == 5
    file = tmp_path / "kimore" / MANIFEST_FILE
    file.write_text(file.read_text().replace('"checks": 1', '"checks": 0'))
    with pytest.raises(DataError, match="before its recordings were looked at .* prepare it again"):
        load_dataset("kimore", tmp_path)


# In every adapter


def kimore_tree(root: Path, make_kimore: Any, wild: str) -> str:
    maker = make_kimore(root)
    maker.session("E_ID1", 1, frames=30)
    spoil(maker.positions("E_ID1", 1), 40, 7 * 4, wild)
    return "E_ID1/Es1"


def irds_tree(root: Path, irds: ModuleType, form: str, wild: str) -> str:
    irds.make_tree(root)
    name = "101_18_0_1_1_stand.txt"
    raw = form == "RawData"
    spoil(root / "SkeletonData" / form / name, 8, 3 + 7 * 7 + 2 if raw else 21, wild)
    return "101/0/18_1_1_stand"


def stgcn_tree(root: Path, make_body: Any, wild: str) -> str:
    (root / "ex5").mkdir(parents=True)
    frames = np.concatenate([make_body(100), np.full((100, 25, 1), 2.0)], axis=2)
    lines = [",".join(f"{v:.5f}" for v in row) for row in frames.reshape(100, 100)]
    (root / "ex5" / "Train_X.csv").write_text("\n".join(lines) + "\n")
    (root / "ex5" / "Train_Y.csv").write_text("40\n")
    spoil(root / "ex5" / "Train_X.csv", 50, 28, wild)
    return "Es5/0001"


def keraal_tree(root: Path, make_body: Any, sensor: str, wild: str) -> str:
    folder = root / "group3" / sensor.lower() / "CTK"
    folder.mkdir(parents=True)
    if sensor == "Kinect":
        x = np.concatenate([make_body(30), np.tile([1.0, 0, 0, 0], (30, 25, 1))], axis=2)
    else:
        x = np.zeros((30, 17, 7))
        x[..., :3] = np.random.default_rng(0).uniform(0, 300, (30, 17, 3))
        x[:, [5, 6, 11, 12, 15, 16], 2] -= 800  # legs
        x[:, 14, 2] += 400  # head
    file = folder / f"G3-{sensor}-CTK-P1T1-Unknown-C-0.txt"
    file.write_text("".join(" ".join(f"{v:f}" for v in f.ravel()) + " \n" for f in x))
    spoil(file, 12, 14, wild, " ")
    return "G3-P1/CTK/T1-C-0"


def uiprmd_tree(root: Path, uiprmd: ModuleType, kind: str, wild: str) -> str:
    uiprmd.make_tree(root)
    uiprmd.stand(root)
    spoil(uiprmd.file(root, *kind.split("/"), "m01_s01_e02"), 12, 30, wild)
    return "s01/m01/e02/correct"


def spoil(file: Path, line: int, value: int, wild: str, between: str = ",") -> None:
    """Puts `wild` in the place of one number of a file."""
    lines = file.read_text().split("\n")
    fields = lines[line - 1].split(between)
    fields[value] = wild
    lines[line - 1] = between.join(fields)
    file.write_text("\n".join(lines))


@pytest.mark.parametrize("wild", ["-99999", "1e30"])
@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("kimore", ""),
        ("irds", "RawData"),
        ("irds-simplified", "Simplified"),
        ("stgcn-rehab", ""),
        ("keraal", "Kinect"),
        ("keraal-vicon", "Vicon"),
        ("uiprmd-kinect", "Kinect/Positions"),
        ("uiprmd-kinect", "Kinect/Angles"),
        ("uiprmd-vicon", "Vicon/Positions"),
        ("uiprmd-vicon-angles", "Vicon/Angles"),
    ],
)
def test_a_wild_number_in_a_file_is_told_and_bridged(
    name: str, form: str, wild: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    def fixture(of: str) -> Any:
        return request.getfixturevalue(of)

    source = tmp_path / "source"
    made = {
        "kimore": lambda: kimore_tree(source, fixture("make_kimore"), wild),
        "irds": lambda: irds_tree(source, fixture("irds"), form, wild),
        "irds-simplified": lambda: irds_tree(source, fixture("irds"), form, wild),
        "stgcn-rehab": lambda: stgcn_tree(source, fixture("make_body"), wild),
        "keraal": lambda: keraal_tree(source, fixture("make_body"), form, wild),
        "keraal-vicon": lambda: keraal_tree(source, fixture("make_body"), form, wild),
    }.get(name, lambda: uiprmd_tree(source, fixture("uiprmd"), form, wild))()
    options = {"score": "published"} if name.startswith("uiprmd") else {}
    prepare(create_adapter(name, **options), source, tmp_path / "data")
    dataset = SkeletonDataset.open(tmp_path / "data", name)
    faults = [p for p in dataset.manifest["problems"] if p["recording"] == made]
    kinds = {p["kind"] for p in faults if not p["skipped"]}
    assert kinds & {"wild-place", "wild-angle"}
    assert all(p["file"] for p in faults)
    one = dataset.recording(made)
    values = one.positions if one.positions is not None else one.angles
    assert np.abs(values).max() < (10 if one.positions is not None else 720)

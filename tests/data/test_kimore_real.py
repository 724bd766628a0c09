"""KIMORE's real recordings; skipped where they are not at hand."""

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from zoo.data.dataset import SkeletonDataset, create_adapter, prepare
from zoo.skeleton import load_layout

SCORED = {"1": 77, "2": 75, "3": 75, "4": 76, "5": 75}
END_JOINTS = [3, 15, 19, 21, 22, 23, 24]


@pytest.fixture(scope="module")
def dataset(kimore_tree: Path, tmp_path_factory: pytest.TempPathFactory) -> SkeletonDataset:
    return prepare(create_adapter("kimore"), kimore_tree, tmp_path_factory.mktemp("root"))


def test_sessions_and_faults_of_the_eight_people(dataset: SkeletonDataset) -> None:
    assert len(dataset.subjects) == 8
    assert len(dataset) == 40 - 6
    assert dataset.manifest["skipped"] == [
        "B_ID8/Es4",
        "E_ID8/Es2",
        "NE_ID11/Es3",
        "NE_ID11/Es5",
        "NE_ID24/Es2",
        "S_ID5/Es3",
    ]
    found = {p["recording"]: p["found"] for p in dataset.manifest["problems"]}
    assert found["NE_ID24/Es2"] == "no JointPosition*.csv, only orientations"
    assert all(info.scored for info in dataset.index)


def test_scores(dataset: SkeletonDataset) -> None:
    for info in dataset.index:
        scores = info.scores
        off = scores["total"] - scores["primary"] - scores["control"]
        assert abs(off) < (0.7 if info.id == "E_ID3/Es5" else 0.02)
    assert any(n.startswith("E_ID3/Es5: total differs") for n in dataset.manifest["notes"])
    assert dataset.recording("E_ID3/Es5").scores["total"] == pytest.approx(44.667, abs=1e-3)


def test_the_known_jump_is_kept_and_noted(dataset: SkeletonDataset) -> None:
    positions = dataset.recording("E_ID8/Es1").positions
    assert positions is not None
    leap = np.linalg.norm(positions[342, 0] - positions[341, 0])
    assert leap == pytest.approx(3.85, abs=0.1)
    assert any(n.startswith("E_ID8/Es1: the skeleton jumps") for n in dataset.manifest["notes"])


def test_numbers_are_those_of_the_files(dataset: SkeletonDataset, kimore_tree: Path) -> None:
    for recording, place in (("E_ID1/Es5", "CG/Expert"), ("S_ID5/Es2", "GPP/Stroke")):
        one = dataset.recording(recording)
        raw = kimore_tree / place / recording / "Raw"
        for stem, columns, array in (
            ("JointPosition", [0, 1, 2], one.positions),
            ("JointOrientation", [0, 1, 2, 3], one.orientations),
        ):
            (file,) = raw.glob(f"{stem}*.csv")
            rows = np.genfromtxt(file, delimiter=",")[:, :100].reshape(-1, 25, 4)[..., columns]
            kept = [j for j in range(25) if stem == "JointPosition" or j not in END_JOINTS]
            assert array is not None
            assert np.allclose(array[:, kept], rows[:, kept], atol=2e-6)


def test_joint_axes_lie_along_the_bones(dataset: SkeletonDataset) -> None:
    """Holds only if quaternions are w first and joints in the layout's order."""
    parents = load_layout("kinect-v2").parents_from("SpineBase")
    joints = [j for j in range(25) if parents[j] >= 0 and j not in END_JOINTS]
    for recording in dataset:
        assert recording.orientations is not None
        assert recording.positions is not None
        w, x, y, z = np.moveaxis(recording.orientations[:, joints].astype(np.float64), -1, 0)
        axis = np.stack([2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)], -1)
        bones = (
            recording.positions[:, joints] - recording.positions[:, [parents[j] for j in joints]]
        )
        lengths = np.linalg.norm(bones, axis=-1)
        cosine = (axis * bones).sum(-1) / np.where(lengths > 0, lengths, 1)
        assert cosine[lengths > 0].mean() > 0.9999
        assert (recording.orientations[:, END_JOINTS] == [1, 0, 0, 0]).all()


@pytest.mark.slow
def test_the_whole_tree(unpack: Callable[..., Path], tmp_path: Path) -> None:
    source = unpack("kimore")
    code = (
        "import resource, sys\nfrom zoo.cli.main import main\n"
        f"main(['data', 'prepare', 'kimore', '--source', {str(source)!r}, "
        f"'--data-root', {str(tmp_path)!r}])\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    cpu, memory = map(float, done.stdout.splitlines()[-1].split())
    print(f"{cpu:.1f} CPU seconds, {memory:.0f} MiB")
    dataset = SkeletonDataset.open(tmp_path, "kimore")
    assert len(dataset) == 383
    assert len(dataset.subjects) == 78
    counts = Counter(info.exercise for info in dataset.index if info.scored)
    assert counts == SCORED
    people = Counter(g for g, _ in {(info.group, info.subject) for info in dataset.index})
    assert people == {
        "CG/Expert": 17,
        "CG/NotExpert": 27,
        "GPP/BackPain": 8,
        "GPP/Parkinson": 16,
        "GPP/Stroke": 10,
    }
    unscored = {info.subject for info in dataset.index if not info.scored}
    assert unscored == {"E_ID17"}
    assert dataset.manifest["skipped"] == [
        "B_ID8/Es4",
        "E_ID8/Es2",
        "NE_ID11/Es3",
        "NE_ID11/Es5",
        "NE_ID24/Es2",
        "P_ID7/Es5",
        "S_ID5/Es3",
    ]
    jumps = {n.split(":")[0] for n in dataset.manifest["notes"] if "jumps" in n}
    assert {"E_ID8/Es1", "S_ID2/Es2", "S_ID2/Es5", "P_ID5/Es1"} <= jumps
    frames = [info.frames for info in dataset.index]
    assert (min(frames), max(frames)) == (182, 2487)
    for exercise, (mean, sd) in {
        "1": (40.8, 8.5),
        "2": (35.6, 11.8),
        "3": (39.4, 9.6),
        "4": (34.8, 9.7),
        "5": (36.6, 9.9),
    }.items():
        totals = [i.scores["total"] for i in dataset.select(exercise).index]
        assert np.mean(totals) == pytest.approx(mean, abs=0.15)
        assert np.std(totals) == pytest.approx(sd, abs=0.15)
    assert cpu < 20
    assert memory < 1000

"""The simulator as a dataset: bytes, independence of people, scores, truth, leakage."""

import hashlib
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from zoo.data.adapters.base import PrepareReport
from zoo.data.adapters.synthetic import SyntheticAdapter
from zoo.data.dataset import SkeletonDataset, create_adapter, load_dataset, prepare
from zoo.data.recording import Recording
from zoo.data.simulator import FAULTS, GROUPS, truth
from zoo.errors import ConfigError, DataError

BONE_PARENTS = [
    *(20, 0, 20, 2, 20, 4, 5, 6, 20, 8, 9, 10, 0),
    *(12, 13, 14, 0, 16, 17, 18, 1, 7, 6, 11, 10),
]


def read(**params: object) -> list[Recording]:
    adapter = SyntheticAdapter(**params)  # type: ignore[arg-type]
    return list(adapter.read(None, PrepareReport(), adapter.NO_PROGRESS))


def digest(recordings: list[Recording]) -> str:
    sha = hashlib.sha256()
    for r in recordings:
        for array in (r.positions, r.orientations, r.tracked):
            sha.update(array.tobytes())
        sha.update(repr((r.id, sorted(r.scores.items()), r.extra)).encode())
    return sha.hexdigest()


@pytest.fixture(scope="module")
def some() -> list[Recording]:
    return read(people=8)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> SkeletonDataset:
    return load_dataset("synthetic", tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def pieces(dataset: SkeletonDataset) -> dict[str, tuple[np.ndarray, ...]]:
    found = {}
    for exercise in dataset.exercises:
        bones, scores, people = [], [], []
        for r in dataset.select(exercise=exercise):
            lengths = np.linalg.norm(r.positions - r.positions[:, BONE_PARENTS], axis=-1)
            for piece in np.array_split(lengths, 10):
                bones.append(np.median(piece, axis=0))
                scores.append(r.scores["total"])
                people.append(r.subject)
        found[exercise] = (np.array(bones), np.array(scores), np.array(people))
    return found


class TestBytes:
    def test_another_process_with_another_number_of_threads_makes_the_same(
        self, tmp_path: Path
    ) -> None:
        here = prepare(create_adapter("synthetic", people=3), None, tmp_path / "here")
        code = (
            "import sys; from pathlib import Path; from zoo.data.dataset import *; "
            "print(prepare(create_adapter('synthetic', people=3), None, Path(sys.argv[1]))"
            ".fingerprint)"
        )
        there = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "there")],
            check=True,
            capture_output=True,
            text=True,
            env={"OMP_NUM_THREADS": "3", "PYTHONHASHSEED": "7", "PATH": ""},
        )
        assert there.stdout.strip() == here.fingerprint
        files = [tmp_path / side / "synthetic" / "data.safetensors" for side in ("here", "there")]
        assert files[0].read_bytes() == files[1].read_bytes()

    def test_more_people_change_nobody(self, some: list[Recording]) -> None:
        fewer = read(people=3)
        assert digest(fewer) == digest(some[: len(fewer)])

    def test_another_seed_changes_everybody(self, some: list[Recording]) -> None:
        other = read(people=1, seed=1)
        for a, b in zip(some, other, strict=False):
            assert a.num_frames != b.num_frames or not np.array_equal(a.positions, b.positions)

    def test_values_lie_on_the_grid(self, some: list[Recording]) -> None:
        scaled = some[0].positions.astype(np.float64) * 2**13
        np.testing.assert_array_equal(scaled, np.rint(scaled))

    def test_making_them_needs_no_torch(self) -> None:
        code = (
            "import sys; from zoo.data.adapters.synthetic import SyntheticAdapter as A; "
            "from zoo.data.adapters.base import PrepareReport as P; "
            "next(A(people=1).read(None, P(), A.NO_PROGRESS)); "
            "assert not {'torch', 'scipy', 'sklearn'} & set(sys.modules)"
        )
        subprocess.run([sys.executable, "-c", code], check=True)


class TestRecordings:
    def test_one_recording_a_person_and_exercise(self, some: list[Recording]) -> None:
        assert len({r.id for r in some}) == len(some) == 40
        assert Counter(r.exercise for r in some) == dict.fromkeys("12345", 8)
        assert all(r.id == f"{r.subject}/Es{r.exercise}" for r in some)
        assert all(r.layout == "kinect-v2" and r.fps == 30 for r in some)

    def test_lengths_are_those_of_kimore(self, dataset: SkeletonDataset) -> None:
        frames = np.array([info.frames for info in dataset.index])
        assert frames.min() > 182
        assert frames.max() < 2487
        assert 450 < np.median(frames) < 900

    def test_about_as_many_repetitions_as_asked_for(self, some: list[Recording]) -> None:
        counts = Counter(len(truth(r).repetitions) for r in some)
        assert set(counts) == {4, 5, 6}
        assert {len(truth(r).repetitions) for r in read(people=2, repetitions=1)} == {1}

    def test_repetitions_lie_in_the_recording_in_order(self, some: list[Recording]) -> None:
        for r in some:
            flat = np.array(truth(r).repetitions).ravel()
            assert (np.diff(flat) >= 0).all()
            assert flat[0] > 0
            assert flat[-1] < r.num_frames

    def test_orientations_are_unit_quaternions_along_the_bones(self, some: list[Recording]) -> None:
        from scipy.spatial.transform import Rotation

        parents = np.array(BONE_PARENTS)
        parents[1] = 0
        for r in some[:5]:
            norms = np.linalg.norm(r.orientations, axis=-1)
            np.testing.assert_allclose(norms, 1.0, atol=3e-6)
            for joint in (1, 4, 5, 6, 12, 13, 14, 20):
                bone = r.positions[:, joint] - r.positions[:, parents[joint]]
                bone = bone / np.linalg.norm(bone, axis=-1, keepdims=True)
                q = Rotation.from_quat(r.orientations[:, joint], scalar_first=True)
                np.testing.assert_allclose(q.apply([0.0, 1.0, 0.0]), bone, atol=2e-3)

    def test_end_joints_have_the_identity(self, some: list[Recording]) -> None:
        for joint in (3, 15, 19, 21, 22, 23, 24):
            assert (some[0].orientations[:, joint] == [1, 0, 0, 0]).all()

    def test_quaternions_do_not_jump_in_sign(self, some: list[Recording]) -> None:
        for r in some:
            assert ((r.orientations[1:] * r.orientations[:-1]).sum(-1) > 0).all()

    def test_left_is_left(self, some: list[Recording]) -> None:
        for r in some:
            x = np.median(r.positions[:, :, 0], axis=0)
            assert x[4] < x[8]
            assert x[12] < x[16]

    def test_sizes_are_human(self, dataset: SkeletonDataset) -> None:
        for r in dataset.select(exercise="1"):
            p = np.median(r.positions[:20].astype(float), axis=0)
            height = np.linalg.norm(p[3] - (p[14] + p[18]) / 2)
            assert 1.15 < height < 1.75
            assert 2.0 < p[0, 2] < 4.0

    def test_feet_stay_where_they_are(self, some: list[Recording]) -> None:
        for r in some:
            ankles = r.positions[:, [14, 18]].astype(float)
            assert np.abs(ankles - np.median(ankles, axis=0)).max() < 0.12

    def test_states_are_mostly_tracked(self, dataset: SkeletonDataset) -> None:
        states = np.concatenate([r.tracked for r in dataset.select(exercise="5")])
        share = [float((states == s).mean()) for s in (0, 1, 2)]
        assert 0 < share[0] < 0.01
        assert 0.01 < share[1] < 0.1
        assert share[2] > 0.9

    def test_without_noise_bones_keep_their_length(self) -> None:
        for r in read(people=1, noise=0.0, lost=0.0):
            p = r.positions.astype(float)
            lengths = np.linalg.norm(p - p[:, BONE_PARENTS], axis=-1)
            rigid = [1, 5, 6, 7, 9, 10, 11, 13, 14, 15, 17, 18, 19, 20, 21, 22]
            assert np.ptp(lengths[:, rigid], axis=0).max() < 5e-4
            assert (r.tracked == 2).all()


class TestScores:
    def test_total_is_primary_plus_control(self, dataset: SkeletonDataset) -> None:
        for info in dataset.index:
            s = info.scores
            assert s["total"] == pytest.approx(s["primary"] + s["control"])
            assert 0 <= s["primary"] <= 15
            assert 0 <= s["control"] <= 35
            assert round(3 * s["primary"], 6) == round(3 * s["primary"])

    def test_score_is_the_documented_function_of_the_faults(self, some: list[Recording]) -> None:
        for r, clean in zip(some, read(people=8, rater_sd=0.0), strict=True):
            known = truth(r)
            lost = {f.name: known.sizes[f.name] / f.full for f in FAULTS}
            primary = 15 - sum(f.primary * lost[f.name] for f in FAULTS)
            control = 35 - sum(f.control * lost[f.name] for f in FAULTS)
            assert clean.scores["primary"] == round(primary)
            assert clean.scores["control"] == round(control)
            assert known.total == pytest.approx(primary + control, abs=1e-3)

    def test_raters_scatter_as_asked(self, dataset: SkeletonDataset) -> None:
        error = [info.scores["total"] - truth(info).total for info in dataset.index]
        assert abs(np.mean(error)) < 0.3
        assert 1.2 < np.std(error) < 1.8

    def test_groups_differ_as_in_kimore(self, dataset: SkeletonDataset) -> None:
        total = {
            group.name: np.mean([i.scores["total"] for i in dataset.index if i.group == group.name])
            for group in GROUPS
        }
        assert total["CG/Expert"] > total["CG/NotExpert"] > total["GPP/BackPain"]
        assert total["GPP/BackPain"] > max(total["GPP/Parkinson"], total["GPP/Stroke"])
        for exercise in dataset.exercises:
            scores = [i.scores["total"] for i in dataset.select(exercise=exercise).index]
            assert 35 < np.mean(scores) < 42
            assert 7 < np.std(scores) < 11

    def test_groups_keep_kimores_shares(self) -> None:
        from zoo.data.simulator.faults import group_of

        counts = Counter(group_of(n)[0].name for n in range(78))
        assert counts == {g.name: g.weight for g in GROUPS}
        assert len({f"{g.prefix}{n}" for g, n in map(group_of, range(78))}) == 78


class TestTruth:
    def test_survives_the_store(self, dataset: SkeletonDataset) -> None:
        fresh = {r.id: r for r in read(people=1)}
        for info in dataset.index:
            if info.id in fresh:
                assert truth(info) == truth(fresh[info.id])
        assert truth(dataset[0]) == truth(dataset.index[0])

    def test_joints_account_for_all_points_but_tempo(self, some: list[Recording]) -> None:
        for r in some:
            known = truth(r)
            lost = sum(known.points.values())
            assert known.total == pytest.approx(50 - lost, abs=1e-3)
            at_joints = lost - known.points["tempo"]
            assert sum(known.joints.values()) == pytest.approx(at_joints, abs=5e-3)

    def test_real_recordings_have_none(self, some: list[Recording]) -> None:
        from dataclasses import replace

        with pytest.raises(DataError, match=r"E_ID1/Es1.*no known truth"):
            truth(replace(some[0], id="E_ID1/Es1", extra={}))


class TestParameters:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("people", 0),
            ("people", 2.5),
            ("repetitions", 0),
            ("seed", -1),
            ("seed", True),
            ("fps", 0),
            ("noise", -0.1),
            ("noise", float("nan")),
            ("lost", "many"),
            ("rater_sd", float("inf")),
        ],
    )
    def test_impossible_values_are_named(self, name: str, value: object) -> None:
        with pytest.raises(ConfigError, match=rf"{name} is .*expected"):
            create_adapter("synthetic", **{name: value})

    def test_frame_rate_changes_the_number_of_frames_only(self) -> None:
        slow, fast = read(people=1, fps=15)[4], read(people=1)[4]
        assert slow.num_frames == pytest.approx(fast.num_frames / 2, abs=1)
        assert truth(slow).sizes == truth(fast).sizes

    def test_config_agrees_with_the_defaults(self) -> None:
        adapter = create_adapter("synthetic")
        assert adapter.settings == SyntheticAdapter().settings
        assert adapter.people == SyntheticAdapter().people
        assert adapter.title == "Simulated rehabilitation exercises"

    def test_progress_counts_every_recording(self) -> None:
        seen: list[tuple[int, int, str]] = []
        adapter = SyntheticAdapter(people=2)
        made = list(adapter.read(None, PrepareReport(), lambda *a: seen.append(a)))
        assert [s[0] for s in seen] == list(range(1, 11))
        assert [s[2] for s in seen] == [r.id for r in made]
        assert {s[1] for s in seen} == {10}


class TestWhatALearnerSees:
    """Bodies leak on a random split; faults show in the motion of people never seen."""

    def test_bone_lengths_leak_on_a_random_split_and_only_there(
        self, pieces: dict[str, tuple[np.ndarray, ...]]
    ) -> None:
        pytest.importorskip("sklearn")
        from sklearn.model_selection import GroupKFold, KFold, cross_val_predict
        from sklearn.neighbors import KNeighborsRegressor
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        ratios = []
        for exercise, (bones, scores, people) in pieces.items():
            nearest = make_pipeline(StandardScaler(), KNeighborsRegressor(1))
            random = KFold(10, shuffle=True, random_state=3407)
            by_person = list(GroupKFold(10).split(bones, scores, people))
            leaky = np.abs(cross_val_predict(nearest, bones, scores, cv=random) - scores).mean()
            honest = np.abs(cross_val_predict(nearest, bones, scores, cv=by_person) - scores).mean()
            mean = np.mean(
                np.concatenate([np.abs(scores[t] - scores[s].mean()) for s, t in by_person])
            )
            ratios.append((leaky / mean, honest / mean))
            if exercise == "5":
                assert leaky < 0.15 * mean
                assert honest >= mean
        leaky_ratio, honest_ratio = np.mean(ratios, axis=0)
        assert leaky_ratio < 0.15
        assert honest_ratio >= 1.0

    def test_ridge_on_motion_beats_the_mean_on_people_never_seen(
        self, dataset: SkeletonDataset
    ) -> None:
        pytest.importorskip("sklearn")
        from sklearn.linear_model import Ridge
        from sklearn.model_selection import KFold, cross_val_predict
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        features, scores = [], []
        for r in dataset.select(exercise="5"):
            p = r.positions.astype(float)[:, :21]
            p[:, 1:] -= p[:, :1]
            p[:, 0] -= p[:, 0].mean(axis=0)
            spread = np.percentile(p, [5, 50, 95], axis=0).ravel()
            features.append(np.concatenate([spread, p.std(axis=0).ravel()]))
            scores.append(r.scores["total"])
        x, y = np.array(features), np.array(scores)
        folds = KFold(5, shuffle=True, random_state=0)
        ridge = make_pipeline(StandardScaler(), Ridge(100.0))
        error = np.abs(cross_val_predict(ridge, x, y, cv=folds) - y).mean()
        mean = np.mean(np.concatenate([np.abs(y[t] - y[s].mean()) for s, t in folds.split(x)]))
        assert 0.15 * mean < error < 0.5 * mean

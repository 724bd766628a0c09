"""The simulator's movements: kinematics, planted feet, and that every fault shows as it says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zoo.data import rotation as rot
from zoo.data.adapters.base import PrepareReport
from zoo.data.simulator import FAULTS, Performance, Settings, perform
from zoo.data.simulator.body import (
    BONE_FRAMES,
    DIRECTIONS,
    INDEX,
    JOINTS,
    ORDER,
    PARENTS,
    sample_body,
)
from zoo.data.simulator.motion import Timeline, minimum_jerk, wander
from zoo.data.simulator.person import sample_person, stream
from zoo.data.simulator.pose import NEUTRAL, Skeleton, Stance, solve
from zoo.data.simulator.sensor import observe

EXERCISES = ("1", "2", "3", "4", "5")


def act(exercise: str, side: str = "left", number: int = 0, **sizes: float) -> Performance:
    """A performance with exactly the faults given; everything else is the same every time."""
    from zoo.data.simulator import performance as module

    person = replace(sample_person(11, number), side=side)
    none = {fault.name: 0.0 for fault in FAULTS}

    def draw(rng: np.random.Generator, *_: object) -> object:
        session = original(rng, person, 5)
        return replace(session, sizes={**none, **sizes})

    original = module.sample_session
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "sample_session", draw)
        return perform(person, exercise, Settings(), stream(11, number, int(exercise)))


def local_rotations(skeleton: Skeleton) -> rot.Array:
    """Each joint's rotation relative to its parent's (T, 25, 4); the root's as it is."""
    local = skeleton.rotations.copy()
    for at in ORDER[1:]:
        parent = rot.conjugate(skeleton.rotations[:, PARENTS[at]])
        local[:, at] = rot.multiply(parent, skeleton.rotations[:, at])
    return local


def angle(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    cosine = np.sum(a * b, -1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def joint(done: Performance, name: str) -> np.ndarray:
    return done.skeleton.positions[:, INDEX[name]]


def knee(done: Performance, side: str) -> np.ndarray:
    hip, bent, ankle = (joint(done, f"{j}{side}") for j in ("Hip", "Knee", "Ankle"))
    return 180 - angle(hip - bent, ankle - bent)


def elbow(done: Performance, side: str) -> np.ndarray:
    shoulder, bent, wrist = (joint(done, f"{j}{side}") for j in ("Shoulder", "Elbow", "Wrist"))
    return 180 - angle(shoulder - bent, wrist - bent)


def lift(done: Performance, side: str) -> np.ndarray:
    trunk = joint(done, "SpineShoulder") - joint(done, "SpineBase")
    return angle(joint(done, f"Elbow{side}") - joint(done, f"Shoulder{side}"), -trunk)


def tilt(done: Performance) -> np.ndarray:
    """Of the trunk, degrees to the person's right."""
    trunk = joint(done, "SpineShoulder") - joint(done, "SpineBase")
    return np.degrees(np.arctan2(trunk[:, 0], trunk[:, 1]))


def lean(done: Performance) -> np.ndarray:
    """Of the trunk, degrees forwards."""
    trunk = joint(done, "SpineShoulder") - joint(done, "SpineBase")
    return np.degrees(np.arctan2(-trunk[:, 2], trunk[:, 1]))


def turn(done: Performance) -> np.ndarray:
    """Of the shoulders, degrees to the person's left."""
    across = joint(done, "ShoulderRight") - joint(done, "ShoulderLeft")
    return np.degrees(np.arctan2(-across[:, 2], across[:, 0]))


class TestRotation:
    def test_agrees_with_scipy(self) -> None:
        from scipy.spatial.transform import Rotation

        a, b = (Rotation.random(50, random_state=seed) for seed in (0, 1))
        qa, qb = (r.as_quat(scalar_first=True) for r in (a, b))
        v = np.random.default_rng(0).normal(size=(50, 3))
        product = (a * b).as_matrix()
        columns = np.moveaxis(product, -1, 0)
        np.testing.assert_allclose(rot.rotate(qa, v), a.apply(v), atol=1e-12)
        np.testing.assert_allclose(
            rot.rotate(rot.multiply(qa, qb), v), (a * b).apply(v), atol=1e-12
        )
        np.testing.assert_allclose(
            rot.rotate(rot.from_axes(*columns), v), (a * b).apply(v), atol=1e-9
        )
        np.testing.assert_allclose(rot.cross(v, v[::-1]), np.cross(v, v[::-1]), atol=1e-12)
        for axis, letter in enumerate("xyz"):
            q = Rotation.from_euler(letter, 33.0, degrees=True).as_quat(scalar_first=True)
            np.testing.assert_allclose(rot.about(axis, 33.0), q, atol=1e-12)

    def test_between_takes_the_shortest_way(self) -> None:
        rng = np.random.default_rng(0)
        a, b = rot.unit(rng.normal(size=(2, 20, 3)))
        q = rot.between(a, b)
        np.testing.assert_allclose(rot.rotate(q, a), b, atol=1e-12)
        np.testing.assert_allclose(2 * np.degrees(np.arccos(q[:, 0])), angle(a, b), atol=1e-6)

    def test_continuous_mends_signs(self) -> None:
        q = rot.about(1, np.linspace(0, 720, 200))
        broken = q * np.where(np.arange(200) % 3 == 0, -1, 1)[:, None]
        np.testing.assert_array_equal(rot.continuous_sign(broken, q[0]), q)


class TestMinimumJerk:
    def test_starts_and_ends_at_rest(self) -> None:
        t = np.linspace(0, 1, 2001)
        path = minimum_jerk(t)
        speed = np.gradient(path, t, edge_order=2)
        assert path[0] == 0
        assert path[-1] == 1
        np.testing.assert_allclose(speed[[0, -1]], 0, atol=1e-3)
        np.testing.assert_allclose(np.gradient(speed, t)[[1, -2]], 0, atol=0.1)
        assert speed.max() == pytest.approx(1.875, abs=1e-3)
        assert t[speed.argmax()] == pytest.approx(0.5, abs=1e-3)

    def test_no_other_movement_has_less_jerk(self) -> None:
        t = np.linspace(0, 1, 4001)

        def jerk(path: np.ndarray) -> float:
            return float((np.diff(path, 3)[2:-2] ** 2).sum())

        best = minimum_jerk(t)
        bump = t**3 * (1 - t) ** 3
        for size in (-0.3, 0.3):
            assert jerk(best + size * bump) > jerk(best)

    def test_timeline_passes_through_its_postures(self) -> None:
        line = Timeline({"a": 1.0, "b": 2.0})
        line.move(1.0, a=3.0)
        line.move(0.5)
        line.move(2.0, a=0.0, b=4.0)
        path = line.sample(10.0)
        assert len(path["a"]) == 36
        np.testing.assert_allclose(path["a"][[0, 5, 10, 15, 25, 35]], [1, 2, 3, 3, 1.5, 0])
        np.testing.assert_allclose(path["b"][[0, 15, 25, 35]], [2, 2, 3, 4])

    def test_timeline_knows_its_channels(self) -> None:
        with pytest.raises(KeyError, match="elbow"):
            Timeline({"a": 1.0}).move(1.0, elbow=3.0)

    def test_wander_has_unit_variance_and_is_smooth(self) -> None:
        noise = wander(np.random.default_rng(0), 4000, 20.0, (30,))
        assert noise.std() == pytest.approx(1.0, abs=0.03)
        assert noise.std(axis=1).mean() == pytest.approx(1.0, abs=0.05)
        assert np.abs(np.diff(noise, axis=0)).max() < 0.8


class TestKinematics:
    @pytest.mark.parametrize("exercise", EXERCISES)
    def test_positions_follow_from_the_rotations(self, exercise: str) -> None:
        torch = pytest.importorskip("torch")
        from zoo.skeleton.kinematics import forward_kinematics

        done = act(exercise, range=0.2, asymmetry=0.3, compensation=10.0)
        pose = forward_kinematics(
            PARENTS,
            torch.as_tensor(done.session.body.offsets),
            torch.as_tensor(local_rotations(done.skeleton)),
            torch.as_tensor(done.skeleton.positions[:, 0]),
        )
        np.testing.assert_allclose(pose[0].numpy(), done.skeleton.positions, atol=1e-10)

    @pytest.mark.parametrize("exercise", EXERCISES)
    def test_feet_are_planted_and_flat(self, exercise: str) -> None:
        done = act(exercise, asymmetry=0.4, compensation=20.0, tremor=6.0)
        for name in ("AnkleLeft", "AnkleRight", "FootLeft", "FootRight"):
            assert np.ptp(joint(done, name), axis=0).max() < 1e-9
        assert joint(done, "AnkleLeft")[0, 1] == pytest.approx(done.session.body.ankle_height)

    @pytest.mark.parametrize("exercise", EXERCISES)
    def test_joints_bend_the_human_way(self, exercise: str) -> None:
        done = act(exercise, range=0.3, asymmetry=0.4, compensation=20.0, tremor=6.0)
        rotations = local_rotations(done.skeleton)
        for side in ("Left", "Right"):
            hip, bent, ankle = (joint(done, f"{j}{side}") for j in ("Hip", "Knee", "Ankle"))
            assert (bent[:, 2] < (hip[:, 2] + ankle[:, 2]) / 2).all()
            # Flexion is a positive turn about x, which brings a hanging hand forwards.
            assert (rotations[:, INDEX[f"Elbow{side}"], 1] > 0).all()
            assert elbow(done, side).max() < 150
            assert knee(done, side).max() < 140
        assert (joint(done, "Head")[:, 1] > joint(done, "SpineShoulder")[:, 1]).all()

    def test_neutral_stance_is_symmetric(self) -> None:
        body = sample_body(np.random.default_rng(0))
        offsets = body.offsets.copy()
        for name in JOINTS:
            if name.endswith("Left"):
                right = offsets[INDEX[name.replace("Left", "Right")]]
                offsets[INDEX[name]] = right * [-1, 1, 1]
        channels = {name: np.full(2, value) for name, value in NEUTRAL.items()}
        p = solve(replace(body, offsets=offsets), Stance(0.12, 10.0), channels).positions[0]
        for name in JOINTS:
            if name.endswith("Left"):
                right = p[INDEX[name.replace("Left", "Right")]]
                np.testing.assert_allclose(p[INDEX[name]] * [-1, 1, 1], right, atol=1e-12)

    def test_bone_frames_point_along_the_bones(self) -> None:
        y = rot.rotate(BONE_FRAMES, np.array([0.0, 1.0, 0.0]))
        for name in (
            "SpineMid",
            "SpineShoulder",
            "Neck",
            "ShoulderLeft",
            "WristRight",
            "AnkleLeft",
        ):
            np.testing.assert_allclose(y[INDEX[name]], DIRECTIONS[INDEX[name]], atol=1e-12)

    def test_camera_looks_down_and_people_face_it(self) -> None:
        done = act("1")
        rng, place, camera = np.random.default_rng(0), (0.3, 2.5), (1.4, 10.0)
        seen = observe(rng, done.skeleton, place, 0.0, camera, noise=0.0, lost=0.0)
        ankles = seen["positions"][:, [14, 18]].mean(axis=(0, 1))
        ground = rot.rotate(rot.about(0, 10.0), ankles.astype(float))
        ankle_height = done.session.body.ankle_height
        np.testing.assert_allclose(ground, [0.3, ankle_height - 1.4, 2.5], atol=2e-3)
        assert (seen["positions"][:, 15, 2] < seen["positions"][:, 14, 2]).all()


class TestExercises:
    """What a healthy person does, against KIMORE's experts."""

    def test_arm_lift(self) -> None:
        done = act("1")
        for side in ("Left", "Right"):
            assert 140 < lift(done, side).max() < 170
            assert lift(done, side).min() < 25
        assert np.abs(tilt(done)).max() < 6

    def test_lateral_tilt(self) -> None:
        done = act("2")
        assert 13 < tilt(done).max() < 21
        assert -21 < tilt(done).min() < -13
        assert np.abs(lean(done)).max() < 10

    def test_trunk_rotation(self) -> None:
        done = act("3")
        assert 52 < turn(done).max() < 72
        assert -72 < turn(done).min() < -52

    def test_pelvis_rotation(self) -> None:
        done = act("4")
        pelvis = joint(done, "SpineBase")
        chest = joint(done, "SpineShoulder")
        assert (np.ptp(pelvis[:, [0, 2]], axis=0) > 0.14).all()
        assert (np.ptp(chest[:, [0, 2]], axis=0) < 0.6 * np.ptp(pelvis[:, [0, 2]], axis=0)).all()
        start, stop = done.truth.repetitions[2]
        x, z = (pelvis[start:stop] - pelvis[start:stop].mean(axis=0))[:, [0, 2]].T
        turned = np.unwrap(np.arctan2(z, x))
        assert abs(turned[-1] - turned[0]) == pytest.approx(2 * np.pi, abs=0.8)
        for side in ("Left", "Right"):
            gap = np.linalg.norm(joint(done, f"Hand{side}") - joint(done, f"Hip{side}"), axis=-1)
            assert gap[start:stop].max() < 0.32

    def test_squat(self) -> None:
        done = act("5")
        assert 95 < knee(done, "Left").max() < 118
        assert np.ptp(joint(done, "SpineBase")[:, 1]) > 0.2
        assert 12 < lean(done).max() < 32

    @pytest.mark.parametrize("exercise", EXERCISES)
    def test_repetitions_are_where_the_truth_says(self, exercise: str) -> None:
        done = act(exercise)
        signal = {
            "1": lift(done, "Left"),
            "2": tilt(done),
            "3": turn(done),
            "4": joint(done, "SpineBase")[:, 0],
            "5": knee(done, "Left"),
        }[exercise]
        whole = np.ptp(signal)
        least = 0.7 if exercise == "4" else 0.85
        for start, stop in done.truth.repetitions:
            assert np.ptp(signal[start:stop]) > least * whole


class TestFaults:
    def test_points_add_up_to_the_score(self) -> None:
        assert sum(f.primary for f in FAULTS) == 15
        assert sum(f.control for f in FAULTS) == 35

    def test_missing_range_is_the_share_that_is_missing(self) -> None:
        healthy, faulty = act("5"), act("5", range=0.4)
        full, less = (np.percentile(knee(d, "Left"), 99) - 8 for d in (healthy, faulty))
        assert less / full == pytest.approx(0.6, abs=0.06)
        full, less = (np.ptp(turn(act("3", range=size))) for size in (0.0, 0.4))
        assert less / full == pytest.approx(0.6, abs=0.08)

    @pytest.mark.parametrize("side", ["left", "right"])
    def test_asymmetry_is_on_the_affected_side(self, side: str) -> None:
        weak, strong = side.capitalize(), "Right" if side == "left" else "Left"
        sign = 1 if side == "right" else -1
        arms = act("1", side, asymmetry=0.4)
        assert lift(arms, weak).max() < lift(arms, strong).max() - 40
        assert elbow(arms, weak).max() > elbow(arms, strong).max() + 10
        tilted = sign * tilt(act("2", side, asymmetry=0.4))
        assert tilted.max() == pytest.approx(-0.6 * tilted.min(), abs=3)
        turned = -sign * turn(act("3", side, asymmetry=0.4))
        assert turned.max() == pytest.approx(-0.6 * turned.min(), abs=8)
        for exercise, shift in (("4", 0.015), ("5", 0.03)):
            even, uneven = (act(exercise, side, asymmetry=size) for size in (0.0, 0.4))
            moved = joint(uneven, "SpineBase")[:, 0].mean() - joint(even, "SpineBase")[:, 0].mean()
            assert -sign * moved > shift

    def test_compensation_moves_the_trunk(self) -> None:
        for exercise, measure in (("1", lean), ("2", lean), ("3", tilt), ("5", lean)):
            clean, faulty = (np.abs(measure(act(exercise, compensation=c))) for c in (0.0, 25.0))
            assert np.percentile(faulty, 95) > np.percentile(clean, 95) + 8, exercise
        clean, faulty = (joint(act("4", compensation=c), "SpineShoulder") for c in (0.0, 25.0))
        assert np.ptp(faulty[:, 0]) > np.ptp(clean[:, 0]) + 0.05

    @pytest.mark.parametrize("exercise", EXERCISES)
    def test_irregular_tempo_scatters_the_durations(self, exercise: str) -> None:
        def scatter(size: float) -> float:
            spreads = []
            for number in range(6):
                spans = np.array(act(exercise, number=number, tempo=size).truth.repetitions)
                lengths = np.diff(spans, axis=1)
                spreads.append(lengths.std() / lengths.mean())
            return float(np.mean(spreads))

        assert scatter(0.0) < 0.08
        assert scatter(0.45) > 0.18

    def test_tremor_shakes_the_hands_at_four_to_six_hertz(self) -> None:
        still, shaking = (joint(act("5", tremor=size), "HandLeft") for size in (0.0, 6.0))
        power = np.abs(np.fft.rfft(shaking - still, axis=0)).sum(axis=1)
        frequency = np.fft.rfftfreq(len(shaking), 1 / 30)
        band = (frequency > 3) & (frequency < 7)
        assert 3.5 < frequency[power.argmax()] < 6.5
        assert (power[band] ** 2).sum() > 0.6 * (power**2).sum()
        assert 0.005 < np.abs(shaking - still).max() < 0.15

    def test_blame_names_the_affected_side(self) -> None:
        joints = act("1", "right", asymmetry=0.5).truth.joints
        assert joints == {"ShoulderRight": pytest.approx(9.8), "ElbowRight": pytest.approx(4.2)}
        assert act("1", tempo=0.45).truth.joints == {}
        assert act("1").truth.total == 50


def test_resembles_real_recordings(kimore_tree: Path) -> None:
    """Bones, stance and the Kinect's bone frames, at the start of real and simulated squats."""
    from zoo.data.adapters.synthetic import SyntheticAdapter
    from zoo.data.dataset import create_adapter

    def first_frames(recordings: list) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        chosen = [r for r in recordings if r.exercise == "5" and r.orientations is not None]
        p = np.array([r.positions[0] for r in chosen], dtype=float)
        q = np.array([r.orientations[0] for r in chosen], dtype=float)
        parents = [max(parent, 0) for parent in PARENTS]
        return p, q, np.linalg.norm(p - p[:, parents], axis=-1).mean(axis=0)

    kimore = create_adapter("kimore")
    real = list(kimore.read(kimore_tree, PrepareReport(), kimore.NO_PROGRESS))
    synthetic = SyntheticAdapter(people=12)
    made = list(synthetic.read(None, PrepareReport(), synthetic.NO_PROGRESS))
    (p, q, bones), (p2, q2, bones2) = first_frames(real), first_frames(made)
    assert len(p) >= 5
    np.testing.assert_allclose(bones2[1:], bones[1:], rtol=0.4, atol=0.015)
    rigid = [INDEX[n] for n in ("SpineMid", "SpineShoulder", "ElbowLeft", "WristRight", "KneeLeft")]
    np.testing.assert_allclose(bones2[rigid], bones[rigid], rtol=0.15)
    left_of = [p[:, 4, 0] - p[:, 8, 0], p2[:, 4, 0] - p2[:, 8, 0]]
    assert all((gap < 0).all() for gap in left_of)
    for name in ("SpineBase", "SpineMid", "SpineShoulder", "Neck", "ShoulderLeft", "ShoulderRight"):
        for axis in np.eye(3):
            ours, theirs = (rot.rotate(x[:, INDEX[name]], axis).mean(axis=0) for x in (q2, q))
            assert angle(ours, theirs) < 30, (name, axis)
    for name in ("HipLeft", "HipRight", "KneeLeft", "KneeRight", "AnkleLeft", "AnkleRight"):
        for axis in np.eye(3):
            ours, theirs = (rot.rotate(x[:, INDEX[name]], axis).mean(axis=0) for x in (q2, q))
            assert angle(ours, theirs) < 45, (name, axis)

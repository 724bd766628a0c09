import math
from pathlib import Path

import pytest
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from baselines.d2sta.grouping import range_of_motion
from baselines.d2sta.motion import PhysiologicalMotion, RelativeMotion, joint_angles, motion_index
from zoo.data.batch import Batch
from zoo.data.scalers import StreamScaler
from zoo.errors import ConfigError
from zoo.skeleton import load_layout
from zoo.skeleton.layout import Layout

KINECT = load_layout("kinect-v2")
BODY_AWARE = ("relative", "physiological")
LAYOUTS = ("coco", "kinect-v2", "kinect-v2-agcn", "mediapipe", "uiprmd-kinect", "uiprmd-vicon")


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def moving(n: int = 2, t: int = 12, v: int = 25) -> Tensor:
    """A body that has a shape and moves, (N, T, V, 3) metres."""
    return torch.randn(n, 1, v, 3) + 0.2 * torch.randn(n, t, v, 3)


def measure(motion: str, position: Tensor, mask: Tensor | None = None) -> Tensor:
    index = motion_index(motion, KINECT, ["position"])
    assert index is not None
    return index([position], mask)


def share(joint: str, position: Tensor, layout: Layout = KINECT) -> float:
    """The share of its normal range that `joint` goes through."""
    return float(PhysiologicalMotion(layout, 0)([position])[0, layout.index(joint), 0])


def standing(t: int) -> Tensor:
    """A body with arms and legs hanging, y up, facing along z, (1, T, 25, 3) metres."""
    places = {
        "SpineBase": (0, 0, 0),
        "SpineMid": (0, 0.3, 0),
        "SpineShoulder": (0, 0.5, 0),
        "Neck": (0, 0.6, 0),
        "Head": (0, 0.8, 0),
    }
    for side, x in (("Left", -1), ("Right", 1)):
        for joint, (out, up, ahead) in {
            "Shoulder": (0.2, 0.5, 0),
            "Elbow": (0.2, 0.2, 0),
            "Wrist": (0.2, 0, 0),
            "Hand": (0.2, -0.05, 0),
            "HandTip": (0.2, -0.1, 0),
            "Thumb": (0.2, -0.1, 0.05),
            "Hip": (0.1, 0, 0),
            "Knee": (0.1, -0.4, 0),
            "Ankle": (0.1, -0.8, 0),
            "Foot": (0.1, -0.8, 0.2),
        }.items():
            places[joint + side] = (x * out, up, ahead)
    body = torch.tensor([places[joint] for joint in KINECT.joints], dtype=torch.float64)
    return body.expand(1, t, 25, 3).clone()


def swing(position: Tensor, pivot: str, joints: list[str], axis: str, degrees: float) -> Tensor:
    """`position` with `joints` turned about `pivot`, evenly from 0 to `degrees` over time."""
    moved, center = position.clone(), position[:, :, KINECT.index(pivot)]
    for frame, angle in enumerate(torch.linspace(0, degrees, position.shape[1]).tolist()):
        turn = torch.tensor(Rotation.from_euler(axis, angle, degrees=True).as_matrix())
        for joint in map(KINECT.index, joints):
            arm = position[:, frame, joint] - center[:, frame]
            moved[:, frame, joint] = center[:, frame] + arm @ turn.T
    return moved


ARM = ["ElbowLeft", "WristLeft", "HandLeft", "HandTipLeft", "ThumbLeft"]
LEG = ["KneeLeft", "AnkleLeft", "FootLeft"]


class TestRelative:
    def test_equals_the_formula_written_out(self) -> None:
        x = moving(n=1).double()
        index = measure("relative", x)[0]
        ways = {child: x[0, :, child] - x[0, :, parent] for child, parent in KINECT.bones}
        size = sum(float(way.norm(dim=-1).mean()) for way in ways.values()) / 24
        for child, way in ways.items():
            expected = ((way / size).var(dim=0, correction=0) + 1e-8).sqrt()
            torch.testing.assert_close(index[child], expected)
        torch.testing.assert_close(index[KINECT.root], torch.full((3,), 1e-4, dtype=x.dtype))

    def test_a_joint_that_only_follows_its_parent_does_not_move(self) -> None:
        x = standing(9)
        walk = torch.linspace(0, 1, 9, dtype=x.dtype)[None, :, None]
        for joint in ("ElbowLeft", "WristLeft"):
            x[:, :, KINECT.index(joint), 2] += walk[..., 0]
        index = measure("relative", x)[0]
        assert index[KINECT.index("ElbowLeft"), 2] > 0.1
        assert index[KINECT.index("WristLeft"), 2] < 1e-3
        assert index[KINECT.index("HandLeft"), 2] > 0.1

    def test_a_body_without_size_does_not_move(self) -> None:
        index = measure("relative", torch.zeros(1, 5, 25, 3))
        torch.testing.assert_close(index, torch.full((1, 25, 3), 1e-4))


class TestPhysiological:
    @pytest.mark.parametrize(
        ("joint", "limb", "axis", "degrees", "normal"),
        [
            ("ShoulderLeft", ARM, "x", -120, 170.4),  # forwards
            ("ShoulderLeft", ARM, "z", -120, 170.4),  # sideways
            ("ElbowLeft", ARM[1:], "x", -100, 147.3),
            ("HipLeft", LEG, "x", -90, 132.1),
            ("KneeLeft", LEG[1:], "x", 90, 139.8),
            ("AnkleLeft", LEG[2:], "x", 30, 71.6),
            ("WristLeft", ARM[2:], "x", -40, 80),
            ("Neck", ["Head"], "x", 30, 45),
            ("SpineMid", ["SpineBase"], "x", 30, 180),  # without a normal range
        ],
    )
    def test_a_swing_is_its_share_of_the_normal_range(
        self, joint: str, limb: list[str], axis: str, degrees: float, normal: float
    ) -> None:
        x = swing(standing(21), joint, limb, axis, degrees)
        assert share(joint, x) == pytest.approx(abs(degrees) / normal, rel=1e-6)
        other = joint.replace("Left", "Right")
        if other != joint:
            assert share(other, x) == pytest.approx(0, abs=1e-9)

    def test_deviation_is_that_of_the_angle(self) -> None:
        x = swing(standing(21), "ElbowLeft", ARM[1:], "x", -100)
        angle = torch.linspace(0, 100, 21, dtype=x.dtype)
        deviation = PhysiologicalMotion(KINECT, 0)([x])[0, KINECT.index("ElbowLeft"), 1]
        assert float(deviation) == pytest.approx(float(angle.std(correction=0)) / 147.3, rel=1e-6)

    def test_ends_have_no_angle(self) -> None:
        index = measure("physiological", moving())
        for joint in ("Head", "HandTipLeft", "ThumbRight", "FootLeft", "SpineShoulder"):
            assert (index[:, KINECT.index(joint)] == 0).all()
        assert (index[:, KINECT.index("HandLeft")] > 0).all()

    def test_several_bones_count_by_their_mean(self) -> None:
        layout = Layout("fork", ("a", "b", "c", "d"), (-1, 0, 1, 1))
        x = torch.tensor([[0, 0, 0], [0, 1, 0], [0, 2, 0], [1, 1, 0]], dtype=torch.float64)
        x = x.expand(1, 2, 4, 3).clone()
        x[0, 1, 2] = torch.tensor([-1, 1, 0])  # c swings by 90 degrees, d rests
        assert share("b", x, layout) == pytest.approx(90 / 180 / 2)

    def test_a_layout_without_ranges_is_measured_against_180_degrees(self) -> None:
        layout = Layout("chain", ("a", "b", "c"), (-1, 0, 1))
        assert [(angle.joint, angle.degrees) for angle in joint_angles(layout)] == [(1, 180.0)]
        for joints in (("a",), ("a", "b")):
            tiny = Layout("tiny", joints, tuple(range(-1, len(joints) - 1)))
            index = PhysiologicalMotion(tiny, 0)([torch.randn(2, 5, len(joints), 3)])
            assert (index == 0).all()
            assert index.shape == (2, len(joints), 2)

    @pytest.mark.parametrize("layout", LAYOUTS)
    def test_layouts_have_the_same_angles_left_and_right(self, layout: str) -> None:
        skeleton = load_layout(layout)
        angles = joint_angles(skeleton)
        ranged = [a.joint for a in angles if a.degrees != 180]
        assert len(set(ranged)) == len(ranged) >= 8
        mirror = skeleton.mirror

        def mirrored(joints: tuple[int, ...]) -> tuple[int, ...]:
            return tuple(mirror[j] for j in joints)

        found = {(a.joint, a.ends, a.degrees) for a in angles}
        for angle in angles:
            assert (mirror[angle.joint], mirrored(angle.ends), angle.degrees) in found


class TestBodyAware:
    @pytest.mark.parametrize("motion", BODY_AWARE)
    def test_size_and_place_of_the_body_do_not_count(self, motion: str) -> None:
        x = moving().double()
        walk = torch.randn(2, 12, 1, 3, dtype=x.dtype)
        torch.testing.assert_close(measure(motion, 1.7 * x + walk), measure(motion, x))

    def test_angles_do_not_change_when_the_body_is_turned(self) -> None:
        x = moving().double()
        turns = torch.tensor(Rotation.random(24, random_state=0).as_matrix()).view(2, 12, 1, 3, 3)
        turned = (turns @ x[..., None])[..., 0]
        torch.testing.assert_close(measure("physiological", turned), measure("physiological", x))
        assert not torch.allclose(measure("relative", turned), measure("relative", x))

    @pytest.mark.parametrize("motion", BODY_AWARE)
    def test_padded_frames_do_not_count(self, motion: str) -> None:
        x = moving().double()
        mask = torch.ones(2, 12, dtype=torch.bool)
        mask[1, 7:] = False
        padded = x.masked_fill(~mask[:, :, None, None], 0)
        index = measure(motion, padded, mask)
        torch.testing.assert_close(index[:1], measure(motion, x[:1]))
        torch.testing.assert_close(index[1:], measure(motion, x[1:, :7]))
        nothing = measure(motion, padded, torch.zeros_like(mask))
        assert nothing.isfinite().all()

    @pytest.mark.parametrize("motion", BODY_AWARE)
    def test_gradients_are_finite_where_bones_have_no_length(self, motion: str) -> None:
        x = standing(5)
        x[:, :, KINECT.index("WristLeft")] = x[:, :, KINECT.index("ElbowLeft")]
        x.requires_grad_()
        measure(motion, x).sum().backward()
        assert x.grad is not None
        assert x.grad.isfinite().all()

    @pytest.mark.parametrize("motion", BODY_AWARE)
    def test_a_z_score_changes_nothing_once_the_scale_is_told(self, motion: str) -> None:
        x = moving(n=6)
        batch = Batch({"position": x})
        scaler = StreamScaler().fit(batch)
        index = motion_index(motion, KINECT, ["orientation", "position"])
        assert index is not None
        scaled = scaler.transform(batch).x["position"]
        inputs = [torch.randn(6, 12, 25, 4), scaled]
        plain = measure(motion, x)
        assert not torch.allclose(index(inputs), plain, rtol=0.05)
        index.set_scale(scaler)
        torch.testing.assert_close(index(inputs), plain, rtol=1e-4, atol=1e-5)
        assert {k: tuple(v.shape) for k, v in index.state_dict().items()} == {
            "unscaled.mean": (25, 3),
            "unscaled.deviation": (25, 3),
        }

    @pytest.mark.parametrize("motion", BODY_AWARE)
    def test_a_scaler_that_does_nothing_leaves_positions(self, motion: str) -> None:
        x = moving()
        index = motion_index(motion, KINECT, ["position"])
        assert index is not None
        index.set_scale(StreamScaler("none").fit(Batch({"position": x})))
        torch.testing.assert_close(index([x]), measure(motion, x))


class TestByName:
    def test_features_need_no_measure(self) -> None:
        assert motion_index("features", KINECT, ["position"]) is None

    def test_input_is_the_standard_deviation_of_all_streams(self) -> None:
        streams = [torch.randn(2, 9, 25, 3), torch.randn(2, 9, 25, 4)]
        index = motion_index("input", KINECT, ["position", "orientation"])
        assert index is not None
        assert index.channels == 7
        assert not index.state_dict()
        torch.testing.assert_close(index(streams), range_of_motion(torch.cat(streams, dim=-1)))

    @pytest.mark.parametrize("motion", ["input", *BODY_AWARE])
    def test_channels_are_those_it_gives(self, motion: str) -> None:
        index = motion_index(motion, KINECT, ["position"])
        assert index is not None
        assert index([moving()]).shape == (2, 25, index.channels)

    def test_unknown_measures_are_refused(self) -> None:
        with pytest.raises(ConfigError, match="Did you mean 'relative'"):
            motion_index("relativ", KINECT, ["position"])

    @pytest.mark.parametrize("motion", BODY_AWARE)
    def test_without_positions_there_is_nothing_to_measure(self, motion: str) -> None:
        with pytest.raises(ConfigError, match="the streams are orientation"):
            motion_index(motion, KINECT, ["orientation"])


class TestTable:
    @pytest.fixture
    def table(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        file = tmp_path / "motion" / "normal_ranges.yaml"
        file.parent.mkdir()
        monkeypatch.setattr("registry.catalogues._user_dirs", [tmp_path])
        return file

    def test_a_table_of_ones_own_is_used(self, table: Path) -> None:
        table.write_text(
            "ranges: {knee: 100}\nangles:\n- {joint: b, range: knee, between: [[b, a], [b, c]]}\n"
        )
        layout = Layout("chain", ("a", "b", "c"), (-1, 0, 1))
        assert joint_angles(layout) == [(1, (1, 0, 1, 2), 100.0)]

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            ("{joint: b, range: hip, between: [[b, a], [b, c]]}", "no range is called 'hip'"),
            ("{joint: b, range: knee, between: [b, a]}", r"angles\[0\].between\[0\] is 'b'"),
            ("{joint: b, range: none, between: [[b, a], [b, c]]}", "not above 0"),
        ],
    )
    def test_a_malformed_table_is_named(self, table: Path, row: str, message: str) -> None:
        table.write_text(f"ranges: {{knee: 100, none: 0}}\nangles:\n- {row}\n")
        with pytest.raises(ConfigError, match=message) as error:
            joint_angles(KINECT)
        assert "normal_ranges.yaml" in str(error.value)


def test_relative_motion_needs_a_bone_and_lives_without_one() -> None:
    alone = Layout("alone", ("a",), (-1,))
    index = RelativeMotion(alone, 0)([torch.randn(1, 4, 1, 3)])
    torch.testing.assert_close(index, torch.full((1, 1, 3), math.sqrt(1e-8)))

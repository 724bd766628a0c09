"""Layouts: what is shipped, what is refused, and what the real files say about joint names."""

import copy
import importlib.util
import pickle
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import registry
from registry import LAYOUTS, use_config_dir
from zoo.errors import LayoutError
from zoo.skeleton import Layout, load_layout
from zoo.skeleton.graph import hop_distance
from zoo.skeleton.kinematics import quat_rotate
from zoo.skeleton.layout import tree_levels

JOINTS = {
    "kinect-v2": 25,
    "kinect-v2-agcn": 25,
    "uiprmd-kinect": 22,
    "uiprmd-vicon": 39,
    "uiprmd-vicon-angles": 39,
    "keraal-vicon": 17,
    "coco": 17,
    "mediapipe": 33,
    "openpose-body25": 25,
    "openpose-coco18": 18,
    "halpe26": 26,
    "human36m": 17,
    "pose2sim": 21,
    "opencap": 20,
}
KINECT_BONES = [
    *[(0, 1), (1, 20), (2, 20), (3, 2), (4, 20), (5, 4), (6, 5), (7, 6), (8, 20), (9, 8)],
    *[(10, 9), (11, 10), (12, 0), (13, 12), (14, 13), (15, 14), (16, 0), (17, 16), (18, 17)],
    *[(19, 18), (21, 7), (22, 7), (23, 11), (24, 11)],
]

every_layout = pytest.mark.parametrize("name", sorted(JOINTS))


def other_side(name: str) -> str:
    """The name of the mirrored joint, by the habits of the shipped layouts."""
    for here, there in (("Left", "Right"), ("left", "right")):
        if here in name:
            return name.replace(here, there)
    return f"R{name[1:]}"


def test_all_that_is_shipped_is_tested() -> None:
    assert set(LAYOUTS.names()) == set(JOINTS)
    assert {entry.name for entry in registry.LAYOUTS.entries()} >= set(JOINTS)


@every_layout
def test_shipped_layout(name: str) -> None:
    layout = load_layout(name)
    assert layout.name == name
    assert layout.num_joints == len(layout.joints) == JOINTS[name]
    assert len(layout.bones) == JOINTS[name] - 1
    assert layout.title
    assert layout.source
    assert layout.joints[layout.index(layout.joints[-1])] == layout.joints[-1]


@every_layout
def test_pairs_mirror(name: str) -> None:
    layout = load_layout(name)
    mirror = np.array(layout.mirror)
    assert (mirror[mirror] == np.arange(layout.num_joints)).all()
    for left, right in layout.pairs:
        assert layout.joints[right] == other_side(layout.joints[left])
    for joint, parent in layout.bones:
        if mirror[joint] != joint:
            assert layout.parents[mirror[joint]] == mirror[parent]
    sided = [j for j in layout.joints if re.search("[Ll]eft|[Rr]ight", j)]
    assert all(mirror[layout.index(j)] != layout.index(j) for j in sided)


@every_layout
def test_parts_divide_the_body(name: str) -> None:
    layout = load_layout(name)
    assert set(layout.parts) == {
        *("head", "trunk", "left_arm", "right_arm", "left_leg", "right_leg")
    }
    members = sorted(joint for part in layout.parts.values() for joint in part)
    assert members == list(range(layout.num_joints))
    for limb in ("arm", "leg"):
        mirrored = {layout.mirror[j] for j in layout.parts[f"left_{limb}"]}
        assert mirrored == set(layout.parts[f"right_{limb}"])


def test_kinect_bones_are_pyskls() -> None:
    layout = load_layout("kinect-v2")
    assert list(layout.bones) == KINECT_BONES
    assert layout.center == layout.root == layout.index("SpineShoulder") == 20


def test_agcn_variant_chains_the_hand() -> None:
    plain, chained = load_layout("kinect-v2"), load_layout("kinect-v2-agcn")
    assert plain.joints == chained.joints
    assert plain.pairs == chained.pairs
    assert plain.parts == chained.parts
    assert chained.center == 20
    assert set(chained.bones) - set(plain.bones) == {(21, 22), (23, 24)}
    assert set(plain.bones) - set(chained.bones) == {(21, 7), (23, 11)}


def test_coco_bones_are_pyskls() -> None:
    layout = load_layout("coco")
    assert set(layout.bones) == {
        *[(15, 13), (13, 11), (16, 14), (14, 12), (11, 5), (12, 6), (9, 7), (7, 5)],
        *[(10, 8), (8, 6), (5, 0), (6, 0), (1, 0), (3, 1), (2, 0), (4, 2)],
    }
    assert layout.center == 0


def test_uiprmd_kinect_hangs_on_the_waist() -> None:
    layout = load_layout("uiprmd-kinect")
    assert layout.root == 0
    parents = [-1, 0, 1, 2, 3, 4, 2, 6, 7, 8, 2, 10, 11, 12, 0, 14, 15, 16, 0, 18, 19, 20]
    assert list(layout.parents) == parents


@every_layout
def test_config_round_trip(name: str) -> None:
    layout = load_layout(name)
    again = Layout.from_config(name, **layout.to_config())
    assert again == layout
    assert hash(again) == hash(layout)
    assert copy.deepcopy(layout) == layout
    assert pickle.loads(pickle.dumps(layout)) == layout
    assert load_layout(layout) is layout


@every_layout
def test_another_root_keeps_the_bones(name: str) -> None:
    layout = load_layout(name)
    bones = {frozenset(bone) for bone in layout.bones}
    for root in range(layout.num_joints):
        parents = layout.parents_from(root)
        assert tree_levels(parents)[0] == [root]
        assert {frozenset((j, p)) for j, p in enumerate(parents) if p >= 0} == bones
    assert layout.parents_from(layout.joints[layout.root]) == layout.parents


def test_levels_follow_depth() -> None:
    layout = load_layout("kinect-v2")
    depth = hop_distance(layout)[layout.root].tolist()
    levels = tree_levels(layout.parents)
    assert [sorted(level) for level in levels] == [
        [j for j in range(25) if depth[j] == d] for d in range(max(depth) + 1)
    ]


@pytest.mark.parametrize("parents", [(), (1, 0), (-1, -1), (-1, 2, 1), (-1, 7), (-1, -2)], ids=str)
def test_levels_refuse_what_is_no_tree(parents: tuple[int, ...]) -> None:
    with pytest.raises(LayoutError, match="no tree"):
        tree_levels(parents)


def small(**changes: Any) -> dict[str, Any]:
    """A correct layout of five joints, with changes."""
    config: dict[str, Any] = {
        "title": "five joints",
        "source": "this test",
        "center": "Hip",
        "joints": [
            {"name": "Hip", "parent": None},
            {"name": "KneeL", "parent": "Hip"},
            {"name": "KneeR", "parent": "Hip"},
            {"name": "FootL", "parent": "KneeL"},
            {"name": "FootR", "parent": "KneeR"},
        ],
        "pairs": [["KneeL", "KneeR"], ["FootL", "FootR"]],
        "parts": {"legs": ["KneeL", "KneeR", "FootL", "FootR"]},
    }
    return config | changes


def rows(*pairs: tuple[Any, Any]) -> list[dict[str, Any]]:
    return [{"name": name, "parent": parent} for name, parent in pairs]


def test_small_layout() -> None:
    layout = Layout.from_config("mine", **small())
    assert layout.parents == (-1, 0, 0, 1, 2)
    assert layout.mirror == (0, 2, 1, 4, 3)
    assert layout.parts == {"legs": (1, 2, 3, 4)}
    single = Layout.from_config("dot", joints=rows(("Dot", None)))
    assert (single.root, single.center, single.bones, single.mirror) == (0, 0, (), (0,))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"joints": []}, "no joints"),
        ({"joints": "Hip"}, "joints is 'Hip', expected a list"),
        ({"joints": ["Hip"]}, r"joints\[0\] is 'Hip', expected keys and values"),
        (
            {"joints": [{"name": "Hip", "parnet": None}]},
            r"joints\[0\] has no key 'parnet'.*'parent'",
        ),
        ({"joints": rows((None, None))}, r"joints\[0\].name is None, expected text"),
        ({"joints": rows(("A", None), ("B", "A"), ("B", "A"))}, "2 joints are called 'B'"),
        ({"joints": rows(("Hip", None), ("Knee", "hip"))}, "joint 'Knee'.*'hip'.*mean 'Hip'"),
        ({"joints": rows(("A", "A"))}, "joint 'A' hangs on itself: A -> A"),
        ({"joints": rows(("A", None), ("B", "C"), ("C", "B"))}, "'B' hangs on itself: B -> C -> B"),
        ({"joints": rows(("A", "C"), ("B", "A"), ("C", "B"))}, "'A' hangs on itself: A -> C -> B"),
        ({"joints": rows(("A", None), ("B", None))}, "'A', 'B' have no parent.*2 pieces"),
        ({"pairs": [["KneeL", "FootR"]]}, "'KneeL' and 'FootR' are a pair.*'Hip' and 'KneeR'"),
        ({"pairs": [["FootL", "FootR"]]}, "'FootL' and 'FootR' are a pair.*'KneeL' and 'KneeR'"),
        ({"pairs": [["Hip", "KneeR"]]}, "'Hip' and 'KneeR'.*nothing .it is the root. and 'Hip'"),
        ({"pairs": [["KneeL", "KneeR"], ["KneeL", "FootR"]]}, "'KneeL' stands twice"),
        ({"pairs": [["KneeL", "KneeL"]]}, "'KneeL' stands twice"),
        ({"pairs": [["KneeL"]]}, r"pairs\[0\] is \['KneeL'\], expected a list of 2"),
        ({"pairs": [["KneeL", "Knee"]]}, "in pairs, 'Knee' is no joint"),
        ({"pairs": None}, "pairs is None, expected a list"),
        ({"parts": {"legs": ["KneeL", "Shin"]}}, "in part 'legs', 'Shin' is no joint"),
        ({"parts": {"legs": []}}, "part 'legs' has no joints"),
        ({"parts": {"legs": ["KneeL", "KneeL"]}}, "'KneeL' stands twice in part 'legs'"),
        ({"parts": ["legs"]}, r"parts is \['legs'\], expected keys"),
        ({"center": "Pelvis"}, "the center 'Pelvis' is no joint"),
        ({"centre": "Hip"}, "has no key 'centre'.*'center'"),
    ],
)
def test_faults_are_named(changes: dict[str, Any], message: str) -> None:
    joints_only = {"pairs": [], "parts": {}, "center": None} if "joints" in changes else {}
    with pytest.raises(LayoutError, match=message) as caught:
        Layout.from_config("mine", **small(**joints_only, **changes))
    assert "layout 'mine'" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parents": (-1,)}, "1 parents for 2 joints"),
        ({"parents": (-1, 5)}, "'B': its parent is joint 5, there are 2"),
        ({"parents": (-1, -2)}, "'B': its parent is joint -2"),
        ({"center": 2}, "the center is joint 2"),
        ({"pairs": ((0, 9),)}, "one side is joint 9"),
        ({"parts": {"all": (0, 2)}}, "in part 'all', one is joint 2"),
    ],
)
def test_faults_by_number_are_named(changes: dict[str, Any], message: str) -> None:
    fields: dict[str, Any] = {"name": "mine", "joints": ("A", "B"), "parents": (-1, 0)}
    with pytest.raises(LayoutError, match=message):
        Layout(**fields | changes)


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(registry.RegistryError, match="'kinect-v2'"):
        load_layout("kinectv2")
    with pytest.raises(LayoutError, match="'SpineBase'"):
        load_layout("kinect-v2").index("Spine Base")
    with pytest.raises(LayoutError, match="the new root is joint 25"):
        load_layout("kinect-v2").parents_from(25)


@pytest.fixture
def user_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's config folder, forgotten afterwards."""
    monkeypatch.setattr("registry.catalogues._user_dirs", [])
    (tmp_path / "layout").mkdir()
    return tmp_path


def test_a_new_sensor_is_a_new_file(user_dir: Path) -> None:
    (user_dir / "layout" / "stick.yaml").write_text(
        "title: a stick\njoints:\n  - {name: low, parent: null}\n  - {name: high, parent: low}\n"
    )
    bent = "variants: {bent: {center: middle}}\n"
    (user_dir / "layout" / "kinect-v2.yaml").write_text(bent)
    use_config_dir(user_dir)
    assert load_layout("stick").bones == ((1, 0),)
    fault = r"layout/kinect-v2\.yaml: layout 'kinect-v2-bent': the center 'middle'"
    with pytest.raises(LayoutError, match=fault):
        load_layout("kinect-v2-bent")


def test_needs_no_torch() -> None:
    code = (
        "import sys; from zoo.skeleton import load_layout; load_layout('kinect-v2');"
        "assert not {'torch', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


Files = dict[str, dict[str, NDArray[np.float64]]]


@pytest.fixture(scope="module")
def vicon_m01(shared_dir: Path) -> Files:
    """Ten real squats: the angles and the marker positions of the same frames, by name."""
    spec = importlib.util.spec_from_file_location("unpack", shared_dir / "data" / "unpack.py")
    assert spec is not None
    assert spec.loader is not None
    unpack: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(unpack)
    found: Files = {}
    archives = {"angles": "uiprmd-vicon-angles", "positions": "uiprmd-vicon"}
    for kind, layout in archives.items():
        pack = unpack.load(f"uiprmd_vicon_{kind}")
        folder = f"Segmented Movements/Vicon/{kind.capitalize()}"
        keys = [f"{folder}/m01_s{s:02d}_e05_{kind}.txt" for s in range(1, 11)]
        data = np.concatenate([unpack.unshuffle(pack[k], pack[f"{k}.shape"]) for k in keys])
        data = data.reshape(len(data), 39, 3).astype(float)
        found[kind] = {name: data[:, i] for i, name in enumerate(load_layout(layout).joints)}
    return found


def test_vicon_angle_names_fit_the_files(vicon_m01: Files) -> None:
    angles, markers = vicon_m01["angles"], vicon_m01["positions"]
    for trunk in ("Head", "Neck", "Spine", "Thorax", "Pelvis"):
        left, right = angles[f"L{trunk}"], angles[f"R{trunk}"]
        np.testing.assert_allclose(left, right * [1, -1, -1], atol=0.01)
    tilt = angles["LThorax"] - angles["LPelvis"]
    assert np.median(np.abs(angles["LSpine"][:, 0] - tilt[:, 0])) < 0.5
    for side in "LR":
        elbow = angles[f"{side}Elbow"]
        assert not elbow[:, 1:].any()
        assert elbow[:, 0].min() > 5
        hip = (markers[f"{side}ASI"] + markers[f"{side}PSI"]) / 2 - [0, 0, 60]
        knee, ankle = markers[f"{side}KNE"], markers[f"{side}ANK"]
        toe, heel = markers[f"{side}TOE"], markers[f"{side}HEE"]
        flexion = between(knee - hip, ankle - knee)
        assert np.corrcoef(flexion, angles[f"{side}Knee"][:, 0])[0, 1] > 0.97
        bend = between(ankle - knee, toe - heel)
        assert np.corrcoef(bend, angles[f"{side}Ankle"][:, 0])[0, 1] > 0.95


def test_vicon_segments_are_rotation_vectors(vicon_m01: Files) -> None:
    """The long axis (z) of a segment turned by its row lies along the line between markers."""
    angles, markers = vicon_m01["angles"], vicon_m01["positions"]
    for side in "LR":
        wrist = (markers[f"{side}WRA"] + markers[f"{side}WRB"]) / 2
        lines = {
            "Tibia": markers[f"{side}KNE"] - markers[f"{side}ANK"],
            "Foot": markers[f"{side}TOE"] - markers[f"{side}HEE"],
            "UpperArm": markers[f"{side}SHO"] - markers[f"{side}ELB"],
            "Radius": markers[f"{side}ELB"] - wrist,
            "Hand": wrist - markers[f"{side}FIN"],
        }
        for segment, line in lines.items():
            turn = torch.from_numpy(np.radians(angles[f"{side}{segment}"]))
            size = turn.norm(dim=-1, keepdim=True)
            q = torch.cat([(size / 2).cos(), (size / 2).sin() * turn / size], dim=-1)
            axis = quat_rotate(q, torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)).numpy()
            off = between(axis, line)
            assert np.median(np.minimum(off, 180 - off)) < 12, (side, segment)


def between(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angle between vectors (T, 3) in degrees (T,)."""
    lengths = np.linalg.norm(u, axis=-1) * np.linalg.norm(v, axis=-1)
    angle: NDArray[np.float64] = np.degrees(np.arccos((u * v).sum(-1) / lengths))
    return angle

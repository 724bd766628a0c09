"""Two datasets as one: whose recordings they are, and which joint stands for which."""

from typing import ClassVar

import numpy as np
import pytest

from zoo.data.adapters.base import Adapter
from zoo.data.cross import CrossDataset, matching_joints
from zoo.data.dataset import prepare
from zoo.data.people import unmatched_people
from zoo.data.recording import UNKNOWN_SUBJECT, Recording
from zoo.errors import ConfigError, DataError
from zoo.skeleton.layout import Layout, load_layout


def arm(name: str, *joints: str) -> Layout:
    return Layout(name, joints, tuple(range(-1, len(joints) - 1)))


OURS = arm("ours", "SpineBase", "ShoulderLeft", "HandLeft")
THEIRS = arm("theirs", "left_hand", "LeftShoulder", "spine-base", "nose")


@pytest.mark.parametrize(
    ("other", "named", "expected"),
    [
        (OURS, {}, [0, 1, 2]),
        (THEIRS, {}, [2, 1, 0]),
        (THEIRS, {"SpineBase": "nose"}, [3, 1, 0]),
        (arm("few", "Waist", "LeftShoulder", "LeftHand"), {"SpineBase": "Waist"}, [0, 1, 2]),
    ],
)
def test_joints_are_found_by_the_words_of_their_names(other, named, expected):
    assert matching_joints(OURS, other, named) == expected


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("uiprmd-kinect", "uiprmd-vicon", []),  # forms of one dataset: names are people
        ("irds", "irds-simplified", []),
        ("kimore", "stgcn-rehab", ["kimore"]),
        ("uiprmd-vicon-angles", "rehab-pile", ["uiprmd"]),
        ("rehab-pile", "keraal-vicon", ["keraal"]),
        ("kimore", "uiprmd-kinect", []),
        ("nobody-has-this", "kimore", []),
    ],
)
def test_people_who_cannot_be_matched_are_known_by_their_datasets(one, other, shared):
    assert unmatched_people(one, other) == unmatched_people(other, one) == shared


def test_every_layout_of_one_sensor_matches_itself():
    agcn = load_layout("kinect-v2-agcn")
    assert matching_joints(load_layout("kinect-v2"), agcn, {}) == list(range(25))
    coco, mediapipe = load_layout("coco"), load_layout("mediapipe")
    found = matching_joints(coco, mediapipe, {})
    assert [mediapipe.joints[j] for j in found] == list(coco.joints)


def test_joints_without_a_counterpart_are_named():
    few = arm("few", "Waist", "LeftHand")
    with pytest.raises(DataError, match=r"few has no joints called SpineBase, ShoulderLeft.*Waist"):
        matching_joints(OURS, few, {})
    with pytest.raises(ConfigError, match="few has no joint 'Waste'. Did you mean 'Waist'"):
        matching_joints(OURS, few, {"SpineBase": "Waste"})
    with pytest.raises(ConfigError, match="ours has no joint 'Spine'"):
        matching_joints(OURS, few, {"Spine": "Waist"})


class Fixed(Adapter):
    """Gives recordings that are already there."""

    needs_source = False
    fps = 30.0
    exercises: ClassVar = {"5": "squat"}

    def __init__(self, name, recordings, score_range=(0.0, 50.0)):
        self.name, self.recordings = name, recordings
        self.layout = recordings[0].layout
        self.score_range, self.params = score_range, {}

    def read(self, source, report, progress):
        yield from self.recordings


def recordings(layout: Layout, subjects, orientations=True):
    generator = np.random.default_rng(len(layout.joints))
    made = []
    for subject in subjects:
        x = generator.normal(size=(12, layout.num_joints, 3)).astype(np.float32)
        q = generator.normal(size=(12, layout.num_joints, 4)).astype(np.float32)
        q /= np.linalg.norm(q, axis=-1, keepdims=True)
        made.append(
            Recording(
                f"{subject}/5", subject, "g", "5", "1", layout.name, 30.0, x,
                q if orientations else None, scores={"total": 30.0},
            )
        )  # fmt: skip
    return made


@pytest.fixture
def datasets(tmp_path, monkeypatch):
    layouts = {layout.name: layout for layout in (OURS, THEIRS)}
    for module in ("zoo.data.cross", "zoo.data.dataset", "zoo.data.checks.body"):
        monkeypatch.setattr(f"{module}.load_layout", layouts.__getitem__)

    def make(name, layout, subjects, **options):
        adapter = Fixed(name, recordings(layout, subjects), **options)
        return prepare(adapter, None, tmp_path)

    return make


def test_recordings_of_both_in_our_joints(datasets):
    ours = datasets("a", OURS, ["P1", "P2"])
    theirs = datasets("b", THEIRS, ["P2", UNKNOWN_SUBJECT])
    both = CrossDataset(ours, theirs)
    found = list(both)
    assert len(both) == len(found) == 4
    assert (both.name, both.layout) == ("a+b", "ours")
    assert [r.id for r in found] == ["P1/5", "P2/5", "b:P2/5", "b:unknown/5"]
    assert [i.id for i in both.index] == [r.id for r in found]
    assert [r.subject for r in found] == ["P1", "P2", "P2", UNKNOWN_SUBJECT]
    assert {r.layout for r in found} == {"ours"}
    np.testing.assert_array_equal(found[2].positions, theirs[0].positions[:, [2, 1, 0]])
    assert found[2].orientations is None  # other names: perhaps another sensor's frames
    assert found[0].orientations is not None
    assert both.fingerprint not in (ours.fingerprint, theirs.fingerprint)
    assert both.fingerprint == CrossDataset(ours, theirs).fingerprint
    assert (
        both.fingerprint
        != CrossDataset(theirs.select(), ours, joints={"nose": "SpineBase"}).fingerprint
    )


def test_people_of_one_name_can_be_two(datasets):
    both = CrossDataset(
        datasets("a", OURS, ["P1"]), datasets("b", OURS, ["P1", UNKNOWN_SUBJECT]), people="apart"
    )
    assert [i.subject for i in both.index] == ["P1", "b:P1", UNKNOWN_SUBJECT]
    assert list(both)[1].orientations is not None


def test_what_cannot_be_compared_is_refused(datasets):
    ours = datasets("a", OURS, ["P1"])
    with pytest.raises(ConfigError, match="a would be trained on and tested on"):
        CrossDataset(ours, ours)
    other = datasets("b", OURS, ["P1"], score_range=(0.0, 1.0))
    with pytest.raises(DataError, match="scores of a go from 0 to 50, those of b from 0 to 1"):
        CrossDataset(ours, other)


def test_people_whose_names_cannot_be_matched(datasets):
    ours, theirs = datasets("kimore", OURS, ["P1"]), datasets("rehab-pile", OURS, ["fold0"])
    with pytest.raises(DataError, match="both hold people of kimore"):
        CrossDataset(ours, theirs)
    assert len(CrossDataset(ours, theirs, people="apart")) == 2
    assert len(CrossDataset(ours, datasets("kimore_again", OURS, ["P1"]))) == 2

"""What the page is told of a run, and which runs are refused and why."""

import re
from collections.abc import Callable
from dataclasses import replace
from importlib import resources

import pytest

from zoo.app.manifest import TRANSFORMS, manifest
from zoo.data.readers.units import TURNS
from zoo.data.transforms.steps import parse_steps
from zoo.errors import ConfigError
from zoo.prediction import Predictor
from zoo.runs.run import Run
from zoo.skeleton.layout import load_layout


@pytest.fixture(scope="module")
def camera(camera_run: Run) -> Predictor:
    return Predictor.open(camera_run, device="cpu")


@pytest.fixture(scope="module")
def kinect(train: Callable[..., Run]) -> Predictor:
    return Predictor.open(train("synthetic", model="tcn"), device="cpu")


def test_joints_are_made_of_landmarks_as_the_reader_makes_them(camera: Predictor) -> None:
    told = manifest(camera, "full")
    kinect, media = load_layout("kinect-v2"), load_layout("mediapipe")
    mapping = dict(zip(kinect.joints, told["mapping"]["joints"], strict=True))
    assert mapping["WristLeft"] == [[media.index("left_wrist"), 1.0]]
    assert mapping["SpineBase"] == [[23, 0.5], [24, 0.5]]
    assert sum(weight for _, weight in mapping["Neck"]) == 1
    assert told["mapping"]["turn"] == [list(row) for row in TURNS["-y"]]


def test_a_run_on_a_cameras_skeletons_says_so(camera: Predictor) -> None:
    told = manifest(camera, "full")
    assert told["careful"] == []
    assert any("as a single camera gives them" in sentence for sentence in told["told"])
    assert any("only as good as the skeleton" in sentence for sentence in told["told"])


def test_a_run_on_a_kinects_is_not_to_be_used_as_it_stands(kinect: Predictor) -> None:
    told = manifest(kinect, "full")
    assert "do not use the score" in told["careful"][0]
    assert told["interval"] is None
    assert any("No interval: none holds" in sentence for sentence in told["told"])


def test_too_few_people_give_no_interval(camera: Predictor) -> None:
    told = manifest(camera, "full")
    assert told["interval"] is None
    assert any("needs at least 9 validation people" in sentence for sentence in told["told"])
    (two_thirds,) = [manifest(replace(camera, level=0.5), "full")["interval"]]
    assert two_thirds["factor"] > 0
    assert two_thirds["scaled"] is False


def test_a_leak_is_told(train: Callable[..., Run]) -> None:
    leaky = train(protocol="random-kfold")
    told = manifest(Predictor.open(leaky, device="cpu", level=0.5), "full")
    assert told["interval"] is None
    assert told["careful"][0].startswith("the run's protocol leaks")
    assert any("No interval: the run's protocol leaks" in sentence for sentence in told["told"])


def test_every_transform_of_the_built_in_protocols_is_there(camera: Predictor) -> None:
    assert [step["name"] for step in manifest(camera, "full")["steps"]] == [
        "repair-jumps", "face-camera", "center",
    ]  # fmt: skip


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_transform_that_the_page_names_is_the_zoos(name: str, camera: Predictor) -> None:
    protocol = replace(camera.protocol, transforms=parse_steps([name]))
    (step,) = manifest(replace(camera, protocol=protocol), "full")["steps"]
    assert step["name"] == name


def test_another_transform_is_refused(camera: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.app.manifest.TRANSFORMS", ("center",))
    with pytest.raises(ConfigError, match="by repair-jumps and face-camera, which the page cannot"):
        manifest(camera, "full")


def test_the_page_has_the_transforms_that_are_let_through() -> None:
    code = (resources.files("zoo.app") / "page" / "transforms.js").read_text(encoding="utf-8")
    listed = code.partition("export const TRANSFORMS = {")[2].partition("};")[0]
    assert re.findall(r'^  "([a-z-]+)":', listed, re.MULTILINE) == list(TRANSFORMS)


def test_orientations_are_refused(train: Callable[..., Run]) -> None:
    run = train("synthetic", **{"model.streams": ["orientation"]})
    with pytest.raises(ConfigError, match="camera gives positions of joints and nothing else"):
        manifest(Predictor.open(run, device="cpu"), "full")


def test_a_model_that_measures_in_python_is_refused(train: Callable[..., Run]) -> None:
    run = train("synthetic-camera", model="features-ridge")
    with pytest.raises(ConfigError, match="what its own code measures in Python"):
        manifest(Predictor.open(run, device="cpu"), "full")


def test_a_layout_without_hands_is_made_where_it_can_be(camera: Predictor) -> None:
    trained = replace(camera.trained, layout="uiprmd-vicon")
    with pytest.raises(ConfigError, match="cannot be made of MediaPipe's"):
        manifest(replace(camera, trained=trained), "full")

"""`zoo.explain.occlusion`: exact on a line, for any model."""

import numpy as np
import pytest

import zoo
from zoo.errors import ConfigError
from zoo.explain.occlusion import occlusion
from zoo.explain.sample import samples_of
from zoo.prediction import Predictor
from zoo.skeleton import load_layout


def test_hidden_joints_of_a_line(linear) -> None:
    sample, exact = linear
    found = occlusion(sample, of="joints")
    np.testing.assert_allclose(found.by_joint(), exact.sum(0), atol=1e-4)
    # Nothing is known of when: all frames get the same.
    assert np.ptp(found.joint_time, axis=0).max() < 1e-12


def test_hidden_parts_of_a_line(linear) -> None:
    sample, exact = linear
    found = occlusion(sample)
    for part, members in load_layout("kinect-v2").parts.items():
        joints = found.by_joint()[list(members)]
        assert joints.sum() == pytest.approx(float(exact[:, members].sum()), abs=1e-4), part
        assert np.ptp(joints) < 1e-12


def test_a_model_that_takes_what_was_recorded(trained, tmp_path) -> None:
    run = zoo.train("features-ridge", "kimore", runs=tmp_path, data_root=trained.data_root)
    predictor = Predictor.open(run, data_root=trained.data_root)
    name = run.split["test"]["recordings"][0]
    sample = samples_of(predictor, name)[0]
    assert sample.num_frames == sample.recording.num_frames
    found = occlusion(sample, of="joints")
    assert found.score == pytest.approx(predictor.score(name)[0].score, abs=1e-4)
    assert np.abs(found.joint_time).max() > 0
    assert "own mean pose" in found.note
    with pytest.raises(ConfigError, match="use the baseline `still`"):
        occlusion(sample, baseline="training")


def test_the_sample_is_left_alone(linear) -> None:
    sample, _ = linear
    before = sample.batch.x["position"].clone()
    occlusion(sample)
    assert (sample.batch.x["position"] == before).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"of": "joint"}, "joints"),
        ({"baseline": "stil"}, "still"),
    ],
)
def test_refuses(linear, settings, message) -> None:
    with pytest.raises(ConfigError, match=message):
        occlusion(linear[0], **settings)

"""`zoo.explain.sample`: what an attribution starts from is what `zoo predict` scores."""

import numpy as np
import pytest
import torch

from registry import ATTRIBUTIONS, RegistryError
from zoo.errors import ConfigError, DataError
from zoo.explain.methods import attribute
from zoo.explain.sample import samples_of
from zoo.prediction import Predictor


def opened(trained, name: str) -> Predictor:
    return Predictor.open(trained.run(name), data_root=trained.data_root)


@pytest.mark.parametrize("name", ["mean", "d2sta", "stgcn"])
def test_samples_are_what_is_scored(trained, name) -> None:
    predictor = opened(trained, name)
    recording = trained.unseen(name)
    samples, scored = samples_of(predictor, recording), predictor.score(recording)[0]
    assert [s.frames for s in samples] == [(p.start, p.stop) for p in scored.segments]
    assert [s.number for s in samples] == list(range(len(samples)))
    for sample, segment in zip(samples, scored.segments, strict=True):
        assert sample.score == pytest.approx(segment.score, abs=1e-4)
        assert sample.motion.shape == (16, 25, 3)
        assert sample.batch.size == 1


def test_files_ids_and_recordings_are_the_same(trained) -> None:
    predictor = opened(trained, "d2sta")
    name = trained.unseen("d2sta")
    by_id = samples_of(predictor, name)[0]
    by_file = samples_of(predictor, trained.files(name)[0])[0]
    by_recording = samples_of(predictor, by_id.recording)[0]
    assert by_id.score == pytest.approx(by_file.score, abs=1e-4)
    assert by_id.score == by_recording.score


def test_an_unknown_recording(trained) -> None:
    with pytest.raises(DataError, match="no recording of this id"):
        samples_of(opened(trained, "d2sta"), "E_ID1/Es9")


def test_baselines(trained) -> None:
    sample = samples_of(opened(trained, "d2sta"), trained.unseen("d2sta"))[0]
    training, words = sample.baseline()
    assert all((x == 0).all() for x in training.x.values())
    assert "training" in words
    still, words = sample.baseline("still")
    for name, x in still.x.items():
        assert torch.allclose(x[0, 3], sample.batch.x[name][0].mean(0), atol=1e-6)
        assert (x == x[:, :1]).all()
    assert "own" in words
    with pytest.raises(ConfigError, match="training"):
        sample.baseline("trainin")


def test_every_method_gives_the_same_form(trained) -> None:
    sample = samples_of(opened(trained, "d2sta"), trained.unseen("d2sta"))[0]
    # Edges are slow here (test_edges.py), descriptors are of other models (test_descriptors.py).
    for method in set(ATTRIBUTIONS.names()) - {"edges", "descriptors"}:
        found = attribute(sample, method)
        assert found.method == method
        assert found.joint_time.shape == (16, 25)
        assert np.isfinite(found.joint_time).all()
        assert found.score == sample.score
        assert found.parts == sample.layout.parts
        assert found.note
    with pytest.raises(RegistryError, match="Did you mean 'edges'"):
        attribute(sample, "edge")

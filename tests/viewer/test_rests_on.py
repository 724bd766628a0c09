"""What moved the score adds up over the recording, whole or cut."""

from typing import Any

import numpy as np
import pytest

from registry import RegistryError
from zoo.explain.words import CAUTION
from zoo.prediction import Predictor
from zoo.viewer.rests_on import rests_on


def test_contributions_add_up_to_the_difference(predictor: Any, tested: list[str]) -> None:
    (recording,) = predictor.recordings(tested[0])
    found = rests_on(predictor, recording)
    seconds = (recording.num_frames - 1) / recording.fps
    assert (found.seconds[0], found.seconds[-1]) == (0.0, seconds)
    assert found.signed
    assert not found.steady
    from zoo.explain.sample import samples_of

    (sample,) = samples_of(predictor, recording)
    difference = sample.score - float(sample.scores(sample.baseline()[0])[0])
    assert found.by_joint.sum() == pytest.approx(difference, abs=0.1)
    # Rates are points a second: over the time they come to the same.
    over_time = np.trapezoid(found.rates.sum(axis=1), found.seconds)
    assert over_time == pytest.approx(difference, abs=0.15 * abs(difference) + 0.2)
    assert found.sentences[-1] == CAUTION
    assert any("chance 0.23" in sentence for sentence in found.sentences)


def test_a_model_without_gradient_is_occluded(
    train: Any, data_root: Any, tested: list[str]
) -> None:
    predictor = Predictor.open(train("features-ridge"), data_root=data_root)
    (recording,) = predictor.recordings(tested[0])
    found = rests_on(predictor, recording)
    assert any("cclusion" in sentence for sentence in found.sentences)


def test_windows_are_brought_together(train: Any, data_root: Any, tested: list[str]) -> None:
    cut = {"protocol.sampling.kind": "pieces", "protocol.sampling.pieces": 3}
    tiny = {"model.channels": [8, 8], "model.strides": [1, 2]}
    predictor = Predictor.open(train("stgcn-small", **cut, **tiny), data_root=data_root)
    (recording,) = predictor.recordings(tested[0])
    found = rests_on(predictor, recording)
    assert found.sentences[0].startswith("From ")
    assert (np.abs(found.rates).sum(axis=1) > 0).mean() > 0.9  # every third has its own


def test_an_unknown_method_is_refused(predictor: Any, tested: list[str]) -> None:
    (recording,) = predictor.recordings(tested[0])
    with pytest.raises(RegistryError, match="gradients"):
        rests_on(predictor, recording, "gradient")

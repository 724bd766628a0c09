"""The score so far is what the model says of a beginning, and the last one is the score."""

from dataclasses import replace
from typing import Any

import pytest

from zoo.viewer.so_far import MOST, scores_so_far


def test_it_is_the_score_of_each_beginning(predictor: Any, tested: list[str]) -> None:
    (recording,) = predictor.recordings(tested[0])
    found = scores_so_far(predictor, recording)
    assert found.why_not == ""
    assert 2 < len(found.scores) == len(found.seconds) <= MOST
    assert found.seconds[0] == pytest.approx(2.0, abs=0.05)
    assert found.seconds[-1] == recording.num_frames / recording.fps
    (whole,) = predictor.score(tested[0])
    assert found.scores[-1] == pytest.approx(whole.score, abs=1e-4)
    at = len(found.scores) // 2
    stop = round(found.seconds[at] * recording.fps)
    cut = replace(
        recording,
        positions=recording.positions[:stop],
        orientations=recording.orientations[:stop],
        tracked=None if recording.tracked is None else recording.tracked[:stop],
        timestamps=None if recording.timestamps is None else recording.timestamps[:stop],
    )
    assert found.scores[at] == pytest.approx(predictor.score_recording(cut).score, abs=1e-4)


def test_what_cannot_be_scored_says_why(predictor: Any, tested: list[str]) -> None:
    (recording,) = predictor.recordings(tested[0])
    found = scores_so_far(predictor, replace(recording, positions=None))
    assert found.scores == ()
    assert found.why_not.startswith("Beginnings of this recording cannot be scored: ")

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.data.recording import Recording
from zoo.data.segment import Sampling, equal_pieces, segments, whole, windows
from zoo.errors import ConfigError, DataError


def recording(frames: int) -> Recording:
    positions = np.zeros((frames, 2, 3), dtype=np.float32)
    return Recording("A/1", "A", "g", "1", "1", "two", 30.0, positions)


@given(frames=st.integers(1, 400), pieces=st.integers(1, 40))
def test_equal_pieces_cut_as_numpy_does(frames, pieces):
    if frames < pieces:
        with pytest.raises(DataError, match=f"{frames} frames cannot be cut into {pieces}"):
            equal_pieces(frames, pieces)
        return
    parts = np.array_split(np.arange(frames), pieces)
    assert equal_pieces(frames, pieces) == [(int(p[0]), int(p[-1]) + 1) for p in parts]


@given(frames=st.integers(1, 400), length=st.integers(1, 120), stride=st.integers(1, 120))
def test_windows_have_their_length_and_see_the_last_frame(frames, length, stride):
    found = windows(frames, length, stride)
    assert found[0][0] == 0
    assert found[-1][1] == frames
    assert all(b - a == min(length, frames) for a, b in found)
    starts = [a for a, _ in found]
    assert starts == sorted(set(starts))
    assert all(step == stride for step in np.diff(starts)[:-1])
    if stride <= length:
        assert set().union(*(range(a, b) for a, b in found)) == set(range(frames))


def test_windows_lie_side_by_side_without_a_stride():
    assert windows(10, 5) == [(0, 5), (5, 10)]
    assert windows(12, 5) == [(0, 5), (5, 10), (7, 12)]


def test_segments_follow_the_kind():
    ten = recording(10)
    assert segments(ten, Sampling()) == whole(10) == [(0, 10)]
    assert segments(ten, Sampling("pieces", pieces=3)) == [(0, 4), (4, 7), (7, 10)]
    assert segments(ten, Sampling("windows", length=4, stride=3)) == [(0, 4), (3, 7), (6, 10)]
    assert segments(ten, Sampling("repetitions")) == [(0, 10)]  # nothing moves


def test_windows_in_seconds_are_as_long_at_any_rate():
    two = Sampling("windows", seconds=2.0, every=1.0)
    assert segments(recording(150), two) == [(0, 60), (30, 90), (60, 120), (90, 150)]
    slow = replace(recording(50), fps=10.0)
    assert segments(slow, two) == [(0, 20), (10, 30), (20, 40), (30, 50)]
    assert segments(slow, Sampling("windows", seconds=2.5)) == [(0, 25), (25, 50)]


def test_a_configuration_writes_no_more_than_it_must():
    assert Sampling("repetitions").to_config() == "repetitions"
    assert Sampling("windows", seconds=2.0).to_config() == {"kind": "windows", "seconds": 2.0}


def test_too_short_a_recording_is_named():
    with pytest.raises(DataError, match="recording A/1: 4 frames cannot be cut into 10 pieces"):
        segments(recording(4), Sampling("pieces", pieces=10))
    with pytest.raises(DataError, match="without a frame"):
        whole(0)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"kind": "piece"}, "sampling.kind is 'piece'"),
        ({"kind": "pieces"}, "needs sampling.pieces"),
        ({"kind": "windows", "stride": 3}, "needs sampling.length"),
        ({"kind": "recording", "pieces": 3}, "no meaning"),
        ({"kind": "pieces", "pieces": 0}, "above 0"),
        ({"kind": "pieces", "pieces": 2.5}, "above 0"),
        ({"kind": "windows", "length": True}, "above 0"),
        ({"kind": "windows", "seconds": 0.0}, "seconds above 0"),
        ({"kind": "windows", "seconds": 2.0, "length": 60}, "no meaning beside sampling.seconds"),
        ({"kind": "windows", "length": 60, "every": 2.0}, "every has no meaning"),
        ({"kind": "repetitions", "seconds": 2.0}, "no meaning"),
    ],
)
def test_impossible_sampling_is_refused(config, message):
    with pytest.raises(ConfigError, match=message):
        Sampling(**config)


def test_to_dict_keeps_what_means_something():
    assert Sampling("pieces", pieces=10).to_dict() == {"kind": "pieces", "pieces": 10}
    assert Sampling().to_dict() == {"kind": "recording"}

"""A recording that goes on: its scores, its repetitions, what becomes of bad frames."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from zoo.data.batch import Batch
from zoo.data.recording import Recording
from zoo.data.repetition import find_repetitions
from zoo.errors import ConfigError, DataError
from zoo.live import Stream, Update
from zoo.live.frames import Frames
from zoo.live.pipeline import Center, Clock, Face, Repair, Scaled
from zoo.live.repetitions import RepetitionFinder
from zoo.loaded_model import LoadedModel
from zoo.nn.streaming import StreamingStep
from zoo.skeleton import load_layout

pytestmark = pytest.mark.usefixtures("one_thread")
LAYOUT = load_layout("kinect-v2")


def pushed(stream: Stream, recording: Recording, stop: int | None = None) -> list[Update]:
    assert recording.positions is not None
    return [
        stream.push(x, t / recording.fps)
        for t, x in enumerate(recording.positions[:stop].astype(float))
    ]


def test_the_end_is_what_the_file_would_get(
    causal: LoadedModel, whole: LoadedModel, recording: Recording
) -> None:
    for model in (causal, whole):
        stream = Stream(model)
        pushed(stream, recording)
        expected = model.predict(recording)
        assert stream.finish().score == expected.score
        assert stream.finish().interval == model.predict(stream.recording).interval


def test_whole_recordings_are_scored_again_at_an_interval(
    whole: LoadedModel, recording: Recording
) -> None:
    stream = Stream(whole, every=2.0, repetitions=False)
    assert stream.how.startswith("all frames so far again every 2 s: the network was not trained")
    updates = pushed(stream, recording, 200)
    fresh = [u.time for u in updates if u.fresh]
    assert fresh == pytest.approx([2.0, 4.0, 6.0], abs=0.05)
    assert all(u.score is None for u in updates if u.time < 1.99)
    at = next(i for i, u in enumerate(updates) if u.time >= 4)
    so_far = replace(
        recording, positions=recording.positions[: at + 1], orientations=None, tracked=None
    )
    assert updates[at].score == whole.predict(so_far).score


def test_frame_by_frame_is_the_network_on_the_clip_so_far(
    causal: LoadedModel, recording: Recording
) -> None:
    stream = Stream(causal, repetitions=False)
    assert stream.how == "frame by frame at 10 a second"
    last = pushed(stream, recording)[-1]
    # The same frames, prepared looking back, through the network as a clip.
    clock = Clock(10.0)
    steps = [Repair(LAYOUT, 10.0, 6.0, 1.0, 0.5), Face(LAYOUT), Center(LAYOUT, "frame")]
    scaled = Scaled(("position",), causal.stream_scaler, LAYOUT, 10.0)
    frames = []
    for t, x in enumerate(recording.positions.astype(float)):
        for due in clock({"position": x}, t / recording.fps):
            for step in steps:
                due = step(due)
            frames.append(scaled(due))
    clip = {"position": torch.stack(frames, dim=1)}
    expected = causal.predictor.trained.score_scaled(Batch(clip))
    assert last.score == pytest.approx(float(expected[0]), abs=1e-4)
    assert last.score == pytest.approx(causal.predict(recording).score, abs=0.5)


def test_windows_are_scored_when_they_are_whole(
    trained_on_simulator: Callable[..., LoadedModel], recording: Recording
) -> None:
    sampling = {"kind": "windows", "seconds": 4.0, "every": 2.0}
    model = trained_on_simulator(model__causal=True, trainer__rate=10.0, trainer__sampling=sampling)
    stream = Stream(model, repetitions=False)
    assert "in windows of 4 s as in training" in stream.how
    fresh = [u.time for u in pushed(stream, recording, 260) if u.fresh]
    assert fresh == pytest.approx([3.9, 5.9, 7.9], abs=0.1)


def test_what_only_a_whole_recording_has_is_scored_again(
    trained_on_simulator: Callable[..., LoadedModel],
) -> None:
    model = trained_on_simulator(model__causal=True)
    assert "brought to 100 frames, whatever their length" in Stream(model).how
    smoothed = trained_on_simulator(
        model__causal=True, trainer__rate=10.0, protocol__transforms=["smooth", "center"]
    )
    assert "the transform smooth needs the whole recording" in Stream(smoothed).how


def test_bad_frames_are_told_and_survived(whole: LoadedModel, recording: Recording) -> None:
    stream = Stream(whole, repetitions=False)
    x = recording.positions.astype(float)
    nan, some = np.full((25, 3), np.nan), x[3].copy()
    some[7] = np.nan
    said: list[tuple[Any, Any, str]] = [
        (x[0], 0.0, ""),
        (x[1][:24], 0.03, "frame 2: found position of the shape (24, 3), expected (25, 3)"),
        (nan, 0.06, "frame 3: found no numbers for SpineBase"),
        (x[1], 0.1, ""),
        (x[2], 0.05, "frame 5: found 0.050 s after 0.100 s, expected a later time"),
        (x[2], float("nan"), "frame 6: found the time nan"),
        (some, 0.2, f"frame 7: no numbers for {LAYOUT.joints[7]}, held where they were"),
        (x[4], 3.0, "frame 8: 2.80 s without a frame before it"),
        ("nonsense", 3.1, "frame 9: found position of the shape (0,)"),
        ({"positoin": x[5]}, 3.2, "frame 10: "),
    ]
    for frame, time, note in said:
        update = stream.push(frame, time)
        assert any(n.startswith(note) for n in update.notes) if note else not update.notes
    assert stream.recording.num_frames == round(3.0 * stream._frames.rate) + 1
    assert np.isfinite(stream.recording.positions).all()


def test_frames_without_times_need_a_rate(whole: LoadedModel, recording: Recording) -> None:
    with pytest.raises(DataError, match="frames come without times"):
        Stream(whole).push(recording.positions[0])
    stream = Stream(whole, fps=30)
    for x in recording.positions[:70]:
        update = stream.push(x)
    assert update.time == pytest.approx(69 / 30)
    with pytest.raises(ConfigError, match="fps is 0"):
        Stream(whole, fps=0)


def test_joints_may_come_by_name_in_any_order(whole: LoadedModel, recording: Recording) -> None:
    named = dict(zip(LAYOUT.joints, recording.positions[0].tolist(), strict=True))
    backwards = dict(reversed(named.items()))
    frames = Frames(LAYOUT, ("position",), 30)
    assert np.allclose(frames.add(backwards)["position"], recording.positions[0])


def test_repetitions_are_told_as_they_end(whole: LoadedModel, recording: Recording) -> None:
    stream = Stream(whole)
    told = [(u.time, r) for u in pushed(stream, recording) for r in u.repetitions]
    ended = [r for _, r in told] + list(stream.end())
    offline = find_repetitions(recording)
    assert len(told) >= 2
    assert abs(len(ended) - len(offline)) <= 2
    assert [r.number for r in ended] == list(range(1, len(ended) + 1))
    for time, r in told:
        assert r.seconds[1] < time <= recording.num_frames / recording.fps
        assert r.score is not None
        cut = stream._frames.recording(r.start, r.stop)
        assert r.score == whole.predict(cut).score
    assert all(a.stop <= b.start for a, b in pairwise(ended))


def test_no_repetition_is_told_twice() -> None:
    t = np.arange(900) / 30
    frames, finder = Frames(LAYOUT, ("position",), 30), RepetitionFinder()
    rest = np.random.default_rng(0).normal(size=(25, 3))
    way = np.random.default_rng(1).normal(size=(25, 3))
    found = []
    for at in t:
        frames.add(rest + 0.3 * way * (1 - np.cos(2 * np.pi * at / 3)))
        found += finder.look(frames)
    lengths = np.diff(found, axis=1)[:, 0]
    assert len(found) >= 8
    assert np.median(lengths) == pytest.approx(90, abs=4)


def test_a_jump_is_held_until_the_body_is_back() -> None:
    repair = Repair(LAYOUT, 30.0, 6.0, 1.0, 0.5)
    body = np.random.default_rng(0).normal(size=(25, 3)) * 0.3
    for _ in range(40):
        good = repair({"position": body})
    away = repair({"position": body + 5.0})
    assert np.array_equal(away["position"], good["position"])
    back = repair({"position": body + 0.01})
    assert np.allclose(back["position"], body + 0.01)
    for _ in range(60):
        moved = repair({"position": body + 5.0})
    assert np.allclose(moved["position"], body + 5.0)  # it stayed longer than it was here


def test_even_times_are_the_frames_themselves_where_the_rate_is_theirs() -> None:
    clock, frames = Clock(30.0), np.random.default_rng(0).normal(size=(50, 25, 3))
    out = [f for t, x in enumerate(frames) for f in clock({"position": x}, t / 30)]
    assert np.allclose([f["position"] for f in out], frames, atol=1e-6)
    slower = Clock(10.0)
    out = [f for t, x in enumerate(frames) for f in slower({"position": x}, t / 30)]
    assert np.allclose([f["position"] for f in out], frames[::3], atol=1e-6)


def test_motion_is_a_frame_late_and_the_same(
    trained_on_simulator: Callable[..., LoadedModel], recording: Recording
) -> None:
    model = trained_on_simulator(
        model__causal=True, trainer__rate=10.0, model__streams=["position", "joint_motion"]
    )
    last = pushed(Stream(model, repetitions=False), recording)[-1]
    assert last.score == pytest.approx(model.predict(recording).score, abs=0.5)


def test_a_step_takes_what_was_loaded(causal: LoadedModel) -> None:
    assert StreamingStep(causal.module).rate == 2

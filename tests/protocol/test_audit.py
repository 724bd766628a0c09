"""What a protocol does to a dataset, in counts and a verdict."""

import json
from dataclasses import dataclass, field

import numpy as np
import pytest

from zoo.data.dataset import RecordingInfo
from zoo.data.recording import UNKNOWN_SUBJECT, Recording
from zoo.errors import DataError
from zoo.protocol.audit import audit
from zoo.protocol.protocol import load_protocol


@dataclass
class Data:
    """Recordings in memory that look like a dataset."""

    recordings: list[Recording]
    index: list[RecordingInfo] = field(init=False)

    def __post_init__(self):
        self.index = [
            RecordingInfo(
                r.id, r.subject, r.group, r.exercise, r.session, r.num_frames, r.fps,
                tuple(a for a in ("positions", "orientations") if getattr(r, a) is not None),
                scores=r.scores, extra=r.extra,
            )
            for r in self.recordings
        ]  # fmt: skip

    def __iter__(self):
        return iter(self.recordings)


def recording(i: int, **changes) -> Recording:
    x = np.random.default_rng(i).normal(size=(60, 25, 3)).astype(np.float32)
    values = {
        "id": f"P{i:02}/5", "subject": f"P{i:02}", "group": f"g{i % 2}", "exercise": "5",
        "session": "1", "layout": "kinect-v2", "fps": 30.0, "positions": x,
        "scores": {"total": 20.0 + i},
    }  # fmt: skip
    return Recording(**{**values, **changes})


def data(people: int = 12, *more: Recording) -> Data:
    return Data([*(recording(i) for i in range(people)), *more])


def test_an_honest_protocol_is_honest():
    found = audit(load_protocol("person-kfold"), data())
    assert len(found.folds) == 5
    assert found.total("test_samples") == 12
    assert sum(fold.persons["test"] for fold in found.folds) == 12
    assert [sum(fold.samples.values()) for fold in found.folds] == [12] * 5
    assert not found.leaks
    assert found.keeps_promise
    assert found.verdict == "Honest: nobody who is tested was seen before, in 5 folds."


def test_folds_are_counted_by_the_people():
    unscored = recording(12, scores={})
    assert len(audit(load_protocol("leave-one-person-out"), data(12, unscored)).folds) == 12


def test_a_leaky_protocol_says_how_much():
    found = audit(load_protocol("d2sta-paper"), data(20))
    assert found.keeps_promise
    assert found.leaks
    assert found.verdict == (
        "Leaks, as it says: in the only fold, of 20 test samples 20 have a sibling of the same "
        "recording and 20 one of the same person in training or validation."
    )
    written = json.loads(json.dumps(found.to_dict()))
    assert written["samples_with_sibling"] == written["samples_with_person"] == 20
    assert written["folds"][0]["leakage"]["test_samples"] == 20
    assert written["scaler_sees_test"] is False
    assert audit(load_protocol("stgcn-rehab"), data()).to_dict()["scaler_sees_test"] is True


def test_one_sample_a_person_cannot_leak_by_chance():
    found = audit(load_protocol("uiprmd-d2sta"), data(20))
    assert not found.leaks
    assert found.verdict.startswith("Clean on these data, though the protocol is marked leaky")


def test_a_broken_promise_is_told_with_names():
    copy = recording(12, positions=recording(3).positions)
    found = audit(load_protocol("leave-one-person-out"), data(12, copy))
    assert not found.keeps_promise
    assert found.near_duplicates() == [
        "P03/5 is like P12/5: 60 of 60 frames are equal",
        "P12/5 is like P03/5: 60 of 60 frames are equal",
    ]
    assert found.verdict.startswith(
        "Not honest: the protocol promises that nobody is tested who was trained on, but in fold 3 "
        "1 of 1 test recordings are near-duplicates"
    )


def test_unknown_people():
    nameless = Data([recording(i, subject=UNKNOWN_SUBJECT) for i in range(12)])
    with pytest.raises(DataError, match="do not say whose they are"):
        audit(load_protocol("person-kfold"), nameless)
    found = audit(load_protocol("d2sta-paper"), nameless)
    assert found.folds[0].leakage.unknown_samples == 120


def test_any_stream_will_do_but_all_need_it():
    q = np.zeros((60, 25, 4), np.float32)
    q[..., 0] = 1
    turned = [recording(i, positions=None, orientations=q) for i in range(6)]
    assert len(audit(load_protocol("person-kfold"), Data(turned)).folds) == 5
    mixed = Data([*turned, *(recording(i) for i in range(6, 12))])
    with pytest.raises(DataError, match="not all recordings have positions"):
        audit(load_protocol("person-kfold"), mixed)


def test_what_else_is_on_both_sides_is_counted():
    people = [recording(i, extra={"device": "ab"[i % 4 // 2], "age": 20 + i}) for i in range(12)]
    found = audit(load_protocol("person-kfold", split={"folds": 3}), Data(people))
    assert found.columns == {"group": 2, "device": 2}
    assert found.sides() == [
        "group: in 3 of 3 folds the test has one of its 2 values that is in training or validation "
        "too",
        "device: in 3 of 3 folds the test has one of its 2 values that is in training or "
        "validation too",
    ]
    split = {"kind": "leave-one-group-out", "by": "device"}
    apart = audit(load_protocol("person-kfold", split=split), Data(people))
    assert len(apart.folds) == 2
    assert apart.keeps_promise
    assert apart.sides()[1] == "device: in no fold is one of its 2 values on both sides"
    assert [fold.shared["device"] for fold in apart.folds] == [[], []]
    assert json.loads(json.dumps(apart.to_dict()))["folds"][0]["shared"]["group"] == ["g0", "g1"]

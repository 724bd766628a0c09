from dataclasses import replace

import numpy as np
import pytest
import torch

from zoo.data.recording import Recording
from zoo.data.resample import resample
from zoo.data.samples import build_samples
from zoo.data.segment import Sampling
from zoo.data.transforms import parse_steps
from zoo.errors import ConfigError, DataError


def recordings(people: int = 4, frames: int = 47) -> list[Recording]:
    generator = np.random.default_rng(0)
    made = []
    for person in range(people):
        length = frames + person
        x = generator.normal(size=(length, 25, 3)).astype(np.float32)
        q = generator.normal(size=(length, 25, 4)).astype(np.float32)
        q /= np.linalg.norm(q, axis=-1, keepdims=True)
        name = f"P{person}"
        made.append(
            Recording(
                f"{name}/5",
                name,
                f"g{person % 2}",
                "5",
                "1",
                "kinect-v2",
                30.0,
                x,
                q,
                scores={"total": 30.0 + person, "cPO": 1.0},
            )
        )
    return made


def test_one_sample_a_recording():
    data = recordings()
    found = build_samples(data, Sampling(), [], ["position", "orientation", "bone"], 100)
    assert len(found) == 4
    assert {k: tuple(v.shape) for k, v in found.streams.items()} == {
        "position": (4, 100, 25, 3),
        "orientation": (4, 100, 25, 4),
        "bone": (4, 100, 25, 3),
    }
    assert all(x.dtype == torch.float32 for x in found.streams.values())
    assert found.mask is None
    assert found.target.tolist() == [30, 31, 32, 33]
    assert found.recording == ["P0/5", "P1/5", "P2/5", "P3/5"]
    assert found.subject == ["P0", "P1", "P2", "P3"]
    assert found.group == ["g0", "g1", "g0", "g1"]
    assert found.exercise == ["5"] * 4
    assert found.frames == [(0, 47), (0, 48), (0, 49), (0, 50)]
    assert found.layout == "kinect-v2"
    np.testing.assert_allclose(
        found.streams["position"][2], resample(data[2].positions, 100), atol=1e-5
    )


def test_pieces_are_cut_and_numbered():
    found = build_samples(recordings(), Sampling("pieces", pieces=10), [], ["position"], 20)
    assert len(found) == 40
    assert found.segment == list(range(10)) * 4
    assert found.ids[:2] == ["P0/5#0", "P0/5#1"]
    assert len(set(found.ids)) == 40
    assert found.frames[:3] == [(0, 5), (5, 10), (10, 15)]
    assert found.target[:10].unique().tolist() == [30]


def test_transforms_see_the_whole_recording():
    steps = parse_steps([{"center": {"by": "first"}}])
    found = build_samples(recordings(), Sampling("pieces", pieces=2), steps, ["position"], 20)
    data = recordings()[0]
    moved = data.positions - data.positions[0, 0]
    np.testing.assert_allclose(found.streams["position"][1], resample(moved[24:], 20), atol=1e-5)


def test_own_lengths_are_padded_and_masked():
    found = build_samples(recordings(), Sampling(), [], ["joint_motion", "position"], None)
    assert found.streams["position"].shape == (4, 50, 25, 3)
    assert found.mask.sum(1).tolist() == [47, 48, 49, 50]
    assert not found.streams["position"][~found.mask].any()
    x = recordings()[0].positions
    np.testing.assert_array_equal(found.streams["position"][0, :47], x)
    np.testing.assert_allclose(
        found.streams["joint_motion"][0, :46], x[1:].astype(float) - x[:-1], atol=1e-6
    )
    assert not found.streams["joint_motion"][0, 46:].any()
    even = build_samples(recordings(1), Sampling(), [], ["position"], None)
    assert even.mask is None


def test_at_a_rate_each_keeps_its_length_in_seconds():
    found = build_samples(recordings(), Sampling(), [], ["position"], 100, rate=15.0)
    assert found.mask.sum(1).tolist() == [24, 24, 24, 25]
    expected = resample(recordings()[1].positions.astype(float), 24)
    np.testing.assert_allclose(found.streams["position"][1, :24], expected, atol=1e-5)
    assert not found.streams["position"][~found.mask].any()
    assert found.fps == pytest.approx([15.0] * 4, rel=0.03)
    with pytest.raises(ConfigError, match=r"rate is 0\.0, expected frames a second above 0"):
        build_samples(recordings(), Sampling(), [], ["position"], rate=0.0)


def test_whole_recordings_are_what_samples_were_cut_from():
    cut = build_samples(recordings(), Sampling("pieces", pieces=3), [], ["position"], 20)
    found, expected = cut.whole(), build_samples(recordings(), Sampling(), [], ["position"], 20)
    assert found.ids == expected.ids
    assert found.frames == expected.frames
    assert torch.equal(found.target, expected.target)
    assert found.subject == expected.subject
    assert found.signatures.keys() == expected.signatures.keys()
    assert found.streams == {}


def test_recordings_without_a_score_stay_out_unless_asked():
    data = recordings()
    data[1] = replace(data[1], scores={})
    data[2] = replace(data[2], scores={"total": float("nan")})
    assert build_samples(data, Sampling(), [], ["position"], 10).subject == ["P0", "P3"]
    every = build_samples(data, Sampling(), [], ["position"], 10, scored=False)
    assert every.subject == ["P0", "P1", "P2", "P3"]
    assert every.target.isnan().tolist() == [False, True, True, False]
    with pytest.raises(DataError, match="no recordings with a total score"):
        build_samples(data[1:3], Sampling(), [], ["position"], 10)


def test_subset_and_batch_keep_the_order_asked_for():
    found = build_samples(recordings(), Sampling("pieces", pieces=3), [], ["position"], None)
    index = torch.tensor([7, 0, 3])
    part = found.subset(index)
    assert part.ids == [found.ids[i] for i in (7, 0, 3)]
    assert torch.equal(part.streams["position"], found.streams["position"][index])
    assert torch.equal(part.target, found.target[index])
    batch = found.batch(index)
    assert torch.equal(batch.x["position"], part.streams["position"])
    assert torch.equal(batch.mask, part.mask)
    assert found.batch().size == 12
    assert len(found.subset([])) == 0


def test_what_cannot_be_is_told():
    data = recordings()
    with pytest.raises(DataError, match="P0/5 cannot give the stream 'angle'"):
        build_samples(data, Sampling(), [], ["angle"], 10)
    with pytest.raises(DataError, match="no stream is called 'bones'. Did you mean 'bone'"):
        build_samples(data, Sampling(), [], ["bones"], 10)
    with pytest.raises(DataError, match="P0/5: 47 frames cannot be cut into 60 pieces"):
        build_samples(data, Sampling("pieces", pieces=60), [], ["position"], 10)
    with pytest.raises(ConfigError, match="frames is 0"):
        build_samples(data, Sampling(), [], ["position"], 0)
    with pytest.raises(ConfigError, match="no stream"):
        build_samples(data, Sampling(), [], [], 10)
    coco = replace(data[3], positions=data[3].positions[:, :17], orientations=None, layout="coco")
    with pytest.raises(DataError, match="P3/5 has the layout coco, the ones before it kinect-v2"):
        build_samples([*data[:3], coco], Sampling(), [], ["position"], 10)


def test_the_same_recordings_give_the_same_bytes():
    steps = parse_steps(["repair-jumps", "face-camera", "center"])
    streams = ["position", "orientation", "bone_motion"]
    a, b = (build_samples(recordings(), Sampling(), steps, streams, 100) for _ in range(2))
    assert all(torch.equal(a.streams[name], b.streams[name]) for name in streams)

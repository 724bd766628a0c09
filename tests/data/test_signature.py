"""What tells a recording from its copies."""

import numpy as np
import pytest

from zoo.data.recording import Recording
from zoo.data.samples import build_samples
from zoo.data.segment import Sampling
from zoo.data.signature import Signature
from zoo.skeleton.layout import Layout, load_layout

CHAIN = Layout("chain", ("root", "a", "b"), (-1, 0, 1))


def recording(positions=None, **arrays) -> Recording:
    return Recording("r", "P", "g", "5", "1", "chain", 30.0, positions, **arrays)


def noise(frames=40, width=3, seed=0):
    return np.random.default_rng(seed).normal(size=(frames, 3, width)).astype(np.float32)


def test_bones_are_medians_of_the_distances_to_the_parents():
    x = noise()
    found = Signature.of(recording(x), CHAIN).bones
    expected = [
        np.median([np.linalg.norm(x[t, j].astype(float) - x[t, j - 1]) for t in range(40)])
        for j in (1, 2)
    ]
    assert found == pytest.approx(expected, rel=1e-12)


def test_equal_frames_have_equal_numbers():
    x = noise()
    whole = Signature.of(recording(x), CHAIN).frames
    assert len(whole) == 40
    part = Signature.of(recording(x[7:21].astype(np.float64)), CHAIN).frames
    assert set(part) < set(whole)
    assert len(part) == 14
    nudged = x.copy()
    nudged[3, 2, 1] = np.nextafter(nudged[3, 2, 1], np.float32(9))
    assert len(set(Signature.of(recording(nudged), CHAIN).frames) & set(whole)) == 39
    swapped = np.ascontiguousarray(x[:, [1, 0, 2]])
    assert not set(Signature.of(recording(swapped), CHAIN).frames) & set(whole)


def test_frames_without_anybody_count_for_nothing():
    x = np.zeros((9, 3, 3), np.float32)
    nobody = Signature.of(recording(x), CHAIN)
    assert len(nobody.frames) == 0
    assert nobody.bones is None
    x[4] = noise(1)
    assert len(Signature.of(recording(x), CHAIN).frames) == 1
    still = np.repeat(noise(1), 9, axis=0)
    assert len(Signature.of(recording(still), CHAIN).frames) == 1


@pytest.mark.parametrize(("name", "width"), [("orientations", 4), ("angles", 3)])
def test_without_positions_the_rotations_are_looked_at(name, width):
    found = Signature.of(recording(**{name: noise(width=width)}), CHAIN)
    assert found.bones is None
    assert len(found.frames) == 40


def test_a_single_joint_has_no_bones():
    x = noise()[:, :1]
    assert Signature.of(recording(x), Layout("dot", ("root",), (-1,))).bones is None


def test_numbers_of_different_frames_differ():
    x = np.random.default_rng(1).integers(0, 3, (20000, 3, 3)).astype(np.float32)
    different = len(np.unique(x[(x != x[:, :1]).any(axis=(1, 2))].reshape(-1, 9), axis=0))
    assert len(Signature.of(recording(x), CHAIN).frames) == different


def test_samples_carry_the_signature_of_the_recording_as_it_was():
    x = np.random.default_rng(0).normal(size=(50, 25, 3)).astype(np.float32)
    one = Recording("r", "P", "g", "5", "1", "kinect-v2", 30.0, x, scores={"total": 1.0})
    samples = build_samples([one], Sampling("pieces", pieces=5), (), ["bone"], 8)
    whole = Signature.of(one, load_layout("kinect-v2"))
    assert list(samples.signatures) == ["r"]
    np.testing.assert_array_equal(samples.signatures["r"].frames, whole.frames)
    np.testing.assert_array_equal(samples.signatures["r"].bones, whole.bones)
    assert samples.subset([2]).signatures == samples.signatures


def test_copies_are_alike_in_frames_or_bones_and_others_are_not():
    x = noise()
    own = Signature.of(recording(x), CHAIN)
    assert own.likeness(own) == "40 of 40 frames are equal"
    assert Signature.of(recording(x[:10]), CHAIN).likeness(own) == "10 of 10 frames are equal"
    moved = Signature.of(recording(x + np.float32(0.5)), CHAIN)
    assert moved.likeness(own) == "all bones have the same length"
    assert Signature.of(recording(noise(seed=1)), CHAIN).likeness(own) == ""
    turns = Signature.of(recording(orientations=noise(width=4)), CHAIN)
    assert turns.likeness(own) == own.likeness(turns) == ""

"""Copies under another name are found, people who only look alike are not."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from zoo.data.recording import UNKNOWN_SUBJECT, Recording
from zoo.errors import LeakageError
from zoo.protocol.near_duplicates import near_duplicates
from zoo.protocol.protocol import load_protocol
from zoo.skeleton.layout import load_layout

PARENTS = load_layout("kinect-v2").parents


def skeleton(seed: int, frames: int = 40, bones_of: int | None = None):
    """A body of rigid bones, moving; `bones_of` gives it the body of another seed."""
    body = np.random.default_rng(seed if bones_of is None else bones_of)
    lengths = body.uniform(0.1, 0.5, 25)
    motion = np.random.default_rng(1000 + seed)
    directions = motion.normal(size=(25, 3)) + 0.3 * motion.normal(size=(frames, 25, 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    x = np.zeros((frames, 25, 3))
    done: set[int] = set()

    def place(joint: int) -> None:
        if joint in done:
            return
        done.add(joint)
        parent = PARENTS[joint]
        if parent < 0:
            x[:, joint] = [0.2, 0.8, 2.7]
            return
        place(parent)
        x[:, joint] = x[:, parent] + lengths[joint] * directions[:, joint]

    for joint in range(25):
        place(joint)
    return x.astype(np.float32)


def person(name: str, positions, **changes) -> Recording:
    score = 20.0 + int(name[1:])
    first = {"id": f"{name}/5", "subject": name, "group": "g", "exercise": "5", "session": "1"}
    given = {**first, "positions": positions, "scores": {"total": score}, **changes}
    return Recording(layout="kinect-v2", fps=30.0, **given)


def people(count: int = 12) -> list[Recording]:
    return [person(f"P{i}", skeleton(i)) for i in range(count)]


def find(recordings, name="person-kfold"):
    """What is found in all folds together, and the samples of that protocol."""
    protocol = load_protocol(name)
    samples = protocol.samples(recordings, ["position"])
    found = {}
    for fold in range(protocol.split.num_folds(samples.columns)):
        for one in near_duplicates(samples.signatures, protocol.split.apply(samples, fold)):
            found[one.test] = (one.seen, one.why)
    return found


def turned(x):
    y = Rotation.from_euler("xyz", [0.2, 1.1, -0.4]).apply(x.reshape(-1, 3)).reshape(x.shape)
    return (y + np.array([0.7, -0.1, 1.4])).astype(np.float32)


def test_different_people_pass():
    assert find(people()) == {}


def test_a_copy_under_another_name_is_found_from_both_sides():
    copies = [*people(), person("P12", skeleton(3))]
    assert find(copies, "leave-one-person-out") == {
        "P3/5": ("P12/5", "40 of 40 frames are equal"),
        "P12/5": ("P3/5", "40 of 40 frames are equal"),
    }


@pytest.mark.parametrize(
    ("copy", "why"),
    [
        (skeleton(3)[5:25], "20 of 20 frames are equal"),
        (skeleton(3)[::2], "20 of 20 frames are equal"),
        (turned(skeleton(3)), "all bones have the same length"),
        (turned(skeleton(3)) * np.float32([1, 1, -1]), "all bones have the same length"),
        (skeleton(99, bones_of=3), "all bones have the same length"),
        (skeleton(99, frames=71, bones_of=3), "all bones have the same length"),
    ],
    ids=["cut", "thinned", "moved", "mirrored", "another movement", "longer"],
)
def test_a_changed_copy_is_found(copy, why):
    found = find([*people(), person("P12", copy)], "leave-one-person-out")
    assert found["P12/5"] == ("P3/5", why)


@pytest.mark.parametrize("size", [1.0001, 1 - 1e-5])
def test_a_body_that_is_nearly_the_same_is_another(size):
    assert find([*people(), person("P12", skeleton(99, bones_of=3) * np.float32(size))]) == {}


def test_one_person_may_have_one_body():
    """Rigid bones over several recordings of a person are no find, on either side."""
    twice = [
        person(f"P{i}", skeleton(100 * k + i, bones_of=i), id=f"P{i}/{k}")
        for i in range(12)
        for k in range(3)
    ]
    assert find(twice) == {}
    assert find(twice, "d2sta-paper") == {}


def test_nobodies_are_compared_by_recording():
    unknown = [
        person(f"P{i}", skeleton(100 * k + i, bones_of=i), id=f"r{i}/{k}", subject=UNKNOWN_SUBJECT)
        for i in range(12)
        for k in range(2)
    ]
    found = find(unknown, "uiprmd-d2sta")
    assert found
    for test, (seen, why) in found.items():
        assert test.split("/")[0] == seen.split("/")[0]
        assert why == "all bones have the same length"


def test_an_empty_recording_resembles_nobody():
    nothing = np.zeros((40, 25, 3), np.float32)
    assert find([*people(), person("P12", nothing), person("P13", nothing)]) == {}


def test_honest_protocols_refuse_and_leaky_ones_tell():
    copies = [*people(), person("P12", skeleton(3))]
    honest = load_protocol("leave-one-person-out")
    fold = sorted(r.subject for r in copies).index("P12")
    with pytest.raises(
        LeakageError,
        match=r"1 of 1 test recordings are near-duplicates of ones "
        r"seen there \(P12/5 is like P3/5: 40 of 40 frames are equal\)\. Take copies out",
    ):
        honest.fold(copies, fold, ["position"])  # fmt: skip
    leaky = load_protocol("leave-one-person-out", leaky=True, leak_reason="to test it")
    assert "P12/5 is like P3/5" in leaky.fold(copies, fold, ["position"]).warning


def test_orientations_tell_too():
    generator = np.random.default_rng(0)

    def spin():
        q = generator.normal(size=(40, 25, 4))
        return (q / np.linalg.norm(q, axis=-1, keepdims=True)).astype(np.float32)

    made = [person(f"P{i}", None, orientations=spin()) for i in range(12)]
    protocol = load_protocol("leave-one-person-out")
    protocol.fold(made, 0, ["orientation"])
    made.append(person("P12", None, orientations=made[3].orientations[4:]))
    with pytest.raises(LeakageError, match="36 of 36 frames are equal"):
        protocol.fold(made, 4, ["orientation"])


def test_the_cost_grows_with_the_recordings_and_not_with_their_pairs():
    import time

    from zoo.data.signature import Signature
    from zoo.protocol.split import Split

    def cost(count):
        generator = np.random.default_rng(0)
        signatures = {
            f"r{i}": Signature(
                np.unique(generator.integers(0, 2**63, 100, dtype=np.uint64)),
                generator.uniform(0.1, 0.5, 24),
            )
            for i in range(count)
        }
        half = {k: [(f"p{i}", f"r{i}", 0) for i in range(k, count, 2)] for k in (0, 1)}
        split = Split(None, None, None, {"train": half[0], "validation": [], "test": half[1]}, "")
        times = []
        for _ in range(3):
            begun = time.process_time()
            assert near_duplicates(signatures, split) == ()
            times.append(time.process_time() - begun)
        return min(times)

    assert cost(8000) < 24 * cost(1000)  # by pairs 64 times as much

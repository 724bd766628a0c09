"""``trainer.exercises: all``: training people's other exercises are trained on too."""

import pytest
import torch

import zoo
from zoo.compose import compose
from zoo.data.batch import Batch, joined
from zoo.errors import ConfigError
from zoo.workspace import Workspace

SIMULATED = ["dataset.people=10", "dataset.repetitions=2", "protocol.frames=16"]
ALL = ["trainer.exercises=all", "trainer.epochs=1"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


def fold(root, *overrides, protocol="person-kfold", number=1, exercise="2"):
    config = compose(
        model="d2sta-small",
        dataset="synthetic",
        protocol=protocol,
        exercise=exercise,
        overrides=[*SIMULATED, *overrides],
    )
    return Workspace("runs", root).open(config).fold(number)


def test_other_exercises_of_training_people_alone(root):
    data = fold(root, *ALL)
    people = dict(zip(data.beside.recording, data.beside.subject, strict=True))
    assert set(data.beside.exercise) == {"1", "3", "4", "5"}
    held_out = {*data.split.persons("test"), *data.split.persons("validation")}
    batch, target, parts = data.learnt()
    codes = batch.exercise
    assert codes.unique().tolist() == [0, 1, 2, 3, 4]
    own = data.part("train")
    assert torch.equal(target[codes == 0], own[1])
    torch.testing.assert_close(batch.x["position"][codes == 0], own[0].x["position"])
    expected = [r for r, who in people.items() if who not in held_out]
    assert len(target) == len(own[1]) + len(expected)
    assert len(expected) < len(people)
    for name in ("primary", "control"):
        assert len(parts[name]) == len(target)


def test_nobody_who_is_tested_is_seen_in_any_exercise(root):
    data = fold(root, *ALL)
    marked = data.beside.streams["position"].clone()
    held_out = {*data.split.persons("test"), *data.split.persons("validation")}
    for i, who in enumerate(data.beside.subject):
        if who in held_out:
            marked[i] = 1e9
    data.beside.streams["position"] = marked
    assert float(data.learnt().batch.x["position"].abs().max()) < 1e6
    everybody = data.refit().learnt()
    assert float(everybody.batch.x["position"].abs().max()) > 1e6  # the validation people's
    tested = [i for i, who in enumerate(data.beside.subject) if who in data.split.persons("test")]
    marked[tested] = torch.nan
    assert data.refit().learnt().batch.x["position"].isfinite().all()


def test_targets_are_standardised_within_each_exercise(root):
    batch, target, _ = fold(root, *ALL).learnt()
    for code in range(5):
        of = target[batch.exercise == code]
        assert abs(float(of.mean())) < 1e-5
        assert abs(float(of.std(correction=0)) - 1) < 1e-5


def test_parts_add_up_to_the_total_in_every_exercise(root):
    _, target, parts = fold(root, *ALL).learnt()
    assert float(parts["primary"].abs().max()) > 0.1
    torch.testing.assert_close(parts["primary"] + parts["control"], target, atol=1e-4, rtol=0)


def test_test_and_validation_are_of_the_own_exercise(root):
    one, both = fold(root), fold(root, *ALL)
    assert one.split.hash == both.split.hash
    assert one.beside is None
    assert one.learnt().batch.exercise is None
    for part in ("validation", "test"):
        assert torch.equal(one.part(part)[0].x["position"], both.part(part)[0].x["position"])


def test_a_run_says_that_it_was_trained_on_all(root, tmp_path):
    run = zoo.train(
        "kgn-small",
        "synthetic",
        exercise="2",
        overrides=[*SIMULATED, "trainer.epochs=3"],
        runs=tmp_path,
        data_root=root,
    )
    assert run.record.trainer["exercises"] == "all"


def test_two_datasets_have_no_exercise_beside(trained):
    with pytest.raises(ConfigError, match=r"set trainer\.exercises=one"):
        fold(
            trained.data_root, *ALL, "protocol.split.dataset=kimore",
            "protocol.split.people=apart", protocol="cross-dataset", exercise="5",
        )  # fmt: skip


def test_batches_of_other_lengths_are_padded_to_the_longest():
    short = Batch({"position": torch.ones(2, 3, 4, 3)}, fps=torch.tensor([1.0, 2.0]))
    long = Batch({"position": torch.full((1, 5, 4, 3), 2.0)}, fps=torch.tensor([3.0]))
    both = joined([short, long])
    assert both.x["position"].shape == (3, 5, 4, 3)
    assert both.mask.tolist() == [[True] * 3 + [False] * 2] * 2 + [[True] * 5]
    assert both.fps.tolist() == [1.0, 2.0, 3.0]
    assert not both.x["position"][:2, 3:].any()
    assert joined([short, short]).mask is None

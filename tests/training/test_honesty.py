"""What is honest cannot know noise: labels that are drawn for each person, and say nothing else.

Every person has a posture of their own, which tells them from all others, and one score, drawn at
random and the same in every exercise: whoever has seen a person's score anywhere knows it
everywhere. So a model that is tested on people nothing was seen of is no better than the mean
score, whatever it learns, and one that has seen them is far better. The same test asks both.
"""

from collections import defaultdict
from statistics import fmean
from types import SimpleNamespace

import pytest
import torch
from scipy.stats import spearmanr

from zoo.data.samples import SampleSet
from zoo.errors import DataError
from zoo.evaluation.statistics.paired import SIGNIFICANCE
from zoo.protocol.protocol import Protocol
from zoo.runs import person_context
from zoo.runs.person_context import context_of, drawn
from zoo.runs.run import versus_mean_score
from zoo.training.run import train_run

PEOPLE, EXERCISES, FOLDS, FRAMES, JOINTS = 120, ("1", "2", "3"), 3, 4, 5
NETWORK = {"epochs": 8, "batch_size": 32, "lr": 0.02, "schedule": "constant"}
LEAKY = {"leaky": True, "leak_reason": "on purpose"}


def made_up(exercise: str, pieces: int) -> SampleSet:
    """Everybody's samples of one exercise: the posture, a little moved, and the score."""
    people = torch.Generator().manual_seed(1)
    posture = torch.randn(PEOPLE, 1, JOINTS, 3, generator=people)
    score = (25 + 8 * torch.randn(PEOPLE, generator=people)).clamp(0, 50)
    movement = torch.Generator().manual_seed(int(exercise) + 1)
    samples = PEOPLE * pieces
    x = posture.repeat_interleave(pieces, 0).repeat(1, FRAMES, 1, 1)
    who = [f"P{i // pieces:03d}" for i in range(samples)]
    return SampleSet(
        streams={"position": x + 0.05 * torch.randn(x.shape, generator=movement)},
        mask=None,
        target=score.repeat_interleave(pieces),
        recording=[f"{person}/Es{exercise}" for person in who],
        segment=[i % pieces for i in range(samples)],
        subject=who,
        group=["CG" if i // pieces % 2 else "GPP" for i in range(samples)],
        exercise=[exercise] * samples,
        frames=[(0, FRAMES)] * samples,
        fps=[30.0] * samples,
        layout="toy5",
    )


@pytest.fixture
def evaluate(toy, tmp_path):
    """The runs of a model on every exercise and fold of a protocol by person, refit."""

    def runs(build, together=False, exercises=EXERCISES, split=None, pieces=1, **protocol):
        chosen = split or {"kind": "person-kfold", "folds": FOLDS, "validation": 0.2}
        made = Protocol.from_config("toy", split=chosen, selection="refit", **protocol)
        found = []
        for exercise in exercises:
            samples = made_up(exercise, pieces)
            others = [made_up(other, pieces) for other in EXERCISES if other != exercise]
            beside = joined(others) if together else None
            dataset = SimpleNamespace(**{**vars(toy.DATASET), "exercise_titles": {exercise: ""}})
            for fold in range(FOLDS):
                data = made.fold([], fold, ["position"], samples=samples, beside=beside)
                config = toy.make_config(**NETWORK)
                config["dataset"]["exercise"] = exercise
                config["protocol"] = made.to_dict()
                config.update(fold=fold)
                found.append(train_run(build, data, config, dataset=dataset, runs=tmp_path))
        return found

    return runs


def joined(sets):
    """Several sample sets of one layout as one."""
    lists = ("recording", "segment", "subject", "group", "exercise", "frames", "fps")
    return SampleSet(
        streams={"position": torch.cat([s.streams["position"] for s in sets])},
        mask=None,
        target=torch.cat([s.target for s in sets]),
        **{name: [value for s in sets for value in getattr(s, name)] for name in lists},
        layout="toy5",
    )


def knows_something(runs) -> bool:
    """Whether it errs less than the mean score, or orders people, beyond chance over persons."""
    found = versus_mean_score(runs)
    said, true = defaultdict(list), {}
    for run in runs:
        test = run.test_scores
        for person, score, predicted in zip(test.person, test.true, test.predicted, strict=True):
            said[person].append(predicted - run.record.baseline_score)
            true[person] = score
    people = sorted(true)
    order = spearmanr(
        [fmean(said[p]) for p in people], [true[p] for p in people], alternative="greater"
    )
    errs_less = found.difference < 0 and found.permutation_p <= SIGNIFICANCE
    return errs_less or order.pvalue <= SIGNIFICANCE / 5


@pytest.mark.parametrize("together", [False, True], ids=["one exercise", "all exercises"])
@pytest.mark.parametrize("model", ["Nearest", "TinyNet"])
def test_nobody_knows_people_nothing_was_seen_of(toy, evaluate, model, together):
    runs = evaluate(getattr(toy, model), together, exercises=EXERCISES if together else ("1",))
    assert not knows_something(runs)


def test_who_takes_no_part_is_not_trained_on_in_other_exercises(toy):
    """With fewer training people, joint training learns of these alone."""
    made = Protocol.from_config(
        "toy",
        split={"kind": "person-kfold-fewer", "folds": FOLDS, "people": 0.5},
        selection="refit",
    )
    beside = joined([made_up(other, 1) for other in EXERCISES[1:]])
    data = made.fold([], 0, ["position"], samples=made_up("1", 1), beside=beside)
    people = len(data.split.persons("train"))
    assert people < PEOPLE / 3
    assert len(data.learnt().target) == people * len(EXERCISES)
    refit = data.tested
    assert len(refit.learnt().target) == len(refit.split.persons("train")) * len(EXERCISES)


def test_the_own_label_in_training_is_caught(toy, evaluate):
    split = {"kind": "random-kfold", "folds": FOLDS, "validation": 0.2}
    runs = evaluate(toy.Nearest, exercises=("1",), pieces=4, split=split, **LEAKY)
    assert knows_something(runs)


def test_the_label_of_another_exercise_in_training_is_caught(toy, evaluate):
    """The same folds by person, but nobody is held out of what is trained on beside."""
    assert knows_something(evaluate(toy.Nearest, True, exercises=("1",), **LEAKY))


@pytest.mark.parametrize("together", [False, True], ids=["one exercise", "all exercises"])
def test_the_persons_other_exercises_add_nothing_where_there_is_nothing(toy, evaluate, together):
    runs = evaluate(toy.Nearest, together)
    assert not knows_something(context_added(runs, runs))


def test_other_exercises_scored_by_who_knew_the_person_are_refused_and_would_be_caught(
    toy, evaluate, monkeypatch
):
    runs = evaluate(toy.Nearest, exercises=("1",))
    knew = evaluate(toy.Nearest, True, exercises=("2", "3"), **LEAKY)
    with pytest.raises(DataError, match="protocol that leaks"):
        context_added(runs, knew)
    monkeypatch.setattr(person_context, "_require_honest", lambda run: None)
    assert knows_something(context_added(runs, knew))


def context_added(runs, every):
    """The runs with scores drawn half way towards what those of `every` say of each person."""
    for run in (made := [type(run)(run.path, run.record) for run in runs]):
        run.__dict__["scores"] = drawn(run, context_of(run, every), 0.5)
    return made

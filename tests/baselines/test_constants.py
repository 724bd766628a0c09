"""The median and the mean of the clinical group."""

import torch

import zoo
from zoo.data.batch import Batch, group_code

EXPERT, STROKE, PAIN = (group_code(name) for name in ("CG/Expert", "GPP/Stroke", "GPP/BackPain"))


def people(*groups: int | None) -> Batch:
    codes = None if None in groups else torch.tensor(groups)
    return Batch({"position": torch.randn(len(groups), 8, 25, 3)}, group=codes)


def test_median_is_not_moved_by_one_extreme() -> None:
    model = zoo.create_model("median")
    model.fit(people(None, None, None), torch.tensor([1.0, 2.0, 90.0]))
    assert model(people(None, None)).score.tolist() == [2.0, 2.0]
    model.fit(people(*4 * [None]), torch.tensor([1.0, 2.0, 4.0, 90.0]))
    assert model(people(None)).score.tolist() == [3.0]


def test_everybody_gets_the_mean_of_their_group() -> None:
    model = zoo.create_model("group-mean")
    model.fit(people(EXPERT, STROKE, EXPERT, STROKE), torch.tensor([4.0, 1.0, 6.0, 3.0]))
    assert model(people(STROKE, EXPERT)).score.tolist() == [2.0, 5.0]


def test_a_group_nobody_knows_gets_the_mean_of_all() -> None:
    model = zoo.create_model("group-mean")
    model.fit(people(EXPERT, STROKE, EXPERT, -1), torch.tensor([4.0, 1.0, 6.0, 9.0]))
    assert model.groups.tolist() == sorted((EXPERT, STROKE))
    assert model(people(PAIN, -1, STROKE)).score.tolist() == [5.0, 5.0, 1.0]
    assert model(people(None, None)).score.tolist() == [5.0, 5.0]


def test_without_groups_it_is_the_mean() -> None:
    model = zoo.create_model("group-mean")
    model.fit(people(None, None), torch.tensor([4.0, 2.0]))
    assert model(people(EXPERT, -1)).score.tolist() == [3.0, 3.0]

"""What is said of a model against the mean score: by people, with an interval, or nothing clear."""

from dataclasses import replace

import pytest

from zoo.cli.result_tables import verdict
from zoo.runs.run import load_run, pooled_metrics


def said(store, people_of=(0, 1), **how):
    return " ".join(verdict([load_run(store.run("gru", "5", f, **how)) for f in people_of]))


def test_better_with_its_interval(make_store) -> None:
    words = said(make_store(persons=40), error=0.5)
    assert words.startswith("gru is better than the mean score: it is off by ")
    assert "95 % interval" in words
    p = float(words.partition("permutation p = ")[2].partition(",")[0])
    assert p <= 0.05
    assert "over 40 people" in words
    assert "With another seed it may be otherwise" in words


def test_no_clear_difference(make_store) -> None:
    words = said(make_store(persons=24), constant=True)
    assert words.startswith("No clear difference between gru and the mean score")
    assert "permutation p = " in words  # the interval alone may leave out 0
    assert "24 people and one seed are few to judge a model by" in words


def test_too_few_people(make_store) -> None:
    words = said(make_store(persons=8), people_of=(0,), error=0.5)
    assert words == "4 people are too few to tell gru from the mean score."


@pytest.mark.parametrize("draws", [True, False])
@pytest.mark.parametrize("closed_form", [True, False])
def test_only_models_that_draw_need_another_seed(make_store, draws, closed_form) -> None:
    store = make_store(persons=40)
    runs = [load_run(store.run("gru", "5", fold, error=0.5)) for fold in (0, 1)]
    for i, run in enumerate(runs):
        model = replace(run.record.model, draws=draws, closed_form=closed_form)
        runs[i] = replace(run, record=replace(run.record, model=model))
    assert ("With another seed it may be otherwise" in " ".join(verdict(runs))) == draws


def test_right_or_wrong_is_held_against_chance(make_store) -> None:
    store = make_store(persons=12, dataset="keraal", exercises=("rtk",))
    runs = [load_run(store.run("gru", "rtk", fold, error=0.4)) for fold in (0, 1)]
    auc = pooled_metrics(runs)["auc"]
    assert 0.5 < auc <= 1
    first, *rest = verdict(runs)
    assert first == f"gru has an AUC of {auc:.2f}; chance, and so the mean score, has 0.50."
    assert rest == [
        "12 people and one seed are few to judge a model by: `zoo bench` tests on everybody and "
        "with several seeds, `zoo leaderboard` ranks."
    ]


def test_one_person_who_did_all_right_has_no_auc(make_store) -> None:
    store = make_store(persons=12, folds=12, dataset="keraal", exercises=("rtk",))
    words = " ".join(verdict([load_run(store.run("gru", "rtk", 0))]))
    assert words.startswith("gru has no AUC: among those tested all are right, or all are wrong.")
    assert "One person is little to judge a model by" in words

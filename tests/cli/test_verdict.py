"""What is said of a model against the mean score: by people, with an interval, or nothing clear."""

from zoo.cli.result_tables import verdict
from zoo.runs.run import load_run


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

"""From a request to runs: the whole grid, each run once, mistakes before anything runs."""

import time
from collections import Counter

import pytest

from registry import UserError
from zoo.experiments.job import State, look
from zoo.experiments.plan import leak_references
from zoo.experiments.schema import Row


def places(plan):
    return [(j.model, j.config["protocol"]["name"], j.config["fold"], j.config["seed"])
            for j in plan.jobs]  # fmt: skip


def test_the_whole_grid(desk):
    plan = desk.plan(
        Row("mean", seeds=(7,)),
        Row("median", protocols=("random-kfold",), settings={"protocol.split.folds": 6}),
        protocols=("person-kfold", "random-kfold"),
        seeds=(0, 1),
        folds=(0, 1, 5),
    )
    assert Counter(places(plan)) == Counter(
        [
            *(("mean", "person-kfold", fold, 7) for fold in (0, 1)),
            *(("mean", "random-kfold", fold, 7) for fold in (0, 1)),
            *(("median", "random-kfold", fold, 0) for fold in (0, 1, 5)),
            *(("knn-bones", "random-kfold", fold, 0) for fold in (0, 1)),
        ]
    )
    assert all(job.path.is_relative_to(desk.runs.absolute()) for job in plan.jobs)


def test_all_exercises_that_have_scores(desk):
    plan = desk.plan("mean", exercises=None)
    assert {job.exercise for job in plan.jobs} == {"3", "5"}


def test_seeds_of_the_protocol(desk):
    plan = desk.plan("toy-line", seeds=None, folds=(0,))
    assert [job.config["seed"] for job in plan.jobs] == list(plan.groups[0].session.protocol.seeds)


def test_a_model_that_draws_nothing_has_one_seed(desk):
    plan = desk.plan(
        "mean", "features-ridge", "features-trees", "toy-line", seeds=(3, 4), folds=(0,)
    )
    seeds = [(job.model, job.config["seed"]) for job in plan.jobs]
    assert sorted(seeds) == [
        ("features-ridge", 3), ("features-trees", 3), ("features-trees", 4), ("mean", 3),
        ("toy-line", 3), ("toy-line", 4),
    ]  # fmt: skip


def test_each_run_once(desk):
    """The same model twice is one run; with other settings it is another."""
    plan = desk.plan("toy-line", "toy-line", Row("toy-line", settings={"model.pause": 0.1}))
    assert len(plan.jobs) == len({job.path for job in plan.jobs}) == 4


def test_what_measures_a_leak_is_planned_with_it(desk):
    plan = desk.plan("toy-mean", protocols=("person-kfold", "random-kfold"), seeds=(3, 4))
    added = {(j.model, j.config["protocol"]["name"], j.config["seed"]) for j in plan.rows[-1].jobs}
    assert added == {("knn-bones", "random-kfold", 3)}
    assert "knn-bones is added: it shows what the leak of random-kfold is worth" in plan.notes
    assert leak_references() == ["knn-bones"]
    honest = desk.plan("toy-mean")
    assert [row.model for row in honest.rows] == ["toy-mean"]
    assert not honest.notes
    own = desk.plan("toy-mean", "knn-bones", protocols=("random-kfold",))
    assert [row.model for row in own.rows] == ["toy-mean", "knn-bones"]
    with_settings = desk.plan(
        "toy-line", protocols=("random-kfold",), settings=("model.pause=0", "protocol.frames=20")
    )
    bones = with_settings.rows[-1].jobs[0]
    assert bones.model == "knn-bones"
    assert bones.config["protocol"]["frames"] == 20


def test_a_measure_that_cannot_be_computed_is_said(desk, monkeypatch):
    """Such as of bones where the data hold angles alone."""
    monkeypatch.setattr("zoo.experiments.plan.leak_references", lambda: ["toy-refusing"])
    plan = desk.plan("toy-mean", protocols=("random-kfold",))
    assert [row.model for row in plan.rows] == ["toy-mean"]
    (note,) = plan.notes
    assert note.startswith("toy-refusing would show what the leak of random-kfold is worth, but: ")


def test_settings_of_the_trainer_are_not_for_closed_form_models(desk):
    """So that the same model is one run on one board, however the others are trained."""

    def config(model, **row):
        return desk.plan(Row(model, **row), settings=("trainer.epochs=7",)).jobs[0].config

    usual = desk.plan("mean").jobs[0]
    assert config("mean") == usual.config
    assert config("toy-line")["trainer"]["epochs"] == 7
    assert config("mean", settings={"trainer.epochs": 9})["trainer"]["epochs"] == 9


def test_threads_are_one_unless_said_otherwise(desk):
    (job,) = desk.plan("mean", folds=(0,)).jobs
    assert job.config["trainer"]["threads"] == 1
    (more,) = desk.plan("mean", folds=(0,), settings=("trainer.threads=2",)).jobs
    assert more.config["trainer"]["threads"] == 2
    assert job.path == more.path


@pytest.mark.parametrize(
    ("models", "request_", "words"),
    [
        (["meen"], {}, "no model is called 'meen'. Did you mean 'mean'"),
        (["toy-refusing"], {}, "'toy-refusing' cannot be built: RuntimeError: no such toy"),
        (["mean"], {"exercises": ("9",)}, "no recordings of exercise '9'"),
        (["mean"], {"folds": (2,)}, "no fold 2: person-kfold has the folds 0 to 1"),
        (["mean"], {"protocols": ("person-fold",)}, "Did you mean 'person-kfold'"),
        (["mean"], {"dataset": "uiprmd-vicon"}, "zoo.prepare_dataset.*uiprmd-vicon"),
        (["mean"], {"settings": ("seed=3",)}, "use seeds="),
        (["mean"], {"settings": ("dataset.exercise=3",)}, "use exercises="),
        (["mean"], {"settings": ("trainer.epoch=3",)}, "mean under person-kfold: .*trainer.epochs"),
        (["toy-line"], {"settings": ("trainer.lr=-1",)}, "trainer.lr"),
        (["toy-line"], {"settings": ("model.pose=1",)}, "model.pause"),
        ([Row("mean", protocols=("d2sta-paper",))], {}, "nothing to run"),
    ],
)
def test_mistakes_before_anything_runs(desk, models, request_, words):
    with pytest.raises(UserError, match=words):
        desk.plan(*models, **request_)
    assert not desk.runs.exists()


def test_thousands_of_runs_are_looked_at_as_fast_as_they_are_planned(desk):
    begun = time.process_time()
    plan = desk.plan("toy-mean", seeds=tuple(range(500)))
    planning = time.process_time() - begun
    assert len(plan.jobs) == 1000
    desk.sweep(desk.plan("toy-mean", folds=(0,)))
    begun = time.process_time()
    states = Counter(look(job) for job in plan.jobs)
    assert time.process_time() - begun < 4 * planning  # usually half of it
    assert states == {State.FINISHED: 1, State.NEW: 999}

"""What an entry of a board is called."""

from pathlib import Path

import pytest

from zoo.board.naming import names
from zoo.runs.identity import Identity
from zoo.runs.record import InitFrom
from zoo.runs.run import Run


@pytest.fixture
def named(make_record):
    """The names and settings of runs, each an entry of its own, given what is changed in each."""

    def of(*runs):
        found = [Run(Path(), make_record(**changes)) for changes in runs]
        entries = {Identity.of(run): [run] for run in found}
        assert len(entries) == len(runs)
        return list(names(entries).values())

    return of


def test_another_head_is_in_the_name(named):
    other = {"model__params": {"head": "usdl"}, "changed": {"head": "usdl"}}
    assert named({}, other) == [("d2sta", {}), ("d2sta (head=usdl)", {"head": "usdl"})]


def test_models_of_one_name_are_told_apart_by_who_provides_them(named, make_record):
    source = make_record().model.source
    other = {"model__source": type(source)("somebody 1.0", source.cls, None)}
    assert [name for name, _ in named({}, other)] == [
        "d2sta from skeleton-zoo", "d2sta from somebody",
    ]  # fmt: skip


def test_where_defaults_changed_between_trainings_the_settings_tell_them_apart(named):
    """Nobody set anything, and the default number of epochs rose from 2 to 3."""
    found = named({}, {"trainer": {"epochs": 3}})
    assert found == [
        ("d2sta (trainer.epochs=2)", {"trainer.epochs": 2}),
        ("d2sta (trainer.epochs=3)", {"trainer.epochs": 3}),
    ]


def test_many_settings_are_counted(named):
    changed = {f"p{i}": i for i in range(7)}
    ((name, settings),) = named({"model__params": changed, "changed": changed})
    assert name == "d2sta (p0=0, p1=1, p2=2, p3=3, 3 more)"
    assert settings == changed


def test_the_run_it_started_from_is_named_by_its_model_and_data(named):
    known, unknown = "0123456789" * 6, "fedcba9876" * 6
    init = InitFrom(known, "stgcn-small on kimore/5, fold 0", 9, (), {}, ())
    one, other = named(
        {
            "trainer": {"init_from": known},
            "changed": {"trainer.init_from": known},
            "init_from": init,
        },
        {"trainer": {"init_from": unknown}, "changed": {"trainer.init_from": unknown}},
    )
    words = "stgcn-small on kimore/5, fold 0, run 01234567"
    assert one == (f"d2sta (trainer.init_from={words})", {"trainer.init_from": known})
    assert other[0] == "d2sta (trainer.init_from=run fedcba98)"

"""What an entry of a board is called."""

import json
from types import SimpleNamespace

from zoo.board.naming import names
from zoo.compose import compose
from zoo.runs.key import MACHINE_KEYS


def stored(**started_from):
    """A run, as far as names look at it."""
    protocol = SimpleNamespace(name="person-kfold")
    return SimpleNamespace(dataset="synthetic", protocol=protocol, started_from=started_from)


def test_another_head_is_in_the_name():
    params = {k: v for k, v in compose(model="stgcn-small")["model"].items() if k != "name"}
    plain, other = (
        ("stgcn-small", "skeleton-zoo", json.dumps({"model": {**params, **head}}))
        for head in ({}, {"head": "usdl"})
    )
    found = names([plain, other], [stored()])
    assert found[plain] == ("stgcn-small", {})
    assert found[other] == ("stgcn-small (head=usdl)", {"head": "usdl"})


def test_the_run_it_started_from_is_named_by_its_model_and_data():
    trainer = {k: v for k, v in compose(model="mean")["trainer"].items() if k not in MACHINE_KEYS}
    known, unknown = (
        (
            "stranger",
            "somebody 1.0",
            json.dumps({"model": {}, "trainer": trainer | {"init_from": h}}),
        )
        for h in ("0123456789" * 6, "fedcba9876" * 6)
    )
    run = stored(**{"0123456789" * 6: "stgcn-small on kimore/5, fold 0"})
    found = names([known, unknown], [run])
    words = "stgcn-small on kimore/5, fold 0, run 01234567"
    assert found[known][0] == f"stranger (trainer.init_from={words})"
    assert found[known][1] == {"trainer.init_from": "0123456789" * 6}
    assert found[unknown][0] == "stranger (trainer.init_from=run fedcba98)"

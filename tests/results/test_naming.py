"""What an entry of a board is called."""

import json
from types import SimpleNamespace

from zoo.config import compose
from zoo.results.naming import names


def test_another_head_is_in_the_name():
    run = SimpleNamespace(dataset="synthetic", protocol=SimpleNamespace(name="person-kfold"))
    params = {k: v for k, v in compose(model="stgcn-small")["model"].items() if k != "name"}
    plain, other = (
        ("stgcn-small", "skeleton-zoo", json.dumps({"model": {**params, **head}}))
        for head in ({}, {"head": "usdl"})
    )
    found = names([plain, other], run)
    assert found[plain] == ("stgcn-small", {})
    assert found[other] == ("stgcn-small (head=usdl)", {"head": "usdl"})

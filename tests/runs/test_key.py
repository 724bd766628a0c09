import re
from pathlib import Path

import pytest

from zoo.errors import ConfigError
from zoo.runs.key import RunKey, differences


def make(fingerprint="f", layout="kinect-v2", protocol_hash="p", **changes):
    config = {
        "model": {"name": "d2sta", "groups": 6},
        "dataset": {"name": "kimore", "exercise": "5"},
        "protocol": {"name": "person-kfold"},
        "trainer": {"lr": 0.001, "device": "auto", "threads": None, "checkpoint_every": 5},
        "seed": 0,
        "fold": 2,
    }
    return RunKey.of(
        {**config, **changes},
        fingerprint=fingerprint,
        layout=layout,
        protocol_hash=protocol_hash,
    )


def test_the_path_is_readable_and_follows_from_the_key():
    path = make().path(Path("runs"))
    assert path.parent == Path("runs/kimore/5/person-kfold/d2sta")
    assert path.name == f"fold2-seed0-{make().hash[:8]}"
    assert make().title == "d2sta on kimore/5, person-kfold fold 2, seed 0"
    dataset = {"name": "kimore", "exercise": None}
    assert make(dataset=dataset).path(Path("runs")).parts[2] == "all"


def test_the_machine_is_no_part_of_a_key():
    trainer = {"lr": 0.001, "device": "cuda", "threads": 2, "checkpoint_every": 1}
    assert make(trainer=trainer) == make()
    assert make(trainer=trainer).hash == make().hash


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fingerprint": "e"}, "other data"),
        ({"layout": "coco"}, "skeleton layout 'kinect-v2', not 'coco'"),
        ({"seed": 1}, "seed: 0 then, 1 now"),
        ({"model": {"name": "d2sta", "groups": 4}}, r"model\.groups: 6 then, 4 now"),
        ({"trainer": {"lr": 0.001, "epochs": 3}}, r"trainer\.epochs: nothing then, 3 now"),
        ({"protocol_hash": "q"}, "protocol's meaning has changed"),
    ],
)
def test_whatever_changes_a_result_changes_the_key(change, words):
    other = make(**change)
    assert other.hash != make().hash
    assert make().objections(make().to_dict()) == []
    (objection,) = other.objections(make().to_dict())
    assert re.search(words, objection)


def test_foreign_keys_are_objected_to_and_do_not_crash():
    assert len(make().objections({})) == 3
    assert len(make().objections({"config": 5, "fingerprint": 3, "layout": []})) == 3


def test_a_configuration_that_cannot_be_stored_is_refused():
    with pytest.raises(ConfigError, match="cannot be stored"):
        make(model={"name": "d2sta", "lr": float("nan")})
    with pytest.raises(ConfigError, match="cannot be stored"):
        make(model={"name": "d2sta", "function": print})


def test_differences_name_the_keys():
    then = {"trainer": {"lr": 0.1, "epochs": 3}, "gone": None}
    now = {"trainer": {"lr": 0.2, "epochs": 3}, "new": 1}
    assert differences(then, now) == [
        "gone: None then, nothing now",
        "new: nothing then, 1 now",
        "trainer.lr: 0.1 then, 0.2 now",
    ]
    assert differences(then, then) == []

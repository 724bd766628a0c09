"""What an entry's file says: cards are read strictly, defaults are said once."""

import inspect
import json

import pytest

import zoo
from registry import DATASETS, MODELS, Entry
from zoo.catalogue import Card, blocks_of, card, parameters
from zoo.errors import ConfigError
from zoo.skeleton import load_layout
from zoo.training.config import TrainerConfig


def test_card_from_dict() -> None:
    made = Card.from_dict(
        "m",
        {
            "title": "M",
            "streams": ["position"],
            "published": [
                {
                    "dataset": "kimore/1",
                    "protocol": "p",
                    "metric": "mad",
                    "value": 1.0,
                    "table": "3",
                }
            ],
        },
    )
    assert made.streams == ("position",)
    assert made.published[0].value == 1.0


def test_unknown_key_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="'sumary'.*'summary'"):
        Card.from_dict("m", {"title": "M", "sumary": ""})


def test_published_number_without_its_table() -> None:
    with pytest.raises(ConfigError, match="table"):
        Card.from_dict("m", {"published": [{"dataset": "d", "metric": "mad", "value": 1.0}]})


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"title": [3]}, r"title is \[3\], expected text"),
        ({"year": "soon"}, "year is 'soon', expected a whole number"),
        ({"year": True}, "year is True"),
        ({"tags": [1.5]}, r"tags\[0\] is 1.5, expected text"),
        ({"streams": {"position": 3}}, "streams is .*expected a list"),
        ({"published": 3}, "published is 3, expected a list"),
        ({"published": [3]}, r"published\[0\] is 3, expected keys and values"),
    ],
)
def test_values_of_the_wrong_kind(block: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=rf"model 'm': card\.{words}"):
        Card.from_dict("m", block)


def test_one_text_is_a_list_and_nothing_is_the_default() -> None:
    made = Card.from_dict("m", {"streams": "position", "title": None, "published": None})
    assert made == Card("m", streams=("position",))


WITHOUT_DOI = {"jrg", "jrg-small", "yao2023", "yao2023-small"}
"""Their papers' DOIs could not be verified."""


@pytest.mark.parametrize("name", MODELS.names())
def test_every_model_has_a_card(name: str) -> None:
    made = card(name)
    assert made.title != name
    assert made.summary
    if "trivial" not in made.tags:
        assert all((made.year, made.licence))
        if not made.licence.startswith("the zoo's own"):  # which no paper describes
            assert made.paper
            assert made.doi or name in WITHOUT_DOI


ENTRIES = [*MODELS, *DATASETS]


def class_defaults(entry: Entry) -> dict[str, object]:
    signature = inspect.signature(entry.load()).parameters.values()
    return {p.name: p.default for p in signature if p.default is not p.empty}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: f"{e.kind}:{e.name}")
def test_parameters_are_those_of_the_class_under_those_of_the_file(entry: Entry) -> None:
    found = {**class_defaults(entry), **blocks_of(entry).get("params", {})}
    assert parameters(entry) == json.loads(json.dumps(found))


@pytest.mark.parametrize(
    "entry", [e for e in DATASETS if e.name != "kimore-camera-exact"], ids=lambda e: e.name
)
def test_a_dataset_has_the_defaults_of_its_class(entry: Entry) -> None:
    assert parameters(entry) == json.loads(json.dumps(class_defaults(entry)))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: f"{e.kind}:{e.name}")
def test_a_file_says_only_what_differs(entry: Entry) -> None:
    usual = {"params": class_defaults(entry), "trainer": vars(TrainerConfig())}
    for block, defaults in usual.items():
        for key, value in blocks_of(entry).get(block, {}).items():
            said = defaults[key]
            assert value != (list(said) if isinstance(said, tuple) else said), (block, key)


VARIANTS = (
    *("-small", "-svr", "-gp", "-trees", "-boosting"),
    *("-steps", "-repetitions", "-courses"),
)


@pytest.mark.parametrize("name", [n for n in MODELS.names() if not n.endswith(VARIANTS)])
def test_a_class_with_its_defaults_is_the_entry_with_its_own(name: str) -> None:
    entry = MODELS.get(name)
    built = entry.load()(load_layout("kinect-v2"))
    shapes = {key: value.shape for key, value in built.state_dict().items()}
    made = zoo.create_model(name)
    assert shapes == {key: value.shape for key, value in made.state_dict().items()}
    if name != "features-ridge":  # which shows the settings of its regressor
        assert not blocks_of(entry).get("params")


@pytest.mark.parametrize("kind", ["ridge", "svr", "gp", "trees", "boosting"])
def test_a_regressor_with_its_defaults_is_the_one_of_the_entry(kind: str) -> None:
    entry = MODELS.get(f"features-{kind}")
    built = entry.load()(load_layout("kinect-v2"), regressor=kind).regressor
    made = zoo.create_model(entry.name).regressor
    for settings in ("settings", "alphas"):
        assert getattr(built, settings, None) == getattr(made, settings, None)

"""Cards are read strictly."""

import pytest

from registry import MODELS, RegistryError
from zoo.catalogue import Card, card


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
    with pytest.raises(RegistryError, match="'sumary'.*'summary'"):
        Card.from_dict("m", {"title": "M", "sumary": ""})


def test_published_number_without_its_table() -> None:
    with pytest.raises(RegistryError, match="table"):
        Card.from_dict("m", {"published": [{"dataset": "d", "metric": "mad", "value": 1.0}]})


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"title": 3}, "title is 3, expected text"),
        ({"year": "soon"}, "year is 'soon', expected a number such as 2026"),
        ({"year": True}, "year is True"),
        ({"tags": [1]}, r"tags is \[1\], expected a list of texts"),
        ({"streams": {"position": 3}}, "streams is .*expected a list of texts"),
        ({"published": 3}, "published is 3, expected a list"),
        ({"published": [3]}, "published: a published number needs"),
    ],
)
def test_values_of_the_wrong_kind(block: dict[str, object], words: str) -> None:
    with pytest.raises(RegistryError, match=f"card of 'm': {words}"):
        Card.from_dict("m", block)


def test_one_text_is_a_list_and_nothing_is_the_default() -> None:
    made = Card.from_dict("m", {"streams": "position", "title": None, "published": None})
    assert made == Card("m", streams=("position",))


WITHOUT_DOI = {"jrg", "jrg-small"}
"""Their papers' DOIs could not be verified."""


@pytest.mark.parametrize("name", MODELS.names())
def test_every_model_has_a_card(name: str) -> None:
    made = card(name)
    assert made.title != name
    assert made.summary
    if "trivial" not in made.tags:
        assert all((made.paper, made.year, made.licence))
        assert made.doi or name in WITHOUT_DOI

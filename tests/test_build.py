"""The strict builder: what it takes, what it refuses, and in which words."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import pytest

from zoo.build import build, build_arguments, require_keys
from zoo.errors import ConfigError, DataError


@dataclass(frozen=True)
class Member:
    shorthand: ClassVar[str] = "name"
    name: str
    settings: tuple[str, ...] = field(default=(), metadata={"key": "set"})


@dataclass(frozen=True)
class Team:
    members: tuple[Member, ...]
    size: int = 1
    share: float = 0.5
    open: bool = False
    kind: Literal["small", "large"] = "small"
    note: str | None = None
    label: str | int = ""
    range: tuple[float, float] = (0.0, 1.0)
    extra: Mapping[str, int] = field(default_factory=dict)
    anything: Any = None


def test_values_become_what_the_fields_are():
    made = build(
        Team,
        {
            "members": ["a", {"name": "b", "set": ["x=1"]}],
            "share": 1,
            "note": "n",
            "label": 5,
            "range": [0, 50],
            "extra": {"k": 2},
            "anything": {1, 2},
        },
        "team",
    )
    assert made == Team(
        (Member("a"), Member("b", ("x=1",))),
        share=1.0,
        note="n",
        label=5,
        range=(0.0, 50.0),
        extra={"k": 2},
        anything={1, 2},
    )
    assert type(made.share) is float
    assert type(made.range[0]) is float


def test_a_whole_number_will_do_as_text_and_nothing_else():
    assert build(Member, {"name": 5}, "m").name == "5"
    with pytest.raises(ConfigError, match=r"^m.name is True, expected text$"):
        build(Member, {"name": True}, "m")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"members": [], "sise": 2}, "t has no key 'sise'. Did you mean 'size'?"),
        ({}, "t lacks members"),
        (5, "t is 5, expected keys and values"),
        ({"members": "ab"}, "t.members is 'ab', expected a list"),
        ({"members": [{"nam": "x"}]}, "t.members[0] has no key 'nam'. Did you mean 'name'?"),
        ({"members": [{"set": []}]}, "t.members[0] lacks name"),
        ({"members": [{"name": "x", "set": [1.5]}]}, "t.members[0].set[0] is 1.5, expected text"),
        ({"members": [], "size": True}, "t.size is True, expected a whole number"),
        ({"members": [], "size": 1.0}, "t.size is 1.0, expected a whole number"),
        ({"members": [], "size": "1"}, "t.size is '1', expected a whole number"),
        ({"members": [], "share": float("nan")}, "t.share is nan, expected a number"),
        ({"members": [], "share": None}, "t.share is None, expected a number"),
        ({"members": [], "open": 1}, "t.open is 1, expected true or false"),
        ({"members": [], "kind": "big"}, "t.kind is 'big', expected small or large"),
        ({"members": [], "note": 1.5}, "t.note is 1.5, expected text"),
        ({"members": [], "label": []}, "t.label is [], expected text or a whole number"),
        ({"members": [], "range": [1]}, "t.range is [1], expected a list of 2"),
        ({"members": [], "extra": {"k": "v"}}, "t.extra.k is 'v', expected a whole number"),
    ],
)
def test_what_does_not_fit_is_named(values, message):
    with pytest.raises(ConfigError) as raised:
        build(Team, values, "t")
    assert str(raised.value) == message


def test_the_error_can_be_another():
    with pytest.raises(DataError, match=r"^run.json lacks members$"):
        build(Team, {}, "run.json", error=DataError)


def test_keys_of_a_mapping():
    assert require_keys({"a": 1}, ["a", "b"], "w") == {"a": 1}
    with pytest.raises(ConfigError, match=r"w has no key 'c'. Known: a, b."):
        require_keys({"c": 1}, ["a", "b"], "w")
    with pytest.raises(ConfigError, match="w is 1, expected keys and values"):
        require_keys(1, ["a"], "w")


def test_arguments_are_checked_by_the_signature():
    def smooth(motion: object, sigma: float = 2.0, *, edges: str, anything=None) -> None: ...

    found = build_arguments(smooth, {"sigma": 3, "edges": "held"}, "transform smooth", skip=1)
    assert found == {"sigma": 3.0, "edges": "held", "anything": None}
    assert type(found["sigma"]) is float
    for values, said in (
        ({"sigm": 3, "edges": ""}, "transform smooth has no key 'sigm'. Did you mean 'sigma'"),
        ({"sigma": "3", "edges": ""}, "transform smooth.sigma is '3', expected a number"),
        ({}, "transform smooth lacks edges"),
        (3, "transform smooth is 3, expected keys and values"),
    ):
        with pytest.raises(ConfigError, match=said):
            build_arguments(smooth, values, "transform smooth", skip=1)


def test_unions_in_another_order_are_told_in_their_own():
    @dataclass(frozen=True)
    class Other:
        label: int | str = ""

    for kind, expected in ((Other, "a whole number or text"), (Team, "text or a whole number")):
        values = {"label": []} if kind is Other else {"members": [], "label": []}
        with pytest.raises(ConfigError, match=f"expected {expected}$"):
            build(kind, values, "t")

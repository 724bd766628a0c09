"""Studies as their files describe them, whole and cut short."""

from collections.abc import Callable
from typing import Any

import pytest

from registry import MODELS
from zoo.compose import compose
from zoo.errors import ConfigError
from zoo.study.definition import Study, study_names
from zoo.sweep.request import Entrant, Request


def settings_of(request: Request, entrant: Entrant) -> dict[str, Any]:
    """The composed configuration of a row."""
    return compose(
        model=entrant.name,
        dataset=request.dataset,
        protocol=request.protocols[0],
        overrides=(*request.settings, *entrant.settings),
    )


@pytest.mark.parametrize("name", study_names())
def test_every_study_composes_in_both_sizes(name: str) -> None:
    for study in (Study.load(name), Study.load(name).shortened(small=True)):
        assert study.title != name
        assert study.paper
        for protocol in study.protocols:
            for _, request in study.rows(protocol):
                (entrant,) = request.models
                settings_of(request, entrant)


@pytest.mark.parametrize(
    ("name", "protocol", "experiment"),
    [
        ("d2sta-kimore", "d2sta-paper", "d2sta_kimore"),
        ("d2sta-ablation", "d2sta-paper", "d2sta_kimore"),
        ("d2sta-uiprmd", "uiprmd-d2sta", "d2sta_uiprmd"),
    ],
)
def test_published_protocols_train_as_published(name: str, protocol: str, experiment: str) -> None:
    label, request = Study.load(name).rows(protocol)[0]
    published = compose(experiment=experiment)
    ours = settings_of(request, request.models[0])
    assert label in ("D2STA", "full")
    assert ours["trainer"] == published["trainer"]
    assert ours["model"] == published["model"]
    assert ours["protocol"] == published["protocol"]


def test_each_row_of_groups_and_heads_has_its_number() -> None:
    for name, key, labels in (
        ("d2sta-groups", "groups", [str(n) for n in range(2, 11)]),
        ("d2sta-heads", "heads", ["1", "2", "4", "8", "16"]),
    ):
        study = Study.load(name)
        assert study.report.rows == key
        for protocol in ("d2sta-paper", "person-kfold"):
            rows = dict(study.rows(protocol))
            assert list(rows) == labels
            for label, request in rows.items():
                assert settings_of(request, request.models[0])["model"][key] == int(label)


def test_the_small_models_keep_their_own_heads_only_where_the_row_does_not_name_them() -> None:
    rows = dict(Study.load("d2sta-heads").shortened(small=True).rows("person-kfold"))
    assert {r.models[0].name for r in rows.values()} == {"d2sta-small"}
    heads = [settings_of(r, r.models[0])["model"]["heads"] for r in rows.values()]
    assert heads == [1, 2, 4, 8, 16]


def test_what_is_cut_is_said(write_study: Callable[..., str]) -> None:
    whole = Study.load(write_study())
    assert whole.cuts == ()
    cut = whole.shortened(
        rows=["median"], small=True, exercises=["5"], folds=[1], seeds=[3],
        protocols=["person-kfold"], dataset="synthetic", settings=["trainer.epochs=5"],
    )  # fmt: skip
    assert cut.cuts == (
        "rows median only",
        "protocols person-kfold only",
        "exercises 5 only",
        "folds 1 only",
        "seeds 3 only",
        "on synthetic",
        "small variants of the models",
        "trainer.epochs=5",
    )
    ((label, request),) = cut.rows("person-kfold")
    assert label == "median"
    assert (request.dataset, request.folds, request.seeds) == ("synthetic", (1,), (3,))
    assert request.settings[-1] == "trainer.epochs=5"
    assert "median-small" not in MODELS


def test_rows_of_several_blocks_and_protocols(write_study: Callable[..., str]) -> None:
    blocks = [
        {"protocols": ["a", "b"], "models": [{"name": "mean", "label": "m", "protocols": ["b"]}]},
        {"protocols": ["b"], "models": ["median"]},
    ]
    study = Study.load(write_study(bench=blocks, report={}))
    assert study.protocols == ("a", "b")
    assert [label for label, _ in study.rows("a")] == []
    assert [label for label, _ in study.rows("b")] == ["m", "median"]
    with pytest.raises(ConfigError, match="nothing is left"):
        study.shortened(protocols=["a"], rows=["median"])


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ({"benhc": {}}, "no key 'benhc'"),
        ({"bench": {"modles": ["mean"]}}, "bench has no key 'modles'"),
        ({"bench": {"dataset": "kimore"}}, "bench.models is empty"),
        ({"bench": [{"models": ["mean"]}] * 2, "report": {}}, "two rows are called 'mean'"),
        ({"bench": {"models": ["mean"], "trainer_of": "kimore_board"}}, "has no trainer"),
        ({"report": {"figures": ["eror"]}}, "unknown 'eror'"),
        ({"report": {"reference": "the meen"}}, "Did you mean 'the mean'"),
    ],
)
def test_a_file_that_is_wrong(
    write_study: Callable[..., str], blocks: dict[str, Any], words: str
) -> None:
    name = write_study(**blocks)
    with pytest.raises(ConfigError) as refused:
        Study.load(name)
    assert words in str(refused.value)


def test_names_that_are_none(write_study: Callable[..., str]) -> None:
    study = Study.load(write_study())
    with pytest.raises(ConfigError, match="Did you mean 'd2sta-heads'"):
        Study.load("d2sta-head")
    with pytest.raises(ConfigError, match="no row 'the meen'"):
        study.shortened(rows=["the meen"])
    with pytest.raises(ConfigError, match="no protocol 'person-holdout'"):
        study.shortened(protocols=["person-holdout"])

"""Experiments as their files describe them, whole and cut short."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from registry import MODELS, UserError, config_names
from zoo.board.published import published_for
from zoo.catalogue import card
from zoo.cli.sweeping import whole_numbers
from zoo.compose import compose
from zoo.errors import ConfigError
from zoo.experiments.definition import Experiment
from zoo.experiments.schema import Row, UnderProtocol

DOCS = Path(__file__).resolve().parents[2] / "docs" / "experiments.md"


def row_of(experiment: Experiment, label: str) -> Row:
    return next(row for row in experiment.rows if row.label == label)


@pytest.mark.parametrize("name", config_names("experiment"))
def test_every_experiment_composes_in_both_sizes(name: str) -> None:
    for experiment in (Experiment.load(name), Experiment.load(name).cut(small=True)):
        assert experiment.card.title != name
        assert experiment.card.summary
        for under in experiment.protocols:
            for row in experiment.rows_under(under.name):
                experiment.config(row, under)


@pytest.mark.parametrize("name", config_names("experiment"))
def test_every_experiment_can_train_its_first_row(name: str) -> None:
    assert Experiment.load(name).training()["trainer"]["epochs"] > 0


@pytest.mark.parametrize(
    ("name", "published"),
    [
        (
            "d2sta-kimore",
            {
                "epochs": 100, "batch_size": 32, "optimizer": "adamw", "lr": 0.0001,
                "weight_decay": 0.0001, "schedule": "cosine", "warmup_epochs": 0,
                "grad_clip": None, "early_stopping": None, "precision": "fp32",
            },
        ),
        (
            "d2sta-uiprmd",
            {
                "epochs": 100, "batch_size": 1, "optimizer": "sgd", "lr": 0.1, "momentum": 0.0,
                "weight_decay": 0.0, "schedule": "cosine", "warmup_epochs": 0, "grad_clip": 1.0,
                "early_stopping": None, "precision": "fp32",
            },
        ),
    ],
)  # fmt: skip
def test_published_protocols_train_as_published(name: str, published: dict[str, Any]) -> None:
    experiment = Experiment.load(name)
    config = experiment.config(experiment.rows[0], experiment.protocols[0])
    assert {key: config["trainer"][key] for key in published} == published
    assert experiment.rows[0].label == "D2STA"
    alone = experiment.training()
    assert alone["trainer"] == config["trainer"]
    assert alone["model"] == config["model"]
    assert alone["protocol"] == config["protocol"]


def test_those_that_extend_another_train_alike() -> None:
    first, ablation = (Experiment.load(f"d2sta-{name}") for name in ("kimore", "ablation"))
    ours, theirs = (e.config(e.rows[0], e.protocols[0]) for e in (ablation, first))
    assert ablation.rows[0].label == "full"
    assert ours == theirs


def test_each_row_of_groups_and_heads_has_its_number() -> None:
    for name, key, labels in (
        ("d2sta-groups", "groups", [str(n) for n in range(2, 11)]),
        ("d2sta-heads", "heads", ["1", "2", "4", "8", "16"]),
    ):
        experiment = Experiment.load(name)
        assert experiment.report.rows == key
        for under in experiment.protocols:
            rows = experiment.rows_under(under.name)
            assert [row.label for row in rows] == labels
            for row in rows:
                assert experiment.config(row, under)["model"][key] == int(row.label)


def test_the_small_models_keep_their_own_heads_only_where_the_row_does_not_name_them() -> None:
    small = Experiment.load("d2sta-heads").cut(small=True, protocols=["person-kfold"])
    (under,) = small.protocols
    assert {row.model for row in small.rows} == {"d2sta-small"}
    heads = [small.config(row, under)["model"]["heads"] for row in small.rows]
    assert heads == [1, 2, 4, 8, 16]


def test_our_board_names_every_model_once_a_protocol() -> None:
    board = Experiment.load("kimore-board")
    honest = "person-kfold-refit"
    assert set(board.protocol_names) == {honest, "d2sta-paper"}
    for protocol in board.protocol_names:
        models = [row.model for row in board.rows_under(protocol)]
        assert len(set(models)) == len(models)
        assert "mean" in models
    epochs = {
        (row.model, under.name): board.config(row, under)["trainer"]["epochs"]
        for under in board.protocols
        for row in board.rows_under(under.name)
    }
    assert epochs["gru", "d2sta-paper"] == 5
    assert (epochs["aagcn-small", honest], epochs["aagcn-small", "d2sta-paper"]) == (30, 3)
    assert epochs["d2sta-small", honest] == 30
    assert {row.model for row in board.rows_under(honest)} >= {"kgn", "features-trees"}


def test_the_more_special_setting_wins(write_experiment: Callable[..., str]) -> None:
    name = write_experiment(
        set={"trainer.epochs": 1, "trainer.lr": 0.1, "trainer.batch_size": 1},
        protocols=[{"name": "person-kfold", "set": {"trainer.epochs": 2, "trainer.lr": 0.2}}],
        rows=[{"label": "a", "model": "gru", "set": {"trainer.epochs": 4}}],
        report={},
    )
    experiment = Experiment.load(name).cut(overrides=["trainer.lr=0.3", "trainer.epochs=3"])
    trainer = experiment.config(experiment.rows[0], experiment.protocols[0])["trainer"]
    assert (trainer["epochs"], trainer["lr"], trainer["batch_size"]) == (4, 0.3, 1)


def test_what_is_cut_is_said(write_experiment: Callable[..., str]) -> None:
    whole = Experiment.load(write_experiment())
    assert whole.cuts == ()
    cut = whole.cut(
        rows=["median"], small=True, exercises=["5"], folds=[1], seeds=[3],
        protocols=["person-kfold"], dataset="synthetic", overrides=["trainer.epochs=5"],
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
    (row,) = cut.rows
    assert row.label == "median"
    assert (cut.dataset, cut.folds, cut.seeds) == ("synthetic", (1,), (3,))
    assert cut.overrides[-1] == "trainer.epochs=5"
    assert "median-small" not in MODELS


def test_seeds_of_a_row_that_are_left(write_experiment: Callable[..., str]) -> None:
    rows = [{"model": "mean", "seeds": [0]}, "gru", {"model": "tcn", "set": {"model.width": 8}}]
    whole = Experiment.load(write_experiment(rows=rows, seeds=[0, 1, 2], report={}))
    cut = whole.cut(seeds=[1], folds=[0])
    assert cut.rows == (
        Row("mean", seeds=()), Row("gru"), Row("tcn", settings={"model.width": 8})
    )  # fmt: skip
    assert (cut.seeds, cut.folds) == ((1,), (0,))
    assert whole.cut() == whole


def test_rows_of_several_protocols(write_experiment: Callable[..., str]) -> None:
    rows = [{"model": "mean", "label": "m", "protocols": ["b"]}, "median"]
    experiment = Experiment.load(write_experiment(protocols=["a", "b"], rows=rows, report={}))
    assert experiment.protocol_names == ("a", "b")
    assert [row.label for row in experiment.rows_under("a")] == ["median"]
    assert [row.label for row in experiment.rows_under("b")] == ["m", "median"]
    with pytest.raises(ConfigError, match="nothing is left"):
        experiment.cut(protocols=["a"], rows=["m"])


def test_the_example_of_the_docs(write_experiment: Callable[..., str]) -> None:
    texts = re.findall(r"^```yaml\n(.*?)^```", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    for text in texts:
        experiment = Experiment.load(write_experiment(text))
        for under in experiment.protocols:
            for row in experiment.rows_under(under.name):
                experiment.config(row, under)
    assert any("published:" in text for text in texts)


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        ({"benhc": {}}, "no key 'benhc'"),
        ({"rosw": ["mean"]}, "no key 'rosw'. Did you mean 'rows'"),
        ({"seedz": [0]}, "no key 'seedz'. Did you mean 'seeds'"),
        ({"overrides": ["a=1"]}, "no key 'overrides'"),
        (
            {"rows": [{"model": "mean", "sets": {}}]},
            "rows[0] has no key 'sets'. Did you mean 'set'",
        ),
        ({"rows": [{"seeds": [0]}]}, "rows[0] lacks model"),
        ({"rows": []}, "rows is empty"),
        ({"rows": None}, "lacks rows"),
        ({"rows": ["mean"] * 2, "report": {}}, "two rows are called 'mean'"),
        ({"seeds": [-1]}, "-1 is no whole number"),
        ({"seeds": [True]}, "seeds[0] is True, expected a whole number"),
        ({"exercises": {"a": 1}}, "expected a list"),
        ({"report": {"figures": ["eror"]}}, "no figure is called 'eror'. Did you mean 'errors'"),
        ({"report": {"reference": "the meen"}}, "Did you mean 'the mean'"),
    ],
)
def test_a_file_that_is_wrong(
    write_experiment: Callable[..., str], blocks: dict[str, Any], words: str
) -> None:
    name = write_experiment(**blocks)
    with pytest.raises(UserError) as refused:
        Experiment.load(name)
    assert words in str(refused.value)


def test_circle_of_extends(write_experiment: Callable[..., str], tmp_path: Path) -> None:
    other = tmp_path / "configs" / "experiment" / "other.yaml"
    name = write_experiment("extends: other\n")
    other.write_text("extends: mine\n")
    with pytest.raises(ConfigError, match="mine -> other -> mine"):
        Experiment.load(name)
    other.write_text("extends: mime\n")
    with pytest.raises(ConfigError, match="experiment other extends 'mime', which is none"):
        Experiment.load(name)


def test_names_that_are_none(write_experiment: Callable[..., str]) -> None:
    experiment = Experiment.load(write_experiment())
    for name, near in (("d2sta-head", "d2sta-heads"), ("kimore-bord", "kimore-board")):
        with pytest.raises(ConfigError, match=f"Did you mean '{near}'"):
            Experiment.load(name)
    with pytest.raises(ConfigError, match="no row 'the meen'"):
        experiment.cut(rows=["the meen"])
    with pytest.raises(ConfigError, match="no protocol 'person-holdou'. Did you mean"):
        experiment.cut(protocols=["person-holdou"])


def test_a_protocol_that_is_not_the_experiments_is_taken_as_it_is() -> None:
    whole = Experiment.load("d2sta-kimore")
    cut = whole.cut(protocols=["person-holdout", "d2sta-paper"])
    assert cut.protocols == (whole.protocols[0], UnderProtocol("person-holdout"))
    assert cut.cuts == ("protocols person-holdout, d2sta-paper only",)
    row, under = cut.rows[0], cut.protocols[1]
    assert (
        cut.config(row, under)["trainer"]["epochs"] == compose(model="d2sta")["trainer"]["epochs"]
    )


def test_one_training_of_an_experiment() -> None:
    experiment = Experiment.load("d2sta-kimore")
    made = experiment.training()
    assert (made["model"]["name"], made["dataset"]["name"]) == ("d2sta", "kimore")
    assert (made["protocol"]["name"], made["seed"], made["fold"]) == ("d2sta-paper", 3407, 0)
    other = experiment.training(seed=7, fold=2, exercise="1", overrides=["trainer.epochs=3"])
    assert (other["seed"], other["fold"], other["dataset"]["exercise"]) == (7, 2, "1")
    assert (other["trainer"]["epochs"], other["trainer"]["lr"]) == (3, 1e-4)
    assert experiment.training(row="AAGCN")["model"]["name"] == "aagcn"
    assert experiment.training(model="stgcn-small")["model"]["name"] == "stgcn-small"
    assert (
        experiment.training(protocol="person-kfold")["trainer"]["epochs"]
        == (compose(model="d2sta")["trainer"]["epochs"])
    )
    with pytest.raises(ConfigError, match="no row 'AAGC'. Did you mean 'AAGCN'"):
        experiment.training(row="AAGC")


def test_models_by_name() -> None:
    grid = Experiment.of_models(["mean", "gru"], protocols=["a"], seeds=[1], overrides=["b=1"])
    assert grid.rows == (Row("mean"), Row("gru"))
    assert grid.protocols == (UnderProtocol("a"),)
    assert (grid.dataset, grid.seeds, grid.folds, grid.overrides) == (
        "synthetic", (1,), None, ("b=1",)
    )  # fmt: skip
    with pytest.raises(ConfigError, match="name the models that take part"):
        Experiment.of_models(None)


def test_numbers() -> None:
    assert whole_numbers(["0", "2", "2"], "--seeds") == (0, 2)
    with pytest.raises(ConfigError, match="--seeds: '1.5' is no whole number"):
        whole_numbers(["1.5"], "--seeds")


PUBLISHED: dict[str, Any] = {
    "exercises": None,
    "protocols": ["d2sta-paper"],
    "rows": [{"label": "D2STA", "model": "d2sta", "published": "D2STA"}, "stgcn"],
    "report": {},
    "published": {
        "table": "Table 3",
        "protocol": "d2sta-paper",
        "metrics": ["mad"],
        "changes": [
            {"row": "stgcn", "to": "D2STA", "metric": "mad", "percent": {"text": 5},
             "source": "text"},
        ],
    },
}  # fmt: skip


def test_published_numbers_are_complete() -> None:
    for name in config_names("experiment"):
        published = Experiment.load(name).published
        if published is not None:
            assert published.metrics
            assert published.ambiguity or len(published.units) == 1
            assert any(row.published for row in Experiment.load(name).rows)


def test_d2sta_holds_every_number_that_its_card_holds() -> None:
    rows = {row.name: row for row in published_for("kimore")}
    for number in card("d2sta").published:
        exercise = number.dataset.partition("/")[2]
        assert rows["D2STA"].metrics[exercise][number.metric] == number.value
    assert row_of(Experiment.load("d2sta-kimore"), "D2STA").published == "D2STA"


def test_the_papers_contradiction_is_kept() -> None:
    ablation = Experiment.load("d2sta-ablation")
    assert ablation.published is not None
    percent = {change.row: dict(change.percent) for change in ablation.published.changes}
    assert percent["no grouping module"] == {"text": 90, "conclusions": 64}
    assert percent["position only"] == {"text": 64, "conclusions": 90}
    published = {row.name: row for row in published_for("kimore")}
    single = published[str(row_of(ablation, "position only").published)]
    assert single.metrics == {"mean": {"rmse": 0.406}}
    first = Experiment.load("d2sta-kimore").published
    assert first is not None
    assert ablation.published.units == first.units
    assert not ablation.published.missing


def test_a_comparison_of_ones_own(write_experiment: Callable[..., str]) -> None:
    mine = Experiment.load(write_experiment(**PUBLISHED))
    assert mine.published is not None
    assert (mine.published.beside, mine.published.units) == ("", ("points",))
    assert mine.published.changes[0].percent == {"text": 5}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("protocol: d2sta-paper", "{}", "published lacks protocol"),
        ("table: Table 3", "{}", "published lacks table"),
        ("protocol: d2sta-paper", "protocol: d2sta-pape", "Did you mean 'd2sta-paper'"),
        ("table: Table 3", "tables: [3]\n  table: Table 3", "no key 'tables'"),
        ("published: D2STA", "published: D2ST", "no row 'D2ST' is published"),
        ("- mad", "- mae", "no metric 'mae'"),
        ("row: stgcn", "row: STGCN", "no row 'STGCN'"),
        ("text: 5", "text: five", "expected a number"),
        ("source: text", "{}", "lacks source"),
        ("table: Table 3", "units: [metres]\n  table: Table 3", "is 'metres', expected points"),
    ],
)
def test_what_is_not_published_is_named(
    write_experiment: Callable[..., str], tmp_path: Path, old: str, new: str, words: str
) -> None:
    name = write_experiment(**PUBLISHED)
    file = tmp_path / "configs" / "experiment" / "mine.yaml"
    assert old in file.read_text()
    lines = file.read_text().replace(old, new).splitlines()
    text = "\n".join(line for line in lines if line.strip() != "{}")
    assert yaml.safe_load(text)
    write_experiment(text)
    with pytest.raises(UserError, match=re.escape(words)):
        Experiment.load(name)

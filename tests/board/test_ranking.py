"""The board's numbers: ranks, ties, intervals, what is undefined, and what a leak means."""

import json
import math
import shlex
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

import zoo
from registry.yaml_files import read_yaml
from zoo.board.board import Incomplete
from zoo.board.leaderboard import build_board
from zoo.build import to_plain
from zoo.cli.board_table import print_board
from zoo.cli.console import console
from zoo.cli.main import main
from zoo.errors import DataError
from zoo.files import to_json
from zoo.report.publish import document
from zoo.runs.run import load_run


def board(root, public=False, **chosen):
    return build_board(root, public=public, **chosen)


def section(root, **chosen):
    (only,) = board(root, **chosen).sections
    return only


@pytest.fixture
def store(make_store):
    return make_store(persons=24)


def test_models_are_ranked_by_mean_mad_and_ties_are_called_ties(store):
    store.entry("d2sta", error=2.0)
    store.entry("gru", error=2.0)
    store.entry("aagcn", error=8.0)
    store.entry("mean", constant=True, closed_form=True)
    found = section(store.root)
    entries = found.ranked
    assert [e.rank for e in entries] == [1, 2, 3, 4]
    values = [e.mad for e in entries]
    assert values == sorted(values)
    tied = {e.name: e.tied_with_best for e in entries}
    assert tied == {"d2sta": True, "gru": True, "aagcn": False, "mean": False}
    assert entries[0].versus_best is None
    assert entries[2].versus_best.significant
    for entry in entries:
        assert entry.rank_low <= entry.rank <= entry.rank_high
        mad = entry.metrics["mean"]["mad"]
        assert mad.low <= mad.value <= mad.high
    json.dumps(to_plain(found), allow_nan=False)


def test_metrics_are_those_of_the_pooled_predictions(store):
    store.entry("d2sta", seeds=(0, 1))
    (entry,) = section(store.root).ranked
    mads, rhos = {}, {}
    for exercise in store.exercises:
        for seed in (0, 1):
            rows = np.concatenate(
                [
                    np.genfromtxt(path / "predictions.csv", delimiter=",", dtype=str, skip_header=1)
                    for path in store.root.glob(f"kimore/{exercise}/*/d2sta/fold*-seed{seed}-*")
                ]
            )
            test = rows[rows[:, 0] == "test"]
            true, predicted = test[:, 5].astype(float), test[:, 6].astype(float)
            mads[exercise, seed] = np.abs(true - predicted).mean()
            rhos[exercise, seed] = spearmanr(true, predicted).statistic
    for exercise in store.exercises:
        found = entry.metrics[exercise]
        assert found["mad"].value == pytest.approx(np.mean([mads[exercise, 0], mads[exercise, 1]]))
        assert found["spearman"].value == pytest.approx(
            np.mean([rhos[exercise, 0], rhos[exercise, 1]])
        )
    assert entry.mad == pytest.approx(np.mean(list(mads.values())))
    assert entry.spread.seeds == pytest.approx(
        np.std([np.mean([mads[e, s] for e in store.exercises]) for s in (0, 1)], ddof=1)
    )


def test_the_mean_score_orders_nobody_and_is_compared_with_nothing(store):
    store.entry("d2sta")
    store.entry("mean", constant=True, closed_form=True)
    entries = {e.name: e for e in section(store.root).ranked}
    mean = entries["mean"]
    assert all(map(math.isnan, mean.metrics["mean"]["spearman"]))
    assert mean.mean_score
    assert mean.versus_mean is None
    assert mean.better_than_mean.value == pytest.approx(0, abs=1e-4)
    better = entries["d2sta"].better_than_mean.value
    ratio = [e.mad for e in (entries["d2sta"], mean)]
    assert better == pytest.approx(100 * (1 - ratio[0] / ratio[1]), abs=1e-3)
    assert entries["d2sta"].versus_mean.significant
    assert mean.family == "trivial"
    assert entries["d2sta"].family == "graph"


def test_incomplete_entries_stand_apart(store):
    store.entry("d2sta")
    store.run("stgcn", "1", 0)
    found = section(store.root)
    assert [e.name for e in found.ranked] == ["d2sta"]
    (apart,) = found.incomplete
    run = load_run(next(store.root.glob("*/1/*/stgcn/*")))
    assert apart.metrics == {name: pytest.approx(run.test[name]) for name in apart.metrics}
    assert list(apart.metrics) == ["mad", "rmse", "mape", "spearman"]
    assert apart.mean_score == pytest.approx(run.baseline_test["mad"], abs=1e-4)
    assert replace(apart, metrics={}, mean_score=0.0) == Incomplete(
        name="stgcn",
        model="stgcn",
        have=1,
        expected=4,
        missing=["fold 1 of exercise 1, seed 0", "all folds of exercise 5, seed 0"],
        reason="runs are missing",
        tested_on="exercise 1, fold 0",
        persons=12,
        metrics={},
        mean_score=0.0,
    )
    assert found.completing == [
        f"zoo bench --models stgcn --dataset kimore --protocol person-kfold --exercises 1 5 "
        f"--runs {store.root} --seeds 0 "
        + shlex.quote(f"protocol.split={json.dumps(run.record.protocol.params['split'])}")
    ]


def test_the_command_that_completes_a_board_does(tmp_path):
    grid = {"dataset": "synthetic", "exercise": "5", "runs": tmp_path / "runs"}
    settings = {"protocol.frames": 16, "protocol.split.folds": 2, "dataset.people": 12}
    for model, more in (("mean", {}), ("ridge-pose", {"model.alphas": [1.0, 10.0]})):
        zoo.train(model, **grid, data_root=tmp_path, overrides={**settings, **more})
    found = section(tmp_path / "runs")
    assert not found.ranked
    assert [apart.have for apart in found.incomplete] == [1, 1]
    assert len(found.completing) == 2, "settings differ"
    for command in found.completing:
        program, *words = shlex.split(command)
        assert program == "zoo"
        assert main([*words, "--data-root", str(tmp_path), "--jobs", "1"]) == 0
    whole = section(tmp_path / "runs")
    assert not whole.incomplete
    assert whole.completing == []
    assert [len(entry.runs) for entry in whole.ranked] == [2, 2]


def test_a_public_board_names_no_folder_of_the_machine(store):
    store.entry("d2sta")
    store.run("stgcn", "1", 0)
    store.run("own", "1", 0, owner="/home/me/own.py")
    found = section(store.root)
    plugin, plain = found.completing
    assert "--models own" in plugin
    assert "--plugin /home/me/own.py" in plugin
    assert "--models stgcn" in plain
    (public,) = section(store.root, public=True).completing
    assert "--models stgcn" in public
    assert str(store.root) not in public
    every = document(board(store.root), "md") + document(board(store.root), "html")
    assert every.count("zoo bench") == 4
    print_board(console(), board(store.root))


def test_provisional_entries_of_the_same_people_stand_together_best_first(store):
    for model, error in (("stgcn", 9.0), ("gru", 1.0), ("tcn", 4.0)):
        store.run(model, "1", 0, error=error)
    store.run("aagcn", "5", 0, error=0.1)
    found = section(store.root)
    assert [a.name for a in found.incomplete] == ["gru", "tcn", "stgcn", "aagcn"]


def test_failed_runs_say_why_an_entry_is_incomplete(store):
    store.entry("d2sta")
    path = store.run("stgcn", "1", 0)
    config = read_yaml(path / "config.yaml")
    for exercise, fold, trainer in (("1", 1, {}), ("5", 0, {}), ("5", 1, {"lr": 9.0})):
        folder = path.parents[3] / exercise / path.parents[1].name / path.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        failed = {**config, "fold": fold, "trainer": {**config["trainer"], **trainer}}
        (folder / f"fold{fold}-seed0-00000000.failed.json").write_bytes(
            to_json({"config": failed, "error": "the loss is no longer finite in /home/me/x.py"})
        )
    (path.parent / "fold9-seed0-00000000.failed.json").write_text("{")
    (apart,) = section(store.root).incomplete
    assert apart.reason == "2 failed: the loss is no longer finite in /home/me/x.py"
    (apart,) = section(store.root, public=True).incomplete
    assert apart.reason == "2 failed"


def test_nothing_complete_is_still_a_board(store):
    store.run("stgcn", "1", 0)
    found = section(store.root)
    assert found.ranked == []
    assert found.friedman is None
    assert found.persons == 12


def test_friedman_needs_three_models(store):
    store.entry("d2sta")
    store.entry("stgcn")
    assert section(store.root).friedman is None
    store.entry("aagcn", error=9.0)
    test = section(store.root).friedman
    assert test.blocks == 4
    assert test.mean_ranks[-1][0] == "aagcn"
    assert test.mean_ranks[-1][1] == 3.0


def test_a_public_board_has_nothing_of_a_person(store):
    store.entry("d2sta")
    store.entry("tempo", owner="/home/somebody/tempo.py")
    private, public = board(store.root), board(store.root, public=True)
    (row, _) = private.sections[0].ranked
    assert len(row.points["1"]) == 24
    assert {group for group, _, _ in row.points["1"]} == {"CG", "GPP"}
    assert all(e.points is None for e in public.sections[0].ranked)
    text = json.dumps(to_plain(public))
    for person in store.persons:
        assert person not in text
    assert "somebody" not in text
    assert "tempo.py" in text
    assert str(store.root) not in text


def test_small_groups_have_no_error_on_a_public_board(make_store):
    store = make_store(persons=8)
    store.entry("d2sta")
    assert set(section(store.root).ranked[0].by_group) == {"CG", "GPP"}
    assert section(store.root, public=True).ranked[0].by_group == {}


def test_a_leaky_board_says_what_its_numbers_mean(make_store):
    store = make_store(protocol="d2sta-paper", pieces=10)
    store.entry("d2sta", error=0.4)
    found = section(store.root)
    assert "do not say how well" in found.meaning
    assert any("knn-bones" in note and "zoo bench" in note for note in found.notes)
    store.entry("knn-bones", error=0.5, closed_form=True)
    found = section(store.root)
    bones = next(e for e in found.ranked if e.name == "knn-bones")
    off = bones.mad
    assert f"is off by {off:.2f} points here" in found.meaning
    assert bones.leak_reference
    assert not any("knn-bones" in note for note in found.notes)


def test_honest_and_leaky_boards_are_paired(make_store):
    honest = make_store()
    honest.entry("d2sta", error=6.0)
    honest.entry("stgcn", error=7.0)
    leaky = make_store(protocol="d2sta-paper", pieces=10)
    leaky.entry("d2sta", error=0.4)
    leaky.entry("gru", error=0.4)
    found = board(honest.root)
    assert [s.protocol.leaky for s in found.sections] == [False, True]
    (pair,) = found.pairs
    assert (pair.honest, pair.leaky) == ("person-kfold", "d2sta-paper")
    (entry,) = pair.models
    assert entry.name == "d2sta"
    assert entry.honest_mad > 3 * entry.leaky_mad


def test_the_only_entries_of_a_model_are_paired_where_settings_differ(make_store):
    honest = make_store()
    honest.entry("gru", error=6.0)
    for error, epochs in ((5.0, 10), (7.0, 20)):
        honest.entry("tcn", error=error, trainer={"epochs": epochs})
    leaky = make_store(protocol="d2sta-paper", pieces=10)
    leaky.entry("gru", error=0.4, trainer={"epochs": 5})
    leaky.entry("tcn", error=0.4, trainer={"epochs": 5})
    (pair,) = board(honest.root).pairs
    assert [entry.name for entry in pair.models] == ["gru"]


def test_each_leaky_board_is_paired_with_the_honest_one_that_shares_most_models(make_store):
    few = make_store()
    few.entry("d2sta")
    for protocol in ("leave-one-person-out", "stgcn-rehab", "d2sta-paper"):
        store = make_store(protocol=protocol, pieces=1 if protocol.startswith("leave") else 10)
        store.entry("d2sta")
        store.entry("gru")
    found = board(few.root)
    assert {(pair.leaky, pair.honest) for pair in found.pairs} == {
        ("stgcn-rehab", "leave-one-person-out"),
        ("d2sta-paper", "leave-one-person-out"),
    }
    assert {model.name for model in found.pairs[0].models} == {"d2sta", "gru"}


def test_a_strangers_model_of_the_references_name_is_no_reference(make_store):
    store = make_store(protocol="d2sta-paper", pieces=10)
    store.entry("knn-bones", owner="somebody-else 1.0", closed_form=True)
    found = section(store.root)
    assert not any(entry.leak_reference for entry in found.ranked)
    assert any("--models knn-bones" in note for note in found.notes)


def test_boards_of_other_data_are_not_paired(make_store):
    honest = make_store()
    honest.entry("d2sta")
    make_store(protocol="d2sta-paper", pieces=10, fingerprint="e" * 64).entry("d2sta")
    assert board(honest.root).pairs == []


def test_one_board_has_one_fingerprint_and_one_protocol_hash(make_store):
    store = make_store()
    store.entry("d2sta")
    store.entry("stgcn")
    make_store(fingerprint="e" * 64).entry("aagcn")
    make_store(overrides=["protocol.frames=50"]).entry("gru")
    found = section(store.root)
    assert {e.name for e in found.ranked} == {"d2sta", "stgcn"}
    notes = " ".join(found.notes)
    assert "--fingerprint eeeeeeee" in notes
    assert "--protocol-hash" in notes
    other = section(store.root, fingerprint="eeee")
    assert [e.name for e in other.ranked] == ["aagcn"]
    with pytest.raises(DataError, match="no finished run of fingerprint 1234"):
        board(store.root, fingerprint="1234")


def test_runs_of_one_entry_by_several_versions_of_its_code_are_noted(store):
    store.entry("d2sta")
    store.run("d2sta", "1", 0, code="d" * 64)
    assert any("more than one version" in note for note in section(store.root).notes)


def test_who_learnt_all_exercises_together_is_noted(store):
    store.entry("d2sta", trainer={"exercises": "all"})
    store.entry("stgcn")
    (note,) = [n for n in section(store.root).notes if "other exercises" in n]
    assert "d2sta" in note
    assert "stgcn" not in note


def test_fewer_seeds_are_noted(store):
    store.entry("d2sta", seeds=(0, 1))
    store.entry("stgcn")
    store.entry("mean", constant=True, closed_form=True)
    (note,) = [n for n in section(store.root).notes if "seeds" in n]
    assert note == "Trained with fewer than 2 seeds: stgcn (1)."


def test_an_unnamed_person_is_noted(store):
    for path in store.entry("d2sta"):
        table = path / "predictions.csv"
        text = table.read_text()
        for person in store.persons:
            text = text.replace(f",{person},", ",,")
        table.write_text(text)
    assert any("does not say who performs" in note for note in section(store.root).notes)


def test_exercises_with_unlike_folds_have_no_spread_of_folds(make_store):
    store = make_store(protocol="leave-one-person-out", persons=6, exercises=("1",))
    store.entry("knn-dtw", seeds=(0, 1))
    small = make_store(protocol="leave-one-person-out", persons=5, exercises=("5",))
    small.entry("knn-dtw", seeds=(0, 1))
    (entry,) = section(store.root).ranked
    assert math.isnan(entry.spread.folds)
    assert entry.spread.seeds > 0


def test_a_plugin_is_named_with_its_distribution_and_version(store):
    store.entry("tempo", owner="tempo-wheel 0.2")
    (entry,) = section(store.root).ranked
    assert entry.source == "tempo-wheel 0.2"
    assert not entry.builtin
    assert entry.family == "other"
    assert entry.title == "tempo"


def test_another_model_of_a_built_in_name_does_not_get_its_card(store):
    store.entry("gru", owner="somebody-else 1.0")
    (entry,) = section(store.root).ranked
    assert entry.title == "gru"
    assert entry.paper == ""


def test_one_person_alone_gives_numbers_and_no_test(make_store):
    store = make_store(persons=1, exercises=("1",), protocol="d2sta-paper", pieces=10)
    store.entry("d2sta")
    store.entry("stgcn")
    entries = section(store.root).ranked
    assert len(entries) == 2
    assert all(e.versus_mean is None for e in entries)
    assert math.isfinite(entries[0].mad)


def test_unreadable_folders_are_listed_without_the_machines_folders(store):
    store.entry("d2sta")
    bad = store.run("stgcn", "1")
    (bad / "run.json").write_text("{")
    (problem,) = board(store.root).unreadable
    assert problem.path == bad.relative_to(store.root).as_posix()
    assert str(store.root) not in problem.reason


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(DataError, match="holds no finished run that can be ranked"):
        board(tmp_path)


def test_right_or_wrong_is_ranked_by_the_auc_pooled_over_folds(make_store):
    store = make_store(persons=40, dataset="irds-simplified", exercises=("0", "1"))
    store.entry("gru", error=0.3)
    store.entry("tcn", error=0.35)
    store.entry("aagcn", error=3.0)
    store.entry("mean", constant=True, closed_form=True)
    found = section(store.root)
    assert [m.name for m in found.metrics] == ["auc", "mad", "rmse", "balanced-accuracy", "f1"]
    order = [entry.name for entry in found.ranked]
    values = [entry.metrics["mean"]["auc"].value for entry in found.ranked]
    assert values == sorted(values, reverse=True)
    assert set(order[:2]) == {"gru", "tcn"}
    assert [entry.rank for entry in found.ranked] == [1, 2, 3, 4]
    tied = {entry.name: entry.tied_with_best for entry in found.ranked}
    assert tied == {"gru": True, "tcn": True, "aagcn": False, "mean": False}
    mean = next(entry for entry in found.ranked if entry.mean_score)
    assert mean.metrics["mean"]["auc"] == (0.5, 0.5, 0.5), "its order of folds says nothing"
    gru = next(entry for entry in found.ranked if entry.name == "gru")
    assert gru.metrics["mean"]["auc"].low > 0.5
    assert math.isnan(gru.better_than_mean.value)
    assert found.friedman is None
    pooled = []
    for exercise in store.exercises:
        rows = [load_run(p).tested for p in store.root.glob(f"*/{exercise}/*/gru/fold*")]
        true, predicted = (
            np.concatenate([getattr(r, name) for r in rows]) for name in ("true", "predicted")
        )
        pooled.append(roc_auc_score(true, predicted))
    assert gru.metrics["mean"]["auc"].value == pytest.approx(np.mean(pooled))
    json.dumps(to_plain(found), allow_nan=False)


def test_every_form_of_a_board_of_right_and_wrong_is_written(make_store, capsys):
    store = make_store(persons=20, dataset="irds-simplified", exercises=("0",))
    store.entry("gru", error=0.3)
    store.entry("mean", constant=True, closed_form=True)
    found = board(store.root)
    for kind in ("md", "csv", "html", "json"):
        text = document(found, kind)
        assert "AUC" in text or "auc" in text
        assert "MAPE %" not in text
    print_board(console(), found)
    out = capsys.readouterr().out
    assert "balanced acc." in out
    assert "Spearman" not in out


def test_one_class_alone_ranks_nobody_and_breaks_nothing(make_store, monkeypatch):
    store = make_store(persons=8, dataset="irds-simplified", exercises=("0",))
    monkeypatch.setattr(store, "true", lambda exercise: np.ones(8))
    store.entry("gru", error=0.3)
    store.entry("tcn", error=0.3)
    found = section(store.root)
    assert [(e.rank, e.rank_low, e.rank_high) for e in found.ranked] == [(1, 1, 2), (2, 1, 2)]
    assert math.isnan(found.ranked[0].metrics["mean"]["auc"].value)

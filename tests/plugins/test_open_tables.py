"""What a plug-in adds stands beside what is built in: the examples of docs/extending.md at work."""

import json
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import zoo
from registry import HEADS, METRICS, REGISTRIES, RegistryError, add_plugin
from zoo.cli.main import main
from zoo.data.readers import readers_of
from zoo.errors import ConfigError, LeakageError
from zoo.evaluation.metrics import board_metrics, load_metric
from zoo.evaluation.statistics import Table, bootstrap
from zoo.explain.methods import attribute
from zoo.explain.sample import samples_of
from zoo.prediction import Predictor
from zoo.protocol.explain import explain
from zoo.protocol.protocol import load_protocol
from zoo.runs.intervals import run_calibration
from zoo.runs.key import RunKey
from zoo.runs.verify import run_faults

PAGE = Path(__file__).resolve().parents[2] / "docs" / "extending.md"
HEADS_PAGE = PAGE.with_name("heads.md")
SMALL = {"dataset.people": 12, "protocol.frames": 16, "protocol.split.folds": 2}


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def plug_in(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Adds a file of the page, or a given text under its name; taken back after the test."""
    page = PAGE.read_text(encoding="utf-8") + HEADS_PAGE.read_text(encoding="utf-8")
    before = {kind: list(r.added) for kind, r in REGISTRIES.items()}

    def put(name: str, text: str | None = None, folder: str = "plugins") -> Path:
        found = re.search(rf"^```python\n(# {name}\n.*?)^```", page, re.MULTILINE | re.DOTALL)
        file = tmp_path / folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text or (found[1] if found else ""))
        add_plugin(file)
        return file

    yield put
    for kind, r in REGISTRIES.items():
        known = {name for name, _ in before[kind]}
        for name in {name for name, _ in r.added} - known:
            r.forget(name)


def train(data: Path, tmp_path: Path, model: str = "mean", **overrides: object):
    return zoo.train(
        model,
        "synthetic",
        exercise="5",
        overrides={**SMALL, **overrides},
        runs=tmp_path / "runs",
        data_root=data,
    )


def test_a_metric_stands_in_runs_tables_and_statistics(plug_in, data, tmp_path, capsys):
    old = train(data, tmp_path, **{"protocol.split.seed": 1})
    file = plug_in("close.py")
    assert list(board_metrics()) == ["mad", "rmse", "mape", "spearman", "close"]
    assert board_metrics()["close"].digits((0, 50)) == 1
    run = train(data, tmp_path)
    table = run.test_scores
    off = np.abs(table.true - table.predicted)
    record = json.loads((run.path / "run.json").read_text())
    assert record["metrics"]["test"]["recording"]["close"] == pytest.approx(100 * (off <= 3).mean())
    assert run_faults(run.path) == []
    assert run_faults(old.path) == [], "the metric is younger than the run"
    assert main(["evaluate", str(run.path), "--data-root", str(data)]) == 0
    assert "within 3 %" in capsys.readouterr().out
    rows = Table("5", 0, table.person, table.true, table.predicted)
    right = Table("5", 0, table.person, table.true, table.true)
    drawn = bootstrap({"mean": [rows], "right": [right]})
    value, low, high = drawn.interval("mean", "close")
    assert value == pytest.approx(100 * (off <= 3).mean())
    assert low <= value <= high
    assert drawn.ranks("close")["right"].rank == 1, "more is better"
    assert METRICS.get("close").owner == str(file)


def test_a_metric_without_a_formula_is_resampled(plug_in):
    plug_in(
        "worst.py",
        "from registry import register_metric\nfrom zoo.evaluation.metrics import Metric\n\n"
        '@register_metric("worst")\nclass Worst(Metric):\n'
        "    def value(self, true, predicted):\n        return abs(true - predicted).max()\n",
    )
    person = [f"p{i}" for i in range(8)]
    true = np.linspace(10, 40, 8)
    table = Table("1", 0, person, true, true + np.arange(8))
    value, low, high = bootstrap({"m": [table]}, ["worst"], resamples=200).interval("m", "worst")
    assert value == load_metric("worst")(table.true, table.predicted) == 7
    assert low < 7 <= high
    assert math.isnan(load_metric("worst")([], []))


def test_a_split_and_a_stratum_enter_hash_words_and_run(plug_in, data, tmp_path):
    file = plug_in("clinics.py")
    other = {"kind": "group-out", "stratify": ["length"]}
    protocol = load_protocol("person-kfold", split=other, selection="last")
    assert "groups GPP/Stroke and GPP/Parkinson are tested" in explain(protocol)["split"]
    assert protocol.split.num_folds([]) == 2
    assert protocol.to_dict()["split"]["groups"] == ["GPP/Stroke", "GPP/Parkinson"]
    overrides = {"protocol.split": other, "protocol.selection": "last"}
    del (small := dict(SMALL))["protocol.split.folds"]
    run = zoo.train(
        "mean", "synthetic", exercise="5", overrides={**small, **overrides},
        runs=tmp_path / "runs", data_root=data,
    )  # fmt: skip
    assert set(run.test_scores.group) == {"GPP/Stroke"}
    stored = json.loads((run.path / "run.json").read_text())["protocol"]
    assert stored["hash"] != load_protocol("person-kfold").hash()
    assert stored["params"]["split"]["kind"] == "group-out"
    assert run_faults(run.path) == []
    kfold = load_protocol("person-kfold", split={"stratify": ["group", "length"]})
    assert kfold.hash() != load_protocol("person-kfold").hash()
    for wrong, said in (
        ({"kind": "group-out", "group": ["a"]}, "split has no key 'group'. Did you mean 'groups'"),
        ({"kind": "group-out", "groups": "a"}, "split.groups is 'a', expected a list"),
        ({"kind": "group-aut"}, "split.kind is 'group-aut'.*Did you mean 'group-out'"),
    ):
        with pytest.raises(ConfigError, match=said):
            load_protocol("person-kfold", split=wrong)
    hashes = {protocol.hash()}
    text = file.read_text()
    for r in REGISTRIES.values():
        for name in ("group-out", "length"):
            r.forget(name)
    plug_in("clinics.py", text, "elsewhere")
    hashes.add(load_protocol("person-kfold", split=other, selection="last").hash())
    assert len(hashes) == 1, "the same file in another place is the same rule"
    for r in REGISTRIES.values():
        for name in ("group-out", "length"):
            r.forget(name)
    plug_in("clinics.py", text + "\n# changed\n", "changed")
    hashes.add(load_protocol("person-kfold", split=other, selection="last").hash())
    assert len(hashes) == 2, "another file is another rule"


def test_a_split_is_judged_by_the_gate(plug_in, data, tmp_path):
    plug_in(
        "sly.py",
        "from dataclasses import dataclass\nfrom registry import register_split\n"
        "from zoo.protocol.split import Split\nfrom zoo.protocol.splits import SplitRule\n\n"
        '@register_split("sly")\n@dataclass(frozen=True)\nclass Sly(SplitRule):\n'
        '    """Says that it is honest."""\n    splits_samples = False\n\n'
        "    def num_folds(self, columns):\n        return 1\n\n"
        "    def split(self, samples, fold):\n"
        "        return Split.of(samples, range(len(samples)), [], [0])\n\n"
        '    def describe(self):\n        return "Nobody is seen twice, honestly."\n',
    )
    with pytest.raises(LeakageError, match="1 of 1 test persons also stand in training"):
        zoo.train(
            "mean", "synthetic", exercise="5",
            overrides={
                "dataset.people": 12, "protocol.split": {"kind": "sly"},
                "protocol.selection": "last",
            },
            runs=tmp_path / "runs", data_root=data,
        )  # fmt: skip


def test_a_head_with_a_loss_of_its_own_stands_everywhere(plug_in, data, tmp_path, capsys):
    """In a run and its key, on a board, in a prediction with its interval."""
    file = plug_in("absolute.py")
    quick = {"model.head": "absolute", "model.hidden": 8, "trainer.epochs": 2}
    more = {"dataset.people": 20, "protocol.split.validation": 0.4}
    runs = [
        zoo.train(
            "gru", "synthetic", exercise="5", fold=fold, runs=tmp_path / "runs", data_root=data,
            overrides={**SMALL, **quick, **more},
        )
        for fold in (0, 1)
    ]  # fmt: skip
    key = json.loads((runs[0].path / "checkpoint.json").read_text())["key"]
    assert list(key["code"]) == ["head absolute"]
    assert run_faults(runs[0].path) == []
    assert zoo.evaluate(runs[0].path, data_root=data).agrees
    (section,) = zoo.leaderboard(tmp_path / "runs").sections
    assert "head=absolute" in section.ranked[0].name
    first = next(iter(zoo.load_dataset("synthetic", data, people=20)))
    joints = tmp_path / "one.take"
    np.savetxt(joints, 1000 * first.positions.reshape(len(first.positions), -1), delimiter=",")
    plug_in("takes.py")
    (scored,) = zoo.predict(runs[0], [joints], dataset="takes", data_root=data)
    assert math.isfinite(scored.score)
    assert run_calibration(runs[0], 0.5).finite, "intervals of its validation people"
    before = runs[0].record.key_hash
    text = file.read_text().replace(".abs().mean()", ".abs().sum()")
    config = runs[0].record.config
    plug_in("absolute.py", text, folder="edited")
    with pytest.raises(RegistryError, match="claimed by"):
        HEADS.get("absolute").load()
    HEADS.forget("absolute")
    plug_in("absolute.py", text, folder="edited")
    edited = RunKey.of(config, fingerprint="f", layout="l", protocol_hash="p")
    assert edited.hash != before
    assert edited.code != key["code"]


def test_a_transform_is_checked_and_hashed(plug_in, data, tmp_path):
    plug_in("mirror.py")
    twice = {"protocol.transforms": ["repair-jumps", {"mirror": {"times": 2}}, "center"]}
    run = train(data, tmp_path, "ridge-pose", **twice)
    assert {"mirror": {"times": 2}} in run.record.config["protocol"]["transforms"]
    plain = train(
        data, tmp_path, "ridge-pose", **{"protocol.transforms": ["repair-jumps", "center"]}
    )
    np.testing.assert_allclose(run.scores.predicted, plain.scores.predicted)
    assert run.record.protocol.hash != plain.record.protocol.hash
    once, two = (
        load_protocol("person-kfold", transforms=[{"mirror": {"times": n}}]) for n in (1, 2)
    )
    assert once.hash() == load_protocol("person-kfold", transforms=["mirror"]).hash() != two.hash()
    assert "after mirror on the whole recording" in explain(once)["samples"]
    with pytest.raises(ConfigError, match="transform mirror.times is 1.5, expected a whole number"):
        load_protocol("person-kfold", transforms=[{"mirror": {"times": 1.5}}])


def test_an_attribution_and_a_reader_explain_a_file_of_ones_own(plug_in, data, tmp_path, capsys):
    plug_in("speed.py")
    plug_in("takes.py")
    run = train(data, tmp_path, "ridge-pose")
    recording = next(iter(zoo.load_dataset("synthetic", data, people=12)))
    file = tmp_path / "first.take"
    rows = 1000 * recording.positions.reshape(recording.num_frames, -1)
    np.savetxt(file, rows, delimiter=",")
    assert readers_of(file) == ["takes"]
    (scored,) = zoo.predict(run, [file], dataset="takes", data_root=data)
    assert (scored.recording, scored.frames) == ("first", recording.num_frames)
    assert "never tested on such recordings" in scored.notes[0]
    predictor = Predictor.open(run, dataset="takes", data_root=data)
    found = attribute(samples_of(predictor, file)[0], "speed")
    assert (found.method, found.title, found.unit) == ("speed", "speed", "m")
    command = ["explain", str(run.path), str(file), "--dataset", "takes", "--method", "speed"]
    folder = tmp_path / "explained"
    extra = ["--output", str(folder), "--video", "none", "--data-root", str(data)]
    assert main([*command, *extra]) == 0
    assert "Speed has no sign" in capsys.readouterr().out
    file.write_text("1,2,3\n")
    assert main(["predict", str(run.path), str(file), "--dataset", "takes"]) == 2
    assert "expected 75 numbers a line" in capsys.readouterr().err

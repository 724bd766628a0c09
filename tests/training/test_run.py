import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from zoo import files
from zoo.build import to_plain
from zoo.errors import CheckpointError, ConfigError, DataError, TrainingError
from zoo.evaluation.metrics import measure
from zoo.files import BusyError, StorageError, WriteLock
from zoo.runs.folder import RunExistsError, RunFolder
from zoo.runs.record import Epochs, PartCounts
from zoo.runs.run import load_run
from zoo.training.report import Reporter
from zoo.training.run import run_key, train_run
from zoo.training.stop import TrainingStopped


class Notes(Reporter):
    def __init__(self):
        self.notes, self.epochs, self.starts, self.ended = [], [], [], False

    def on_start(self, start):
        self.starts.append(start)

    def on_epoch(self, row):
        self.epochs.append(row.epoch)

    def on_note(self, text):
        self.notes.append(text)

    def on_end(self):
        self.ended = True


class StopAfter(Notes):
    """Sends this process a signal in the middle of the training."""

    def __init__(self, epoch, number):
        super().__init__()
        self.epoch, self.number = epoch, number

    def on_epoch(self, row):
        super().on_epoch(row)
        if row.epoch == self.epoch:
            os.kill(os.getpid(), self.number)


@pytest.fixture
def go(toy, tmp_path):
    """Trains the toy model; keyword arguments of train_run, and trainer settings."""

    def train(build=None, data=None, config=None, dataset=None, **options):
        names = ("resume", "overwrite", "reporter", "runs")
        run_options = {"runs": tmp_path / "runs"}
        run_options |= {k: options.pop(k) for k in names if k in options}
        return train_run(
            build or toy.TinyNet,
            data or toy.make_fold(),
            config or toy.make_config(**options),
            dataset=dataset or toy.DATASET,
            **run_options,
        )

    key = run_key(toy.make_config(), toy.DATASET, toy.make_fold().protocol.hash())
    train.path = key.path(tmp_path / "runs")
    return train


def test_a_run_folder_holds_what_the_design_says(toy, go):
    run = go()
    assert sorted(p.name for p in run.path.iterdir()) == [
        "checkpoint.json", "checkpoint.safetensors", "config.yaml", "history.csv",
        "predictions.csv", "run.json", "split.json",
    ]  # fmt: skip
    assert run.path.parent.parts[-4:] == ("toy", "5", "toy-protocol", "toy")
    assert run.path.name.startswith("fold0-seed7-")
    assert not list(run.path.parent.glob("*.partial"))
    record = run.record
    assert record.schema == 2
    assert (record.seed, record.fold) == (7, 0)
    assert record.model.name == "toy"
    assert record.model.params == {"width": 8}
    assert record.model.parameters == sum(p.numel() for p in toy.TinyNet().parameters())
    assert record.model.flops == 2 * (12 * 5 * 8 * 3 * 3 + 8)
    assert record.model.source.cls == "toy_run:TinyNet"
    assert len(record.model.source.sha256) == 64
    assert record.model.streams == ("position",)
    assert record.dataset.fingerprint == "f" * 64
    assert record.dataset.layout == "toy5"
    assert (record.dataset.title, record.dataset.score_range) == ("Toys", (0.0, 50.0))
    assert record.dataset.exercises == {"5": "toying"}
    assert record.protocol.hash == toy.make_fold().protocol.hash()
    assert record.split_hash == toy.make_fold().split.hash
    assert record.counts["train"] == PartCounts(samples=16, recordings=8, persons=8)
    assert record.epochs.trained == 6
    assert record.versions["torch"] == torch.__version__
    assert record.hardware["cores"] > 0
    assert record.durations["train"] > 0
    assert run.split == toy.make_fold().split.to_dict()
    assert run.record.config == toy.make_config()
    assert [row["epoch"] for row in run.history] == [1, 2, 3, 4, 5, 6]
    assert run.altered_files() == []
    for name, digest in record.files.items():
        assert hashlib.sha256((run.path / name).read_bytes()).hexdigest() == digest


def test_every_figure_follows_from_the_table_of_predictions(toy, go):
    fold = toy.make_fold()
    run = go(data=fold)
    table = run.scores
    assert table.part.count("test") == len(fold.split.test)
    assert table.part.count("validation") == len(fold.split.validation)
    for part in ("validation", "test"):
        rows = table.of(part)
        index = fold.split.index(part)
        assert rows.recording == [fold.samples.recording[i] for i in index]
        assert rows.person == [fold.samples.subject[i] for i in index]
        assert np.allclose(rows.true, fold.samples.target[index].numpy())
        names = list(dict.fromkeys(rows.recording))
        at = [[i for i, r in enumerate(rows.recording) if r == name] for name in names]
        true = np.array([rows.true[i].mean() for i in at])
        predicted = np.array([rows.predicted[i].mean() for i in at])
        assert run.record.metrics[part]["recording"] == pytest.approx(
            measure(true, predicted), nan_ok=True, abs=1e-12
        )
        assert run.record.metrics[part]["sample"] == pytest.approx(
            measure(rows.true, rows.predicted), nan_ok=True, abs=1e-12
        )
        mean = fold.samples.target[fold.split.train].double().mean().item()
        baseline = np.abs(true - mean).mean()
        assert run.record.baseline[part]["recording"]["mad"] == pytest.approx(baseline)
    best = min(run.history, key=lambda row: row["validation_mad"])
    assert run.record.epochs.selected == best["epoch"]
    assert run.record.metrics["validation"]["recording"]["mad"] == best["validation_mad"]


def test_the_same_seed_gives_the_same_bits_and_another_does_not(toy, go, tmp_path):
    first = go()
    torch.manual_seed(123)
    second = go(runs=tmp_path / "other")
    for name in ("checkpoint.safetensors", "predictions.csv", "split.json", "config.yaml"):
        assert (first.path / name).read_bytes() == (second.path / name).read_bytes()
    third = go(config={**toy.make_config(), "seed": 8})
    assert third.path != first.path
    assert not np.array_equal(third.scores.predicted, first.scores.predicted)


def test_a_finished_run_is_not_computed_twice(go):
    first = go()
    with pytest.raises(RunExistsError, match=r"resume=True.*overwrite=True"):
        go()
    stamp = (first.path / "run.json").stat().st_mtime_ns
    told = Notes()
    assert go(resume=True, reporter=told).path == first.path
    assert told.epochs == []
    assert told.notes == [f"this run is finished already: {first.path}"]
    assert (first.path / "run.json").stat().st_mtime_ns == stamp
    go(overwrite=True)
    assert (first.path / "run.json").stat().st_mtime_ns > stamp
    assert go(resume=True, threads=2, checkpoint_every=1).path == first.path


def test_other_data_make_another_run(toy, go):
    first = go()
    other = SimpleNamespace(**{**vars(toy.DATASET), "fingerprint": "e" * 64})
    assert go(dataset=other).path != first.path


@pytest.mark.parametrize(("number", "code"), [(2, 130), (15, 143)])
def test_a_stop_keeps_the_last_epoch_and_says_how_to_go_on(toy, go, tmp_path, number, code):
    whole = go(runs=tmp_path / "whole", checkpoint_every=4)
    told = StopAfter(3, number)
    with pytest.raises(TrainingStopped) as stopped:
        go(reporter=told, checkpoint_every=4)
    assert stopped.value.exit_code == code
    assert stopped.value.epoch == 3
    cause = "Ctrl-C" if number == 2 else "SIGTERM"
    assert f"{cause} came in epoch 4 of 6. Everything up to epoch 3 is kept in" in str(
        stopped.value
    )
    assert "the same again with resume=True" in str(stopped.value)
    assert told.ended
    with pytest.raises(RunExistsError, match="resume=True to go on"):
        go()
    told = Notes()
    resumed = go(resume=True, reporter=told)
    assert told.epochs == [4, 5, 6]
    assert told.starts[0].done == 3
    assert told.notes == []
    for name in ("checkpoint.safetensors", "predictions.csv"):
        assert (resumed.path / name).read_bytes() == (whole.path / name).read_bytes()
    sessions = resumed.record.sessions
    assert [s["after_epoch"] for s in sessions] == [0, 3]
    assert sessions[0]["source"] == to_plain(resumed.record.model.source)


def test_the_best_weights_survive_a_stop_after_them(go, tmp_path):
    erratic = {"lr": 0.1, "epochs": 8, "schedule": "constant", "optimizer": "sgd"}
    whole = go(runs=tmp_path / "whole", **erratic)
    best = whole.record.epochs.selected
    assert best < 6, "choose settings whose best epoch comes early"
    with pytest.raises(TrainingStopped):
        go(reporter=StopAfter(best + 1, signal.SIGTERM), **erratic)
    resumed = go(resume=True, **erratic)
    assert resumed.record.epochs.selected == best
    for name in ("checkpoint.safetensors", "predictions.csv"):
        assert (resumed.path / name).read_bytes() == (whole.path / name).read_bytes()


def test_stopped_before_the_first_epoch_nothing_is_kept(go, tmp_path):
    class Early(Notes):
        def on_start(self, start):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(TrainingStopped, match="No epoch is kept yet"):
        go(reporter=Early())
    assert not list(tmp_path.rglob("*.partial"))
    assert go().record.epochs.trained == 6


def test_resumed_elsewhere_the_user_is_told(go):
    with pytest.raises(TrainingStopped):
        go(reporter=StopAfter(2, 2))
    told = Notes()
    go(resume=True, threads=2, reporter=told)
    assert len(told.notes) == 1
    assert "threads: 1 then, 2 now" in told.notes[0]
    assert "may differ in the last digits" in told.notes[0]


def test_resume_with_other_settings_mentions_the_half_done_run(go):
    with pytest.raises(TrainingStopped):
        go(reporter=StopAfter(2, 2))
    told = Notes()
    go(resume=True, epochs=4, reporter=told)
    assert "nothing to resume for these settings" in told.notes[0]
    assert "trainer.epochs: 6 then, 4 now" in told.notes[1]


def test_a_checkpoint_that_does_not_fit_is_refused_and_overwrite_begins_anew(toy, go):
    with pytest.raises(TrainingStopped):
        go(reporter=StopAfter(2, 2))
    with pytest.raises(CheckpointError, match=r"conv\.weight has shape \(8, 3, 3, 1\)"):
        go(build=lambda: toy.TinyNet(width=9), resume=True)
    moved = toy.make_fold()
    moved.samples.streams["position"] += 1
    moved.stream_scaler.fit(moved.samples.batch(moved.split.train))
    with pytest.raises(CheckpointError, match="samples come out differently"):
        go(data=moved, resume=True)
    resume_file = RunFolder(go.path).resume_file
    about = json.loads(resume_file.read_text())
    about["key"]["fingerprint"] = "0" * 64
    resume_file.write_text(json.dumps(about))
    with pytest.raises(CheckpointError, match="belongs to other data"):
        go(resume=True)
    assert go(overwrite=True).record.epochs.trained == 6


def test_a_closed_form_model_gives_the_same_outputs(toy, go):
    config = {**toy.make_config(), "model": {"name": "nearest"}}
    told = Notes()
    run = go(build=toy.Nearest, config=config, reporter=told)
    assert run.record.model.closed_form
    assert run.record.epochs == Epochs(trained=1, best=1, selected=1)
    assert told.starts[0].epochs == 1
    trained_on = toy.make_fold().subset("train").target.numpy()
    distance = np.abs(run.scores.predicted[:, None] - trained_on)
    assert distance.min(1).max() < 1e-4


def test_a_model_that_undoes_the_z_score_keeps_the_scale_in_its_weights(toy, go):
    from baselines.d2sta.motion import Unscaled
    from zoo.training.evaluate import load_trained

    class Metres(toy.TinyNet):
        __module__ = "toy_run"

        def __init__(self):
            super().__init__()
            self.unscaled = Unscaled(toy.JOINTS)

        def prepare(self, batch, scaler):
            self.unscaled.set_scale(scaler)

    data = toy.make_fold()
    run = go(build=Metres, data=data)
    model = load_trained(run.path, build=Metres, device="cpu").model
    scaled = data.part("test")[0].x["position"]
    raw = data.samples.batch(data.split.test).x["position"]
    assert not torch.allclose(scaled, raw, atol=1e-2)
    torch.testing.assert_close(model.unscaled(scaled), raw, rtol=1e-5, atol=1e-5)


def test_a_protocol_without_validation_takes_the_last_epoch(toy, go):
    run = go(data=toy.make_fold(validation=False, selection="last"))
    assert set(run.record.metrics) == {"test"}
    assert run.record.epochs == Epochs(trained=6, best=None, selected=6)
    assert np.isnan(run.history[0]["validation_mad"])


def test_a_warning_of_leakage_is_told_and_kept(toy, go):
    fold = replace(
        toy.make_fold(leaky=True, leak_reason="pieces"), warning="8 people on both sides"
    )
    told = Notes()
    run = go(data=fold, reporter=told)
    assert told.notes == ["8 people on both sides"]
    assert run.leaky
    assert run.record.protocol.warning == "8 people on both sides"


def test_scores_that_are_missing_are_refused(toy, go):
    fold = toy.make_fold()
    fold.samples.target[0] = float("nan")
    with pytest.raises(DataError, match="no finite score"):
        go(data=fold)


@pytest.mark.parametrize("wild", [-99999.0, 1e30, float("nan")])
def test_inputs_beyond_any_size_are_refused_before_training(toy, go, wild):
    data = toy.make_fold()
    data.samples.streams["position"][5, 3, 1, 0] = wild
    with pytest.raises(DataError, match=r"recording P02/Es5: the stream position reaches .*usual"):
        go(data=data)


def test_scores_outside_the_scale_are_refused_before_training(toy, go):
    data = toy.make_fold()
    data.samples.target[4:6] *= 10
    with pytest.raises(DataError, match=r"P02/Es5: its total score .* scale 0 to 50 \(2 of 24"):
        go(data=data)


def test_a_loss_that_explodes_ends_the_run_and_frees_it(toy, go, tmp_path):
    with pytest.raises(TrainingError, match="no longer finite in epoch"):
        go(lr=1e30, optimizer="sgd", grad_clip=None)
    with pytest.raises(TrainingError, match="no longer finite in epoch"):
        go(lr=1e30, optimizer="sgd", grad_clip=None)


def test_a_run_somebody_else_writes_is_left_alone(toy, go):
    folder = RunFolder(go.path)
    lock = WriteLock(folder.partial)
    lock.acquire()
    with pytest.raises(BusyError):
        go(resume=True)
    lock.release()
    go()


@pytest.mark.parametrize("call", [0, 1, 2, 7, 12, 17, 20])
def test_a_disk_that_fills_up_at_any_moment_costs_only_what_came_after(
    go, tmp_path, monkeypatch, call
):
    """One file cannot be written; --resume ends with the same bits."""
    whole = go(runs=tmp_path / "whole", checkpoint_every=1)
    calls, replace = [], files.os.replace

    def full(*arguments):
        calls.append(1)
        if len(calls) == call + 1:
            raise OSError(28, "No space left on device")
        replace(*arguments)

    monkeypatch.setattr(files.os, "replace", full)
    with contextlib.suppress(StorageError):
        go(checkpoint_every=1)
        assert len(calls) <= call
    run = go(checkpoint_every=1, resume=True)
    for name in ("checkpoint.safetensors", "predictions.csv"):
        assert (run.path / name).read_bytes() == (whole.path / name).read_bytes()
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (0, r"No epoch is kept yet\. Make room and run the same again"),
        (2, r"up to epoch 2 is kept in .*\. Make room and run .* with resume=True to go on"),
    ],
)
def test_a_full_disk_says_what_is_kept_and_how_to_go_on(go, monkeypatch, after, words):
    told, move = Notes(), files.os.replace

    def full(source, target):
        if after <= len(told.epochs):
            raise OSError(28, "No space left on device")
        move(source, target)

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(StorageError, match=rf"no room to write .* MB are needed.*{words}"):
        go(checkpoint_every=1, reporter=told)


def test_a_wrong_setting_leaves_nothing_behind(go, tmp_path):
    with pytest.raises(ConfigError, match=r"trainer\.lr is -1"):
        go(lr=-1)
    assert not (tmp_path / "runs").exists()


def test_names_are_data_and_stay_inside_the_runs_folder(toy, go, tmp_path):
    config = {**toy.make_config(), "model": {"name": "../../<script>alert(1)</script>"}}
    run = go(config=config)
    assert (tmp_path / "runs") in run.path.resolve().parents
    assert run.record.model.name == "../../<script>alert(1)</script>"
    assert load_run(run.path).record == run.record


def test_importing_the_run_reader_needs_no_torch():
    code = "import sys, zoo.runs.run, zoo.runs.key; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)

"""A trained model out: loaded from a run or a bundle, scoring arrays, recordings and files."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch

import zoo
from registry import LAYOUTS
from zoo.data.batch import Prediction
from zoo.errors import CheckpointError, ConfigError, DataError
from zoo.prediction import Predictor


@pytest.fixture(scope="module")
def bundle(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return zoo.export(trained.run("stgcn"), tmp_path_factory.mktemp("out") / "model.zoo")


def test_a_bundle_scores_as_the_run_does(trained: Any, bundle: Path) -> None:
    run = trained.run("stgcn")
    of_run = zoo.load_model(run, data_root=trained.data_root)
    of_file = zoo.load_model(str(bundle), data_root=trained.data_root)
    recording = trained.unseen("stgcn")
    (a,), (b,) = of_run.predict(recording), of_file.predict(recording)
    assert (a.score, a.interval, a.segments) == (b.score, b.interval, b.segments)
    assert of_run.card == of_file.card
    assert of_run.record.dataset == of_file.record.dataset
    for level in (0.5, 0.8):
        wide = [Predictor.open(r, level=level).calibration for r in (run.path, bundle)]
        assert wide[0].factor == pytest.approx(wide[1].factor, rel=1e-12)


def test_nobody_and_no_code_is_in_a_bundle(trained: Any, bundle: Path) -> None:
    content = bundle.read_bytes()
    for person in trained.run("stgcn").split["train"]["persons"]:
        assert person.encode() not in content
    with safetensors.safe_open(str(bundle), framework="pt") as opened:
        about = json.loads(opened.metadata()["about"])
        assert sorted({name.partition("/")[0] for name in opened.keys()}) == [  # noqa: SIM118
            "model",
            "stream_scaler",
            "target_scaler",
        ]
    assert set(about) == {"record", "layout", "card", "errors", "checkpoint", "sha256"}


def test_arrays_and_recordings_score_alike(trained: Any) -> None:
    model = zoo.load_model(trained.run("mean"), data_root=trained.data_root)
    kimore = zoo.load_dataset("kimore", trained.data_root)
    recording = kimore[0]
    expected = model.predict(recording).score
    assert model.predict(recording.positions, fps=30).score == expected
    assert model.predict(torch.tensor(recording.positions), fps=np.int64(30)).score == expected
    both = {"position": recording.positions.tolist(), "orientation": recording.orientations}
    assert model.predict(both, fps=30.0).score == expected
    assert model.layout.num_joints == 25


def test_the_module_takes_scaled_batches(trained: Any) -> None:
    model = zoo.load_model(trained.run("d2sta"), data_root=trained.data_root)
    kimore = zoo.load_dataset("kimore", trained.data_root).select("5")
    samples = model.protocol.samples(kimore, model.streams)
    with torch.no_grad():
        said: Prediction = model.module(model.stream_scaler.transform(samples.batch()))
    whole = model.target_scaler.inverse(said.score)
    assert torch.allclose(whole, model.score(samples.batch()), atol=1e-4)
    assert not model.module.training
    assert "d2sta-small" in repr(model)


@pytest.mark.parametrize(
    ("motion", "fps", "message"),
    [
        (np.zeros((5, 25, 3)), None, "fps is None, expected"),
        (np.zeros((5, 25, 3)), 0, "fps is 0, expected"),
        (np.zeros((5, 25, 3)), float("nan"), "fps is nan, expected"),
        (np.zeros((5, 24, 3)), 30, r"shape \(5, 24, 3\), expected \(frames, 25, 3\)"),
        (np.zeros((25, 3)), 30, r"position has shape \(25, 3\)"),
        (np.zeros((0, 25, 3)), 30, r"position has shape \(0, 25, 3\)"),
        (np.full((5, 25, 3), np.nan), 30, "position of SpineBase in frame 0 is nan"),
        ([["x"]], 30, "position is no array of numbers"),
        ({"positions": np.zeros((5, 25, 3))}, 30, "no stream 'positions' to give.*'position'"),
        ({"position": np.zeros((5, 25, 3)), "orientation": np.zeros((4, 25, 4))}, 30, "frames"),
    ],
)
def test_what_is_no_recording_is_refused(trained: Any, motion: Any, fps: Any, message: str) -> None:
    model = zoo.load_model(trained.run("mean"), data_root=trained.data_root)
    with pytest.raises(DataError, match=message):
        model.predict(motion, fps=fps)


def test_a_bundle_brings_its_layout_and_refuses_another_of_its_name(
    bundle: Path, tmp_path: Path
) -> None:
    with safetensors.safe_open(str(bundle), framework="pt") as opened:
        meta = opened.metadata()
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    about = json.loads(meta["about"])

    def write(**changed: Any) -> Path:
        file = tmp_path / "changed.zoo"
        text = json.dumps({**about, **changed})
        safetensors.torch.save_file(tensors, file, metadata={**meta, "about": text})
        return file

    swapped = {**about["layout"], "joints": [{"name": "low", "parent": None}]}
    swapped |= {"pairs": [], "parts": {}, "center": None}
    with pytest.raises(CheckpointError, match="kinect-v2 with other joints"):
        zoo.load_model(write(layout=swapped))
    key = {**about["checkpoint"]["key"], "layout": "a-stick"}
    with pytest.raises(CheckpointError, match="belongs to another run"):
        zoo.load_model(write(layout=swapped, checkpoint={**about["checkpoint"], "key": key}))
    assert LAYOUTS.get("a-stick").load()("a-stick").num_joints == 1
    LAYOUTS.forget("a-stick")
    for broken in ({"sha256": "0" * 64}, {"errors": 5}, {"record": {}}, {"layout": []}):
        with pytest.raises(CheckpointError, match="is damaged"):
            zoo.load_model(write(**broken))
    record = {**about["record"], "model": {**about["record"]["model"], "name": "of-a-stranger"}}
    with pytest.raises(CheckpointError, match=r"needs the model 'of-a-stranger'.*add_plugin"):
        zoo.load_model(write(record=record))


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff" * 100, (10**12).to_bytes(8, "little")])
def test_what_is_no_bundle_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "x.zoo"
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match="no bundle of this zoo"):
        zoo.load_model(file)


def test_an_export_replaces_nothing_unasked(trained: Any, tmp_path: Path) -> None:
    run = trained.run("mean")
    file = zoo.export(run, tmp_path / "a" / "m.zoo")
    with pytest.raises(ConfigError, match="exists already"):
        zoo.export(run, file)
    assert zoo.export(run, file, overwrite=True) == file
    for name in (tmp_path, tmp_path / "m.pt"):
        with pytest.raises(ConfigError, match="name ends in .zoo"):
            zoo.export(run, name)


def test_on_the_command_line_far_from_runs_and_data(
    trained: Any, bundle: Path, tmp_path: Path
) -> None:
    positions, _ = trained.files(trained.unseen("stgcn"))
    zoo_ = [sys.executable, "-m", "zoo"]
    run = trained.run("stgcn").path
    commands = (
        [*zoo_, "export", str(run), "-o", "m.zoo"],
        [*zoo_, "predict", "m.zoo", str(positions), "--json"],
    )
    for command in commands:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    (scored,) = json.loads(done.stdout)["scored"]
    here = zoo.predict(bundle, [positions])
    assert scored["score"] == pytest.approx(here[0].score, abs=1e-3)

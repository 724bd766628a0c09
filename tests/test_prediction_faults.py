"""Files that cannot be scored and runs that cannot score: what is said about each."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import zoo
from registry import MODELS, RegistryError, register_model
from zoo.data.batch import Batch, Prediction
from zoo.errors import CheckpointError, DataError
from zoo.prediction import Predictor

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def ask(trained: Any) -> Callable[..., list]:
    """`zoo.predict` on the trained runs."""

    def predict(name: str, *files: object, **options: object) -> list:
        return zoo.predict(trained.run(name), files, data_root=trained.data_root, **options)

    return predict


@pytest.fixture
def own(trained: Any, tmp_path: Path) -> Callable[[str], Path]:
    """Copies the two files of a recording to a folder of their own; gives the positions."""

    def copy(recording: str) -> Path:
        for file in trained.files(recording):
            shutil.copy(file, tmp_path)
        return tmp_path / trained.files(recording)[0].name

    return copy


def change(file: Path, line: int, edit: Callable[[str], str]) -> None:
    lines = file.read_text().split("\n")
    lines[line - 1] = edit(lines[line - 1])
    file.write_text("\n".join(lines))


@pytest.mark.parametrize(
    ("line", "edit", "words"),
    [
        (26, lambda row: ",".join(row.split(",")[:96]) + ",",
         ["line 26", "96 values", "25 joints of 4 numbers"]),
        (27, lambda row: "x" + row[1:], ["line 27", "'x", "a number"]),
        (28, lambda row: "nan" + row[row.index(","):], ["line 28", "finite"]),
        (25, lambda row: ",".join(["7" if i == 3 else v for i, v in enumerate(row.split(","))]),
         ["line 25", "7 as state of SpineBase"]),
    ],
)  # fmt: skip
def test_a_faulty_row_is_named(trained, ask, own, line, edit, words):
    file = own(trained.unseen())
    change(file, line, edit)
    with pytest.raises(DataError) as error:
        ask("mean", file)
    for word in [str(file), *words]:
        assert word in str(error.value)


def test_twenty_four_joints_are_refused(trained, ask, own):
    file = own(trained.unseen())
    rows = [row for row in file.read_text().split("\n") if row]
    file.write_text("\n".join(",".join(row.split(",")[:96]) + "," for row in rows) + "\n")
    with pytest.raises(DataError, match="line 1: found 96 values, expected 100 .*25 joints"):
        ask("mean", file)


def test_a_cut_file_is_refused(trained, ask, own):
    file = own(trained.unseen())
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * 0.7)])
    with pytest.raises(DataError, match="line"):
        ask("mean", file)


@pytest.mark.parametrize("content", ["", "\n\n\n"])
def test_an_empty_file_is_refused(ask, tmp_path, content):
    file = tmp_path / "JointPosition1.csv"
    file.write_text(content)
    with pytest.raises(DataError, match="rows of numbers"):
        ask("mean", file)


def test_positions_and_orientations_of_other_lengths_are_refused(trained, ask, own):
    file = own(trained.unseen())
    rows = file.read_text().rstrip("\n").split("\n")
    file.write_text("\n".join(rows[:-2]) + "\n")
    with pytest.raises(DataError, match="frames of orientations"):
        ask("mean", file)


def test_a_missing_stream_is_named_with_the_file(trained, ask, own):
    file = own(trained.unseen("d2sta"))
    (file.parent / file.name.replace("Position", "Orientation")).unlink()
    (scored,) = ask("stgcn", file)
    assert np.isfinite(scored.score)
    with pytest.raises(DataError, match="orientation") as error:
        ask("d2sta", file)
    assert str(file) in str(error.value)


def test_orientations_alone_are_refused(trained, ask, own):
    file = own(trained.unseen())
    file.unlink()
    with pytest.raises(DataError, match="orientations alone"):
        ask("mean", file.with_name(file.name.replace("Position", "Orientation")))


def test_a_folder_without_a_session_is_refused(ask, tmp_path):
    with pytest.raises(DataError, match=r"found no JointPosition\*\.csv"):
        ask("mean", tmp_path)


def test_too_few_frames(trained, ask, own):
    file = own(trained.unseen("stgcn"))
    (file.parent / file.name.replace("Position", "Orientation")).unlink()
    rows = [row for row in file.read_text().split("\n") if row]
    file.write_text("\n".join(rows[:3]) + "\n")
    with pytest.raises(DataError, match=r"JointPosition.*\.csv: found 3 frames, expected at least"):
        ask("stgcn", file)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("E_ID1/Es55", ["no recording of this id", "E_ID1/Es5"]),
        ("quite other", ["no recording of this id", "Its ids are as E_ID1/Es3"]),
        ("gone.csv", ["gone.csv: no such file or folder"]),
        ("/no/where", ["/no/where: no such file or folder"]),
    ],
)
def test_an_unknown_name(ask, name, words):
    with pytest.raises(DataError) as error:
        ask("mean", name)
    for word in words:
        assert word in str(error.value)


def test_an_id_without_the_prepared_dataset(trained, tmp_path):
    with pytest.raises(DataError, match="E_ID1/Es5: no such file .*kimore is not prepared"):
        zoo.predict(trained.run("mean"), ["E_ID1/Es5"], data_root=tmp_path)


def test_files_need_no_prepared_dataset(trained, tmp_path):
    file = trained.files(trained.unseen())[0]
    assert len(zoo.predict(trained.run("mean"), [file], data_root=tmp_path)) == 1


def test_another_layout_is_refused_with_both_names(trained, ask):
    with pytest.raises(DataError) as error:
        ask("mean", trained.files(trained.unseen())[0], dataset="uiprmd-vicon")
    for word in ("uiprmd-vicon", "39 joints", "kinect-v2", "25 joints"):
        assert word in str(error.value)


def test_an_unknown_reader_is_named(ask):
    with pytest.raises(RegistryError, match="kimore"):
        ask("mean", "x", dataset="kimor")


def test_a_dataset_without_single_files_names_those_that_have(trained, ask):
    said = "rehab-pile reads no single files.*kimore.*It looks like kimore$"
    with pytest.raises(DataError, match=said) as error:
        ask("mean", trained.files(trained.unseen())[0], dataset="rehab-pile")
    assert "uiprmd" not in str(error.value)


# What is wrong with the run


def test_a_plug_in_model_needs_its_plug_in(trained, tmp_path):
    class Plugged(nn.Module):
        streams = ("position",)

        def __init__(self, layout: object) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(()))

        def forward(self, batch: Batch) -> Prediction:
            return Prediction(batch.stream("position").mean((1, 2, 3)) + self.weight)

    register_model("plugged")(Plugged)
    try:
        run = zoo.train(
            "plugged", "kimore", runs=tmp_path, data_root=trained.data_root,
            overrides={"trainer.epochs": 1, "trainer.threads": 1},
        )  # fmt: skip
        recording = run.split["test"]["recordings"][0]
        (scored,) = zoo.predict(run, [recording], data_root=trained.data_root)
        assert np.isfinite(scored.score)
    finally:
        MODELS.forget("plugged")
    for call in (lambda: zoo.predict(run, ["x"]), lambda: zoo.evaluate(run)):
        with pytest.raises(CheckpointError, match="'plugged', which is not .*add_plugin"):
            call()


@pytest.fixture
def copied(trained: Any, tmp_path: Path) -> Path:
    """A copy of a run that a test may spoil."""
    return Path(shutil.copytree(trained.run("stgcn").path, tmp_path / "copied"))


def test_a_protocol_that_means_something_else_is_refused(trained, copied):
    record = copied / "run.json"
    text = record.read_text()
    assert '"pieces": 3' in text
    record.write_text(text.replace('"pieces": 3', '"pieces": 4'))
    with pytest.raises(CheckpointError, match="no longer means what it did"):
        zoo.predict(copied, ["x"], data_root=trained.data_root)


def test_a_damaged_checkpoint_is_refused(trained, copied):
    file = copied / "checkpoint.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))
    with pytest.raises(CheckpointError, match="damaged or altered"):
        zoo.predict(copied, ["x"], data_root=trained.data_root)


def test_a_score_that_is_not_finite_is_refused(trained, monkeypatch):
    predictor = Predictor.open(trained.run("mean"), data_root=trained.data_root)
    nan = torch.full((1,), float("nan"))
    monkeypatch.setattr(type(predictor.trained), "score", lambda self, batch: nan)
    with pytest.raises(DataError, match="no finite number"):
        predictor.score(trained.unseen())


def test_changed_code_of_the_model_is_mentioned(trained, monkeypatch):
    predictor = Predictor.open(trained.run("mean"), data_root=trained.data_root)
    run = predictor.run
    model = replace(run.record.model, source=replace(run.record.model.source, sha256="0" * 64))
    changed = replace(predictor.trained, run=replace(run, record=replace(run.record, model=model)))
    (warning,) = replace(predictor, trained=changed).warnings
    assert "the code of mean has changed" in warning


# Evaluating anew


def test_a_run_is_reproduced(trained):
    found = zoo.evaluate(trained.run("stgcn"), data_root=trained.data_root)
    assert found.agrees
    assert found.largest_difference <= found.tolerance
    assert found.metrics["test"]["recording"]["mad"] == pytest.approx(
        trained.run("stgcn").test["mad"], abs=1e-4
    )


def test_an_altered_setting_is_named(trained, copied):
    config, record = copied / "config.yaml", copied / "run.json"
    config.write_text(config.read_text().replace("seed: 0", "seed: 1"))
    found = zoo.evaluate(copied, data_root=trained.data_root)
    assert found.altered == ["config.yaml"]
    assert not found.agrees
    text = record.read_text()
    assert '"seed": 0,\n "fold"' in text
    record.write_text(text.replace('"seed": 0,\n "fold"', '"seed": 1,\n "fold"'))
    with pytest.raises(CheckpointError, match=r"other settings .*Altered since .*config\.yaml"):
        zoo.evaluate(copied, data_root=trained.data_root)

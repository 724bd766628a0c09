"""`zoo.export` of a trained run as a graph: what is written, and what is refused."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from zoo.cli.main import main
from zoo.errors import CheckpointError, ConfigError, DataError
from zoo.exporting import check
from zoo.exporting.errors import ExportError
from zoo.exporting.onnx_file import run_onnx
from zoo.exporting.record import RECORD, read_export

pytest.importorskip("onnx", reason="exporting needs the extra: export")
pytest.importorskip("onnxruntime", reason="exporting needs the extra: export")
pytestmark = pytest.mark.usefixtures("one_thread")

NODE = shutil.which("node")


@pytest.fixture(scope="module")
def exported(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of ST-GCN as ONNX; it scores three pieces of a recording."""
    folder = tmp_path_factory.mktemp("out") / "stgcn"
    return zoo.export(trained.run("stgcn"), folder, format="onnx", data_root=trained.data_root)


def block(folder: Path, language: str) -> str:
    """The example of a README."""
    text = (folder / "README.md").read_text()
    return text.split(f"```{language}\n")[1].split("```")[0]


def test_the_graph_was_compared_on_test_recordings(trained, exported):
    record = read_export(exported)
    (graph,) = record.graphs
    tested = trained.run("stgcn").split["test"]["recordings"]
    assert graph.check.samples == 3 * len(tested)
    assert graph.check.of == "test recordings of KIMORE"
    assert 0 < graph.check.largest_difference <= check.TOLERANCE
    assert graph.check.error == pytest.approx(graph.check.run_error, abs=1e-4)
    assert [(port.name, port.shape) for port in graph.inputs] == [
        ("position", ("samples", "frames", 25, 3)),
        ("mask", ("samples", "frames")),
    ]
    assert (record.before.aggregate, record.before.sampling["kind"]) == ("median", "pieces")
    assert [list(step) for step in record.before.transforms] == [
        ["repair-jumps"],
        ["face-camera"],
        ["center"],
    ]
    assert record.before.transforms[2]["center"] == {"by": "frame"}


def test_onnxruntime_scores_a_file_as_predict_does(trained, exported):
    model = zoo.load_model(trained.run("stgcn"), data_root=trained.data_root)
    name = trained.unseen("stgcn")
    given = model.graph_inputs(name)
    said = run_onnx(exported / "model.onnx", given)["score"]
    (scored,) = model.predict(name)
    assert said == pytest.approx([segment.score for segment in scored.segments], abs=1e-3)
    assert np.median(said) == pytest.approx(scored.score, abs=1e-3)


def test_a_graph_takes_any_number_of_samples_and_frames(exported):
    for samples, frames in ((1, 5), (4, 40)):
        x = np.random.default_rng(0).normal(size=(samples, frames, 25, 3)).astype(np.float32)
        mask = np.ones((samples, frames), dtype=bool)
        assert run_onnx(exported / "model.onnx", {"position": x, "mask": mask})["score"].shape == (
            samples,
        )


def test_the_example_in_python_runs(exported):
    done = subprocess.run(
        [sys.executable, "-c", block(exported, "python")],
        cwd=exported,
        capture_output=True,
        text=True,
        check=True,
    )
    score, expected = done.stdout.strip().removeprefix("[").split("] expected ")
    assert float(score) == pytest.approx(float(expected), abs=1e-3)


def test_the_example_in_javascript_runs(exported, tmp_path):
    if NODE is None:
        pytest.skip("node is not installed")
    for name in ("model.onnx", "example.json"):
        shutil.copy(exported / name, tmp_path)
    (tmp_path / "example.mjs").write_text(block(exported, "js"))
    npm = ["npm", "install", "onnxruntime-web", "--no-audit", "--no-fund", "--ignore-scripts"]
    try:
        installed = subprocess.run(
            npm, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"npm cannot install onnxruntime-web: {error}")
    if installed.returncode:
        pytest.skip(f"npm cannot install onnxruntime-web: {installed.stderr[-200:]}")
    done = subprocess.run(
        [NODE, "example.mjs"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    score, expected = done.stdout.strip().split(" expected ")
    assert float(score) == pytest.approx(float(expected), abs=1e-3)


def test_a_bundle_is_exported_too_and_compared_on_made_up_recordings(trained, tmp_path):
    bundle = zoo.export(trained.run("stgcn"), tmp_path / "m.zoo")
    folder = zoo.export(bundle, tmp_path / "graph", format="onnx", data_root=tmp_path)
    (graph,) = read_export(folder).graphs
    assert graph.check.of == "made-up recordings"
    assert graph.check.error is None


def test_torch_export(trained, tmp_path):
    folder = zoo.export(
        trained.run("stgcn"), tmp_path / "pt", format="torch", data_root=trained.data_root
    )
    (graph,) = read_export(folder).graphs
    assert graph.inputs[0].shape == ("samples", 16, 25, 3)
    assert graph.check.largest_difference <= check.TOLERANCE
    done = subprocess.run(
        [sys.executable, "-c", block(folder, "python")],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    score, expected = done.stdout.removeprefix("tensor([").split("]")
    assert float(score) == pytest.approx(float(expected.split()[-1]), abs=1e-3)


def test_the_command(trained, tmp_path, capfd):
    path = trained.run("stgcn").path
    words = ["export", path, "--format", "onnx", "-o", tmp_path / "out"]
    words += ["--data-root", trained.data_root]
    assert main([str(word) for word in words]) == 0
    out, err = capfd.readouterr()
    assert "its scores are off from the run's by" in out
    assert err.count("\n") == 1  # what is being done, and nothing of torch's
    assert main([str(word) for word in words]) == 2
    assert "exists already" in capfd.readouterr().err
    assert main([*map(str, words), "--overwrite"]) == 0


def test_nobody_is_in_an_export(trained, exported):
    content = b"".join(file.read_bytes() for file in exported.iterdir())
    for part in ("train", "validation", "test"):
        for person in trained.run("stgcn").split[part]["persons"]:
            assert f'"{person}'.encode() not in content


@pytest.mark.parametrize(
    ("prepare", "error", "words"),
    [
        (lambda p: (p / "out").write_text(""), ConfigError, "is a file"),
        (lambda p: [(p / "out").mkdir(), (p / "out/x").write_text("")], ConfigError, "exists"),
    ],
)
def test_a_place_that_will_not_do(trained, tmp_path, prepare, error, words):
    prepare(tmp_path)
    with pytest.raises(error, match=words):
        zoo.export(trained.run("stgcn"), tmp_path / "out", format="onnx")


def test_a_folder_of_something_else_is_never_replaced(trained, tmp_path):
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(ConfigError, match="no export"):
        zoo.export(trained.run("stgcn"), tmp_path, format="onnx", overwrite=True)
    assert (tmp_path / "mine").read_text() == "precious"


def test_a_folder_that_cannot_be_written(trained, capsys):
    path = trained.run("stgcn").path
    assert main(["export", str(path), "--format", "onnx", "-o", "/proc/none/out"]) == 2
    assert "/proc/none" in capsys.readouterr().err


def test_an_unknown_format(trained):
    with pytest.raises(ConfigError, match="no format 'onx'.*onnx"):
        zoo.export(trained.run("stgcn"), format="onx")


def test_no_finished_run(tmp_path):
    with pytest.raises(DataError, match="no run folder"):
        zoo.export(tmp_path, format="onnx")


def test_an_altered_run(trained, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(trained.run("stgcn").path, copy)
    with (copy / "predictions.csv").open("a") as file:
        file.write("\n")
    with pytest.raises(CheckpointError, match="no longer what the run wrote"):
        zoo.export(copy, tmp_path / "out", format="onnx")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_a_missing_package(trained, tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ExportError, match=rf'needs {package}: pip install "skeleton-zoo\[export'):
        zoo.export(trained.run("stgcn"), tmp_path / "out", format="onnx")


def test_a_graph_that_says_something_else_is_not_written(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(check, "TOLERANCE", 1e-12)
    with pytest.raises(ExportError, match="not written: on .* off from the run's by up to"):
        zoo.export(
            trained.run("stgcn"), tmp_path / "out", format="onnx", data_root=trained.data_root
        )
    assert list(tmp_path.iterdir()) == []


def test_a_record_of_something_else(tmp_path):
    (tmp_path / RECORD).write_text(json.dumps({"schema": 99}))
    with pytest.raises(DataError, match="schema 99"):
        read_export(tmp_path)

"""`zoo app` on the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.app.packages import Package
from zoo.cli.main import main


@pytest.fixture
def no_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """An app without npm packages: what they are is tested elsewhere."""
    none = Package("@made/up", "1.0.0", "vendor/up", "MIT", {})
    monkeypatch.setattr("zoo.app.folder.PACKAGES", (none,))


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    (tmp_path / "node_modules" / "@made" / "up").mkdir(parents=True)
    return tmp_path / "node_modules"


def test_it_writes_a_folder_and_says_how_to_open_it(
    small_run: Any, no_packages: None, modules: Path, tmp_path: Path, capsys: Any
) -> None:
    pytest.importorskip("onnxruntime")
    folder = tmp_path / "site"
    words = ["app", str(small_run.path), "-o", str(folder), "--packages", str(modules)]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert f"python -m http.server --bind 127.0.0.1 --directory {folder} 8000" in said
    assert "do not use the score" in " ".join(said.split())  # it was trained on a Kinect's
    told = json.loads((folder / "run.json").read_bytes())
    assert told["inputs"] == ["position", "mask"]
    assert (folder / "model" / "model.onnx").stat().st_size > 1000
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert "http://" not in page.replace("http://localhost:8000", "")
    assert main(words) == 2
    assert "holds an app already" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 0


def test_of_a_bundle(small_run: Any, no_packages: None, modules: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    bundle = zoo.export(small_run, tmp_path / "tcn.zoo")
    folder = tmp_path / "site"
    assert main(["app", str(bundle), "-o", str(folder), "--packages", str(modules)]) == 0
    assert (folder / "model" / "model.onnx").is_file()


def test_another_folder_is_left_alone(small_run: Any, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "thesis.txt").write_text("all of it")
    assert main(["app", str(small_run.path), "-o", str(tmp_path), "--overwrite"]) == 2
    assert "is there and is no app" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_bad_words(small_run: Any, tmp_path: Path, capsys: Any) -> None:
    words = ["app", str(small_run.path), "-o", str(tmp_path / "site")]
    assert main([*words, "--pose", "fully"]) == 2
    assert "Did you mean 'full'?" in capsys.readouterr().err
    assert main([*words, "--packages", str(tmp_path)]) == 2
    assert "npm install --ignore-scripts @mediapipe/pose@" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


@pytest.fixture(scope="module")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("small")
    few = {"dataset.people": 12, "dataset.repetitions": 2, "trainer.epochs": 1}
    return zoo.train(
        "tcn",
        "synthetic",
        overrides={**few, "trainer.threads": 1},
        runs=folder / "runs",
        data_root=folder / "data",
    )

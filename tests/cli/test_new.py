"""`zoo new`: a package that works at once, whole or not at all."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from registry.yaml_files import read_yaml
from zoo import scaffold
from zoo.cli.main import main
from zoo.errors import ConfigError
from zoo.files import StorageError
from zoo.scaffold import new_package


def python(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own, as a user of another folder does."""
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_the_package_passes_its_own_test_before_it_is_installed(tmp_path: Path) -> None:
    made = python("-m", "zoo", "new", "baseline", "spread_of_pose", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    folder = tmp_path / "spread_of_pose"
    tested = own_tests(folder)
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "9 passed" in tested.stdout
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert {f for f in files if "__pycache__" not in f} == {
        "README.md",
        "pyproject.toml",
        "src/spread_of_pose/__init__.py",
        "src/spread_of_pose/model.py",
        "src/spread_of_pose/configs/model/spread_of_pose.yaml",
        "tests/conftest.py",
        "tests/test_spread_of_pose.py",
    }


def test_a_dataset_passes_its_own_test_before_it_is_installed(tmp_path: Path) -> None:
    made = python("-m", "zoo", "new", "dataset", "ward_takes", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert "zoo data prepare ward_takes --source FOLDER" in made.stdout
    folder = tmp_path / "ward_takes"
    assert "3 passed" in own_tests(folder).stdout
    for file in folder.rglob("*.*"):
        if file.is_file() and "__pycache__" not in file.parts:
            text = file.read_text()
            assert not any(word in text for word in ("my_dataset", "MyDataset", "My dataset")), file


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        (" / 1000", "", "found a body"),
        ("[x, z, -y]", "[x, -z, y]", "below the feet"),
        ("id=file.stem", 'id="one"', "twice"),
        ("score_range = (0.0, 50.0)", "score_range = (0.0, 5.0)", "the dataset's score range"),
        ('"squat": "Squat", ', "", "the exercise 'squat'"),
        ("fps = 30.0", "fps = 0.0", "frames a second"),
        (".astype(np.float32)", " + np.float32(np.random.default_rng().random())", "read twice"),
    ],
)
def test_a_datasets_test_can_fail(tmp_path: Path, right: str, wrong: str, told: str) -> None:
    folder = new_package("dataset", "ward_takes", tmp_path)
    adapter = folder / "src/ward_takes/adapter.py"
    text = adapter.read_text()
    assert right in text
    adapter.write_text(text.replace(right, wrong))
    tested = own_tests(folder)
    assert "test_it_keeps_what_every_dataset_promises" in tested.stdout
    assert told in tested.stdout


def own_tests(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a package's own tests."""
    options = ("-q", "-p", "no:cacheprovider", f"tests/test_{folder.name}.py")
    return python("-m", "pytest", *options, cwd=folder)


def test_its_test_can_fail(tmp_path: Path) -> None:
    model = new_package("baseline", "spread_of_pose", tmp_path) / "src/spread_of_pose/model.py"
    text = model.read_text()
    for right, wrong in (
        (".squeeze(-1))", ")"),
        ("zero_padding(x, batch.mask)", "x"),
        ("mean = mean_pool(h, batch.mask)", "mean = mean_pool(h)"),
    ):
        assert right in text
        text = text.replace(right, wrong)
    model.write_text(text)
    tested = own_tests(model.parents[2])
    assert tested.returncode == 1
    assert "test_one_finite_score_a_sequence" in tested.stdout
    assert "test_padding_is_left_out" in tested.stdout
    assert "test_every_parameter_learns" in tested.stdout


def test_no_name_of_the_template_is_left(tmp_path: Path) -> None:
    folder = new_package("baseline", "batch", tmp_path)
    for file in folder.rglob("*.*"):
        if file.is_file():
            text = file.read_text()
            assert not any(word in text for word in ("my_model", "MyModel", "My model")), file
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    assert project["project"]["entry-points"]["zoo.catalogues"] == {"batch": "batch"}
    classes = [
        node.name
        for node in ast.parse((folder / "src/batch/model.py").read_text()).body
        if isinstance(node, ast.ClassDef)
    ]
    assert classes == ["BatchModel"]
    entry = read_yaml(folder / "src/batch/configs/model/batch.yaml")
    assert (entry["code"], entry["card"]["title"]) == ("batch.model:BatchModel", "Batch")


def test_the_template_needs_the_zoo_it_comes_with(tmp_path: Path) -> None:
    project = tomllib.loads(
        (new_package("baseline", "mine", tmp_path) / "pyproject.toml").read_text()
    )
    own = tomllib.loads((Path(scaffold.__file__).parents[1] / "pyproject.toml").read_text())
    assert f"skeleton-zoo>={own['project']['version']}" in project["project"]["dependencies"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("My-Model", "such as 'my_model'"),
        ("3d", "a letter first"),
        ("model_", "no underscore last"),
        ("../mine", "such as 'mine'"),
        ("größe", "lower-case letters"),
        ("a" * 51, "2 to 50"),
        ("class", "word of the Python language"),
        ("match", "word of the Python language"),
        ("d2sta", "skeleton-zoo .* has a model called 'd2sta'"),
        ("stgcn_small", "has a model called 'stgcn-small'"),
        ("torch", "a module called 'torch' is there already"),
        ("random", "a module called 'random' is there already"),
        ("zoo", "a module called 'zoo' is there already"),
    ],
)
def test_names_that_will_not_do(name: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=words):
        new_package("baseline", name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").mkdir()
    assert main(["new", "baseline", "mine", "--dir", str(tmp_path)]) == 2
    assert f"{tmp_path / 'mine'} exists already" in capsys.readouterr().err
    assert list((tmp_path / "mine").iterdir()) == []


def test_nothing_half_written_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, written = Path.write_text, []

    def full_disk(self: Path, *args: object, **options: object) -> int:
        written.append(self)
        if len(written) == 4:
            raise OSError(28, "No space left on device")
        return write(self, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(StorageError, match="No space left on device"):
        new_package("baseline", "mine", tmp_path)
    assert len(written) == 4
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_the_folder_should_go(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"cannot write .*mine"):
        new_package("baseline", "mine", tmp_path / "file")


def test_next_steps_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "my models"
    assert main(["new", "baseline", "mine", "--dir", str(place)]) == 0
    out = capsys.readouterr().out
    assert f"cd '{place / 'mine'}'" in out
    assert "pip install -e ." in out
    assert "zoo train --model mine" in out

"""From a folder of MediaPipe CSVs to a board and back to a new file, with no line of Python."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from zoo.cli.main import main


@pytest.fixture(scope="module")
def desk(mediapipe: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the recordings `clinic`, described and prepared into `data`."""
    desk = tmp_path_factory.mktemp("desk")
    scores = mediapipe.write_folder(desk / "clinic", people=5)
    (desk / "clinic" / "notes.md").write_text("no recording")
    assert main(["data", "new", str(desk / "clinic")]) == 0
    mediapipe.fill_in(desk / "clinic", scores)
    source = ["--source", str(desk / "clinic"), "--data-root", str(desk / "data")]
    assert main(["data", "prepare", "clinic", *source]) == 0
    return desk


@pytest.fixture
def zoo(desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.chdir(desk)
    monkeypatch.setenv("ZOO_DATA", "data")
    monkeypatch.setenv("COLUMNS", "160")

    def run(command: str, code: int = 0) -> str:
        capsys.readouterr()
        done = main(command.split())
        out, err = capsys.readouterr()
        assert done == code, out + err
        return err if code else out

    return run


@pytest.fixture(scope="module")
def trained(desk: Path) -> Path:
    """A run on the recordings."""
    where = ["--runs", str(desk / "runs"), "--data-root", str(desk / "data")]
    assert main(["train", "--model", "ridge-pose", "--dataset", "clinic", *where]) == 0
    (run,) = (desk / "runs").glob("clinic/lift/person-kfold/ridge-pose/fold0*")
    return run.relative_to(desk)


def test_what_new_found(desk: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "clinic"
    shutil.copytree(desk / "clinic", folder, ignore=shutil.ignore_patterns("*.yaml", "recordings*"))
    assert main(["data", "new", str(folder)]) == 0
    said = capsys.readouterr().out
    for text in (
        "10 recordings in the form mediapipe",
        "mediapipe, 33 joints",
        "person, exercise",
        "notes.md",
        "recordings.csv, column score: 10 rows",
        "dataset.yaml, line 7: fps: frames a second, which the files do not say",
        f"zoo data prepare clinic --source {folder}",
    ):
        assert text in said, text
    before = (folder / "recordings.csv").read_bytes()
    (folder / "dataset.yaml").unlink()
    (folder / "P01_lift.csv").rename(folder / "P01_later.csv")
    assert main(["data", "new", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "not in the table" in said
    assert "P01_later.csv" in said
    assert (folder / "recordings.csv").read_bytes() == before
    assert main(["data", "new", str(folder)]) == 2
    assert "are there already" in capsys.readouterr().err


def test_what_is_to_fill_in_is_asked_for_with_its_line(
    mediapipe: Any, zoo: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "clinic"
    scores = mediapipe.write_folder(folder, people=2)
    zoo(f"data new {folder}")
    said = zoo(f"data prepare clinic --source {folder}", code=2)
    assert f"{folder / 'dataset.yaml'}, line 7: found FILL_IN as settings.fps" in said
    mediapipe.fill_in(folder, dict.fromkeys(scores))  # type: ignore[arg-type]
    assert "found score 'None'" in zoo(f"data prepare clinic --source {folder} --strict", code=2)


def test_an_empty_folder_says_what_can_be_read(zoo: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = zoo(f"data new {tmp_path / 'empty'}", code=2)
    assert "it holds no file that looks like a recording" in said
    assert "mediapipe" in said
    (tmp_path / "empty" / "a.xyz").write_text("?")
    assert "none of its 1 files looks like a recording" in zoo(
        f"data new {tmp_path / 'empty'}", code=2
    )


def test_commands_about_data_know_it(zoo: Any) -> None:
    listed = {row["name"]: row for row in json.loads(zoo("data list --json"))["datasets"]}
    assert listed["clinic"]["state"] == "10 recordings"
    assert listed["clinic"]["title"] == "clinic"
    shown = zoo("data inspect clinic")
    assert "all recordings: world landmarks: metres, centred between the hips" in shown
    assert "clinic: 10 recordings as written" in zoo("data verify clinic")
    assert "Honest" in zoo("protocol audit person-kfold --dataset clinic --exercise squat")
    assert "reader: mediapipe" in zoo("config show --model mean --dataset clinic")


@pytest.mark.parametrize(
    "command",
    [
        "train --model mean --dataset clinik",
        "bench --models mean --dataset clinik",
        "data inspect clinik",
        "data verify clinik",
        "protocol audit person-kfold --dataset clinik",
        "config show --model mean --dataset clinik",
    ],
)
def test_a_mistyped_name_is_told_everywhere(zoo: Any, command: str) -> None:
    assert "Did you mean 'clinic'?" in zoo(command, code=2)


def test_a_board_of_it(zoo: Any) -> None:
    zoo("bench --dataset clinic --models mean ridge-pose --folds 0 1 --seeds 0 --jobs 2")
    (section,) = json.loads(zoo("leaderboard --dataset clinic --format json"))["sections"]
    assert section["dataset"] == "clinic"
    zoo("leaderboard --dataset clinic --format html --output board.html")
    assert "ridge-pose" in Path("board.html").read_text(encoding="utf-8")


def test_a_run_reads_files_of_the_same_form_when_the_data_are_gone(
    zoo: Any, desk: Path, trained: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = json.loads(zoo(f"predict {trained} clinic/P01_lift.csv P01_lift --json"))["scored"]
    assert first[0]["score"] == pytest.approx(first[1]["score"])
    assert first[1]["true"] is not None
    shutil.copy(desk / "clinic" / "P01_lift.csv", tmp_path / "new.csv")
    monkeypatch.setenv("ZOO_DATA", str(tmp_path / "nothing"))
    (again,) = json.loads(zoo(f"predict {trained} {tmp_path / 'new.csv'} --json"))["scored"]
    assert again["score"] == pytest.approx(first[0]["score"])
    said = zoo(f"evaluate {trained}", code=2)
    assert "clinic" in said


def test_it_is_evaluated_and_explained(zoo: Any, trained: Path) -> None:
    assert "come out again" in zoo(f"evaluate {trained}")
    zoo(f"explain {trained} P02_lift --output shown --format svg")
    assert list(Path("shown").iterdir())

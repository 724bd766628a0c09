"""`zoo explain`: everything in one new folder, or one clear message and nothing at all."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.cli.main import main
from zoo.explain.draw import video

Outcome = tuple[int, str, str]

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def ask(trained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """`zoo explain` on a trained run, into ``out``: exit code, output in one line, errors."""

    def command(name: str, *arguments: object) -> Outcome:
        path = trained.run(name).path
        capsys.readouterr()
        words = ["explain", path, *arguments, "--data-root", trained.data_root]
        if "--output" not in arguments:
            words += ["--output", tmp_path / "out"]
        code = main([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, " ".join(out.split()), err

    return command


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_d2sta_has_everything(trained, ask, tmp_path) -> None:
    name = trained.unseen("d2sta")
    code, out, err = ask("d2sta", trained.files(name)[0])
    assert (code, err.count("\n")) == (0, 1)
    assert "d2sta-small gives" in out
    assert "for a mean pose held still" in out
    assert "not what is wrong with the movement" in out
    assert names(tmp_path / "out") == {
        "explanation.txt", "skeleton.gif", "key-frames.svg", "joints-over-time.svg",
        "groups.svg", "attention.svg", "attribution.csv", "groups.csv",
    }  # fmt: skip
    assert names(tmp_path) == {"out"}
    text = (tmp_path / "out" / "explanation.txt").read_text()
    for sentence in text.split("\n\n")[1:]:
        assert " ".join(sentence.split()) in out
    rows = list(csv.reader((tmp_path / "out" / "attribution.csv").open()))
    table = np.array(rows[1:], dtype=float)
    assert table.shape == (16, 26)
    score, baseline = (float(text.split(word)[1].split()[0]) for word in (" gives ", " than its "))
    assert table[:, 1:].sum() == pytest.approx(score - baseline, abs=0.12)


def test_other_models_and_methods_have_what_they_can(trained, ask, tmp_path) -> None:
    name = trained.unseen("stgcn")
    code, out, _ = ask(
        "stgcn", name, "--method", "motion", "--format", "png", "--video", "none", "--segment", 2
    )
    assert code == 0
    assert "has no sign" in out
    assert names(tmp_path / "out") == {
        "explanation.txt", "key-frames.png", "joints-over-time.png", "attribution.csv",
    }  # fmt: skip
    text = (tmp_path / "out" / "explanation.txt").read_text()
    assert "segment 2 of 0 to 2, frames" in text


def test_the_reader_is_told_what_the_model_knows(trained, ask) -> None:
    known = trained.run("d2sta").split["train"]["recordings"][0]
    _, out, _ = ask("d2sta", known, "--method", "attention", "--video", "none")
    assert "Careful: the model was trained on this recording" in out
    assert "by attention rollup" in out


def test_without_ffmpeg_there_is_a_gif(trained, ask, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(video.shutil, "which", lambda name: None)
    _, out, _ = ask("mean", trained.unseen(), "--method", "occlusion", "--video", "mp4")
    assert "There is no ffmpeg here, so the video is a GIF." in out
    assert (tmp_path / "out" / "skeleton.gif").is_file()


@pytest.mark.parametrize(
    ("run", "arguments", "words"),
    [
        ("stgcn", ["--method", "attention"], ["stgcn-small returns no attention", "occlusion"]),
        ("mean", [], ["mean has no gradient", "Use occlusion"]),
        ("mean", ["--method", "gradient"], ["'gradient'", "gradients"]),
        ("mean", ["--method", "motion", "--format", "jpg"], ["'jpg'", "png"]),
        ("mean", ["--method", "motion", "--video", "avi"], ["'avi'", "gif"]),
        ("stgcn", ["--segment", "3"], ["no segment 3", "cuts 3 from"]),
        ("mean", ["--recording", "x"], ["holds no recording 'x'"]),
    ],
)
def test_what_cannot_be_is_one_message(trained, ask, tmp_path, run, arguments, words) -> None:
    code, out, err = ask(run, trained.unseen(run), *arguments)
    assert (code, out) == (2, "")
    assert err.splitlines()[1].startswith("error: ")
    assert err.count("\n") == 2
    for word in words:
        assert word in err
    assert not names(tmp_path)


def test_files_that_cannot_be_used(trained, ask, tmp_path) -> None:
    for line, words in (
        ("1,2,3\n", ["found 3 values", "25 joints"]),
        ("", ["JointPosition"]),
    ):
        folder = tmp_path / "bad"
        folder.mkdir(exist_ok=True)
        file = folder / "JointPosition010118_120000.csv"
        file.write_text(line)
        code, _, err = ask("mean", file, "--method", "occlusion")
        assert code == 2
        for word in words:
            assert word in err
    assert names(tmp_path) == {"bad"}


def test_several_recordings_need_a_name(trained, ask, tmp_path, monkeypatch) -> None:
    from zoo.prediction import Predictor

    one, two = (trained.run("mean").split["test"]["recordings"])[:2]
    single = Predictor.recordings
    monkeypatch.setattr(
        Predictor, "recordings", lambda self, source: [*single(self, one), *single(self, two)]
    )
    code, _, err = ask("mean", "both", "--method", "motion", "--video", "none")
    assert code == 2
    assert f"both holds 2 recordings: name one with --recording ({one}, {two})" in err
    chosen = ("--recording", two)
    code, _, _ = ask("mean", "both", "--method", "motion", "--video", "none", *chosen)
    assert code == 0
    assert two in (tmp_path / "out" / "explanation.txt").read_text()


def test_a_folder_is_replaced_only_when_asked_and_only_an_explanation(
    trained, ask, tmp_path
) -> None:
    quick = (trained.unseen(), "--method", "occlusion", "--video", "none")
    assert ask("mean", *quick)[0] == 0
    before = (tmp_path / "out" / "key-frames.svg").read_bytes()
    code, _, err = ask("mean", *quick)
    assert code == 2
    assert "exists already" in err
    assert "--overwrite" in err
    assert ask("mean", *quick, "--overwrite")[0] == 0
    assert (tmp_path / "out" / "key-frames.svg").read_bytes() == before
    (tmp_path / "out" / "mine.txt").touch()
    code, _, err = ask("mean", *quick, "--overwrite")
    assert code == 2
    assert "mine.txt" in err
    assert (tmp_path / "out" / "mine.txt").is_file()


def test_nothing_half_written_stays(trained, ask, tmp_path, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("zoo.explain.explanation.figure_bytes", fail)
    code, _, err = ask("mean", trained.unseen(), "--method", "motion", "--video", "none")
    assert code == 2
    assert "No space left on device" in err
    assert not names(tmp_path)


def test_the_usual_folder_is_named_after_the_question(trained, ask, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    path, name = trained.run("mean").path, trained.unseen()
    words = ["explain", path, name, "--method", "motion", "--video", "none"]
    assert main([str(w) for w in [*words, "--data-root", trained.data_root]]) == 0
    (folder,) = (tmp_path / "explanations").iterdir()
    assert folder.name == f"{name.replace('/', '-')}-mean-motion"


def test_nobody_is_not_explained(trained, ask, tmp_path) -> None:
    file = tmp_path / "JointPosition1.csv"
    rows = trained.files(trained.unseen())[0].read_text().split("\n")
    file.write_text("\n".join("0," * 100 if row else row for row in rows))
    code, _, err = ask("mean", file, "--method", "motion", "--video", "none")
    assert code == 2
    assert "found somebody in 0 of" in err

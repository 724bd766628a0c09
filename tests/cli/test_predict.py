"""`zoo predict`: tables, JSON, and files of which some cannot be scored."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from registry import MODELS
from zoo.cli.main import main
from zoo.words import percent

Outcome = tuple[int, str, str]


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def ask(trained: Any, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """`zoo predict` on a trained run: exit code, standard output, standard error."""

    def command(name: str, *arguments: object) -> Outcome:
        path = trained.run(name).path
        capsys.readouterr()
        words = ["predict", path, *arguments, "--data-root", trained.data_root]
        code = main([str(word) for word in words])
        return (code, *capsys.readouterr())

    return command


def lines_with(text: str, word: str) -> list[str]:
    return [line for line in text.split("\n") if word in line]


def test_a_table_of_recordings(trained, ask):
    first, second = trained.run("stgcn").split["test"]["recordings"][:2]
    code, out, err = ask("stgcn", first, second)
    assert (code, err.count("\n")) == (0, 1)
    assert err.startswith("reading the model of ")
    table = trained.run("stgcn").scores
    for name in (first, second):
        (line,) = lines_with(out, f"  {name} ")
        _, true, predicted = line.split()[1:4]
        rows = [i for i, r in enumerate(table.recording) if r == name]
        assert float(predicted) == pytest.approx(table.true[rows[0]], abs=0.006)
        assert float(true) == pytest.approx(sorted(table.predicted[rows])[1], abs=0.006)
    assert "ms a frame" in out
    assert "reading and resampling not included" in " ".join(out.split())


def test_segments_have_their_frames(trained, ask):
    name = trained.unseen("stgcn")
    _, plain, _ = ask("stgcn", name)
    code, out, _ = ask("stgcn", name, "--segments")
    assert code == 0
    assert "segment" not in plain
    rows = [line.split() for line in out.split("\n") if "–" in line]
    assert [row[0] for row in rows] == ["0", "1", "2"]
    assert rows[0][1].startswith("0–")
    assert all(float(row[2]) > 0 for row in rows)


def test_known_scores_have_a_column_where_there_are_any(trained, ask, tmp_path):
    file = tmp_path / "mine.csv"
    file.write_bytes(trained.files(trained.unseen())[0].read_bytes())
    _, out, _ = ask("mean", file)
    assert not lines_with(out, " true ")
    _, out, _ = ask("mean", file, trained.unseen())
    assert len(lines_with(out, " true ")) == 1
    assert "–" in lines_with(out, " mine ")[0]


def test_what_the_reader_should_know_is_said(trained, ask):
    known = trained.run("mean").split["train"]["recordings"][0]
    _, out, _ = ask("mean", known)
    assert f"{known}: the model was trained on this recording" in out
    five = trained.run("mean").split["train"]["recordings"][:5]
    _, out, _ = ask("mean", *five, five[0])
    listed = f"{', '.join(five[:3])} and 2 more: the model was trained on this recording"
    assert out.count(listed) == out.count("was trained on this recording") == 1
    assert "Careful" not in out
    _, out, _ = ask("leaky", known)
    assert "Careful: the run's protocol leaks" in out


def test_json(trained, ask):
    name = trained.unseen("stgcn")
    code, out, err = ask("stgcn", name, "--json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert answer["model"] == "stgcn-small"
    assert answer["device"] in ("cpu", "cuda")
    assert answer["failed"] == []
    (scored,) = answer["scored"]
    assert scored["recording"] == scored["source"] == name
    assert scored["ms_per_frame"] == pytest.approx(1000 * scored["seconds"] / scored["frames"])
    assert [list(s) for s in scored["segments"]] == 3 * [["start", "stop", "score"]]


@pytest.mark.parametrize("as_json", [False, True])
def test_one_bad_file_among_several(trained, ask, tmp_path, as_json):
    first, second = trained.run("mean").split["test"]["recordings"][:2]
    bad = tmp_path / "bad.csv"
    rows = trained.files(first)[0].read_text().split("\n")
    rows[30] = ",".join(rows[30].split(",")[:-6])
    bad.write_text("\n".join(rows))
    code, out, err = ask("mean", first, bad, second, *(["--json"] if as_json else []))
    assert code == 2
    assert f"error: {bad}, line 31: found " in err
    assert "1 of 3 could not be scored" in err
    assert "Traceback" not in err
    if as_json:
        answer = json.loads(out)
        assert [s["source"] for s in answer["scored"]] == [first, second]
        assert [f["source"] for f in answer["failed"]] == [str(bad)]
        assert "line 31" in answer["failed"][0]["error"]
    else:
        assert len(lines_with(out, first)) == len(lines_with(out, second)) == 1
        assert "bad" not in out


def test_nothing_but_bad_files(ask):
    code, out, err = ask("mean", "E_ID1/Es9")
    assert (code, out) == (2, "")
    assert "no recording of this id" in err
    assert "could not be scored" not in err
    code, out, _ = ask("mean", "E_ID1/Es9", "--json")
    assert code == 2
    assert json.loads(out)["scored"] == []


def test_names_are_never_markup(trained, ask, tmp_path):
    file = tmp_path / "[red]mine.csv"
    file.write_bytes(trained.files(trained.unseen())[0].read_bytes())
    code, out, _ = ask("mean", file)
    assert code == 0
    assert "[red]mine" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["predict"], ["RUN", "FILE"]),
        (["predict", "absent", "x"], ["absent: no such run folder"]),
        (["predict", ".", "x"], ["is no run folder"]),
        (["predict", ".", "x", "--segment-all"], ["--segment-all"]),
        (["predict", ".", "x", "trainer.epochs=3"], ["is no run folder"]),
    ],
)
def test_mistakes(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    err = capsys.readouterr().err
    for word in words:
        assert word in err


def test_an_unknown_device(trained, ask):
    code, _, err = ask("mean", trained.unseen(), "--device", "cuda:99")
    assert code == 2
    assert "cuda:99" in err


def test_a_plug_in_model(trained, tmp_path, monkeypatch, capsys):
    """Trained with --plugin; scored with it, refused without."""
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(
        "import torch\n"
        "from registry import register_model\n"
        "from zoo.data.batch import Prediction\n"
        "@register_model('mine')\n"
        "class Mine(torch.nn.Module):\n"
        "    streams = ('position',)\n"
        "    def __init__(self, layout):\n"
        "        super().__init__()\n"
        "        self.weight = torch.nn.Parameter(torch.zeros(()))\n"
        "    def forward(self, batch):\n"
        "        return Prediction(batch.stream('position').mean((1, 2, 3)) + self.weight)\n"
    )

    def zoo(*arguments: object) -> int:
        try:
            return main([*map(str, arguments), "--data-root", str(trained.data_root)])
        finally:
            MODELS.forget("mine")

    plugin = ("--plugin", "mine.py")
    words = ("train", "--model", "mine", "--dataset", "kimore", "trainer.epochs=1")
    assert zoo(*words, "trainer.threads=1", *plugin) == 0
    (run,) = (record.parent for record in Path("runs").rglob("run.json"))
    capsys.readouterr()
    assert zoo("predict", run, "E_ID1/Es5", *plugin) == 0
    assert "scored by mine" in capsys.readouterr().out
    assert zoo("predict", run, "E_ID1/Es5") == 2
    err = capsys.readouterr().err
    assert "'mine', which is not registered here" in err
    assert "--plugin FILE.py" in err


def test_scores_have_intervals_where_there_are_people_enough(trained, ask):
    name = trained.unseen()
    people = len(trained.run("mean").split["validation"]["persons"])
    _, out, _ = ask("mean", name)
    assert "No interval: one of 90% needs at least 9 validation people" in " ".join(out.split())
    assert " interval " not in out.split("No interval")[0]
    level = people / (people + 1)
    _, out, _ = ask("mean", name, "--level", level)
    assert f"{percent(level)} interval" in out
    _, out, _ = ask("mean", name, "--level", level, "--json")
    (scored,) = json.loads(out)["scored"]
    low, high = scored["interval"]
    assert (low + high) / 2 == pytest.approx(scored["score"])
    assert high > low

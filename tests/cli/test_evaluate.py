"""`zoo evaluate`: the stored figures come out again, or it says which do not and why."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.cli.main import main
from zoo.errors import DataError
from zoo.training.bundle import open_trained
from zoo.words import percent

Outcome = tuple[int, str, str]


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def ask(trained: Any, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """`zoo evaluate`: exit code, standard output, standard error."""

    def command(path: Path, *arguments: str) -> Outcome:
        capsys.readouterr()
        code = main(["evaluate", str(path), "--data-root", str(trained.data_root), *arguments])
        return (code, *capsys.readouterr())

    return command


@pytest.fixture
def copied(trained: Any, tmp_path: Path) -> Path:
    """A copy of a run that a test may spoil."""
    return Path(shutil.copytree(trained.run("stgcn").path, tmp_path / "copied"))


def said(text: str) -> str:
    return " ".join(text.split())


def test_a_sound_run(trained, ask):
    run = trained.run("stgcn")
    code, out, err = ask(run.path)
    assert (code, err) == (0, f"predicting the test recordings of {run.path} again …\n")
    rows = {line.strip()[:12].strip(): line.split()[2:] for line in out.split("\n") if "." in line}
    assert float(rows["computed now"][0]) == pytest.approx(run.test["mad"], abs=0.006)
    assert rows["stored"] or "stored" in out
    assert "mean score" in out
    assert "The stored predictions come out again" in said(out)


def test_the_mean_is_not_compared_with_itself(trained, ask):
    _, out, _ = ask(trained.run("mean").path)
    assert "mean score" not in out
    assert "people never seen in training" in out


def test_a_leaky_run_says_so(trained, ask):
    code, out, _ = ask(trained.run("leaky").path)
    assert code == 0
    assert "LEAKY" in out
    assert "This protocol leaks" in out
    assert "never seen" not in out


def test_json(trained, ask):
    run = trained.run("mean")
    code, out, err = ask(run.path, "--json")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert answer["agrees"] is True
    assert answer["altered"] == []
    assert answer["computed"]["test"]["recording"]["mad"] == pytest.approx(run.test["mad"])
    assert answer["computed"]["test"]["recording"]["spearman"] is None


def test_altered_predictions_are_found(ask, copied):
    table = copied / "predictions.csv"
    lines = table.read_text().split("\n")
    fields = lines[-2].split(",")
    lines[-2] = ",".join([*fields[:-2], fields[-3], fields[-1]])
    table.write_text("\n".join(lines))
    code, out, _ = ask(copied)
    assert code == 2
    assert str(table) in out
    assert "no longer what the run wrote" in out
    assert "do NOT come out again" in said(out)
    code, out, _ = ask(copied, "--json")
    assert code == 2
    assert json.loads(out)["altered"] == ["predictions.csv"]


def test_an_altered_file_that_changes_no_number_is_named(ask, copied):
    (copied / "history.csv").write_text("epoch\n1\n")
    code, out, _ = ask(copied)
    assert code == 2
    assert "history.csv" in out
    assert "come out again" in said(out)
    assert "files were altered" in said(out)


def test_predictions_of_other_samples_are_found(ask, copied):
    table = copied / "predictions.csv"
    lines = table.read_text().split("\n")
    del lines[2]
    table.write_text("\n".join(lines))
    code, out, _ = ask(copied)
    assert code == 2
    assert "of other samples" in said(out)


def test_other_data_are_refused(trained, ask, make_kimore, tmp_path, capsys):
    """The same people with another score: another fingerprint."""
    import zoo

    root = Path(shutil.copytree(trained.maker.root, tmp_path / "KiMoRe"))
    maker = make_kimore(root)
    maker.workbook(maker.label("E_ID1", 5), "E_ID1", total=(0, 0, 25.0, 0, 49.0))
    zoo.prepare_dataset("kimore", root, tmp_path / "data")
    capsys.readouterr()
    path = str(trained.run("mean").path)
    assert main(["evaluate", path, "--data-root", str(tmp_path / "data")]) == 2
    err = capsys.readouterr().err
    assert "other data: fingerprint" in err


@pytest.mark.parametrize("name", ["absent", "."])
def test_what_is_no_run(ask, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = ask(Path(name))
    assert (code, out) == (2, "")
    assert err.splitlines()[1].startswith("error: ")
    assert "run folder" in err


def test_a_half_done_run(ask, tmp_path):
    half = tmp_path / "fold0-seed0-abc.partial"
    half.mkdir()
    (half / "resume.json").write_text("{}")
    code, _, err = ask(half)
    assert code == 2
    assert "--resume" in err


def test_intervals_or_why_there_are_none(trained, ask):
    run = trained.run("mean")
    people = len(run.split["validation"]["persons"])
    _, out, _ = ask(run.path)
    assert f"No interval: one of 90% needs at least 9 validation people, the run has {people}." in (
        said(out)
    )
    level = people / (people + 1)
    _, out, _ = ask(run.path, "--level", str(level))
    words = f"Intervals of {percent(level)}, from the errors for {people} validation people"
    assert words in said(out)
    answer = json.loads(ask(run.path, "--json")[1])
    assert answer["intervals"]["width"] is None
    assert answer["intervals"]["calibration"]["people"] == people


def test_a_level_that_is_none(trained, ask):
    code, _, err = ask(trained.run("mean").path, "--level", "90")
    assert code == 2
    assert "'90' is no number between 0 and 1" in err


def test_a_bundle_says_what_it_is_and_what_to_do(trained, ask, tmp_path):
    bundle = zoo.export(trained.run("stgcn"), tmp_path / "m.zoo")
    code, _, err = ask(bundle)
    assert code == 2
    assert f"{bundle} is a bundle: a trained model alone" in said(err)
    assert "name the folder of the run that it was made of" in said(err)
    for call in (zoo.evaluate, zoo.export):
        with pytest.raises(DataError, match="is a bundle"):
            call(open_trained(bundle))
    assert open_trained(open_trained(bundle)).path == bundle

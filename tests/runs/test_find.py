"""From what a user names to a finished run."""

import pytest

from zoo.errors import DataError
from zoo.runs.find import finished_runs, open_run


def test_finding_runs(trained, tmp_path):
    path = trained.run("mean").path
    assert open_run(path).path == path
    assert open_run(trained.run("mean")).path == path
    found = list(finished_runs(trained.runs))
    assert path in found
    assert found == sorted(found)
    assert not list(finished_runs(tmp_path))


def test_what_is_no_run(trained, tmp_path):
    path = trained.run("mean").path
    half = tmp_path / "fold0.partial"
    half.mkdir()
    (half / "resume.json").write_text("{}")
    lone = tmp_path / "somewhere" / "take.csv"
    lone.parent.mkdir()
    lone.touch()
    for wrong, words in (
        (trained.runs, ["no run folder", str(path)]),
        (lone, ["is a file", "a run is a folder", "a bundle is called NAME.zoo"]),
        (path / "run.json", ["is a file", f"the run's folder: {path}"]),
        (path.parent / "fold0-seed1", ["no such run folder", "Did you mean", path.name]),
        (tmp_path, ["no run.json in it or below it"]),
        (half, ["half done", "resume=True"]),
        (tmp_path / "fold0", ["half done", "resume=True"]),
    ):
        with pytest.raises(DataError) as error:
            open_run(wrong)
        for word in words:
            assert word in str(error.value)

"""A refusal about units or axes names the setting that mends it, and with it the file is read."""

import re
from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.cli.main import main
from zoo.data.readers.units import METRES, TURNS, axis_of_file, unit_of_file, upright
from zoo.data.simulator import Settings, record
from zoo.errors import DataError
from zoo.files import to_csv
from zoo.skeleton import load_layout

DESCRIPTION = """\
title: Squats
reader: {reader}
settings:
  fps: 25
  {settings}
scores:
  range: [0, 50]
exercises:
  squat: Squat
"""


def places(person: int = 0) -> np.ndarray:
    """(T, 25, 3) in metres, y up."""
    found = record(person, "5", Settings(repetitions=2)).positions
    assert found is not None
    return found[:24]


def write(file: Path, values: np.ndarray, axes: str = "xyz") -> Path:
    """A wide CSV."""
    header = [f"{joint}_{axis}" for joint in load_layout("kinect-v2").joints for axis in axes]
    rows = [[f"{value:.5f}" for value in frame.ravel()] for frame in values]
    file.write_text(to_csv(header, rows), encoding="utf-8")
    return file


def write_folder(
    folder: Path,
    axes: np.ndarray | None = None,
    unit: float = 1.0,
    reader: str = "wide-csv",
    settings: str = "",
) -> Path:
    """Six people, whose places are multiplied with `unit` and turned by `axes`."""
    folder.mkdir(exist_ok=True)
    for person in range(6):
        turned = places(person) @ (np.eye(3) if axes is None else axes) * unit
        write(folder / f"P{person}.csv", turned)
    table = [(f"P{person}.csv", f"P{person}", 20 + person) for person in range(6)]
    (folder / "recordings.csv").write_text(to_csv(("file", "person", "score"), table))
    text = DESCRIPTION.format(reader=reader, settings=settings)
    (folder / "dataset.yaml").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("change", "settings", "key", "value"),
    [
        ({"unit": 1000.0}, "", "units", "mm"),
        ({"unit": 100.0}, "", "units", "cm"),
        ({"unit": 1000.0}, "units: cm", "units", None),
        ({"unit": 1000.0}, "units: m", "units", "mm"),
        ({"axes": np.diag([1, -1, 1])}, "", "up", "-y"),
        ({}, "up: -y", "up", "y"),
        ({"axes": np.array(TURNS["z"])}, "up: -z", "up", "z"),
    ],
)
def test_a_folder(change, settings, key, value, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "clinic", **change, settings=settings)
    with pytest.raises(DataError, match="no recording can be used") as caught:
        zoo.prepare_dataset("clinic", folder, tmp_path / "data")
    advice = f"or write `{key}: {value}` under `settings:` in dataset.yaml"
    assert (advice in str(caught.value)) == (value is not None), caught.value
    if value is not None:
        write_folder(folder, **change, settings=f"{key}: {value}")
        assert len(zoo.prepare_dataset("clinic", folder, tmp_path / "data")) == 6


@pytest.mark.parametrize("up", TURNS)
def test_whatever_is_up_the_axis_of_the_file_is_named(up: str) -> None:
    """A file read with each of the settings leads to the right one."""
    body = np.array([[0.0, 1.7, 0.0]]) @ np.array(TURNS[up])
    for setting in TURNS:
        ours = upright(body, setting)[0]
        axis = int(np.abs(ours).argmax())
        seems = f"{'-' * bool(ours[axis] < 0)}{'xyz'[axis]}"
        assert axis_of_file(setting, seems) == up


@pytest.mark.parametrize("units", METRES)
def test_whatever_the_unit_is_it_is_named(units: str) -> None:
    for setting in METRES:
        seems = METRES[units] / METRES[setting]
        name = next((name for name, metres in METRES.items() if np.isclose(metres, seems)), None)
        assert name is None or unit_of_file(setting, name) == units
    assert unit_of_file("m", "none") == "none"


def test_single_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, root = write_folder(tmp_path / "clinic"), tmp_path / "data"
    zoo.prepare_dataset("clinic", folder, root)
    run = zoo.train("mean", "clinic", runs=tmp_path / "runs", data_root=root).path
    large = write(tmp_path / "large.csv", places() * 1000)
    down = write(tmp_path / "down.csv", places() * [1, -1, 1])
    for dataset in ([], ["--dataset", "wide-csv", "fps=25"]):
        for file, mend in ((large, "units=mm"), (down, "up=-y")):
            command = ["predict", str(run), str(file), *dataset, "--data-root", str(root)]
            assert main(command) == 2
            said = " ".join(capsys.readouterr().err.split())
            assert re.search(f"or give the reader the setting {mend}$", said), said
            assert main([*command, mend]) == 0
            capsys.readouterr()
    (scored,) = zoo.predict(run, [large], data_root=root, units="mm")
    (known,) = zoo.predict(run, ["P0"], data_root=root)
    assert (scored.score, scored.frames) == (known.score, known.frames)

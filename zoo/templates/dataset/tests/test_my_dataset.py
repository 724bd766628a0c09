"""What every dataset of the zoo has to keep. Keep these tests; add those of your own files."""

import csv
from pathlib import Path

import numpy as np
import pytest
from my_dataset.adapter import COLUMNS, MyDataset

import zoo
from zoo.data.contract import broken_promises
from zoo.data.simulator import Settings, record

PEOPLE = 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small folder in exactly the published form; put a few real recordings here if you may."""
    rows = []
    for person in range(PEOPLE):
        recording = record(person, "5", Settings(repetitions=2))
        x, y, z = np.moveaxis(recording.positions, -1, 0)
        frames = 1000 * np.stack([x, -z, y], axis=-1).reshape(len(x), -1)
        np.savetxt(tmp_path / f"P{person}.txt", frames, fmt="%.2f", delimiter=",")
        score = f"{recording.scores['total']:.1f}"
        rows.append((f"P{person}.txt", f"P{person}", recording.group, "squat", score))
    with (tmp_path / "people.csv").open("w", newline="", encoding="utf-8") as opened:
        csv.writer(opened).writerows([COLUMNS, *rows])
    return tmp_path


def test_it_keeps_what_every_dataset_promises(folder: Path) -> None:
    """Ids, joints, units, axes, frame rates, scores; and read twice it is the same."""
    assert broken_promises(MyDataset(), folder) == []


def test_it_is_prepared_and_opened_by_its_name(folder: Path, tmp_path: Path) -> None:
    """The YAML file beside the code is found, and its card is in the prepared form."""
    dataset = zoo.prepare_dataset("my_dataset", folder, tmp_path / "prepared")
    assert len(dataset) == len(dataset.subjects) == PEOPLE
    assert dataset.title == "My dataset"
    assert len(dataset.select("squat")) == PEOPLE


def test_a_damaged_file_is_told_with_its_line_and_left_out(folder: Path, tmp_path: Path) -> None:
    """The others are prepared."""
    lines = (folder / "P1.txt").read_text().splitlines()
    lines[6] = lines[6].replace(",", ";")
    (folder / "P1.txt").write_text("\n".join(lines))
    dataset = zoo.prepare_dataset("my_dataset", folder, tmp_path / "prepared")
    (problem,) = dataset.manifest["problems"]
    assert (problem["file"], problem["line"], problem["skipped"]) == ("P1.txt", 7, True)
    assert len(dataset) == PEOPLE - 1

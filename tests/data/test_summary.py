from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.data.adapters.kimore import KimoreAdapter
from zoo.data.dataset import SkeletonDataset, prepare
from zoo.data.summary import people_by_group, problems_by_kind, score_edges, summarise


@pytest.fixture
def dataset(make_kimore: Any, tmp_path: Path) -> SkeletonDataset:
    maker = make_kimore(tmp_path / "KiMoRe")
    for number, frames in ((1, 16), (2, 22), (3, 19)):
        maker.session(f"E_ID{number}", 1, frames)
        first = (0.0, 50.0, 49.9)[number - 1]
        maker.workbook(maker.label(f"E_ID{number}", 1), f"E_ID{number}", total=(first, 1, 2, 3, 4))
    maker.session("S_ID1", 2, 15)
    maker.label("S_ID1", 2).unlink()
    return prepare(KimoreAdapter(), maker.root, tmp_path / "root")


def test_exercises_in_numbers(dataset: SkeletonDataset) -> None:
    one, two = summarise(dataset)
    assert (one.exercise, one.title) == ("1", "lifting of the arms")
    assert (one.recordings, one.scored, one.people) == (3, 3, 3)
    assert one.frames == (16, 19.0, 22)
    assert one.seconds == pytest.approx(19 / 30)
    assert one.score_mean == pytest.approx(np.mean([0, 50, 49.9]))
    assert one.score_sd == pytest.approx(np.std([0, 50, 49.9], ddof=1))
    assert one.histogram == (1, 0, 0, 0, 0, 0, 0, 0, 0, 2)
    assert (two.recordings, two.scored, two.score_mean, two.score_sd) == (1, 0, None, None)
    assert sum(two.histogram) == 0
    assert score_edges(dataset).tolist() == list(range(0, 51, 5))


def test_people_and_faults(dataset: SkeletonDataset) -> None:
    assert people_by_group(dataset) == {"CG/Expert": 3, "GPP/Stroke": 1}
    assert problems_by_kind(dataset) == {"no-positions": (16, 0), "no-workbook": (0, 1)}

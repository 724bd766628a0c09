"""Bands are quantiles over healthy training people, and nobody else's."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from registry import DATASETS
from zoo.prediction import Predictor
from zoo.viewer.healthy import FEWEST, QUANTILES, healthy_reach
from zoo.viewer.measures import exercise_frames, extent, measures_of, mended


def knees(predictor: Predictor, people: set[str]) -> list[float]:
    """Mean range of both knees of each healthy one of some people."""
    dataset = predictor.own_dataset()
    from zoo.skeleton import load_layout

    found = []
    for recording in dataset:
        healthy = recording.group.startswith("CG/")
        if recording.exercise == "5" and healthy and recording.subject in people:
            layout = load_layout(recording.layout)
            knee = next(m for m in measures_of(mended(recording), layout) if m.title == "Knee bend")
            found.append(float(np.mean(extent(knee, exercise_frames(recording)[0]).ranges)))
    return found


def test_bands_are_quantiles_of_healthy_training_people(predictor: Predictor) -> None:
    found = healthy_reach(predictor, "5")
    own = knees(predictor, set(predictor.run.split["train"]["persons"]))
    assert found.why_not == ""
    assert found.people == len(own) >= FEWEST
    assert found.reach["Knee bend"].range == tuple(np.quantile(own, QUANTILES).round())
    assert found.reach["Trunk turn"].asymmetry is None
    everybody = knees(predictor, set(predictor.own_dataset().subjects))
    assert len(everybody) > len(own)


def test_too_few_people_are_not_shown(predictor: Predictor, monkeypatch: Any) -> None:
    train = predictor.run.split["train"]
    dataset = predictor.own_dataset()
    healthy = [i.subject for i in dataset.index if i.group.startswith("CG/")]
    few = sorted(set(healthy) & set(train["persons"]))[: FEWEST - 1]
    monkeypatch.setitem(train, "persons", few)
    found = healthy_reach(predictor, "5")
    assert found.reach == {}
    assert "9 healthy ones" in found.why_not
    assert "could be told apart" in found.why_not


def test_it_says_why_there_are_none(predictor: Predictor, run: Any, tmp_path: Path) -> None:
    elsewhere = Predictor.open(run, data_root=tmp_path)
    object.__setattr__(elsewhere.run.record.dataset, "name", "kimore")
    object.__setattr__(elsewhere.run.record.dataset, "params", {})
    try:
        assert "is not prepared here" in healthy_reach(elsewhere, "5").why_not
    finally:
        object.__setattr__(elsewhere.run.record.dataset, "name", "synthetic")


def test_a_dataset_that_does_not_say_who_is_healthy(predictor: Predictor, monkeypatch: Any) -> None:
    monkeypatch.setattr(DATASETS.get("synthetic").load(), "healthy", ())
    assert "does not say which of its people are healthy" in healthy_reach(predictor, "5").why_not


@pytest.mark.parametrize("name", ["kimore", "irds", "keraal", "uiprmd-kinect", "synthetic"])
def test_who_is_healthy_and_what_may_be_shown(name: str) -> None:
    adapter: Any = DATASETS.get(name).load()
    assert adapter.healthy
    assert adapter.showable == (name == "synthetic")

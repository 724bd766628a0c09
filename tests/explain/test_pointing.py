"""benchmarks/pointing.py and attributions.py: rankings of joints against the joints at fault."""

import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

import zoo
from registry import ATTRIBUTIONS
from zoo.data.simulator import Settings, record, truth
from zoo.errors import DataError
from zoo.prediction import Predictor
from zoo.skeleton import load_layout

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
import attributions
from pointing import (
    AT_FAULT,
    MOTION,
    USUAL,
    Pointing,
    chance,
    lost_points,
    measure,
    person_mean,
    table,
    usual_joints,
)

LAYOUT = load_layout("kinect-v2")


@pytest.mark.parametrize(("hits", "total"), [(1, 6), (3, 25), (9, 25), (6, 6)])
def test_chance_is_the_mean_over_random_orders(hits, total) -> None:
    rng = np.random.default_rng(0)
    at_fault = np.arange(total) < hits
    drawn = [average_precision_score(at_fault, rng.random(total)) for _ in range(4000)]
    error = np.std(drawn) / np.sqrt(len(drawn))
    assert chance(at_fault) == pytest.approx(np.mean(drawn), abs=4 * error + 1e-12)
    assert chance(at_fault) >= hits / total


def pointing(method: str, person: str, joints: float, ranking: str = "size") -> Pointing:
    return Pointing("m", method, ranking, "5", person, joints, 0.2, joints, 0.3, 1.0)


def test_verdicts() -> None:
    rng = np.random.default_rng(0)
    people = [f"P{i}" for i in range(30)]
    motion = dict(zip(people, 0.4 + 0.05 * rng.random(30), strict=True))
    means = {"best": 0.5, "as-motion": 0.0, "none": -0.22, "worst": -0.4}
    found = [pointing(MOTION, p, motion[p]) for p in people]
    for method, more in means.items():
        found += [pointing(method, p, motion[p] + more + 0.02 * rng.normal()) for p in people]
    rows = {row.method: row for row in table(found)}
    assert {name: row.joints.verdict for name, row in rows.items()} == {
        MOTION: "better than chance",
        "best": "better than range of motion",
        "as-motion": "better than chance, not than range of motion",
        "none": "no better than chance",
        "worst": "worse than chance",
    }
    best = rows["best"]
    assert best.persons == 30
    assert best.joints.over_motion.value == pytest.approx(0.5, abs=0.02)
    mean = best.joints.value
    assert mean.low < mean.value < mean.high
    assert best.joints.over_chance.value == pytest.approx(mean.value - 0.2)
    assert best.parts.over_chance.value == pytest.approx(mean.value - 0.3)


def test_people_are_the_unit_of_intervals() -> None:
    rng = np.random.default_rng(1)
    values, people = rng.normal(size=20), [f"P{i}" for i in range(20)]
    once = person_mean(values, people)
    again = person_mean(np.tile(values, 5), people * 5)
    assert once.value == pytest.approx(again.value)
    assert once.low == pytest.approx(again.low)
    with_gap = person_mean(np.append(values, np.nan), [*people, "nobody"])
    assert with_gap == once


def tiny_run(tmp_path: Path, model: str):
    settings = {"dataset.people": 20, "trainer.epochs": 1, "trainer.threads": 1}
    return zoo.train(
        model, "synthetic", exercise="5", overrides=settings, runs=tmp_path, data_root=tmp_path
    )


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> tuple[list[Pointing], list]:
    run = tiny_run(tmp_path_factory.mktemp("truth"), "mean")
    recordings = [record(number, "5", Settings()) for number in range(6)]
    usual = usual_joints(recordings, LAYOUT)
    return measure(Predictor.open(run), recordings, ["occlusion-joints", MOTION], usual), recordings


def test_every_recording_is_measured_in_every_order(measured) -> None:
    found, recordings = measured
    orders = {(p.method, p.ranking) for p in found}
    assert orders == {
        ("occlusion-joints", "size"),
        ("occlusion-joints", "loss"),
        (MOTION, "size"),
        (USUAL, "size"),
    }
    assert len(found) == len(recordings) * len(orders)


def test_a_model_that_looks_at_nothing_points_nowhere(measured) -> None:
    for p in measured[0]:
        if p.method == "occlusion-joints":
            lost = lost_points(truth(next(r for r in measured[1] if r.subject == p.person)), LAYOUT)
            if np.isfinite(p.joints):
                assert p.joints == pytest.approx((lost >= AT_FAULT).mean())  # all are tied
            assert np.isnan(p.side) or p.side == 0.5


def test_the_usual_joints_are_a_good_guess(measured) -> None:
    rows = {(r.method, r.ranking): r for r in table(measured[0])}
    usual = rows[USUAL, "size"]
    assert usual.joints.value.value > 0.6
    assert usual.joints.over_chance.low > 0


def test_real_recordings_have_no_truth(trained) -> None:
    predictor = Predictor.open(trained.run("d2sta"), data_root=trained.data_root)
    recordings = predictor.recordings(trained.unseen("d2sta"))
    with pytest.raises(DataError, match="no known truth"):
        measure(predictor, recordings, [MOTION])


def test_the_table_has_a_cell_for_every_column(measured) -> None:
    lines = attributions.markdown(table(measured[0])).splitlines()
    assert [line.count("|") for line in lines] == [8] * (2 + 4) + [0] + [9] * (2 + 4)


@pytest.mark.slow
def test_a_small_part_of_the_published_table(tmp_path) -> None:
    rows = {
        (r.method, r.ranking): r
        for r in table(attributions.explained("d2sta-small", "1", tmp_path))
    }
    assert {method for method, _ in rows} == {*ATTRIBUTIONS.names(), USUAL} - {"descriptors"}
    assert rows[USUAL, "size"].joints.verdict == "better than range of motion"
    usual = rows.pop((USUAL, "size")).joints.value
    assert all(row.joints.value.high < usual.low for row in rows.values())

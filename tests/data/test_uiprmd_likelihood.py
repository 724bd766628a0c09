"""Quality scores of UI-PRMD that are computed, and how they agree with the published ones."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.stats import spearmanr

from zoo.data.adapters.uiprmd import (
    UiprmdKinectAdapter,
    UiprmdViconAdapter,
    UiprmdViconAnglesAdapter,
)
from zoo.data.adapters.uiprmd.likelihood import _scores, quality_scores
from zoo.data.adapters.uiprmd.tree import Repetition
from zoo.data.dataset import create_adapter
from zoo.errors import ConfigError, DataError


def rep(person: int, episode: int, correct: bool) -> Repetition:
    return Repetition("m01", f"s{person:02}", f"e{episode:02}", correct)


def movements(fault: float = 0.5) -> dict[Repetition, np.ndarray]:
    """Four people bend three joints, four times right and four times `fault` less far."""
    rng = np.random.default_rng(0)
    made = {}
    for person in range(1, 5):
        for episode in range(1, 5):
            for correct in (True, False):
                frames = int(rng.integers(40, 60))
                phase = np.sin(np.linspace(0, np.pi, frames))[:, None, None]
                reach = rng.normal(60, 3, (1, 3, 3)) * (1 if correct else fault)
                noise = rng.normal(0, 0.5, (frames, 3, 3))
                made[rep(person, episode, correct)] = reach * phase + noise
    return made


def test_right_repetitions_score_higher_and_all_between_0_and_1() -> None:
    scores = quality_scores(movements())
    right = [score for key, score in scores.items() if key.correct]
    wrong = [score for key, score in scores.items() if not key.correct]
    assert len(right) == len(wrong) == 16
    assert min(right) > max(wrong)
    assert 0 <= min(wrong) < max(right) <= 1
    assert quality_scores(dict(reversed(movements().items()))) == scores, "order does not count"


def test_the_best_right_repetition_is_the_zero() -> None:
    scores = quality_scores(movements())
    assert max(scores.values()) == pytest.approx(1 / (1 + np.exp(-3.2)))


def test_scores_do_not_depend_on_the_unit_of_a_density() -> None:
    values = {rep(1, n, True): float(n) for n in range(1, 6)} | {rep(1, 2, False): 9.0}
    moved = {key: value + 100 for key, value in values.items()}
    assert _scores(moved) == pytest.approx(_scores(values))


def test_the_scoring_functions_written_out() -> None:
    values = {rep(1, 1, True): 0.0, rep(1, 2, True): 1.0, rep(1, 3, True): 2.0}
    wrong = {rep(1, 2, False): 6.0, rep(2, 9, False): 6.0}
    scores = _scores(values | wrong)
    unit = 1 + 3 * 1.0
    assert scores[rep(1, 3, True)] == pytest.approx(1 / (1 + np.exp(-3.2 + 2 / unit)))
    expected = 1 / (1 + np.exp(-3.2 + 1 / unit) + (6 - 1) / unit / 10)
    assert scores[rep(1, 2, False)] == pytest.approx(expected)
    assert scores[rep(2, 9, False)] == pytest.approx(expected), "without a twin the mean stands in"


def test_leaving_out_compares_nobody_with_themselves() -> None:
    """Whose right repetitions are odd looks right among everybody, not among the others."""
    angles = movements()
    for key in angles:
        if key.subject == "s04":
            angles[key] = angles[key] * (-1, 1, 1)
    odd = [rep(4, n, True) for n in range(1, 5)]
    usual = [rep(1, n, True) for n in range(1, 5)]
    inside, outside = quality_scores(angles), quality_scores(angles, leave_out=True)
    gaps = [
        np.mean([scores[k] for k in usual]) - np.mean([scores[k] for k in odd])
        for scores in (inside, outside)
    ]
    assert gaps[1] > 1.5 * gaps[0] > 0


def test_too_few_right_repetitions_give_no_scores() -> None:
    angles = movements()
    assert quality_scores({k: a for k, a in angles.items() if not k.correct}) == {}
    alone = {k: a for k, a in angles.items() if k.subject == "s01"}
    assert quality_scores(alone, leave_out=True) == {}


@pytest.mark.parametrize(
    "adapter", [UiprmdKinectAdapter, UiprmdViconAdapter, UiprmdViconAnglesAdapter]
)
def test_every_sensor_gets_the_scores_of_the_vicon_angles(
    uiprmd: ModuleType, small_uiprmd: Path, adapter: type[UiprmdViconAnglesAdapter]
) -> None:
    uiprmd.lose(uiprmd.file(small_uiprmd, "Vicon", "Angles", "m01_s01_e03"), 5, slice(0, 30))
    found, report = uiprmd.read(adapter(score="everybody"), small_uiprmd)
    scores = {key: r.scores["total"] for key, r in found.items() if "total" in r.scores}
    assert len(scores) == 19
    assert "s01/m01/e03/correct" not in scores
    assert any("19 of 20" in note for note in report.notes)
    angles = uiprmd.read(UiprmdViconAnglesAdapter(score="everybody"), small_uiprmd)[0]
    assert scores == {key: angles[key].scores["total"] for key in scores}


def test_without_vicon_angles_there_are_no_scores(uiprmd: ModuleType, small_uiprmd: Path) -> None:
    for file in small_uiprmd.rglob("Vicon/Angles/*.txt"):
        file.unlink()
    found, report = uiprmd.read(UiprmdKinectAdapter(score="everybody"), small_uiprmd)
    assert len(found) == 20
    assert not any("total" in r.scores for r in found.values())
    assert any("0 of 20" in note for note in report.notes)


def test_the_reduced_set(uiprmd: ModuleType, small_uiprmd: Path) -> None:
    adapter = UiprmdViconAnglesAdapter(subset="reduced", score="everybody")
    with pytest.raises(DataError, match=r"uiprmd_reduced_subset\.json"):
        uiprmd.read(adapter, small_uiprmd)
    uiprmd.write_labels(small_uiprmd, [0.9, 0.8, 0.7], [0.4, 0.3])
    found, _ = uiprmd.read(adapter, small_uiprmd)
    assert sorted(found) == [
        "s01/m01/e02/correct", "s01/m01/e02/incorrect", "s01/m01/e04/correct",
        "s01/m01/e04/incorrect", "s01/m01/e05/correct",
    ]  # fmt: skip
    assert all(r.num_frames == 30 and "total" in r.scores for r in found.values())
    assert found["s01/m01/e02/correct"].scores["total"] != 0.9
    whole, _ = uiprmd.read(UiprmdViconAnglesAdapter(score="everybody"), small_uiprmd)
    assert all(r.num_frames == 40 for r in whole.values()), "cut and whole are not compared"


def test_settings_that_make_no_sense() -> None:
    with pytest.raises(ConfigError, match="subset is 'half', expected full or reduced"):
        create_adapter("uiprmd-kinect", subset="half")
    with pytest.raises(ConfigError, match="score is 'clinical', expected published"):
        create_adapter("uiprmd-vicon", score="clinical")
    with pytest.raises(ConfigError, match="set crop to false, or subset to reduced"):
        UiprmdKinectAdapter(crop=True, score="others")


def test_the_published_scores_obey_the_published_formula(shared_dir: Path) -> None:
    """Computed back, mean and three standard deviations of right likelihoods make one unit."""
    right = np.loadtxt(shared_dir / "data" / "Labels_Correct.csv")
    relative = 3.2 - np.log(right / (1 - right))
    size = np.abs(relative)
    assert size.mean() + 3 * size.std(ddof=1) == pytest.approx(1, abs=1e-4)
    assert relative.min() == pytest.approx(0, abs=0.003)


@pytest.mark.slow
def test_agreement_with_the_published_scores(
    shared_dir: Path, uiprmd: ModuleType, uiprmd_tree: Callable[[str], Path], tmp_path: Path
) -> None:
    labels = shared_dir / "data"
    subset = json.loads((labels / "uiprmd_reduced_subset.json").read_text())
    for name in ("Labels_Correct.csv", "Labels_Incorrect.csv"):
        (tmp_path / name).write_text((labels / name).read_text())
    first = {"m01": subset["m01"]}
    (tmp_path / "uiprmd_reduced_subset.json").write_text(json.dumps(first))
    found = {}
    for score in ("published", "everybody"):
        adapter = UiprmdViconAnglesAdapter(labels=tmp_path, subset="reduced", score=score)
        found[score] = uiprmd.read(adapter, uiprmd_tree("vicon_angles"))[0]
    assert len(found["everybody"]) == 180

    def totals(score: str, side: str) -> np.ndarray:
        chosen = found[score].items()
        return np.array([r.scores["total"] for key, r in chosen if key.endswith(side)])

    for side, rank, difference in (
        ("/correct", 0.9, 0.005),
        ("/incorrect", 0.65, 0.04),
        ("correct", 0.92, 0.022),
    ):
        theirs, ours = totals("published", side), totals("everybody", side)
        assert spearmanr(theirs, ours).statistic > rank
        assert np.abs(theirs - ours).mean() < difference

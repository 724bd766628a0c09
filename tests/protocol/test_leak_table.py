"""What leaks on the real recordings: the table every leaky number has to be read against."""

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, KFold
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from zoo.data.adapters.kimore import KimoreAdapter
from zoo.data.dataset import prepare
from zoo.data.segment import equal_pieces
from zoo.evaluation.metrics import METRICS, score_metrics

PARENTS = [20, 0, 20, 2, 20, 4, 5, 6, 20, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18, 1, 7, 6, 11, 10]


@pytest.fixture(scope="module")
def kimore(unpack, tmp_path_factory):
    return prepare(KimoreAdapter(), unpack("kimore") / "KiMoRe", tmp_path_factory.mktemp("store"))


def mean_over_exercises(kimore, predict):
    rows = [score_metrics(*predict(kimore.select(exercise=e))) for e in "12345"]
    return {name: float(np.mean([row[name] for row in rows])) for name in METRICS}


def nearest_bones(splitter, grouped):
    def predict(dataset):
        bones, scores, people = [], [], []
        for one in dataset:
            x = one.positions.astype(np.float64)
            lengths = np.linalg.norm(x - x[:, PARENTS], axis=-1)
            for start, stop in equal_pieces(one.num_frames, 10):
                bones.append(np.median(lengths[start:stop], axis=0))
                scores.append(one.scores["total"])
                people.append(one.subject)
        bones, scores = np.array(bones), np.array(scores)
        predicted = np.zeros_like(scores)
        for train, test in splitter.split(bones, groups=people if grouped else None):
            model = make_pipeline(StandardScaler(), KNeighborsRegressor(1))
            predicted[test] = model.fit(bones[train], scores[train]).predict(bones[test])
        return scores, predicted

    return predict


def mean_score(dataset):
    scores = np.array([one.scores["total"] for one in dataset])
    people = [one.subject for one in dataset]
    predicted = np.zeros_like(scores)
    for train, test in GroupKFold(5).split(scores, groups=people):
        predicted[test] = scores[train].mean()
    return scores, predicted


@pytest.mark.slow
def test_bone_lengths_know_the_score_only_of_those_they_know(kimore):
    known = mean_over_exercises(
        kimore, nearest_bones(KFold(10, shuffle=True, random_state=3407), False)
    )
    assert known["mad"] == pytest.approx(0.411, abs=0.08)
    assert known["spearman"] == pytest.approx(0.967, abs=0.01)
    strangers = mean_over_exercises(kimore, nearest_bones(GroupKFold(10), True))
    assert strangers["mad"] == pytest.approx(8.908, abs=0.3)
    assert strangers["spearman"] == pytest.approx(0.235, abs=0.05)
    mean = mean_over_exercises(kimore, mean_score)
    assert mean["mad"] == pytest.approx(8.23, abs=0.3)
    assert mean["rmse"] == pytest.approx(9.91, abs=0.3)
    assert strangers["mad"] > mean["mad"] > 15 * known["mad"]

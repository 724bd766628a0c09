"""Shapley values of joints' descriptors: by hand, and against the simulator's truth."""

import itertools
import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import zoo
from zoo.data.batch import Batch, Prediction
from zoo.errors import ConfigError, DataError
from zoo.explain.descriptors import descriptors, shapley
from zoo.explain.methods import attribute
from zoo.nn.model import ScoreModel
from zoo.prediction import Predictor
from zoo.skeleton import load_layout

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
from pointing import measure, table

pytestmark = pytest.mark.usefixtures("one_thread")

LAYOUT = load_layout("kinect-v2")
SCALE = 8.0  # of the conftest's samples


class Described(ScoreModel):
    """Joints' mean places, as they are and with the sides swapped, and how long a movement is."""

    derived = {"of": "mean places"}  # noqa: RUF012 - as a model says it

    def __init__(self):
        super().__init__(LAYOUT, "position")
        self.weight = nn.Parameter(torch.randn(2, LAYOUT.num_joints, 3))
        self.usual = nn.Parameter(torch.randn(2, LAYOUT.num_joints, 3))

    def derive(self, batch):
        place = batch.stream("position").mean(1)
        both = torch.stack([place, place[:, list(LAYOUT.mirror)]], dim=1)
        length = torch.full((batch.size, 1, 1, 1), float(batch.stream("position").shape[1]))
        return batch._replace(x={"place": both, "length": length})

    def derived_joints(self):
        own = torch.arange(LAYOUT.num_joints)
        places = torch.stack([own, torch.tensor(LAYOUT.mirror)])
        return {"place": places, "length": torch.tensor([[-1]])}

    def terms(self, derived):
        """What each entry adds, (N, 2, V), before anything acts together."""
        x = derived.x["place"]
        return (torch.where(x.isnan(), self.usual, x) * self.weight).sum(-1)

    def forward(self, batch):
        derived = batch if "place" in batch.x else self.derive(batch)
        length = derived.x["length"].nan_to_num(10.0)[:, 0, 0, 0]
        return Prediction(self.terms(derived).sum((1, 2)) + 0.3 * length)


class Together(Described):
    """A product of two joints' sums comes on top."""

    def forward(self, batch):
        derived = batch if "place" in batch.x else self.derive(batch)
        by_entry = self.terms(derived)
        by_joint = by_entry[:, 0] + by_entry[:, 1][:, list(LAYOUT.mirror)]
        return Prediction(by_joint[:, 4] * by_joint[:, 9])


def contributions(model, x):
    """What each joint adds against the usual (V,), by hand."""
    derived = model.derive(Batch({"position": x[None]}))
    usual = model.usual.expand(1, -1, -1, -1)
    more = ((derived.x["place"] - usual) * model.weight).sum(-1)[0].detach()
    return more[0] + more[1][list(LAYOUT.mirror)]


def test_independent_joints_get_what_they_add(make_sample):
    torch.manual_seed(0)
    model, x = Described(), torch.randn(14, LAYOUT.num_joints, 3)
    sample = make_sample(model, x)
    found = attribute(sample, "descriptors")
    assert found.by_joint() == pytest.approx(SCALE * contributions(model, x).numpy(), abs=2e-3)
    assert np.ptp(found.joint_time, axis=0).max() == 0
    whole = SCALE * 0.3 * 4
    missing = found.score - found.baseline_score - found.by_joint().sum()
    assert missing == pytest.approx(whole, abs=2e-3)
    assert "whole body moved the score by 9.6" in found.note
    assert found.signed
    with torch.no_grad():
        usual = float((model.usual * model.weight).sum() + 3)
    assert found.baseline_score == pytest.approx(SCALE * usual + 30, abs=2e-3)


def test_joints_that_act_together_share(make_sample):
    """Of a·b against a'·b' each gets (a−a')(b+b')/2."""
    torch.manual_seed(1)
    model, x = Together(), torch.randn(10, LAYOUT.num_joints, 3)
    more = contributions(model, x)
    usual = (model.usual * model.weight).sum(-1).detach()
    usual = usual[0] + usual[1][list(LAYOUT.mirror)]
    mean = usual + more / 2
    by_joint = descriptors(make_sample(model, x), orders=2).by_joint()
    expected = {4: more[4] * mean[9], 9: more[9] * mean[4]}
    for joint, share in expected.items():
        assert by_joint[joint] == pytest.approx(SCALE * float(share), abs=5e-3)
    assert np.abs(np.delete(by_joint, [4, 9])).max() < 1e-4


def test_shapley_values_are_the_mean_over_all_orders():
    generator = torch.Generator().manual_seed(0)
    of_set = torch.randn(16, generator=generator)

    def value(known):
        return of_set[(known * torch.tensor([1, 2, 4, 8])).sum(1)]

    exact = torch.zeros(4)
    for order in itertools.permutations(range(4)):
        inside = 0
        for player in order:
            exact[player] += (of_set[inside + 2**player] - of_set[inside]) / math.factorial(4)
            inside += 2**player
    found = shapley(value, 4, 4000).float()
    torch.testing.assert_close(found, exact, atol=0.05, rtol=0)
    torch.testing.assert_close(found.sum(), of_set[15] - of_set[0])
    torch.testing.assert_close(found, shapley(value, 4, 4000).float())


def test_a_model_without_descriptors_is_sent_elsewhere(linear):
    with pytest.raises(DataError, match="derives no descriptors"):
        attribute(linear[0], "descriptors")


@pytest.mark.parametrize(
    ("told", "error", "message"),
    [
        ({}, DataError, "Told derives no descriptors of single joints"),
        ({"length": torch.zeros(1, 1)}, ConfigError, "nothing for the derived stream 'place'"),
        ({"place": torch.zeros(3, 25)}, ConfigError, r"shape \(3, 25\) for .* shape \(2, 25\)"),
    ],
)
def test_a_model_that_does_not_say_which_joint_is_told(make_sample, told, error, message):
    class Told(Described):
        def derived_joints(self):
            return told

    with pytest.raises(error, match=message):
        attribute(make_sample(Told(), torch.randn(4, 25, 3)), "descriptors")


def test_a_network_points_at_known_faults(tmp_path):
    """At joints better than the range of motion and than chance, and at the side that is weaker."""
    run = zoo.train(
        "kgn-small",
        "synthetic",
        exercise="2",
        overrides={"trainer.exercises": "one", "trainer.epochs": 60, "trainer.threads": 1},
        runs=tmp_path,
        data_root=tmp_path,
    )
    simulated = {r.id: r for r in zoo.load_dataset("synthetic", data_root=tmp_path)}
    tested = [simulated[name] for name in run.split["test"]["recordings"]]
    found = measure(Predictor.open(run), tested, ["descriptors", "motion"])
    rows = {(row.method, row.ranking): row for row in table(found)}
    for ranking in ("size", "loss"):
        row = rows["descriptors", ranking]
        assert row.joints.verdict == "better than range of motion"
        assert row.side.value > 0.6

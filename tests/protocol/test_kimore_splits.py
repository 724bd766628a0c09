"""The splits of the real recordings: the same wherever they are dealt, and clean."""

import pytest

from zoo.data.adapters.kimore import KimoreAdapter
from zoo.data.dataset import prepare
from zoo.protocol.feed import Feed
from zoo.protocol.leakage import check_leakage
from zoo.protocol.protocol import load_protocol

pytestmark = pytest.mark.slow

FINGERPRINT = "19ddb9e508c871045b4b242853ab858e93c2c4d7c5244335d27120c9afe6cbbf"

STORED = {
    ("person-kfold", "1", 4): "1fe0b22f9d2be50bc11ebf45e818210e22376a4b204c1b218cbf75db6e269b41",
    ("person-kfold", "5", 0): "3d9862bf1a370d5d21c02586f0bd0343d67cd2044d73bfa331f1f4eb73c47684",
    ("leave-one-person-out", "5", 74): (
        "aecab8caa244463fecf53738061dc0ad876f43b98f6a7243dae8a7571b7b4dc4"
    ),
    ("person-holdout", "5", 0): "fc61b2a60a5594592309390ae6492657cd577309f608163c213dae50a5bbace7",
    ("random-kfold", "5", 9): "a9252d7d3d36a5c86c2ac07eb7fe3c41d4fb385bd27ac4554e2daf2e636df1f2",
    ("d2sta-paper", "5", 0): "682b686224d3f96283a6c3a5b6cb697d3a26ab1d1c31841bfb55db0ed66821de",
    ("stgcn-rehab", "5", 0): "3502b05807cfafb8cbbf10f2652c633de3a5dde9dab2d152d226321d9cdf08f4",
}
"""By protocol, exercise and fold: what runs of this dataset have in their ``run.json``."""


@pytest.fixture(scope="module")
def kimore(unpack, tmp_path_factory):
    return prepare(KimoreAdapter(), unpack("kimore") / "KiMoRe", tmp_path_factory.mktemp("store"))


@pytest.mark.parametrize("key", list(STORED), ids=str)
def test_splits_are_those_of_stored_runs(kimore, key):
    name, exercise, fold = key
    assert kimore.fingerprint == FINGERPRINT
    protocol = load_protocol(name)
    samples = protocol.samples(kimore.select(exercise=exercise), ["position"], feed=Feed(raw=True))
    assert protocol.split.apply(samples, fold).hash == STORED[key]


@pytest.mark.parametrize("name", ["person-kfold", "leave-one-person-out", "person-holdout"])
def test_honest_protocols_find_nobody_twice(kimore, name):
    protocol = load_protocol(name)
    for exercise in kimore.exercises:
        samples = protocol.samples(
            kimore.select(exercise=exercise), ["position"], feed=Feed(raw=True)
        )
        assert len(samples.signatures) == len(samples)
        for fold in range(protocol.split.num_folds(samples.columns)):
            report = check_leakage(samples, protocol.split.apply(samples, fold))
            assert not report.leaks

"""Weights of one run as the beginning of another, on the same layout and between layouts."""

import pytest
import torch

import zoo
from zoo.data.cross import counterparts
from zoo.errors import CheckpointError, ConfigError, DataError
from zoo.runs.verify import run_faults
from zoo.skeleton import load_layout
from zoo.training.report import Reporter
from zoo.training.run import run_key, train_run
from zoo.training.transfer import Between, transfer

KINECT, OTHER = load_layout("kinect-v2"), load_layout("uiprmd-kinect")
NAMED = {"Waist": "SpineBase", "LeftUpperArm": "ShoulderLeft", "HeadTip": "HandTipLeft"}


class Notes(Reporter):
    def __init__(self):
        self.notes = []

    def on_note(self, text):
        self.notes.append(text)


@pytest.fixture
def go(toy, tmp_path):
    """Trains the toy model."""

    def train(build=None, reporter=None, **trainer):
        return train_run(
            build or toy.TinyNet, toy.make_fold(), toy.make_config(**trainer),
            dataset=toy.DATASET, runs=tmp_path / "runs", reporter=reporter,
        )  # fmt: skip

    return train


def between(named=NAMED):
    return Between(22, 25, counterparts(OTHER, KINECT, named))


def test_the_source_is_part_of_the_key_and_of_the_record(toy, go):
    source = go(epochs=2)
    notes = Notes()
    run = go(epochs=1, init_from=str(source.path), reporter=notes)
    assert run.record.config["trainer"]["init_from"] == source.record.key_hash
    assert run.record.init_from.key_hash == source.record.key_hash
    assert "started from toy on toy/5, fold 0: 9 weights taken" in " ".join(notes.notes)
    assert run_faults(run.path) == []
    config = toy.make_config(epochs=1, init_from=str(source.path))
    key = run_key(config, toy.DATASET, toy.make_fold().protocol.hash())
    assert key.hash == run.record.key_hash
    assert run.path != go(epochs=1).path


def test_training_starts_from_the_weights(toy, go):
    source = go(epochs=3)
    still = {"epochs": 1, "lr": 1e-12, "weight_decay": 0.0}
    kept = go(init_from=str(source.path), **still)
    theirs, ours = source.scores.predicted, kept.scores.predicted
    afresh = go(**still).scores.predicted
    assert abs(theirs - ours).mean() < 0.3 * abs(theirs - afresh).mean()
    fresh = go(init_from=str(source.path), init_head="fresh", **still)
    assert set(fresh.record.init_from.fresh) == {"head.weight", "head.bias"}


def test_people_that_are_tested_must_not_have_been_trained_on(go, toy, tmp_path):
    source = go(epochs=1)
    data = toy.make_fold()
    turned = type(data.split).of(
        data.samples, data.split.test, data.split.validation, data.split.train
    )
    data = type(data)(**{**vars(data), "split": turned})

    def train(dataset):
        config = toy.make_config(epochs=1, init_from=str(source.path))
        config["dataset"]["name"] = dataset
        return train_run(toy.TinyNet, data, config, dataset=toy.DATASET, runs=tmp_path / "runs")

    for name in ("toy", "toy-vicon"):
        with pytest.raises(DataError, match="people that are validated or tested on here"):
            train(name)
    train("elsewhere")


def test_a_refit_run_has_learned_from_its_validation_people(go, toy, tmp_path):
    source = train_run(
        toy.TinyNet, toy.make_fold(selection="refit"), toy.make_config(epochs=1),
        dataset=toy.DATASET, runs=tmp_path / "refit",
    )  # fmt: skip
    with pytest.raises(DataError, match="of the same fold with protocol.selection=best"):
        go(epochs=1, init_from=str(source.path))
    assert go(epochs=1, init_from=str(go(epochs=2).path)).record.init_from.taken == 9


@pytest.mark.parametrize(
    ("learned_from", "trained_on", "refused"),
    [
        ("stgcn-rehab", "kimore", True),
        ("kimore", "rehab-pile", True),
        ("rehab-pile", "stgcn-rehab", True),
        ("uiprmd-kinect", "kimore", False),
        ("stgcn-rehab", "uiprmd-kinect", False),
    ],
)
def test_people_under_names_that_cannot_be_matched(
    go, toy, tmp_path, learned_from, trained_on, refused
):
    def train(dataset, **trainer):
        config = toy.make_config(epochs=1, **trainer)
        config["dataset"]["name"] = dataset
        described = type(toy.DATASET)(**vars(toy.DATASET) | {"name": dataset})
        return train_run(
            toy.TinyNet, toy.make_fold(), config, dataset=described, runs=tmp_path / "runs"
        )

    source = train(learned_from)
    assert source.record.dataset.name == learned_from
    if refused:
        with pytest.raises(DataError, match=f"{trained_on} and {learned_from} both hold people of"):
            train(trained_on, init_from=str(source.path))
    else:
        assert train(trained_on, init_from=str(source.path)).record.init_from.taken == 9


def test_what_does_not_fit_is_refused(go, toy):
    source = go(epochs=1)

    class Wide(toy.TinyNet):
        def __init__(self):
            super().__init__(width=16)

    with pytest.raises(CheckpointError, match=r"nothing but the head.*conv.weight: shape \(16"):
        go(epochs=1, build=Wide, init_from=str(source.path))
    with pytest.raises(CheckpointError, match="only networks"):
        go(epochs=1, build=toy.Nearest, init_from=str(source.path))
    with pytest.raises(DataError, match="no such run folder"):
        go(epochs=1, init_from="nowhere/run")
    with pytest.raises(ConfigError, match="init_head"):
        go(epochs=1, init_from=str(source.path), init_head="half")


def test_joints_go_by_name_in_norms_and_graphs():
    torch.manual_seed(0)
    source = zoo.create_model("aagcn-small", layout="kinect-v2")
    stored = {name: torch.rand_like(value.float()) for name, value in source.state_dict().items()}
    model = zoo.create_model("aagcn-small", layout="uiprmd-kinect")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    taken, partly, fresh = transfer(model, stored, between())
    now = model.state_dict()
    waist, arm, collar = (OTHER.index(j) for j in ("Waist", "LeftUpperArm", "LeftCollar"))
    base, shoulder = KINECT.index("SpineBase"), KINECT.index("ShoulderLeft")
    norm = "trunk.stem.running_mean"
    assert torch.equal(now[norm].view(22, 3)[arm], stored[norm].view(25, 3)[shoulder])
    assert torch.equal(now[norm].view(22, 3)[collar], before[norm].view(22, 3)[collar])
    graph = "trunk.blocks.0.spatial.conv.A"
    assert torch.equal(now[graph][:, waist, arm], stored[graph][:, base, shoulder])
    assert torch.equal(now[graph][:, waist, collar], before[graph][:, waist, collar])
    assert {norm, graph} <= set(partly)
    assert len(taken) > 100
    # A kernel along the joints has no entry a joint.
    assert all("attention.joints.weight" in name for name in fresh)


def test_the_same_layout_takes_all():
    source = zoo.create_model("stgcn-small", layout="kinect-v2")
    model = zoo.create_model("stgcn-small", layout="kinect-v2")
    taken, partly, fresh = transfer(model, source.state_dict())
    assert (partly, fresh) == ([], {})
    for name in taken:
        assert torch.equal(model.state_dict()[name], source.state_dict()[name])


def test_heads_of_attention_are_no_head():
    def model():
        parts = {name: torch.nn.Linear(2, 2) for name in ("heads", "head", "head_b")}
        return torch.nn.ModuleDict(parts)

    _, _, fresh = transfer(model(), model().state_dict(), fresh_head=True)
    assert set(fresh) == {"head.weight", "head.bias", "head_b.weight", "head_b.bias"}


def test_a_joint_that_is_not_there():
    with pytest.raises(ConfigError, match=r"trainer.init_joints: kinect-v2 has no joint 'Hip'"):
        counterparts(OTHER, KINECT, {"Waist": "Hip"}, "trainer.init_joints")

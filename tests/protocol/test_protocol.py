import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from registry import PROTOCOLS, use_config_dir
from registry.errors import RegistryError
from zoo.compose import compose
from zoo.data.recording import UNKNOWN_SUBJECT, Recording
from zoo.data.segment import Sampling
from zoo.errors import ConfigError, DataError
from zoo.protocol import protocol as protocol_module
from zoo.protocol.protocol import Protocol, load_protocol
from zoo.protocol.splits.kfold import PersonKFold


def recordings(people: int = 12, frames: int = 60) -> list[Recording]:
    generator = np.random.default_rng(0)
    return [
        Recording(
            f"P{i:02}/5",
            f"P{i:02}",
            f"g{i % 2}",
            "5",
            "1",
            "kinect-v2",
            30.0,
            generator.normal(size=(frames, 25, 3)).astype(np.float32),
            scores={"total": float(20 + 2 * i)},
        )
        for i in range(people)
    ]


def test_person_kfold_is_honest():
    protocol = load_protocol("person-kfold")
    assert not protocol.leaky
    assert protocol.split.num_folds([]) == 5
    assert protocol.seeds == (0, 1, 2)
    assert protocol.sampling == Sampling("recording")
    assert protocol.frames == 100
    assert protocol.split == PersonKFold(
        "person-kfold", folds=5, repeats=1, seed=0, stratify=("group", "score"), validation=0.2
    )
    assert (protocol.scaler, protocol.selection, protocol.aggregate) == ("train", "best", "mean")
    assert protocol.summary


def test_d2sta_paper_is_the_papers():
    protocol = load_protocol("d2sta-paper")
    assert protocol.leaky
    assert "ten pieces" in protocol.leak_reason
    assert protocol.split.num_folds([]) == 1
    assert protocol.sampling == Sampling("pieces", pieces=10)
    assert protocol.frames == 100
    assert protocol.transforms == ()
    assert protocol.split.kind == "random"
    assert protocol.split.fractions == (8, 1, 1)
    assert protocol.split.seed == 3407
    assert protocol.scaler == "train"
    assert protocol.target_scale == "zscore"


STORED = {
    "person-kfold": "b74602d737bfaee1786e045fbdcd7858cdbab907c19beb9ebb46636ee6b0d1d8",
    "leave-one-person-out": "4699f14774578c3105f32d3b060798464d07436eb43b64ee5c20c8b07d4255dd",
    "person-holdout": "0928a38f3dd4b388bd129c7c105f5476558feea6b100829d14a862ce32390a21",
    "cross-dataset": "e6677afd7274b76eb81bdc4b294e977d800b13f87813ecf2baaa4c5b9f2e8ae9",
    "random-kfold": "b7c0d3434675c80095e67b9ed356c4fb6903b1dd5b3951666aeb7f9093ee1550",
    "d2sta-paper": "b41cb03dc1c266aee17f4f0b59871c7bb60ef6d8ec1d854bbc3650f8629af0f2",
    "stgcn-rehab": "d885959a105523be86daeee16d90b5a425125d8dc4620122d6b97188e2b118c6",
    "uiprmd-d2sta": "a69ea6c75f3fb8f15c7db18afb966940087b2cd26329687a50a5399072de93fa",
    "recon": "ed80753fddd171212bd95b331dbc34debbc016d348a051c8026a4b6dc3b0f5ce",
    "rehab-pile": "d26bffa00f261adb077442139a438e171cf392cb40b8b1681d206397914018fd",
}


@pytest.mark.parametrize("name", list(STORED))
def test_hashes_are_those_of_stored_runs(name):
    """A change here makes old results incomparable: it must be meant, and told in the changelog."""
    assert load_protocol(name).hash() == STORED[name]


def test_the_hash_sees_every_number_and_no_prose(monkeypatch):
    protocol = load_protocol("person-kfold")
    changed = [
        {"frames": 50},
        {"frames": None},
        {"sampling": {"kind": "pieces", "pieces": 10}},
        {"transforms": ["center"]},
        {"transforms": [{"repair-jumps": {"max_speed": 5.0}}, "face-camera", "center"]},
        {"split": {"folds": 4}},
        {"split": {"seed": 1}},
        {"split": {"validation": 0.1}},
        {"split": {"stratify": ["group"]}},
        {"scaler": "none"},
        {"target_scale": "minmax"},
        {"selection": "last"},
        {"aggregate": "median"},
        {"leaky": True, "leak_reason": "because"},
    ]
    hashes = [load_protocol("person-kfold", **c).hash() for c in changed]
    assert len({protocol.hash(), *hashes}) == len(changed) + 1
    assert replace(protocol, name="other", summary="else").hash() == protocol.hash()
    defaults = load_protocol(
        "person-kfold", transforms=["repair-jumps", "face-camera", {"center": {"by": "frame"}}]
    )
    assert defaults.hash() == protocol.hash()
    whole = load_protocol(
        "person-kfold", transforms=[{"repair-jumps": {"max_speed": 6}}, "face-camera", "center"]
    )
    assert whole.hash() == protocol.hash()
    monkeypatch.setattr(protocol_module, "PIPELINE_VERSION", 2)
    assert protocol.hash() != STORED["person-kfold"]


@pytest.mark.parametrize("name", list(STORED))
def test_to_dict_comes_back(name):
    protocol = load_protocol(name)
    text = json.dumps(protocol.to_dict())
    assert Protocol.from_config(**json.loads(text)) == protocol


def test_a_composed_run_config_gives_the_protocol():
    block = compose(model="mean", protocol="d2sta-paper")["protocol"]
    assert Protocol.from_config(**block).hash() == load_protocol("d2sta-paper").hash()
    changed = compose(
        model="mean", overrides=["protocol.sampling.kind=windows", "protocol.sampling.length=64"]
    )["protocol"]
    assert Protocol.from_config(**changed).sampling == Sampling("windows", length=64)


def test_overrides_are_merged_unless_the_kind_changes():
    assert load_protocol("person-kfold", split={"folds": 3}).split.validation == 0.2
    pieces = load_protocol("d2sta-paper", sampling={"kind": "recording"})
    assert pieces.sampling == Sampling("recording")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"frame": 50}, "person-kfold has no key 'frame'. Did you mean 'frames'"),
        ({"split": {"fold": 3}}, "person-kfold: split has no key 'fold'. Did you mean 'folds'"),
        ({"sampling": {"kind": "piece"}}, "sampling.kind is 'piece'"),
        ({"sampling": 3}, "sampling.kind is '3', expected one of recording"),
        ({"split": {"stratify": "group"}}, "split.stratify is 'group', expected a list"),
        ({"transforms": ["centre"]}, "no transform is called 'centre'. Did you mean 'center'"),
        ({"frames": 0}, "frames is 0"),
        ({"frames": "100"}, "frames is '100'"),
        ({"frames": True}, "frames is True"),
        ({"scaler": "test"}, "scaler is 'test', expected one of train, all, none"),
        ({"target_scale": "rank"}, "target_scale is 'rank'"),
        ({"selection": "first"}, "selection is 'first'"),
        ({"aggregate": "max"}, "aggregate is 'max', expected one of mean, median, none"),
        ({"seeds": []}, r"seeds are \(\), expected different whole numbers"),
        ({"seeds": [0, 0]}, "seeds are"),
        ({"seeds": ["0"]}, r"seeds\[0\] is '0', expected a whole number"),
        ({"seeds": [-1]}, "seeds are"),
        ({"seeds": -1}, "seeds is -1, expected a list"),
        ({"leaky": "yes"}, "leaky is 'yes', expected true or false"),
        ({"leaky": 1}, "leaky is 1"),
        ({"leaky": True}, "does not say why"),
        ({"scaler": "all"}, "needs leaky: true"),
        ({"split": {"kind": "random"}}, "needs leaky: true"),
        ({"split": {"kind": "random-kfold"}}, "needs leaky: true"),
        ({"split": {"kind": "cross-dataset", "joints": ["Waist"]}}, "split.joints is"),
        ({"split": {"validation": 0}}, "selection: best needs a validation part"),
    ],
)
def test_impossible_protocols_are_refused(overrides, message):
    with pytest.raises(ConfigError, match=message):
        load_protocol("person-kfold", **overrides)


def test_an_unknown_name():
    with pytest.raises(RegistryError, match="Did you mean 'person-kfold'"):
        load_protocol("person-fold")


def test_a_protocol_of_ones_own_needs_no_code(tmp_path, monkeypatch):
    monkeypatch.setattr("registry.catalogues._user_dirs", [])
    (tmp_path / "protocol").mkdir()
    file = tmp_path / "protocol" / "person-kfold.yaml"
    sampling = "{kind: windows, length: 64, stride: 32}"
    file.write_text(f"variants:\n  windows:\n    params:\n      sampling: {sampling}\n")
    use_config_dir(tmp_path)
    protocol = load_protocol("person-kfold-windows")
    assert protocol.name == "person-kfold-windows"
    assert protocol.sampling == Sampling("windows", length=64, stride=32)
    assert protocol.split.folds == 5


def test_seeds_stand_beside_the_parameters(tmp_path, monkeypatch):
    monkeypatch.setattr("registry.catalogues._user_dirs", [])
    (tmp_path / "protocol").mkdir()
    usual = PROTOCOLS.get("person-kfold").config["params"]
    file = tmp_path / "protocol" / "seeded.yaml"

    def write(**blocks):
        file.write_text(json.dumps({"params": usual, **blocks}))

    write(seeds=[7, 3], trainer={"epochs": 3})
    use_config_dir(tmp_path)
    protocol = load_protocol("seeded")
    assert protocol.seeds == (7, 3)
    assert protocol.hash() == STORED["person-kfold"]
    assert load_protocol("seeded", split={"folds": 3}).seeds == (7, 3)
    assert Protocol("plain").seeds == (0,)
    config = compose(model="mean", protocol="seeded")
    assert config["trainer"]["epochs"] == 3
    assert "seeds" not in config["protocol"]
    write(seeds=[1, 1])
    with pytest.raises(ConfigError, match=r"protocol seeded: seeds are \(1, 1\), expected"):
        load_protocol("seeded")
    write(params={"seeds": [1]})
    with pytest.raises(ConfigError, match="seeds stand beside params, not in them"):
        load_protocol("seeded")


def test_joints_can_be_named_on_the_command_line():
    block = compose(
        model="mean",
        protocol="cross-dataset",
        overrides=["protocol.split.joints={SpineBase: Waist}", "protocol.split.exercise=3"],
    )["protocol"]
    rule = Protocol.from_config(**block).split
    assert (rule.joints, rule.exercise) == ({"SpineBase": "Waist"}, "3")


def test_a_fold_is_ready_to_train():
    protocol = load_protocol("person-kfold", split={"folds": 3})
    tested = []
    for fold in range(3):
        data = protocol.fold(recordings(), fold, ["position", "bone"])
        assert data.warning is None
        assert not data.leakage.leaks
        batch, target = data.part("train")
        assert batch.x.keys() == {"position", "bone"}
        assert batch.size == len(target) == len(data.subset("train"))
        assert float(target.mean()) == pytest.approx(0, abs=1e-5)
        assert float(target.std(correction=0)) == pytest.approx(1, abs=1e-5)
        x = batch.x["bone"]
        varies = x.flatten(0, 1).std(0, correction=0) > 0
        torch.testing.assert_close(
            x.flatten(0, 1).std(0, correction=0)[varies],
            torch.ones(int(varies.sum())),
            atol=1e-4,
            rtol=0,
        )
        back = data.target_scaler.inverse(data.part("test")[1])
        torch.testing.assert_close(back, data.subset("test").target)
        tested += data.split.persons("test")
    assert sorted(tested) == [f"P{i:02}" for i in range(12)]
    with pytest.raises(ConfigError, match="no part 'dev'"):
        data.part("dev")


def test_scalers_see_nothing_of_validation_and_test():
    protocol = load_protocol("person-kfold", split={"folds": 3})
    plain = protocol.fold(recordings(), 0, ["position"])
    unseen = set(plain.split.persons("validation")) | set(plain.split.persons("test"))
    loud = [
        replace(r, positions=r.positions * 100) if r.subject in unseen else r for r in recordings()
    ]
    other = protocol.fold(loud, 0, ["position"])
    assert other.split.hash == plain.split.hash
    for name, values in plain.stream_scaler.state_dict().items():
        assert torch.equal(values, other.stream_scaler.state_dict()[name])
    everything = load_protocol(
        "person-kfold", split={"folds": 3}, scaler="all", leaky=True, leak_reason="to test"
    )
    mean = everything.fold(loud, 0, ["position"]).stream_scaler.mean["position"]
    assert not torch.equal(mean, plain.stream_scaler.mean["position"])


def test_the_paper_protocol_warns():
    data = load_protocol("d2sta-paper").fold(recordings(20), 0, ["position"])
    assert [len(data.split.index(p)) for p in ("train", "validation", "test")] == [160, 20, 20]
    assert "also stand in training" in data.warning
    assert data.leakage.samples_with_sibling == 20
    assert data.leakage.recordings


def test_no_scaler_leaves_the_streams():
    data = load_protocol("person-kfold", scaler="none", split={"folds": 3}).fold(
        recordings(), 0, ["position"]
    )
    batch, _ = data.part("test")
    assert torch.equal(batch.x["position"], data.subset("test").streams["position"])


def test_unknown_people_are_refused_by_the_honest_protocol():
    nameless = [replace(r, subject=UNKNOWN_SUBJECT) for r in recordings()]
    with pytest.raises(DataError, match="do not say whose they are"):
        load_protocol("person-kfold").fold(nameless, 0, ["position"])
    data = load_protocol("d2sta-paper").fold(nameless, 0, ["position"])
    assert "120 samples do not say whose they are" in data.warning


def test_samples_can_be_built_once_for_all_folds():
    protocol = load_protocol("person-kfold", split={"folds": 3})
    samples = protocol.samples(recordings(), ["position"])
    a = protocol.fold([], 1, ["position"], samples=samples)
    b = protocol.fold(recordings(), 1, ["position"])
    assert a.split.hash == b.split.hash
    assert torch.equal(a.part("test")[0].x["position"], b.part("test")[0].x["position"])


def test_a_split_is_written_down():
    data = load_protocol("person-kfold", split={"folds": 3}).fold(recordings(), 0, ["position"])
    stored = json.loads(json.dumps(data.split.to_dict()))
    assert stored["hash"] == data.split.hash
    assert stored["test"]["persons"] == data.split.persons("test")
    assert stored["test"]["recordings"] == [f"{p}/5" for p in data.split.persons("test")]
    assert stored["test"]["samples"] == [[f"{p}/5", 0] for p in data.split.persons("test")]
    everyone = [p for part in ("train", "validation", "test") for p in stored[part]["persons"]]
    assert sorted(everyone) == [f"P{i:02}" for i in range(12)]


@pytest.mark.parametrize(
    "override",
    ["protocol.split.kind=leave-one-person-out", "protocol.split={kind: leave-one-person-out}"],
)
def test_another_kind_of_split_begins_with_settings_of_its_own(override):
    block = compose(model="mean", overrides=["protocol.split.folds=3", override])["protocol"]
    assert block["split"] == {"kind": "leave-one-person-out"}
    rule = Protocol.from_config(**block).split
    assert rule.to_dict() == {
        "kind": "leave-one-person-out",
        "seed": 0,
        "stratify": ["group", "score"],
        "validation": 0.2,
    }

import hashlib
import json
import math
import pickle
import struct

import pytest
import torch

from zoo import files
from zoo.errors import CheckpointError
from zoo.files import StorageError
from zoo.runs.environment import versions
from zoo.runs.key import RunKey
from zoo.training.checkpoint import Checkpoint, read_checkpoint, save_resumable, trained_files
from zoo.training.report import EpochRow

SCALERS = {
    "stream_scaler": {"position.mean": torch.ones(5, 3), "position.deviation": torch.ones(5, 3)},
    "target_scaler": {
        "offset": torch.tensor(25.0, dtype=torch.float64),
        "scale": torch.tensor(3.0, dtype=torch.float64),
        "kind": torch.tensor(0),
    },
}


def make_key(fingerprint="f" * 64, layout="toy5", protocol_hash="p" * 64, **trainer):
    config = {
        "model": {"name": "toy", "width": 8},
        "dataset": {"name": "toy", "exercise": "5"},
        "protocol": {"name": "toy-protocol"},
        "trainer": {"lr": 0.1, "device": "cpu", **trainer},
        "seed": 0,
        "fold": 0,
    }
    return RunKey.of(config, fingerprint=fingerprint, layout=layout, protocol_hash=protocol_hash)


def make_checkpoint(epochs=2):
    history = [EpochRow(e, 0.1 + 0.2, 1 / 3, None, 0.5) for e in range(1, epochs + 1)]
    weights = {"w": torch.randn(3, 2), "b": torch.randn(2).bfloat16(), "n": torch.tensor(7)}
    return Checkpoint(
        key=make_key().to_dict(),
        split_hash="s" * 64,
        history=history,
        best_epoch=1,
        best_mad=math.inf,
        versions=versions(),
        tensors={
            "model": weights,
            "best": {"w": torch.zeros(3, 2)},
            "optimizer": {"exp_avg/w": torch.randn(3, 2).t().contiguous().t()},
            **SCALERS,
        },
        sessions=[{"after_epoch": 0}],
    )


@pytest.fixture
def saved(tmp_path):
    """A stored checkpoint: its JSON file and its tensor file."""
    sidecar = tmp_path / "resume.json"
    save_resumable(make_checkpoint(), sidecar)
    (tensors,) = tmp_path.glob("*.safetensors")
    return sidecar, tensors


def forge(sidecar, tensors, content):
    """Put `content` in the tensor file, with a JSON file that vouches for it."""
    tensors.write_bytes(content)
    about = json.loads(sidecar.read_text())
    about["tensors"].update(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    sidecar.write_text(json.dumps(about))


def edit(sidecar, **changes):
    sidecar.write_text(json.dumps({**json.loads(sidecar.read_text()), **changes}))


def test_everything_comes_back_bit_by_bit(tmp_path):
    stored = make_checkpoint()
    save_resumable(stored, tmp_path / "resume.json")
    read = read_checkpoint(tmp_path / "resume.json")
    for group in stored.tensors:
        assert stored.tensors[group].keys() == read.tensors[group].keys()
        for name, value in stored.tensors[group].items():
            assert torch.equal(value, read.tensors[group][name])
            assert value.dtype == read.tensors[group][name].dtype
    assert (read.history, read.best_epoch, read.best_mad) == (stored.history, 1, math.inf)
    assert (read.key, read.split_hash, read.sessions) == (
        stored.key,
        stored.split_hash,
        stored.sessions,
    )
    assert read.versions["torch"] == torch.__version__


def test_the_same_tensors_give_the_same_bytes():
    stored = make_checkpoint()
    again = Checkpoint(**{**vars(stored), "tensors": dict(reversed(stored.tensors.items()))})
    assert trained_files(stored) == trained_files(again)


def test_only_the_newest_tensors_are_kept(tmp_path):
    for epochs in (1, 2, 3):
        save_resumable(make_checkpoint(epochs), tmp_path / "resume.json")
        assert len(list(tmp_path.glob("*.safetensors"))) == 1
    assert read_checkpoint(tmp_path / "resume.json").epoch == 3


@pytest.mark.parametrize("failing_call", [0, 1])
def test_on_a_full_disk_the_last_good_checkpoint_stays(saved, monkeypatch, failing_call):
    sidecar, _ = saved
    before = read_checkpoint(sidecar)
    calls, replace = [], files.os.replace

    def full(*arguments):
        calls.append(arguments)
        if len(calls) > failing_call:
            raise OSError(28, "No space left on device")
        replace(*arguments)

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(StorageError, match="no room"):
        save_resumable(make_checkpoint(5), sidecar)
    monkeypatch.undo()
    after = read_checkpoint(sidecar)
    assert after.epoch == before.epoch == 2
    assert torch.equal(after.tensors["model"]["w"], before.tensors["model"]["w"])
    assert len(list(sidecar.parent.iterdir())) == 2


def test_damaged_tensors_are_refused(saved):
    sidecar, tensors = saved
    content = bytearray(tensors.read_bytes())
    content[-1] ^= 1
    tensors.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"damaged or altered: its SHA-256 is not"):
        read_checkpoint(sidecar)


def test_a_truncated_file_is_refused(saved):
    sidecar, tensors = saved
    size = tensors.stat().st_size
    tensors.write_bytes(tensors.read_bytes()[:-10])
    with pytest.raises(
        CheckpointError, match=rf"has {size - 10} bytes, expected {size}: it is cut"
    ):
        read_checkpoint(sidecar)
    tensors.unlink()
    with pytest.raises(CheckpointError, match="tensors .* are missing"):
        read_checkpoint(sidecar)


def test_a_pickle_is_never_run(saved, tmp_path):
    sidecar, tensors = saved
    victim = tmp_path / "victim"

    class Bomb:
        def __reduce__(self):
            return (victim.write_text, ("run",))

    for content in (pickle.dumps(Bomb()), b"", b"\x00" * 7, b"PK\x03\x04" + b"\x00" * 50):
        forge(sidecar, tensors, content)
        with pytest.raises(CheckpointError, match=r"no safetensors file|damaged"):
            read_checkpoint(sidecar)
    torch.save({"w": Bomb()}, tensors)
    forge(sidecar, tensors, tensors.read_bytes())
    with pytest.raises(CheckpointError):
        read_checkpoint(sidecar)
    assert not victim.exists()


def test_a_huge_header_is_refused(saved):
    sidecar, tensors = saved
    for announced in (2**63, 10_000_001, 500):
        forge(sidecar, tensors, struct.pack("<Q", announced) + b"{}" + b" " * 100)
        with pytest.raises(CheckpointError, match=f"announces a header of {announced} bytes"):
            read_checkpoint(sidecar)
    header = b'{"a":{"dtype":"F32","shape":[4294967295,4294967295],"data_offsets":[0,8]}}'
    forge(sidecar, tensors, struct.pack("<Q", len(header)) + header + b"\x00" * 8)
    with pytest.raises(CheckpointError, match="damaged"):
        read_checkpoint(sidecar)


def test_a_tensor_file_elsewhere_is_refused(saved, tmp_path):
    sidecar, _ = saved
    for name in ("../other.safetensors", "/etc/passwd", "x.pkl", ""):
        about = json.loads(sidecar.read_text())["tensors"]
        edit(sidecar, tensors={**about, "file": name})
        with pytest.raises(CheckpointError, match="names the tensor file"):
            read_checkpoint(sidecar)


@pytest.mark.parametrize(
    "changes",
    [
        {"history": [{"epoch": "one"}]},
        {"history": [{"epoch": 1, "lr": "x", "loss": 1, "validation_mad": 1, "seconds": 1}]},
        {"history": 5},
        {"history": None},
        {"best_epoch": "first"},
        {"best_mad": []},
        {"key": []},
        {"versions": 3},
        {"sessions": [1]},
        {"tensors": {}},
        {"tensors": []},
        {"split_hash": None, "history": [[]]},
    ],
)
def test_an_altered_json_file_is_refused(saved, changes):
    sidecar, _ = saved
    edit(sidecar, **changes)
    with pytest.raises(CheckpointError, match="damaged"):
        read_checkpoint(sidecar)


def test_a_foreign_json_file_is_refused(saved):
    sidecar, _ = saved
    edit(sidecar, schema=99)
    with pytest.raises(CheckpointError, match=r"no checkpoint of this zoo.*schema 99"):
        read_checkpoint(sidecar)
    sidecar.write_bytes(b"[" * 300_000)
    with pytest.raises(CheckpointError, match="nested too deeply"):
        read_checkpoint(sidecar)
    sidecar.unlink()
    with pytest.raises(CheckpointError, match="does not exist"):
        read_checkpoint(sidecar)
    with pytest.raises(CheckpointError, match=r"checkpoint\.json does not exist"):
        read_checkpoint(sidecar.parent / "checkpoint.json")


def test_the_same_run_fits_whatever_the_machine():
    key = make_key(device="cuda", threads=8, checkpoint_every=1)
    make_checkpoint().require(key, "s" * 64, SCALERS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fingerprint": "e" * 64}, "belongs to other data: fingerprint ffffffffffff"),
        ({"layout": "coco"}, "skeleton layout 'toy5', not 'coco'"),
        ({"lr": 0.2}, r"other settings \(trainer.lr: 0.1 then, 0.2 now\)"),
        ({"protocol_hash": "q" * 64}, "protocol's meaning has changed"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_with_the_reason(change, words):
    with pytest.raises(CheckpointError, match=f"cannot be used here: .*{words}.*overwrite=True"):
        make_checkpoint().require(make_key(**change), "s" * 64, SCALERS)


def test_another_split_or_other_samples_are_refused():
    stored, key = make_checkpoint(), make_key()
    with pytest.raises(CheckpointError, match="another split"):
        stored.require(key, "t" * 64, SCALERS)
    moved = {"position.mean": torch.ones(5, 3) * 1.01, "position.deviation": torch.ones(5, 3)}
    with pytest.raises(CheckpointError, match="samples come out differently"):
        stored.require(key, "s" * 64, {"stream_scaler": moved})
    with pytest.raises(CheckpointError, match="other streams or joints"):
        stored.require(key, "s" * 64, {"stream_scaler": {"angle.mean": torch.ones(5, 3)}})
    rounded = {k: v * (1 + 1e-6) for k, v in SCALERS["stream_scaler"].items()}
    stored.require(key, "s" * 64, {"stream_scaler": rounded})


def test_the_best_weights_are_stored_once():
    stored = make_checkpoint()
    assert torch.equal(stored.state.best["w"], torch.zeros(3, 2))
    same = Checkpoint(
        **{**vars(stored), "best_epoch": 2, "tensors": {**stored.tensors, "best": {}}}
    )
    assert torch.equal(same.state.best["w"], stored.tensors["model"]["w"])

"""Checkpoints: tensors in safetensors, everything else in a JSON file beside them.

Neither format can name code, so loading one runs none. The JSON file carries the tensors' SHA-256
and is written after them; a checkpoint is what its JSON file says, or is refused.

    resume.json      → resume-<hash>.safetensors   in an unfinished run: all that goes on needs
    checkpoint.json  → checkpoint.safetensors      in a finished run: the selected weights, scalers
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from registry.outside import read_bytes
from zoo.build import Measured, build, to_plain
from zoo.errors import CheckpointError, DataError
from zoo.files import read_json, to_json, write_atomically
from zoo.runs.folder import CHECKPOINT, LARGEST_FILE, SIDECAR
from zoo.runs.key import RunKey, require_composed
from zoo.training.report import EpochRow
from zoo.training.state import TrainState
from zoo.words import some

SCHEMA = 1
FORMAT = "skeleton-zoo checkpoint"
LARGEST_HEADER = 10_000_000

_GROUPS = ("model", "best", "optimizer", "stream_scaler", "target_scaler", "validation")


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds.

    Attributes:
        key: of the run, as `RunKey.to_dict` gives it.
        split_hash: of the split.
        history: one row per finished epoch.
        best_epoch: epoch with the lowest validation MAD; 0 for none.
        best_mad: that MAD; infinity for none.
        versions: what wrote it.
        sessions: one entry per process that worked on the run.
        refit_after: of a run that is trained anew on everybody (``selection: refit``), how many
            rows are those of the training that chose the epoch; 0 while that goes on, and of
            other runs.
        tensors: by group (``model``, ``best``, ``optimizer``, ``stream_scaler``,
            ``target_scaler``, ``validation``) and name; in a file of their own.
    """

    key: Mapping[str, Any]
    split_hash: str
    history: list[EpochRow]
    best_epoch: int
    best_mad: Measured
    versions: Mapping[str, str]
    sessions: list[dict[str, Any]]
    refit_after: int = 0
    tensors: Mapping[str, Mapping[str, Tensor]] = field(
        default_factory=dict, metadata={"key": None}
    )

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return len(self.history)

    @property
    def state(self) -> TrainState:
        """The state of the training."""
        model, optimizer = dict(self.tensors["model"]), dict(self.tensors["optimizer"])
        if self.refit_after:
            return TrainState(self.history[self.refit_after :], model=model, optimizer=optimizer)
        best = dict(self.tensors["best"])
        if not best and self.best_epoch == self.epoch:
            best = dict(model)
        return TrainState(self.history, self.best_epoch, self.best_mad, best, model, optimizer)

    def require(
        self, key: RunKey, split_hash: str, scalers: Mapping[str, Mapping[str, Tensor]]
    ) -> None:
        """Refuse to be used for another run, on other data or with other scales.

        Args:
            key: of the run that wants it.
            split_hash: of that run's split.
            scalers: its ``stream_scaler`` and ``target_scaler``, as fitted now.

        Raises:
            CheckpointError: with every reason.
        """
        reasons = key.objections(self.key)
        if not reasons and self.split_hash != split_hash:
            reasons.append(
                f"it belongs to another split: hash {self.split_hash[:12]}… then, "
                f"{split_hash[:12]}… now"
            )
        if not reasons:
            for group, now in scalers.items():
                reasons += _scaler_objections(group, self.tensors[group], now)
        if reasons:
            raise CheckpointError(
                f"the checkpoint cannot be used here: {some(reasons, between='; ')}. Use "
                "overwrite=True to train anew, or the data and settings it was made with"
            )

    def to_files(self, tensor_file: str) -> tuple[str, bytes, bytes]:
        """The tensor file's name and bytes, and the JSON file's bytes.

        Args:
            tensor_file: the name; ``{hash}`` in it becomes the beginning of its SHA-256.
        """
        content = safetensors.torch.save(joined(self.tensors))
        digest = hashlib.sha256(content).hexdigest()
        name = tensor_file.format(hash=digest[:12])
        about = {
            "format": FORMAT,
            "schema": SCHEMA,
            "tensors": _TensorFile(name, len(content), digest),
        }
        return name, content, to_json({**to_plain(about), **to_plain(self)})


@dataclass(frozen=True)
class _TensorFile:
    """The file of a checkpoint's tensors, beside the one that names it."""

    file: str
    bytes: int
    sha256: str


def joined(tensors: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Tensors by ``GROUP/NAME``, as a file holds them."""
    flat = {f"{g}/{n}": t for g in _GROUPS for n, t in tensors.get(g, {}).items()}
    return {name: tensor.contiguous() for name, tensor in flat.items()}


def grouped(flat: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """The way back from `joined`.

    Raises:
        KeyError: a group that no checkpoint has.
    """
    tensors: dict[str, dict[str, Tensor]] = {group: {} for group in _GROUPS}
    for label, tensor in flat.items():
        group, _, name = label.partition("/")
        tensors[group][name] = tensor
    return tensors


def save_resumable(checkpoint: Checkpoint, resume_file: Path) -> None:
    """Write the state of an unfinished run; the one before stays whole until this one is.

    Raises:
        StorageError: it cannot be written; the one before is untouched.
    """
    name, content, about = checkpoint.to_files("resume-{hash}.safetensors")
    folder = resume_file.parent
    try:
        write_atomically(folder / name, content)
        write_atomically(resume_file, about)
    finally:
        keep = _named_tensors(resume_file)
        for old in folder.glob("resume-*.safetensors"):
            if old.name != keep:
                old.unlink(missing_ok=True)


def read_checkpoint(sidecar: Path) -> Checkpoint:
    """A checkpoint from its JSON file and the tensors it names.

    Raises:
        CheckpointError: either file is missing, damaged, altered, or none of ours.
    """
    try:
        about = read_json(sidecar)
    except DataError as error:
        raise CheckpointError(f"no usable checkpoint: {error}") from None
    form, schema = about.pop("format", None), about.pop("schema", None)
    if (form, schema) != (FORMAT, SCHEMA):
        raise CheckpointError(
            f"{sidecar} is no checkpoint of this zoo: format {form!r}, schema {schema!r}, expected "
            f"{FORMAT!r}, {SCHEMA}"
        )
    where = f"the checkpoint {sidecar} is damaged:"
    file = build(_TensorFile, about.pop("tensors", {}), f"{where} tensors", error=CheckpointError)
    kept = build(Checkpoint, about, where, error=CheckpointError)
    key = build(RunKey, kept.key, f"{where} key:", error=CheckpointError)
    require_composed(key.config, f"{where} key.config:", error=CheckpointError)
    try:
        tensors = grouped(safetensors.torch.load(_tensor_bytes(sidecar.parent, file)))
    except (SafetensorError, KeyError) as error:
        raise CheckpointError(f"{where} {error!r}") from None
    best_mad = math.inf if math.isnan(kept.best_mad) else kept.best_mad
    return replace(kept, best_mad=best_mad, tensors=tensors)


def trained_files(checkpoint: Checkpoint) -> dict[str, bytes]:
    """The two files of a finished run."""
    name, content, about = checkpoint.to_files(CHECKPOINT)
    return {name: content, SIDECAR: about}


def _tensor_bytes(folder: Path, named: _TensorFile) -> bytes:
    name, size, digest = named.file, named.bytes, named.sha256
    if Path(name).name != name or not name.endswith(".safetensors"):
        raise CheckpointError(f"the checkpoint in {folder} names the tensor file {name!r}")
    file = folder / name
    if not file.is_file():
        raise CheckpointError(f"the checkpoint's tensors {file} are missing")
    actual = file.stat().st_size
    if actual != size or size > LARGEST_FILE:
        raise CheckpointError(f"{file} has {actual} bytes, expected {size}: it is cut or altered")
    content = read_bytes(file, LARGEST_FILE, error=CheckpointError)
    if hashlib.sha256(content).hexdigest() != digest:
        raise CheckpointError(f"{file} is damaged or altered: its SHA-256 is not {digest[:12]}…")
    header = int.from_bytes(content[:8], "little")
    if len(content) < 8 or header > min(len(content) - 8, LARGEST_HEADER):
        raise CheckpointError(
            f"{file} is no safetensors file: it announces a header of {header} bytes"
        )
    return content


def _named_tensors(resume_file: Path) -> str | None:
    try:
        return str(read_json(resume_file)["tensors"]["file"])
    except (DataError, KeyError, TypeError):
        return None


def _scaler_objections(
    group: str, then: Mapping[str, Tensor], now: Mapping[str, Tensor]
) -> list[str]:
    words = group.replace("_", " ")
    if then.keys() != now.keys() or any(then[k].shape != now[k].shape for k in now):
        return [f"its {words} has other streams or joints"]
    for name, value in now.items():
        old, new = then[name].double(), value.double()
        if not bool(((old - new).abs() <= 1e-4 * (1 + new.abs())).all()):
            return [
                f"the samples come out differently now than when it was written ({words} {name}): "
                "the code that makes them has changed"
            ]
    return []

"""Starting a training from another run's weights (``trainer.init_from``)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from zoo.data.cross import counterparts
from zoo.data.people import dataset_family, unmatched_people
from zoo.data.recording import UNKNOWN_SUBJECT
from zoo.errors import CheckpointError, DataError
from zoo.nn.model import contract_of
from zoo.nn.norm import InputNorm
from zoo.protocol.protocol import FoldData
from zoo.protocol.split import PARTS
from zoo.runs.find import open_finished
from zoo.runs.folder import SIDECAR
from zoo.runs.record import InitFrom
from zoo.runs.run import Run
from zoo.skeleton.layout import load_layout
from zoo.training.checkpoint import read_checkpoint
from zoo.training.config import TrainerConfig
from zoo.words import some

_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
_NAMED = 6


@dataclass(frozen=True)
class Between:
    """How the joints of two layouts correspond.

    Attributes:
        own: number of joints V of the model's layout.
        other: of the layout the weights come from.
        pairs: for each of our joints the other's number, or None.
    """

    own: int
    other: int
    pairs: Sequence[int | None]

    @property
    def found(self) -> list[int]:
        """The other's numbers of the joints that both have, in our order."""
        return [pair for pair in self.pairs if pair is not None]

    @property
    def complete(self) -> bool:
        """Whether the other layout has all of our joints."""
        return None not in self.pairs

    def by_joint(self, value: Tensor, theirs: Tensor) -> tuple[Tensor, Tensor]:
        """Joint-major entries (V·C,) of both sides as (V, C)."""
        whole = theirs.numel() % self.other == 0
        return value.view(self.own, -1), theirs.view(self.other, -1) if whole else theirs


def with_source(config: Mapping[str, Any]) -> tuple[Mapping[str, Any], Run | None]:
    """The configuration with the hash of the other run's key in place of its folder, and that run.

    Where it says what makes that run, the folder is under ``init_from.run``.

    A run is known by content: where the other one lies is no part of its identity.

    Raises:
        DataError: ``trainer.init_from`` names no finished run.
    """
    trainer = config["trainer"]
    if trainer.get("init_from") is None:
        return config, None
    given = trainer["init_from"]
    described = isinstance(given, Mapping)
    source = open_finished(str(given["run"] if described else given))
    named = source.record.key_hash
    hashed = {**trainer, "init_from": {**given, "run": named} if described else named}
    return {**config, "trainer": hashed}, source


def start_from(
    model: nn.Module, source: Run, data: FoldData, dataset: str, settings: TrainerConfig
) -> InitFrom:
    """Copy into `model` what fits of the weights of the finished run `source`.

    A weight is taken where its name and shape agree. Between layouts, an axis with one entry a
    joint on both sides, and the coordinates of an `InputNorm`, are put in our order of joints;
    entries of joints that the other layout lacks stay as initialised. Constants of the model are
    its own.

    Args:
        model: freshly initialised; changed in place.
        source: the run to start from.
        data: the fold it will be trained on.
        dataset: name of that fold's dataset.
        settings: ``init_joints`` and ``init_head``.

    Raises:
        CheckpointError: either is no trained network, or no weight but the head's fits.
        DataError: people to be validated or tested on had a part in the other run's training.
        ConfigError: ``init_joints`` names a joint that is not there.
    """
    record = source.record
    if record.members or record.model.closed_form or contract_of(model).closed_form:
        raise CheckpointError(
            f"trainer.init_from: only networks start from networks; {source.path} is a run of "
            f"{record.model.name}, and the model to train is {type(model).__name__}"
        )
    _require_unseen(source, data, dataset)
    names = data.samples.layout, record.dataset.layout
    between = None
    if names[0] != names[1] or settings.init_joints:
        own, other = load_layout(names[0]), record.dataset.skeleton
        named = settings.init_joints or {}
        pairs = counterparts(own, other, named, "trainer.init_joints")
        between = Between(len(own.joints), len(other.joints), pairs)
    stored = read_checkpoint(source.path / SIDECAR).tensors["model"]
    taken, partly, fresh = transfer(
        model, stored, between, fresh_head=settings.init_head == "fresh"
    )
    if all(_of_head(name) or name.endswith(_STATISTICS) for name in [*taken, *partly]):
        reasons = [f"{name}: {reason}" for name, reason in fresh.items()]
        raise CheckpointError(
            f"trainer.init_from: nothing but the head of {source.path} "
            f"({record.model.name}) fits this {type(model).__name__}: {some(reasons, _NAMED)}"
        )
    missing = []
    if between is not None:
        missing = [j for j, at in zip(own.joints, between.pairs, strict=True) if at is None]
    return InitFrom(
        key_hash=record.key_hash,
        origin=(
            f"{record.model.name} on {record.dataset.name}/{source.exercise}, fold {source.fold}"
        ),
        taken=len(taken),
        partly=tuple(partly),
        fresh=fresh,
        missing_joints=tuple(missing),
    )


def transfer_note(init: InitFrom) -> str:
    """What was taken of another run and what was not, for the user."""
    text = f"started from {init.origin}: {init.taken} weights taken"
    if init.partly:
        text += (
            f", {len(init.partly)} but for the joints {', '.join(init.missing_joints)} "
            f"({some(init.partly, _NAMED)})"
        )
    if init.fresh:
        reasons = [f"{name}: {reason}" for name, reason in init.fresh.items()]
        text += f", {len(init.fresh)} left as initialised ({some(reasons, _NAMED)})"
    return text


def transfer(
    model: nn.Module,
    stored: Mapping[str, Tensor],
    between: Between | None = None,
    *,
    fresh_head: bool = False,
) -> tuple[list[str], list[str], dict[str, str]]:
    """Copy the weights that fit into `model`; the rule is that of `start_from`.

    Args:
        model: changed in place.
        stored: weights by name.
        between: how joints of two layouts correspond; None where both are one layout.
        fresh_head: leave the head as it is.

    Returns:
        Names of weights taken whole, names of those taken for some joints, and by name why each
        other weight was left.
    """
    learned = {name for name, _ in model.named_parameters()}
    modules = dict(model.named_modules())
    taken: list[str] = []
    partly: list[str] = []
    fresh: dict[str, str] = {}
    for name, value in model.state_dict().items():
        path, _, last = name.rpartition(".")
        module = modules[path]
        if name not in learned and last not in _STATISTICS:
            continue
        if fresh_head and _of_head(name):
            fresh[name] = "the head is to be fresh"
            continue
        if name not in stored:
            fresh[name] = "the other run has none"
            continue
        theirs = stored[name]
        if between is not None and isinstance(module, InputNorm) and value.ndim:
            value, theirs = between.by_joint(value, theirs)
        kernel = last == "weight" and isinstance(module, nn.Conv1d | nn.Conv2d)
        axes = _joint_axes(value, theirs, between, 2 if kernel else value.ndim)
        if axes is None:
            fresh[name] = f"shape {tuple(value.shape)}, there {tuple(theirs.shape)}"
        elif between is None or not axes:
            value.copy_(theirs)
            taken.append(name)
        elif not between.found:
            fresh[name] = "no joint of ours is in the other layout"
        else:
            _copy_joints(value, theirs, axes, between)
            (taken if between.complete else partly).append(name)
    return taken, partly, fresh


def _require_unseen(source: Run, data: FoldData, dataset: str) -> None:
    """Refuse a run that learned, or may have, from people this fold holds out."""
    if data.protocol.leaky:
        return
    other = source.record.dataset.name
    shared = unmatched_people(dataset, other)
    if shared:
        raise DataError(
            f"trainer.init_from: {dataset} and {other} both hold people of {', '.join(shared)}, "
            f"whose names in the two cannot be matched, so {source.path} may have been trained on "
            "people that are tested here. If you know that it was not, say whose people it holds "
            f"as card.people_of in dataset/{other}.yaml, in a folder given by "
            'registry.use_config_dir("DIR")'
        )
    if dataset_family(dataset) != dataset_family(other):
        return
    people = {part: set(source.split[part]["persons"]) for part in PARTS}
    refit = source.record.protocol.selection == "refit"
    if refit:  # the validation people were trained on in the end
        people["train"] |= people["validation"]
    validation, test = (set(data.split.persons(part)) for part in ("validation", "test"))
    learned = people["train"] & (validation | test)
    both = sorted((learned | (people["validation"] & test)) - {UNKNOWN_SUBJECT, ""})
    if both:
        not_refit = " with protocol.selection=best" if refit else ""
        raise DataError(
            f"trainer.init_from: {len(both)} people that are validated or tested on here "
            f"({some(both, _NAMED)}) had a part in the training of {source.path}. Start from the "
            f"run of the same fold{not_refit}, or from one on another dataset"
        )


def _of_head(name: str) -> bool:
    """Whether a weight is of a module ``head`` or ``head_…``; ``heads`` are attention's."""
    return any(part == "head" or part.startswith("head_") for part in name.split("."))


def _joint_axes(
    value: Tensor, theirs: Tensor, between: Between | None, among: int
) -> list[int] | None:
    """Which of the first `among` axes go over the joints; None where the shapes do not fit."""
    if value.ndim != theirs.ndim:
        return None
    axes = []
    for axis, sizes in enumerate(zip(value.shape, theirs.shape, strict=True)):
        if between is not None and axis < among and sizes == (between.own, between.other):
            axes.append(axis)
        elif sizes[0] != sizes[1]:
            return None
    return axes


def _copy_joints(value: Tensor, theirs: Tensor, axes: Sequence[int], between: Between) -> None:
    """Write `theirs` into `value`, along `axes` the joints that both layouts have."""
    ours = torch.tensor([joint for joint, pair in enumerate(between.pairs) if pair is not None])
    for axis in axes:
        theirs = theirs.index_select(axis, torch.tensor(between.found))
    where = [ours if axis in axes else torch.arange(size) for axis, size in enumerate(value.shape)]
    value[torch.meshgrid(*where, indexing="ij")] = theirs

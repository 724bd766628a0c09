"""A trained model as one file that goes anywhere: no code, no runs, no dataset, nobody's name.

A bundle is a safetensors file. Its tensors are those of the run's checkpoint; its metadata say in
JSON what the run's record says, the skeleton layout, the model's card, and how far off the model
was for its validation people, who are numbered: enough for intervals of any level.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from registry import LAYOUTS, MODELS, PROTOCOLS, register_layout
from zoo.build import build, to_plain
from zoo.catalogue import Card, card
from zoo.errors import CheckpointError, ConfigError, UserError
from zoo.files import write_atomically
from zoo.protocol.protocol import Protocol, load_protocol
from zoo.protocol.split import PARTS
from zoo.runs.find import open_run, require_model
from zoo.runs.folder import BUNDLE, SIDECAR
from zoo.runs.record import SCHEMA as RECORD_SCHEMA
from zoo.runs.record import RunRecord
from zoo.runs.run import Run
from zoo.runs.scores import Scores
from zoo.skeleton.layout import Layout, load_layout
from zoo.training.checkpoint import Checkpoint, grouped, joined, read_checkpoint

FORMAT = "skeleton-zoo bundle"
SCHEMA = 1


@dataclass(frozen=True)
class Errors:
    """How far off a model was for its validation people; a row a sample.

    Attributes:
        person: number of the person, from 0.
        recording: number of the recording, from 0.
        error: predicted minus true score.
        deviation: how far off the model expected to be; None where it does not say.
    """

    person: tuple[int, ...]
    recording: tuple[int, ...]
    error: tuple[float, ...]
    deviation: tuple[float, ...] | None

    @classmethod
    def of(cls, scores: Scores) -> "Errors":
        """Those of a table's validation rows."""
        rows = scores.of("validation")
        deviation = None if rows.deviation is None else tuple(rows.deviation.tolist())
        error = tuple((rows.predicted - rows.true).tolist())
        return cls(_numbers(rows.who), _numbers(rows.recording), error, deviation)

    def scores(self) -> Scores:
        """A table whose errors these are; true scores stand for 0."""
        return Scores(
            part=["validation"] * len(self.error),
            person=[str(number) for number in self.person],
            group=[""] * len(self.error),
            recording=[str(number) for number in self.recording],
            sample=list(range(len(self.error))),
            true=np.zeros(len(self.error)),
            predicted=np.array(self.error, dtype=np.float64),
            deviation=None if self.deviation is None else np.array(self.deviation),
        )


@dataclass(frozen=True)
class _About:
    """The JSON in a bundle's metadata."""

    record: RunRecord
    layout: Mapping[str, Any]
    card: Card
    errors: Errors
    checkpoint: Checkpoint
    sha256: str


@dataclass(frozen=True, eq=False)
class BundledRun(Run):
    """The run that a bundle was made of, without what belongs to single people.

    Attributes:
        checkpoint: its selected weights and scalers.
        card: of its model.
        errors: for its validation people.
    """

    checkpoint: Checkpoint = field(repr=False)
    card: Card = field(repr=False)
    errors: Errors = field(repr=False)

    @cached_property
    def scores(self) -> Scores:
        """Errors for validation people as a table; nobody's scores are in a bundle."""
        return self.errors.scores()

    @cached_property
    def split(self) -> dict[str, Any]:
        """Nobody's name is in a bundle."""
        return {part: {"persons": [], "recordings": []} for part in PARTS}

    @cached_property
    def history(self) -> list[dict[str, float]]:
        """One mapping per epoch."""
        return [vars(row) for row in self.checkpoint.history]

    def altered_files(self) -> list[str]:
        """Whether a bundle is as it was written is seen when it is opened."""
        return []


def export_run(
    run: Run | Path | str, output: Path | None = None, *, overwrite: bool = False
) -> Path:
    """Write a finished run's model as a bundle; see `zoo.export`."""
    found = open_run(run)
    require_unaltered(found)
    target = Path(f"{found.record.model.name}{BUNDLE}") if output is None else output
    if target.is_dir() or target.suffix != BUNDLE:
        raise ConfigError(f"a bundle is a file whose name ends in {BUNDLE}, not {target}")
    if target.exists() and not overwrite:
        raise ConfigError(f"{target} exists already: name another with output=, or overwrite=True")
    stored = read_checkpoint(found.path / SIDECAR)
    flat = joined(stored.tensors)
    about = _About(
        record=replace(found.record, files={}),
        layout=load_layout(str(stored.key["layout"])).to_config(),
        card=card(found.record.model.name),
        errors=Errors.of(found.scores),
        checkpoint=stored,
        sha256=_digest(flat),
    )
    text = json.dumps(to_plain(about), allow_nan=False)
    meta = {"format": FORMAT, "schema": str(SCHEMA), "about": text}
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, safetensors.torch.save(flat, metadata=meta))
    return target


def require_unaltered(run: Run) -> None:
    """Nothing, if a run that is to be exported is as it was written.

    Raises:
        CheckpointError: it is not.
    """
    altered = run.altered_files()
    if altered:
        raise CheckpointError(
            f"{run.path} is not exported, for it is no longer what the run wrote: "
            f"{', '.join(altered)}"
        )


def is_bundle(run: object) -> bool:
    """Whether `run` is the path of a bundle."""
    return (
        isinstance(run, str | Path)
        and Path(run).suffix == BUNDLE
        and Path(run).expanduser().is_file()
    )


def read_bundle(path: Path | str) -> BundledRun:
    """The run in a bundle. Its layout is registered where there is none of its name.

    Raises:
        CheckpointError: it is no bundle, damaged, altered, of another version of the zoo, or its
            layout is another one than that of the same name here.
    """
    file = Path(path).expanduser()
    try:
        with safetensors.safe_open(str(file), framework="pt") as opened:
            meta = opened.metadata() or {}
            flat = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{file} is no bundle of this zoo: {error}") from None
    if (meta.get("format"), meta.get("schema")) != (FORMAT, str(SCHEMA)):
        raise CheckpointError(
            f"{file} is no bundle of this zoo: format {meta.get('format')!r}, schema "
            f"{meta.get('schema')!r}, expected {FORMAT!r}, {SCHEMA}"
        )
    where = f"the bundle {file} is damaged:"
    try:
        values = json.loads(meta.get("about", ""))
        about = build(_About, values, where, error=CheckpointError)
        tensors = grouped(flat)
        layout = Layout.from_config(str(about.checkpoint.key["layout"]), **about.layout)
    except CheckpointError:
        raise
    except (ValueError, TypeError, KeyError, RecursionError, UserError) as error:
        raise CheckpointError(f"{where} {error}") from None
    if about.record.schema != RECORD_SCHEMA:
        raise CheckpointError(
            f"{file} holds a run of schema {about.record.schema}, this zoo reads {RECORD_SCHEMA}"
        )
    if about.sha256 != _digest(flat):
        raise CheckpointError(f"{where} its weights are not those that were written")
    _settle(layout, file)
    stored = replace(about.checkpoint, tensors=tensors)
    return BundledRun(file, about.record, stored, about.card, about.errors)


def open_trained(run: Run | Path | str) -> Run:
    """The finished run or bundle that `run` names, whose model is registered here.

    Raises:
        DataError: no finished run.
        CheckpointError: see `read_bundle`, or its model is registered nowhere.
    """
    if isinstance(run, BundledRun):
        return run
    if isinstance(run, Run) or not is_bundle(run):
        return open_run(run)
    found = read_bundle(run)
    require_model(found.record, f"the bundle {found.path}")
    return found


def protocol_of(run: Run) -> Protocol:
    """A run's protocol, also where none of its name is registered.

    Raises:
        CheckpointError: it no longer means what it did.
    """
    block = run.record.config["protocol"]
    known = block["name"] in PROTOCOLS
    protocol = load_protocol(**block) if known else Protocol.from_config(**block)
    if protocol.hash() != run.record.protocol.hash:
        raise CheckpointError(
            f"the protocol {protocol.name} no longer means what it did when {run.path} was "
            "trained (other settings, or other code that makes samples): the model would see "
            "samples unlike those it learned from. Train it again"
        )
    return protocol


def card_of_run(run: Run) -> Card:
    """The card of a run's model: the bundle's, or as it is registered."""
    if isinstance(run, BundledRun):
        return run.card
    name = run.record.model.name
    return card(name) if name in MODELS else Card(name)


def _settle(layout: Layout, file: Path) -> None:
    """Register a bundle's layout where there is none of its name."""
    if layout.name not in LAYOUTS:
        register_layout(layout.name)(lambda name, **config: layout)
        return
    here = load_layout(layout.name)
    if (here.joints, here.parents, here.pairs) != (layout.joints, layout.parents, layout.pairs):
        raise CheckpointError(
            f"{file} was trained on a skeleton layout {layout.name} with other joints than the one "
            "of that name here"
        )


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 (hex) of named tensors."""
    content = safetensors.torch.save({n: t.contiguous() for n, t in tensors.items()})
    return hashlib.sha256(content).hexdigest()


def _numbers(names: Any) -> tuple[int, ...]:
    """A number for each name, in the order in which they appear."""
    known: dict[str, int] = {}
    return tuple(known.setdefault(name, len(known)) for name in names)

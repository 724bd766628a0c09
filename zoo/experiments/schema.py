"""The blocks of an experiment's file: rows, protocols, report, published numbers.

``configs/experiment/NAME.yaml``:

    extends: d2sta-kimore              start from another one; may be left out, as most keys
    card: {title: …, summary: …, paper: Table 6}
    dataset: kimore
    exercises: [5]                     all that have scores where left out
    folds: [0]                         all where left out
    seeds: [0, 1]                      those of each protocol where left out
    set: {trainer.epochs: 10}          settings of every run
    protocols:
      - person-kfold
      - {name: d2sta-paper, set: {trainer.epochs: 100}}
    rows:
      - mean                           a model as it is, called by its name
      - {label: no groups, model: d2sta, set: {model.grouping: none}, published: D2STA-G}
    report: {rows: variant, reference: full, figures: [errors, loss]}
    published: {table: Table 6, protocol: d2sta-paper, …}

Of two settings the more special one wins: of the experiment, of a protocol, from the command line,
of a row. Settings of the trainer that are no row's own are not for closed-form models.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from zoo.evaluation.metrics import board_metrics

UNKNOWN = "unknown"
"""In place of a published row: the paper has the row, its numbers are not known."""


@dataclass(frozen=True)
class Row:
    """A model that takes part, and the row of the table that it becomes.

    Attributes:
        model: name of a registered model.
        label: what the row is called; the model's name where it is left out.
        settings: its own (``set``).
        protocols: the ones it takes part in; None for all of the experiment's.
        seeds: its own; None takes the experiment's.
        published: name of the published row it is set beside, or `UNKNOWN`; None for none.
    """

    shorthand: ClassVar[str] = "model"

    model: str
    label: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict, metadata={"key": "set"})
    protocols: tuple[str, ...] | None = None
    seeds: tuple[int, ...] | None = None
    published: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", self.label or self.model)


@dataclass(frozen=True)
class UnderProtocol:
    """A protocol, and the settings (``set``) of all runs under it."""

    shorthand: ClassVar[str] = "name"

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict, metadata={"key": "set"})


@dataclass(frozen=True)
class Report:
    """What is made of the runs besides a table.

    Attributes:
        rows: what the rows are; heads the table's first column and names an axis.
        reference: label of the row that all others are compared with; empty for none.
        figures: registered ones.
    """

    rows: str = "model"
    reference: str = ""
    figures: tuple[str, ...] = ("errors",)


@dataclass(frozen=True)
class Change:
    """A change that the paper states, from one row to another.

    Attributes:
        row: label of the row that changed.
        to: label of the row it is compared with.
        metric: whose mean over the exercises changes.
        percent: the published change by where it stands; several where the paper contradicts
            itself.
        source: where it stands, in words.
    """

    row: str
    to: str
    metric: str
    percent: Mapping[str, float]
    source: str


@dataclass(frozen=True)
class Published:
    """A table of a paper, which rows name in `Row.published`; its numbers are in `zoo.board`.

    Attributes:
        table: what it is called there.
        protocol: ours that follows the paper's.
        beside: an honest one, shown beside and not judged; empty for none.
        metrics: its columns.
        units: what unit the paper's errors may have, see `zoo.experiments.units`.
        ambiguity: why there is more than one.
        changes: from row to row.
        missing: what is not compared, and why.
        notes: what a reader must know besides the numbers.
    """

    table: str
    protocol: str
    beside: str = ""
    metrics: tuple[str, ...] = field(default_factory=lambda: tuple(board_metrics()))
    units: tuple[Literal["points", "points of 100", "standardised"], ...] = ("points",)
    ambiguity: str = ""
    changes: tuple[Change, ...] = ()
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

"""What is to be compared with a paper, as ``configs/replication/NAME.yaml`` says.

The paper's numbers are not in there: rows are named of `zoo.board.published`, and runs as rows of
`zoo.study`.

    card: {title: …, summary: …}
    dataset: kimore
    protocol: d2sta-paper            the zoo's, that follows the paper's
    beside: person-kfold             an honest one, shown beside and not judged; may be left out
    readings: [points, standardised] what unit the paper's errors may have, see `zoo.replication.
                                     readings`
    ambiguity: …                     why there is more than one; may be left out
    tables:
      - title: Table 6
        study: d2sta-ablation
        metrics: [mape, rmse]        all where left out
        rows: {position only: "D2STA, single stream", plain attention: null}
        relations:                   changes in percent from one row of the study to another
          - {row: no grouping module, to: full, metric: mape, percent: {text: 90}, source: …}
    missing: {Tables 4 and 5: why they are not compared}
    notes: [what a reader must know besides]

A row whose published row is null, and a metric or exercise that the published row lacks, are
unknown: they are shown as such beside what we have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from registry import config_names, did_you_mean
from zoo.board.published import PublishedResult, published_for
from zoo.build import require_keys
from zoo.catalogue import entry_config
from zoo.errors import ConfigError
from zoo.evaluation.statistics import BOARD_METRICS
from zoo.replication.readings import READINGS
from zoo.study.definition import Study


@dataclass(frozen=True)
class Relation:
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
class PaperTable:
    """One table of the paper.

    Attributes:
        title: what it is called there.
        study: whose rows it has.
        rows: published row by our row's label; None where no number is known.
        metrics: its columns.
        relations: changes from row to row.
    """

    title: str
    study: Study
    rows: Mapping[str, PublishedResult | None]
    metrics: tuple[str, ...]
    relations: tuple[Relation, ...]

    @property
    def labels(self) -> set[str]:
        """Labels of all rows that take part."""
        return {*self.rows, *(name for r in self.relations for name in (r.row, r.to))}


@dataclass(frozen=True)
class Definition:
    """A paper to be compared with; the keys of the file, names looked up."""

    name: str
    title: str
    summary: str
    dataset: str
    protocol: str
    beside: str
    readings: tuple[str, ...]
    ambiguity: str
    tables: tuple[PaperTable, ...]
    missing: Mapping[str, str]
    notes: tuple[str, ...]

    @classmethod
    def load(cls, name: str) -> "Definition":
        """The replication that ``configs/replication/NAME.yaml`` describes.

        Raises:
            ConfigError: there is no such file, or it names something that is not there.
        """
        names = replication_names()
        if name not in names:
            raise ConfigError(f"no replication is called {name!r}. {did_you_mean(name, names)}")
        values = entry_config("replication", name)
        where = f"replication {name}"
        own = [f.name for f in fields(cls) if f.name not in ("name", "title", "summary")]
        require_keys(values, ["card", *own], where)
        for key in ("dataset", "protocol", "tables"):
            if not values.get(key):
                raise ConfigError(f"{where} has no {key}")
        card = values.get("card") or {}
        return cls(
            name=name,
            title=str(card.get("title", name)),
            summary=str(card.get("summary", "")),
            dataset=str(values["dataset"]),
            protocol=str(values["protocol"]),
            beside=str(values.get("beside", "")),
            readings=_among(values.get("readings", ["points"]), READINGS, f"{where}: readings"),
            ambiguity=str(values.get("ambiguity", "")),
            tables=tuple(
                _table(table, values, f"{where}, table {i}")
                for i, table in enumerate(values["tables"], 1)
            ),
            missing={str(k): str(v) for k, v in values.get("missing", {}).items()},
            notes=tuple(map(str, values.get("notes", ()))),
        )


def replication_names() -> list[str]:
    """Names of all replications, sorted."""
    return config_names("replication")


def _table(values: Any, whole: Mapping[str, Any], where: str) -> PaperTable:
    require_keys(values, [f.name for f in fields(PaperTable)], where)
    for key in ("title", "study"):
        if not values.get(key):
            raise ConfigError(f"{where} has no {key}")
    study = Study.load(str(values["study"]))
    labels = [label for label, _ in study.rows(str(whole["protocol"]))]
    published = {row.name: row for row in published_for(str(whole["dataset"]))}
    rows: dict[str, PublishedResult | None] = {}
    for label, name in values.get("rows", {}).items():
        _among([label], labels, f"{where}: rows of study {study.name}")
        if name is not None:
            _among([name], published, f"{where}: published rows")
        rows[str(label)] = None if name is None else published[name]
    metrics = _among(values.get("metrics", list(BOARD_METRICS)), BOARD_METRICS, f"{where}: metrics")
    return PaperTable(
        title=str(values["title"]),
        study=study,
        rows=rows,
        metrics=metrics,
        relations=tuple(
            _relation(relation, labels, f"{where}: relations")
            for relation in values.get("relations", ())
        ),
    )


def _relation(values: Any, labels: Sequence[str], where: str) -> Relation:
    known = [f.name for f in fields(Relation)]
    require_keys(values, known, where)
    if set(known) - set(values):
        raise ConfigError(
            f"{where}: {values!r} lacks {', '.join(sorted(set(known) - set(values)))}"
        )
    row, to = _among([values["row"], values["to"]], labels, where)
    (metric,) = _among([values["metric"]], BOARD_METRICS, where)
    try:
        percent = {str(k): float(v) for k, v in values["percent"].items()}
    except (AttributeError, TypeError, ValueError):
        raise ConfigError(
            f"{where}: percent is {values['percent']!r}, expected numbers by where they stand"
        ) from None
    return Relation(row, to, metric, percent, str(values["source"]))


def _among(names: Sequence[Any], known: Any, where: str) -> tuple[str, ...]:
    """`names` as text, each of which `known` has."""
    for name in names:
        if str(name) not in known:
            raise ConfigError(f"{where}: no {str(name)!r}. {did_you_mean(str(name), known)}")
    return tuple(map(str, names))

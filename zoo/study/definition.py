"""What a study is: its rows, as ``configs/study/NAME.yaml`` describes them, whole or cut short."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import Any

from registry import MODELS, config_names, did_you_mean
from zoo.build import require_keys
from zoo.catalogue import entry_config
from zoo.compose import experiment_block
from zoo.errors import ConfigError
from zoo.sweep.request import Request

FIGURES = ("errors", "scatter", "loss", "assignment", "attention-time", "attention-exercises")
"""Kinds of figures a report can have, see `zoo.study.figures`."""

_SMALL = "-small"
_KEYS = ("card", "bench", "report")


@dataclass(frozen=True)
class Block:
    """A part of a study: rows that share dataset, protocols and settings.

    Attributes:
        labels: what each row is called, in the order of the request's models.
        request: the runs.
    """

    labels: tuple[str, ...]
    request: Request

    def rows(self, protocol: str) -> Iterator[tuple[str, Request]]:
        """Each row that takes part under `protocol`: its label, and its runs alone."""
        if protocol not in self.request.protocols:
            return
        for label, entrant in zip(self.labels, self.request.models, strict=True):
            if entrant.protocols is None or protocol in entrant.protocols:
                yield label, replace(self.request, models=(entrant,), protocols=(protocol,))


@dataclass(frozen=True)
class Report:
    """What a study ends in besides its table.

    Attributes:
        rows: what the rows are; heads the table's first column and names an axis.
        reference: label of the row that all others are compared with; empty for none.
        figures: kinds of figures, of `FIGURES`.
    """

    rows: str = "model"
    reference: str = ""
    figures: tuple[str, ...] = ("errors",)


@dataclass(frozen=True)
class Study:
    """A sweep with a report, which is a table or a figure of a paper made again.

    Attributes:
        name: of its file.
        title: in a few words.
        summary: what it does.
        paper: the tables and figures it makes again.
        blocks: the runs.
        report: what is made of them.
        cuts: in words, how it falls short of what its file describes; empty for the whole study.
    """

    name: str
    title: str
    summary: str
    paper: str
    blocks: tuple[Block, ...]
    report: Report
    cuts: tuple[str, ...] = ()

    @classmethod
    def load(cls, name: str) -> "Study":
        """The study that ``configs/study/NAME.yaml`` describes.

        Raises:
            ConfigError: there is no such file, or it holds a key or value that is none.
        """
        names = study_names()
        if name not in names:
            raise ConfigError(f"no study is called {name!r}. {did_you_mean(name, names)}")
        values = entry_config("study", name)
        where = f"study {name}"
        require_keys(values, _KEYS, where)
        card = values.get("card") or {}
        given = values.get("bench")
        listed = given if isinstance(given, list) else [given]
        blocks = tuple(
            _block(block, f"{where}: bench" + (f"[{i}]" if len(listed) > 1 else ""))
            for i, block in enumerate(listed)
        )
        study = cls(
            name=name,
            title=str(card.get("title", name)),
            summary=str(card.get("summary", "")),
            paper=str(card.get("paper", "")),
            blocks=blocks,
            report=_report(values.get("report") or {}, f"{where}: report"),
        )
        study._check()
        return study

    @property
    def protocols(self) -> tuple[str, ...]:
        """Names, in the order of the blocks."""
        return tuple(dict.fromkeys(chain.from_iterable(b.request.protocols for b in self.blocks)))

    @property
    def labels(self) -> tuple[str, ...]:
        """Of all rows, each once."""
        return tuple(dict.fromkeys(chain.from_iterable(block.labels for block in self.blocks)))

    def rows(self, protocol: str) -> list[tuple[str, Request]]:
        """Label and runs of every row under one protocol."""
        return [row for block in self.blocks for row in block.rows(protocol)]

    def shortened(
        self,
        *,
        rows: Sequence[str] | None = None,
        small: bool = False,
        dataset: str | None = None,
        protocols: Sequence[str] | None = None,
        exercises: Sequence[str] | None = None,
        folds: Sequence[int] | None = None,
        seeds: Sequence[int] | None = None,
        settings: Sequence[str] = (),
    ) -> "Study":
        """The study with some of it left out or replaced; what is None stays.

        Args:
            rows: labels of those that stay.
            small: take the small variant of every model that has one.
            dataset: another one.
            protocols: those of its own that stay.
            exercises: ids.
            folds: numbers.
            seeds: for all rows.
            settings: for all rows, ``key=value``; only what a row sets itself wins over them.

        Raises:
            ConfigError: the study has no such row or protocol, or nothing is left.
        """
        for kind, given, known in (
            ("row", rows, self.labels),
            ("protocol", protocols, self.protocols),
        ):
            for name in given or ():
                if name not in known:
                    raise ConfigError(
                        f"study {self.name} has no {kind} {name!r}. {did_you_mean(name, known)}"
                    )
        blocks = [
            Block(
                block.labels,
                block.request.narrowed(
                    dataset=dataset, exercises=exercises, folds=folds, seeds=seeds,
                    settings=settings,
                ),
            )
            for block in self.blocks
        ]  # fmt: skip
        if protocols is not None:
            blocks = [_under(block, protocols) for block in blocks]
        if rows is not None:
            blocks = [_of_rows(block, rows) for block in blocks]
        if small:
            blocks = [_small(block) for block in blocks]
        left = tuple(b for b in blocks if b.labels and b.request.protocols)
        if not left:
            raise ConfigError(f"study {self.name}: nothing is left to run")
        cuts = [
            f"{what} {', '.join(map(str, given))} only"
            for what, given in (
                ("rows", rows), ("protocols", protocols), ("exercises", exercises),
                ("folds", folds), ("seeds", seeds),
            )
            if given is not None
        ]  # fmt: skip
        if dataset is not None:
            cuts.append(f"on {dataset}")
        if small:
            cuts.append("small variants of the models")
        cuts += settings
        return replace(self, blocks=left, cuts=(*self.cuts, *cuts))

    def _check(self) -> None:
        for protocol in self.protocols:
            labels = [label for label, _ in self.rows(protocol)]
            for label in labels:
                if labels.count(label) > 1:
                    raise ConfigError(
                        f"study {self.name}: two rows are called {label!r} under {protocol}"
                    )
        if self.report.reference and self.report.reference not in self.labels:
            raise ConfigError(
                f"study {self.name}: report.reference {self.report.reference!r} is no row. "
                f"{did_you_mean(self.report.reference, self.labels)}"
            )


def study_names() -> list[str]:
    """Names of all studies, sorted."""
    return config_names("study")


def _block(values: Any, where: str) -> Block:
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where} is {values!r}, expected a sweep's keys and values")
    block = dict(values)
    experiment = block.pop("trainer_of", None)
    labels: list[str | None] = []
    models = []
    for model in block.get("models") or ():
        label = None
        if isinstance(model, Mapping):
            model = dict(model)
            label = model.pop("label", None)
        labels.append(label)
        models.append(model)
    request = Request.from_block({**block, "models": models}, where)
    if experiment is not None:
        request = replace(request, settings=(*_trainer_of(experiment, where), *request.settings))
    names = (label or entrant.name for label, entrant in zip(labels, request.models, strict=True))
    return Block(tuple(map(str, names)), request)


def _trainer_of(experiment: Any, where: str) -> tuple[str, ...]:
    """The trainer's settings of an experiment as ``key=value``."""
    trainer = experiment_block(str(experiment)).get("trainer")
    if not isinstance(trainer, Mapping):
        raise ConfigError(f"{where}.trainer_of: experiment {experiment} has no trainer: block")
    return tuple(f"trainer.{key}={json.dumps(value)}" for key, value in trainer.items())


def _report(values: Any, where: str) -> Report:
    require_keys(values, [f.name for f in fields(Report)], where)
    figures = tuple(map(str, values.get("figures", Report.figures)))
    for kind in figures:
        if kind not in FIGURES:
            raise ConfigError(f"{where}.figures: unknown {kind!r}. {did_you_mean(kind, FIGURES)}")
    return Report(
        rows=str(values.get("rows", Report.rows)),
        reference=str(values.get("reference", Report.reference)),
        figures=figures,
    )


def _under(block: Block, protocols: Sequence[str]) -> Block:
    own = tuple(name for name in block.request.protocols if name in protocols)
    return replace(block, request=replace(block.request, protocols=own))


def _of_rows(block: Block, rows: Sequence[str]) -> Block:
    kept = [i for i, label in enumerate(block.labels) if label in rows]
    models = tuple(block.request.models[i] for i in kept)
    return Block(tuple(block.labels[i] for i in kept), replace(block.request, models=models))


def _small(block: Block) -> Block:
    models = tuple(
        replace(entrant, name=f"{entrant.name}{_SMALL}")
        if f"{entrant.name}{_SMALL}" in MODELS
        else entrant
        for entrant in block.request.models
    )
    return replace(block, request=replace(block.request, models=models))

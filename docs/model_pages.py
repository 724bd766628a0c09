"""Writes one page a model, and their index, from the cards, the classes and the board."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from registry import MODELS, Entry
from zoo.catalogue import Card, blocks_of, card, family_of, parameters
from zoo.data.batch import STREAM_CHANNELS
from zoo.models import create_model
from zoo.nn.model import Contract, contract_of
from zoo.words import count, duration, with_interval

LAYOUT = "kinect-v2"
"""The skeleton in whose joints a model's input and size are given."""

BOARD_PAGE = "../leaderboard/leaderboard.md"
BOARD = Path(__file__).parent / "leaderboard" / "leaderboard.csv"

FAMILIES = {
    "graph": "Graph networks",
    "neural": "Other networks",
    "classical": "Classical models",
    "trivial": "What every model has to beat",
}

Row = Mapping[str, str]


@dataclass(frozen=True)
class Model:
    """A registered model as its page shows it; `size` counts what training changes by gradients."""

    entry: Entry
    card: Card
    contract: Contract
    size: int

    @classmethod
    def of(cls, entry: Entry) -> "Model":
        """Made on `LAYOUT` to see what it takes and how large it is."""
        made = create_model(entry.name, LAYOUT)
        size = sum(p.numel() for p in made.parameters() if p.requires_grad)
        return cls(entry, card(entry.name), contract_of(made), size)

    @property
    def family(self) -> str:
        """Which of `FAMILIES` it belongs to, as on the board."""
        return family_of(self.card.tags)


def write_pages(folder: Path) -> list[Path]:
    """Write ``NAME.md`` for every model of this project and ``index.md``; return the pages.

    Args:
        folder: where to; made if it is not there. A page whose text is the same is left alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    models = [Model.of(e) for e in MODELS.entries() if e.owner.startswith("skeleton-zoo ")]
    board = read_board(BOARD)
    texts = {folder / f"{m.entry.name}.md": page(m, models, board) for m in models}
    texts[folder / "index.md"] = index(models, board)
    for file, text in texts.items():
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
    return list(texts)


def read_board(file: Path) -> list[Row]:
    """The rows of a board's CSV that rank a model by its mean over the exercises."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return [r for r in rows if r["status"] == "ranked" and r["exercise"] == "mean"]


def index(models: list[Model], board: list[Row]) -> str:
    """The page that lists all models, by family."""
    honest = {r["model"]: r for r in board if r["leaky"] == "false"}
    parts = [
        "# Models",
        "Every model is one file in `baselines/` and one card in `configs/model/`; these pages\n"
        "are written from them. *MAD* is the mean absolute deviation from the clinical score on\n"
        f"KIMORE in points of 50, split by person, as on [the board]({BOARD_PAGE}).\n"
        "Parameters are counted on Kinect's 25 joints.",
    ]
    for family, title in FAMILIES.items():
        rows = [_index_row(m, honest) for m in models if m.family == family]
        head = "| model | what it is | year | parameters | MAD |\n| --- | --- | --- | ---: | --- |"
        parts.append(f"## {title}\n\n{head}\n" + "\n".join(rows))
    names = "\n".join(m.entry.name for m in models)
    parts.append(f"```{{toctree}}\n:hidden:\n\n{names}\n```")
    return "\n\n".join(parts) + "\n"


def _index_row(model: Model, honest: Mapping[str, Row]) -> str:
    name, made = model.entry.name, model.card
    size = count(model.size) if model.size else ""
    mad = _mad(honest[name]) if name in honest else ""
    return f"| [`{name}`]({name}.md) | {made.title} | {made.year or ''} | {size} | {mad} |"


def page(model: Model, models: list[Model], board: list[Row]) -> str:
    """The page of one model: what it is, how it is trained, what it reaches, and its source."""
    made = model.card
    parts = [
        f"# {model.entry.name}",
        f"**{made.title}.** {made.summary}",
        _in_and_out(model),
        _training(model),
        _results(model, models, board),
        _source(model),
    ]
    for title, lines in (
        ("Where it departs from its source", made.deviations),
        ("What its source leaves open, and our choice", made.open_choices),
    ):
        if lines:
            parts.append(f"## {title}\n\n" + "\n".join(f"- {line}" for line in lines))
    params = parameters(model.entry)
    if params:
        rows = "\n".join(f"| `model.{k}` | `{json.dumps(v)}` |" for k, v in params.items())
        parts.append(
            f"## Settings\n\n| setting | default |\n| --- | --- |\n{rows}\n\n{_class(model)}"
        )
    if made.published:
        rows = "\n".join(
            f"| {p.dataset} | {p.protocol} | {p.metric} | {p.value:g} | {p.table} |"
            for p in made.published
        )
        parts.append(
            "## Published numbers\n\nAs printed by the source; not rerun here.\n\n"
            f"| data | protocol | metric | value | where |\n| --- | --- | --- | --- | --- |\n{rows}"
        )
    return "\n\n".join(parts) + "\n"


def _in_and_out(model: Model) -> str:
    frames = "recorded frames" if model.contract.raw else "frames"
    streams = " and ".join(
        f"`{name}` (N, T, 25, {STREAM_CHANNELS[name]})" for name in model.contract.streams
    )
    how = "fitted in closed form" if model.contract.closed_form else f"{model.size:,} parameters"
    return (
        ":::{admonition} In and out\n"
        f"{streams} → **{model.entry.name}** ({how}) → score (N,)\n\n"
        f"N sequences of T {frames} of Kinect's 25 joints; another layout has its own number.\n:::"
    )


def _training(model: Model) -> str:
    name = model.entry.name
    lines = [
        "## Train it",
        f"```console\n$ zoo train --model {name}\n"
        f"$ zoo train --model {name} --dataset kimore --exercise 5 --fold all\n```",
        f'```python\nimport zoo\n\nrun = zoo.train("{name}")\n'
        f'model = zoo.create_model("{name}", layout="{LAYOUT}")  # untrained\n```',
    ]
    trainer = blocks_of(model.entry).get("trainer") or {}
    if trainer:
        told = ", ".join(f"`trainer.{k}={json.dumps(v)}`" for k, v in trainer.items())
        lines.append(f"Its own training: {told}; the rest as `zoo config show` prints it.")
    return "\n\n".join(lines)


def _results(model: Model, models: list[Model], board: list[Row]) -> str:
    """Its rows of the board and those of its variants, each beside the mean score."""
    kin = {m.entry.name for m in models if m.entry.source.target == model.entry.source.target}
    rows = []
    for row in board:
        if row["model"] in kin | {"mean"}:
            alike = [r for r in board if r["protocol"] == row["protocol"]]
            leaks = " (leaks)" if row["leaky"] == "true" else ""
            trained = duration(float(row["train_seconds"])) if row["train_seconds"] else ""
            rows.append(
                f"| {row['protocol']}{leaks} | {row['name']} | {row['rank']} of {len(alike)} "
                f"| {_mad(row)} | {float(row['spearman'] or 'nan'):.3f} | {trained} |".replace(
                    "nan", "–"
                )
            )
    beside = " [Small networks trained alike](../networks.md) are compared on a page of their own."
    title = "## Results\n\n"
    if not any(r["model"] in kin for r in board):
        return f"{title}Not on the board yet.{beside if model.family == 'graph' else ''}"
    head = "| protocol | model | rank | MAD (95 %) | Spearman | training |\n" + "| --- " * 6 + "|\n"
    return (
        f"{title}KIMORE, mean of its five exercises, from [the board]({BOARD_PAGE}):\n\n"
        + head
        + "\n".join(rows)
    )


def _source(model: Model) -> str:
    made, target = model.card, model.entry.source.target
    facts = [
        ("Paper", f"{made.paper} {_doi(made.doi)}".strip()),
        ("Licence of the original code", made.licence),
        ("Code", f"`{target}`"),
        ("Tags", ", ".join(made.tags)),
    ]
    return "## Source\n\n" + "\n".join(f"- {label}: {value}" for label, value in facts if value)


def _class(model: Model) -> str:
    """What the class itself says of its settings, shapes and source."""
    name = model.entry.source.target.replace(":", ".")
    return f"```{{eval-rst}}\n.. autoclass:: {name}\n   :no-members:\n   :no-index:\n```"


def _mad(row: Row) -> str:
    low, high = float(row["mad_low"] or "nan"), float(row["mad_high"] or "nan")
    return with_interval(float(row["mad"]), low, high)


def _doi(doi: str) -> str:
    return f"[doi {doi}](https://doi.org/{doi})" if doi else ""

"""`zoo models`: what models there are, whose they are, and the card of one."""

import argparse
import json
import sys
from typing import TYPE_CHECKING

from registry import MODELS, Entry, RegistryError
from zoo.catalogue import Card
from zoo.cli.console import console, table

if TYPE_CHECKING:
    from zoo.cli.main import Parser


def add_parser(subparsers: "argparse._SubParsersAction[Parser]") -> None:
    """Describe `zoo models`."""
    parser = subparsers.add_parser(
        "models", help="list the models, or show one", description="List the models, or show one."
    )
    parser.add_argument("name", nargs="?", help="a model's name, or a pattern such as '*gcn*'")
    parser.add_argument("--check", action="store_true", help="import every model to see it works")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List or show; return the exit code."""
    if args.name and not set(args.name) & set("*?["):
        return _show(MODELS.get(args.name), args.json)
    entries = MODELS.entries(args.name or "*", check=args.check)
    if not entries:
        raise RegistryError(f"no model fits {args.name!r}; `zoo models` lists them all")
    rows = [(entry, *_card(entry)) for entry in entries]
    if args.json:
        json.dump([_as_dict(e, c, problem) for e, c, problem in rows], sys.stdout, indent=2)
        print()
        return 0
    listing = table("model", "what it is", "year", "streams", "from")
    for entry, card, problem in rows:
        if problem is not None:
            listing.add_row(entry.name, f"broken: {problem}", "", "", entry.owner, style="red")
        else:
            year = str(card.year or "")
            listing.add_row(entry.name, card.title, year, ", ".join(card.streams), entry.owner)
    console().print(listing)
    return 0


def _card(entry: Entry) -> tuple[Card, str | None]:
    from zoo.catalogue import card_of
    from zoo.errors import ConfigError

    if entry.problem is not None:
        return Card(entry.name), entry.problem
    try:
        return card_of(entry), None
    except (RegistryError, ConfigError) as error:
        return Card(entry.name), str(error)


def _as_dict(entry: Entry, card: Card, problem: str | None) -> dict[str, object]:
    return {
        "name": entry.name,
        "title": card.title,
        "year": card.year,
        "streams": list(card.streams),
        "tags": list(card.tags),
        "owner": entry.owner,
        "target": entry.source.target,
        "problem": problem,
    }


def _show(entry: Entry, as_json: bool) -> int:

    from zoo.catalogue import parameters

    card, problem = _card(entry)
    params = {} if problem else parameters(entry)
    if as_json:
        json.dump(_as_dict(entry, card, problem) | {"params": params}, sys.stdout, indent=2)
        print()
        return 0
    out = console()
    out.print(f"{entry.name}: {card.title}", style="bold", markup=False)
    if problem is not None:
        out.print(f"broken: {problem}", style="red", markup=False, soft_wrap=True)
    if card.summary:
        out.print(card.summary, markup=False)
    facts = table("", "", show_header=False)
    doi = f" doi {card.doi}" if card.doi else ""
    for label, value in (
        ("paper", f"{card.paper}{doi}"),
        ("streams", ", ".join(card.streams)),
        ("tags", ", ".join(card.tags)),
        ("code", f"{entry.source.target} ({entry.owner})"),
        ("original's licence", card.licence),
        ("departs from it", "\n".join(f"- {d}" for d in card.deviations)),
        ("left open by it", "\n".join(f"- {d}" for d in card.open_choices)),
    ):
        if value:
            facts.add_row(label, value)
    out.print(facts)
    if params:
        settings = table("setting", "default")
        for key, value in params.items():
            settings.add_row(f"model.{key}", json.dumps(value))
        out.print(settings)
    if card.published:
        numbers = table("published", "protocol", "metric", "value", "where")
        for p in card.published:
            numbers.add_row(p.dataset, p.protocol, p.metric, f"{p.value:g}", p.table)
        out.print(numbers)
    out.print(f"Train it: zoo train --model {entry.name}", style="dim", markup=False)
    return 0

"""`zoo models`: what models there are, whose they are, and the card of one."""

import json

from registry import MODELS, Entry, RegistryError
from zoo.catalogue import Card, card_of, or_problem, parameters
from zoo.cli.console import console, details, print_json, table
from zoo.cli.parser import Arguments, Subparsers, add_options


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo models`."""
    parser = subparsers.add_parser(
        "models", help="list the models, or show one", description="List the models, or show one."
    )
    parser.add_argument("name", nargs="?", help="a model's name, or a pattern such as '*gcn*'")
    parser.add_argument("--check", action="store_true", help="import every model to see it works")
    add_options(parser, "--json")
    parser.set_defaults(run=run)


def run(args: Arguments) -> int:
    """List or show; return the exit code."""
    if args.name and not set(args.name) & set("*?["):
        return _show(MODELS.get(args.name), args.json)
    entries = MODELS.entries(args.name or "*", check=args.check)
    if not entries:
        raise RegistryError(f"no model fits {args.name!r}; `zoo models` lists them all")
    rows = [(entry, *or_problem(entry, card_of, Card(entry.name))) for entry in entries]
    if args.json:
        print_json([_as_dict(e, c, problem) for e, c, problem in rows])
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


def _as_dict(entry: Entry, card: Card, problem: str | None) -> dict[str, object]:
    return {
        "name": entry.name,
        "title": card.title,
        "year": card.year,
        "streams": card.streams,
        "tags": card.tags,
        "owner": entry.owner,
        "target": entry.source.target,
        "problem": problem,
    }


def _show(entry: Entry, as_json: bool) -> int:
    card, problem = or_problem(entry, card_of, Card(entry.name))
    params = {} if problem else parameters(entry)
    if as_json:
        print_json(_as_dict(entry, card, problem) | {"params": params})
        return 0
    out = console()
    out.print(f"{entry.name}: {card.title}", style="bold")
    if problem is not None:
        out.print(f"broken: {problem}", style="red", soft_wrap=True)
    if card.summary:
        out.print(card.summary)
    doi = f" doi {card.doi}" if card.doi else ""
    rows = (
        ("paper", f"{card.paper}{doi}"),
        ("streams", ", ".join(card.streams)),
        ("tags", ", ".join(card.tags)),
        ("code", f"{entry.source.target} ({entry.owner})"),
        ("original's licence", card.licence),
        ("departs from it", "\n".join(f"- {d}" for d in card.deviations)),
        ("left open by it", "\n".join(f"- {d}" for d in card.open_choices)),
    )
    out.print(details(rows))
    if params:
        settings = ((f"model.{key}", json.dumps(value)) for key, value in params.items())
        out.print(table("setting", "default", rows=settings))
    if card.published:
        numbers = (
            (p.dataset, p.protocol, p.metric, f"{p.value:g}", p.table) for p in card.published
        )
        out.print(table("published", "protocol", "metric", "value", "where", rows=numbers))
    out.print(f"Train it: zoo train --model {entry.name}", style="dim")
    return 0

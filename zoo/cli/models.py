"""`zoo models`: what models there are, whose they are, and the card of one."""

import json

from registry import MODELS, Entry, RegistryError
from zoo.catalogue import Card, card_of, family_of, or_problem, parameters
from zoo.cli.console import console, details, print_json, table
from zoo.cli.parser import Arguments, Subparsers, add_options
from zoo.reached import DATASET, PROTOCOL, Reached, reached
from zoo.words import NOTHING, count, duration, fixed

_FAMILIES = ("graph", "neural", "classical", "trivial", "other")
_DEFAULT_STREAMS = ("position",)


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo models`."""
    parser = subparsers.add_parser(
        "models", help="list the models, or show one", description="List the models, or show one."
    )
    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="a model's name, or a pattern such as '*gcn*'"
    )
    parser.add_argument(
        "--check", action="store_true", help="import every model to see that it works"
    )
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
    known = reached()
    if args.json:
        print_json([_as_dict(e, c, problem, known.get(e.name)) for e, c, problem in rows])
        return 0
    foreign = any(entry.source.distribution != "skeleton-zoo" for entry in entries)
    listing = table("model", "what it is", "weights>", "MAD>", "training>", *["from"] * foreign)
    for family in _FAMILIES:
        members = [row for row in rows if family_of(row[1].tags) == family]
        if members:
            listing.add_section()
            listing.add_row(f"{family}:", style="bold")
        for entry, card, problem in members:
            owner = [entry.owner] * foreign
            if problem is not None:
                listing.add_row(entry.name, f"broken: {problem}", "", "", "", *owner, style="red")
            else:
                listing.add_row(entry.name, _what(card), *_figures(known.get(entry.name)), *owner)
    out = console()
    out.print(listing)
    if any(known.get(entry.name, Reached()).mad is not None for entry in entries):
        out.print(
            "MAD: mean absolute deviation from the clinical score, in points, on people never seen "
            f"in training; the less the better. MAD and training time of one fold: {DATASET}, "
            f"{PROTOCOL}, default settings, from the published board. A name shows the rest: "
            "zoo models d2sta",
            style="dim",
        )
    return 0


def _what(card: Card) -> str:
    """A model in a line: title, year, and what it takes where that is not the usual."""
    year = f", {card.year}" if card.year else ""
    takes = (
        "" if card.streams in ((), _DEFAULT_STREAMS) else f"; takes {' and '.join(card.streams)}"
    )
    return f"{card.title}{year}{takes}"


def _reached_words(known: Reached | None) -> str:
    """What a model has reached, in a line; empty where it does not stand on the board."""
    if known is None or known.mad is None:
        return ""
    _, mad, time = _figures(known)
    return f"{mad} points on {DATASET}, {PROTOCOL} (published board); one fold trains in {time}"


def _figures(known: Reached | None) -> tuple[str, str, str]:
    """Weights, MAD and training time as cells."""
    found = known or Reached()
    seconds = found.train_seconds
    time = NOTHING if seconds is None else "< 1 s" if seconds < 0.95 else duration(seconds)
    return count(found.parameters), fixed(found.mad), time.replace(" ", "\u00a0")


def _as_dict(
    entry: Entry, card: Card, problem: str | None, known: Reached | None
) -> dict[str, object]:
    return {
        "name": entry.name,
        "title": card.title,
        "family": family_of(card.tags),
        "year": card.year,
        "streams": card.streams,
        "tags": card.tags,
        "owner": entry.owner,
        "target": entry.source.target,
        "problem": problem,
        **vars(known or Reached()),
    }


def _show(entry: Entry, as_json: bool) -> int:
    card, problem = or_problem(entry, card_of, Card(entry.name))
    params = {} if problem else parameters(entry)
    known = reached().get(entry.name)
    if as_json:
        print_json(_as_dict(entry, card, problem, known) | {"params": params})
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
        ("weights", "" if known is None else count(known.parameters)),
        ("MAD", _reached_words(known)),
        ("tags", ", ".join(card.tags)),
        ("code", f"{entry.source.target} ({entry.owner})"),
        ("licence of the original", card.licence),
        ("differs from the paper", "\n".join(f"- {d}" for d in card.deviations)),
        ("the paper does not say", "\n".join(f"- {d}" for d in card.open_choices)),
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

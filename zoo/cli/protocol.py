"""`zoo protocol`: what protocols there are, what one does, and what it lets leak on a dataset."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from registry import DATASETS, PROTOCOLS, UserError
from zoo.cli.console import console, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from zoo.cli.main import Parser
    from zoo.protocol.audit import Audit


def add_parser(subparsers: "argparse._SubParsersAction[Parser]") -> None:
    """Describe `zoo protocol` and what it can do."""
    parser = subparsers.add_parser(
        "protocol",
        help="list the protocols, explain one, audit it on a dataset",
        description="List the protocols, explain one, audit it on a dataset.",
    )
    actions = parser.add_subparsers(
        title="what to do", dest="action", metavar="ACTION", required=True, prog=parser.prog
    )

    def action(name: str, text: str, run: "Callable[[argparse.Namespace], int]") -> "Parser":
        made: Parser = actions.add_parser(name, help=text, description=f"{text.capitalize()}.")
        made.add_argument("--json", action="store_true", help="print JSON")
        made.set_defaults(run=run)
        if name != "list":
            made.add_argument("name", help="a registered protocol (see: zoo protocol list)")
            made.epilog = "Its settings can follow as key=value: protocol.split.folds=10"
            made.set_defaults(takes_overrides=True)
        return made

    action("list", "list the protocols and which of them leak", _list)
    action("show", "explain in words what a protocol does", _show)
    auditing = action(
        "audit", "count who stands on both sides when a protocol splits a dataset", _audit
    )
    auditing.add_argument("--dataset", required=True, metavar="NAME", help="a prepared dataset")
    auditing.add_argument("--exercise", metavar="ID", help="exercise id (default: the dataset's)")
    auditing.add_argument(
        "--data-root", type=Path, metavar="DIR", help="folder of prepared datasets"
    )


def run(args: argparse.Namespace) -> int:
    """Do what was asked for; return the exit code."""
    return int(args.run(args))


def _list(args: argparse.Namespace) -> int:
    from zoo.catalogue import entry_config

    rows: list[dict[str, Any]] = []
    for entry in PROTOCOLS.entries():
        problem, config = entry.problem, {}
        try:
            config = entry_config("protocol", entry.name)
        except UserError as error:
            problem = problem or str(error)
        card, params = config.get("card", {}), config.get("params", {})
        row = {"name": entry.name, "owner": entry.owner, "problem": problem}
        row |= {key: card.get(key, "") for key in ("title", "summary")}
        rows.append(row | {"leaky": bool(params.get("leaky", False))})
    if args.json:
        return _print_json(rows)
    listing = table("protocol", "what it is", "people", "from")
    for row in rows:
        if row["problem"]:
            listing.add_row(row["name"], f"broken: {row['problem']}", "", row["owner"], style="red")
        else:
            apart = "on both sides" if row["leaky"] else "kept apart"
            listing.add_row(row["name"], row["title"], apart, row["owner"])
    console().print(listing)
    return 0


def _show(args: argparse.Namespace) -> int:
    from zoo.catalogue import entry_config
    from zoo.protocol.explain import explain
    from zoo.training.fold import open_protocol

    config = entry_config("protocol", PROTOCOLS.get(args.name).name)
    protocol = open_protocol(_composed(args))
    title, trainer = config.get("card", {}).get("title", ""), config.get("trainer", {})
    head = config.get("head")
    options = dict(head) if isinstance(head, Mapping) else {"name": head}
    told = {**trainer, **({"head": options.pop("name"), **options} if head else {})}
    words = explain(protocol)
    if args.json:
        answer = {
            **protocol.to_dict(),
            "title": title,
            "trainer": config.get("trainer", {}),
            "head": head,
        }
        return _print_json({**answer, "hash": protocol.hash(), "words": words})
    out = console()
    out.print(f"{protocol.name}: {title}", style="bold", markup=False)
    out.print(protocol.summary, markup=False)
    facts = table("", "", show_header=False)
    for subject, text in words.items():
        facts.add_row(
            subject, text, style="bold red" if protocol.leaky and subject == "leaks" else None
        )
    if told:
        settings = ", ".join(f"{key} {value}" for key, value in told.items())
        facts.add_row("trainer", f"Unless told otherwise: {settings}.")
    facts.add_row("hash", protocol.hash())
    out.print(facts)
    out.print(
        f"Look at it on your data: zoo protocol audit {protocol.name} --dataset NAME",
        style="dim", markup=False,
    )  # fmt: skip
    return 0


def _audit(args: argparse.Namespace) -> int:
    from zoo.protocol.audit import audit
    from zoo.training.fold import open_dataset, open_protocol

    config = _composed(args)
    protocol = open_protocol(config)
    dataset = open_dataset(config, protocol, args.data_root)
    found = audit(protocol, dataset)
    exercise = config["dataset"]["exercise"]
    if args.json:
        _print_json({"dataset": dataset.name, "exercise": exercise, **found.to_dict()})
    else:
        where = f"{dataset.name} {exercise or ''}".strip()
        _print_audit(found, f"{protocol.name} on {where}")
    return 0 if found.keeps_promise else 2


def _print_audit(found: "Audit", title: str) -> None:
    from zoo.protocol.split import PARTS

    columns = ("fold", "training>", "validation>", "test>", "people tested>")
    counts = ("of the same recording>", "of the same person>", "near-duplicates>")
    shown = table(*columns, *counts, title=f"{title}: test samples with another one seen before")
    for fold in found.folds:
        report = fold.leakage
        shown.add_row(
            str(fold.fold),
            *(str(fold.samples[part]) for part in PARTS),
            str(fold.persons["test"]),
            str(report.samples_with_sibling),
            str(report.samples_with_person),
            str(len(report.near_duplicates)),
        )
    out = console()
    out.print(shown)
    for words in found.near_duplicates():
        out.print(f"near-duplicates: {words}", style="red", markup=False, soft_wrap=True)
    unknown = found.folds[0].leakage.unknown_samples
    if unknown:
        out.print(f"{unknown} samples do not say whose they are", style="red", markup=False)
    if found.protocol.scaler == "all":
        out.print("scalers are fitted on the test samples too", style="red", markup=False)
    out.print(found.verdict, style="bold red" if found.leaks else "green", markup=False)


def _composed(args: argparse.Namespace) -> dict[str, Any]:
    """The protocol's block of a configuration, and the dataset's where one is named."""
    from zoo.catalogue import blocks_of, parameters
    from zoo.compose import apply_overrides

    entry = PROTOCOLS.get(args.name)
    config = {"protocol": {"name": entry.name, **parameters(entry)}}
    if getattr(args, "dataset", None) is not None:
        data = DATASETS.get(args.dataset)
        exercise = blocks_of(data).get("exercise") if args.exercise is None else args.exercise
        config["dataset"] = {"name": data.name, "exercise": exercise, **parameters(data)}
    return apply_overrides(config, args.overrides)


def _print_json(answer: Any) -> int:
    json.dump(answer, sys.stdout, indent=2)
    print()
    return 0

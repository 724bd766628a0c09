"""`zoo protocol`: what protocols there are, what one does, and what it lets leak on a dataset."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from registry import PROTOCOLS
from registry.yaml_files import Config
from zoo.api import RUNS
from zoo.catalogue import blocks_of, or_problem, parameters
from zoo.cli.console import begin, console, print_json, table
from zoo.cli.parser import Arguments, Subparsers, add_action
from zoo.compose import apply_overrides

if TYPE_CHECKING:
    from zoo.protocol.audit import Audit


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo protocol` and what it can do."""
    parser = subparsers.add_parser(
        "protocol",
        help="list the protocols, explain one, audit it on a dataset",
        description="List the protocols, explain one, audit it on a dataset.",
    )
    actions = parser.add_actions()

    add_action(actions, "list", "list the protocols and which of them leak", _list, "--json")
    showing = add_action(actions, "show", "explain in words what a protocol does", _show, "--json")
    auditing = add_action(
        actions, "audit", "count the people and recordings on both sides of a protocol's splits",
        _audit, "--json", "--data-root",
    )  # fmt: skip
    for made in (showing, auditing):
        made.add_argument(
            "name", metavar="NAME", help="a registered protocol (see: zoo protocol list)"
        )
        made.epilog = "Its settings can follow as key=value: protocol.split.folds=10"
        made.set_defaults(takes_overrides=True)
    auditing.add_argument("--dataset", required=True, metavar="NAME", help="a prepared dataset")
    auditing.add_argument("--exercise", metavar="ID", help="exercise id (default: the dataset's)")


def _list(args: Arguments) -> int:
    rows: list[dict[str, Any]] = []
    for entry in PROTOCOLS.entries():
        config, problem = or_problem(entry, blocks_of, Config())
        card, params = config.get("card", {}), config.get("params", {})
        row = {"name": entry.name, "owner": entry.owner, "problem": problem}
        row |= {key: card.get(key, "") for key in ("title", "summary")}
        rows.append(row | {"leaky": bool(params.get("leaky", False))})
    if args.json:
        print_json(rows)
        return 0
    listing = table("protocol", "what it is", "people", "from")
    for row in rows:
        if row["problem"]:
            listing.add_row(row["name"], f"broken: {row['problem']}", "", row["owner"], style="red")
        else:
            apart = "on both sides" if row["leaky"] else "kept apart"
            listing.add_row(row["name"], row["title"], apart, row["owner"])
    console().print(listing)
    return 0


def _show(args: Arguments) -> int:
    from zoo.protocol.explain import explain
    from zoo.protocol.protocol import load_protocol

    config = blocks_of(PROTOCOLS.get(args.name))
    protocol = load_protocol(**_composed(args)["protocol"])
    title, trainer = config.get("card", {}).get("title", ""), config.get("trainer", {})
    head = config.get("head")
    options = dict(head) if isinstance(head, Mapping) else {"name": head}
    told = {**trainer, **({"head": options.pop("name"), **options} if head else {})}
    words = explain(protocol)
    if args.json:
        answer = {**protocol.to_dict(), "title": title, "trainer": trainer, "head": head}
        print_json({**answer, "hash": protocol.hash(), "words": words})
        return 0
    out = console()
    out.print(f"{protocol.name}: {title}", style="bold")
    out.print(protocol.summary)
    details = table("", "", show_header=False)
    for subject, text in words.items():
        details.add_row(
            subject, text, style="bold red" if protocol.leaky and subject == "leaks" else None
        )
    if told:
        settings = ", ".join(f"{key} {value}" for key, value in told.items())
        details.add_row("trainer", f"Unless set otherwise: {settings}.")
    details.add_row("hash", protocol.hash())
    out.print(details)
    out.print(
        f"Check it on your data: zoo protocol audit {protocol.name} --dataset NAME", style="dim"
    )
    return 0


def _audit(args: Arguments) -> int:
    if not args.json:
        begin(f"splitting {args.dataset} by {args.name}")

    from zoo.protocol.audit import audit
    from zoo.protocol.protocol import load_protocol
    from zoo.workspace import Workspace

    config = _composed(args)
    protocol = load_protocol(**config["protocol"])
    dataset = Workspace(RUNS, args.data_root).dataset(config)
    found = audit(protocol, dataset)
    exercise = config["dataset"]["exercise"]
    if args.json:
        print_json({"dataset": dataset.name, "exercise": exercise, **found.to_dict()})
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
        out.print(f"near-duplicates: {words}", style="red", soft_wrap=True)
    unknown = found.folds[0].leakage.unknown_samples
    if unknown:
        out.print(f"{unknown} samples do not say whose they are", style="red")
    if found.protocol.scaler == "all":
        out.print("scalers are fitted on the test samples too", style="red")
    for words in (*found.sides(), *found.remarks):
        out.print(words, soft_wrap=True)
    out.print(found.verdict, style="bold red" if found.leaks else "green")


def _composed(args: Arguments) -> dict[str, Any]:
    """The protocol's block of a configuration, and the dataset's where one is named."""
    entry = PROTOCOLS.get(args.name)
    config = {"protocol": {"name": entry.name, **parameters(entry)}}
    if getattr(args, "dataset", None) is not None:
        from zoo.data.known import dataset_settings

        config["dataset"] = dataset_settings(args.dataset, args.data_root)
        if args.exercise is not None:
            config["dataset"]["exercise"] = args.exercise
    return apply_overrides(config, args.overrides)

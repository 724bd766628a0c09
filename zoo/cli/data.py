"""`zoo data`: list, prepare, inspect and verify datasets."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from registry import DATASETS, UserError
from zoo.cli.console import console, table

if TYPE_CHECKING:
    from rich.console import Console

    from zoo.cli.main import Parser
    from zoo.data.dataset import SkeletonDataset


def add_parser(subparsers: "argparse._SubParsersAction[Parser]") -> None:
    """Describe `zoo data` and what it can do."""
    parser = subparsers.add_parser(
        "data",
        help="list, prepare, inspect and verify datasets",
        description="List, prepare, inspect and verify datasets.",
    )
    actions = parser.add_subparsers(
        title="what to do", dest="action", metavar="ACTION", required=True, prog=parser.prog
    )

    def action(name: str, text: str, run: Callable[[argparse.Namespace], int]) -> "Parser":
        made: Parser = actions.add_parser(name, help=text, description=f"{text.capitalize()}.")
        made.add_argument(
            "--data-root",
            type=Path,
            metavar="DIR",
            help="folder of prepared datasets (default: $ZOO_DATA, else the user data folder)",
        )
        made.set_defaults(run=run)
        return made

    listing = action("list", "list the datasets and which of them are prepared", _list)
    listing.add_argument("--json", action="store_true", help="print JSON")

    preparing = action("prepare", "read a published dataset into the zoo's own form", _prepare)
    preparing.add_argument("name", help="a registered dataset (see: zoo data list)")
    preparing.add_argument("--source", type=Path, metavar="DIR", help="folder of the download")
    preparing.add_argument(
        "--strict", action="store_true", help="stop at the first fault instead of skipping it"
    )
    preparing.epilog = "Settings of the dataset can follow as key=value: counts=people.json"
    preparing.set_defaults(takes_overrides=True)

    inspecting = action(
        "inspect", "show what a prepared dataset holds and what is missing", _inspect
    )
    inspecting.add_argument("name", help="a prepared dataset")
    inspecting.add_argument("--json", action="store_true", help="print JSON")

    verifying = action("verify", "check a prepared dataset against its fingerprint", _verify)
    verifying.add_argument("name", nargs="?", help="a prepared dataset (default: all of them)")


def run(args: argparse.Namespace) -> int:
    """Do what was asked for; return the exit code."""
    return int(args.run(args))


def _list(args: argparse.Namespace) -> int:
    from zoo.catalogue import entry_config
    from zoo.data.paths import data_root

    root = data_root(args.data_root)
    rows = []
    for entry in DATASETS.entries():
        problem, card = entry.problem, {}
        try:
            card = entry_config("dataset", entry.name).get("card", {})
        except UserError as error:
            problem = problem or str(error)
        row = {"name": entry.name, "owner": entry.owner, "problem": problem}
        row |= {key: card.get(key, "") for key in ("title", "url")}
        rows.append(row | _state(root / entry.name))
    if args.json:
        return _print_json({"data_root": str(root), "datasets": rows})
    listing = table("dataset", "what it is", "prepared", "where to get it")
    for row in rows:
        if row["problem"]:
            listing.add_row(row["name"], f"broken: {row['problem']}", "", row["owner"], style="red")
        else:
            # What cannot be downloaded is made by the zoo.
            state = row["state"] if row["url"] or row["recordings"] else "when first used"
            listing.add_row(row["name"], row["title"], state, row["url"])
    out = console()
    out.print(listing)
    out.print(f"prepared datasets are in {root}", style="dim", markup=False, soft_wrap=True)
    return 0


def _state(folder: Path) -> dict[str, Any]:
    from zoo.data.store import MANIFEST_FILE, read_manifest

    if not (folder / MANIFEST_FILE).is_file():
        return {"state": "no", "recordings": None}
    try:
        manifest = read_manifest(folder)
    except UserError:
        return {"state": "damaged", "recordings": None}
    count = len(manifest["recordings"])
    return {"state": f"{count} recordings", "recordings": count}


def _prepare(args: argparse.Namespace) -> int:
    import time

    from zoo.catalogue import parameters
    from zoo.compose import apply_overrides
    from zoo.data.dataset import create_adapter, prepare
    from zoo.data.paths import data_root
    from zoo.errors import DataError

    params = parameters(DATASETS.get(args.name))
    adapter = create_adapter(args.name, **apply_overrides(params, args.overrides))
    if adapter.needs_source and args.source is None:
        where = f" Get it from {adapter.url}." if adapter.url else ""
        raise DataError(f"name the folder of the download: --source DIR.{where}")
    out = console()
    start = time.perf_counter()
    with _progress(out) as progress:
        dataset = prepare(
            adapter,
            args.source,
            data_root(args.data_root),
            strict=args.strict,
            progress=progress,
            on_wait=lambda: print("waiting for another `zoo data prepare`", file=sys.stderr),
        )
    scored = sum(info.scored for info in dataset.index)
    out.print(
        f"{dataset.name}: {len(dataset)} recordings of {len(dataset.subjects)} people, {scored} "
        f"with a score, in {time.perf_counter() - start:.1f} s",
        markup=False,
    )
    _print_kinds(out, dataset)
    out.print(f"stored in {dataset.folder}", style="dim", markup=False, soft_wrap=True)
    out.print(f"look at it: zoo data inspect {dataset.name}", style="dim", markup=False)
    return 0


def _inspect(args: argparse.Namespace) -> int:
    from zoo.data.paths import data_root
    from zoo.data.summary import people_by_group, problems_by_kind, summarise

    dataset = _open(data_root(args.data_root), args.name)
    summaries = summarise(dataset)
    if args.json:
        manifest = dataset.manifest
        facts = {k: v for k, v in manifest.items() if k != "recordings"}
        return _print_json(
            facts
            | {
                "people_by_group": people_by_group(dataset),
                "problems_by_kind": problems_by_kind(dataset),
                "exercise_summaries": [asdict(s) for s in summaries],
            }
        )
    out = console()
    _print_facts(out, dataset)
    exercises = table(
        "exercise",
        "",
        "recordings>",
        "scored>",
        "people>",
        "frames>",
        "median>",
        "mean score>",
        "sd>",
    )
    for s in summaries:
        exercises.add_row(
            s.exercise,
            s.title,
            str(s.recordings),
            str(s.scored),
            str(s.people),
            f"{s.frames[0]}–{s.frames[2]}",
            f"{s.seconds:.1f} s",
            "" if s.score_mean is None else f"{s.score_mean:.1f}",
            "" if s.score_sd is None else f"{s.score_sd:.1f}",
        )
    out.print(exercises)
    _print_histogram(out, dataset)
    _print_kinds(out, dataset)
    _print_problems(out, dataset.manifest)
    return 0


def _verify(args: argparse.Namespace) -> int:
    from zoo.data.paths import data_root
    from zoo.data.store import MANIFEST_FILE

    root = data_root(args.data_root)
    names = [args.name] if args.name else []
    if not names and root.is_dir():
        names = sorted(f.parent.name for f in root.glob(f"[!.]*/{MANIFEST_FILE}"))
    if not names:
        raise UserError(f"nothing is prepared in {root}; see `zoo data list`")
    failed = 0
    for name in names:
        try:
            dataset = _open(root, name)
        except UserError as error:
            if args.name:
                raise
            failed += 1
            print(f"{name}: {error}", file=sys.stderr)
        else:
            print(f"{name}: {len(dataset)} recordings as written, {dataset.fingerprint}")
    return 2 if failed else 0


def _open(root: Path, name: str) -> "SkeletonDataset":
    """A prepared dataset; one that needs no source is made if need be."""
    from zoo.data.dataset import SkeletonDataset, load_dataset

    if name not in DATASETS and (root / name).is_dir():
        return SkeletonDataset.open(root, name)
    return load_dataset(name, root)


def _print_facts(out: "Console", dataset: "SkeletonDataset") -> None:
    from zoo.data.summary import people_by_group

    manifest = dataset.manifest
    groups = people_by_group(dataset)
    people = f"{sum(groups.values())}: " + ", ".join(
        f"{g or 'no group'} {n}" for g, n in groups.items()
    )
    span = dataset.score_range
    facts = table("", "", show_header=False)
    for label, value in (
        ("people", people if dataset.subjects_known else "unknown: no honest split is possible"),
        ("layout", f"{dataset.layout}, {dataset.fps:g} frames per second"),
        ("scores", "1 right, 0 wrong" if dataset.binary else "{:g} to {:g}".format(*span)),
        ("source", manifest.get("source") or "made by the zoo"),
        ("prepared", f"{manifest.get('prepared', '')}, zoo {manifest.get('zoo_version', '')}"),
        ("fingerprint", dataset.fingerprint),
        ("licence", manifest.get("licence", "")),
        ("cite", manifest.get("citation", "")),
    ):
        if value:
            facts.add_row(label, value)
    title = manifest.get("title") or dataset.name
    out.print(f"{dataset.name}: {title}", style="bold", markup=False)
    out.print(facts)


def _print_histogram(out: "Console", dataset: "SkeletonDataset") -> None:
    from zoo.data.summary import score_edges, summarise

    summaries = [s for s in summarise(dataset) if s.scored]
    if not summaries:
        return
    edges = score_edges(dataset)
    totals = [sum(column) for column in zip(*(s.histogram for s in summaries), strict=True)]
    block = "█" if out.encoding.lower().startswith("utf") else "#"
    histogram = table("scores", *(f"{s.exercise}>" for s in summaries), "all>", "")
    for i, total in enumerate(totals):
        histogram.add_row(
            f"{edges[i]:g}–{edges[i + 1]:g}",
            *(str(s.histogram[i] or "") for s in summaries),
            str(total or ""),
            block * round(30 * total / max(totals)),
        )
    out.print(histogram)


def _print_kinds(out: "Console", dataset: "SkeletonDataset") -> None:
    from zoo.data.summary import problems_by_kind

    kinds = problems_by_kind(dataset)
    if not kinds:
        return
    found = table("fault", "recordings skipped>", "kept>")
    for kind, (skipped, kept) in kinds.items():
        found.add_row(kind, str(skipped or ""), str(kept or ""))
    out.print(found)


def _print_problems(out: "Console", manifest: Mapping[str, Any]) -> None:
    if manifest.get("problems"):
        listing = table("recording", "", "where", "found", "expected")
        for column in listing.columns:
            column.overflow = "fold"
        for p in manifest["problems"]:
            where = p["file"] if p["line"] is None else f"{p['file']}, line {p['line']}"
            outcome = "skipped" if p["skipped"] else "kept"
            listing.add_row(p["recording"] or "", outcome, where, p["found"], p["expected"])
        out.print(listing)
    for note in manifest.get("notes", []):
        out.print(f"note: {note}", style="dim", markup=False)


def _print_json(values: Mapping[str, Any]) -> int:
    json.dump(values, sys.stdout, indent=2)
    print()
    return 0


@contextmanager
def _progress(out: "Console") -> Iterator[Callable[[int, int, str], None]]:
    """A progress bar on a terminal, else a plain line at every tenth."""
    if not out.is_terminal:
        shown = -1

        def line(done: int, total: int, what: str) -> None:
            nonlocal shown
            tenth = 10 * done // max(total, 1)
            if tenth != shown:
                shown = tenth
                print(f"{done} of {total}: {what}", flush=True)

        yield line
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=out, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, what: bar.update(
            task, completed=done, total=total, description=what
        )

"""`zoo data`: list, prepare, inspect and verify datasets."""

import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from registry import DATASETS, UserError
from registry.yaml_files import Config
from zoo.catalogue import blocks_of, or_problem
from zoo.cli.console import console, details, print_json, table
from zoo.cli.parser import Arguments, Subparsers, add_action
from zoo.compose import apply_overrides
from zoo.errors import DataError
from zoo.words import fixed, score_digits, some

if TYPE_CHECKING:
    from zoo.data.dataset import SkeletonDataset
    from zoo.data.summary import ExerciseSummary


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo data` and what it can do."""
    parser = subparsers.add_parser(
        "data",
        help="list, prepare, inspect and verify datasets, also your own",
        description="List, prepare, inspect and verify datasets, also your own.",
    )
    actions = parser.add_actions()
    add_action(
        actions, "list", "list the datasets and which of them are prepared", _list,
        "--data-root", "--json",
    )  # fmt: skip
    beginning = add_action(
        actions, "new", "make a dataset of a folder with recordings of your own", _new
    )
    beginning.add_argument("folder", type=Path, metavar="FOLDER", help="holds the recordings")
    preparing = add_action(
        actions, "prepare", "read a published dataset into the zoo's own form", _prepare,
        "--data-root",
    )  # fmt: skip
    preparing.add_argument(
        "name",
        help="a registered dataset (see: zoo data list), or a name for recordings of your own",
    )
    preparing.add_argument(
        "--source", type=Path, metavar="DIR", help="folder of the download, or of your recordings"
    )
    preparing.add_argument(
        "--strict", action="store_true", help="stop at the first fault instead of skipping it"
    )
    preparing.epilog = "Settings of the dataset can follow as key=value: counts=people.json"
    preparing.set_defaults(takes_overrides=True)
    inspecting = add_action(
        actions, "inspect", "show what a prepared dataset holds and what is missing", _inspect,
        "--data-root", "--json",
    )  # fmt: skip
    inspecting.add_argument("name", help="a prepared dataset")
    verifying = add_action(
        actions, "verify", "check a prepared dataset against its fingerprint", _verify,
        "--data-root",
    )  # fmt: skip
    verifying.add_argument("name", nargs="?", help="a prepared dataset (default: all of them)")


def _list(args: Arguments) -> int:
    from zoo.data.known import own_datasets
    from zoo.data.paths import data_root

    root = data_root(args.data_root)
    rows: list[dict[str, Any]] = []
    for entry in DATASETS.entries():
        blocks, problem = or_problem(entry, blocks_of, Config())
        card = blocks.get("card", {})
        row = {"name": entry.name, "owner": entry.owner, "problem": problem}
        row |= {key: card.get(key, "") for key in ("title", "url")}
        rows.append(row | _state(root / entry.name))
    for name in own_datasets(root):
        row = {"name": name, "owner": "yourself", "problem": None, "title": "", "url": ""}
        rows.append(row | _state(root / name))
    if args.json:
        print_json({"data_root": str(root), "datasets": rows})
        return 0
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
    out.print(f"prepared datasets are in {root}", style="dim", soft_wrap=True)
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
    found = {"state": f"{count} recordings", "recordings": count}
    return found | {key: manifest[key] for key in ("title", "url") if manifest.get(key)}


def _new(args: Arguments) -> int:
    from zoo.data.begin import begin
    from zoo.data.survey import survey

    found = survey(args.folder)
    begun = begin(found)
    first, out = found.first, console()
    out.print(f"{len(found.files)} recordings in the form {found.reader}", style="bold")
    unknown = found.settings.get("fps", first.fps) is None
    rate = "unknown" if unknown else f"{first.fps:g} frames a second"
    doubts = found.doubts.items()
    skeleton = "of its own" if found.joints else first.layout
    rows = [
        ("skeleton", f"{skeleton}, {first.num_joints} joints"),
        ("frame rate", rate),
        *((key, f"{found.settings[key]}, a guess: else {why}") for key, why in doubts),
        ("guessed from names", ", ".join(begun.guessed)),
        ("no recordings", some(found.others)),
        ("not in the table", some(begun.unlisted)),
        ("written", ", ".join(str(file) for file in begun.written)),
    ]
    out.print(details([(key, value) for key, value in rows if value]))
    out.print("to fill in", style="bold")
    for place in begun.to_fill:
        out.print(f"  {place}", soft_wrap=True)
    out.print("then", style="bold")
    command = ["zoo", "data", "prepare", found.suggested_name, "--source", str(args.folder)]
    out.print(f"  {shlex.join(command)}", soft_wrap=True)
    return 0


def _prepare(args: Arguments) -> int:
    from zoo.data.dataset import create_adapter, prepare
    from zoo.data.known import parameters_for
    from zoo.data.paths import data_root

    params = parameters_for(args.name, args.source)
    changed = apply_overrides(params, args.overrides)
    adapter = create_adapter(args.name, source=args.source, **changed)
    if adapter.needs_source and args.source is None:
        where = f" Get it from {adapter.url}." if adapter.url else ""
        raise DataError(f"name the folder of the download: --source DIR.{where}")
    out = console()
    start = time.perf_counter()
    with _progress() as progress:
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
        f"with a score, in {time.perf_counter() - start:.1f} s"
    )
    _print_kinds(dataset)
    out.print(f"stored in {dataset.folder}", style="dim", soft_wrap=True)
    out.print(f"look at it: zoo data inspect {dataset.name}", style="dim")
    return 0


def _inspect(args: Arguments) -> int:
    from zoo.data.paths import data_root
    from zoo.data.summary import people_by_group, problems_by_kind, summarise

    dataset = _open(data_root(args.data_root), args.name)
    summaries = summarise(dataset)
    if args.json:
        print_json(
            {
                **{k: v for k, v in dataset.manifest.items() if k != "recordings"},
                "people_by_group": people_by_group(dataset),
                "problems_by_kind": problems_by_kind(dataset),
                "exercise_summaries": summaries,
            }
        )
        return 0
    _print_details(dataset)
    digits = score_digits(dataset.score_range) // 2
    told = ("right>", "wrong>") if dataset.binary else ("mean score>", "sd>")
    exercises = table(
        "exercise", "", "recordings>", "scored>", "people>", "frames>", "median>", *told
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
            *(
                (fixed(s.score_mean, digits), fixed(s.score_sd, digits))
                if s.right is None
                else (str(s.right), str(s.scored - s.right))
            ),
        )
    console().print(exercises)
    _print_histogram(dataset, summaries)
    _print_kinds(dataset)
    _print_problems(dataset.manifest)
    return 0


def _verify(args: Arguments) -> int:
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
    from zoo.data.dataset import load_dataset

    return load_dataset(name, root)


def _print_details(dataset: "SkeletonDataset") -> None:
    from zoo.data.summary import people_by_group

    manifest = dataset.manifest
    groups = people_by_group(dataset)
    people = f"{sum(groups.values())}: " + ", ".join(
        f"{g or 'no group'} {n}" for g, n in groups.items()
    )
    span = dataset.score_range
    rows = (
        ("people", people if dataset.subjects_known else "unknown: no honest split is possible"),
        ("layout", f"{dataset.layout}, {dataset.fps:g} frames per second"),
        ("scores", "1 right, 0 wrong" if dataset.binary else "{:g} to {:g}".format(*span)),
        ("source", manifest.get("source") or "made by the zoo"),
        ("prepared", f"{manifest.get('prepared', '')}, zoo {manifest.get('zoo_version', '')}"),
        ("fingerprint", dataset.fingerprint),
        ("licence", manifest.get("licence", "")),
        ("cite", manifest.get("citation", "")),
    )
    out = console()
    title = manifest.get("title") or dataset.name
    out.print(f"{dataset.name}: {title}", style="bold")
    out.print(details(rows))


def _print_histogram(dataset: "SkeletonDataset", every: "Sequence[ExerciseSummary]") -> None:
    from zoo.data.summary import score_edges

    summaries = [s for s in every if s.scored]
    if not summaries or dataset.binary:
        return
    out, edges = console(), score_edges(dataset)
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


def _print_kinds(dataset: "SkeletonDataset") -> None:
    from zoo.data.summary import problems_by_kind

    kinds = problems_by_kind(dataset)
    if not kinds:
        return
    rows = ((kind, str(skipped or ""), str(kept or "")) for kind, (skipped, kept) in kinds.items())
    console().print(table("fault", "recordings skipped>", "kept>", rows=rows))


def _print_problems(manifest: Mapping[str, Any]) -> None:
    if manifest.get("problems"):
        listing = table("recording", "", "where", "found", "expected")
        for column in listing.columns:
            column.overflow = "fold"
        for p in manifest["problems"]:
            where = p["file"] if p["line"] is None else f"{p['file']}, line {p['line']}"
            kept = "skipped" if p["skipped"] else "kept"
            listing.add_row(p["recording"] or "", kept, where, p["found"], p["expected"])
        console().print(listing)
    for note in manifest.get("notes", []):
        console().print(f"note: {note}", style="dim")


@contextmanager
def _progress() -> Iterator[Callable[[int, int, str], None]]:
    """A progress bar on a terminal, else a plain line at every tenth."""
    out = console()
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
    from rich import progress

    words = progress.TextColumn("{task.description}", markup=False)
    columns = (progress.BarColumn(), progress.MofNCompleteColumn(), progress.TimeRemainingColumn())
    with progress.Progress(*columns, words, console=out, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total, what: bar.update(
            task, completed=done, total=total, description=what
        )

"""`zoo new`: a small package with a model or a dataset of one's own, ready to be changed."""

import shlex
from pathlib import Path

from zoo.cli.console import console, details
from zoo.cli.parser import Arguments, Subparsers

_KINDS = {
    "baseline": (
        "a package with one model",
        "Write a small package: a model that works, its card, its tests and the entry point "
        "through which an installed package joins the zoo.",
        "such as my_model: model and package alike",
    ),
    "dataset": (
        "a package with one dataset, where its files need code",
        "Write a small package: an adapter that reads a folder of files, its card, its tests and "
        "the entry point through which an installed package joins the zoo. Recordings with a "
        "table need no code: see zoo data new.",
        "such as my_dataset: dataset and package alike",
    ),
}


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo new`."""
    parser = subparsers.add_parser(
        "new",
        help="start a package with a model or a dataset of your own",
        description="Begin something of your own from a worked example.",
    )
    kinds = parser.add_actions()
    for kind, (text, description, named) in _KINDS.items():
        made = kinds.add_parser(kind, help=text, description=description)
        made.add_argument("name", metavar="NAME", help=named)
        made.add_argument(
            "--dir", type=Path, default=Path(), metavar="DIR", help="where it goes (default: .)"
        )
        made.set_defaults(run=run, kind=kind)


def run(args: Arguments) -> int:
    """Write the package and say what comes next; return the exit code."""
    from zoo.scaffold import new_package

    made = new_package(args.kind, args.name, args.dir)
    name, out = made.name, console()
    dataset = args.kind == "dataset"
    code, noun = ("adapter", "dataset") if dataset else ("model", "model")
    out.print(f"{made} holds a {noun} that works, to be changed:", style="bold")
    files = (
        (f"src/{name}/{code}.py", "what reads the files" if dataset else "the model"),
        (f"src/{name}/configs/{noun}/{name}.yaml", "where its code is, its card, its settings"),
        (f"tests/test_{name}.py", f"what every {noun} has to do"),
        ("pyproject.toml", "the package, and the entry point that makes configs/ known"),
    )
    out.print(details(files))
    out.print("next", style="bold")
    used = (
        ("zoo data list", "shows it from now on"),
        (f"zoo data prepare {name} --source FOLDER", "then train on it as on any dataset"),
    )
    if not dataset:
        used = (
            (f"zoo models {name}", "shows it from now on"),
            (f"zoo train --model {name}", "trained, tested and tabled like every model here"),
        )
    width = max(len(command) for command, _ in used) + 2
    for command, what in (
        (shlex.join(["cd", str(made)]), ""),
        ("python -m pytest", "its tests pass already"),
        ("pip install -e .", ""),
        *used,
    ):
        out.print(f"  {command:<{width}}{what}".rstrip(), soft_wrap=True)
    return 0

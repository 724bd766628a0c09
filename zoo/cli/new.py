"""`zoo new baseline`: a small package with a model of one's own, ready to be changed."""

import shlex
from pathlib import Path

from zoo.cli.console import console, details
from zoo.cli.parser import Arguments, Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo new`."""
    parser = subparsers.add_parser(
        "new",
        help="start a package with a model of your own",
        description="Begin something of your own from a worked example.",
    )
    kinds = parser.add_actions()
    baseline = kinds.add_parser(
        "baseline",
        help="a package with one model",
        description="Write a small package: a model that works, its card, its tests and the entry "
        "point through which an installed package joins the zoo.",
    )
    baseline.add_argument("name", metavar="NAME", help="such as my_model: model and package alike")
    baseline.add_argument(
        "--dir", type=Path, default=Path(), metavar="DIR", help="where its folder goes (default: .)"
    )
    baseline.set_defaults(run=run)


def run(args: Arguments) -> int:
    """Write the package and say what comes next; return the exit code."""
    from zoo.scaffold import new_baseline

    made = new_baseline(args.name, args.dir)
    name, out = made.name, console()
    out.print(f"{made} holds a model that works, to be changed:", style="bold")
    files = (
        (f"src/{name}/model.py", "the model"),
        (f"src/{name}/configs/model/{name}.yaml", "where its code is, its card, its numbers"),
        (f"tests/test_{name}.py", "what every model has to do"),
        ("pyproject.toml", "the package, and the entry point that makes configs/ known"),
    )
    out.print(details(files))
    out.print("next", style="bold")
    for command, what in (
        (shlex.join(["cd", str(made)]), ""),
        ("python -m pytest", "its tests pass already"),
        ("pip install -e .", f"`zoo models {name}` shows it from now on"),
        (f"zoo train --model {name}", "trained, tested and tabled like every model here"),
    ):
        line = f"  {command:<{len(name) + 22}}{what}".rstrip()
        out.print(line, soft_wrap=True)
    return 0

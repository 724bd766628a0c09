"""`zoo config show`: the resolved configuration of a run, and what can be chosen."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo.cli.main import Parser


def add_parser(subparsers: "argparse._SubParsersAction[Parser]") -> None:
    """Describe `zoo config`."""
    from zoo.cli.choices import add_run_choices

    parser = subparsers.add_parser(
        "config", help="show a run's configuration", description="Show a run's configuration."
    )
    actions = parser.add_subparsers(
        title="actions", dest="action", metavar="ACTION", required=True, prog=parser.prog
    )
    show = actions.add_parser(
        "show",
        help="print the resolved configuration as YAML",
        description="Print the configuration `zoo train` would use with the same arguments.",
    )
    add_run_choices(show)
    show.set_defaults(run=run, takes_overrides=True)


def run(args: argparse.Namespace) -> int:
    """Print the YAML; return the exit code."""
    from registry.yaml_files import to_yaml
    from zoo.cli.choices import compose_from

    if args.model is None and args.experiment is None:
        args.model = "d2sta"
    print(to_yaml(compose_from(args)), end="")
    return 0

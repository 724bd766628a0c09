"""`zoo config show`: the resolved configuration of a run, and what can be chosen."""

from registry.yaml_files import to_yaml
from zoo.cli.parser import Arguments, Subparsers, add_options, add_run_choices, compose_from


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo config`."""
    parser = subparsers.add_parser(
        "config", help="show a run's configuration", description="Show a run's configuration."
    )
    actions = parser.add_actions()
    show = actions.add_parser(
        "show",
        help="print the resolved configuration as YAML",
        description="Print the configuration `zoo train` would use with the same arguments. What "
        "`zoo train` would refuse is refused.",
    )
    add_run_choices(show)
    add_options(show, "--data-root")
    show.set_defaults(run=run, takes_overrides=True)


def run(args: Arguments) -> int:
    """Print the YAML; return the exit code."""
    if args.model is None and args.experiment is None:
        args.model = "d2sta"
    config = compose_from(args)

    from zoo.workspace import check_run

    check_run(config)
    print(to_yaml(config), end="")
    return 0

"""`zoo config show`: the resolved configuration of a run, and what can be chosen."""

from registry.yaml_files import Config, to_yaml
from zoo.api import RUNS
from zoo.cli.console import complain
from zoo.cli.parser import Arguments, Subparsers, add_options, add_run_choices, compose_from
from zoo.errors import ConfigError


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
    _check(config, args)
    print(to_yaml(config), end="")
    return 0


def _check(config: Config, args: Arguments) -> None:
    """Refuse what training would refuse; with a note where the data are not there to be asked.

    Raises:
        UserError: as `zoo train` does.
    """
    from zoo.data.dataset import create_adapter
    from zoo.data.paths import data_root
    from zoo.data.store import MANIFEST_FILE
    from zoo.models import create_model
    from zoo.protocol.protocol import load_protocol
    from zoo.training.config import TrainerConfig
    from zoo.workspace import Workspace

    TrainerConfig.from_dict(config["trainer"])
    name = config["dataset"]["name"]
    if (data_root(args.data_root) / name / MANIFEST_FILE).is_file():
        session = Workspace(RUNS, args.data_root).open(config)
        if not 0 <= config["fold"] < session.num_folds:
            raise ConfigError(
                f"there is no fold {config['fold']}: this protocol has the folds 0 to "
                f"{session.num_folds - 1}"
            )
        session.first_samples()
        return
    block = {key: value for key, value in config["dataset"].items() if key != "exercise"}
    adapter = create_adapter(**block)
    load_protocol(**config["protocol"])
    create_model(layout=adapter.layout, **config["model"])
    if adapter.needs_source:
        complain(f"{name} is not prepared here: exercise and fold are not checked", word="note")

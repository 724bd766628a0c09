"""The parser of the command, and the options that several of its parts have."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from rich_argparse import RichHelpFormatter

from registry import DATASETS, MODELS, PROTOCOLS, config_names, did_you_mean, nearest
from zoo.api import RUNS, run_config
from zoo.cli.console import begin
from zoo.errors import ConfigError, UserError

Arguments = argparse.Namespace
Subparsers: TypeAlias = "argparse._SubParsersAction[Parser]"


class _HelpFormatter(RichHelpFormatter):
    """Heads in sentence case."""

    @staticmethod
    def group_name_formatter(name: str) -> str:  # type: ignore[override]
        """The head of a group of options."""
        return name[:1].upper() + name[1:]


class Parser(argparse.ArgumentParser):
    """A parser that names the nearest option, command or value to a mistyped one.

    Where a command has a default ``takes_overrides``, ``key=value`` settings may stand anywhere
    among its arguments and come back as ``overrides``.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=_HelpFormatter, **options)
        self._everywhere = self.add_argument_group("everywhere", argument_default=argparse.SUPPRESS)
        add_options(self._everywhere, "--plugin", "--config-dir", "--debug")

    def format_help(self) -> str:
        """The help; what all commands take comes last."""
        self._action_groups.sort(key=lambda group: group is self._everywhere)
        self._actions.sort(key=lambda action: action in self._everywhere._group_actions)
        return super().format_help()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does, but refuse what is neither known nor a setting."""
        found, extra = super().parse_known_args(args, namespace)
        if self.get_default("takes_overrides"):
            found.overrides = [e for e in extra if not e.startswith("-") and "=" in e]
            extra = [e for e in extra if e not in found.overrides]
        if extra:
            self._refuse(extra)
        return found, extra

    def add_actions(self, required: bool = True) -> Subparsers:
        """Where the things that a command can do are described; `required` asks for one."""
        return self.add_subparsers(
            title="actions", dest="action", metavar="ACTION", required=required, prog=self.prog
        )

    def error(self, message: str) -> NoReturn:
        """Print one line and leave with exit code 2."""
        raise UserError(f"{message}\nSee: {self.prog} --help")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Name the nearest of an argument's choices."""
        if action.choices is None or value in action.choices:
            return
        near = did_you_mean(str(value), map(str, action.choices))
        if isinstance(action, argparse._SubParsersAction):
            self.error(f"{self.prog} has no {str(action.metavar).lower()} {value!r}. {near}")
        raise argparse.ArgumentError(action, f"{value!r} is no such value. {near}")

    def _refuse(self, extra: Sequence[str]) -> NoReturn:
        """Say what was not understood, and what was perhaps meant."""
        word, _, value = extra[0].partition("=")
        options = {name for name in self._option_string_actions if name.startswith("--")}
        if word.startswith("-"):
            # Dashes are alike in all of them.
            close = nearest(word.lstrip("-"), (name[2:] for name in options), 1, cutoff=0.6)
            meant = [f"--{name}{value and f'={value}'}" for name in close]
        else:
            meant = [f"{option} {name}" for option, name in _named_by(word) if option in options]
        near = f" Did you mean {' or '.join(meant)}?" if meant else ""
        self.error(f"not understood: {' '.join(extra)}.{near}")


def _named_by(word: str) -> list[tuple[str, str]]:
    """Options that take `word` or a name much like it, with that name."""
    kinds = (("model", MODELS), ("dataset", DATASETS), ("protocol", PROTOCOLS))
    known = [(f"--{kind}", entries.names()) for kind, entries in kinds]
    known.append(("--experiment", config_names("experiment")))
    exact = [(option, word) for option, names in known if word in names]
    return exact or [
        (option, near) for option, names in known for near in nearest(word, names, 1, cutoff=0.8)
    ]


def one_of_list(text: str) -> str:
    """One value of an option that takes several; settings, which may end a list, are left alone.

    Raises:
        ArgumentTypeError: several values in one word.
    """
    if "," in text and "=" not in text:
        words = text.replace(",", " ")
        raise argparse.ArgumentTypeError(f"{text!r}: put spaces between the values: {words}")
    return text


def add_options(group: argparse._ActionsContainer, *names: str) -> None:
    """Describe options that several commands have, by name."""
    for name in names:
        group.add_argument(name, **_OPTIONS[name])


def add_action(
    actions: Subparsers, name: str, text: str, run: Callable[[Arguments], int], *options: str
) -> Parser:
    """Describe one of the things that a command can do, and its `options`; `run` does it."""
    made = actions.add_parser(name, help=text, description=f"{text.capitalize()}.")
    add_options(made, *options)
    made.set_defaults(run=run)
    return made


def add_run_choices(parser: Parser) -> None:
    """Options that choose model, data, protocol, fold and seed, and free key=value settings."""
    group = parser.add_argument_group("what to train")
    group.add_argument("--model", metavar="NAME", help="a registered model (see: zoo models)")
    group.add_argument(
        "--dataset", metavar="NAME", help="a prepared dataset (default: synthetic, built in)"
    )
    group.add_argument("--exercise", metavar="ID", help="exercise id (default: the dataset's)")
    group.add_argument(
        "--protocol", metavar="NAME", help="how the data are split (default: person-kfold)"
    )
    group.add_argument(
        "--experiment", metavar="NAME", help="train with the settings of an experiment"
    )
    group.add_argument("--row", metavar="LABEL", help="row of the experiment (default: its first)")
    group.add_argument("--fold", metavar="N", help="fold to test on, or 'all' (default: 0)")
    group.add_argument(
        "--seed", type=int, metavar="N", help="seed of the weights and of the order of samples"
    )
    parser.epilog = (
        "Any setting can follow as key=value: trainer.epochs=50 model.groups=4. "
        "`zoo config show` lists them."
    )


def compose_from(args: Arguments) -> dict[str, Any]:
    """The composed configuration of parsed arguments.

    Names are looked up before anything is said or imported, which takes seconds.
    """
    if args.model is None and args.experiment is None:
        raise ConfigError("name a model: --model d2sta (`zoo models` lists them)")
    fold = None if args.fold in (None, "all") else args.fold
    if fold is not None and not fold.isdigit():
        raise ConfigError(f"--fold {fold}: expected a number from 0, or 'all'")
    for entries in (MODELS, PROTOCOLS):
        if getattr(args, entries.kind) is not None:
            entries.get(getattr(args, entries.kind)).check()
    begin(f"getting {args.model or args.experiment} ready")
    names = ("model", "dataset", "protocol", "exercise", "seed", "overrides")
    chosen = {name: getattr(args, name) for name in names}
    chosen["data_root"] = getattr(args, "data_root", None)
    chosen["fold"] = None if fold is None else int(fold)
    return run_config(args.experiment, args.row, **chosen)


def _level(text: str) -> float:
    try:
        level = float(text)
    except ValueError:
        level = 0.0
    if not 0 < level < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number between 0 and 1, such as 0.9")
    return level


_FOLDER: dict[str, Any] = {"type": Path, "metavar": "DIR"}
_OPTIONS: dict[str, dict[str, Any]] = {
    "--plugin": {
        "action": "append",
        "metavar": "FILE.py",
        "help": "a Python file with models of your own",
    },
    "--config-dir": {
        "action": "append",
        "metavar": "DIR",
        "help": "look for YAML entries in DIR first",
    },
    "--debug": {"action": "store_true", "help": "show the traceback of an error"},
    "--runs": {**_FOLDER, "default": RUNS, "help": "folder of runs (default: ./runs)"},
    "--data-root": {
        **_FOLDER,
        "help": "folder of prepared datasets (default: $ZOO_DATA, else the user data folder)",
    },
    "--dataset": {
        "metavar": "NAME",
        "help": "dataset or reader that says how files are read, and whose recording ids are meant "
        "(default: the run's dataset)",
    },
    "--device": {"metavar": "NAME", "help": "auto, cpu, cuda or cuda:N"},
    "--json": {"action": "store_true", "help": "print JSON"},
    "--level": {
        "type": _level,
        "metavar": "P",
        "help": "probability with which an interval holds the true score (default: 0.9)",
    },
    "run_folder": {"metavar": "RUN", "type": Path, "help": "folder of a finished run"},
    "run_or_bundle": {
        "metavar": "RUN",
        "type": Path,
        "help": "folder of a finished run, or a bundle (NAME.zoo) that `zoo export` made of one",
    },
}

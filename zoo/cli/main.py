"""The entry of the `zoo` command: parsing, plug-ins, and how errors are shown."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn, Protocol, cast

from registry import UserError, add_plugin, did_you_mean
from zoo.cli.console import complain

COMMANDS = (
    "train", "bench", "experiment", "leaderboard", "compare", "ensemble", "evaluate", "predict",
    "explain", "models", "data", "protocol", "config", "new",
)  # fmt: skip
"""Modules of `zoo.cli`, one a command; torch is imported inside their `run`."""

EPILOG = "The quickest start: zoo train --model d2sta"


class Command(Protocol):
    """What a module of `zoo.cli` offers."""

    def add_parser(self, subparsers: "argparse._SubParsersAction[Parser]") -> None:
        """Describe the command; `set_defaults(run=...)` names what runs it."""


class Parser(argparse.ArgumentParser):
    """An argument parser that names the nearest option or command to a mistyped one."""

    def error(self, message: str) -> NoReturn:
        """Print one line and leave with exit code 2."""
        raise UserError(f"{message}\nSee: {self.prog} --help")


def build_parser() -> Parser:
    """The parser of the whole command."""
    from rich_argparse import RichHelpFormatter

    from zoo import __version__

    common = Parser(add_help=False, argument_default=argparse.SUPPRESS)
    group = common.add_argument_group("everywhere")
    group.add_argument(
        "--plugin", action="append", metavar="FILE.py", help="a file with models of your own"
    )
    group.add_argument(
        "--config-dir", action="append", metavar="DIR", help="search DIR for configs first"
    )
    group.add_argument("--debug", action="store_true", help="show the traceback of an error")

    parser = Parser(
        prog="zoo",
        description="Skeleton graph models for scoring rehabilitation exercises, compared "
        "honestly: split by person.",
        epilog=EPILOG,
        parents=[common],
        formatter_class=RichHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"skeleton-zoo {__version__}")
    subparsers = parser.add_subparsers(
        title="commands", dest="command", metavar="COMMAND", parser_class=Parser, prog="zoo"
    )
    for name in COMMANDS:
        cast(Command, import_module(f"zoo.cli.{name}")).add_parser(subparsers)
    for command in _leaves(subparsers):
        command.formatter_class = RichHelpFormatter
        _adopt(command, group)
    return parser


def _leaves(subparsers: "argparse._SubParsersAction[Parser]") -> list[Parser]:
    found: list[Parser] = []
    for parser in dict.fromkeys(subparsers.choices.values()):
        found.append(parser)
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                found.extend(_leaves(action))
    return found


def _adopt(parser: Parser, group: argparse._ArgumentGroup) -> None:
    own = parser.add_argument_group("everywhere")
    for action in group._group_actions:
        own._add_action(action)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 2 an error the user can mend.

    Args:
        argv: arguments without the program's name; the process's own if None.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    try:
        return _run(arguments)
    except UserError as error:
        if debug:
            raise
        complain(str(error))
        return 2
    except KeyboardInterrupt as stop:
        if debug:
            raise
        complain(str(stop) or "interrupted", word="stopped")
        return int(getattr(stop, "exit_code", 130))
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def _run(arguments: list[str]) -> int:
    parser = build_parser()
    args, extra = parser.parse_known_args(arguments)
    if getattr(args, "run", None) is None:
        if extra:
            _refuse(extra, parser)
        parser.print_help()
        return 0
    takes_overrides = getattr(args, "takes_overrides", False)
    args.overrides = [e for e in extra if takes_overrides and not e.startswith("-") and "=" in e]
    rest = [e for e in extra if e not in args.overrides]
    if rest:
        _refuse(rest, parser)
    for folder in getattr(args, "config_dir", []):
        from registry import use_config_dir

        use_config_dir(folder)
    for file in getattr(args, "plugin", []):
        add_plugin(file)
    return int(args.run(args) or 0)


def _refuse(extra: list[str], parser: Parser) -> NoReturn:
    options = {o for p in [parser, *_all_parsers(parser)] for o in p._option_string_actions}
    word = extra[0].partition("=")[0]
    hint = f" {did_you_mean(word, options)}" if word.startswith("-") else ""
    raise UserError(f"not understood: {' '.join(extra)}.{hint}")


def _all_parsers(parser: Parser) -> list[Parser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return _leaves(action)
    return []


if __name__ == "__main__":
    sys.exit(main())

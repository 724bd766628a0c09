"""The entry of the `zoo` command: parsing, plug-ins, and how errors are shown."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from registry import UserError, add_plugin, use_config_dir
from zoo import __version__
from zoo.cli.completion import complete
from zoo.cli.console import complain, make_printable
from zoo.cli.parser import Parser

COMMANDS = (
    "train", "bench", "experiment", "leaderboard", "compare", "ensemble", "evaluate", "predict",
    "export", "explain", "view", "stream", "app", "pose", "models", "data", "protocol",
    "config", "new",
)  # fmt: skip
"""Modules of `zoo.cli`, one a command: `add_parser` describes it, and its default ``run`` does it.

Torch is imported inside ``run``.
"""


def build_parser() -> Parser:
    """The parser of the whole command."""
    parser = Parser(
        prog="zoo",
        description="Skeleton graph models for scoring rehabilitation exercises, compared "
        "honestly: split by person.",
        epilog="To begin with: zoo train --model d2sta-small",
    )
    parser.add_argument("--version", action="version", version=f"skeleton-zoo {__version__}")
    subparsers = parser.add_subparsers(
        title="commands", dest="command", metavar="COMMAND", prog="zoo"
    )
    for name in COMMANDS:
        import_module(f"zoo.cli.{name}").add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 2 an error the user can mend.

    Args:
        argv: arguments without the program's name; the process's own if None.
    """
    # Before torch is imported: threads that wait for one another give the processor away. On a
    # busy machine, spinning makes a step of several threads many times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    make_printable()
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
    except OSError as error:
        if debug or error.filename is None:
            raise
        complain(f"cannot use {str(error.filename)[:200]}: {error.strerror}")
        return 2


def _run(arguments: list[str]) -> int:
    parser = build_parser()
    complete(parser)
    args = parser.parse_args(arguments)
    if "run" not in args:
        parser.print_help()
        return 0
    for folder in getattr(args, "config_dir", []):
        use_config_dir(folder)
    for file in getattr(args, "plugin", []):
        add_plugin(file)
    return int(args.run(args) or 0)

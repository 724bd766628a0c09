"""Names completed in the shell, without torch: see "Shell completion" in the quick start.

The shell asks by running ``zoo`` with ``_ARGCOMPLETE`` set (``register-python-argcomplete zoo``).
"""

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from registry import (
    DATASETS,
    MODELS,
    PROTOCOLS,
    UserError,
    add_plugin,
    config_names,
    use_config_dir,
)

Names = Callable[[argparse.Namespace], list[str]]
"""Names to complete with, by what was written so far."""


def _datasets(written: argparse.Namespace) -> list[str]:
    """The registered ones, and those of one's own that are prepared."""
    from zoo.data.known import own_datasets

    return [*DATASETS.names(), *own_datasets(getattr(written, "data_root", None))]


def _models(written: argparse.Namespace) -> list[str]:
    return MODELS.names()


def _protocols(written: argparse.Namespace) -> list[str]:
    return PROTOCOLS.names()


def _experiments(written: argparse.Namespace) -> list[str]:
    return config_names("experiment")


_BY_OPTION: dict[str, Names] = {
    "--model": _models,
    "--models": _models,
    "--dataset": _datasets,
    "--protocol": _protocols,
    "--experiment": _experiments,
}

_BY_COMMAND: dict[str, Names] = {
    "zoo models": _models,
    "zoo data": _datasets,
    "zoo protocol": _protocols,
    "zoo experiment": _experiments,
}
"""What the argument called ``name`` is of each command, or of its actions."""


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell and end the process, where it is the shell that asks."""
    if "_ARGCOMPLETE" not in os.environ:
        return
    import argcomplete

    for command, action in _actions(parser):
        names = next((_BY_OPTION[o] for o in action.option_strings if o in _BY_OPTION), None)
        if names is None and action.dest == "name":
            names = _BY_COMMAND.get(command)
        if names is not None:
            action.completer = _completer(names)  # type: ignore[attr-defined]
    argcomplete.autocomplete(parser)


def _completer(names: Names) -> Callable[..., list[str]]:
    def known(parsed_args: Any, **_: object) -> list[str]:
        with suppress(UserError):
            for folder in getattr(parsed_args, "config_dir", []):
                use_config_dir(folder)
            for file in getattr(parsed_args, "plugin", []):
                add_plugin(file)
        return names(parsed_args)

    return known


def _actions(
    parser: argparse.ArgumentParser, command: str = ""
) -> Iterator[tuple[str, argparse.Action]]:
    """Every argument of a parser and of those below it, with its command: ``zoo data``."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield from _actions(below, command if command else f"{parser.prog} {name}")
        else:
            yield command, action

"""How an error that speaks of Python's arguments is said on the command line.

Errors name what a caller of the package would pass: ``resume=True``, ``data_root=``,
``registry.add_plugin("FILE.py")``. Whoever types commands passes options.
"""

import re

_CALLS = (
    (r'registry\.add_plugin\("([^"]+)"\)', r"--plugin \1"),
    (r'registry\.use_config_dir\("([^"]+)"\)', r"--config-dir \1"),
    (r'zoo\.prepare_dataset\("([^"]+)", "([^"]+)"\)', r"`zoo data prepare \1 --source \2`"),
    (r"zoo\.list_models\(\)", "`zoo models`"),
)
_SWITCHES = r"(?<![\w.-])(resume|overwrite|strict|retry_failed)=True\b"
_VALUES = (
    r"(?<![\w.-])(data_root|dataset|protocol|output|recording|video|model|models|folds|seeds"
    r"|exercises|fingerprint|protocol_hash|folder)=(?=[\w'\"…]|$|[ ,;.)])"
)


def in_flags(message: str) -> str:
    """`message` with options of the command line in place of arguments and calls."""
    for call, command in _CALLS:
        message = re.sub(call, command, message)
    message = re.sub(_SWITCHES, lambda found: _flag(found[1]), message)
    return re.sub(
        _VALUES + r"(?:'([^']*)')?",
        lambda found: f"{_flag(found[1])}{_value(found[2], message[found.end() :])}",
        message,
    )


def _flag(argument: str) -> str:
    return f"--{argument.replace('_', '-')}"


def _value(quoted: str | None, rest: str) -> str:
    """What stands between an option and what follows it."""
    if quoted is not None:
        return f" {quoted}"
    return " " if rest[:1].isalnum() or rest[:1] == "…" else ""

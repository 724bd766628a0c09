"""The head that ``model.head`` names, and its options."""

import inspect
from collections.abc import Mapping
from typing import Any

from registry import HEADS
from zoo.build import require_keys
from zoo.errors import ConfigError


def head_choice(choice: Any) -> tuple[str, dict[str, Any]]:
    """Name and options of a ``model.head``: a name, or a mapping with ``name`` and options.

    Raises:
        RegistryError: no such head; the nearest one is named.
        ConfigError: no such option, or no name.
    """
    options = dict(choice) if isinstance(choice, Mapping) else {"name": choice}
    name = options.pop("name", None)
    if not isinstance(name, str):
        raise ConfigError(
            f"model.head is {choice!r}, expected the name of a head, or {{name: NAME, …}} with "
            f"its options. Heads: {', '.join(HEADS.names())}"
        )
    parameters = inspect.signature(HEADS.get(name).load()).parameters
    known = [p for p in parameters if p not in ("layers", "outputs")]
    require_keys(options, known, f"the head {name!r}")
    return name, options

"""The head that ``model.head`` names, in the place of a model's own."""

import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

from registry import HEADS
from zoo.build import require_keys
from zoo.errors import ConfigError
from zoo.nn.heads.base import Head


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


def replace_head(model: nn.Module, choice: Any) -> None:
    """Put the head that ``model.head`` names in the place of the model's own, whose layers stay.

    Raises:
        RegistryError: no such head.
        ConfigError: no such option, or the model does not end in a `Head`.
    """
    name, options = head_choice(choice)
    own = getattr(model, "head", None)
    if not isinstance(own, Head):
        raise ConfigError(
            f"{type(model).__name__} has no head that {name!r} could take the place of: "
            "model.head is for networks that end in self.head = MSEHead.of(width); "
            "model.head=null leaves others as they are"
        )
    model.head = HEADS.get(name).load()(own.layers, **options)

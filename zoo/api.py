"""What `import zoo` offers: the command's verbs as typed calls.

Everything heavy is imported inside the calls, so that `import zoo` stays light.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from registry import MODELS

if TYPE_CHECKING:
    from torch import nn

    from zoo.data.dataset import SkeletonDataset
    from zoo.skeleton import Layout


def list_models(pattern: str = "*") -> list[str]:
    """Names of the registered models that fit a shell-style pattern, sorted."""
    return MODELS.names(pattern)


def create_model(name: str, layout: "str | Layout" = "kinect_v2", **params: Any) -> "nn.Module":
    """A freshly initialised model.

    Args:
        name: of a registered model.
        layout: skeleton layout, or its name; fixes the number of joints V.
        **params: override the parameters in the model's configuration.

    Raises:
        RegistryError: no such model, or its code cannot be loaded.
        ConfigError: a parameter the model does not have (the nearest one is named), or a value
            it refuses.
    """
    from zoo.config import entry_config
    from zoo.errors import ConfigError
    from zoo.skeleton import load_layout

    factory = MODELS.get(name).load()
    settings = {**entry_config("model", name).get("params", {}), **params}
    try:
        return cast("nn.Module", factory(layout=load_layout(layout), **settings))
    except TypeError as error:
        raise ConfigError(f"model {name!r}: {_without_class(error)}") from error

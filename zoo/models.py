"""Registered models by name: which there are, and a fresh one of them."""

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from registry import MODELS
from zoo.build import build_arguments, to_plain
from zoo.catalogue import blocks_of
from zoo.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn

    from zoo.skeleton import Layout


def list_models(pattern: str = "*") -> list[str]:
    """Names of the registered models that fit a shell-style pattern, sorted."""
    return MODELS.names(pattern)


def create_model(name: str, layout: "str | Layout" = "kinect-v2", **params: Any) -> "nn.Module":
    """A freshly initialised model.

    Args:
        name: of a registered model.
        layout: skeleton layout, or its name; fixes the number of joints V.
        **params: override the parameters in the model's configuration. ``head`` puts another head
            (`zoo.nn.heads`) in the place of the model's own; ``causal`` lets everything along time
            look back only (`zoo.nn.streaming.make_causal`).

    Raises:
        RegistryError: no such model, or its code cannot be loaded.
        ConfigError: a parameter the model does not have (the nearest one is named), or a value
            it refuses, or what it makes is no module.
    """
    from zoo.skeleton import load_layout

    entry = MODELS.get(name)
    settings = {**blocks_of(entry).get("params", {}), **to_plain(params)}
    require_parameters(settings, name, f"model {name!r}")
    try:
        return build_model(name, load_layout(layout), settings)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"model {name!r} refuses its parameters: {error}") from error


def require_parameters(params: Mapping[str, Any], name: str, where: str = "model") -> None:
    """Nothing, if a registered model has these parameters and each is what its annotation says.

    Args:
        params: by name.
        name: of the model.
        where: they stand; messages begin with it.

    Raises:
        ConfigError: a parameter it does not have, or a value of another type.
        RegistryError: no such model, or no such head.
    """
    factory = MODELS.get(name).load()
    settings = dict(params)
    head = settings.pop("head", None) if chooses_head(factory) else None
    causal = settings.pop("causal", False) if may_be_causal(factory) else False
    if not isinstance(causal, bool):
        raise ConfigError(f"{where}: causal is {causal!r}, expected true or false")
    build_arguments(factory, settings, where, skip="layout")
    if head is not None:
        from zoo.nn.heads import head_choice

        head_choice(head)


def build_model(name: str, layout: "Layout", params: Mapping[str, Any]) -> "nn.Module":
    """A registered model with exactly `params`, and another head where they have ``head``.

    A factory that takes a parameter ``head`` or ``causal`` itself gets it as any other.

    Raises:
        RegistryError: no such model.
        ConfigError: what is made is no module, has no head that could be replaced, or a layer
            that cannot but look at later frames.
    """
    from torch import nn

    factory = MODELS.get(name).load()
    settings = dict(params)
    head = settings.pop("head", None) if chooses_head(factory) else None
    causal = settings.pop("causal", False) if may_be_causal(factory) else False
    model = factory(layout=layout, **settings)
    if not isinstance(model, nn.Module):
        raise ConfigError(f"model {name!r} is a {type(model).__name__}, expected a torch.nn.Module")
    if head is not None:
        from zoo.nn.model import replace_head

        replace_head(model, head)
    if causal:
        from zoo.nn.streaming import make_causal

        make_causal(model)
    return model


def chooses_head(factory: Callable[..., Any]) -> bool:
    """Whether ``head`` among a model's parameters names one of `zoo.nn.heads`.

    A closed-form model has none, and what has a parameter of that name itself means its own.
    """
    return not hasattr(factory, "fit") and "head" not in inspect.signature(factory).parameters


def may_be_causal(factory: Callable[..., Any]) -> bool:
    """Whether ``causal`` among a model's parameters means `zoo.nn.streaming.make_causal`."""
    return not hasattr(factory, "fit") and "causal" not in inspect.signature(factory).parameters

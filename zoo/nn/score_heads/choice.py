"""All heads by name, and the one that ``model.head`` names put in a model."""

import inspect
from collections.abc import Mapping
from typing import Any, cast

from torch import nn

from registry import did_you_mean
from zoo.data.batch import Prediction
from zoo.errors import ConfigError
from zoo.nn.heads import RegressionHead
from zoo.nn.score_heads.base import ScoreHead
from zoo.nn.score_heads.distribution import ScoreDistributionHead
from zoo.nn.score_heads.exemplar import ExemplarHead
from zoo.nn.score_heads.ordinal import OrdinalHead
from zoo.nn.score_heads.parts import PartDistributionsHead, PartsHead
from zoo.nn.score_heads.regression import GaussianHead, HuberHead, MSEHead

HEADS: Mapping[str, type[ScoreHead]] = {
    "mse": MSEHead,
    "huber": HuberHead,
    "gaussian": GaussianHead,
    "usdl": ScoreDistributionHead,
    "ordinal": OrdinalHead,
    "po_cf": PartsHead,
    "musdl": PartDistributionsHead,
    "core": ExemplarHead,
}
"""Every head by the name that ``model.head`` takes."""


def head_choice(choice: Any) -> tuple[str, dict[str, Any]]:
    """Name and options of a ``model.head``: a name, or a mapping with ``name`` and options.

    Raises:
        ConfigError: no such head or option; the nearest one is named.
    """
    options = dict(choice) if isinstance(choice, Mapping) else {"name": choice}
    name = options.pop("name", None)
    if name not in HEADS:
        raise ConfigError(f"no head is called {name!r}. {did_you_mean(str(name), HEADS)}")
    parameters = inspect.signature(HEADS[name]).parameters
    known = [p for p in parameters if p not in ("layers", "outputs")]
    for key in options:
        if key not in known:
            near = did_you_mean(str(key), known) if known else "It has none."
            raise ConfigError(f"the head {name!r} has no option {key!r}. {near}")
    return name, options


def attach_head(model: nn.Module, choice: Any) -> None:
    """Put the head that ``model.head`` names in the place of the model's own.

    The model's forward goes on to pass its features to ``self.head`` and to call the answer a
    score; before anybody sees it, the head has read the score in it.

    Raises:
        ConfigError: no such head or option, or the model does not end in a `RegressionHead`.
    """
    name, options = head_choice(choice)
    old = getattr(model, "head", None)
    if not isinstance(old, RegressionHead):
        raise ConfigError(
            f"{type(model).__name__} has no head that {name!r} could take the place of: "
            "model.head is for networks that end in self.head = RegressionHead(width)"
        )
    model.head = HEADS[name](old.layers, **options)
    model.register_forward_hook(_read)


def _read(model: nn.Module, _: Any, answer: Prediction) -> Prediction:
    """The model's answer with the output moved from ``score`` to where it belongs."""
    output = answer.score
    reading = cast(ScoreHead, model.head).read(output)
    return answer._replace(score=reading.score, log_variance=reading.log_variance, output=output)

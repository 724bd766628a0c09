"""signatures first"""
from dataclasses import dataclass, field
from collections.abc import Mapping
from typing import Any


@dataclass(frozen=True)
class Step:
    """One transform with its parameters.

    Attributes:
        name: a key of `TRANSFORMS`.
        params: keyword arguments of that transform.
    """

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)

"""The way to scikit-learn, which only fitting needs."""

import importlib
from typing import Any

from zoo.errors import TrainingError


def scikit(module: str) -> Any:
    """The module `module` of scikit-learn.

    Raises:
        TrainingError: it is not installed; the message says how to install it.
    """
    try:
        return importlib.import_module(f"sklearn.{module}")
    except ImportError as error:
        raise TrainingError(
            f"this model is fitted by scikit-learn, which cannot be imported ({error}). Install "
            "the extra: pip install 'skeleton-zoo[classical]'"
        ) from error

"""skeleton-zoo: skeleton graph models for scoring rehabilitation exercises, compared honestly.

    import zoo

    dataset = zoo.load_dataset("kimore")
    model = zoo.create_model("d2sta", layout="kinect-v2")
    run = zoo.train(model="d2sta", dataset="kimore", exercise="5", fold=0)
    zoo.evaluate(run.path)
    zoo.list_models("*gcn*")

Importing this module alone imports no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zoo.api import (
        bench,
        evaluate,
        experiment,
        leaderboard,
        load_dataset,
        predict,
        prepare_dataset,
        train,
    )
    from zoo.models import create_model, list_models

__version__ = "0.1.0"

__all__ = [
    "__version__",
    "bench",
    "create_model",
    "evaluate",
    "experiment",
    "leaderboard",
    "list_models",
    "load_dataset",
    "predict",
    "prepare_dataset",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        home = "zoo.models" if name in ("create_model", "list_models") else "zoo.api"
        return getattr(import_module(home), name)
    raise AttributeError(f"module 'zoo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__

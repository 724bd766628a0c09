"""What `import zoo` offers: the command's verbs as typed calls.

Everything heavy is imported inside the calls, so that `import zoo` stays light.
"""

import inspect
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from registry import MODELS, did_you_mean
from zoo.config import Config, compose, entry_config
from zoo.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn

    from zoo.results.run import RunResult
    from zoo.skeleton import Layout
    from zoo.training.report import Reporter

RUNS = Path("runs")
"""Where runs are kept unless another folder is named."""


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
    from zoo.skeleton import load_layout

    factory = MODELS.get(name).load()
    settings = {**entry_config("model", name).get("params", {}), **params}
    accepted = inspect.signature(factory).parameters
    if not any(p.kind is p.VAR_KEYWORD for p in accepted.values()):
        known = [p for p in accepted if p != "layout"]
        for key in settings:
            if key not in known:
                near = did_you_mean(key, known) if known else "It has none."
                raise ConfigError(f"model {name!r} has no parameter {key!r}. {near}")
    try:
        return cast("nn.Module", factory(layout=load_layout(layout), **settings))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"model {name!r} refuses its parameters: {error}") from error


def train(
    model: str | None = None,
    dataset: str | None = None,
    *,
    exercise: str | None = None,
    protocol: str | None = None,
    fold: int | None = None,
    seed: int | None = None,
    experiment: str | None = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    runs: Path | str = RUNS,
    data_root: Path | str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    reporter: "Reporter | None" = None,
) -> "RunResult":
    """Train a model on one fold of a dataset, test it, and keep the run in a folder.

    Args:
        model: name of a registered model; may come from `experiment`.
        dataset: name of a prepared dataset; default ``synthetic``.
        exercise: exercise id; default as the dataset's configuration says.
        protocol: how the data are cut, split and scaled; default ``person-kfold``.
        fold: fold to test on; default 0.
        seed: of weights and batch order; default 0.
        experiment: name of a file in ``configs/experiment``.
        overrides: settings such as ``{"trainer.epochs": 50}`` or ``["trainer.epochs=50"]``.
        runs: folder of all runs.
        data_root: folder of prepared datasets; default ``$ZOO_DATA`` or the user's data folder.
        resume: go on with a half-done run, or take a finished one as it is.
        overwrite: compute it anew even if it is there.
        reporter: is told how it goes; default silence.

    Raises:
        UserError: anything the caller can mend, in one message: see `zoo.errors`.
    """
    if isinstance(overrides, Mapping):
        overrides = [f"{key}={_written(value)}" for key, value in overrides.items()]
    config = compose(
        model=model,
        dataset=dataset,
        protocol=protocol,
        experiment=experiment,
        exercise=exercise,
        fold=fold,
        seed=seed,
        overrides=overrides,
    )
    return train_config(
        config,
        runs=runs,
        data_root=data_root,
        resume=resume,
        overwrite=overwrite,
        reporter=reporter,
    )


def train_config(
    config: Config,
    *,
    runs: Path | str = RUNS,
    data_root: Path | str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    reporter: "Reporter | None" = None,
) -> "RunResult":
    """Train as a composed configuration says; see `train` and `zoo.config.compose`."""
    from zoo.session import Session
    from zoo.training.run import train_run

    session = Session.open(config, data_root)
    return train_run(
        session.build,
        session.fold(int(config["fold"])),
        config,
        dataset=session.dataset,
        runs=Path(runs),
        resume=resume,
        overwrite=overwrite,
        reporter=reporter,
    )


def _written(value: Any) -> str:
    """A value as an override spells it."""
    return "null" if value is None else json.dumps(value)

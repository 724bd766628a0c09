"""What a notebook asks for: a trained model, a fold's tensors, a layout, the names of datasets.

Everything heavy is imported inside the calls, so that `import zoo` stays light.
"""

import fnmatch
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from registry import DATASETS
from zoo.build import Index, Place, checked
from zoo.compose import compose_data, written

if TYPE_CHECKING:
    from zoo.loaded_model import LoadedModel
    from zoo.protocol.protocol import FoldData
    from zoo.runs.run import Run
    from zoo.skeleton.layout import Layout


@checked
def load_model(
    run: "Run | Path | str",
    *,
    dataset: str | None = None,
    data_root: Place | None = None,
    device: str | None = None,
) -> "LoadedModel":
    """A trained model, from a finished run or from a bundle.

        model = zoo.load_model("model.zoo")
        model.predict(positions, fps=30).score

    Args:
        run: a finished run, its folder, or a bundle that `zoo.export` wrote.
        dataset: whose form files have, and whose ids are meant; the run's dataset if None. Or the
            name of a reader, for files of no dataset.
        data_root: folder of prepared datasets; default ``$ZOO_DATA`` or the user's data folder.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; ``auto`` if None.

    Raises:
        DataError: no finished run.
        CheckpointError: it is damaged, its model is not registered here, or the protocol no longer
            means what it did.
    """
    from zoo.loaded_model import LoadedModel
    from zoo.prediction import Predictor

    return LoadedModel(Predictor.open(run, dataset=dataset, data_root=data_root, device=device))


@checked
def load_fold(
    dataset: str,
    protocol: str | None = None,
    fold: Index = 0,
    *,
    exercise: str | None = None,
    streams: Sequence[str] = ("position",),
    raw: bool = False,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    data_root: Place | None = None,
) -> "FoldData":
    """One fold of a dataset as tensors: who trains, who validates, who is tested.

        fold = zoo.load_fold("kimore", fold=0)
        fold.train.batch.x["position"]  # (N, T, V, 3), z-scored on the training people
        fold.train.target               # (N,), standardised
        fold.test.score                 # (N,), in score units
        fold.test.subject               # who performed each sample

    Args:
        dataset: name of a prepared dataset.
        protocol: how the data are cut, split and scaled; default ``person-kfold``.
        fold: from 0.
        exercise: exercise id; default as the dataset's configuration says.
        streams: what the batches hold; see `zoo.data.batch.STREAM_CHANNELS`.
        raw: samples as recorded, neither resampled nor scaled; shorter ones are padded.
        overrides: settings of dataset and protocol, such as ``{"protocol.frames": 50}``.
        data_root: folder of prepared datasets; default ``$ZOO_DATA`` or the user's data folder.

    Raises:
        UserError: something is unknown, not prepared, or does not fit.
        LeakageError: a person stands on both sides and the protocol does not say so.
    """
    from zoo.workspace import Workspace

    settings = written(overrides) if isinstance(overrides, Mapping) else overrides
    config = compose_data(dataset, protocol, exercise, fold, settings)
    return Workspace("runs", data_root).fold(config, streams, raw=raw)


@checked
def load_layout(name: "str | Layout") -> "Layout":
    """The skeleton layout called `name`: joints, parents, pairs, ``edge_index()``.

    Raises:
        RegistryError: no layout has this name; the message has the nearest ones.
    """
    from zoo.skeleton.layout import load_layout as load

    return load(name)


@checked
def list_datasets(pattern: str = "*", *, data_root: Place | None = None) -> list[str]:
    """Names of datasets: the registered ones, and recordings of one's own that are prepared.

    Args:
        pattern: shell-style; all of them if left out.
        data_root: folder of prepared datasets; default ``$ZOO_DATA`` or the user's data folder.

    Returns:
        Names, sorted. `load_dataset` opens each; a registered one may have to be prepared first.
    """
    from zoo.data.known import own_datasets

    own = own_datasets(None if data_root is None else Path(data_root))
    return sorted([*DATASETS.names(pattern), *fnmatch.filter(own, pattern)])

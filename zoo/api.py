"""What `import zoo` offers: the command's verbs as typed calls.

Everything heavy is imported inside the calls, so that `import zoo` stays light.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from registry import did_you_mean
from zoo.build import Index, Place, checked
from zoo.compose import compose, written
from zoo.errors import CheckpointError, ConfigError

if TYPE_CHECKING:
    from zoo.board.board import Board
    from zoo.board.compare import ComparedModels
    from zoo.data.adapters.base import Progress
    from zoo.data.dataset import SkeletonDataset
    from zoo.experiments.progress import Display
    from zoo.experiments.progress import Progress as SweepProgress
    from zoo.experiments.results import ProtocolResult
    from zoo.prediction import ScoredRecording
    from zoo.runs.run import Run
    from zoo.training.evaluate import Evaluation
    from zoo.training.report import Reporter

RUNS = Path("runs")
"""Where runs are kept unless another folder is named."""

EXPORT_FORMATS = ("bundle", "onnx", "torch")
"""What `export` writes."""


@checked
def train(
    model: str | None = None,
    dataset: str | None = None,
    *,
    exercise: str | None = None,
    protocol: str | None = None,
    fold: Index | None = None,
    seed: Index | None = None,
    experiment: str | None = None,
    row: str | None = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    runs: Place = RUNS,
    data_root: Place | None = None,
    resume: bool = False,
    overwrite: bool = False,
    reporter: "Reporter | None" = None,
) -> "Run":
    """Train a model on one fold of a dataset, test it, and keep the run in a folder.

    Args:
        model: name of a registered model; may come from `experiment`, as the next ones.
        dataset: name of a prepared dataset; default ``synthetic``.
        exercise: exercise id; default as the dataset's configuration says.
        protocol: how the data are cut, split and scaled; default ``person-kfold``.
        fold: fold to test on; default 0.
        seed: of weights and batch order; default 0.
        experiment: train as this experiment does; `zoo.experiment` runs all of it.
        row: label of the experiment's row; default its first.
        overrides: settings such as ``{"trainer.epochs": 50}`` or ``["trainer.epochs=50"]``.
        runs: folder of all runs.
        data_root: folder of prepared datasets; default ``$ZOO_DATA`` or the user's data folder.
        resume: go on with a half-done run, or take a finished one as it is.
        overwrite: compute it anew even if it is there.
        reporter: is informed of the progress; default: nobody is.

    Raises:
        UserError: anything the caller can mend, in one message: see `zoo.errors`.
    """
    from zoo.workspace import Workspace

    config = run_config(
        experiment,
        row,
        model=model,
        dataset=dataset,
        protocol=protocol,
        exercise=exercise,
        fold=fold,
        seed=seed,
        overrides=_settings(overrides),
        data_root=data_root,
    )
    workspace = Workspace(runs, data_root)
    return workspace.run(config, resume=resume, overwrite=overwrite, reporter=reporter)


def run_config(experiment: str | None, row: str | None, **chosen: Any) -> dict[str, Any]:
    """The configuration of a run as `zoo.compose.compose` makes it, or a row of an experiment.

    Raises:
        ConfigError: a row of no experiment, and as `zoo.compose.compose` does.
    """
    if experiment is None:
        if row is not None:
            raise ConfigError(f"the row {row!r} stands in an experiment: name its experiment too")
        return compose(**chosen)
    from zoo.experiments.definition import Experiment

    return Experiment.load(experiment).training(row=row, **chosen)


@checked
def bench(
    models: Sequence[str] | None = None,
    dataset: str | None = None,
    *,
    exercises: Sequence[str] | None = None,
    protocols: Sequence[str] | None = None,
    folds: Sequence[Index] | None = None,
    seeds: Sequence[Index] | None = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    runs: Place = RUNS,
    data_root: Place | None = None,
    jobs: int | None = None,
    retry_failed: bool = False,
    executor: str = "local",
    ray_address: str | None = None,
    display: "Display | None" = None,
) -> "SweepProgress":
    """Compute every run of a grid; finished ones are taken as they are, half-done ones resumed.

    Args:
        models: names of registered models.
        dataset: name of a prepared dataset; default ``synthetic``.
        exercises: exercise ids; default all that have scores.
        protocols: names; default ``person-kfold``.
        folds: folds to test on; default all.
        seeds: of weights and batch order; default those of each protocol.
        overrides: settings for every run, as in `train`.
        runs: folder of all runs.
        data_root: folder of prepared datasets; default ``$ZOO_DATA`` or the user's data folder.
        jobs: runs at once, a process with one thread each; default as many as there are cores.
        retry_failed: try again what failed before; else a failure stands until its code changes.
        executor: ``local``, or ``ray`` for a Ray cluster.
        ray_address: of the cluster's head, ``HOST:PORT``; default the one that Ray finds.
        display: shows the progress; default: nothing is shown.

    Returns:
        Counts, and the failures; a failed run stops nothing and raises nothing.

    Raises:
        UserError: something is unknown or does not fit; found before anything runs.
        StorageError: the disk is full; what is finished stays.
        SweepStopped: Ctrl-C or SIGTERM; an interrupt, not an ordinary exception.
    """
    from zoo.experiments.definition import Experiment
    from zoo.experiments.plan import make_plan
    from zoo.experiments.sweep import run_plan

    grid = Experiment.of_models(
        models,
        dataset,
        protocols=protocols,
        exercises=exercises,
        folds=folds,
        seeds=seeds,
        overrides=_settings(overrides),
    )
    return run_plan(
        make_plan(grid, Path(runs), None if data_root is None else Path(data_root)),
        workers=jobs,
        retry_failed=retry_failed,
        display=display,
        executor=executor,
        ray_address=ray_address,
    )


@checked
def experiment(
    name: str,
    *,
    rows: Sequence[str] | None = None,
    small: bool = False,
    dataset: str | None = None,
    protocols: Sequence[str] | None = None,
    exercises: Sequence[str] | None = None,
    folds: Sequence[Index] | None = None,
    seeds: Sequence[Index] | None = None,
    overrides: Sequence[str] | Mapping[str, Any] = (),
    runs: Place = RUNS,
    data_root: Place | None = None,
    output: Place | None = None,
    **how: Any,
) -> "list[ProtocolResult]":
    """Compute every run of an experiment, or a part of it, and report on it.

    `name` is of a file in ``configs/experiment``. Of its rows (by label), protocols, exercises,
    folds and seeds those that are named stay, by default all; a protocol of the zoo that is none of
    the experiment's is taken as it is. `small` takes the small variant of
    every model that has one, `dataset` is another prepared dataset than the experiment's, and
    `output` a folder for tables and figures; None writes none. All other arguments, among them
    `jobs`, `retry_failed`, `executor`, `ray_address` and `display`, are as in `bench`.

    Returns:
        For each protocol the rows with their metrics, and those that lack runs.

    Raises:
        UserError: as `bench` does.
    """
    from zoo.experiments.definition import Experiment
    from zoo.experiments.plan import make_plan
    from zoo.experiments.report import write_report
    from zoo.experiments.results import experiment_results
    from zoo.experiments.sweep import run_plan

    chosen = Experiment.load(name).cut(
        rows=rows,
        small=small,
        dataset=dataset,
        protocols=protocols,
        exercises=exercises,
        folds=folds,
        seeds=seeds,
        overrides=_settings(overrides),
    )
    root = None if data_root is None else Path(data_root)
    plan = make_plan(chosen, Path(runs), root)
    run_plan(plan, workers=how.pop("jobs", None), **how)
    results = experiment_results(plan, chosen.report.reference)
    if output is not None:
        write_report(chosen, results, Path(output), data_root=root)
    return results


@checked
def evaluate(
    run: "Run | Path | str",
    *,
    data_root: Place | None = None,
    device: str | None = None,
) -> "Evaluation":
    """Compute a finished run's figures anew from its checkpoint and data, and compare.

    Args:
        run: a finished run, or its folder.
        data_root: folder of prepared datasets; default ``$ZOO_DATA`` or the user's data folder.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; ``auto`` if None.

    Raises:
        DataError: no finished run, or its dataset is not prepared.
        CheckpointError: the checkpoint is damaged, its model is not registered here, or the
            data, the split or the protocol are not those of the run.
    """
    from zoo.runs.find import open_run
    from zoo.training.evaluate import evaluate_fold, load_trained
    from zoo.workspace import Workspace

    found = open_run(run)
    try:
        trained = load_trained(found.path, device=device or "auto")  # read anew
        record = trained.run.record
        session = Workspace(RUNS, data_root).open(record.config)
        return evaluate_fold(trained, session.fold(record.fold), session.dataset.fingerprint)
    except CheckpointError as error:
        altered = found.altered_files()
        if not altered:
            raise
        raise CheckpointError(
            f"{error}. Altered since the run was finished: {', '.join(altered)}"
        ) from None


@checked
def predict(
    run: "Run | Path | str",
    files: Sequence[Path | str],
    *,
    dataset: str | None = None,
    data_root: Place | None = None,
    device: str | None = None,
    **settings: Any,
) -> "list[ScoredRecording]":
    """Score recordings with the model of a finished run, exactly as the run's protocol does.

    Args:
        run: a finished run, its folder, or a bundle that `export` wrote.
        files: published files or folders of single recordings; where no such file exists, ids of
            recordings in the prepared dataset.
        dataset: whose form the files have, and whose ids are meant; the run's dataset if None. Or
            the name of a reader, for files of no dataset.
        data_root: folder of prepared datasets; default ``$ZOO_DATA`` or the user's data folder.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; ``auto`` if None.
        **settings: of the dataset or reader, such as ``fps=30``.

    Returns:
        The recordings in the order of `files`; a file may hold several.

    Raises:
        DataError: no finished run, a file that cannot be used, an unknown id, another skeleton
            layout than the model's, or a stream that a recording cannot give.
        CheckpointError: the checkpoint is damaged, its model is not registered here, or the
            protocol no longer means what it did.
    """
    from zoo.prediction import Predictor

    predictor = Predictor.open(
        run, dataset=dataset, data_root=data_root, device=device, settings=settings
    )
    return [scored for file in files for scored in predictor.score(file)]


@checked
def view(
    run: "Run | Path | str",
    recordings: Sequence[Path | str],
    output: Place | None = None,
    *,
    beside: Path | str | None = None,
    method: str | None = None,
    dataset: str | None = None,
    data_root: Place | None = None,
    device: str | None = None,
    level: float | None = None,
    overwrite: bool = False,
    **settings: Any,
) -> Path:
    """Write a page that shows recordings moving, with their scores and what these rest on.

    It is one file that needs no other, no network and no zoo: see docs/view.md.

    Args:
        run: a finished run, its folder, or a bundle that `export` wrote.
        recordings: what `predict` takes: files, folders, or ids of prepared recordings.
        output: the page; default ``RECORDING-MODEL.html``, here.
        beside: one more recording, such as a reference performance or the person's last visit:
            shown in the same moments of the movement, and the differences named.
        method: what tells how joints moved the score, by name, as in `zoo.explain`; chosen for the
            model if None.
        dataset: as in `predict`.
        data_root: folder of prepared datasets; default ``$ZOO_DATA`` or the user's data folder.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; ``auto`` if None.
        level: probability with which an interval holds the true score; 0.9 if None.
        overwrite: replace a page that is there.
        **settings: of the dataset or reader, such as ``fps=30``.

    Returns:
        The page.

    Raises:
        DataError: as in `predict`; a recording without positions; a model without what `method`
            needs.
        ConfigError: `output` is there already, or nothing is to be shown.
        CheckpointError: as in `predict`.
        RegistryError: no such method.
    """
    from zoo.prediction import Predictor
    from zoo.runs.intervals import LEVEL
    from zoo.viewer.write import write_page

    predictor = Predictor.open(
        run,
        dataset=dataset,
        data_root=data_root,
        device=device,
        level=LEVEL if level is None else level,
        settings=settings,
    )
    file = None if output is None else Path(output)
    return write_page(
        predictor, recordings, file, beside=beside, method=method, overwrite=overwrite
    )


@checked
def export(
    run: "Run | Path | str",
    output: Place | None = None,
    *,
    format: str = "bundle",  # noqa: A002
    precision: str = "fp32",
    data_root: Place | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a trained model for use elsewhere: as a bundle, or as a graph for other programs.

    A bundle is one file that `load_model` and `predict` take anywhere. In it are weights, scalers,
    skeleton layout, card, protocol, the data's fingerprint, what the run found, and how far off the
    model was for its validation people, who are numbered. There is no code in it: a model of a
    plug-in needs its plug-in where the bundle is used. Models that keep training samples among
    their weights, as nearest neighbours do, carry these along.

    A graph, ``onnx`` or ``torch``, is a folder: the file, which onnxruntime or torch run without
    the zoo, and a README with its inputs, outputs and examples. It is written only if it says what
    the run says, on the test recordings where these are at hand.

    Args:
        run: a finished run, or its folder; for a graph a bundle will do.
        output: the bundle, whose name ends in ``.zoo``, or the graph's folder; default
            ``MODEL.zoo`` or ``MODEL-FORMAT``, here.
        format: ``bundle``, ``onnx`` or ``torch``.
        precision: of an onnx graph: ``fp16`` or ``int8`` is written beside ``fp32``, and how far
            its scores are off is kept with it.
        data_root: folder of prepared datasets; default ``$ZOO_DATA`` or the user's data folder.
        overwrite: replace what is there.

    Returns:
        The file, or the folder; of a folder `zoo.exporting.record.read_export` says what is in it.

    Raises:
        DataError: no finished run.
        CheckpointError: its files were altered, or its model is not registered here.
        ConfigError: `output` is there, or is no name for it, or there is no such format.
        ExportError: the model cannot be written as a graph, or a package is not installed.
    """
    place, root = (None if path is None else Path(path) for path in (output, data_root))
    if format == "bundle":
        from zoo.training.bundle import export_run

        return export_run(run, place, overwrite=overwrite)
    if format not in EXPORT_FORMATS:
        raise ConfigError(
            f"there is no format {format!r} to export. {did_you_mean(format, EXPORT_FORMATS)}"
        )
    from zoo.exporting.export import export_graph

    return export_graph(
        run, place, kind=format, precision=precision, data_root=root, overwrite=overwrite
    )


@checked
def compare(
    a: "Run | Path | str",
    b: "Run | Path | str",
    runs: Place = RUNS,
    dataset: str | None = None,
    protocol: str | None = None,
) -> "ComparedModels":
    """Compare two models person by person, over the exercises and folds that both have.

    Args:
        a: name of a model as the leaderboard shows it, or a run or its folder.
        b: the same.
        runs: folder of all runs, where names are looked up.
        dataset: to compare on, where they stand on several boards.
        protocol: the same.

    Returns:
        Everybody's errors, the paired test, and the verdict in a sentence.

    Raises:
        DataError: no such model or run, or they cannot be compared; the message says why.
    """
    from zoo.board.compare import compare as compared

    first, second = (str(getattr(side, "path", side)) for side in (a, b))
    return compared(first, second, Path(runs), dataset, protocol)


@checked
def leaderboard(
    runs: Place = RUNS,
    dataset: str | None = None,
    protocol: str | None = None,
    *,
    exercise: str | None = None,
    fingerprint: str | None = None,
    protocol_hash: str | None = None,
    public: bool = False,
) -> "Board":
    """Rank finished runs, each dataset and protocol for itself; see `zoo.board.leaderboard`.

    Args:
        runs: folder of all runs.
        dataset: only this dataset.
        protocol: only this protocol.
        exercise: only this exercise.
        fingerprint: beginning of a dataset's fingerprint, where there are several.
        protocol_hash: beginning of a protocol's hash, where there are several.
        public: leave out whatever belongs to a single person.

    Raises:
        DataError: no such folder, or no finished run in it fits.
    """
    from zoo.board.leaderboard import build_board

    return build_board(
        Path(runs),
        dataset,
        protocol,
        exercise=exercise,
        fingerprint=fingerprint,
        protocol_hash=protocol_hash,
        public=public,
    )


@checked
def load_dataset(name: str, data_root: Place | None = None, **params: Any) -> "SkeletonDataset":
    """Open a prepared dataset; the built-in simulator's is made on first use.

    Args:
        name: a registered dataset, such as ``kimore``, or a prepared folder of recordings.
        data_root: folder of prepared datasets; default ``$ZOO_DATA`` or the user's data folder.
        **params: settings of the dataset that differ from its configuration.

    Raises:
        DataError: not prepared, damaged, or prepared otherwise; the message says what to do.
        RegistryError: nothing is registered under this name.
    """
    from zoo.data.dataset import load_dataset as load
    from zoo.data.paths import data_root as default_root

    return load(name, default_root(data_root), **params)


@checked
def prepare_dataset(
    name: str,
    source: Place | None = None,
    data_root: Place | None = None,
    *,
    strict: bool = False,
    progress: "Progress | None" = None,
    **params: Any,
) -> "SkeletonDataset":
    """Read a published dataset into the zoo's own form, replacing an earlier one at the end.

    Args:
        name: a registered dataset, such as ``kimore``; or a name of your choice for a folder with
            ``recordings.csv`` and ``dataset.yaml``.
        source: the folder; None for a dataset that is made by the zoo.
        data_root: folder of prepared datasets; default ``$ZOO_DATA`` or the user's data folder.
        strict: the first fault is an error; otherwise faulty recordings are left out and listed.
        progress: called with (done, total, what).
        **params: settings of the dataset that differ from its configuration.

    Raises:
        DataError: the folder does not hold this dataset, or nothing in it can be used.
        RegistryError: nothing is registered under this name.
    """
    from zoo.data.dataset import create_adapter, prepare
    from zoo.data.paths import data_root as default_root

    folder = None if source is None else Path(source).expanduser()
    return prepare(
        create_adapter(name, source=folder, **params),
        folder,
        default_root(data_root),
        strict=strict,
        progress=progress,
    )


def _settings(overrides: Sequence[str] | Mapping[str, Any]) -> Sequence[str]:
    return written(overrides) if isinstance(overrides, Mapping) else overrides

"""Finished runs: the one that a user names, and all below a folder. And those that failed."""

import contextlib
import gc
import glob
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from registry import MODELS, nearest
from zoo.errors import CheckpointError, ConfigError, DataError, ZooError
from zoo.files import read_json
from zoo.runs.folder import BUNDLE, RECORD, RESUME
from zoo.runs.record import RunRecord, settings_of
from zoo.runs.run import Run, load_run

_SHOWN = 5
_DEPTH = 6
_MOST_FAILURES = 1000


def open_run(run: "Run | Path | str") -> Run:
    """The finished run that `run` names, ready to be used again.

    Args:
        run: a run folder, or the run itself.

    Raises:
        DataError: no finished run; the message names the runs found below that folder.
        CheckpointError: its model is registered nowhere; the message says whose it was. Or it is
            an ensemble, or made of another run's scores.
    """
    if isinstance(run, Run) and run.path.suffix == BUNDLE:
        raise DataError(_is_a_bundle(run.path))
    found = run if isinstance(run, Run) else open_finished(run)
    if found.record.members:
        members = ", ".join(member.model for member in found.record.members)
        what = "is an ensemble"
        if found.record.context is not None:
            what = "draws scores towards the person's other exercises"
        raise CheckpointError(
            f"the run {found.path} {what} and has no model of its own: name the run of one of its "
            f"members ({members}). `zoo leaderboard check` makes its scores of theirs anew"
        )
    require_model(found.record, f"the run {found.path}")
    return found


def require_model(record: RunRecord, what: str) -> None:
    """Nothing, if the model of a run is registered.

    Args:
        record: of the run.
        what: needs it; the message begins with it.

    Raises:
        CheckpointError: it is registered nowhere.
    """
    model = record.model
    if model.name not in MODELS:
        owner = f" (it came from {model.source.owner})" if model.source.owner else ""
        raise CheckpointError(
            f"{what} needs the model {model.name!r}, which is not registered here{owner}. Name its "
            'file with registry.add_plugin("FILE.py"), or install the package that brings it'
        )


def open_finished(run: Path | str) -> Run:
    """The finished run in the folder `run`, whatever its model.

    Raises:
        DataError: no finished run; the message names the runs found below that folder.
    """
    if not isinstance(run, str | Path):
        raise ConfigError(f"run is {run!r}, expected a finished run or its folder")
    path = Path(run).expanduser()
    if path.is_dir() and (path / RECORD).is_file():
        return load_run(path)
    full = path.absolute()
    partial = path if full.suffix == ".partial" else full.with_name(f"{full.name}.partial")
    if partial.is_dir():
        state = "is half done" if (partial / RESUME).is_file() else "has no finished epoch yet"
        raise DataError(
            f"the run {partial} {state}: train it again with the same settings and resume=True to "
            "finish it"
        )
    if path.is_file() and path.suffix == BUNDLE:
        raise DataError(_is_a_bundle(path))
    if path.is_file():
        folder = path.parent if (path.parent / RECORD).is_file() else None
        known = f"a run is a folder (see: runs/), a bundle is called NAME{BUNDLE}"
        hint = f"name the run's folder: {folder}" if folder else known
        raise DataError(f"{path} is a file; {hint}")
    if not path.is_dir():
        return _no_such(path)
    below = list(islice(finished_runs(path), _SHOWN + 1))
    if not below:
        raise DataError(f"{path} is no run folder: there is no {RECORD} in it or below it")
    shown = [*map(str, below[:_SHOWN]), *("…" for _ in below[_SHOWN:])]
    raise DataError(
        f"{path} is no run folder. Name one of the runs below it:\n  " + "\n  ".join(shown)
    )


def _is_a_bundle(path: Path) -> str:
    return (
        f"{path} is a bundle: a trained model alone, without the predictions and the split of its "
        "run. With it recordings can be scored and explained (zoo.predict); for anything else name "
        "the folder of the run that it was made of"
    )


def finished_runs(folder: Path) -> Iterator[Path]:
    """Finished run folders below `folder`, sorted, as they are found."""
    top = str(folder).rstrip(os.sep).count(os.sep)
    for place, names, files in os.walk(folder):
        if RECORD in files:
            names.clear()
            yield Path(place)
        elif place.rstrip(os.sep).count(os.sep) - top >= _DEPTH:
            names.clear()
        names[:] = sorted(n for n in names if not n.startswith(".") and not n.endswith(".partial"))


@dataclass(frozen=True)
class Unreadable:
    """A run folder that cannot be used, and why."""

    path: Path
    reason: str


def read_runs(root: Path) -> tuple[list[Run], list[Unreadable]]:
    """Every finished run below `root` with its predictions, and those that cannot be read.

    Of each of what may be thousands of folders two files are opened, ``run.json`` and
    ``predictions.csv``.

    Raises:
        DataError: there is no folder `root`.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such folder of runs. `zoo train` and `zoo bench` make one")
    runs: list[Run] = []
    unreadable: list[Unreadable] = []
    with no_collection():
        for folder in finished_runs(root):
            try:
                run = load_run(folder)
                _require_itself(run)
                _ = run.tested
                runs.append(run)
            except (ZooError, OSError) as error:
                unreadable.append(Unreadable(folder, str(error)))
    return runs, unreadable


def _require_itself(run: Run) -> None:
    """Nothing, if the record is of the run it was written for: its key is that of its settings.

    Who says that they are of a further exercise or fold makes all others incomplete.

    Raises:
        DataError: somebody changed one of the two, or the fold is none of the protocol's.
    """
    record, file = run.record, run.path / RECORD
    key = record.key
    if key.hash != record.key_hash:
        raise DataError(
            f"{file} is damaged: key_hash is {record.key_hash[:12]!r}…, the settings and data "
            f"beside it ({key.title[:300]}) have {key.hash[:12]!r}…: `zoo leaderboard check` says "
            "more"
        )
    if not 0 <= record.fold < record.protocol.folds:
        raise DataError(
            f"{file} is damaged: fold is {record.fold}, expected one of the protocol's "
            f"{record.protocol.folds}"
        )


def failures(runs: Sequence[Run], seeds: Sequence[int]) -> Counter[str]:
    """How often which error ended a run of the same model, settings and seeds in a sweep.

    Such a run left ``NAME.failed.json`` beside where it would stand.

    Args:
        runs: the entry's finished ones.
        seeds: the entry's.
    """
    above = runs[0].path.absolute().parents
    if len(above) < 4:
        return Counter()
    model, protocol, _, data = above[:4]
    closed_form = runs[0].record.model.closed_form
    names = map(glob.escape, (protocol.name, model.name))
    files = data.glob("/".join(("*", *names, "fold*.failed.json")))
    found: Counter[str] = Counter()
    for file in sorted(islice(files, _MOST_FAILURES)):
        # `zoo bench` says what is wrong with a damaged one
        with contextlib.suppress(DataError, AttributeError, KeyError, TypeError):
            record = read_json(file)
            config = record["config"]
            trainer = None if closed_form else config.get("trainer", {})
            settings = settings_of(config["model"], config["dataset"], trainer)
            if config["seed"] in seeds and settings == runs[0].settings:
                found[str(record.get("error") or "")] += 1
    return found


@contextlib.contextmanager
def no_collection() -> Iterator[None]:
    """No search for cycles while a million objects are made that stay: it finds none, again and
    again, and takes a quarter of the time. Afterwards they count as old and are left in peace.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.freeze()
            gc.unfreeze()
            gc.enable()


def _no_such(path: Path) -> Run:
    """Complain about a path that does not exist, with the nearest one that does."""
    above = next(p for p in path.absolute().parents if p.is_dir())
    missing = path.absolute().relative_to(above).parts[0]
    near = nearest(missing, [p.name for p in above.iterdir() if p.is_dir()], count=1)
    hint = f". Did you mean {above / near[0]}?" if near else ""
    raise DataError(f"{path}: no such run folder{hint}")

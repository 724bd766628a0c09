"""Prepared datasets: made once from their published files, opened by memory map."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from registry import DATASETS, did_you_mean
from zoo.build import build_arguments
from zoo.catalogue import blocks_of, parameters
from zoo.data.adapters.base import Adapter, FaultError, PrepareReport, Progress
from zoo.data.adapters.folder import FolderAdapter
from zoo.data.checks import CHECKS_VERSION, Expected, looked_at
from zoo.data.known import (
    dataset_settings,
    is_folder,
    own_datasets,
    parameters_for,
    require_distinct,
)
from zoo.data.manifest import MANIFEST_FILE, AdapterUsed, RecordingInfo
from zoo.data.paths import data_root as default_root
from zoo.data.recording import UNKNOWN_SUBJECT, Identity, Recording
from zoo.data.store import Store, StoreWriter
from zoo.errors import DataError
from zoo.files import StorageError, json_hash, recover, replaced_folder
from zoo.skeleton.layout import load_layout, own_layout

if TYPE_CHECKING:
    from torch_geometric.data import Data


_RECORDINGS_LOOKED_AT = 5

_NOTES_OF_A_KIND = 5
"""So many recordings are named with what is to know of them, and the rest counted."""


class SkeletonDataset:
    """A prepared dataset, or a selection of its recordings.

    Its arrays are read-only views of the mapped file: nothing is read before it is used.

    Attributes:
        name: dataset name.
        title: its full name.
        layout: name of the skeleton layout.
        fps: nominal frames per second.
        score_range: lowest and highest possible total score.
        exercise_titles: what each exercise is, by id.
        binary: whether the total is no score but right (1) or wrong (0).
        metric: whether positions are metres with y up.
        healthy: clinical groups of healthy people, see `Adapter`.
        showable: whether its recordings may be shown to anybody, see `Adapter`.
        fingerprint: SHA-256 (hex) of the whole prepared dataset; a selection keeps it.
        manifest: the manifest as plain data.
        index: `RecordingInfo` of every recording, sorted by id.
    """

    def __init__(self, store: Store, rows: Iterable[int] | None = None) -> None:
        about = store.manifest
        layout = about.adapter.params.get("layout")
        if isinstance(layout, Mapping):
            own_layout(layout)
        self._store = store
        self._rows = list(range(len(about.recordings)) if rows is None else rows)
        self.manifest: Mapping[str, Any] = about.plain
        self.name: str = about.name
        self.title: str = about.title or about.name
        self.layout: str = about.layout
        self.fps: float = about.fps
        self.score_range: tuple[float, float] = about.score_range
        self.exercise_titles: Mapping[str, str] = about.exercises
        self.binary: bool = about.binary
        self.metric: bool = about.metric
        # What is known of people needs no data: of a registered dataset, its reader knows it best.
        people = DATASETS.get(about.name).load() if about.name in DATASETS else about
        self.healthy: tuple[str, ...] = people.healthy
        self.showable: bool = people.showable
        self.fingerprint: str = about.fingerprint
        self.index: list[RecordingInfo] = [about.recordings[row] for row in self._rows]

    @classmethod
    def open(cls, root: Path, name: str) -> "SkeletonDataset":
        """Opens ``<root>/<name>`` by memory map and checks its fingerprint.

        Raises:
            DataError: it is not prepared, or damaged; the message says how to prepare it.
        """
        folder = root / name
        if not folder.exists() and not recover(folder):
            raise DataError(_not_prepared(name, root))
        return cls(Store.open(folder))

    @property
    def folder(self) -> Path:
        """Where the store lies."""
        return self._store.folder

    @property
    def prepared_by(self) -> AdapterUsed:
        """The reader that prepared it."""
        return self._store.manifest.adapter

    @property
    def checks(self) -> int | None:
        """Version of the checks its recordings passed."""
        return self._store.manifest.checks

    @cached_property
    def hips_centred(self) -> bool:
        """Whether the hips lie at the origin in every frame, told from a few of the recordings."""
        from zoo.data.transforms.body import hips_centred  # with scipy, which reading needs not

        layout = load_layout(self.layout)
        few = range(0, len(self), max(1, len(self) // _RECORDINGS_LOOKED_AT))
        found = [x for i in few if (x := self[i].positions) is not None]
        return bool(found) and all(hips_centred(x, layout) for x in found)

    @property
    def subjects(self) -> list[str]:
        """The people, sorted."""
        return sorted({info.subject for info in self.index})

    @property
    def subjects_known(self) -> bool:
        """False when the source does not say who performs; no honest split is possible then."""
        return all(info.subject != UNKNOWN_SUBJECT for info in self.index)

    @property
    def exercises(self) -> list[str]:
        """Ids of the exercises that occur, sorted."""
        return sorted({info.exercise for info in self.index})

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, i: int) -> Recording:
        info = self.index[i]
        known: dict[str, Any] = {f.name: getattr(info, f.name) for f in fields(Identity)}
        known |= self._store.arrays(info)
        return Recording(layout=self.layout, fps=info.fps, **known)

    def __iter__(self) -> Iterator[Recording]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return (
            f"SkeletonDataset({self.name!r}, {len(self)} recordings of "
            f"{len(self.subjects)} people, layout={self.layout!r}, {self.fingerprint[:12]})"
        )

    def recording(self, recording_id: str) -> Recording:
        """The recording with this id.

        Raises:
            DataError: there is none; the message names the nearest ids.
        """
        ids = [info.id for info in self.index]
        if recording_id not in ids:
            near = did_you_mean(recording_id, ids)
            raise DataError(f"{self.name} has no recording {recording_id!r}. {near}")
        return self[ids.index(recording_id)]

    def select(self, exercise: str | None = None) -> "SkeletonDataset":
        """A view of the recordings with a ``total`` score; order by id is kept.

        Args:
            exercise: only this exercise.

        Raises:
            DataError: an exercise that does not occur.
        """
        if exercise is not None and exercise not in self.exercises:
            raise DataError(
                f"{self.name} has no recordings of exercise {exercise!r}; it has "
                f"{', '.join(self.exercises)}"
            )
        rows = [
            row
            for row, info in zip(self._rows, self.index, strict=True)
            if info.scored and exercise in (None, info.exercise)
        ]
        return SkeletonDataset(self._store, rows)

    def without(self, exercise: str) -> "SkeletonDataset":
        """A view of the recordings of other exercises with a ``total`` score; it may be empty."""
        rows = [
            row
            for row, info in zip(self._rows, self.index, strict=True)
            if info.scored and info.exercise != exercise
        ]
        return SkeletonDataset(self._store, rows)

    def to_pyg(
        self,
        *,
        frames: int | None = 100,
        window: int | None = None,
        stride: int | None = None,
        streams: Sequence[str] = ("position",),
        nodes: str = "joint-frames",
    ) -> "list[Data]":
        """The scored recordings as graphs, for any model and the loader of PyTorch Geometric.

        Nothing is scaled and nobody is split: for training and test parts see `zoo.load_fold`.

        Args:
            frames: T that each recording or window is resampled to; None keeps the sensor's own.
            window: cut windows of so many of the sensor's frames; None takes recordings whole.
            stride: frames between the starts of two windows; `window` if None.
            streams: what stands side by side in ``x``.
            nodes: ``joint-frames`` or ``joints``, see `zoo.data.pyg.to_graphs`.

        Returns:
            A ``torch_geometric.data.Data`` a recording or window, in their order; ``y`` is the
            score in score units.

        Raises:
            ConfigError: an impossible number, stream or kind of node.
            DataError: no recording is scored, or a stream cannot be made.
        """
        from zoo.data.pyg import to_graphs
        from zoo.data.samples import build_samples
        from zoo.data.segment import Sampling

        cut = Sampling() if window is None else Sampling("windows", length=window, stride=stride)
        return to_graphs(build_samples(self, cut, (), streams, frames), nodes)


def create_adapter(
    name: str, *, source: Path | None = None, data_root: Path | None = None, **params: Any
) -> Adapter:
    """The adapter of a dataset: the registered one, or that of a folder of recordings.

    Args:
        name: a registered dataset, or a folder of recordings.
        source: the folder, where it is to be prepared.
        data_root: where it is prepared already; see `zoo.data.paths.data_root`.
        **params: win over the parameters of the config, or of the folder.

    Raises:
        RegistryError: no such dataset, or its code is broken.
        ConfigError: a parameter that the adapter does not have, or a value of another type.
        DataError: a folder whose description cannot be used.
    """
    factory: Any = FolderAdapter
    card = {}
    if name in DATASETS:
        entry = DATASETS.get(name)
        factory, card = entry.load(), blocks_of(entry).get("card", {})
        settings = {**parameters(entry), **params}
    elif is_folder(params):  # a run has them all, wherever its data are
        settings = params
    elif source is not None or (data_root is None and name not in own_datasets()):
        settings = {**parameters_for(name, source), **params}
    else:
        settings = {**_without_choice(dataset_settings(name, data_root)), **params}
    adapter: Adapter = factory(**build_arguments(factory, settings, f"dataset {name}:"))
    adapter.name = name
    adapter.params = settings
    for key in ("title", "citation", "licence", "url"):
        if key in card:
            setattr(adapter, key, card[key])
    return adapter


def prepare(
    adapter: Adapter,
    source: Path | None,
    root: Path,
    strict: bool = False,
    progress: Progress | None = None,
    *,
    folder: str | None = None,
    on_wait: Callable[[], None] | None = None,
    unless: Callable[[], SkeletonDataset | None] | None = None,
) -> SkeletonDataset:
    """Reads `source` with `adapter` into the store ``<root>/<adapter.name>``, atomically.

    An existing store is replaced at the end in one step, and only if everything went well; an
    interrupt, a kill or a full disk leaves it as it was. Faulty recordings are left out and listed
    in the manifest under ``problems``.

    Args:
        adapter: reads the source.
        source: folder of the published dataset; None for an adapter that needs none.
        root: holds the prepared datasets; made if need be.
        strict: the first fault is an error.
        progress: called with (done, total, what).
        folder: name of the store's folder, if not that of the adapter.
        on_wait: called once if another process prepares the same dataset at this moment.
        unless: asked when no other process prepares it any more; if it gives a dataset, that is
            returned and nothing is done.

    Raises:
        ConfigError: there is a dataset whose name differs in upper and lower case only.
        DataError: `source` is not this dataset, nothing in it can be used, a fault in strict
            mode, or the store cannot be written.
    """
    if adapter.needs_source:
        if source is None:
            raise DataError(f"{adapter.name} is prepared from published files: name their folder")
        if not source.is_dir():
            raise DataError(f"{source}: no such folder")
    target = root / (folder or adapter.name)
    require_distinct(target.name, root)
    try:
        with replaced_folder(target, on_wait) as staging:
            if unless is not None and (there := unless()) is not None:
                raise _AlreadyThereError(there)
            _prepare_into(staging, adapter, source, strict, progress)
    except _AlreadyThereError as already:
        return already.dataset
    except (OSError, StorageError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"the prepared dataset cannot be written to {target}: {reason}. "
            "What was there before is as it was. Make room, or name another folder with "
            "data_root="
        ) from error
    return SkeletonDataset(Store.open(target))


def load_dataset(name: str, data_root: Path | None = None, **params: Any) -> SkeletonDataset:
    """Opens a prepared dataset; one that needs no source is generated and stored on first use.

    Args:
        name: a registered dataset, such as ``kimore`` or ``synthetic``, or a prepared folder of
            recordings.
        data_root: holds the prepared datasets; see `zoo.data.paths.data_root`.
        **params: parameters of the adapter that differ from its config. A generated dataset with
            its own parameters is kept in a folder of its own.

    Raises:
        DataError: not prepared yet, damaged, or prepared by an older adapter or with other
            parameters; the message says what to do.
        RegistryError: nothing is registered under this name.
    """
    root = default_root(data_root)
    defaults = _without_choice(dataset_settings(name, root))
    if name not in DATASETS and not is_folder(defaults):  # of a plug-in that is not here
        return SkeletonDataset.open(root, name)
    own = {k: v for k, v in params.items() if k not in defaults or v != defaults[k]}
    adapter = create_adapter(name, data_root=root, **{**defaults, **own})
    folder = name if not own or adapter.needs_source else f"{name}-{json_hash(own)[:8]}"
    if not adapter.needs_source:
        return _open_or_generate(adapter, root, folder)
    dataset = SkeletonDataset.open(root, folder)
    made = dataset.prepared_by
    wrong = {k: made.params.get(k) for k, v in own.items() if made.params.get(k) != v}
    if dataset.checks != CHECKS_VERSION:
        raise DataError(
            f"{name} in {root} was prepared before its recordings were looked at as they are now "
            f"(docs: data, what is looked at): prepare it again with "
            f'zoo.prepare_dataset("{name}", "DIR")'
        )
    if made.version != adapter.version or wrong:
        was = f"with {wrong}" if wrong else f"by version {made.version} of its reader"
        now = f"{ {k: own[k] for k in wrong} }" if wrong else f"version {adapter.version}"
        raise DataError(
            f"{name} in {root} was prepared {was}, now {now} is asked for: prepare it again with "
            f'zoo.prepare_dataset("{name}", "DIR")'
        )
    return dataset


def _without_choice(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters alone: a dataset's block of a configuration without its name and exercise."""
    return {k: v for k, v in settings.items() if k not in ("name", "exercise")}


class _AlreadyThereError(Exception):
    def __init__(self, dataset: SkeletonDataset) -> None:
        self.dataset = dataset


def _open_or_generate(adapter: Adapter, root: Path, folder: str) -> SkeletonDataset:
    wanted = {
        "version": adapter.version,
        "params": json.loads(json.dumps(dict(adapter.params))),
        "checks": CHECKS_VERSION,
    }

    def current() -> SkeletonDataset | None:
        if not (root / folder / MANIFEST_FILE).is_file():
            return None
        try:
            dataset = SkeletonDataset.open(root, folder)
        except DataError:
            return None  # what can be made again is made again
        made = {**vars(dataset.prepared_by), "checks": dataset.checks}
        return dataset if made == wanted else None

    return current() or prepare(adapter, None, root, folder=folder, unless=current)


def _prepare_into(
    staging: Path,
    adapter: Adapter,
    source: Path | None,
    strict: bool,
    progress: Progress | None,
) -> None:
    start = time.perf_counter()
    report = PrepareReport(strict=strict)
    adapter.look(source)
    header = {
        "name": adapter.name,
        "title": adapter.title,
        "citation": adapter.citation,
        "licence": adapter.licence,
        "url": adapter.url,
        "layout": adapter.layout,
        "fps": float(adapter.fps),
        "score_range": [float(score) for score in adapter.score_range],
        "exercises": dict(adapter.exercises),
        "adapter": {"version": adapter.version, "params": dict(adapter.params)},
    }
    if adapter.binary:
        header["binary"] = True
    if not adapter.metric:
        header["metric"] = False
    if adapter.healthy:
        header["healthy"] = list(adapter.healthy)
    if adapter.showable:
        header["showable"] = True
    writer = StoreWriter(header, load_layout(adapter.layout).num_joints)
    notes: dict[str, list[str]] = {}
    expected = Expected(
        score_range=adapter.score_range,
        binary=adapter.binary,
        exercises=adapter.exercises,
        metric=adapter.metric,
    )
    for recording in adapter.read(source, report, progress or Adapter.NO_PROGRESS):
        writer.require(recording)
        try:
            looked = looked_at(recording, expected)
        except FaultError as error:
            if error.setting is not None:
                error.advised(adapter.advice(*error.setting, recording))
            report.skip(str(recording.id), error.problem)
            continue
        for problem in looked.faults:
            report.fault(looked.recording.id, problem)
        for kind, text in looked.notes:
            notes.setdefault(kind, []).append(f"{looked.recording.id}: {text}")
        writer.add(looked.recording)
    for texts in notes.values():
        for text in texts[:_NOTES_OF_A_KIND]:
            report.note(text)
        if len(texts) > _NOTES_OF_A_KIND:
            report.note(f"… and the like of {len(texts) - _NOTES_OF_A_KIND} more recordings")
    if not len(writer):
        first = f"; the first fault: {report.problems[0]}" if report.problems else ""
        raise DataError(f"{source}: no recording can be used{first}")
    read = time.perf_counter()
    writer.write(
        staging,
        {
            "source": None if source is None else str(source.resolve()),
            "prepared": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "seconds_reading": round(read - start, 3),
            "zoo_version": metadata.version("skeleton-zoo"),
            "checks": CHECKS_VERSION,
            "skipped": report.skipped,
            "problems": [asdict(problem) for problem in report.problems],
            "notes": report.notes,
        },
    )


def _not_prepared(name: str, root: Path) -> str:
    near = f" {did_you_mean(name, [*DATASETS.names(), *own_datasets(root)])}"
    near = "" if name in DATASETS else near
    return (
        f"{name} is not prepared in {root}.{near} Download it (see `zoo data list`) and run "
        f'zoo.prepare_dataset("{name}", "DIR"), or name the folder of prepared datasets with '
        "data_root= or $ZOO_DATA"
    )

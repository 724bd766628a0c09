"""What a prepared dataset says of itself: ``manifest.json``, and nothing else, as typed values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from zoo.build import build
from zoo.data.adapters.base import Problem
from zoo.data.recording import Identity
from zoo.errors import DataError
from zoo.files import read_json

SCHEMA = 1
MANIFEST_FILE = "manifest.json"
LARGEST = 1_000_000_000

WIDTHS: Mapping[str, int | None] = {
    "positions": 3, "orientations": 4, "angles": 3, "tracked": None, "timestamps": None
}  # fmt: skip
"""Numbers a joint has in each array a recording can have; None where it has one, or none."""


@dataclass(frozen=True)
class RecordingInfo(Identity):
    """What is known of a recording without touching its arrays.

    Attributes:
        frames: number of frames T.
        fps: frames per second.
        arrays: shape of each array it has: positions, orientations, angles, tracked, timestamps.
        sha256: over its arrays, see `zoo.data.store.array_digest`.
    """

    frames: int
    fps: float
    arrays: Mapping[str, tuple[int, ...]]
    sha256: str

    @property
    def scored(self) -> bool:
        """Whether it has a ``total`` score, the one that models predict."""
        return "total" in self.scores


@dataclass(frozen=True)
class AdapterUsed:
    """The reader that prepared a dataset, and with which parameters."""

    version: int
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """The content of ``manifest.json``.

    Attributes:
        schema: version of the file's form.
        name: of the dataset.
        layout: name of the skeleton layout of every recording.
        fps: nominal frames per second.
        score_range: lowest and highest possible total score.
        adapter: what prepared it.
        recordings: sorted by id.
        fingerprint: SHA-256 (hex), see `zoo.data.store.fingerprint`.
        title: its full name; like the next three from its card.
        citation: how its authors ask to be cited.
        licence: in words.
        url: where it is published.
        exercises: what each exercise is, by id.
        binary: whether the total is no score but right (1) or wrong (0).
        metric: whether positions are metres with y up, as far as the source says.
        healthy: clinical groups of healthy people, see `Adapter`.
        showable: whether the recordings may be shown to anybody, see `Adapter`.
        checks: version of the checks its recordings passed; see `zoo.data.checks`.
        source: folder it was prepared from; None for one the zoo made itself.
        prepared: when, ISO time.
        seconds_reading: how long it took.
        zoo_version: of the zoo that prepared it.
        skipped: ids of recordings that were left out.
        problems: every fault of the source.
        notes: oddities that cost nothing.
        plain: the whole file as plain data.
    """

    schema: int
    name: str
    layout: str
    fps: float
    score_range: tuple[float, float]
    adapter: AdapterUsed
    recordings: tuple[RecordingInfo, ...]
    fingerprint: str
    title: str = ""
    citation: str = ""
    licence: str = ""
    url: str = ""
    exercises: Mapping[str, str] = field(default_factory=dict)
    binary: bool = False
    metric: bool = True
    healthy: tuple[str, ...] = ()
    showable: bool = False
    checks: int | None = None
    source: str | None = None
    prepared: str = ""
    seconds_reading: float = 0.0
    zoo_version: str = ""
    skipped: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    plain: Mapping[str, Any] = field(
        default_factory=dict, repr=False, compare=False, metadata={"key": None}
    )


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a prepared dataset without looking at its arrays.

    Raises:
        DataError: there is none, it is damaged, or of another version of the zoo.
    """
    file = folder / MANIFEST_FILE
    if folder.is_dir() and not file.exists():
        raise damaged(folder, f"it holds no {MANIFEST_FILE}")
    try:
        values = read_json(file, LARGEST)
        if "schema" not in values:
            raise DataError(f"{MANIFEST_FILE} is no manifest: it lacks schema")
    except DataError as error:
        raise damaged(folder, str(error)) from None
    if values["schema"] != SCHEMA:
        raise DataError(
            f"{folder} was written in form {values['schema']!r}, this version of the zoo reads "
            f"form {SCHEMA}: prepare the dataset again with this version, or use the one that "
            "wrote it"
        )
    try:
        manifest = build(Manifest, values, f"{MANIFEST_FILE}:", error=DataError)
        _require_sound(manifest)
    except DataError as error:
        raise damaged(folder, str(error)) from None
    return replace(manifest, plain=values)


def damaged(folder: Path, what: str) -> DataError:
    """That a prepared dataset cannot be used, why, and what to do."""
    return DataError(
        f"the prepared dataset in {folder} cannot be used: {what}. Prepare it again with "
        f'zoo.prepare_dataset("{folder.name}", "DIR")'
    )


def _require_sound(manifest: Manifest) -> None:
    """Refuse what no single value shows.

    Raises:
        DataError: naming the recording or key, what was found and what was expected.
    """
    low, high = manifest.score_range
    if not low < high:
        raise DataError(f"score_range is {low:g} to {high:g}, expected the lower score first")
    if not manifest.recordings:
        raise DataError("it lists no recording")
    seen: set[str] = set()
    for at, info in enumerate(manifest.recordings):
        where = f"recordings[{at}] ({info.id[:80]!r})"
        if not info.id or info.id in seen:
            raise DataError(f"{where}: expected an id of its own")
        seen.add(info.id)
        if info.fps <= 0:
            raise DataError(f"{where}: found {info.fps:g} frames per second, expected more than 0")
        joints = {shape[1] for shape in info.arrays.values() if len(shape) > 1}
        for name, shape in info.arrays.items():
            if name not in WIDTHS:
                raise DataError(f"{where}: found an array {name!r}, expected {', '.join(WIDTHS)}")
            width = WIDTHS[name]
            tail = () if name == "timestamps" else (*joints,) if width is None else (*joints, width)
            if len(joints) > 1 or shape != (info.frames, *tail) or not all(n > 0 for n in shape):
                raise DataError(
                    f"{where}: {name} have shape {list(shape)} of {info.frames} frames, "
                    "expected (frames, joints, numbers)"
                )

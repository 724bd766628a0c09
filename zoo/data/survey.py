"""A folder of recordings looked at for the first time: its form, and what could be found of it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from registry import DATASETS, LAYOUTS, READERS
from zoo.data.adapters.base import FaultError, PrepareReport, Reader
from zoo.data.adapters.description import FILE
from zoo.data.adapters.folder import TABLE, reader_settings
from zoo.data.readers import formats, load_reader
from zoo.data.readers.joints import NoLayoutError
from zoo.data.readers.units import METRES, TURNS
from zoo.data.recording import UNKNOWN_SUBJECT, Identity, Recording
from zoo.errors import DataError, UserError
from zoo.skeleton.layout import Layout, load_layout, own_layout

MOST_FILES = 100_000
TRIED = 3
"""Files that are read to see whether a reader reads them."""

BODY = (0.8, 2.6)
"""Metres between the two joints of a person that are furthest apart."""

_HIGH = ("head", "nose", "neck", "shoulder")
_LOW = ("hip", "knee", "ankle", "foot")


@dataclass(frozen=True)
class Survey:
    """What a folder holds.

    Attributes:
        folder: that was looked into.
        files: recordings, as paths with forward slashes relative to it, sorted.
        others: files that are none.
        reader: name of the reader of the recordings.
        settings: of the reader, as far as they could be found; None as a value is not known.
        first: a recording as it is read with these settings.
        told: by file its recordings, where files hold several or say themselves who performs
            what; empty where they do neither.
        doubts: settings that are guesses, and why.
        joints: names of the joints, where no layout has them.
    """

    folder: Path
    files: tuple[str, ...]
    others: tuple[str, ...]
    reader: str
    settings: Mapping[str, Any]
    first: Recording
    doubts: Mapping[str, str] = field(default_factory=dict)
    joints: tuple[str, ...] = ()
    told: Mapping[str, Sequence[Identity]] = field(default_factory=dict, repr=False)

    @cached_property
    def suggested_name(self) -> str:
        """A name for the dataset, made of the folder's; none that is a dataset's or a reader's."""
        kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in self.folder.name.lower())
        name = "-".join(filter(None, kept.split("-"))) or "recordings"
        return f"my-{name}" if name in DATASETS or name in READERS else name


def survey(folder: Path) -> Survey:
    """Look into a folder and those below it.

    Raises:
        DataError: no such folder, nothing in it looks like a recording, or no reader can read what
            does; the message says what each found.
    """
    folder = folder.expanduser()
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder")
    readers = {name: load_reader(name) for name in READERS.names()}
    looks: dict[str, list[str]] = {}
    for path in _candidates(folder, readers):
        shown = path.relative_to(folder).as_posix()
        looks[shown] = [name for name, reader in readers.items() if reader.looks_like(path)]
    votes: dict[str, list[str]] = {}
    for shown, names in looks.items():
        for name in names:
            votes.setdefault(name, []).append(shown)
    if not votes:
        what = f"none of its {len(looks)} files looks" if looks else "it holds no file that looks"
        raise DataError(f"{folder}: {what} like a recording. These forms are read: {formats()}")
    reasons = []
    for name, files in sorted(votes.items(), key=lambda item: -len(item[1])):
        try:
            settings, first, doubts = _understood(name, [folder / file for file in files[:TRIED]])
        except UserError as error:
            reasons.append(f"as {name}: {error}")
            continue
        others = tuple(sorted(set(looks) - set(files)))
        found = Survey(folder, tuple(files), others, name, settings, first, doubts)
        own = () if first.layout in LAYOUTS else load_layout(first.layout).joints
        return replace(found, joints=own, told=_told(found))
    raise DataError(f"{folder}: its recordings cannot be read. " + "; ".join(reasons))


def _candidates(folder: Path, readers: Mapping[str, Reader]) -> Iterator[Path]:
    """Files, and folders that stand for a recording, sorted; what is hidden is left out."""
    waiting, seen = [folder], 0
    while waiting:
        for path in sorted(waiting.pop().iterdir()):
            seen += 1
            if seen > MOST_FILES:
                raise DataError(f"{folder}: it holds more than {MOST_FILES} files: name one below")
            if path.name.startswith(".") or path.name in (TABLE, FILE):
                continue
            if not path.is_dir() or any(r.looks_like(path) for r in readers.values()):
                yield path
            else:
                waiting.append(path)


def _understood(name: str, files: list[Path]) -> tuple[dict[str, Any], Recording, dict[str, str]]:
    """Settings with which a reader reads the first of these files that it can."""
    reasons = []
    for file in files:
        try:
            return _settings_for(name, file)
        except DataError as error:
            reasons.append(error)
    raise reasons[0]


def _settings_for(name: str, file: Path) -> tuple[dict[str, Any], Recording, dict[str, str]]:
    """Settings that make a plausible person of a file; its reader's defaults stay where they do."""
    takes = reader_settings(name)
    settings: dict[str, Any] = {}
    while True:
        try:
            found = _read(name, file, settings)
            break
        except NoLayoutError as error:
            if "layout" in settings:
                raise
            settings["layout"] = _star(error.joints).name  # to see the rest of it
        except FaultError as error:
            if "fps" not in takes or "fps" in settings or error.problem.kind != "no-frame-rate":
                raise
            settings["fps"] = None
    if "layout" in takes:
        settings["layout"] = found.layout
    doubts: dict[str, str] = {}
    for setting, choices, plausible, why in (
        ("units", ("", *METRES, "none"), _is_person_sized, "nobody would be of a person's size"),
        ("up", ("", *TURNS), _is_upright, "nobody would be upright"),
    ):
        if setting not in takes:
            continue
        for choice in choices:
            found = _read(name, file, {**settings, setting: choice})
            if plausible(found):
                if choice:
                    settings[setting], doubts[setting] = choice, why
                break
        else:
            settings[setting] = None
    return settings, found, doubts


def _star(joints: Sequence[str]) -> Layout:
    """Joints of which nothing is known but their names."""
    first, *others = joints
    return own_layout(
        {"joints": [{"name": first}, *({"name": name, "parent": first} for name in others)]}
    )


def _told(found: Survey) -> dict[str, list[Identity]]:
    """What files say of their recordings, as `Survey.told`."""
    first = _all(found.reader, found.folder / found.files[0], found.settings)
    if len(first) == 1 and first[0].subject == UNKNOWN_SUBJECT and not first[0].exercise:
        return {}
    told = {}
    for file in found.files:
        with suppress(DataError):  # which is told when it is prepared
            told[file] = [
                Identity(r.id, r.subject, r.group, r.exercise, r.session, scores=r.scores)
                for r in _all(found.reader, found.folder / file, found.settings)
            ]
    return told


def _read(name: str, file: Path, settings: Mapping[str, Any]) -> Recording:
    found = _all(name, file, settings)
    if not found:
        raise DataError(f"{file}: it holds no recording")
    return found[0]


def _all(name: str, file: Path, settings: Mapping[str, Any]) -> list[Recording]:
    given = {k: v for k, v in settings.items() if v is not None}
    if "fps" in settings and settings["fps"] is None:
        given["fps"] = 30.0  # to see the rest of it
    return list(load_reader(name, **given).read_file(file, PrepareReport()))


def _is_person_sized(recording: Recording) -> bool:
    """Whether the joints furthest apart are as far apart as in a person; angles always fit."""
    if recording.positions is None:
        return True
    frames = recording.positions[:: max(1, recording.num_frames // 50)]
    apart = np.linalg.norm(frames[:, :, None] - frames[:, None], axis=-1).max(axis=(1, 2))
    return bool(BODY[0] <= np.median(apart) <= BODY[1])


def _is_upright(recording: Recording) -> bool:
    """Whether head and shoulders are above hips and legs, where both have names."""
    if recording.positions is None:
        return True
    names = [joint.lower() for joint in load_layout(recording.layout).joints]
    height = np.median(recording.positions[:, :, 1], axis=0)
    high = [height[i] for i, joint in enumerate(names) if any(w in joint for w in _HIGH)]
    low = [height[i] for i, joint in enumerate(names) if any(w in joint for w in _LOW)]
    if not high or not low:
        return True
    across = np.ptp(recording.positions, axis=1).max(axis=-1)
    return bool(np.mean(high) - np.mean(low) > 0.2 * np.median(across))

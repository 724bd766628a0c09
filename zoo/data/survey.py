"""A folder of recordings looked at for the first time: its form, and what could be found of it."""

import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from registry import READERS
from zoo.data.adapters.base import PrepareReport, Reader
from zoo.data.adapters.description import FILE
from zoo.data.adapters.folder import TABLE, reader_settings
from zoo.data.readers import load_reader
from zoo.data.recording import Recording
from zoo.errors import DataError, UserError
from zoo.skeleton.layout import load_layout

MOST_FILES = 100_000
TRIED = 3
"""Files that are read to see whether a reader reads them."""

BODY = (0.8, 2.6)
"""Metres between the two joints of a person that are furthest apart."""

_HIGH = ("head", "nose", "neck", "ear", "eye")
_LOW = ("foot", "ankle", "heel", "toe")


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
        doubts: settings that are guesses, and why.
    """

    folder: Path
    files: tuple[str, ...]
    others: tuple[str, ...]
    reader: str
    settings: Mapping[str, Any]
    first: Recording
    doubts: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def suggested_name(self) -> str:
        """A name for the dataset, made of the folder's."""
        kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in self.folder.name.lower())
        return "-".join(filter(None, kept.split("-"))) or "recordings"


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
        raise DataError(
            f"{folder}: {what} like a recording. These forms are read: {', '.join(readers)}"
        )
    reasons = []
    for name, files in sorted(votes.items(), key=lambda item: -len(item[1])):
        try:
            settings, first, doubts = _understood(name, [folder / file for file in files[:TRIED]])
        except UserError as error:
            reasons.append(f"as {name}: {error}")
            continue
        others = tuple(sorted(set(looks) - set(files)))
        return Survey(folder, tuple(files), others, name, settings, first, doubts)
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
    takes = reader_settings(name)
    settings: dict[str, Any] = {}
    try:
        found = _read(name, file, settings)
    except DataError:
        if "fps" not in takes:
            raise
        found = _read(name, file, {"fps": 30.0})  # to see the rest of it
        settings["fps"] = None
    doubts: dict[str, str] = {}
    known = {k: v for k, v in settings.items() if v is not None} or (
        {"fps": 30.0} if "fps" in settings else {}
    )
    if "layout" in takes:
        settings["layout"] = found.layout
    for setting, plausible in (("units", _is_person_sized), ("up", _is_upright)):
        if setting not in takes:
            continue
        choices = _choices(name, setting)
        for choice in choices:
            found = _read(name, file, {**known, setting: choice})
            if plausible(found):
                settings[setting] = known[setting] = choice
                if choice != choices[0]:
                    doubts[setting] = f"with {choices[0]} {plausible.__doc__}"
                break
        else:
            settings[setting] = None
            found = _read(name, file, known)
    return settings, found, doubts


def _read(name: str, file: Path, settings: Mapping[str, Any]) -> Recording:
    given = {k: v for k, v in settings.items() if v is not None}
    try:
        return next(iter(load_reader(name, **given).read_file(file, PrepareReport())))
    except StopIteration:
        raise DataError(f"{file}: it holds no recording") from None


def _choices(name: str, setting: str) -> list[str]:
    """What a setting of a reader can be, its default first; empty where its type does not say."""
    factory = READERS.get(name).load()
    hint = typing.get_type_hints(factory.__init__).get(setting)
    import inspect

    default = inspect.signature(factory).parameters[setting].default
    choices = list(typing.get_args(hint)) if typing.get_origin(hint) is typing.Literal else []
    return sorted(choices, key=lambda choice: choice != default)


def _is_person_sized(recording: Recording) -> bool:
    """Nobody is of a person's size"""
    if recording.positions is None:
        return True
    frames = recording.positions[:: max(1, recording.num_frames // 50)]
    apart = np.linalg.norm(frames[:, :, None] - frames[:, None], axis=-1).max(axis=(1, 2))
    return bool(BODY[0] <= np.median(apart) <= BODY[1])


def _is_upright(recording: Recording) -> bool:
    """The head is not above the feet"""
    if recording.positions is None:
        return True
    names = [joint.lower() for joint in load_layout(recording.layout).joints]
    height = np.median(recording.positions[:, :, 1], axis=0)
    high = [height[i] for i, joint in enumerate(names) if any(w in joint for w in _HIGH)]
    low = [height[i] for i, joint in enumerate(names) if any(w in joint for w in _LOW)]
    if not high or not low:
        return True
    across = np.ptp(recording.positions, axis=1).max(axis=-1)
    return bool(np.mean(high) - np.mean(low) > 0.4 * np.median(across))

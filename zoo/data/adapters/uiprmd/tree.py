"""Where UI-PRMD keeps which repetition, and which repetitions a folder lacks."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zoo.data.adapters.base import PrepareReport
from zoo.data.recording import UNKNOWN_SUBJECT
from zoo.errors import DataError

MOVEMENTS = {
    "m01": "Deep squat",
    "m02": "Hurdle step",
    "m03": "Inline lunge",
    "m04": "Side lunge",
    "m05": "Sit to stand",
    "m06": "Standing active straight leg raise",
    "m07": "Standing shoulder abduction",
    "m08": "Standing shoulder extension",
    "m09": "Standing shoulder internal–external rotation",
    "m10": "Standing shoulder scaption",
}
EPISODES = tuple(f"e{n:02}" for n in range(1, 11))
SIDES = {True: "Segmented Movements", False: "Incorrect Segmented Movements"}
HOME = "webpages.uidaho.edu/ui-prmd"

_QUANTITY = re.compile(r"positions|angles", re.IGNORECASE)
_NAME = re.compile(r"(m\d\d)_(s\d\d)_(e\d\d)_(positions|angles)(_inc)?\.txt")


@dataclass(frozen=True, order=True)
class Repetition:
    """One repetition: movement ``m01``, person ``s01``, episode ``e01``, done right or wrong."""

    movement: str
    subject: str
    episode: str
    correct: bool

    @property
    def side(self) -> str:
        """``correct`` or ``incorrect``."""
        return "correct" if self.correct else "incorrect"

    @property
    def id(self) -> str:
        """Recording id, such as ``s01/m01/e01/correct``."""
        return f"{self.subject}/{self.movement}/{self.episode}/{self.side}"

    def file(self, sensor: str, kind: str) -> str:
        """Path below the dataset's folder; `kind` is ``Positions`` or ``Angles``."""
        ending = "" if self.correct else "_inc"
        name = f"{self.movement}_{self.subject}_{self.episode}_{kind.lower()}{ending}.txt"
        return f"{SIDES[self.correct]}/{sensor}/{kind}/{name}"


def find_root(source: Path, sensor: str, kinds: tuple[str, ...]) -> Path:
    """The folder that holds ``Segmented Movements``: `source` or one directly below it.

    Raises:
        DataError: there is none, or it lacks what `sensor` needs.
    """
    if not source.is_dir():
        raise DataError(f"{source}: no such folder; give the folder that holds {SIDES[True]!r}")
    below = sorted(folder for folder in source.iterdir() if folder.is_dir())
    for root in (source, *below):
        present = [side for side in SIDES.values() if (root / side / sensor).is_dir()]
        if not present:
            continue
        for side in present:
            for kind in kinds:
                if not (root / side / sensor / kind).is_dir():
                    raise DataError(
                        f"{root / side / sensor} has no folder {kind}; "
                        f"{' and '.join(kinds)} are needed (see {HOME})"
                    )
        return root
    names = ", ".join(entry.name for entry in sorted(source.iterdir())[:5]) or "nothing"
    raise DataError(
        f"{source} is no UI-PRMD folder with {sensor} data: expected "
        f"'{SIDES[True]}/{sensor}/{kinds[0]}', found {names}. "
        f"Unpack the archives of {HOME} there, or give the folder that holds {SIDES[True]!r}"
    )


def list_repetitions(
    root: Path, sensor: str, kinds: tuple[str, ...], report: PrepareReport
) -> list[Repetition]:
    """Every repetition that should be there, sorted.

    These are the ten episodes of each person and movement of which any file exists, so that
    a session that is missing altogether (the Vicon data of m03, s03) is noticed, and half a
    download is no flood of errors. Movements, sides and files that do not count are noted.

    Raises:
        DataError: the folders hold not one file of UI-PRMD.
    """
    present: set[Repetition] = set()
    sides = [correct for correct in SIDES if (root / SIDES[correct] / sensor).is_dir()]
    for correct in sides:
        for kind in kinds:
            folder = root / SIDES[correct] / sensor / kind
            for name in sorted(entry.name for entry in folder.iterdir()):
                repetition = repetition_of(name)
                file = f"{SIDES[correct]}/{sensor}/{kind}/{name}"
                if repetition is not None and repetition.file(sensor, kind) == file:
                    present.add(repetition)
                elif not name.startswith("."):
                    report.note(f"{file}: no name of a UI-PRMD repetition, ignored")
    if not present:
        raise DataError(
            f"{root / SIDES[sides[0]] / sensor} holds no file such as "
            f"m01_s01_e01_{kinds[0].lower()}.txt; unpack the archives of {HOME} anew"
        )
    movements = sorted({repetition.movement for repetition in present})
    absent = [movement for movement in MOVEMENTS if movement not in movements]
    if absent:
        report.note(f"no files of {', '.join(absent)}: not in this folder")
    for correct in SIDES:
        if correct not in sides:
            report.note(f"no folder {SIDES[correct]!r} with {sensor} data")
    subjects = {repetition.subject for repetition in present}
    expected = {
        Repetition(movement, subject, episode, correct)
        for movement in movements
        for subject in subjects
        for episode in EPISODES
        for correct in sides
    }
    return sorted(expected | present)


def repetition_of(name: str) -> Repetition | None:
    """The repetition that a file of this name holds; None where the name does not say."""
    match = _NAME.fullmatch(name)
    if match is None or match[1] not in MOVEMENTS:
        return None
    return Repetition(match[1], match[2], match[3], match[5] is None)


@dataclass(frozen=True)
class LooseRepetition(Repetition):
    """A repetition whose files were named one by one.

    Attributes:
        files: path by kind, ``Positions`` or ``Angles``.
        stem: name of the file that was named, without its ending.
        published: what the published name says; None for a file of another name.
    """

    files: Mapping[str, Path] = field(default_factory=dict, compare=False)
    stem: str = ""
    published: Repetition | None = None

    @property
    def id(self) -> str:
        """As published; the file's stem where its name says nothing."""
        return self.published.id if self.published else self.stem

    def file(self, sensor: str, kind: str) -> str:
        """The path of the file."""
        return str(self.files[kind])

    @property
    def roots(self) -> list[Path]:
        """Folders in which the dataset's other files would be, if `files` lie as published."""
        place = next(iter(self.files.values())).absolute()
        if len(place.parents) > 4 and place.parents[2].name in SIDES.values():
            return [place.parents[3], place.parents[4]]
        return []


def loose_repetition(file: Path, kinds: Sequence[str]) -> LooseRepetition:
    """The repetition that `file` belongs to, with its other file where there are two.

    Args:
        file: one of its files. The other one has ``positions`` and ``angles`` swapped in its name
            and lies beside it or in the folder ``Positions`` or ``Angles`` beside its own.
        kinds: what is needed, ``Positions``, ``Angles`` or both.

    Raises:
        DataError: a folder, no such other file, or a file of another kind.
    """
    if file.is_dir():
        raise DataError(f"{file} is a folder; name one file, such as m01_s01_e01_positions.txt")
    found = _QUANTITY.search(file.name)
    own = found[0].capitalize() if found else None
    if own is None and len(kinds) > 1:
        raise DataError(
            f"{file}: its name says neither positions nor angles, expected a pair such as "
            "m01_s01_e01_positions.txt and m01_s01_e01_angles.txt"
        )
    if own is not None and own not in kinds:
        raise DataError(f"{file}: by its name it holds {own.lower()}, expected {kinds[0].lower()}")
    files = {kind: file if kind == (own or kinds[0]) else _other(file, kind) for kind in kinds}
    published = repetition_of(file.name)
    if published is None:
        return LooseRepetition("", UNKNOWN_SUBJECT, "", True, files, file.stem)
    values = (published.movement, published.subject, published.episode, published.correct)
    return LooseRepetition(*values, files, file.stem, published)


def _other(file: Path, kind: str) -> Path:
    name = _QUANTITY.sub(kind.lower(), file.name)
    places = [file.parent / name, file.parent.parent / kind / name]
    for place in places:
        if place.is_file():
            return place
    raise DataError(
        f"{file}: the {kind.lower()} of the same repetition are missing, expected {places[0]} or "
        f"{places[1]}"
    )

"""Finding the sessions in KIMORE's folders."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from zoo.data.adapters.base import PrepareReport, Problem
from zoo.errors import DataError

GROUPS = {
    "E": "CG/Expert",
    "NE": "CG/NotExpert",
    "B": "GPP/BackPain",
    "P": "GPP/Parkinson",
    "S": "GPP/Stroke",
}
"""Group of people by the prefix of their ids."""

HEALTHY = (GROUPS["E"], GROUPS["NE"])
"""The control groups."""

EXERCISES = ("1", "2", "3", "4", "5")

_SIDES = ("cg", "gpp")
_SUBJECT = re.compile(r"(NE|E|B|P|S)_ID(\d+)", re.IGNORECASE)
_EXERCISE = re.compile(r"Es[ _]?(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Session:
    """One person's folder of one exercise.

    Attributes:
        subject: the person's id as published, such as ``NE_ID12``.
        exercise: ``1`` to ``5``.
        folder: the ``Es`` folder, or None where the person has none.
        person: the person's folder.
    """

    subject: str
    exercise: str
    folder: Path | None
    person: Path

    @property
    def id(self) -> str:
        """Id of the recording."""
        return f"{self.subject}/Es{self.exercise}"

    @property
    def group(self) -> str:
        """Group of the person."""
        return GROUPS[self.subject.partition("_")[0]]

    def raw_files(self, stem: str) -> list[Path]:
        """CSV files in ``Raw`` whose name starts with `stem`, sorted by name."""
        raw = child(self.folder, "Raw") if self.folder else None
        return files_in(raw, stem, ".csv")

    def workbooks(self) -> list[Path]:
        """Workbooks in ``Label`` with clinical scores, sorted by name."""
        label = child(self.folder, "Label") if self.folder else None
        return files_in(label, "ClinicalAssessment", ".xlsx")


@dataclass
class Tree:
    """What the folders hold.

    Attributes:
        root: the folder with ``CG`` and ``GPP``.
        sessions: five per person, sorted by id.
    """

    root: Path
    sessions: list[Session] = field(default_factory=list)

    def name(self, path: Path) -> str:
        """A path as messages show it: relative to the root, with forward slashes."""
        return path.relative_to(self.root).as_posix()


def read_tree(source: Path, report: PrepareReport) -> Tree:
    """Finds all sessions below `source`; upper and lower case do not matter.

    Args:
        source: the folder ``KiMoRe``, or the one that holds it.
        report: told of folders that have no business where they are.

    Raises:
        DataError: there is no KIMORE.
    """
    tree = Tree(_find_root(source))
    people: dict[str, Path] = {}
    for folder in _people(tree, report):
        subject = _subject_of(folder)
        if subject is None:
            _wrong(report, tree, folder, "a folder of a person, such as CG/Expert/E_ID1")
            continue
        prefix = subject.partition("_")[0]
        place = f"{folder.parent.parent.name}/{folder.parent.name}"
        if place.casefold() != GROUPS[prefix].casefold():
            _wrong(report, tree, folder, f"people {prefix}_ID… in {GROUPS[prefix]}")
        elif subject in people:
            wanted = f"{subject} once, not in {tree.name(people[subject])} too"
            _wrong(report, tree, folder, wanted)
        else:
            people[subject] = folder
    for subject in sorted(people):
        tree.sessions.extend(_sessions(tree, subject, people[subject], report))
    return tree


def session_at(folder: Path) -> Session | None:
    """The session whose ``Es`` folder, or ``Raw`` folder in it, `folder` is.

    Returns:
        None where the names of the folders above do not say who performs what.
    """
    place = folder.absolute()
    if place.name.casefold() == "raw":
        place = place.parent
    exercise, subject = _exercise_of(place), _subject_of(place.parent)
    if exercise is None or subject is None:
        return None
    return Session(subject, exercise, place, place.parent)


def files_in(folder: Path | None, start: str, end: str) -> list[Path]:
    """Files of names that start and end so, whatever their case, sorted; none in no folder."""
    if folder is None:
        return []
    start, end = start.casefold(), end.casefold()
    names = ((f, f.name.casefold()) for f in folder.iterdir() if f.is_file())
    return sorted(f for f, name in names if name.startswith(start) and name.endswith(end))


def child(folder: Path, name: str) -> Path | None:
    """The folder `name` inside `folder`, whatever its case; None where there is none."""
    found = [f for f in _folders(folder) if f.name.casefold() == name.casefold()]
    return found[0] if found else None


def _sessions(tree: Tree, subject: str, person: Path, report: PrepareReport) -> Iterator[Session]:
    folders: dict[str, Path] = {}
    for folder in _folders(person):
        exercise = _exercise_of(folder)
        if exercise is None:
            _wrong(report, tree, folder, "the folders Es1 to Es5 of a person")
        elif exercise in folders:
            wanted = f"one folder of exercise {exercise}, not {folders[exercise].name} too"
            _wrong(report, tree, folder, wanted)
        else:
            folders[exercise] = folder
    for exercise in EXERCISES:
        yield Session(subject, exercise, folders.get(exercise), person)


def _subject_of(folder: Path) -> str | None:
    match = _SUBJECT.fullmatch(folder.name)
    return f"{match[1].upper()}_ID{int(match[2])}" if match else None


def _exercise_of(folder: Path) -> str | None:
    match = _EXERCISE.fullmatch(folder.name)
    exercise = str(int(match[1])) if match else ""
    return exercise if exercise in EXERCISES else None


def _find_root(source: Path) -> Path:
    candidates = [f for f in (source, *_folders(source)) if _is_root(f)]
    if source in candidates:
        return source
    if len(candidates) > 1:
        names = ", ".join(f.name for f in candidates)
        raise DataError(f"{source} holds several copies of KIMORE ({names}): name one of them")
    if not candidates:
        inside = sorted(f.name for f in source.iterdir())
        shown = ", ".join(inside[:4]) + (", …" if len(inside) > 4 else "")
        raise DataError(
            f"{source} is no KIMORE: expected its folder KiMoRe with CG/Expert/E_ID1/Es1 and so "
            f"on, found {shown or 'an empty folder'}"
        )
    return candidates[0]


def _is_root(folder: Path) -> bool:
    """Whether there is a person's folder two levels below CG or GPP."""
    sides = [s for name in _SIDES if (s := child(folder, name))]
    groups = [group for side in sides for group in _folders(side)]
    return any(_SUBJECT.fullmatch(f.name) for group in groups for f in _folders(group))


def _people(tree: Tree, report: PrepareReport) -> Iterator[Path]:
    known = {group.casefold() for group in GROUPS.values()}
    for side in _folders(tree.root):
        if side.name.casefold() not in _SIDES:
            continue
        for group in _folders(side):
            if f"{side.name}/{group.name}".casefold() in known:
                yield from _folders(group)
            else:
                _wrong(report, tree, group, f"one of {', '.join(GROUPS.values())}")


def _wrong(report: PrepareReport, tree: Tree, folder: Path, expected: str) -> None:
    shown, found = tree.name(folder), f"the folder {folder.name}"
    report.skip(shown, Problem("wrong-folder", shown, None, found, expected))


def _folders(folder: Path) -> list[Path]:
    """Folders inside, sorted by name, without hidden ones; none where it cannot be read."""
    try:
        return sorted(f for f in folder.iterdir() if f.is_dir() and not f.name.startswith("."))
    except OSError:
        return []

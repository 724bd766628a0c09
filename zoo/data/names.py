"""Who and what recordings are, as far as the names of files and folders tell: guesses."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

_PERSONS = "p|pat|patient|person|sub|subj|subject|participant|volunteer|user|proband|vp"
_EXERCISES = "ex|exer|exercise|e|es|m|a|act|action|g|gesture|task|move|movement"
_SESSIONS = "r|rep|repetition|t|trial|take|s|ses|session|run|v|visit|day"
_MAYBE_PERSONS = "s|id"


def _numbered(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?:{words})\d+", re.IGNORECASE)


_PERSON, _MAYBE_PERSON = _numbered(_PERSONS), _numbered(_MAYBE_PERSONS)
_EXERCISE, _SESSION = _numbered(_EXERCISES), re.compile(rf"(?:{_SESSIONS})?\d+", re.IGNORECASE)
_APART = re.compile(
    rf"(?<![^\W_])({_PERSONS}|{_EXERCISES}|{_SESSIONS}|id)[_\-\s]+(?=\d+(?:[_\-\s]|$))",
    re.IGNORECASE,
)
_GLUED = re.compile(r"(?:[^\W\d_]+\d+){2,}")
_WORD = re.compile(r"[^\W\d_]+")
_MOST_EXERCISES = 30


def guess(files: Sequence[str]) -> dict[str, list[str]]:
    """Person, exercise and session of files, by column, each a value for every file.

    Names are cut at underscores, hyphens, blanks and folders. The pieces at one place of all names
    are a person, an exercise or a session where they look like one: ``P03``, ``squat``, ``2``.
    A column about which nothing can be guessed is not among the result.

    Args:
        files: paths with forward slashes, relative to one folder.
    """
    pieces = [_pieces(file) for file in files]
    if not pieces or len({len(each) for each in pieces}) != 1:
        pieces = [list(PurePosixPath(file).parent.parts) for file in files]
        if len({len(each) for each in pieces}) != 1:
            return {}
    columns = [list(column) for column in zip(*pieces, strict=True)]
    found: dict[str, list[str]] = {}
    for kind, fits in (
        ("person", _is_person),
        ("person", _may_be_person),
        ("exercise", _is_exercise),
        ("session", _is_session),
    ):
        chosen = next((column for column in columns if fits(column)), None)
        if chosen is not None and kind not in found:
            found[kind] = chosen
            columns.remove(chosen)
    if "person" not in found and "session" in found and _varies(found["session"]):
        del found["session"]  # a number alone may as well be the person
    return found


def _pieces(file: str) -> list[str]:
    path = PurePosixPath(file)
    names = [*path.parent.parts, path.stem if path.suffix else path.name]
    words = [
        piece for name in names for piece in re.split(r"[_\-\s]+", _APART.sub(r"\1", name)) if piece
    ]
    return [
        piece
        for word in words
        for piece in (re.findall(r"[^\W\d_]+\d+", word) if _GLUED.fullmatch(word) else [word])
    ]


def _varies(column: list[str]) -> bool:
    return len(set(column)) > 1


def _is_person(column: list[str]) -> bool:
    return _varies(column) and all(_PERSON.fullmatch(piece) for piece in column)


def _may_be_person(column: list[str]) -> bool:
    return _varies(column) and all(_MAYBE_PERSON.fullmatch(piece) for piece in column)


def _is_exercise(column: list[str]) -> bool:
    counts = Counter(column)
    if all(_EXERCISE.fullmatch(piece) for piece in column):
        return True
    words = all(_WORD.fullmatch(piece) for piece in column)
    return words and len(counts) <= _MOST_EXERCISES and 2 * len(counts) <= max(len(column), 2)


def _is_session(column: list[str]) -> bool:
    return _varies(column) and all(_SESSION.fullmatch(piece) for piece in column)

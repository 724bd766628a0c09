"""One set of the Rehab-Pile archive on disk: its description and its folds, checked.

File names and keys are those that the archive's own reader asks for
(deep_rehab_pile/utils/_utils.py of github.com/MSD-IRIMAS/DeepRehabPile), and aeon's
(aeon/datasets/rehabpile_loader.py).
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.adapters.named_files import folders_within
from zoo.data.adapters.npy_files import read_npy
from zoo.errors import DataError

Label = int | float | str

INFO = "info.json"
DEFAULT_MAX_SCORE = 100.0
"""What the archive's own reader takes where ``max_score_value`` is missing."""

_NAME = re.compile(r"[A-Za-z0-9]+_(reg|clf)(?:_bn|_mc)?_([A-Za-z0-9]+)")
_FOLD = re.compile(r"(?:fold)?(\d+)")
_TRAILING_COMMA = re.compile(r",\s*([\]}])")
_DEPTH = 2


@dataclass(frozen=True)
class Description:
    """What name and ``info.json`` of a set say.

    Attributes:
        folder: where the set is.
        name: as the archive calls it, such as ``KIMORE_reg_LA``.
        exercise: last part of the name.
        scored: whether its labels are scores (``reg``) and not classes (``clf``).
        joints: joints V.
        dims: coordinates a joint, 2 or 3.
        frames: frames T of every sequence.
        max_score: highest possible score.
        chains: joints that hang together, by number, in chains (``kinematic_tree``); may be empty.
    """

    folder: Path
    name: str
    exercise: str
    scored: bool
    joints: int
    dims: int
    frames: int
    max_score: float
    chains: tuple[tuple[int, ...], ...]

    @property
    def bones(self) -> set[frozenset[int]]:
        """Pairs of joints that hang together."""
        return {frozenset(bone) for c in self.chains for bone in pairwise(c)}


@dataclass(frozen=True, eq=False)
class Part:
    """Training or test part of one fold.

    Attributes:
        file: of the sequences.
        positions: (N, T, V, dims) float32.
        labels: N labels.
        digests: N digests of the sequences.
    """

    file: Path
    positions: NDArray[np.float32]
    labels: list[Label]
    digests: list[bytes]


def find_set(source: Path) -> Description:
    """The set in `source`, or in a folder below it if that is the only one.

    Raises:
        DataError: there is none, there are several, or its name or description cannot be used.
    """
    found = [f for f in folders_within(source, _DEPTH) if (f / INFO).is_file()]
    if not found:
        raise DataError(
            f"{source} is no set of Rehab-Pile: expected a folder such as KIMORE_reg_LA with "
            f"{INFO} and the folders fold0, fold1, …"
        )
    if len(found) > 1:
        names = ", ".join(f.relative_to(source).as_posix() for f in found[:5])
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        raise DataError(f"{source} holds {len(found)} sets, name one of them: {names}{more}")
    return _described(found[0])


def read_folds(described: Description, objects: bool = False) -> tuple[list[Part], list[str]]:
    """Test parts of all folds, which hold every sample once, and notes for people.

    The training part of a fold repeats what the other folds test. That is checked, sample by
    sample, and then it is not needed any more.

    Args:
        described: the set.
        objects: see `read_npy`.

    Raises:
        DataError: a file is missing or malformed, or folds share samples or contradict another.
    """
    folders = _fold_folders(described)
    tests = [_part(described, f, k, "test", objects) for k, f in enumerate(folders)]
    _check_tests(tests)
    notes = []
    for k, folder in enumerate(folders):
        train = _part(described, folder, k, "train", objects)
        lacking = _check_training(train, tests, k)
        if lacking:
            notes.append(
                f"{train.file.name} lacks {lacking} samples that other folds test; fold {k} "
                "trains on them here"
            )
    return tests, notes


def _described(folder: Path) -> Description:
    own = folder.resolve()
    name = own.name if _NAME.fullmatch(own.name) else f"{own.parent.name}_{own.name}"
    match = _NAME.fullmatch(name)
    if match is None:
        raise DataError(
            f"{folder}: its name does not say what its labels are. Keep the archive's names, such "
            "as KIMORE_reg_LA (scores) or KIMORE_clf_bn_LA (classes)"
        )
    file = folder / INFO
    info = _read_info(file)
    scored = match[1] == "reg"
    return Description(
        folder=folder,
        name=name,
        exercise=match[2],
        scored=scored,
        joints=_whole(file, info, "n_joints"),
        dims=_whole(file, info, "dim" if "dim" in info else "n_dim", most=3, least=2),
        frames=_whole(file, info, "length_TS"),
        max_score=_max_score(file, info) if scored else 1.0,
        chains=_chains(file, info),
    )


def _read_info(file: Path) -> dict[str, Any]:
    """``info.json``; a comma before a closing bracket is forgiven, as the archive's reader does."""
    try:
        info = json.loads(_TRAILING_COMMA.sub(r"\1", file.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise DataError(f"{file} cannot be read: {error}") from None
    if not isinstance(info, dict):
        raise DataError(f"{file}: expected n_joints, n_dim and length_TS, found no mapping")
    return info


def _whole(file: Path, info: dict[str, Any], key: str, least: int = 1, most: int = 10_000) -> int:
    value = info.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        found = "is missing" if value is None else f"is {value!r}"
        raise DataError(f"{file}: {key} {found}, expected a whole number from {least} to {most}")
    return value


def _max_score(file: Path, info: dict[str, Any]) -> float:
    value = info.get("max_score_value", DEFAULT_MAX_SCORE)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 < value < float("inf"):
        raise DataError(f"{file}: max_score_value is {value!r}, expected a number above 0")
    return float(value)


def _chains(file: Path, info: dict[str, Any]) -> tuple[tuple[int, ...], ...]:
    tree, joints = info.get("kinematic_tree", []), range(_whole(file, info, "n_joints"))
    sound = isinstance(tree, list) and all(
        isinstance(c, list) and all(isinstance(j, int) and j in joints for j in c) for c in tree
    )
    if not sound:
        raise DataError(
            f"{file}: kinematic_tree is {str(tree)[:80]}, expected lists of joint numbers from 0 "
            f"to {joints[-1]}, such as [[0, 1, 2], [0, 3, 4]]"
        )
    return tuple(tuple(chain) for chain in tree)


def _fold_folders(described: Description) -> list[Path]:
    """Folders ``fold0`` …, or ``0`` … as aeon stores them, by number."""
    matches = [(_FOLD.fullmatch(f.name), f) for f in described.folder.iterdir() if f.is_dir()]
    found = sorted((int(match[1]), folder) for match, folder in matches if match)
    numbers = [k for k, _ in found]
    if numbers != list(range(len(numbers))) or len(numbers) < 2:
        shown = ", ".join(folder.name for _, folder in found) or "none"
        raise DataError(
            f"{described.folder}: found the folds {shown}, expected all of fold0, fold1, … without "
            "a gap and at least two: download the set whole"
        )
    return [folder for _, folder in found]


def _part(described: Description, folder: Path, fold: int, part: str, objects: bool) -> Part:
    file, labelled = (folder / f"{axis}_{part}_fold{fold}.npy" for axis in "xy")
    array = read_npy(file, objects)
    channels = described.joints * described.dims
    if array.dtype.kind not in "iuf":
        raise DataError(f"{file}: it holds {array.dtype} values, expected numbers")
    if array.ndim != 3 or array.shape[1:] != (channels, described.frames):
        raise DataError(
            f"{file}: its shape is {array.shape}, expected (samples, {channels}, "
            f"{described.frames}), as {INFO} says: {described.joints} joints of {described.dims} "
            f"coordinates over {described.frames} frames"
        )
    labels = read_npy(labelled, objects)
    if labels.size != len(array):
        raise DataError(f"{labelled}: {labels.size} labels for {len(array)} samples of {file.name}")
    if labels.dtype.kind not in ("iuf" if described.scored else "biufU"):
        wanted = "scores" if described.scored else "classes: numbers or words"
        raise DataError(f"{labelled}: it holds {labels.dtype} values, expected {wanted}")
    with np.errstate(over="ignore"):  # too large a number becomes infinite, and is told as that
        values = array.astype(np.float32)
    joints = values.reshape(-1, described.joints, described.dims, described.frames)
    return Part(
        file,
        joints.transpose(0, 3, 1, 2),
        [label_of(value) for value in labels.ravel().tolist()],
        [hashlib.sha256(sample.tobytes()).digest() for sample in values],
    )


def label_of(value: Any) -> Label:
    """A label as a whole number where it is one, so that 1, 1.0 and "1" are one class."""
    try:
        number = float(value)
    except ValueError:
        return str(value)
    return int(number) if number.is_integer() else number


def _check_tests(tests: Sequence[Part]) -> None:
    """No sample is tested by two folds."""
    first: dict[bytes, tuple[int, int]] = {}
    for k, test in enumerate(tests):
        for row, digest in enumerate(test.digests):
            fold, other = first.setdefault(digest, (k, row))
            if fold != k:
                raise DataError(
                    f"{test.file}: sample {row} is sample {other} of {tests[fold].file.name}: two "
                    "folds test the same sample, so what is trained for one has seen what it is "
                    "tested on. Compare the files with a fresh download; if the archive itself is "
                    "so, no honest result can be measured on these folds"
                )


def _check_training(train: Part, tests: Sequence[Part], fold: int) -> int:
    """What fold `fold` trains on is what the other folds test.

    Returns:
        How many of those samples it lacks.
    """
    own = dict(zip(tests[fold].digests, range(len(tests[fold].digests)), strict=True))
    others = [test for k, test in enumerate(tests) if k != fold]
    labels = {d: str(y) for t in others for d, y in zip(t.digests, t.labels, strict=True)}
    wanted = Counter((d, str(y)) for t in others for d, y in zip(t.digests, t.labels, strict=True))
    for row, (digest, label) in enumerate(zip(train.digests, train.labels, strict=True)):
        where = f"{train.file}: sample {row}"
        if digest in own:
            raise DataError(
                f"{where} is sample {own[digest]} of {tests[fold].file.name}: the fold is tested "
                "on what it is trained on. Compare the files with a fresh download"
            )
        if digest not in labels:
            raise DataError(
                f"{where} is tested by no fold, so nothing says whose it is. Either a fold is "
                f"missing (there are {len(tests)}: download the set whole), or the files come "
                "from different versions of the archive"
            )
        if not wanted[digest, str(label)]:
            differs = str(label) != labels[digest]
            what = f"where it is tested {labels[digest]}" if differs else "it is there too often"
            raise DataError(
                f"{where} has the label {label}, but {what}: the files do not belong together, "
                "download the set anew"
            )
        wanted[digest, str(label)] -= 1
    return wanted.total()

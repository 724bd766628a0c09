"""The published quality scores of the reduced set, where the user has them."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.data.adapters.base import PrepareReport
from zoo.data.adapters.uiprmd.tree import Repetition
from zoo.errors import DataError

SUBSET_FILE = "uiprmd_reduced_subset.json"
LABEL_FILES = {True: "Labels_Correct.csv", False: "Labels_Incorrect.csv"}
LABELLED_MOVEMENT = "m01"


@dataclass(frozen=True)
class KeptSpan:
    """A repetition of the reduced set.

    Attributes:
        start, stop: first frame and one past the last frame that the set keeps.
        full: frames of the whole repetition at Vicon's 100 Hz; start and stop count in these.
        score: published quality, 0 to 1, or None.
    """

    start: int
    stop: int
    full: int
    score: float | None

    def crop(self, frames: int) -> slice:
        """The frames to keep of the same repetition as another sensor saw it.

        The crop keeps its place as a share of the whole. The authors cut the recordings of each
        sensor by hand: against an alignment of both by motion, on m01, this is off by 0.12 s on
        average and by more than 0.37 s in one end of twenty.

        Args:
            frames: frames of the whole repetition at that sensor.
        """
        scale = frames / self.full
        return slice(round(self.start * scale), round(self.stop * scale))


def find_quality(
    labels: Path | None, otherwise: Sequence[Path], report: PrepareReport
) -> Mapping[Repetition, KeptSpan]:
    """The reduced set, from the subset and the two label files, which lie side by side.

    Args:
        labels: their folder; None looks for them in `otherwise`.
        otherwise: folders that may have them; if none does there are no scores, which is noted.
        report: told what was found.

    Returns:
        Its repetitions; none without the files.

    Raises:
        DataError: some of the files are missing, or one is malformed, or a label file and the
            subset differ in length.
    """
    names = (SUBSET_FILE, *LABEL_FILES.values())
    having = [f for f in otherwise if any((f / name).is_file() for name in names)]
    folder = labels or (having[0] if having else None)
    if folder is None:
        report.note(
            "no quality scores: recordings say right or wrong (`correct`) and have no `total`;"
            f" for the published scores of {LABELLED_MOVEMENT} put {', '.join(names)} into"
            " the source folder or name their folder with `labels`"
        )
        return {}
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise DataError(f"{folder}: {' and '.join(missing)} missing; {', '.join(names)} needed")
    scores = {correct: _read_labels(folder / name) for correct, name in LABEL_FILES.items()}
    entries = _read_subset(folder / SUBSET_FILE, scores)
    report.note(f"quality scores of {sum(map(len, scores.values()))} repetitions from {folder}")
    return entries


def _read_labels(file: Path) -> list[float]:
    scores: list[float] = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        text = line.strip().rstrip(",")
        if not text:
            continue
        try:
            score = float(text)
        except ValueError:
            score = math.nan
        if not 0 <= score <= 1:
            raise DataError(f"{file}, line {number}: found {text!r}, expected a score from 0 to 1")
        scores.append(score)
    return scores


def _read_subset(file: Path, scores: Mapping[bool, list[float]]) -> dict[Repetition, KeptSpan]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        entries: dict[Repetition, KeptSpan] = {}
        if LABELLED_MOVEMENT not in content:
            raise ValueError(f"without {LABELLED_MOVEMENT}, which the scores are of")
        for movement, sides in content.items():
            for correct in (True, False):
                rows = sides["correct" if correct else "incorrect"]
                labels = scores[correct] if movement == LABELLED_MOVEMENT else None
                if labels is not None and len(labels) != len(rows):
                    raise DataError(
                        f"{file.with_name(LABEL_FILES[correct])}: {len(labels)} scores for the "
                        f"{len(rows)} repetitions of {movement} in {file.name}; expected as many"
                    )
                for row in rows:
                    repetition, entry = _entry(movement, correct, row, labels)
                    entries[repetition] = entry
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{file}: {type(error).__name__} {error}; expected movement → correct, incorrect → "
            "list of {r, subject, episode, start, stop, full} with 0 <= start < stop <= full"
        ) from None
    return entries


def _entry(
    movement: str, correct: bool, row: Mapping[str, Any], labels: list[float] | None
) -> tuple[Repetition, KeptSpan]:
    start, stop, full, place = (int(row[key]) for key in ("start", "stop", "full", "r"))
    if not 0 <= start < stop <= full:
        raise ValueError(f"start {start}, stop {stop}, full {full}")
    if place < 1:
        raise ValueError(f"r {place}, rows are counted from 1")
    if labels is not None and place > len(labels):
        raise ValueError(f"r {place}, there are {len(labels)} scores")
    score = labels[place - 1] if labels is not None else None
    repetition = Repetition(movement, str(row["subject"]), str(row["episode"]), correct)
    return repetition, KeptSpan(start, stop, full, score)

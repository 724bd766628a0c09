"""IRDS as CSV: a row a joint, with who does what in every row."""

import csv
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from registry import register_reader
from zoo.data.adapters.base import FaultError, PrepareReport, faults_in
from zoo.data.adapters.irds import GROUPS, LABELS, SCORES, STATES
from zoo.data.readers.body import Body, PoseReader
from zoo.data.readers.text import head_of
from zoo.data.recording import Recording
from zoo.skeleton.layout import load_layout

COLUMNS = ("SubjectID", "DateID", "GestureLabel", "RepetitionNumber", "CorrectLabel", "Position",
           "JointName", "TrackingStatus", "X", "Y", "Z")  # fmt: skip
_WHO = COLUMNS[:6]
_TIMES = ("Timestamp1", "Timestamp2", "Timestamp3")

Row = tuple[int, dict[str, str]]


class _Broken(dict[str, str]):
    """A row that cannot be read: it counts to the recording of the row before it."""

    def __init__(self, before: dict[str, str], fault: FaultError) -> None:
        super().__init__(before)
        self.fault = fault


@register_reader("irds-csv")
class IrdsCsvReader(PoseReader):
    """IRDS's CSV re-issue; a file may hold one repetition or all of them, in runs of rows.

    ``SubjectID, DateID, GestureLabel, RepetitionNumber, CorrectLabel, Position, Timestamp1..3,
    JointName, TrackingStatus, X, Y, Z, X_proj, Y_proj``. Recordings are those of
    `zoo.data.adapters.irds`. The third time is milliseconds; where it is missing, fps counts.

    Args:
        layout: ``kinect-v2`` or a layout with other bones of the same joints.
        fps: frames a second; empty: by the times.
    """

    title = "IntelliRehabDS as CSV, a row a joint"
    suffixes = (".csv",)

    def __init__(self, layout: str = "kinect-v2", fps: float | None = None) -> None:
        super().__init__(layout, fps, "m", "y")

    def looks_like(self, path: Path) -> bool:
        """See `Reader.looks_like`; recognised by the header."""
        first = head_of(path, 1024).split("\n")[0] if super().looks_like(path) else ""
        return all(name in first for name in ("SubjectID", "JointName", "TrackingStatus"))

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """The recordings of a file, one at a time; a faulty one is skipped. See `Reader`."""
        seen: set[str] = set()
        skipped: list[FaultError] = []
        with faults_in(str(file)):
            for who, rows in groupby(_rows(file), key=lambda row: [row[1][n] for n in _WHO]):
                try:
                    with faults_in(str(file)):
                        body = _body(list(rows), who)
                        own = body.identity["id"]
                        if own in seen:
                            line = body.lines[0] if body.lines else None
                            raise FaultError("twice", line, f"{own} again", "its rows together")
                    recording = self.recording(body, file, report)
                except FaultError as error:
                    skipped.append(error)
                    report.skip(
                        "/".join((who[0], who[2], "_".join((who[1], *who[3:])))), error.problem
                    )
                else:
                    seen.add(own)
                    yield recording
            if not seen:
                nothing = FaultError("empty", None, "a header alone", "rows of joints")
                raise skipped[0] if skipped else nothing


def _rows(file: Path) -> Iterator[Row]:
    """Lines and cells of the rows, read as they are asked for: the whole set has 500 MB."""
    try:
        if not file.is_file():
            raise FaultError("unreadable", None, "no regular file", "a file")
        with file.open(encoding="utf-8-sig", errors="replace", newline="") as opened:
            reader = csv.DictReader(opened)
            names = [name.strip() for name in reader.fieldnames or ()]
            missing = [name for name in COLUMNS if name not in names]
            if missing:
                found = ", ".join(name[:20] for name in names[:6]) or "nothing"
                raise FaultError("header", 1, found, f"{', '.join(missing[:4])} too")
            reader.fieldnames = names
            last = dict.fromkeys(names, "")
            for row in reader:
                if None in row or None in row.values():
                    found = f"{len([v for k, v in row.items() if k and v is not None])} values"
                    fault = FaultError("row-width", reader.line_num, found, f"{len(names)}")
                    yield reader.line_num, _Broken(last, fault)
                    continue
                last = {k: (v or "").strip() for k, v in row.items()}
                yield reader.line_num, last
    except csv.Error as error:
        raise FaultError("table", None, str(error), "rows of cells") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise FaultError("unreadable", None, reason, "a readable file") from None


def _body(rows: Sequence[Row], who: Sequence[str]) -> Body:
    joints = load_layout("kinect-v2").joints
    places = {name: place for place, name in enumerate(joints)}
    for _, row in rows:
        if isinstance(row, _Broken):
            raise row.fault
    identity = _identity(who, rows[0][0])
    frames = list(_frames(rows))
    if len(frames) < 2:
        found = f"one frame of {identity['id']}"
        raise FaultError("rows", rows[0][0], found, "all rows of a repetition together")
    values = np.full((len(frames), len(joints), 3), np.nan)
    states = np.zeros((len(frames), len(joints)), dtype=np.uint8)
    times = np.full(len(frames), np.nan)
    for t, frame in enumerate(frames):
        for line, row in frame:
            place, state = places.get(row["JointName"]), STATES.get(row["TrackingStatus"])
            if place is None or state is None:
                found = f"{row['JointName'][:30]!r}, {row['TrackingStatus'][:30]!r}"
                wanted = f"a joint of kinect-v2 and {' or '.join(STATES)}"
                raise FaultError("joint-name", line, found, wanted)
            values[t, place] = [_number(row[axis], axis, line) for axis in "XYZ"]
            states[t, place] = state
        time = frame[0][1].get(_TIMES[2], "")
        times[t] = _number(time, _TIMES[2], frame[0][0]) if time else np.nan
    body = Body(joints, values, states=states, identity=identity)
    body.lines = [frame[0][0] for frame in frames]
    if np.isfinite(times).all():
        body.times, body.unit = times, "ms"
    else:
        body.fps = 30.0
        body.notes.append("no times; 30 frames a second are taken, as a Kinect v2 gives")
    return body


def _frames(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows of one frame: those of equal times in a row, or until a joint comes again."""
    frame: list[Row] = []
    seen: set[str] = set()
    stamp: tuple[str, ...] | None = None
    for line, row in rows:
        own = tuple(row.get(name, "") for name in _TIMES)
        if frame and (own != stamp or row["JointName"] in seen):
            yield frame
            frame, seen = [], set()
        frame.append((line, row))
        seen.add(row["JointName"])
        stamp = own
    yield frame


def _identity(who: Sequence[str], line: int) -> dict[str, Any]:
    subject, date, gesture, repetition, label, position = (_whole(text) for text in who)
    if subject[:1] not in GROUPS or label not in LABELS:
        found = f"person {subject[:20]!r}, label {label[:20]!r}"
        wanted = f"a person of {', '.join(GROUPS)}xx and a label of {', '.join(LABELS)}"
        raise FaultError("names", line, found, wanted)
    session = f"{date}_{repetition}_{label}_{position}"
    return {
        "id": f"{subject}/{gesture}/{session}",
        "subject": subject,
        "group": GROUPS[subject[0]],
        "exercise": gesture,
        "session": session,
        "scores": SCORES[label],
        "extra": {"label": LABELS[label], "position": position},
    }


def _whole(text: str) -> str:
    return text.removesuffix(".0")


def _number(text: str, what: str, line: int) -> float:
    try:
        return float(text)
    except ValueError:
        raise FaultError("not-a-number", line, f"{text[:40]!r} as {what}", "a number") from None

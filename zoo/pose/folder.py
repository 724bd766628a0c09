"""Videos as a folder of recordings that the zoo reads: landmarks, and a table with blank scores."""

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.data.adapters.base import FaultError
from zoo.data.adapters.description import FILE
from zoo.data.adapters.folder_files import TABLE
from zoo.data.adapters.table import read_table
from zoo.errors import ConfigError
from zoo.files import to_csv, write_atomically
from zoo.pose.tracker import Pose, Tracker
from zoo.pose.video import Video
from zoo.skeleton.layout import load_layout

COLUMNS = ("file", "person", "exercise", "group", "session", "score")
LAYOUT = "mediapipe"

_FEWEST = 10
_DESCRIPTION = """\
# Skeletons from videos, by MediaPipe Pose. Persons and scores go to recordings.csv.
title: {title}
reader: mediapipe
layout: mediapipe
scores:
  range: [0, 100] # lowest and highest possible score: yours, once there are any
  meaning: "" # who scored what, by which scale
exercises: # a title for each id in recordings.csv
  "1": {title}
licence: "" # who may use the recordings
"""


@dataclass(frozen=True)
class Written:
    """What became of one video.

    Attributes:
        video: the file.
        file: its landmarks.
        frames: how many there are.
        seen: in how many of them somebody is seen.
        seconds: how long the video is.
        ms_per_frame: what finding the landmarks took, decoding included.
        damage: what could not be decoded; empty for a sound video.
    """

    video: Path
    file: Path
    frames: int
    seen: int
    seconds: float
    ms_per_frame: float
    damage: str


def require_apart(videos: Sequence[Path]) -> None:
    """Refuse videos that would be written to one file.

    Raises:
        ConfigError: two have the same name without its ending.
    """
    name, count = Counter(video.stem.casefold() for video in videos).most_common(1)[0]
    if count > 1:
        raise ConfigError(f"{count} videos are called {name}: recordings are named after them")


def write_landmarks(
    video: Path,
    folder: Path,
    tracker: Tracker,
    *,
    fps: float | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Written:
    """Find the person in every frame of a video; write ``NAME.csv`` and a row of the table.

    Args:
        video: the file.
        folder: of the recordings; made if need be.
        tracker: follows the person; what it knows of another video is forgotten.
        fps: take no more frames a second than these.
        progress: called with frames done and, where known, about how many there are.

    Raises:
        FaultError: it is no video, or nobody is seen in it long enough.
        OSError, StorageError: the folder cannot be written.
    """
    tracker.forget()
    opened, begun = Video(video, fps), time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)  # what cannot be written is told before the work
    poses: list[Pose | None] = []
    times: list[float] = []
    for frame in opened:
        poses.append(tracker(frame.picture, frame.seconds))
        times.append(frame.seconds)
        progress(len(poses), opened.expected)
    seen = sum(pose is not None for pose in poses)
    if seen < _FEWEST:
        found = f"a person in {seen} of {len(poses)} frames"
        found += f"; it {opened.damage}" if opened.damage else ""
        wanted = f"one whole person in sight in {_FEWEST} frames or more"
        raise FaultError("nobody-seen", None, found, wanted, str(video))
    took = 1000 * (time.perf_counter() - begun) / len(poses)
    file = folder / f"{video.stem}.csv"
    write_atomically(file, landmarks_csv(times, poses).encode())
    _enter(folder, file.name)
    return Written(video, file, len(poses), seen, times[-1], took, opened.damage)


def landmarks_csv(times: Sequence[float], poses: Sequence[Pose | None]) -> str:
    """World landmarks as the reader ``mediapipe`` reads them; empty cells where nobody is seen."""
    names = load_layout(LAYOUT).joints
    header = [
        "time",
        *(f"world_{name}_{part}" for name in names for part in ("x", "y", "z", "visibility")),
    ]
    rows = []
    for seconds, pose in zip(times, poses, strict=True):
        cells = [""] * (len(header) - 1)
        if pose is not None:
            values = np.concatenate([pose.world, pose.visibility[:, None]], axis=1)
            cells = [f"{value:.5f}" for value in values.ravel()]
        rows.append([f"{seconds:.4f}", *cells])
    return to_csv(header, rows)


def _enter(folder: Path, name: str) -> None:
    """A row for a recording, unless there is one, and the description, unless there is one."""
    table = folder / TABLE
    header: list[str] = list(COLUMNS)
    rows: list[list[str]] = []
    if table.exists():
        known = read_table(table)
        header = list(known.columns)
        rows = [[row.cells.get(column, "") for column in header] for row in known.rows]
    at = header.index("file")
    if name not in (row[at] for row in rows):
        rows.append([name if column == "file" else "" for column in header])
        write_atomically(table, to_csv(header, rows).encode())
    description = folder / FILE
    if not description.exists():
        title = json.dumps(folder.resolve().name, ensure_ascii=False)
        write_atomically(description, _DESCRIPTION.format(title=title).encode())

"""Small hand-made KIMORE trees in the published form; used through the fixture `make_kimore`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# Kinect's joint hierarchy, hung on the pelvis.
PARENTS = [-1, 0, 20, 2, 20, 4, 5, 6, 20, 8, 9, 10, 0, 12, 13, 14, 0, 16, 17, 18, 1, 7, 7, 11, 11]
END_JOINTS = [3, 15, 19, 21, 22, 23, 24]
GROUPS = {
    "E": "CG/Expert",
    "NE": "CG/NotExpert",
    "B": "GPP/BackPain",
    "P": "GPP/Parkinson",
    "S": "GPP/Stroke",
}
HEADER = ["Subject ID"] + [f"clinical {s} Ex#{i}" for s in ("TS", "PO", "CF") for i in range(1, 6)]
STAMP = "010118_120000"


def random_positions(frames: int, seed: int) -> NDArray[np.float64]:
    """A wobbling body (T, 25, 3) with bones of about 0.3 m, rounded as in the files."""
    rng = np.random.default_rng(seed)
    offsets = rng.normal(size=(25, 3))
    upper, lower = [1, 2, 3, 20], range(12, 20)  # the head is above, the feet are below
    offsets[upper, 1] = 2 + np.abs(offsets[upper, 1])
    offsets[lower, 1] = -2 - np.abs(offsets[lower, 1])
    offsets *= 0.3 / np.linalg.norm(offsets, axis=1, keepdims=True)
    wobble = rng.normal(scale=0.01, size=(frames, 25, 3))
    positions = np.zeros((frames, 25, 3))
    pending = sorted(range(25), key=_depth)
    for joint in pending:
        parent = PARENTS[joint]
        base = np.array([0.0, 0.2, 2.4]) if parent < 0 else positions[:, parent]
        positions[:, joint] = base + offsets[joint] + wobble[:, joint]
    return positions.round(5)


def bone_quaternions(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quaternions w, x, y, z (T, 25, 4) that turn (0, 1, 0) into the bones; zeros at the ends."""
    quaternions = np.zeros((len(positions), 25, 4))
    quaternions[:, 0, 0] = 1
    for joint in range(1, 25):
        bone = positions[:, joint] - positions[:, PARENTS[joint]]
        bone = bone / np.linalg.norm(bone, axis=1, keepdims=True)
        turn = np.concatenate([1 + bone[:, 1:2], np.cross([0.0, 1.0, 0.0], bone)], axis=1)
        quaternions[:, joint] = turn / np.linalg.norm(turn, axis=1, keepdims=True)
    quaternions[:, END_JOINTS] = 0
    return quaternions


def write_rows(path: Path, rows: NDArray[np.float64], blank: int = 24, end: str = ",") -> Path:
    """Rows as published: blank lines first, a comma after each row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [",".join(f"{value:.9g}" for value in row) + end for row in rows]
    path.write_text("\n" * blank + "\n".join(lines) + "\n")
    return path


def _depth(joint: int) -> int:
    return 0 if PARENTS[joint] < 0 else 1 + _depth(PARENTS[joint])


class KimoreMaker:
    """Writes a tree below `root`.

    Args:
        root: becomes the folder with CG and GPP.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    rows = staticmethod(write_rows)

    def es(self, subject: str, exercise: int) -> Path:
        group = GROUPS[subject.partition("_")[0]]
        return self.root / group / subject / f"Es{exercise}"

    def positions(self, subject: str, exercise: int) -> Path:
        return self.es(subject, exercise) / "Raw" / f"JointPosition{STAMP}.csv"

    def orientations(self, subject: str, exercise: int) -> Path:
        return self.es(subject, exercise) / "Raw" / f"JointOrientation{STAMP}.csv"

    def timestamps(self, subject: str, exercise: int) -> Path:
        return self.es(subject, exercise) / "Raw" / f"TimeStamp{STAMP}.csv"

    def label(self, subject: str, exercise: int) -> Path:
        return self.es(subject, exercise) / "Label" / f"ClinicalAssessment_{subject}.xlsx"

    def session(
        self,
        subject: str = "E_ID1",
        exercise: int = 1,
        frames: int = 6,
        *,
        seed: int = 0,
        order: str = "wxyz",
        copies: int = 1,
    ) -> Path:
        """One sound session; rows repeat the skeleton `copies` times."""
        positions = random_positions(frames, seed)
        states = np.full((frames, 25, 1), 2.0)
        states[0, 7] = 1
        rows = np.concatenate([positions, states], axis=2).reshape(frames, 100)
        write_rows(self.positions(subject, exercise), np.tile(rows, copies))
        quaternions = bone_quaternions(positions)
        if order == "xyzw":
            quaternions = quaternions[..., [1, 2, 3, 0]]
        rows = quaternions.reshape(frames, 100)
        write_rows(self.orientations(subject, exercise), np.tile(rows, copies))
        self.workbook(self.label(subject, exercise), subject)
        return self.es(subject, exercise)

    def person(self, subject: str, frames: int = 6, seed: int = 0) -> None:
        """All five sessions of one person."""
        for exercise in range(1, 6):
            self.session(subject, exercise, frames, seed=seed + exercise)

    def workbook(
        self,
        path: Path,
        subject: str,
        total: Sequence[object] = (40.0, 41.0, 42.0, 43.0, 44.0),
        primary: Sequence[object] = (10.0, 11.0, 12.0, 13.0, 14.0),
        control: Sequence[object] = (30.0, 30.0, 30.0, 30.0, 30.0),
        header: Sequence[object] = tuple(HEADER),
        sheets_before: int = 0,
    ) -> Path:
        """A workbook with the scores of one person."""
        from openpyxl import Workbook

        book = Workbook()
        sheet = book.active
        for number in range(sheets_before):
            sheet.append([f"notes {number}"])
            sheet = book.create_sheet()
        sheet.append(list(header))
        sheet.append([subject, *total, *primary, *control])
        path.parent.mkdir(parents=True, exist_ok=True)
        book.save(path)
        return path

    @staticmethod
    def edit(path: Path, line: int, change: "str | None") -> None:
        """Replaces one line (from 1) of a text file, or takes it out."""
        lines = path.read_text().split("\n")
        lines[line - 1 : line] = [] if change is None else [change]
        path.write_text("\n".join(lines))

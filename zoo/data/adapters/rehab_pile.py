"""Rehab-Pile: sets of skeleton sequences from eight datasets, with published folds across people.

Ismail-Fawaz, Devanne, Berretti, Weber, Forestier: Deep Learning for Skeleton Based Human Motion
Rehabilitation Assessment: A Benchmark. arXiv 2507.21018, 2025. A set is a folder with ``info.json``
and, per fold, arrays (samples, joints × coordinates, frames) and labels of training and test. The
archive names neither joints nor people, and gives neither units nor a frame rate.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np

from registry import LAYOUTS, UserError
from zoo.data.adapters.base import Adapter, PrepareReport, Problem, Progress
from zoo.data.adapters.npy_files import ObjectArrayError
from zoo.data.adapters.rehab_pile_set import (
    Description,
    Label,
    Part,
    find_set,
    label_of,
    read_folds,
)
from zoo.data.recording import Recording
from zoo.errors import ConfigError, DataError, LayoutError
from zoo.skeleton.layout import Layout, load_layout


class RehabPileAdapter(Adapter):
    """Reads one set of Rehab-Pile, scores or classes.

    Every sample is tested by one fold, so a recording is a sample of a fold's test part: id
    ``KIMORE_reg_LA/fold0-003``. The archive does not say who performs, but promises that its folds
    part people: `Recording.subject` is ``fold0``, all people whom fold 0 tests, so that
    ``leave-one-person-out`` is the published split and no protocol parts them. Where a set leaves
    one person out a fold, that is the person.

    Args:
        layout: the skeleton's layout; the archive numbers its joints and names none. Its number
            of joints must be the set's.
        right: the class that is right, for a set of classes; the archive does not say which.
            ``total`` is 1 for it and 0 for every other; ``extra`` holds the class as ``label``.
        objects: ``refuse`` files of pickled Python objects, or read them as ``plain`` numbers,
            see `zoo.data.adapters.npy_files`.
        fps: frames a second to write down. Sequences were brought to one length, so none is right.

    Raises:
        ConfigError: a parameter is out of range.
    """

    name = "rehab-pile"
    version = 1
    metric = False

    def __init__(
        self,
        layout: str | None = None,
        right: Label | None = None,
        objects: Literal["refuse", "plain"] = "refuse",
        fps: float = 30.0,
    ) -> None:
        if not 0 < fps < float("inf"):
            raise ConfigError(f"dataset.fps is {fps!r}, expected a number above 0")
        self._layout = layout
        self._right = None if right is None else label_of(right)
        self._objects = objects == "plain"
        self._set: Description | None = None
        self.fps = float(fps)

    def look(self, source: Path | None) -> None:
        """Sets layout, scores and exercise from the set's description; see `Adapter.look`.

        Raises:
            DataError: there is no set, or its skeleton is not told or another one.
        """
        assert source is not None
        described = find_set(source)
        if self._layout is None:
            raise DataError(_ask_for_layout(described))
        layout = load_layout(self._layout)
        if layout.num_joints != described.joints:
            raise DataError(
                f"{described.folder}: it has {described.joints} joints, the layout {layout.name} "
                f"{layout.num_joints}. {_fitting(described)}"
            )
        if described.scored and self._right is not None:
            raise ConfigError(
                f"dataset.right is {self._right!r}, but {described.name} holds scores, not classes"
            )
        self._set = described
        self.layout = layout.name
        self.score_range = (0.0, described.max_score)
        self.binary = not described.scored
        self.exercises = {described.exercise: described.name}

    def read(
        self, source: Path | None, report: PrepareReport, progress: Progress
    ) -> Iterator[Recording]:
        """See `Adapter.read`; recordings come by fold and row."""
        described = self._set
        assert described is not None, "look() comes first"
        try:
            tests, notes = read_folds(described, self._objects)
        except ObjectArrayError as error:
            raise DataError(
                f"{error}, so it is refused. objects=plain reads such files as plain numbers, "
                "without running anything, and refuses what else is in them: put it behind the "
                "command. Do not convert them with numpy.load(..., allow_pickle=True) unless you "
                "trust where they come from"
            ) from None
        notes += _oddities(described, load_layout(self.layout), len(tests))
        for note in notes:
            report.note(note)
        if not described.scored:
            self._check_right(described, tests)
        samples = [(fold, row) for fold, t in enumerate(tests) for row in range(len(t.labels))]
        for done, (fold, row) in enumerate(samples, start=1):
            recording = self._recording(described, tests[fold], fold, row, report)
            if recording is not None:
                yield recording
            progress(done, len(samples), f"{described.name}, fold {fold}")

    def _recording(
        self, described: Description, test: Part, fold: int, row: int, report: PrepareReport
    ) -> Recording | None:
        session = f"fold{fold}-{row:03d}"
        key = f"{described.name}/{session}"
        shown = test.file.relative_to(described.folder).as_posix()
        positions, label = test.positions[row], test.labels[row]
        bad = np.argwhere(~np.isfinite(positions))
        if len(bad):
            frame, joint, axis = bad[0]
            value = positions[frame, joint, axis]
            found = f"{value} in sample {row}, joint {joint}, frame {frame}"
            report.skip(key, Problem("not-a-number", shown, None, found, "finite numbers"))
            return None
        total = self._total(described, label)
        if total is None:
            expected = (
                f"a score from 0 to {described.max_score:g}" if described.scored else "a class"
            )
            shown = shown.replace("x_test", "y_test")
            problem = Problem("label", shown, None, f"{label} for sample {row}", expected)
            report.fault(key, problem)
        return Recording(
            id=key,
            subject=f"fold{fold}",
            group="",
            exercise=described.exercise,
            session=session,
            layout=self.layout,
            fps=self.fps,
            # A flat skeleton gets a third coordinate of 0.
            positions=np.pad(positions, [(0, 0), (0, 0), (0, 3 - described.dims)]),
            scores={} if total is None else {"total": total},
            extra={} if described.scored else {"label": str(label)},
        )

    def _total(self, described: Description, label: Label) -> float | None:
        """The target; None where there is none."""
        if described.scored:
            return float(label) if 0 <= float(label) <= described.max_score else None
        return None if label != label else float(label == self._right)

    def _check_right(self, described: Description, tests: list[Part]) -> None:
        counts = Counter(label for test in tests for label in test.labels)
        if self._right in counts:
            return
        shown = ", ".join(f"{label} ({counts[label]} samples)" for label in sorted(counts, key=str))
        what = (
            "the archive does not say which class is right"
            if self._right is None
            else f"there is no class {self._right!r}"
        )
        raise DataError(
            f"{described.folder}: {what}. Its classes are {shown}: look it up in the dataset that "
            "the set was made of, and put right=CLASS behind the command"
        )


def _oddities(described: Description, layout: Layout, folds: int) -> list[str]:
    notes = [
        f"the archive does not say who performs: a person here is everybody whom one of the "
        f"{folds} published folds tests",
        "the archive gives neither units nor a frame rate; coordinates are as published",
    ]
    if described.dims == 2:
        notes.append("the skeleton is flat; its third coordinate is 0")
    bones = {frozenset(bone) for bone in layout.bones}
    differ = sorted(sorted(bone) for bone in bones ^ described.bones)
    if described.bones and differ:
        one = differ[0]
        has = layout.name if frozenset(one) in bones else "info.json"
        notes.append(
            f"the bones of {layout.name} are not those of kinematic_tree in info.json: "
            f"{len(differ)} differ; {has} alone joins {one[0]} and {one[1]}"
        )
    return notes


def _ask_for_layout(described: Description) -> str:
    wanted = f"rehab_pile_{described.joints}"
    asked = (
        f"{described.folder}: the archive numbers its {described.joints} joints and does not name "
        f"them. Say which skeleton it is: layout=NAME behind the command. {_fitting(described)}"
    )
    try:
        layout = numbered_layout(wanted, described)
    except LayoutError as error:
        return f"{asked}. No layout can be made of info.json itself: {error}"
    rows = "\n".join(
        f"  - {{name: {row['name']}, parent: {row['parent'] or 'null'}}}"
        for row in layout.to_config()["joints"]
    )
    return (
        f"{asked}. Or use the joints by number, with the bones of info.json: save these lines as "
        f'DIR/layout/{wanted}.yaml, and add registry.use_config_dir("DIR") and layout={wanted}\n\n'
        f"title: {layout.title}\nsource: {layout.source}\njoints:\n{rows}"
    )


def numbered_layout(name: str, described: Description) -> Layout:
    """The skeleton of ``kinematic_tree`` with its joints by number; the first one is the root.

    Raises:
        LayoutError: there is no ``kinematic_tree``, or it is not one tree of all joints.
    """
    if not described.chains or not described.chains[0]:
        raise LayoutError("it has no kinematic_tree")
    if len(described.bones) != described.joints - 1:
        raise LayoutError(
            f"its kinematic_tree has {len(described.bones)} bones, a tree of {described.joints} "
            f"joints has {described.joints - 1}"
        )
    parents, open_ends = {described.chains[0][0]: -1}, [described.chains[0][0]]
    while open_ends:
        joint = open_ends.pop()
        for bone in described.bones:
            for other in bone - {joint} if joint in bone else ():
                if other not in parents:
                    parents[other] = joint
                    open_ends.append(other)
    if len(parents) < described.joints:
        raise LayoutError("its kinematic_tree does not hang together")
    return Layout(
        name,
        tuple(f"joint{j:02d}" for j in range(described.joints)),
        tuple(parents[j] for j in range(described.joints)),
        title=f"Rehab-Pile, {described.joints} joints by number",
        source=f"kinematic_tree of {described.name}/info.json (arXiv 2507.21018)",
    )


def _fitting(described: Description) -> str:
    """Which registered layouts have as many joints, and whether their bones agree."""
    found = []
    for entry in LAYOUTS.entries():
        try:
            layout = load_layout(entry.name)
        except UserError:
            continue  # a broken layout is told to whoever asks for it
        if layout.num_joints == described.joints:
            same = {frozenset(bone) for bone in layout.bones} == described.bones
            found.append(f"{layout.name} ({'the same' if same else 'other'} bones)")
    if not found:
        return f"No layout here has {described.joints} joints"
    return f"As many joints have {', '.join(found)}; equal bones do not prove equal joints"

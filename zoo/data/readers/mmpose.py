"""OpenMMLab's skeletons: MMPose's JSON results, and the pickles of MMAction2 and PYSKL."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from registry import register_reader
from zoo.data.adapters.base import FaultError, PrepareReport, faults_in
from zoo.data.adapters.npy_files import read_pickle
from zoo.data.readers.body import Body, PoseReader, numbered
from zoo.data.readers.people import chosen, named
from zoo.data.readers.text import head_of, number, read_json
from zoo.data.recording import Recording
from zoo.errors import DataError
from zoo.skeleton.layout import load_layout

Floats = NDArray[np.float64]

LAYOUTS = {(17, 2): "coco", (17, 3): "human36m", (26, 2): "halpe26", (25, 3): "kinect-v2",
           (18, 2): "openpose-coco18", (133, 2): "coco"}  # fmt: skip
"""By joints and coordinates, where the file has no names: as OpenMMLab has them."""


@register_reader("mmpose")
class MMPoseReader(PoseReader):
    """The JSON that MMPose's inferencer and demos write (``instance_info``).

    Names of the joints come from the file (``meta_info``), or from their number: 17 in a picture
    are COCO's, 17 in space Human3.6M's (z up), 26 Halpe's. Of several people the one is kept who
    is in sight and moves most, told as a note.

    Args:
        layout: see `PoseReader`; empty: by the joints.
        fps: frames a second; the file does not tell.
        units: see `PoseReader`.
        up: see `PoseReader`; empty: ``-y`` of a picture, z in space.
    """

    title = "MMPose, one JSON file of results"
    suffixes = (".json",)
    up_in_space = "z"

    def __init__(
        self, layout: str = "", fps: float | None = None, units: str = "", up: str = ""
    ) -> None:
        super().__init__(layout, fps, units, up)

    def looks_like(self, path: Path) -> bool:
        """See `Reader.looks_like`; recognised by its keys."""
        head = head_of(path) if super().looks_like(path) else ""
        results = '"keypoint_scores"' in head and '"keypoints"' in head
        return '"instance_info"' in head or '"keypoint_id2name"' in head or results

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """One recording; see `Reader.read_file`."""
        with faults_in(str(file)):
            value = read_json(file)
            meta = value.get("meta_info") if isinstance(value, Mapping) else None
            frames = value.get("instance_info") if isinstance(value, Mapping) else value
            if not isinstance(frames, list) or not frames:
                raise FaultError("mmpose", None, "no frames", "instance_info with frames")
            if any(isinstance(f, Mapping) and "instances" in f for f in frames):
                people = [_instances(f, i) for i, f in enumerate(frames)]
                numbers = [_frame_number(f, i) for i, f in enumerate(frames)]
            else:
                raise FaultError("mmpose", None, "people of one picture", "frames of a video")
            shapes = {points.shape for persons in people for points, _ in persons}
            if len(shapes) != 1:
                found = f"{len(shapes)} kinds of skeletons" if shapes else "nobody in any frame"
                raise FaultError("joints", None, found, "people of one skeleton")
            joints, width = shapes.pop()
            values, notes = chosen(named(people), joints, width)
            names = _names(meta, joints, width - 1)
            body = Body(names, values[..., :-1], values[..., -1], notes=notes)
            body = numbered(body, numbers)
        yield self.recording(body, file, report)


@register_reader("mmaction")
class MMActionReader(PoseReader):
    """A pickle of MMAction2 or PYSKL: every annotation is a recording.

    The pickle is taken apart and never run, see `zoo.data.adapters.npy_files`. Ids are
    ``FILE/frame_dir``; ``label`` and the ``split`` an annotation is in are kept in ``extra``.

    Args:
        layout: see `PoseReader`; empty: ``coco`` of 17 joints in a picture, ``kinect-v2`` of 25 in
            space.
        fps: frames a second; the file does not tell.
        units: see `PoseReader`.
        up: see `PoseReader`.
    """

    title = "MMAction2 and PYSKL, a pickle of annotations"
    suffixes = (".pkl", ".pickle")

    def __init__(
        self, layout: str = "", fps: float | None = None, units: str = "", up: str = ""
    ) -> None:
        super().__init__(layout, fps, units, up)

    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """The recordings of a pickle; one that is faulty is skipped. See `Reader.read_file`."""
        with faults_in(str(file)):
            try:
                value = read_pickle(file)
            except DataError as error:
                text = str(error).removeprefix(f"{file}: ")
                raise FaultError("pickle", None, text, "annotations of arrays") from None
            whole = isinstance(value, Mapping) and "annotations" in value
            annotations = value["annotations"] if whole else value
            if isinstance(annotations, Mapping) and "keypoint" in annotations:
                annotations = [annotations]
            if not isinstance(annotations, list) or not annotations:
                raise FaultError("pickle", None, type(annotations).__name__, "annotations")
            splits = _splits(value.get("split") if whole else None)
        skipped: list[FaultError] = []
        for i, annotation in enumerate(annotations):
            named = isinstance(annotation, Mapping) and "frame_dir" in annotation
            own = str(annotation["frame_dir"]) if named else str(i)
            key = f"{file.stem}/{own}"
            try:
                with faults_in(str(file)):
                    body = _annotated(annotation, i)
                body.identity = {
                    "id": key,
                    "session": own,
                    "extra": _extra(annotation, splits, own),
                }
                recording = self.recording(body, file, report)
            except FaultError as error:
                skipped.append(error)
                report.skip(key, error.problem)
            else:
                yield recording
        if len(skipped) == len(annotations):
            raise skipped[0]


def _instances(frame: Any, at: int) -> list[tuple[Floats, Hashable]]:
    """People of a frame: joints (J, D + 1), the last the confidence, and their track."""
    people = frame.get("instances") if isinstance(frame, Mapping) else None
    if not isinstance(people, list):
        raise FaultError("mmpose", None, f"no instances in frame {at}", "a list of instances")
    found = []
    for person in people:
        points = person.get("keypoints") if isinstance(person, Mapping) else None
        if (
            not isinstance(points, list)
            or not points
            or not all(
                isinstance(p, list) and len(p) in (2, 3) and len(p) == len(points[0])
                for p in points
            )
        ):
            raise FaultError("mmpose", None, f"no keypoints in frame {at}", "[[x, y], …]")
        values = np.array([[number(n) for n in p] for p in points])
        scores = person.get("keypoint_scores")
        if scores is None:
            scores = [1.0] * len(points)
        if not isinstance(scores, list) or len(scores) != len(points):
            raise FaultError("mmpose", None, f"other scores in frame {at}", "one a keypoint")
        seen = np.array([number(s[0] if isinstance(s, list) and s else s) for s in scores])
        track = person.get("track_id")
        values[~(seen > 0)] = np.nan
        found.append((np.c_[values, seen], track if type(track) in (int, str) else None))
    return found


def _frame_number(frame: Mapping[str, Any], at: int) -> int:
    own = frame.get("frame_id", at)
    if type(own) is not int or not 0 <= own < 2**40:
        raise FaultError("mmpose", None, f"{str(own)[:40]!r} as frame_id", "a number")
    return own


def _names(meta: Any, joints: int, dimensions: int) -> tuple[str, ...]:
    """Names of the joints: from the file, else by their number."""
    names = meta.get("keypoint_id2name") if isinstance(meta, Mapping) else None
    if isinstance(names, Mapping) and all(str(j) in names for j in range(joints)):
        return tuple(str(names[str(j)]) for j in range(joints))
    if isinstance(names, list) and len(names) == joints:
        return tuple(map(str, names))
    known = LAYOUTS.get((joints, dimensions))
    if known is None:
        found = f"{joints} joints of {dimensions} coordinates without names"
        wanted = " or ".join(f"{j} of {d}" for j, d in LAYOUTS)
        raise FaultError("joints", None, found, wanted)
    return (*load_layout(known).joints, *(f"#{j}" for j in range(joints)))[:joints]


def _annotated(annotation: Any, at: int) -> Body:
    """The person of an annotation."""
    points = annotation.get("keypoint") if isinstance(annotation, Mapping) else None
    if not isinstance(points, np.ndarray) or points.dtype.kind not in "iuf" or points.ndim != 4:
        shape = getattr(points, "shape", None)
        found = f"keypoint of the shape {shape}" if shape is not None else "no array keypoint"
        wanted = "numbers (people, frames, joints, 2 or 3)"
        raise FaultError("annotation", None, f"{found} in annotation {at}", wanted)
    people, frames, joints, width = points.shape
    if width not in (2, 3) or not people or not joints:
        wanted = "(people, frames, joints, 2 or 3)"
        raise FaultError("annotation", None, f"keypoint of the shape {points.shape}", wanted)
    values = points.astype(np.float64)
    scores = annotation.get("keypoint_score")
    if scores is None:
        seen = np.ones(values.shape[:3])
    elif not isinstance(scores, np.ndarray) or scores.shape != values.shape[:3]:
        found = f"keypoint_score of the shape {getattr(scores, 'shape', None)}"
        raise FaultError("annotation", None, found, f"{values.shape[:3]}")
    else:
        seen = np.nan_to_num(scores.astype(np.float64))
    values[~(seen > 0) | (values == 0).all(-1)] = np.nan
    both = np.concatenate([values, seen[..., None]], axis=-1)
    in_frames = [
        {m: both[m, t] for m in range(people) if np.isfinite(values[m, t]).any()}
        for t in range(frames)
    ]
    chosen_values, notes = chosen(in_frames, joints, width + 1)
    names = _names(None, joints, width)
    return Body(names, chosen_values[..., :-1], chosen_values[..., -1], notes=notes)


def _extra(
    annotation: Mapping[str, Any], splits: Mapping[str, list[str]], own: str
) -> dict[str, Any]:
    label = annotation.get("label")
    found: dict[str, Any] = {} if label is None else {"label": _plain(label)}
    return {**found, "split": splits[own]} if own in splits else found


def _splits(split: Any) -> dict[str, list[str]]:
    """For every ``frame_dir`` the splits that it is in."""
    found: dict[str, list[str]] = {}
    if isinstance(split, Mapping):
        for name, members in split.items():
            for member in members if isinstance(members, Sequence) else ():
                found.setdefault(str(member), []).append(str(name))
    return found


def _plain(label: Any) -> Any:
    return label.item() if isinstance(label, np.generic) else label

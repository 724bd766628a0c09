"""KERAAL: patients with low-back pain and healthy people do three exercises, right or wrong.

Nguyen, Devanne, Remy-Neris, Lempereur, Thépaut: A Medical Low-Back Pain Physical Rehabilitation
Dataset for Human Body Movement Analysis. IJCNN 2024, arXiv 2407.00521. Names, columns and
annotations are read as github.com/nguyensmai/KeraalDataset describes them (doc, annotate_videos and
the reader in evaluation_mouvements_lstm_python).
"""

import re
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import numpy as np

from registry import register_reader
from zoo.data.adapters.base import FaultError
from zoo.data.adapters.kimore_frames import read_orientations
from zoo.data.adapters.named_files import Loaded, NamedFilesAdapter, folders_within, text_files
from zoo.data.adapters.rows import Rows, read_spaced_rows
from zoo.data.adapters.uiprmd.motion import vicon_axes
from zoo.data.recording import Identity
from zoo.errors import ConfigError

EXERCISES = {"CTK": "hiding the face", "ELK": "stretching the flank", "RTK": "rotating the torso"}
GROUPS = {"1": "patient", "2": "healthy", "3": "healthy, errors simulated"}
"""Group of people by the number in their files' names."""

_NAME = re.compile(r"G([123])([AB]?)-(Kinect|Vicon)-(CTK|ELK|RTK)-(.+)-([^-]+)\.txt", re.IGNORECASE)
_SIMULATED = re.compile(r"P(\d+)T(\d+)-[^-]+-(C|E\d+B\d+)", re.IGNORECASE)
_VALUES = 7  # x, y, z and a quaternion
_DEPTH = 4
_MOST_BYTES = 10_000_000


@register_reader("keraal")
class KeraalAdapter(NamedFilesAdapter):
    """KERAAL by Kinect v2: positions in metres and orientations.

    ``total`` is 1 for a right performance and 0 for a wrong one. People of group 3 simulate
    errors, and the name of a file says which; patients (1A) and healthy people (2A) are labelled
    by two annotators; 1B and 2B are not labelled and kept without a total. ``extra`` holds the
    ``label`` as published and, where somebody gave it, the ``annotator``.

    A recording of group 3 has the id ``G3-P1/CTK/T1-C-0`` (participant, exercise, trial, label,
    number), one of the others ``G1-R1-Brest/CTK/1A-022`` (group and subject, exercise, subgroup,
    number). People of 1A and 1B, or 2A and 2B, with one id are one person.

    The description says that quaternions stand as x, y, z, w; in the published samples w comes
    first. The order is found from the bones, as for KIMORE. A recording whose quaternions are
    faulty keeps its positions.

    Args:
        annotator: ``A`` or ``B``, whose labels of groups 1A and 2A are taken.
    """

    name = "keraal"
    version = 1
    layout = "kinect-v2"
    title = "KERAAL"
    fps = 30.0
    score_range = (0.0, 1.0)
    binary = True
    exercises = EXERCISES
    healthy = (GROUPS["2"],)
    example = "group3/kinect/CTK/G3-Kinect-CTK-P1T1-Unknown-C-0.txt"

    sensor = "Kinect"
    joints = 25

    def __init__(self, annotator: Literal["A", "B"] = "A") -> None:
        self.annotator = annotator

    def _files(self, source: Path) -> list[Path]:
        mine = f"-{self.sensor}-".casefold()
        folders = folders_within(source, _DEPTH)
        return [f for folder in folders for f in text_files(folder) if mine in f.name.casefold()]

    def _named(self, file: Path) -> Identity | None:
        match = _NAME.fullmatch(file.name)
        if match is None or match[3].casefold() != self.sensor.casefold():
            return None
        group, half, _, exercise, who, number = match.groups()
        exercise, half = exercise.upper(), half.upper()
        if group != "3":
            subject, session = f"G{group}-{who}", f"{group}{half}-{number}"
            return Identity(
                f"{subject}/{exercise}/{session}", subject, GROUPS[group], exercise, session
            )
        simulated = _SIMULATED.fullmatch(who)
        if simulated is None:
            return None
        person, trial, label = simulated.groups()
        subject, session = f"G3-P{person}", f"T{trial}-{label.upper()}-{number}"
        return Identity(
            id=f"{subject}/{exercise}/{session}",
            subject=subject,
            group=GROUPS[group],
            exercise=exercise,
            session=session,
            scores={"total": float(label.upper() == "C")},
            extra={"label": label.upper()},
        )

    def _load(self, file: Path) -> Loaded:
        rows = read_spaced_rows(file, self.joints * _VALUES)
        loaded = self._motion(rows)
        loaded.faults.extend([rows.broken] if rows.broken else [])
        match = _NAME.fullmatch(file.name)
        if match is not None and match[1] in "12" and match[2].upper() == "A":
            try:
                label = _annotation(file, self.annotator)
            except FaultError as error:
                loaded.faults.append(error)
            else:
                loaded.scores["total"] = float(label == "Correct")
                loaded.extra.update(label=label, annotator=self.annotator)
        return loaded

    def _motion(self, rows: Rows) -> Loaded:
        values = rows.values.reshape(-1, self.joints, _VALUES)
        positions = np.ascontiguousarray(values[..., :3])
        loaded = Loaded({"positions": positions})
        turned = Rows(values[..., 3:].reshape(len(values), -1), rows.lines, rows.widths)
        try:
            loaded.arrays["orientations"], _ = read_orientations(turned, positions)
        except FaultError as error:
            loaded.faults.append(error)
        return loaded


@register_reader("keraal-vicon")
class KeraalViconAdapter(KeraalAdapter):
    """KERAAL by Vicon, group 3 alone: the positions of 17 targets in metres.

    Recordings and labels are those of `KeraalAdapter`. Axes become those of a Kinect before the
    person, see `vicon_axes`: in the published samples people look along +x, with the left hand
    towards +y and z up, in millimetres. Orientations are not kept: nothing tells the order of
    their numbers.

    Args:
        annotator: ``A`` or ``B``; nobody annotated group 3, so it changes nothing.
        fps: frames a second. Not published; the two published samples have about twice as many
            frames as the Kinect's of the same movement.
    """

    name = "keraal-vicon"
    layout = "keraal-vicon"
    example = "group3/vicon/ELK/G3-Vicon-ELK-P1T1-Unknown-C-0.txt"

    sensor = "Vicon"
    joints = 17

    def __init__(self, annotator: Literal["A", "B"] = "A", fps: float = 60.0) -> None:
        super().__init__(annotator)
        if not 1 <= fps <= 1000:
            raise ConfigError(f"dataset.fps is {fps!r}, expected a number from 1 to 1000")
        self.fps = float(fps)

    def _motion(self, rows: Rows) -> Loaded:
        values = rows.values.reshape(-1, self.joints, _VALUES)[..., :3].astype(np.float64)
        return Loaded({"positions": vicon_axes(values).astype(np.float32)})


def _annotation(file: Path, annotator: str) -> str:
    """The global evaluation in the annotation of a recording: ``Correct`` or another word.

    The folder ``annotatorA`` (``annotator`` in the sample of 2022) lies beside the recording's
    folder ``kinect``; an annotation's name is that of the recording without the sensor, and ends
    with ``.anvil``.

    Raises:
        FaultError: there is none, or it says nothing.
    """
    sensor = _NAME.fullmatch(file.name)
    assert sensor is not None
    name = f"{file.stem[: sensor.start(3)]}{file.stem[sensor.end(3) + 1 :]}.anvil"
    wanted = f"annotator{annotator}/{name}"
    group = next((f.parent for f in file.absolute().parents if f.name.casefold() == "kinect"), None)
    folders = [] if group is None else [group / f"annotator{annotator}", group / "annotator"]
    found = [f for folder in folders if folder.is_dir() for f in sorted(folder.rglob(name))]
    if not found:
        raise FaultError(
            "no-annotation", None, "no annotation", f"{wanted} beside the folder kinect"
        )
    wanted = f"{found[0].parent.name}/{name}"
    try:
        if found[0].stat().st_size > _MOST_BYTES:
            raise FaultError("annotation", None, f"more than 10 MB in {wanted}", "an annotation")
        tracks = ElementTree.parse(found[0]).getroot().iter("track")
    except (ElementTree.ParseError, OSError, LookupError, ValueError) as error:
        # An encoding that Python lacks is a LookupError, one that expat lacks a ValueError.
        raise FaultError("annotation", None, f"a broken {wanted} ({error})", "XML") from None
    for track in tracks:
        if track.get("name") == "Global evaluation":
            for attribute in track.iter("attribute"):
                if attribute.text and attribute.text.strip():
                    return attribute.text.strip()
    expected = "the track 'Global evaluation' with Correct, Incorrect, Incomplete or Motionless"
    raise FaultError("annotation", None, f"{wanted} without an evaluation", expected)

"""Made-up recordings as MediaPipe Pose gives them, of the simulator's people."""

import csv
from pathlib import Path

import numpy as np

from zoo.data.recording import Recording
from zoo.data.simulator import Settings, record
from zoo.skeleton import load_layout

EXERCISES = {"lift": "1", "squat": "5"}
FPS = 30

_MADE_OF = {
    "foot": "Foot",
    "heel": "Ankle",
    "ankle": "Ankle",
    "knee": "Knee",
    "hip": "Hip",
    "thumb": "Thumb",
    "index": "HandTip",
    "pinky": "Hand",
    "wrist": "Wrist",
    "elbow": "Elbow",
    "shoulder": "Shoulder",
}
"""The Kinect's joint for a landmark, by the first word in its name; the others are in the face."""


def landmarks(recording: Recording) -> np.ndarray:
    """World landmarks (T, 33, 3) of a Kinect's recording: y down, centred between the hips."""
    assert recording.positions is not None
    kinect = load_layout(recording.layout)
    found = []
    for name in load_layout("mediapipe").joints:
        side = "Left" if "left" in name else "Right"
        part = next((joint for word, joint in _MADE_OF.items() if word in name), None)
        joint = "Head" if part is None else f"{part}{side}"
        aside = 0.0 if part or name == "nose" else 0.03 * (1 if side == "Left" else -1)
        found.append(recording.positions[:, kinect.index(joint)] + [aside, 0.0, 0.0])
    points = np.stack(found, axis=1)
    points[..., :2] *= -1
    hips = [load_layout("mediapipe").index(f"{side}_hip") for side in ("left", "right")]
    return points - points[:, hips].mean(axis=1, keepdims=True)


def recordings(people: int = 10) -> list[tuple[str, str, Recording]]:
    """Person, exercise and the Kinect's recording of each."""
    settings = Settings(repetitions=2)
    return [
        (f"P{person + 1:02d}", exercise, record(person, number, settings))
        for person in range(people)
        for exercise, number in EXERCISES.items()
    ]


def write_csv(file: Path, points: np.ndarray) -> None:
    """Landmarks with a visibility of 0.9, a column a number, as they are commonly written."""
    names = load_layout("mediapipe").joints
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow([f"{n}_{part}" for n in names for part in ("x", "y", "z", "visibility")])
        for frame in points:
            rows = np.concatenate([frame, np.full((len(frame), 1), 0.9)], axis=1)
            writer.writerow([f"{value:.6f}" for value in rows.ravel()])


def write_folder(folder: Path, people: int = 10) -> dict[str, float]:
    """A CSV for each person and exercise; gives the scores by file."""
    folder.mkdir(parents=True)
    scores = {}
    for person, exercise, recording in recordings(people):
        file = folder / f"{person}_{exercise}.csv"
        write_csv(file, landmarks(recording))
        scores[file.name] = recording.scores["total"]
    return scores


def fill_in(folder: Path, scores: dict[str, float]) -> None:
    """What a person writes after `zoo data new`: scores, their range, the frame rate."""
    table = folder / "recordings.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    filled = [line.replace("FILL_IN", str(scores.get(line.partition(",")[0]))) for line in lines]
    table.write_text("\n".join(filled) + "\n", encoding="utf-8")
    description = folder / "dataset.yaml"
    text = description.read_text(encoding="utf-8")
    for old, new in (
        ("fps: FILL_IN", f"fps: {FPS}"),
        ("range: FILL_IN", "range: [0, 50]"),
        ("meaning: FILL_IN", "meaning: of the simulator"),
        ("guessed: [person, exercise]\n", ""),
    ):
        assert old in text, old
        text = text.replace(old, new)
    description.write_text(text, encoding="utf-8")

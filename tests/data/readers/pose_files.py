"""Writes made-up files of every form that a reader knows."""

import io
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.skeleton.layout import load_layout

FPS = 25
FRAMES = 20
Floats = NDArray[np.float64]


def person(layout: str, frames: int = FRAMES, seed: int = 0) -> Floats:
    """A body that waves (T, V, 3): metres, y up, trunk of half a metre."""
    joints = load_layout(layout).joints
    rng = np.random.default_rng(seed)
    body = rng.uniform(-0.4, 0.4, (len(joints), 3))
    for place, name in enumerate(joints):
        low = name.lower()
        side = -0.15 if "left" in low or low[:1] == "l" else 0.15
        if "shoulder" in low and "spine" not in low:
            body[place] = side, 0.5, 2.0
        elif "hip" in low and low not in ("hip", "midhip"):
            body[place] = side, 0.0, 2.0
        elif any(part in low for part in ("head", "nose", "eye", "ear", "mouth")):
            body[place, 1:] = 0.7, 2.0
        elif any(part in low for part in ("knee", "ankle", "foot", "heel", "toe")):
            body[place, 1:] = -0.45 if "knee" in low else -0.9, 2.0
        else:
            body[place, 2] += 2.0
    motion = np.repeat(body[None], frames, axis=0)
    wave = 0.1 * np.sin(np.arange(frames) / 3)
    for place, name in enumerate(joints):
        if "wrist" in name.lower() or "hand" in name.lower():
            motion[:, place, 1] += wave
    return motion


def picture(positions: Floats, width: float = 1920.0, height: float = 1080.0) -> Floats:
    """Pixels (T, V, 2) of a camera before the person: x to the right, y down."""
    x, y = -positions[..., 0], -positions[..., 1]
    return np.stack([width / 2 + 400 * x, height / 2 + 400 * y], axis=-1)


def table(header: list[str] | None, rows: Any, separator: str = ",") -> str:
    lines = [] if header is None else [separator.join(header)]
    lines += [separator.join(str(cell) for cell in row) for row in rows]
    return "\n".join(lines) + "\n"


def landmarks(frames: int = FRAMES) -> Floats:
    """World landmarks (T, 33, 4) as MediaPipe gives them: y down, origin between the hips."""
    body = person("mediapipe", frames)
    body -= body[:, [23, 24]].mean(axis=1, keepdims=True)
    return np.concatenate([body * (-1, -1, 1), np.full((*body.shape[:2], 1), 0.9)], axis=-1)


def mediapipe_csv(folder: Path) -> Path:
    header = [f"{c}{i}" for i in range(1, 34) for c in "xyzv"]
    rows = np.c_[np.arange(FRAMES) / FPS, landmarks().reshape(FRAMES, -1)]
    return _text(folder / "mp.csv", table(["time", *header], rows))


def mediapipe_json(folder: Path) -> Path:
    names = ("x", "y", "z", "visibility")
    frames = [
        {
            "timestamp_ms": 1000 * t / FPS,
            "poseLandmarks": [{"x": 0.5, "y": 0.5, "z": 0.0, "visibility": 1.0}] * 33,
            "poseWorldLandmarks": [dict(zip(names, p, strict=True)) for p in frame],
        }
        for t, frame in enumerate(landmarks().tolist())
    ]
    return _text(folder / "mp.json", json.dumps({"frames": frames}))


def wide_csv(folder: Path) -> Path:
    joints = load_layout("kinect-v2").joints
    header = [f"{joint}_{axis}" for axis in "xyz" for joint in reversed(joints)]
    values = person("kinect-v2")[:, ::-1].transpose(0, 2, 1).reshape(FRAMES, -1)
    rows = np.c_[np.arange(FRAMES) * 40, values]
    return _text(folder / "wide.csv", table(["timestamp_ms", *header], rows))


def long_csv(folder: Path) -> Path:
    joints = load_layout("kinect-v2").joints
    rows = [
        (t, f"{t / FPS:.3f}", joint, *map(repr, place.tolist()), 0.8)
        for t, frame in enumerate(person("kinect-v2"))
        for joint, place in zip(joints, frame, strict=True)
    ]
    header = ["frame", "time", "joint", "x", "y", "z", "confidence"]
    return _text(folder / "long.csv", table(header, rows))


def npz(folder: Path) -> Path:
    joints = np.array(load_layout("kinect-v2").joints)
    np.savez(folder / "a.npz", positions=person("kinect-v2"), fps=FPS, joint_names=joints)
    return folder / "a.npz"


def openpose(folder: Path) -> Path:
    (folder / "walk").mkdir()
    points = picture(person("openpose-body25"))
    for t, frame in enumerate(points):
        flat = np.c_[frame, np.full(25, 0.8)].ravel().tolist()
        people = [{"person_id": [-1], "pose_keypoints_2d": flat, "hand_left_keypoints_2d": []}]
        file = folder / "walk" / f"walk_{t:012d}_keypoints.json"
        _text(file, json.dumps({"version": 1.3, "people": people}))
    return folder / "walk"


def alphapose(folder: Path) -> Path:
    people = [
        {
            "image_id": f"{t}.jpg",
            "category_id": 1,
            "keypoints": np.c_[frame, np.full(17, 0.9)].ravel().tolist(),
            "score": 2.9,
            "box": [1.0, 2.0, 3.0, 4.0],
            "idx": [1.0],
        }
        for t, frame in enumerate(picture(person("coco")))
    ]
    return _text(folder / "alphapose-results.json", json.dumps(people))


def mmpose(folder: Path) -> Path:
    names = load_layout("coco").joints
    frames = [
        {
            "frame_id": t + 1,
            "instances": [
                {
                    "keypoints": frame.tolist(),
                    "keypoint_scores": [0.9] * 17,
                    "bbox": [[1.0, 2.0, 3.0, 4.0]],
                    "bbox_score": 0.9,
                }
            ],
        }
        for t, frame in enumerate(picture(person("coco")))
    ]
    meta = {"dataset_name": "coco", "keypoint_id2name": {str(i): n for i, n in enumerate(names)}}
    return _text(folder / "mm.json", json.dumps({"meta_info": meta, "instance_info": frames}))


def mmaction(folder: Path, protocol: int = 4) -> Path:
    points = picture(person("coco"))[None].astype(np.float16)
    annotation = {
        "frame_dir": "walk_1",
        "total_frames": FRAMES,
        "img_shape": (1080, 1920),
        "original_shape": (1080, 1920),
        "label": 3,
        "keypoint": points,
        "keypoint_score": np.full(points.shape[:3], 0.9, dtype=np.float16),
    }
    data = {"split": {"train": ["walk_1"], "val": []}, "annotations": [annotation]}
    (folder / "mm.pkl").write_bytes(pickle.dumps(data, protocol=protocol))
    return folder / "mm.pkl"


def keraal(folder: Path, model: str = "OP") -> Path:
    layout = {"OP": "openpose-coco18", "AP": "coco", "BP": "mediapipe"}[model]
    joints = load_layout(layout).joints
    parts = picture(person(layout)) / (1920.0, 1080.0)
    frames: dict[str, Any] = {}
    for t, frame in enumerate(parts.tolist()):
        if model == "BP":
            own = {j.capitalize(): [*p, -0.1] for j, p in zip(joints, frame, strict=True)}
        elif model == "AP":
            own = {str(i): p for i, p in enumerate(frame)}
        else:
            low = [j if j in ("Nose", "Neck") else j[0].lower() + j[1:] for j in joints]
            own = dict(zip(low, frame, strict=True))
        frames[f"{t + 1}.0" if model != "AP" else str(t)] = own
    file = folder / f"G3-{model}-CTK-P1T1-Unknown-C-0.json"
    return _text(file, json.dumps({"positions": frames}))


def ntu(folder: Path) -> Path:
    lines = [str(FRAMES)]
    for frame in person("kinect-v2"):
        lines += ["1", "72057594037931101 0 1 1 1 1 0 0.02 -0.15 2", "25"]
        lines += [
            " ".join(map(repr, [*place.tolist(), 277.9, 191.8, 1036.5, 519.1, 1.0, 0, 0, 0, 2]))
            for place in frame
        ]
    return _text(folder / "S001C002P003R002A013.skeleton", "\n".join(lines) + "\n")


def trc(folder: Path) -> Path:
    markers = load_layout("halpe26").joints
    rows = person("halpe26").reshape(FRAMES, -1)
    lines = [
        "PathFileType\t4\t(X/Y/Z)\twalk.trc",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\t"
        "OrigNumFrames",
        f"{FPS}\t{FPS}\t{FRAMES}\t{len(markers)}\tm\t{FPS}\t1\t{FRAMES}",
        "Frame#\tTime\t" + "\t\t\t".join(markers) + "\t\t",
        "\t\t" + "\t".join(f"{axis}{i + 1}" for i in range(len(markers)) for axis in "XYZ"),
        "",
    ]
    lines += ["\t".join(map(repr, [t + 1, t / FPS, *r])) for t, r in enumerate(rows.tolist())]
    return _text(folder / "walk.trc", "\n".join(lines) + "\n")


def c3d(folder: Path) -> Path:
    import c3d as library

    layout = load_layout("uiprmd-vicon")
    markers = 1000 * person("uiprmd-vicon")[..., [0, 2, 1]] * (1, -1, 1)  # z up, millimetres
    writer = library.Writer(point_rate=100.0)
    writer.set_point_labels(list(layout.joints))
    for t, frame in enumerate(markers):
        residuals = np.zeros((len(frame), 2))
        residuals[:, 0] = -1 if t == 3 else 0
        writer.add_frames([(np.c_[frame, residuals].astype(np.float32), np.array([[]]))])
    written = io.BytesIO()
    writer.write(written)
    (folder / "walk.c3d").write_bytes(written.getvalue())
    return folder / "walk.c3d"


def irds_csv(folder: Path) -> Path:
    joints = load_layout("kinect-v2").joints
    header = [
        *("SubjectID", "DateID", "GestureLabel", "RepetitionNumber", "CorrectLabel", "Position"),
        *("Timestamp1", "Timestamp2", "Timestamp3", "JointName", "TrackingStatus"),
        *("X", "Y", "Z", "X_proj", "Y_proj"),
    ]
    rows = [
        (303, 18, 4, repetition, 1, "stand", t, 0, 1000 + 40 * t, joint, "Tracked",
         *map(repr, place.tolist()), 200.5, 100.5)
        for repetition in (10, 11)
        for t, frame in enumerate(person("kinect-v2"))
        for joint, place in zip(joints, frame, strict=True)
    ]  # fmt: skip
    return _text(folder / "irds.csv", table(header, rows))


def kimore_filtered(folder: Path) -> Path:
    body = person("kinect-v2")
    rows = np.concatenate([body, np.full((*body.shape[:2], 1), 2)], axis=-1).reshape(FRAMES, -1)
    header = [str(i) for i in range(101)]
    return _text(folder / "filtered.csv", table(header, np.c_[rows, np.zeros(FRAMES)]))


SAMPLES: dict[str, tuple[Callable[[Path], Path], dict[str, Any]]] = {
    "mediapipe": (mediapipe_csv, {}),
    "mediapipe (JSON)": (mediapipe_json, {}),
    "wide-csv": (wide_csv, {}),
    "long-csv": (long_csv, {}),
    "numpy": (npz, {}),
    "openpose": (openpose, {"fps": FPS}),
    "alphapose": (alphapose, {"fps": FPS}),
    "mmpose": (mmpose, {"fps": FPS}),
    "mmaction": (mmaction, {"fps": FPS}),
    "keraal-video": (keraal, {"fps": FPS}),
    "ntu": (ntu, {}),
    "trc": (trc, {}),
    "c3d": (c3d, {}),
    "irds-csv": (irds_csv, {}),
    "kimore-filtered": (kimore_filtered, {}),
}
"""Reader (and what of it) → who writes a file for it, and the options it needs."""


def _text(file: Path, text: str) -> Path:
    file.write_text(text, encoding="utf-8")
    return file

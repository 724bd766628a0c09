import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from zoo.errors import DataError
from zoo.pose.packages import read_networks

LITE, FULL, DETECTOR = (b"\0\0\0\0TFL3" + name for name in (b"lite", b"full", b"detector"))
NPM = {
    "package/pose_landmark_lite.tflite": LITE,
    "package/pose_landmark_full.tflite": FULL,
    "package/pose_solution_packed_assets.data": DETECTOR,
    "package/pose.js": b"alert()",
}
WHEEL = {
    "mediapipe/modules/pose_landmark/pose_landmark_full.tflite": FULL,
    "mediapipe/modules/pose_detection/pose_detection.tflite": DETECTOR,
}


def npm(folder: Path, files: dict[str, bytes] = NPM) -> Path:
    package = folder / "mediapipe-pose.tgz"
    with tarfile.open(package, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return package


def unpacked(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def wheel(folder: Path) -> Path:
    file = folder / "mediapipe.whl"
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in WHEEL.items():
            archive.writestr(name, content)
    return file


def test_of_a_wheel_an_npm_package_and_a_folder(tmp_path: Path) -> None:
    for source in (wheel(tmp_path), npm(tmp_path), unpacked(tmp_path / "there", NPM)):
        found = read_networks(source)
        assert (found.detector, found.landmarks, found.source) == (DETECTOR, FULL, source)


def test_another_size_where_there_is_one(tmp_path: Path) -> None:
    assert read_networks(npm(tmp_path), "lite").landmarks == LITE
    with pytest.raises(DataError, match=r"found pose_landmark_full\.tflite, expected .*_lite"):
        read_networks(wheel(tmp_path), "lite")


def test_an_installed_npm_package_is_found_from_a_folder_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "node_modules/@mediapipe/pose"
    unpacked(place, {name.removeprefix("package/"): content for name, content in NPM.items()})
    below = tmp_path / "work" / "videos"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    monkeypatch.setattr("zoo.pose.packages.find_spec", lambda name: None)
    assert read_networks().source == place


def test_what_to_do_where_none_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("zoo.pose.packages.find_spec", lambda name: None)
    with pytest.raises(DataError, match="npm install @mediapipe/pose"):
        read_networks()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no such file or folder"),
        (b"neither", "cannot be read as a package"),
    ],
)
def test_what_is_no_package(tmp_path: Path, content: bytes | None, said: str) -> None:
    file = tmp_path / "package.tgz"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_networks(file)


def test_a_package_without_a_detector_and_a_damaged_one(tmp_path: Path) -> None:
    lacking = {k: v for k, v in NPM.items() if "packed" not in k}
    with pytest.raises(DataError, match="and no detector"):
        read_networks(npm(tmp_path, lacking))
    broken = {**NPM, "package/pose_landmark_full.tflite": b"<html>"}
    with pytest.raises(DataError, match="it is damaged"):
        read_networks(npm(tmp_path, broken))

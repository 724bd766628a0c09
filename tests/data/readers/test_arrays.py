"""Arrays of numpy: shapes, what belongs to them, and files that are refused."""

import pickle
import zipfile

import numpy as np
import pytest

from zoo.data.recording import INFERRED, NOT_TRACKED
from zoo.errors import DataError


@pytest.fixture
def body(files):
    return files.person("kinect-v2")


def saved(folder, array, name="take.npy"):
    np.save(folder / name, array)
    return folder / name


@pytest.mark.parametrize(
    "shape", [(20, 25, 3), (20, 75), (1, 20, 25, 3), (20, 1, 25, 3)], ids=lambda shape: str(shape)
)
@pytest.mark.parametrize("dtype", ["f8", "f4", ">f4"])
def test_shapes(shape, dtype, body, tmp_path, read):
    file = saved(tmp_path, body.reshape(shape).astype(dtype))
    (found,), _ = read("numpy", file, layout="kinect-v2", fps=30)
    np.testing.assert_allclose(found.positions, body, rtol=1e-6)


def test_what_belongs_to_an_array(files, body, tmp_path, read):
    seen = np.full((20, 25), 0.9)
    seen[3, 4], seen[5, 6] = 0.1, 0
    file = tmp_path / "take.npz"
    np.savez_compressed(
        file, keypoints_3d=1000 * body, confidence=seen, timestamps=np.arange(20) * 20.0,
        label=np.array("squat"), people=np.array([{"a": 1}], dtype=object),
    )  # fmt: skip
    (found,), _ = read("numpy", file, layout="kinect-v2", units="mm")
    assert found.fps == 50
    assert (found.tracked[3, 4], found.tracked[5, 6]) == (INFERRED, NOT_TRACKED)
    with pytest.raises(DataError, match="numbers without names of joints, .*layout=kinect-v2"):
        read("numpy", file)
    coco = np.concatenate([files.picture(files.person("coco")), np.ones((20, 17, 1))], axis=-1)
    (flat,), _ = read("numpy", saved(tmp_path, coco), layout="coco", columns="xyc", fps=30)
    assert flat.extra == {"dimensions": 2}
    (mapped,), _ = read(
        "numpy", saved(tmp_path, files.landmarks()[..., :3]), layout="kinect-v2", up="-y", fps=30,
        joints=files.load_layout("mediapipe").joints,
    )  # fmt: skip
    assert mapped.num_joints == 25


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((20, 24, 3)), r"the shape \(20, 24, 3\), expected \(frames, 25, 2 or 3\)"),
        (np.zeros((3, 20, 25, 2)), r"the shape \(3, 20, 25, 2\)"),
        (np.zeros(7), "the arrays positions"),
        (np.zeros((20, 25), dtype="f4,f4"), "its type is .*f4.*, expected numbers"),
        (np.zeros((20, 25), dtype="V8"), "its type is .V8, expected numbers"),
        (np.zeros((20, 25), dtype="M8[s]"), r"its type is datetime64\[s\], expected numbers"),
        (np.zeros((20, 25), dtype="c8"), "its type is complex64, expected numbers"),
        (np.array(["a"]), "the arrays positions"),
        (np.full((20, 25, 3), np.nan), "nobody in 20 frames"),
        (np.zeros((0, 25, 3)), "no frames"),
    ],
)
def test_other_arrays_are_refused(array, said, tmp_path, read):
    with pytest.raises(DataError, match=said):
        read("numpy", saved(tmp_path, array), layout="kinect-v2", fps=30)


def test_damaged_files_are_told_and_nothing_is_run(body, tmp_path, read):
    mark = tmp_path / "mark"

    class Trap:
        def __reduce__(self):
            return mark.touch, ()

    file = tmp_path / "take.npy"
    np.save(file, np.array([Trap()], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="to unpickle a file is to run whatever it says"):
        read("numpy", file, layout="kinect-v2")
    whole = saved(tmp_path, body).read_bytes()
    for damaged, said in (
        (whole[:60], "EOF"),
        (whole[:-100], "has 12000 bytes, 11900 are there"),
        (whole.replace(b"(20, 25, 3)", b"(99999999, "), "no sound .npy file"),
        (whole.replace(b"{'descr'", b"('descr'"), "no sound .npy file"),
        (b"\x93NUMPY\x01\x00\x08\x00{'descr'", "no sound .npy file"),
    ):
        file.write_bytes(damaged)
        with pytest.raises(DataError, match=said):
            read("numpy", file, layout="kinect-v2")
    packed = tmp_path / "take.npz"
    packed.write_bytes(pickle.dumps([Trap()]))
    with pytest.raises(DataError, match="no sound .npz file of numbers: File is not a zip file"):
        read("numpy", packed, layout="kinect-v2")
    assert not mark.exists()


def test_an_archive_that_unpacks_to_too_much(tmp_path, read, monkeypatch):
    packed = tmp_path / "take.npz"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("positions.npy", b"\x93NUMPY\x01\x00" + b"\0" * 5 * 2**20)
    assert packed.stat().st_size < 10_000
    monkeypatch.setattr("zoo.data.adapters.npy_files.LIMIT", 4 * 2**20)
    with pytest.raises(DataError, match="it unpacks to 5 MB, at most 4 MB are read"):
        read("numpy", packed, layout="kinect-v2")

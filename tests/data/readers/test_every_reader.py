"""What holds for every reader: its own files are read, others' are told, damaged ones too."""

import importlib.util
import os
import random
from collections import Counter
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry import READERS
from zoo.data.adapters.base import PrepareReport
from zoo.data.readers import formats, load_reader, read_recordings, readers_of
from zoo.errors import DataError
from zoo.skeleton.layout import load_layout

NAMES = (
    "mediapipe", "mediapipe (JSON)", "wide-csv", "long-csv", "numpy", "openpose", "alphapose",
    "mmpose", "mmaction", "keraal-video", "ntu", "trc", "c3d", "irds-csv", "kimore-filtered",
)  # fmt: skip
HOSTILE = (
    b"", b"\0" * 600, b"[" * 100_000, b'{"positions":' * 2000, b"[]", b"{}", b"null", b"[[]]",
    b'{"people": [{"pose_keypoints_2d": [NaN, 1e999]}]}', b'[{"image_id": {}, "keypoints": [1]}]',
    b'{"instance_info": [{"instances": [{"keypoints": [[]]}]}]}', b"1" * 6000, b"[" + b"9" * 5000,
    b'{"positions": {"x": {"Nose": []}}}', b'{"frames": {"frames": {"frames": {"frames": 1}}}}',
    b"\xff\xfe\x00", b"PK\x03\x04", b"\x80\x04.", b"\x93NUMPY\x01\x00", b"x,y,z\n", b"a;b\n1;2;3\n",
    b'"' * 70_000, b"PathFileType\n\n\n\n\n\n", b"99999999\n1\n", b"1\n1\n" + b"1 " * 10,
)  # fmt: skip


class Samples(dict[str, Path]):
    def __missing__(self, name: str) -> Path:
        pytest.skip(f"the library {name} is not installed (the extra formats)")


@pytest.fixture(scope="module")
def samples(files: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("samples")
    found = Samples()
    for name in NAMES:
        if name == "c3d" and importlib.util.find_spec("c3d") is None:
            continue
        (folder / name).mkdir()
        found[name] = files.SAMPLES[name][0](folder / name)
    return found


def test_every_reader_has_a_sample(files: ModuleType) -> None:
    assert list(files.SAMPLES) == list(NAMES)
    of_datasets = ("irds", "keraal", "kimore", "stgcn", "uiprmd")
    ours = {n for n in READERS.names() if not n.startswith(of_datasets)}
    ours |= {"irds-csv", "kimore-filtered", "keraal-video"}
    assert {name.split()[0] for name in NAMES} == ours
    assert all(load_reader(name).title for name in ours)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_known_and_read(name, samples, files, read):
    reader, file, options = name.split()[0], samples[name], files.SAMPLES[name][1]
    assert readers_of(file) == [reader]
    found, _ = read(reader, file, **options)
    for recording in found:
        layout = load_layout(recording.layout)
        assert recording.positions.shape == (files.FRAMES, layout.num_joints, 3)
        assert recording.positions.dtype == np.float32
        assert np.isfinite(recording.positions).all()
        assert recording.fps == {"ntu": 30, "kimore-filtered": 30, "c3d": 100}.get(name, files.FPS)
        shoulders, hips = (
            [j for pair in layout.pairs for j in pair if part in layout.joints[j].lower()]
            for part in ("shoulder", "hip")
        )
        if shoulders:
            trunk = recording.positions[:, shoulders].mean(1) - recording.positions[:, hips].mean(1)
            assert (np.abs(trunk[:, 1] - 0.5) < 0.02).all()
    again, _ = read(reader, file, **options)
    assert all((a.positions == b.positions).all() for a, b in zip(found, again, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_another_form_is_refused_and_its_form_named(name, samples, read):
    reader = name.split()[0]
    for reader_of_another in READERS.names():
        if reader_of_another == reader:
            continue
        with pytest.raises(DataError) as told:
            read(reader_of_another, samples[name])
        assert f"{samples[name].name} looks like a file of {reader}" in str(told.value)


def test_a_form_that_nobody_reads(tmp_path, read):
    file = tmp_path / "a.mp4"
    file.write_bytes(b"\0\0\0 ftypisom")
    assert readers_of(file) == []
    with pytest.raises(DataError, match=r"a.mp4 looks like no form that is known; read are alphap"):
        read("kimore", file)
    assert "openpose (.json)" in formats()
    file = tmp_path / "a.json"
    file.write_text('{"a": 1}')
    with pytest.raises(DataError, match=r"a.json looks like no form that is known; .json files are "
                       "read by alphapose, keraal-video, mediapipe, mmpose, openpose"):  # fmt: skip
        read("kimore", file)


@pytest.mark.parametrize("name", NAMES)
def test_hostile_files_are_told(name, samples, tmp_path):
    for content in HOSTILE:
        _only_data_errors(name.split()[0], _beside(samples[name], tmp_path, content))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9))
def test_damaged_files_are_told(name, seed, samples, tmp_path):
    _only_data_errors(name.split()[0], _beside(samples[name], tmp_path, None, seed))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_thousands_of_damaged_files_are_told(name, samples, tmp_path):
    reader = load_reader(name.split()[0], fps=25)
    outcomes = Counter[str]()
    for seed in range(1500):
        path = _beside(samples[name], tmp_path, None, seed)
        reader.looks_like(path)
        try:
            for recording in reader.read_file(path, PrepareReport()):
                assert np.isfinite(recording.positions).all()
        except DataError:
            outcomes["told"] += 1
        else:
            outcomes["read"] += 1
    print(name, dict(outcomes))
    assert outcomes["told"] > 150


def test_what_is_no_regular_file_is_told(tmp_path):
    for name in NAMES:
        reader = load_reader(name.split()[0])
        pipe = tmp_path / f"pipe{reader.suffixes[0]}"
        if not pipe.exists():
            os.mkfifo(pipe)
        for path in (pipe, tmp_path / "gone.csv", tmp_path):
            reader.looks_like(path)
            with pytest.raises(DataError):
                list(reader.read_file(path, PrepareReport()))


def _only_data_errors(name: str, path: Path) -> None:
    load_reader(name).looks_like(path)  # and those of all others, where it cannot be read
    with suppress(DataError):
        for recording in read_recordings(load_reader(name, fps=25), path, PrepareReport()):
            assert np.isfinite(recording.positions).all()


def _beside(sample: Path, folder: Path, content: bytes | None, seed: int = 0) -> Path:
    """A copy of a sample in `folder`, with other content, or damaged."""
    source = min(sample.iterdir()) if sample.is_dir() else sample
    if content is None:
        content = _damaged(source.read_bytes(), random.Random(seed))
    if not sample.is_dir():
        (folder / sample.name).write_bytes(content)
        return folder / sample.name
    (folder / sample.name).mkdir(exist_ok=True)
    for file in sample.iterdir():
        data = content if file == source else file.read_bytes()
        (folder / sample.name / file.name).write_bytes(data)
    return folder / sample.name


def _damaged(data: bytes, rng: random.Random) -> bytes:
    kind = rng.randrange(5)
    place = rng.randrange(len(data))
    if kind == 0:
        return data[:place]
    if kind == 1:
        return data[:place] + data[place + rng.randrange(1, 200) :]
    if kind == 2:
        many = bytearray(data)
        for _ in range(rng.randrange(1, 10)):
            many[rng.randrange(min(len(many), rng.choice((300, len(many)))))] = rng.randrange(256)
        return bytes(many)
    if kind == 3:
        junk = rng.choice(
            (b"null", b"NaN", b"-1e400", b"[]", b"{}", b'"x"', b",,", b"\n", b"\0", b"1e30")
        )
        return data[:place] + junk + data[place + rng.randrange(8) :]
    return data[:place] + data[rng.randrange(len(data)) :]

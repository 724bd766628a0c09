"""The file format: what is written is what is read, and damage is found."""

import contextlib
import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data.manifest import MANIFEST_FILE, read_manifest
from zoo.data.recording import Recording
from zoo.data.store import DATA_FILE, Store, StoreWriter, fingerprint
from zoo.errors import DataError

HEADER = {
    "name": "made",
    "layout": "lines",
    "fps": 30.0,
    "score_range": [0.0, 50.0],
    "adapter": {"version": 1, "params": {}},
}


def recording(name: str = "A/1", frames: int = 5, joints: int = 3, **changes: Any) -> Recording:
    rng = np.random.default_rng(frames * 31 + joints)
    values: dict[str, Any] = {
        "id": name,
        "subject": name.partition("/")[0],
        "group": "G",
        "exercise": "1",
        "session": "1",
        "layout": "lines",
        "fps": 30.0,
        "positions": rng.normal(size=(frames, joints, 3)).astype(np.float32),
        "orientations": rng.normal(size=(frames, joints, 4)).astype(np.float32),
        "tracked": rng.integers(0, 3, size=(frames, joints)).astype(np.uint8),
        "timestamps": np.arange(frames) / 30,
        "scores": {"total": 41.5, "primary": 11.0},
        "extra": {"truth": {"faults": ["knee"], "size": 0.25}},
    }
    return Recording(**{**values, **changes})


def written(folder: Path, *recordings: Recording, **header: Any) -> Path:
    joints = recordings[0].num_joints if recordings else 3
    writer = StoreWriter({**HEADER, **header}, joints)
    for one in recordings or (recording(),):
        writer.add(one)
    folder.mkdir(exist_ok=True)
    writer.write(folder)
    return folder


def lies_in(array: np.ndarray, file: Path) -> bool:
    """Whether the memory of an array is a mapping of `file`, as the system says."""
    maps = Path("/proc/self/maps")
    if not maps.is_file():
        pytest.skip("this system does not tell what is mapped")
    for line in maps.read_text().splitlines():
        span, *_, name = line.split(maxsplit=5)
        start, stop = (int(at, 16) for at in span.split("-"))
        if name == str(file) and start <= array.ctypes.data < stop:
            return True
    return False


def same(store: Store, one: Recording) -> bool:
    arrays = store.arrays(next(info for info in store.manifest.recordings if info.id == one.id))
    names = ("positions", "orientations", "angles", "tracked", "timestamps")
    given_arrays = {n: getattr(one, n) for n in names if getattr(one, n) is not None}
    return set(arrays) == set(given_arrays) and all(
        np.array_equal(arrays[n], a) and arrays[n].dtype == a.dtype for n, a in given_arrays.items()
    )


@settings(max_examples=25)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    joints=st.integers(1, 4),
    timed=st.booleans(),
)
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], joints: int, timed: bool
) -> None:
    folder = tmp_path_factory.mktemp("store")
    made = [
        recording(f"P{i}/é{i}", n, joints, **({} if timed or i else {"timestamps": None}))
        for i, n in enumerate(lengths)
    ]
    store = Store.open(written(folder, *made))
    assert all(same(store, one) for one in made)
    assert [info.id for info in store.manifest.recordings] == [one.id for one in made]


def test_the_safetensors_library_reads_it(tmp_path: Path) -> None:
    one = recording()
    tensors = safetensors.numpy.load_file(written(tmp_path / "s", one) / DATA_FILE)
    assert np.array_equal(tensors["A/1/positions"], one.positions)
    assert np.array_equal(tensors["A/1/tracked"], one.tracked)
    assert np.array_equal(tensors["A/1/timestamps"], one.timestamps)


def test_arrays_are_aligned_views_of_the_file_that_cannot_be_written(tmp_path: Path) -> None:
    store = Store.open(written(tmp_path / "s", recording("A/1", 5), recording("B/1", 7)))
    for info in store.manifest.recordings:
        for array in store.arrays(info).values():
            assert not array.flags.owndata
            assert array.flags.aligned
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0
            assert lies_in(array, tmp_path / "s" / DATA_FILE)


def test_a_pickled_store_maps_the_file_again(tmp_path: Path) -> None:
    one = recording(frames=500)
    store = Store.open(written(tmp_path / "s", one))
    text = pickle.dumps(store)
    assert len(text) < 5000
    assert same(pickle.loads(text), one)


def test_the_fingerprint_does_not_depend_on_order(tmp_path: Path) -> None:
    a, b = recording("A/1", 4), recording("B/1", 6)
    first = Store.open(written(tmp_path / "1", a, b)).manifest
    second = Store.open(written(tmp_path / "2", b, a)).manifest
    assert first.fingerprint == second.fingerprint
    assert (tmp_path / "1" / DATA_FILE).read_bytes() == (tmp_path / "2" / DATA_FILE).read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        {"positions": np.ones((5, 3, 3), dtype=np.float32)},
        {"scores": {"total": 41.4}},
        {"subject": "other"},
        {"exercise": "2"},
        {"fps": 25.0},
        {"tracked": None},
        {"extra": {}},
    ],
)
def test_the_fingerprint_sees_every_change(tmp_path: Path, change: dict[str, Any]) -> None:
    plain = read_manifest(written(tmp_path / "1")).fingerprint
    changed = read_manifest(written(tmp_path / "2", recording(**change))).fingerprint
    assert plain != changed


@pytest.mark.parametrize(
    "header", [{"layout": "lines"}, {"name": "made"}, {"title": "new", "source": "/elsewhere"}]
)
def test_the_fingerprint_ignores_where_data_came_from(
    tmp_path: Path, header: dict[str, Any]
) -> None:
    plain = read_manifest(written(tmp_path / "1")).fingerprint
    assert read_manifest(written(tmp_path / "2", **header)).fingerprint == plain


def test_the_fingerprint_has_the_adapter_version(tmp_path: Path) -> None:
    plain = read_manifest(written(tmp_path / "1")).fingerprint
    newer = {"version": 2, "params": {}}
    assert read_manifest(written(tmp_path / "2", adapter=newer)).fingerprint != plain


def test_every_flipped_byte_is_found(tmp_path: Path) -> None:
    folder = written(tmp_path / "s", recording("A/1"), recording("B/1"))
    file = folder / DATA_FILE
    sound = file.read_bytes()
    header_end = 8 + int.from_bytes(sound[:8], "little")
    unseen = 0
    for position in np.random.default_rng(0).choice(len(sound), 60, replace=False):
        damaged = bytearray(sound)
        damaged[position] ^= 0x10
        file.write_bytes(damaged)
        with contextlib.ExitStack() as stack:
            if position >= header_end:
                stack.enter_context(pytest.raises(DataError, match=r'zoo.prepare_dataset\("s"'))
            else:  # the header's free text and padding say nothing of the arrays
                stack.enter_context(contextlib.suppress(DataError))
            Store.open(folder)
            unseen += 1
    assert unseen < 30
    file.write_bytes(sound)
    Store.open(folder)


def test_damage_names_the_recording(tmp_path: Path) -> None:
    folder = written(tmp_path / "s", recording("A/1"), recording("B/1"))
    file = folder / DATA_FILE
    data = bytearray(file.read_bytes())
    data[-1] ^= 1  # the last array in the file is the tracking state of the last recording
    file.write_bytes(data)
    with pytest.raises(DataError, match=r"the arrays of B/1 are not those that were written"):
        Store.open(folder)


def test_a_changed_score_is_found(tmp_path: Path) -> None:
    folder = written(tmp_path / "s")
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    manifest["recordings"][0]["scores"]["total"] = 50.0
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="does not fit its fingerprint"):
        Store.open(folder)


@pytest.mark.parametrize("cut", [0, 4, 8, 100, -1])
def test_a_cut_data_file(tmp_path: Path, cut: int) -> None:
    folder = written(tmp_path / "s")
    file = folder / DATA_FILE
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(DataError, match="cannot be used"):
        Store.open(folder)


@pytest.mark.parametrize("name", [DATA_FILE, MANIFEST_FILE])
def test_a_missing_file(tmp_path: Path, name: str) -> None:
    folder = written(tmp_path / "s")
    (folder / name).unlink()
    with pytest.raises(DataError, match=f"it holds no {name}"):
        Store.open(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema": 1}', "\x00\x01", "null"])
def test_a_manifest_that_is_none(tmp_path: Path, text: str) -> None:
    folder = written(tmp_path / "s")
    (folder / MANIFEST_FILE).write_text(text)
    with pytest.raises(DataError, match="manifest"):
        Store.open(folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"recordings": 5}, "manifest.json: recordings is 5, expected a list"),
        ({"recordings": []}, "it lists no recording"),
        ({"recordings": [5]}, r"recordings\[0\] is 5, expected keys and values"),
        ({"adapter": None}, "adapter is None, expected keys and values"),
        ({"adapter": {}}, "adapter lacks version"),
        ({"score_range": None}, "score_range is None, expected a list"),
        ({"score_range": [0, 50, 100]}, "expected a list of 2"),
        ({"score_range": [50, 0]}, "score_range is 50 to 0, expected the lower score first"),
        ({"layout": ["lines"]}, "layout is .'lines'., expected text"),
        ({"fps": "30"}, "fps is '30', expected a number"),
        ({"problems": [{"kind": "x"}]}, r"problems\[0\] lacks file"),
        ({"notes": 5}, "notes is 5, expected a list"),
        ({"colour": 5}, "has no key 'colour'"),
    ],
)
def test_a_manifest_of_another_form(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    folder = written(tmp_path / "s")
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    (folder / MANIFEST_FILE).write_text(json.dumps({**manifest, **change}))
    with pytest.raises(DataError, match=words) as caught:
        Store.open(folder)
    assert "cannot be used" in str(caught.value)
    assert 'zoo.prepare_dataset("s", ' in str(caught.value)


@pytest.mark.parametrize("key", ["adapter", "score_range", "recordings", "layout", "fps", "name"])
def test_a_manifest_that_lacks_something(tmp_path: Path, key: str) -> None:
    folder = written(tmp_path / "s")
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    del manifest[key]
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))
    with pytest.raises(DataError, match=f"lacks {key}"):
        Store.open(folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": None}, "id is None, expected text"),
        ({"id": "B/1"}, r"recordings\[1\] \('B/1'\): expected an id of its own"),
        ({"arrays": 5}, "arrays is 5, expected keys and values"),
        ({"arrays": {"positions": "5"}}, "arrays.positions is '5', expected a list"),
        ({"arrays": {"colours": [5, 3, 3]}}, "found an array 'colours'"),
        ({"arrays": {"positions": [6, 3, 3]}}, r"have shape \[6, 3, 3\] of 5 frames"),
        ({"arrays": {"positions": []}}, r"have shape \[\]"),
        ({"arrays": {"positions": [5, 3, 3], "tracked": [5, 4]}}, "have shape"),
        ({"frames": 0}, "of 0 frames"),
        ({"fps": 0}, "found 0 frames per second"),
        ({"fps": 10**18}, "manifest.json is no JSON: a whole number of 19 digits is too large"),
        ({"sha256": 5.5}, "sha256 is 5.5, expected text"),
        ({"scores": {"total": "x"}}, "scores.total is 'x', expected a number"),
        ({"extra": []}, r"extra is \[\], expected keys and values"),
    ],
)
def test_a_recording_of_another_form(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    folder = written(tmp_path / "s", recording("A/1"), recording("B/1"))
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    manifest["recordings"][0].update(change)
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))
    with pytest.raises(DataError, match=words):
        Store.open(folder)


@pytest.mark.parametrize("key", ["id", "arrays", "sha256", "frames", "fps", "subject"])
def test_a_recording_that_lacks_something(tmp_path: Path, key: str) -> None:
    folder = written(tmp_path / "s")
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    del manifest["recordings"][0][key]
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))
    with pytest.raises(DataError, match=rf"recordings\[0\] lacks {key}"):
        Store.open(folder)


def test_a_manifest_of_a_newer_zoo(tmp_path: Path) -> None:
    folder = written(tmp_path / "s")
    manifest = json.loads((folder / MANIFEST_FILE).read_text())
    manifest["schema"] = 7
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="written in form 7, this version of the zoo reads form 1"):
        Store.open(folder)


def test_data_and_manifest_of_different_stores(tmp_path: Path) -> None:
    one, other = written(tmp_path / "1"), written(tmp_path / "2", recording(frames=9))
    (one / DATA_FILE).write_bytes((other / DATA_FILE).read_bytes())
    with pytest.raises(DataError, match="lacks A/1/"):
        Store.open(one)


def test_what_a_writer_refuses() -> None:
    writer = StoreWriter(HEADER, joints=3)
    writer.add(recording())
    nan = np.full((5, 3, 3), np.nan, dtype=np.float32)
    empty = np.zeros((0, 3, 3), dtype=np.float32)
    nothing = {"orientations": None, "tracked": None, "timestamps": None}
    for bad, message in (
        (recording(), "twice"),
        (recording("B/1", joints=4), "4 joints"),
        (recording("B/1", layout="other"), "layout 'other'"),
        (recording("B/1", positions=nan), "positions are not finite in frame 0"),
        (recording("B/1", scores={"total": float("nan")}), "score 'total' is nan"),
        (recording("B/1", positions=empty, **nothing), "without a frame"),
        (recording("B/1", extra={"x": object()}), "JSON"),
    ):
        with pytest.raises(DataError, match=message):
            writer.add(bad)
    assert len(writer) == 1


def test_the_fingerprint_is_that_of_the_manifest(tmp_path: Path) -> None:
    extra = {"numbers": {10: "ten", 9: "nine"}, "pair": (1, 2)}
    manifest = read_manifest(written(tmp_path / "s", recording(extra=extra)))
    assert fingerprint(manifest.plain) == manifest.fingerprint
    assert manifest.recordings[0].extra == {
        "numbers": {"10": "ten", "9": "nine"},
        "pair": [1, 2],
    }

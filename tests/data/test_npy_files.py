"""Arrays are read and pickles are never run, whatever stands in them."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from zoo.data.adapters.npy_files import ObjectArrayError, read_npy
from zoo.errors import DataError

VALUES = np.random.default_rng(0).normal(size=(4, 6, 5))


def saved(path: Path, array: NDArray[Any]) -> Path:
    np.save(path / "a.npy", array, allow_pickle=True)
    return path / "a.npy"


def objects(items: list[Any]) -> NDArray[Any]:
    array = np.empty(len(items), dtype=object)
    for i, item in enumerate(items):
        array[i] = item
    return array


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("dtype", ["<f8", "<f4", ">f4", "<i8", "U3"])
def test_plain_arrays(tmp_path: Path, asked: bool, dtype: str) -> None:
    values = (VALUES * 10).astype(dtype)
    np.testing.assert_array_equal(read_npy(saved(tmp_path, values), asked), values)


@pytest.mark.parametrize(
    "pack",
    [
        lambda x: x.astype(object),
        lambda x: np.asfortranarray(x.astype(object)),
        lambda x: objects(list(x)),
        lambda x: objects([np.asfortranarray(row) for row in x]),
        lambda x: objects([row.astype(object) for row in x]),
        lambda x: objects([row.tolist() for row in x]),
    ],
)
@pytest.mark.parametrize("protocol", [3, 4])
def test_arrays_of_objects_become_plain(
    tmp_path: Path, pack: Callable[[Any], NDArray[Any]], protocol: int
) -> None:
    packed = pack(VALUES)
    file = saved(tmp_path, packed)
    start = file.read_bytes()
    header = start[: start.index(b"\n") + 1]
    file.write_bytes(header + pickle.dumps(packed, protocol=protocol))
    with pytest.raises(ObjectArrayError, match="to unpickle a file is to run whatever it says"):
        read_npy(file)
    found = read_npy(file, objects=True)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, VALUES)


def test_labels_of_objects(tmp_path: Path) -> None:
    for items in ([1, 0, 1], [np.float32(0.5), np.float64(1)], ["right", "wrong"]):
        assert read_npy(saved(tmp_path, objects(items)), objects=True).tolist() == items
    column = np.array([[1], [2]], dtype=object)
    assert read_npy(saved(tmp_path, column), objects=True).tolist() == [[1], [2]]


class Calls:
    """Pickles into a call of `function`."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = function, args

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize(
    ("item", "named"),
    [
        (lambda mark: Calls(os.system, f"touch {mark}"), "system"),
        (lambda mark: Calls(eval, f"open({str(mark)!r}, 'w')"), "builtins.eval"),
        (lambda mark: Calls(np.load, str(mark)), r"numpy\.load"),
        (lambda mark: Calls(Path.touch, mark), "pathlib"),
        (lambda mark: os.system, "system"),
        (lambda mark: Calls(np.dtype, "O,O"), "the type 'O,O'"),
        (lambda mark: Calls(np.ndarray, (2,)), r"ndarray\(\)"),
        (lambda mark: np.zeros(2, dtype="f4,i8"), "the type 'V12'"),
    ],
)
def test_nothing_of_a_pickle_is_run(tmp_path: Path, item: Any, named: str) -> None:
    mark = tmp_path / "mark"
    file = saved(tmp_path, objects([item(mark), 1.0]))
    with pytest.raises(DataError, match=f"asks for .*{named}.*Nothing was run"):
        read_npy(file, objects=True)
    with pytest.raises(ObjectArrayError):
        read_npy(file)
    assert not mark.exists()


def test_a_pickle_cannot_change_the_reader(tmp_path: Path) -> None:
    """BUILD with a state of attributes on a stand-in, as no array of numbers has it."""
    file = saved(tmp_path, objects([1.0]))
    header = file.read_bytes()[: file.read_bytes().index(b"\n") + 1]
    file.write_bytes(header + b"\x80\x04cnumpy\ndtype\n}\x8c\x05_name\x8c\x06scalars\x86b.")
    with pytest.raises(DataError):
        read_npy(file, objects=True)
    file.write_bytes(header + b"\x80\x04cnumpy\ndtype\nN}(\x8c\x05_name\x8c\x06scalaru\x86b.")
    with pytest.raises(DataError, match="a change of dtype"):
        read_npy(file, objects=True)
    assert read_npy(saved(tmp_path, objects([1.0])), objects=True).tolist() == [1.0]


@pytest.mark.parametrize(
    "items", [[np.zeros(2), np.zeros(3)], [None, 1], [{}, {}], [np.zeros(2), 1.0]]
)
def test_other_objects(tmp_path: Path, items: list[Any]) -> None:
    with pytest.raises(DataError, match=r"no sound \.npy file of numbers"):
        read_npy(saved(tmp_path, objects(items)), objects=True)


@pytest.mark.parametrize("values", [VALUES, VALUES.astype(object)])
def test_damaged_files(tmp_path: Path, values: NDArray[Any]) -> None:
    file = saved(tmp_path, values)
    whole = file.read_bytes()
    for damaged in (b"", b"PK\x03\x04", whole[:100], whole[:-9]):
        file.write_bytes(damaged)
        with pytest.raises(DataError, match=r"a\.npy: it is no sound"):
            read_npy(file, objects=True)
    file.unlink()
    with pytest.raises(DataError, match=r"a\.npy: no such file"):
        read_npy(file)

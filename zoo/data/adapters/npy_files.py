"""Arrays of ``.npy`` and ``.npz`` files and of pickles, read without running what a file says.

A ``.npy`` file of numbers is a header and bytes. One of Python objects is a pickle, and a pickle is
a program: `numpy.load` with ``allow_pickle=True`` runs it. Nothing here does. Where objects are
asked for, the pickle is taken apart with stand-ins for the few names that numpy writes into the
pickle of an array, every other name is refused, and the arrays are built here.
"""

import io
import math
import pickle
import re
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from zoo.errors import DataError

_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_TYPE = re.compile(r"O8|b1|[iu][1248]|f[248]|U\d{1,6}")
_DAMAGED = (
    pickle.UnpicklingError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
    RuntimeError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
_NUMBERS = "biufU"
_DEPTH, _ITEMS = 16, 10**7
"""Containers in containers, and all that is in them, that a recording may need."""

LIMIT = 2**30
"""Bytes that what is packed may unpack to."""


def read_npy(file: Path, objects: bool = False) -> NDArray[Any]:
    """The array of a ``.npy`` file: numbers or text, never Python objects.

    Args:
        file: in format 1.0 or 2.0.
        objects: also take apart an array of objects (numbers, texts, arrays of them), and stack
            what it holds into one array; nothing in it is run.

    Raises:
        DataError: no such file, no ``.npy`` file, damaged, objects where none are asked for, or
            objects that are no plain numbers.
    """
    with _told(file), file.open("rb") as opened:
        return _read(opened, file.stat().st_size, objects, file)


def read_npz(file: Path) -> dict[str, NDArray[Any]]:
    """The arrays of a ``.npz`` file by name; those of Python objects are left out.

    Raises:
        DataError: no such file, no ``.npz`` file, damaged, or more than `LIMIT` bytes unpacked.
    """
    found = {}
    with _told(file, "a sound .npz file of numbers"), zipfile.ZipFile(file) as packed:
        members = [m for m in packed.infolist() if m.filename.endswith(".npy")]
        size = sum(member.file_size for member in members)
        if size > LIMIT:
            raise ValueError(
                f"it unpacks to {size / 2**20:.0f} MB, at most {LIMIT >> 20} MB are read"
            )
        for member in members:
            try:
                data = io.BytesIO(packed.read(member))
                array = _read(data, member.file_size, False, file)
            except ObjectArrayError:
                continue
            found[member.filename.removesuffix(".npy")] = array
    return found


def read_pickle(file: Path) -> Any:
    """What a pickle holds: plain containers, numbers, texts and arrays; nothing in it is run.

    Raises:
        DataError: no such file, too large, damaged, or it asks for anything else.
    """
    with _told(file, "a sound pickle of arrays"), file.open("rb") as opened:
        if file.stat().st_size > LIMIT:
            raise ValueError(f"it has more than {LIMIT >> 20} MB")
        return _plain(_Plain(opened).load())


@contextmanager
def _told(file: Path, what: str = "a sound .npy file of numbers") -> Iterator[None]:
    """What goes wrong inside is told as what is wrong with the file."""
    try:
        if file.exists() and not file.is_file():
            raise OSError("no regular file")
        yield
    except _RefusedError as error:
        raise DataError(
            f"{file}: its pickle asks for {error}, which no array of numbers needs. Nothing was "
            "run. Do not open this file with numpy.load(..., allow_pickle=True) or pickle.load; "
            "get it anew from its authors"
        ) from None
    except FileNotFoundError:
        raise DataError(f"{file}: no such file") from None
    except _DAMAGED as error:
        raise DataError(f"{file}: it is no{what.removeprefix('a')}: {error}") from None


def _read(opened: BinaryIO, size: int, objects: bool, file: Path) -> NDArray[Any]:
    """The array that `size` bytes hold; see `read_npy`."""
    version = npy.read_magic(opened)
    if version not in _HEADERS:
        raise ValueError(f"version {version} of the format is not read here")
    shape, _, dtype = _HEADERS[version](opened)
    if dtype.hasobject:
        if objects and dtype == np.dtype(object):
            return _loaded(opened, shape)
        raise ObjectArrayError(file)
    if dtype.kind not in _NUMBERS or dtype.subdtype is not None:
        raise ValueError(f"its type is {dtype}, expected numbers")
    needed, there = math.prod(shape) * dtype.itemsize, size - opened.tell()
    if min(shape, default=0) < 0 or needed > there:
        raise ValueError(f"an array of the shape {shape} has {needed} bytes, {there} are there")
    opened.seek(0)
    return np.asarray(npy.read_array(opened, allow_pickle=False))


class ObjectArrayError(DataError):
    """A file that holds pickled Python objects, where none were asked for."""

    def __init__(self, file: Path) -> None:
        super().__init__(
            f"{file}: it holds pickled Python objects, and to unpickle a file is to run whatever "
            "it says"
        )
        self.file = file


class _RefusedError(Exception):
    """A pickle asks for a name that is not one of numpy's arrays."""


class _Array:
    """Stands for an array of a pickle; `value` is the array once its state is read."""

    __slots__ = ("value",)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, dtype, fortran, raw = state
        shape = tuple(int(n) for n in shape)
        kind = _dtype(dtype)
        if kind.hasobject:
            self.value = _stacked(raw, shape)
            return
        flat = np.frombuffer(raw, dtype=kind)
        self.value = flat.reshape(shape, order="F" if fortran else "C")


class _Type:
    """Stands for a dtype of a pickle: its code and byte order, and nothing else."""

    __slots__ = ("code", "order")

    def __init__(self, code: str) -> None:
        if not isinstance(code, str) or not _TYPE.fullmatch(code):
            raise _RefusedError(f"the type {code!r}")
        self.code, self.order = code, "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] not in ("<", ">", "=", "|") or any(part is not None for part in state[2:5]):
            raise _RefusedError(f"a type with parts ({self.code})")
        self.order = state[1]


class _Maker:
    """Stands for one of numpy's names; without attributes, so that a pickle cannot change it."""

    __slots__ = ("_name",)
    _name: str

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "_name", name)

    def __setattr__(self, name: str, value: Any) -> None:
        raise _RefusedError(f"a change of {self._name}")

    def __call__(self, *args: Any) -> Any:
        if self._name == "_reconstruct":
            return _Array()
        if self._name == "dtype":
            return _Type(args[0])
        if self._name == "encode" and args[1:] == ("latin1",):  # bytes, in old protocols
            return args[0].encode("latin1")
        if self._name == "_frombuffer":
            return _from_buffer(*args)
        if self._name == "scalar":
            return np.frombuffer(args[1], dtype=_dtype(args[0]), count=1)[0]
        raise _RefusedError(f"{self._name}()")


class _Plain(pickle.Unpickler):
    """Takes the pickle of an array apart; see the module."""

    def find_class(self, module: str, name: str) -> Any:
        known = {
            "_codecs": ("encode",),
            "numpy": ("dtype", "ndarray"),
            "numpy.core.numeric": ("_frombuffer",),
            "numpy._core.numeric": ("_frombuffer",),
            "numpy.core.multiarray": ("_reconstruct", "scalar"),
            "numpy._core.multiarray": ("_reconstruct", "scalar"),
        }
        if name not in known.get(module, ()):
            raise _RefusedError(f"{module}.{name}")
        return _Maker(name)

    def persistent_load(self, pid: Any) -> Any:
        raise _RefusedError("something outside the file")


def _dtype(stand_in: Any) -> np.dtype[Any]:
    if not isinstance(stand_in, _Type):
        raise TypeError("an array without a type")
    return np.dtype(f"{stand_in.order}{stand_in.code}")


def _from_buffer(raw: Any, dtype: Any, shape: Any, order: Any) -> _Array:
    array = _Array()
    array.__setstate__((1, shape, dtype, order == "F", raw))
    return array


def _plain(value: Any) -> Any:
    """What an unpickled value stands for: plain containers, numbers, texts and arrays.

    Raises:
        ValueError: containers in containers without end: a small pickle can hold one list a
            billion times, or a list itself.
    """
    if _count(value, {}, 0) > _ITEMS:
        raise ValueError("it holds containers in containers without end")
    return _unpacked(value)


def _count(value: Any, known: dict[int, int], depth: int) -> int:
    """Items of a value, each time it is held; `known` has those of containers by their id."""
    if not isinstance(value, dict | list | tuple):
        return 1
    if id(value) not in known:
        if depth > _DEPTH:
            return _ITEMS + 1
        inside = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_count(item, known, depth + 1) for item in inside)
    return known[id(value)]


def _unpacked(value: Any) -> Any:
    if isinstance(value, _Array):
        return value.value
    if isinstance(value, dict):
        if not all(isinstance(key, str | int | float | np.generic) for key in value):
            raise _RefusedError("keys that are neither texts nor numbers")
        return {key: _unpacked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_unpacked(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str | bytes | np.generic):
        return value
    raise _RefusedError(f"an object of {type(value).__name__}")


def _loaded(opened: BinaryIO, shape: tuple[int, ...]) -> NDArray[Any]:
    array = _Plain(opened).load()
    if not isinstance(array, _Array) or array.value.shape[: len(shape)] != shape:
        raise ValueError("its pickle does not hold the array of its header")
    return array.value


def _stacked(items: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    """What an array of objects holds (in C order) as one array of ``shape + shape of an item``."""
    if not isinstance(items, list) or len(items) != math.prod(shape):
        raise ValueError(f"its objects do not fill the shape {shape}")
    values = np.array(_plain(items))
    if values.dtype.kind not in "biufU":
        raise TypeError("its objects are neither numbers nor texts")
    return values.reshape(*shape, *values.shape[1:])

"""Arrays of ``.npy`` files, read without running anything that a file says.

A ``.npy`` file of numbers is a header and bytes. One of Python objects is a pickle, and a pickle is
a program: `numpy.load` with ``allow_pickle=True`` runs it. `read_npy` never does. Where it is asked
for objects it takes the pickle apart with stand-ins for the four names that numpy writes into the
pickle of an array, refuses every other name, and builds the arrays itself.
"""

import math
import pickle
import re
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
    OSError,
    TypeError,
    ValueError,
)


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
    try:
        with file.open("rb") as opened:
            version = npy.read_magic(opened)
            if version not in _HEADERS:
                raise ValueError(f"version {version} of the format is not read here")
            shape, _, dtype = _HEADERS[version](opened)
            if not dtype.hasobject:
                opened.seek(0)
                return np.asarray(npy.read_array(opened, allow_pickle=False))
            if objects and dtype == np.dtype(object):
                return _loaded(opened, shape)
    except _RefusedError as error:
        raise DataError(
            f"{file}: its pickle asks for {error}, which no array of numbers needs. Nothing was "
            "run. Do not open this file with numpy.load(..., allow_pickle=True); get it anew from "
            "its authors"
        ) from None
    except FileNotFoundError:
        raise DataError(f"{file}: no such file") from None
    except _DAMAGED as error:
        raise DataError(f"{file}: it is no sound .npy file of numbers: {error}") from None
    raise ObjectArrayError(file)


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
        if self._name == "scalar":
            return np.frombuffer(args[1], dtype=_dtype(args[0]), count=1)[0]
        raise _RefusedError(f"{self._name}()")


class _Plain(pickle.Unpickler):
    """Takes the pickle of an array apart; see the module."""

    def find_class(self, module: str, name: str) -> Any:
        known = {
            "numpy": ("dtype", "ndarray"),
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


def _loaded(opened: BinaryIO, shape: tuple[int, ...]) -> NDArray[Any]:
    array = _Plain(opened).load()
    if not isinstance(array, _Array) or array.value.shape[: len(shape)] != shape:
        raise ValueError("its pickle does not hold the array of its header")
    return array.value


def _stacked(items: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    """What an array of objects holds (in C order) as one array of ``shape + shape of an item``."""
    if not isinstance(items, list) or len(items) != math.prod(shape):
        raise ValueError(f"its objects do not fill the shape {shape}")
    values = np.array([item.value if isinstance(item, _Array) else item for item in items])
    if values.dtype.kind not in "biufU":
        raise TypeError("its objects are neither numbers nor texts")
    return values.reshape(*shape, *values.shape[1:])

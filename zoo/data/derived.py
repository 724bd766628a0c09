"""What a model computes from recordings alone, once for all runs.

It lies beside the prepared data, ``derived/KEY.safetensors``, where KEY is the hash of the code and
settings that made it; in it every sample is found by the hash of its own frames. Nothing in it can
be stale: other data, code or settings have other names.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

import safetensors.numpy
import torch
from safetensors import SafetensorError
from torch import Tensor

from registry import code_digest
from zoo.data.batch import Batch
from zoo.data.samples import SampleSet
from zoo.errors import ConfigError
from zoo.files import StorageError, WriteLock, json_hash, write_atomically

FOLDER = "derived"


@dataclass(frozen=True, eq=False)
class Derivation:
    """A way from recordings to what a model computes of them.

    Attributes:
        compute: from a batch to a batch of other streams.
        settings: what decides its results, beside the code.
        code: the file or the package whose code it is.
    """

    compute: Callable[[Batch], Batch]
    settings: Mapping[str, Any]
    code: Path

    @cached_property
    def key(self) -> str:
        """SHA-256 (hex) over settings, code and the versions of what it computes with."""
        files = sorted(self.code.rglob("*.py")) if self.code.is_dir() else [self.code]
        ours = Path(__file__).parent
        files += sorted(ours.rglob("*.py")) + sorted(ours.with_name("skeleton").rglob("*.py"))
        versions = {name: metadata.version(name) for name in ("numpy", "scipy", "torch")}
        return json_hash([self.settings, [code_digest(file) for file in files], versions])

    def of(self, samples: SampleSet, folder: Path | None) -> SampleSet:
        """`samples` with what is computed of them as their streams.

        Args:
            samples: as the protocol makes them.
            folder: of the prepared dataset, where it is kept and looked for; None keeps nothing.

        Raises:
            ConfigError: what is computed of two recordings has different shapes.
        """
        ones = [_single(samples, i) for i in range(len(samples))]
        digests = [_digest(one) for one in ones]
        if folder is None:
            known = self._computed(dict(zip(digests, ones, strict=True)))
        else:
            file = folder / FOLDER / f"{self.key[:32]}.safetensors"
            known = _read(file)
            if not known.keys() >= set(digests):
                known = self._added(file, dict(zip(digests, ones, strict=True)))
        return replace(samples, streams=_stacked([known[d] for d in digests]), mask=None)

    def _added(self, file: Path, ones: Mapping[str, Batch]) -> dict[str, dict[str, Tensor]]:
        """What `file` holds and what is missing in it, which is added where it can be."""
        lock = WriteLock(file)
        try:
            lock.acquire(wait=True)
            known = _read(file)
            known |= self._computed({d: one for d, one in ones.items() if d not in known})
            _write(file, known)
        except StorageError:  # a full disk, or data that only others may write: computed in vain
            known = self._computed(ones)
        finally:
            lock.release()
        return known

    def _computed(self, ones: Mapping[str, Batch]) -> dict[str, dict[str, Tensor]]:
        found = {}
        for digest, one in ones.items():
            made = self.compute(one)
            if made.mask is not None:
                raise ConfigError(
                    "what a model derives of a recording has no padding: mask is None"
                )
            found[digest] = {name: x[0].float().cpu() for name, x in made.x.items()}
        return found


def derivation(compute: Callable[[Batch], Batch], settings: Mapping[str, Any]) -> Derivation:
    """The derivation whose code is where the class of the method `compute` stands.

    A class of a package is taken with the whole of its package, one of a file with its file.
    """
    cls = type(getattr(compute, "__self__", compute))
    file = Path(inspect.getfile(cls))
    inside = "." in cls.__module__ and file.with_name("__init__.py").is_file()
    return Derivation(compute, settings, file.parent if inside else file)


def _single(samples: SampleSet, row: int) -> Batch:
    """One sample without its padding."""
    index = torch.tensor([row])
    one = samples.batch(index)
    if samples.mask is None:
        return one
    length = int(samples.mask[row].sum())
    return one._replace(x={name: x[:, :length] for name, x in one.x.items()}, mask=None)


def _digest(one: Batch) -> str:
    found = sha256()
    for name in sorted(one.x):
        found.update(f"{name} {tuple(one.x[name].shape)}".encode())
        found.update(one.x[name].contiguous().numpy().tobytes())
    if one.fps is not None:
        found.update(one.fps.numpy().tobytes())
    return found.hexdigest()


def _stacked(parts: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    for part in parts:
        shapes = {name: tuple(x.shape) for name, x in part.items()}
        usual = {name: tuple(x.shape) for name, x in parts[0].items()}
        if shapes != usual:
            raise ConfigError(
                f"what a model derives of two recordings has different shapes, {usual} and "
                f"{shapes}: derive(batch) gives every recording tensors of one shape"
            )
    return {name: torch.stack([part[name] for part in parts]) for name in parts[0]}


def _read(file: Path) -> dict[str, dict[str, Tensor]]:
    """What was kept; nothing where the file is missing or damaged: it is made anew."""
    try:
        flat = safetensors.numpy.load(file.read_bytes())
    except (OSError, SafetensorError):
        return {}
    found: dict[str, dict[str, Tensor]] = {}
    for label, values in flat.items():
        digest, _, name = label.partition("/")
        found.setdefault(digest, {})[name] = torch.from_numpy(values)
    return found


def _write(file: Path, known: Mapping[str, Mapping[str, Tensor]]) -> None:
    flat = {f"{digest}/{name}": x.numpy() for digest, of in known.items() for name, x in of.items()}
    write_atomically(file, safetensors.numpy.save(flat))

"""What a machine of a cluster needs that it may not have: plug-ins, configs, prepared data."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zoo.data.cross import CrossDataset
from zoo.data.dataset import SkeletonDataset
from zoo.data.manifest import MANIFEST_FILE, read_manifest
from zoo.data.store import DATA_FILE
from zoo.errors import DataError
from zoo.experiments.executors.setup import Setup
from zoo.workspace import Session

Files = dict[str, bytes]


@dataclass(frozen=True)
class Store:
    """A prepared dataset on its way.

    Attributes:
        folder: where it lies on the machine that sends it.
        fingerprint: of the dataset.
        files: what brings its files, by `Payload.unpack`'s `fetch`; asked for only where needed.
    """

    folder: str
    fingerprint: str
    files: Any


@dataclass(frozen=True)
class Payload:
    """All of it; plain data but for what `Store.files` holds.

    Attributes:
        setup: of the sending process, with paths of its machine.
        texts: files that the setup names, by path: plug-ins and configs.
        stores: the prepared datasets.
    """

    setup: Setup
    texts: Files
    stores: list[Store]

    @classmethod
    def pack(
        cls, setup: Setup, sessions: Iterable[Session], send: Callable[[Files], Any]
    ) -> "Payload":
        """What runs of `sessions` need.

        Args:
            setup: of this process.
            sessions: of all models and exercises.
            send: keeps the files of a dataset where other machines can fetch them.
        """
        texts = [file for folder in setup.config_dirs for file in Path(folder).rglob("*.yaml")]
        for kind, name, module, *_ in setup.added:
            if module.endswith(".py"):
                file = Path(module)
                texts += [file, file.with_name(f"{name}.yaml")]
                texts.append(file.parent / "configs" / kind / f"{name}.yaml")
        stores: dict[Path, SkeletonDataset] = {}
        for session in sessions:
            data = session.dataset
            for part in data.parts if isinstance(data, CrossDataset) else (data,):
                stores[part.folder.absolute()] = part
        return cls(
            setup=setup,
            texts={str(file): file.read_bytes() for file in texts if file.is_file()},
            stores=[
                Store(
                    str(folder),
                    part.fingerprint,
                    send({f: (folder / f).read_bytes() for f in (MANIFEST_FILE, DATA_FILE)}),
                )
                for folder, part in stores.items()
            ],
        )

    def unpack(self, room: Path, fetch: Callable[[Any], Files]) -> Path:
        """Make this process ready to compute; the folder of prepared datasets.

        What lies in the same place here with the same content is used from there.

        Args:
            room: a folder of this process's own.
            fetch: gives the files that `send` kept.
        """
        setup = self.setup
        if not all(_has(Path(path), content) for path, content in self.texts.items()):
            for path, content in self.texts.items():
                write_files(_mirrored(path, room).parent, {Path(path).name: content})
            setup = _elsewhere(setup, room)
        setup.apply()
        if all(_is_there(store) for store in self.stores):
            return Path(self.stores[0].folder).parent
        for store in self.stores:
            write_files(room / "data" / Path(store.folder).name, fetch(store.files))
        return room / "data"


def read_files(folder: Path, pattern: str = "*") -> Files:
    """The content of the files in a folder, by name."""
    return {file.name: file.read_bytes() for file in folder.glob(pattern) if file.is_file()}


def write_files(folder: Path, files: Files) -> None:
    """Put files into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _mirrored(path: str, room: Path) -> Path:
    """Where a file of another machine is kept: below `room`, folders as they were."""
    return room / "texts" / Path(path).relative_to(Path(path).anchor)


def _elsewhere(setup: Setup, room: Path) -> Setup:
    return replace(
        setup,
        config_dirs=[str(_mirrored(folder, room)) for folder in setup.config_dirs],
        added=[
            [kind, name, str(_mirrored(m, room)) if m.endswith(".py") else m, *rest]
            for kind, name, m, *rest in setup.added
        ],
    )


def _has(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False


def _is_there(store: Store) -> bool:
    try:
        return read_manifest(Path(store.folder)).fingerprint == store.fingerprint
    except DataError:
        return False

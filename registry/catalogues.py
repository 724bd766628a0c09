"""Catalogues: folders of YAML files, one an entry, of installed distributions and of the user.

A distribution registers its package in the entry-point group `GROUP`. The folder ``configs`` in
that package (beside it in a checkout of the zoo) holds ``KIND/NAME.yaml``. Such a file may have

* ``code: package.module:Object``, what the entry is built with; layouts and protocols need none;
* ``variants:``, entries that begin with this one: ``small: {...}`` in ``stgcn.yaml`` makes
  ``stgcn-small``. Where only the variants name code, the file is no entry itself;
* whatever the kind has beside these, such as ``card``, ``params`` and ``trainer`` of a model.

Files are read, and nothing is imported. A folder of the user comes on top: see `use_config_dir`.
"""

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from registry.entry import Entry, Source
from registry.errors import ConfigError, UserError
from registry.places import expected_place, package_place
from registry.yaml_files import Config, merged, read_yaml

GROUP = "zoo.catalogues"
FOLDER = "configs"


@dataclass(frozen=True)
class Catalogue:
    """The entries of one distribution.

    Attributes:
        name: of the entry point.
        source: of no code: whose the entries are.
        folder: holds ``KIND/NAME.yaml``; None where there is none.
        problem: why there is none.
    """

    name: str
    source: Source
    folder: Traversable | None
    problem: str | None = None


@cache
def distribution_catalogues() -> tuple[Catalogue, ...]:
    """Those of all installed distributions, each once."""
    found: dict[tuple[str, str], Catalogue] = {}
    for point in metadata.entry_points(group=GROUP):
        name, version = (point.dist.name, point.dist.version) if point.dist else (point.name, "")
        if (name, point.value) not in found:
            source = Source("", "", f"{name} {version}".strip(), name)
            found[name, point.value] = Catalogue(point.name, source, *_folder(point.value, name))
    return tuple(found.values())


def use_config_dir(path: str | Path) -> None:
    """Lay a folder of the user over all catalogues; of two, the one named last lies on top.

    Its ``KIND/NAME.yaml`` is laid over the entry of that name: what it says replaces what was
    said, its ``variants`` are added. A name that is new is a new entry.

    Raises:
        ConfigError: `path` is no folder.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder of configurations")
    if folder not in _user_dirs:
        _user_dirs.append(folder)


def user_config_dirs() -> list[Path]:
    """The folders given to `use_config_dir`, in that order."""
    return list(_user_dirs)


def yaml_files(folder: Traversable | None, kind: str) -> Iterator[tuple[str, Traversable]]:
    """Name and file of every ``KIND/NAME.yaml`` in a catalogue's folder, sorted."""
    inside = None if folder is None else folder / kind
    if inside is not None and inside.is_dir():
        files = [file for file in inside.iterdir() if file.name.endswith(".yaml")]
        yield from sorted((file.name.removesuffix(".yaml"), file) for file in files)


def config_names(kind: str) -> list[str]:
    """Names of all files of one kind, also of one that has no registry, sorted."""
    return sorted({name for folder in _folders() for name, _ in yaml_files(folder, kind)})


def find_config(kind: str, name: str) -> Traversable | None:
    """The topmost ``KIND/NAME.yaml``, also of a kind that has no registry; None if there is none.

    For an entry of a registry take `Registry.get`, which lays files over each other.
    """
    files = (folder / kind / f"{name}.yaml" for folder in _folders())
    return next((file for file in files if file.is_file()), None)


def entries_of(
    file: Traversable, start: Entry, known: Mapping[str, Entry] = MappingProxyType({})
) -> list[Entry]:
    """The entries that a YAML file makes: one, and its variants; a wrong file a broken one.

    Args:
        file: the YAML file.
        start: the entry that the file is laid over; of a new one, its name and whose it is.
        known: entries that variants are laid over where they are there already.
    """
    try:
        values = _read(file)
        own = _laid_over(start, file, values)
        made = []
        for variant, over in _mapping(values.get("variants"), "variants").items():
            name = f"{start.name}-{variant}"
            over = _mapping(over, f"variants.{variant}")
            made.append(_laid_over(known.get(name, replace(own, name=name)), file, over))
    except UserError as error:
        text = str(error)
        return [replace(start, problem=text if str(file) in text else f"{file}: {text}")]
    only_variants = not own.source.module and any(each.source.module for each in made)
    return made if only_variants else [own, *made]


_user_dirs: list[Path] = []
_known: dict[str, tuple[tuple[int, int] | None, Config]] = {}


def _folders() -> Iterator[Traversable]:
    yield from reversed(_user_dirs)
    for catalogue in distribution_catalogues():
        if catalogue.folder is not None:
            yield catalogue.folder


def _laid_over(entry: Entry, file: Traversable, values: Mapping[str, Any]) -> Entry:
    code, source = values.get("code"), entry.source
    if code is not None:
        if not isinstance(code, str) or not all(code.partition(":")):
            raise ConfigError(f"code is {code!r}, expected package.module:Object")
        if not source.is_file and source.object is None:  # which a plug-in knows better
            module, _, attribute = code.partition(":")
            source = replace(source, module=module, attribute=attribute)
    config = {k: v for k, v in values.items() if k not in ("code", "variants")}
    return replace(entry, source=source, file=file, config=merged(entry.config, config))


def _read(file: Traversable) -> Config:
    """`read_yaml`, once for each state of the file."""
    state = None
    if isinstance(file, Path) and file.is_file():
        state = (file.stat().st_mtime_ns, file.stat().st_size)
    known = _known.get(str(file))
    if known is None or known[0] != state:
        known = _known[str(file)] = (state, read_yaml(file))
    return known[1]


def _mapping(values: Any, where: str) -> Mapping[str, Any]:
    if values is not None and not isinstance(values, Mapping):
        raise ConfigError(f"{where} is {values!r}, expected keys and values")
    return values or {}


def _folder(package: str, distribution: str) -> tuple[Traversable | None, str | None]:
    """The catalogue's folder of a package, which is not imported, or why there is none."""
    top, *rest = package.split(".")
    place = expected_place(top, distribution) or package_place(top)
    inside = None if place is None else _unpacked(place.joinpath(*rest))
    if place is None or inside is None or not inside.is_dir():
        return None, f"its package {package!r} is not installed"
    if (inside / FOLDER).is_dir():
        return inside / FOLDER, None
    beside = place.parent
    if (beside / "pyproject.toml").is_file() and (beside / FOLDER).is_dir():  # a checkout
        return beside / FOLDER, None
    return None, f"its package {package!r} has no folder {FOLDER!r} in {place}"


def _unpacked(place: Path) -> Traversable:
    """`place`, also where one of its parents is a zip file."""
    for parent in place.parents:
        if parent.is_file():
            return zipfile.Path(parent, f"{place.relative_to(parent).as_posix()}/")
    return place

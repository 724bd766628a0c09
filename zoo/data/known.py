"""Which datasets there are: those of the registry, and the folders of recordings prepared here.

A dataset of the registry has its code and its settings in its YAML file. Any other is a folder of
recordings: `FolderAdapter` reads it, and its settings stand in its prepared form.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from registry import DATASETS, READERS, RegistryError, did_you_mean
from registry.yaml_files import Config
from zoo.catalogue import blocks_of, parameters
from zoo.data.adapters.description import FILE
from zoo.data.adapters.folder import FolderAdapter
from zoo.data.manifest import MANIFEST_FILE, read_manifest
from zoo.data.paths import data_root as default_root
from zoo.errors import ConfigError
from zoo.files import recover

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_GENERATED = re.compile(r"-[0-9a-f]{8}$")  # behind the name of a simulator with other settings


def own_datasets(data_root: Path | None = None) -> list[str]:
    """Names of what is prepared in a folder and not registered, sorted."""
    root = default_root(data_root)
    if not root.is_dir():
        return []
    found = sorted(file.parent.name for file in root.glob(f"[!.]*/{MANIFEST_FILE}"))
    return [name for name in found if _GENERATED.sub("", name) not in DATASETS]


def dataset_settings(name: str, data_root: Path | None = None) -> Config:
    """The dataset's block of a run's configuration: name, exercise, and every parameter.

    Args:
        name: of a registered dataset, or of one that is prepared.
        data_root: folder of prepared datasets.

    Raises:
        RegistryError: nothing is registered or prepared under this name; the nearest are named.
        DataError: what is prepared is damaged.
    """
    if name in DATASETS:
        entry = DATASETS.get(name)
        return {"name": name, "exercise": blocks_of(entry).get("exercise"), **parameters(entry)}
    root = default_root(data_root)
    there = _NAME.fullmatch(name) and ((root / name).exists() or recover(root / name))
    if not there:
        known = [*DATASETS.names(), *own_datasets(root)]
        raise RegistryError(
            f"no dataset is called {name!r}, registered or prepared in {root}. "
            f"{did_you_mean(name, known)}"
        )
    manifest = read_manifest(root / name)
    params = dict(manifest.adapter.params)
    return {"name": name, "exercise": next(iter(manifest.exercises), None), **params}


def parameters_for(name: str, source: Path | None, data_root: Path | None = None) -> Config:
    """The parameters with which a dataset is prepared from `source`.

    Raises:
        ConfigError: `name` cannot be the name of a dataset.
        DataError: a folder of recordings whose ``dataset.yaml`` cannot be used.
        RegistryError: nothing is registered under this name, and `source` is no such folder.
    """
    if name in DATASETS:
        return parameters(DATASETS.get(name))
    if source is None or not (source / FILE).is_file():
        why = (
            ": the folder of its recordings is not named"
            if source is None
            else (f", and {source} has no {FILE}")
        )
        raise RegistryError(
            f"no dataset is registered as {name!r}{why}. {did_you_mean(name, DATASETS.names())} "
            "For recordings of your own, `zoo data new FOLDER` writes what they need, and they are "
            "prepared from that folder"
        )
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} cannot be the name of a dataset: use lower-case letters, digits, hyphens, "
            "underscores and dots, a letter or digit first"
        )
    if name in READERS:
        raise ConfigError(f"{name!r} is the name of a reader: choose another for the dataset")
    return FolderAdapter.parameters_of(source)


def require_distinct(name: str, data_root: Path) -> None:
    """Refuse to prepare a dataset beside one whose name differs in upper and lower case only.

    Raises:
        ConfigError: there is one, registered or prepared.
    """
    others = {*DATASETS.names(), *own_datasets(data_root)} - {name}
    twin = next((other for other in sorted(others) if other.casefold() == name.casefold()), None)
    if twin is not None:
        raise ConfigError(
            f"{name!r} cannot be prepared: there is a dataset {twin!r} already, which differs in "
            "upper and lower case only: on Windows and macOS their folders would be one. Choose "
            "another name"
        )


def with_settings(params: Config, settings: Mapping[str, Any]) -> Config:
    """Parameters with which single files are read otherwise: a folder's are its reader's."""
    if not is_folder(params):
        return {**params, **settings}
    return {**params, "settings": {**(params.get("settings") or {}), **settings}}


def is_folder(params: Config) -> bool:
    """Whether these are the parameters of a folder of recordings."""
    return {"reader", "settings", "layout"} >= params.keys() >= {"reader"}

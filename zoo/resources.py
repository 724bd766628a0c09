"""Where the configuration files are: in a checkout, in a wheel, and in the user's own folders."""

from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from zoo.errors import ConfigError

_user_dirs: list[Path] = []


def add_config_dir(path: str | Path) -> None:
    """Search `path` before the zoo's own configs; the last one added is searched first.

    Raises:
        ConfigError: `path` is no folder.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise ConfigError(f"--config-dir {folder}: no such folder")
    if folder not in _user_dirs:
        _user_dirs.insert(0, folder)


def user_config_dirs() -> list[Path]:
    """The folders given to `add_config_dir`, in order of precedence."""
    return list(_user_dirs)


def builtin_configs() -> Traversable:
    """The zoo's own configs: inside the installed package, else beside it in a checkout."""
    package = resources.files("zoo")
    inside = package / "configs"
    if inside.is_dir():
        return inside
    beside = Path(str(package)).parent / "configs"
    if (beside / "layout").is_dir():
        return beside
    raise ConfigError(
        f"the zoo's configs are neither in {inside} nor in {beside}: reinstall skeleton-zoo"
    )


def config_roots() -> Iterator[Traversable]:
    """Every root that is searched for configs, in order of precedence."""
    yield from _user_dirs
    yield builtin_configs()


def find_config(kind: str, name: str) -> Traversable | None:
    """The first ``<root>/<kind>/<name>.yaml``, or None."""
    for root in config_roots():
        file = root / kind / f"{name}.yaml"
        if file.is_file():
            return file
    return None


def config_names(kind: str) -> list[str]:
    """Names of all configs of one kind, sorted."""
    names: set[str] = set()
    for root in config_roots():
        folder = root / kind
        if folder.is_dir():
            names.update(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".yaml"))
    return sorted(names)

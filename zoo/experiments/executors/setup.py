"""What a fresh process must know to compute runs as this one would: plug-ins, configs, places."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry import REGISTRIES, Source, use_config_dir, user_config_dirs
from zoo.errors import ConfigError


@dataclass(frozen=True)
class Setup:
    """Plain data that crosses processes: `vars` gives it, `Setup(**values)` takes it back.

    Attributes:
        runs: folder of all runs.
        data_root: folder of prepared datasets; None for the usual place.
        config_dirs: the user's folders of configs, in the order in which they were named.
        added: entries of no catalogue: kind, name and the fields of their `Source`.
    """

    runs: str
    data_root: str | None
    config_dirs: list[str]
    added: list[list[Any]]

    @classmethod
    def of_this_process(cls, runs: Path, data_root: Path | None, models: Iterable[str]) -> "Setup":
        """As it is here.

        Raises:
            ConfigError: one of `models` is defined in the running script, where no other process
                finds it.
        """
        for name in models:
            if REGISTRIES["model"].get(name).source.module == "__main__":
                raise ConfigError(
                    f"the model {name!r} is defined in the running script, where the processes of "
                    "a sweep do not find it: put it into a file of its own and name that with "
                    'registry.add_plugin("FILE.py")'
                )
        return cls(
            runs=str(runs),
            data_root=None if data_root is None else str(Path(data_root).absolute()),
            config_dirs=[str(folder.absolute()) for folder in user_config_dirs()],
            added=[
                [kind, name, source.module, source.attribute, source.owner, source.distribution]
                for kind, registry in REGISTRIES.items()
                for name, source in registry.added
                if source.object is None or registry.get(name).source == source
            ],
        )

    def apply(self) -> None:
        """Make this process like the one that the setup is of."""
        for folder in self.config_dirs:
            use_config_dir(folder)
        for kind, name, *source in self.added:
            REGISTRIES[kind].add(name, Source(*source))

"""One run of a sweep before it is computed: its settings, its place, the code it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.runs.environment import versions

ZOO = "skeleton-zoo"


@dataclass(frozen=True)
class Code:
    """Whose code computes a run; runs of other code are computed anew.

    Attributes:
        source: of the model: ``owner``, ``class`` and ``sha256`` of its file, as in ``run.json``.
        version: of skeleton-zoo.
    """

    source: Mapping[str, str | None]
    version: str

    @classmethod
    def now(cls, source: Mapping[str, str | None]) -> "Code":
        """A model's code with the zoo as it is installed."""
        return cls(source, versions()[ZOO])

    @classmethod
    def of(cls, source: Any, versions: Any) -> "Code":
        """As it was stored; what is missing there equals nothing."""
        version = versions.get(ZOO) if isinstance(versions, Mapping) else None
        return cls(source if isinstance(source, Mapping) else {}, str(version))


@dataclass(frozen=True)
class Job:
    """A run to be there at the end.

    Attributes:
        config: the composed configuration.
        path: where the finished run stands or will stand.
        key_hash: SHA-256 of the run's key: settings, data and protocol.
        title: the run in a few words.
        code: what it is to be computed by.
    """

    config: Mapping[str, Any]
    path: Path
    key_hash: str
    title: str
    code: Code

    @property
    def model(self) -> str:
        """Name of the model."""
        return str(self.config["model"]["name"])

    @property
    def exercise(self) -> str:
        """Exercise id, empty where the dataset has none."""
        return str(self.config["dataset"].get("exercise") or "")

    @property
    def partial(self) -> Path:
        """Where the run lives while it is computed."""
        return self.path.with_name(f"{self.path.name}.partial")

    @property
    def failure_file(self) -> Path:
        """Where its failure is kept."""
        return self.path.with_name(f"{self.path.name}.failed.json")

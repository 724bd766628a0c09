"""One run of a sweep before it is computed: its settings, its place, the code it needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.build import build
from zoo.errors import DataError
from zoo.runs.environment import ZOO, versions
from zoo.runs.record import Source
from zoo.words import score_digits
from zoo.workspace import Workspace


@dataclass(frozen=True)
class Code:
    """Whose code computes a run; runs of other code are computed anew.

    Attributes:
        source: of the model.
        version: of skeleton-zoo.
    """

    source: Source
    version: str

    @classmethod
    def now(cls, source: Source) -> "Code":
        """A model's code with the zoo as it is installed."""
        return cls(source, versions()[ZOO])

    @classmethod
    def stored(cls, source: Any, versions: Any) -> "Code":
        """As it is kept of a run that is not finished.

        Raises:
            DataError: it is damaged.
        """
        if not isinstance(versions, Mapping):
            raise DataError(f"versions is {versions!r}, expected keys and values")
        return cls(build(Source, source, "source", error=DataError), str(versions.get(ZOO)))


@dataclass(frozen=True)
class Job:
    """A run to be there at the end.

    Attributes:
        config: the composed configuration.
        path: where the finished run stands or will stand.
        key_hash: SHA-256 of the run's key: settings, data and protocol.
        title: the run in a few words.
        code: what it is to be computed by.
        digits: decimals of scores and of errors in them.
    """

    config: Mapping[str, Any]
    path: Path
    key_hash: str
    title: str
    code: Code
    digits: int

    @classmethod
    def of(cls, config: Mapping[str, Any], workspace: Workspace, code: Code) -> "Job":
        """The run of `config` in a workspace, computed by `code`."""
        key = workspace.key(config)
        digits = score_digits(workspace.dataset(config).score_range)
        return cls(config, key.path(workspace.runs), key.hash, key.title, code, digits)

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

"""One thing that is in the zoo: its name, where its code is, and what its YAML file says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from typing import Any

from registry.discovery import Source
from registry.errors import RegistryError


@dataclass(frozen=True)
class Entry:
    """One thing that is in the zoo.

    Attributes:
        kind: such as ``model``, ``dataset``, ``protocol`` or ``layout``.
        name: what users type.
        source: where the object is and who owns it.
        problem: why the entry cannot be used, as far as is known without importing it.
        config: what its YAML files say beside its code; empty where there are none.
        file: the YAML file that has the last word; None where there is none.
    """

    kind: str
    name: str
    source: Source
    problem: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    file: Traversable | None = field(default=None, compare=False, repr=False)

    @property
    def owner(self) -> str:
        """Who provides the entry: a distribution with its version, or a file."""
        return self.source.owner

    def check(self) -> None:
        """Nothing, where the entry can be used as far as is known.

        Raises:
            RegistryError: the entry is broken; the message says whose it is and why.
        """
        if self.problem is not None:
            raise RegistryError(f"{self.kind} {self.name!r} of {self.owner}: {self.problem}")

    def load(self) -> Any:
        """Import and return the object.

        Raises:
            RegistryError: the entry is broken; the message says whose it is and why.
        """
        self.check()
        try:
            return self.source.load()
        except RegistryError:
            raise
        except (Exception, SystemExit) as error:  # a plug-in may call sys.exit when imported
            raise RegistryError(
                f"{self.kind} {self.name!r} of {self.owner} cannot be loaded from "
                f"{self.source.target}: {type(error).__name__}: {error}"
            ) from error

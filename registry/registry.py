"""Registries: names to objects, resolved late.

An `Entry` knows where its object is without importing it. A `Registry` gathers the entries of
one kind from entry points, plug-in files and decorators, and refuses a name that two owners claim.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib import import_module
from typing import Any, TypeVar

from registry import discovery
from registry.discovery import Source
from registry.errors import RegistryError
from registry.nearest import did_you_mean

T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """One thing that is in the zoo.

    Attributes:
        kind: ``model``, ``dataset``, ``protocol`` or ``layout``.
        name: what users type.
        source: where the object is and who owns it.
        problem: why the entry cannot be used, as far as is known without importing it.
    """

    kind: str
    name: str
    source: Source
    problem: str | None = None

    @property
    def owner(self) -> str:
        """Who provides the entry: a distribution with its version, or a file."""
        return self.source.owner

    def load(self) -> Any:
        """Import and return the object.

        Raises:
            RegistryError: the entry is broken; the message says whose it is and why.
        """
        if self.problem is not None:
            raise RegistryError(f"{self.kind} {self.name!r} of {self.owner}: {self.problem}")
        try:
            return self.source.load()
        except RegistryError:
            raise
        except (Exception, SystemExit) as error:  # a plug-in may call sys.exit when imported
            raise RegistryError(
                f"{self.kind} {self.name!r} of {self.owner} cannot be loaded from "
                f"{self.source.target}: {type(error).__name__}: {error}"
            ) from error


@dataclass
class Registry:
    """All entries of one kind.

    Args:
        kind: singular noun for messages, such as ``model``.
        group: entry-point group, such as ``zoo.models``; empty for none.
        home: package that is imported before anything is looked up, whose decorators have then
            registered the built-in entries; empty for none.
    """

    kind: str
    group: str = ""
    home: str = ""
    _added: list[tuple[str, Source]] = field(default_factory=list, repr=False)

    def entries(self, pattern: str = "*", *, check: bool = False) -> list[Entry]:
        """Every entry whose name fits the shell-style `pattern`, sorted by name.

        Nothing is imported unless `check` is set, which loads every entry to see that it works.
        """
        found = [e for e in self._gather() if fnmatchcase(e.name, pattern)]
        return [_tried(e) for e in found] if check else found

    def names(self, pattern: str = "*") -> list[str]:
        """Sorted names of the entries that fit `pattern`."""
        return [entry.name for entry in self.entries(pattern)]

    def get(self, name: str) -> Entry:
        """The entry called `name`.

        Raises:
            RegistryError: nothing or more than one owner has this name.
        """
        entries = {entry.name: entry for entry in self._gather()}
        if name not in entries:
            if not entries:
                raise RegistryError(
                    f"no {self.kind}s are registered: skeleton-zoo is not installed in this "
                    "environment (run: pip install -e .)"
                )
            raise RegistryError(f"no {self.kind} is called {name!r}. {did_you_mean(name, entries)}")
        return entries[name]

    def __contains__(self, name: str) -> bool:
        return any(entry.name == name for entry in self._gather())

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._gather())

    def add(self, name: str, source: Source) -> None:
        """Add an entry by its source; adding the same one again changes nothing."""
        if (name, source) not in self._added:
            self._added.append((name, source))

    def register(self, name: str) -> Callable[[T], T]:
        """A decorator that puts a class or a function into the zoo under `name`."""

        def decorate(obj: T) -> T:
            self.add(name, discovery.live_source(obj))
            return obj

        return decorate

    def added(self) -> list[tuple[str, Source]]:
        """Name and source of what `add` and `register` put in; entry points are not among it."""
        return list(self._added)

    def forget(self, name: str) -> None:
        """Take back what `add` or `register` put in under `name`; entry points stay."""
        self._added = [(n, s) for n, s in self._added if n != name]

    def _gather(self) -> list[Entry]:
        if self.home:
            import_module(self.home)
        sources: dict[str, list[Source]] = {}
        for name, source in [*discovery.entry_point_sources(self.group), *self._added]:
            known = sources.setdefault(name, [])
            if not any(source.same_object(other) for other in known):
                known.append(source)
        return [self._entry(name, sources[name]) for name in sorted(sources)]

    def _entry(self, name: str, sources: list[Source]) -> Entry:
        first = sources[0]
        if len(sources) > 1:
            owners = " and ".join(f"{s.owner} ({s.target})" for s in sources)
            problem = f"the name is claimed by {owners}: remove or rename one"
            return Entry(self.kind, name, first, problem)
        return Entry(self.kind, name, first, first.problem())


def _tried(entry: Entry) -> Entry:
    try:
        entry.load()
    except RegistryError as error:
        return Entry(entry.kind, entry.name, entry.source, str(error))
    return entry

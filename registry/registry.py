"""Registries: names to objects, resolved late.

An `Entry` knows where its object is without importing it. A `Registry` gathers the entries of
one kind from catalogues, plug-in files and decorators, and refuses a name that two owners claim.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from importlib import import_module
from importlib.resources.abc import Traversable
from typing import Any, TypeVar

from registry import catalogues, discovery
from registry.catalogues import Catalogue, Definition
from registry.discovery import Source
from registry.errors import RegistryError
from registry.nearest import did_you_mean

T = TypeVar("T")

_ZOO = "skeleton-zoo"


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
        return self._from_source(Source.load)

    def defaults(self) -> dict[str, Any]:
        """The object's parameters that have a default, by name; it is imported only if need be.

        Raises:
            RegistryError: as `load`.
        """
        return self._from_source(Source.defaults)

    def _from_source(self, ask: Callable[[Source], T]) -> T:
        self.check()
        try:
            return ask(self.source)
        except RegistryError:
            raise
        except (Exception, SystemExit) as error:  # a plug-in may call sys.exit when imported
            raise RegistryError(
                f"{self.kind} {self.name!r} of {self.owner} cannot be loaded from "
                f"{self.source.target}: {type(error).__name__}: {error}"
            ) from error


@dataclass(frozen=True)
class _Claim:
    """One owner's entry of a name."""

    source: Source
    definition: Definition


@dataclass
class Registry:
    """All entries of one kind.

    Args:
        kind: singular noun for messages, such as ``model``; the folder of a catalogue.
        home: package that is imported before anything is looked up, whose decorators have then
            registered the built-in entries; empty for none.
        builder: ``module:object`` of the zoo that builds the entries whose files name no code;
            empty where each has to name its own.
    """

    kind: str
    home: str = ""
    builder: str = ""
    _added: list[tuple[str, Source]] = field(default_factory=list, repr=False)

    def entries(self, pattern: str = "*", *, check: bool = False) -> list[Entry]:
        """Every entry whose name fits the shell-style `pattern`, sorted by name.

        Nothing is imported unless `check` is set, which loads every entry to see that it works.
        """
        claims = self._claims()
        names = sorted(name for name in claims if fnmatchcase(name, pattern))
        found = [self._entry(name, claims[name]) for name in names]
        return [_tried(entry) for entry in found] if check else found

    def names(self, pattern: str = "*") -> list[str]:
        """Sorted names of the entries that fit `pattern`."""
        return sorted(name for name in self._claims() if fnmatchcase(name, pattern))

    def get(self, name: str) -> Entry:
        """The entry called `name`.

        Raises:
            RegistryError: nothing or more than one owner has this name.
        """
        claims = self._claims()
        if name not in claims:
            if not claims:
                raise RegistryError(
                    f"no {self.kind}s are registered: skeleton-zoo is not installed in this "
                    "environment (run: pip install -e .)"
                )
            raise RegistryError(f"no {self.kind} is called {name!r}. {did_you_mean(name, claims)}")
        return self._entry(name, claims[name])

    def __contains__(self, name: str) -> bool:
        return name in self._claims()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries())

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
        """Name and source of what `add` and `register` put in; catalogues are not among it."""
        return list(self._added)

    def forget(self, name: str) -> None:
        """Take back what `add` or `register` put in under `name`; catalogues stay."""
        self._added = [(n, s) for n, s in self._added if n != name]

    def _claims(self) -> dict[str, list[_Claim]]:
        """Who claims each name: catalogues first, then what was added; the user's files on top."""
        if self.home:
            import_module(self.home)
        claims: dict[str, list[_Claim]] = {}
        for catalogue in catalogues.distribution_catalogues():
            for claim in self._of_catalogue(catalogue):
                claims.setdefault(claim.definition.name, []).append(claim)
        for name, source in self._added:
            for definition in self._beside(name, source):
                known = claims.setdefault(definition.name, [])
                if not any(source.same_object(other.source) for other in known):
                    known.append(_Claim(source, definition))
        for folder in catalogues.user_config_dirs():
            for name, file in catalogues.yaml_files(folder, self.kind):
                self._lay_over(claims, file, name)
        return claims

    def _of_catalogue(self, catalogue: Catalogue) -> Iterator[_Claim]:
        if catalogue.problem is not None and self.kind == "model":  # where people look first
            source = Source("", "", catalogue.owner, catalogue.distribution)
            yield _Claim(source, Definition(catalogue.name, None, problem=catalogue.problem))
        for name, file in catalogues.yaml_files(catalogue.folder, self.kind):
            for definition in catalogues.definitions(file, name):
                yield self._claim(definition, catalogue.owner, catalogue.distribution)

    def _beside(self, name: str, source: Source) -> list[Definition]:
        """What a YAML file beside the module says of an entry: itself and its variants."""
        module = source.file()
        if module is not None:
            for place in (module.parent, module.parent / catalogues.FOLDER / self.kind):
                if (place / f"{name}.yaml").is_file():
                    return catalogues.definitions(place / f"{name}.yaml", name)
        return [Definition(name, None)]

    def _lay_over(self, claims: dict[str, list[_Claim]], file: Traversable, name: str) -> None:
        below = {known: each[0].definition for known, each in claims.items()}
        for definition in catalogues.laid_over(below, file, name):
            start = claims.get(definition.name) or claims.get(name)
            if start is not None and definition.problem is not None:
                start[0] = _Claim(start[0].source, definition)
            elif start is None or definition.code != start[0].definition.code:
                claim = self._claim(definition, str(file), None)
                claims.setdefault(definition.name, []).append(claim)
            elif definition.name in claims:
                start[0] = _Claim(start[0].source, definition)
            else:
                source = replace(start[0].source, owner=str(file))
                claims[definition.name] = [_Claim(source, definition)]

    def _claim(self, definition: Definition, owner: str, distribution: str | None) -> _Claim:
        code = definition.code
        if code is None:
            code, distribution = self.builder, _ZOO
        module, _, attribute = code.partition(":")
        return _Claim(Source(module, attribute, owner, distribution), definition)

    def _entry(self, name: str, claims: list[_Claim]) -> Entry:
        source, definition = claims[0].source, claims[0].definition
        if len(claims) > 1:
            owners = " and ".join(f"{c.source.owner} ({c.source.target})" for c in claims)
            problem: str | None = f"the name is claimed by {owners}: remove or rename one"
        elif definition.problem is not None or source.module:
            problem = definition.problem or source.problem()
        else:
            problem = f"{definition.file} names no code (code: package.module:Object)"
        return Entry(self.kind, name, source, problem, definition.config, definition.file)


def _tried(entry: Entry) -> Entry:
    try:
        entry.load()
    except RegistryError as error:
        return replace(entry, problem=str(error))
    return entry

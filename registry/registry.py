"""Registries: names to objects, resolved late.

An `Entry` knows where its object is without importing it. A `Registry` gathers the entries of
one kind from catalogues, plug-in files and decorators, and refuses a name that two owners claim.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from importlib import import_module
from importlib.resources.abc import Traversable
from typing import TypeVar

from registry import catalogues
from registry.entry import Entry, Source, live_source
from registry.errors import RegistryError
from registry.nearest import did_you_mean

T = TypeVar("T")

_ZOO = "skeleton-zoo"


@dataclass
class Registry:
    """All entries of one kind.

    Args:
        kind: singular noun for messages, such as ``model``; the folder of a catalogue.
        home: package that is imported before anything is looked up, whose decorators have then
            registered the built-in entries; empty for none.
        builder: ``module:object`` of the zoo that builds the entries whose files name no code;
            empty where each has to name its own.
        added: name and source of what `add` and `register` put in; catalogues are not among it.
    """

    kind: str
    home: str = ""
    builder: str = ""
    added: list[tuple[str, Source]] = field(default_factory=list, repr=False)

    def entries(self, pattern: str = "*", *, check: bool = False) -> list[Entry]:
        """Every entry whose name fits the shell-style `pattern`, sorted by name.

        Nothing is imported unless `check` is set, which loads every entry to see that it works.
        """
        claims = self._claims()
        names = sorted(name for name in claims if fnmatchcase(name, pattern))
        twins = _twins(claims)
        found = [self._judged(claims[name], twins.get(name)) for name in names]
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
        if not isinstance(name, str) or name not in claims:  # a name may come from a file
            if not claims:
                raise RegistryError(
                    f"no {self.kind}s are registered: skeleton-zoo is not installed in this "
                    "environment (run: pip install -e .)"
                )
            raise RegistryError(f"no {self.kind} is called {name!r}. {did_you_mean(name, claims)}")
        return self._judged(claims[name], _twins(claims).get(name))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._claims()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries())

    def add(self, name: str, source: Source) -> None:
        """Add an entry by its source, in place of what it was before where it is defined anew.

        So a class whose cell of a notebook is run again is the new class. What stands in one place
        and is seen again without its object, as a plug-in file looked at once more, stays.
        """
        before = [s for n, s in self.added if n == name and source.replaces(s)]
        if source.object is None and source in before:
            return
        self.added = [(n, s) for n, s in self.added if n != name or s not in before]
        self.added.append((name, source))

    def register(self, name: str) -> Callable[[T], T]:
        """A decorator that puts a class or a function into the zoo under `name`."""

        def decorate(obj: T) -> T:
            self.add(name, live_source(obj))
            return obj

        return decorate

    def forget(self, name: str) -> None:
        """Take back what `add` or `register` put in under `name`; catalogues stay."""
        self.added = [(n, s) for n, s in self.added if n != name]

    def forget_file(self, file: str) -> None:
        """Take back what a plug-in file put in."""
        self.added = [(n, s) for n, s in self.added if s.module != file]

    def _claims(self) -> dict[str, list[Entry]]:
        """Who claims each name: catalogues first, then what was added; the user's files on top."""
        if self.home:
            import_module(self.home)
        claims: dict[str, list[Entry]] = {}
        for catalogue in catalogues.distribution_catalogues():
            if catalogue.problem is not None and self.kind == "model":  # where people look first
                broken = Entry("model", catalogue.name, catalogue.source, catalogue.problem)
                claims.setdefault(broken.name, []).append(broken)
            for name, file in catalogues.yaml_files(catalogue.folder, self.kind):
                for entry in catalogues.entries_of(file, self._blank(name, catalogue.source)):
                    claims.setdefault(entry.name, []).append(entry)
        for name, source in self.added:
            for entry in self._beside(Entry(self.kind, name, source)):
                known = claims.setdefault(entry.name, [])
                if not any(source.same_object(other.source) for other in known):
                    known.append(entry)
        for folder in catalogues.user_config_dirs():
            for name, file in catalogues.yaml_files(folder, self.kind):
                self._lay_over(claims, file, name)
        return claims

    def _blank(self, name: str, owner: Source) -> Entry:
        """An entry of which nothing is known but whose it is, and who builds it if no other."""
        if self.builder:
            module, _, attribute = self.builder.partition(":")
            owner = Source(module, attribute, owner.owner, _ZOO)
        return Entry(self.kind, name, owner)

    def _beside(self, entry: Entry) -> list[Entry]:
        """An entry with what a YAML file beside its module says, and the variants there."""
        module = entry.source.file()
        if module is not None:
            for place in (module.parent, module.parent / catalogues.FOLDER / self.kind):
                if (place / f"{entry.name}.yaml").is_file():
                    return catalogues.entries_of(place / f"{entry.name}.yaml", entry)
        return [entry]

    def _lay_over(self, claims: dict[str, list[Entry]], file: Traversable, name: str) -> None:
        """Lay a file of the user over what is there; one with code of its own claims its names."""
        new = self._blank(name, Source("", "", str(file)))
        known = {other: entries[0] for other, entries in claims.items()}
        base = known.get(name, new)
        made = catalogues.entries_of(file, base, known)
        if any(e.source.target != known.get(e.name, base).source.target for e in made):
            known, made = {}, catalogues.entries_of(file, new)
        for entry in made:
            if entry.name in known:
                claims[entry.name][0] = entry
            else:
                entry = replace(entry, source=replace(entry.source, owner=str(file)))
                claims.setdefault(entry.name, []).append(entry)

    def _judged(self, claims: list[Entry], twin: str | None) -> Entry:
        """The one entry of a name, with what is wrong with it.

        Args:
            claims: who claims the name.
            twin: an older name that differs from it in upper and lower case only.
        """
        entry, problem = claims[0], claims[0].problem
        if len(claims) > 1:
            owners = " and ".join(f"{c.owner} ({c.source.target})" for c in claims)
            problem = f"the name is claimed by {owners}: remove or rename one"
        elif problem is None and twin is not None:
            problem = (
                f"there is {twin!r} already, which differs in upper and lower case only: on "
                "Windows and macOS their folders would be one. Choose another name"
            )
        elif problem is None and not entry.source.module:
            problem = f"{entry.file} names no code (code: package.module:Object)"
        return replace(entry, problem=problem or entry.source.problem())


def _twins(names: Iterable[str]) -> dict[str, str]:
    """Of names that differ in upper and lower case only, all but the first, with that one."""
    first: dict[str, str] = {}
    return {
        name: first[folded]
        for name in names
        if first.setdefault(folded := name.casefold(), name) != name
    }


def _tried(entry: Entry) -> Entry:
    try:
        entry.load()
    except RegistryError as error:
        return replace(entry, problem=str(error))
    return entry

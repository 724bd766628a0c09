"""What is in the zoo: a name, and where its code is.

That is in an installed module, a plug-in file, or already in memory. Nothing here imports the code
it finds before `Source.load` is called; what is wrong with it is found by looking (is the module
installed, is it the owner's, does its source parse).
"""

import ast
import importlib.util
import sys
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import import_module
from importlib.resources.abc import Traversable
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

from registry.errors import RegistryError
from registry.places import module_file, package_place, somebody_elses


@dataclass(frozen=True)
class Source:
    """Where an object is, and who owns it.

    Attributes:
        module: dotted module name, or the path of a plug-in file.
        attribute: dotted attribute inside the module.
        owner: distribution and version, or the file, for messages and boards.
        distribution: name of the owning distribution, or None.
        object: the object itself where a decorator has already seen it.
    """

    module: str
    attribute: str
    owner: str
    distribution: str | None = None
    object: Any = field(default=None, compare=False, repr=False)

    @property
    def target(self) -> str:
        """``module:attribute``."""
        return f"{self.module}:{self.attribute}"

    @property
    def is_file(self) -> bool:
        """Whether the source is a plug-in file and not an importable module."""
        return self.module.endswith(".py")

    def same_object(self, other: "Source") -> bool:
        """Whether both name the same object of the same owner."""
        if self.attribute != other.attribute:
            return False
        unseen = self.object is None and other.object is None
        if unseen and not (self.is_file or other.is_file):
            return self.module == other.module and self.distribution == other.distribution
        file = self.file()
        return file is not None and file == other.file()

    def file(self) -> Path | None:
        """The file that holds the module, found without importing it; None if there is none."""
        return Path(self.module) if self.is_file else module_file(self.module)

    @property
    def built_in(self) -> bool:
        """Whether it is a part of the zoo itself."""
        return not self.is_file and self.module.partition(".")[0] in _OWN_PACKAGES

    @property
    def interactive(self) -> bool:
        """Whether it was defined in a notebook or at a prompt, where it may be defined again."""
        main = sys.modules.get("__main__")
        return self.module == "__main__" and not hasattr(main, "__file__")

    def replaces(self, other: "Source") -> bool:
        """Whether this is what `other` was, defined anew."""
        return self == other or (self.interactive and other.interactive)

    def digest(self) -> str:
        """SHA-256 (hex) of the file that holds the object; of its name where there is no file."""
        file = self.file()
        return code_digest(file) if file else sha256(self.target.encode()).hexdigest()

    def problem(self) -> str | None:
        """What is wrong, as far as looking tells; None when nothing is."""
        if self.object is not None:
            return None
        if self.is_file:
            return _source_problem(Path(self.module), self.attribute)
        top = self.module.partition(".")[0]
        place = package_place(top)
        if place is None:
            return f"its module {top!r} is not installed"
        foreign = somebody_elses(top, place, self.distribution)
        if foreign is not None or self.distribution == _OWN_DISTRIBUTION:
            return foreign
        file = self.file()
        if file is None:
            return f"its module {self.module!r} does not exist in {place}"
        return _source_problem(file, self.attribute)

    def load(self) -> Any:
        """Import the module and return the object."""
        if self.object is not None:
            return self.object
        module = _import_file(Path(self.module)) if self.is_file else import_module(self.module)
        try:
            return attrgetter(self.attribute)(module)
        except AttributeError:
            raise RegistryError(
                f"{self.owner}: the module {self.module} has no {self.attribute!r}"
            ) from None


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


def live_source(obj: Any) -> Source:
    """The source of an object that a decorator has in its hands."""
    module = sys.modules.get(obj.__module__)
    file = getattr(module, "__file__", None)
    name = str(file) if obj.__module__.startswith(_PLUGIN_PREFIX) and file else obj.__module__
    owner = name if name.endswith(".py") else f"module {name}"
    return Source(name, obj.__qualname__, owner, None, obj)


def scan_plugin(path: str | Path, kinds: Container[str]) -> list[tuple[str, str, Source]]:
    """Kind, name and source of everything that a plug-in file registers, without running it.

    Args:
        path: a Python file with classes or functions decorated by ``@register_model("name")``
            or one of its sisters, the name written as a plain string.
        kinds: of registries, each of which has such a decorator.

    Raises:
        RegistryError: no such file, a syntax error, or nothing is registered in it.
    """
    file = Path(path).expanduser().resolve()
    if not file.is_file() or file.suffix != ".py":
        raise RegistryError(f"plug-in {path}: no such Python file")
    found = []
    for node in ast.walk(_parsed(file)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            for decorator in node.decorator_list:
                kind, name = _registration(decorator)
                if kind in kinds and name:
                    found.append((kind, name, Source(str(file), node.name, str(file))))
    if not found:
        raise RegistryError(
            f"plug-in {path}: nothing is registered in this file. Decorate your model with "
            '@register_model("its-name") (from registry import register_model)'
        )
    return found


_PLUGIN_PREFIX = "zoo_plugin_"
_OWN_DISTRIBUTION = "skeleton-zoo"
_OWN_PACKAGES = ("zoo", "baselines")


def _parsed(file: Path) -> ast.Module:
    """The syntax tree of a file.

    Raises:
        RegistryError: a syntax error; the message names the line.
    """
    try:
        return ast.parse(file.read_bytes(), filename=str(file))
    except SyntaxError as error:
        raise RegistryError(f"{file}, line {error.lineno}: {error.msg}") from None


def _source_problem(file: Path, attribute: str) -> str | None:
    """A syntax error, an import of something not installed, or a missing definition."""
    try:
        body = _parsed(file).body
    except RegistryError as error:
        return str(error)
    defined: set[str] = set()
    open_ended = False
    for node in body:
        imported: list[str] = []
        if isinstance(node, ast.Import):
            imported = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            imported = [node.module]
        for name in imported:
            top = name.partition(".")[0]
            known = top in sys.builtin_module_names or top in sys.modules
            if not known and package_place(top) is None:
                return f"{file}, line {node.lineno} imports {name!r}, which is not installed"
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            defined.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            defined.update((a.asname or a.name).partition(".")[0] for a in node.names)
        else:
            stored = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
            defined.update(n.id for n in stored if isinstance(n.ctx, ast.Store))
            open_ended |= not isinstance(node, ast.Assign | ast.AnnAssign | ast.Expr)
    first = attribute.partition(".")[0]
    if first in defined or open_ended or defined & {"*", "__getattr__"}:
        return None
    return f"{file} defines no {first!r}"


_digests: dict[Path, str] = {}


def code_digest(file: Path) -> str:
    """SHA-256 (hex) of a file of code as it was when it was imported.

    It is read once: what was imported does not change when somebody edits its file. A plug-in that
    is added again after such an edit is imported anew, see `forget_edited`.

    Raises:
        OSError: it cannot be read.
    """
    file = file.resolve()
    if file not in _digests:
        _digests[file] = sha256(file.read_bytes()).hexdigest()
    return _digests[file]


def forget_edited(file: Path) -> bool:
    """Let go of a plug-in's module where its file has changed since; whether it had."""
    now = sha256(file.read_bytes()).hexdigest()
    if _digests.get(file, now) == now:
        return False
    sys.modules.pop(_module_name(file), None)
    del _digests[file]
    return True


def _registration(decorator: ast.expr) -> tuple[str, str | None]:
    """Kind and name of ``@register_KIND("name")``; empty for another decorator."""
    if not isinstance(decorator, ast.Call):
        return "", None
    function = decorator.func
    called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    arguments = [*decorator.args, *(k.value for k in decorator.keywords if k.arg == "name")]
    name = arguments[0].value if arguments and isinstance(arguments[0], ast.Constant) else None
    kind = called.removeprefix("register_") if called.startswith("register_") else ""
    return kind, name if isinstance(name, str) else None


def _module_name(file: Path) -> str:
    return f"{_PLUGIN_PREFIX}{file.stem}_{sha256(str(file).encode()).hexdigest()[:8]}"


def _import_file(file: Path) -> ModuleType:
    name = _module_name(file)
    if name in sys.modules:
        return sys.modules[name]
    _digests[file] = sha256(file.read_bytes()).hexdigest()
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise RegistryError(f"{file} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module

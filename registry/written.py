"""What source code says, read without running it."""

import ast
import sys
from pathlib import Path
from typing import Any

from registry.errors import RegistryError
from registry.places import module_file, package_place


def parsed(file: Path) -> ast.Module:
    """The syntax tree of a file.

    Raises:
        RegistryError: a syntax error; the message names the line.
    """
    try:
        return ast.parse(file.read_bytes(), filename=str(file))
    except SyntaxError as error:
        raise RegistryError(f"{file}, line {error.lineno}: {error.msg}") from None


def source_problem(file: Path, attribute: str) -> str | None:
    """A syntax error, an import of something not installed, or a missing definition."""
    try:
        body = parsed(file).body
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


def written_defaults(file: Path, name: str) -> dict[str, Any] | None:
    """Defaults of a function, or of a class or its base; None where they are no plain values.

    Args:
        file: where it is defined, or imported from elsewhere.
        name: of a function, a class, or ``Class.method``.
    """
    name, _, method = name.partition(".")
    file, node = _definition(file, name)
    if isinstance(node, ast.FunctionDef):
        return _values(file, node.args)
    if not isinstance(node, ast.ClassDef):
        return None
    for made in node.body:
        if isinstance(made, ast.FunctionDef) and made.name == (method or "__init__"):
            return _values(file, made.args)
    dataclass = any("dataclass" in ast.dump(decorator) for decorator in node.decorator_list)
    if method or dataclass or len(node.bases) > 1:
        return None
    if not node.bases:
        return {}
    base = node.bases[0]
    return written_defaults(file, base.id) if isinstance(base, ast.Name) else None


def _definition(file: Path, name: str) -> tuple[Path, ast.stmt | None]:
    """The statement that defines a name, and its file: this one, or one it is imported from."""
    for node in parsed(file).body:
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            real = [alias.name for alias in node.names if name == (alias.asname or alias.name)]
            source = module_file(node.module) if real else None
            if source is not None and source != file:
                return _definition(source, real[0])
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                return file, node
        elif getattr(node, "name", None) == name:
            return file, node
    return file, None


def _values(file: Path, arguments: ast.arguments) -> dict[str, Any] | None:
    """Defaults of a function's parameters, constants of modules among them."""
    positional = [*arguments.posonlyargs, *arguments.args]
    first = len(positional) - len(arguments.defaults)
    named: list[ast.arg] = [*positional[first:], *arguments.kwonlyargs]
    defaults: list[ast.expr | None] = [*arguments.defaults, *arguments.kw_defaults]
    try:
        return {a.arg: _value(file, d) for a, d in zip(named, defaults, strict=True) if d}
    except ValueError:
        return None


def _value(file: Path, expression: ast.expr) -> Any:
    if isinstance(expression, ast.Name):
        file, node = _definition(file, expression.id)
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            return _value(file, node.value)
    return ast.literal_eval(expression)

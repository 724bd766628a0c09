"""Arrows run one way: what imports what, lazy imports counted."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

ROOMS = (
    "registry", "zoo.errors", "zoo.words", "zoo.tables", "zoo.files", "zoo.build", "zoo.catalogue",
    "zoo.reached", "zoo.skeleton", "zoo.data", "zoo.pose", "zoo.nn", "zoo.models", "zoo.evaluation",
    "zoo.protocol",
    "zoo.runs", "zoo.training", "zoo.compose", "zoo.workspace", "zoo.board", "zoo.report",
    "zoo.experiments", "zoo.prediction", "zoo.exporting", "zoo.app", "zoo.loaded_model", "zoo.live",
    "zoo.explain", "zoo.viewer", "zoo.api",
    "zoo.loading", "zoo.scaffold", "zoo.cli", "zoo.__main__", "baselines",
)  # fmt: skip
"""From the ground up, as docs/architecture.md lists them."""


def modules() -> dict[str, Path]:
    files = [f for top in ("zoo", "registry", "baselines") for f in (ROOT / top).rglob("*.py")]
    return {
        ".".join(f.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): f
        for f in files
        if "templates" not in f.parts
    }


def imports(file: Path, known: dict[str, Path]) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found & set(known)


def room(module: str) -> str | None:
    return next((r for r in ROOMS if module == r or module.startswith(f"{r}.")), None)


def test_every_module_is_in_a_room() -> None:
    assert [m for m in modules() if room(m) is None] == ["zoo"]


def test_no_room_imports_one_above_it() -> None:
    known = {module: file for module, file in modules().items() if module != "zoo"}
    height = {module: ROOMS.index(str(room(module))) for module in known}
    upward = [
        f"{module} imports {other}"
        for module, file in known.items()
        for other in imports(file, known)
        if height[other] > height[module]
    ]
    assert upward == []


def test_no_two_modules_import_each_other_in_a_circle() -> None:
    known = modules()
    below = {
        module: {o for o in imports(file, known) if not module.startswith(f"{o}.")} - {module}
        for module, file in known.items()
    }
    while below:
        ground = {module for module, others in below.items() if not others & below.keys()}
        assert ground, f"in a circle, or above one: {sorted(below)}"
        below = {module: others for module, others in below.items() if module not in ground}

"""Writes the pages of the API reference, one a module; what they say comes from the docstrings."""

import importlib
import inspect
import pkgutil
from pathlib import Path
from types import ModuleType

GROUPS: dict[str, tuple[str, ...]] = {
    "The calls": ("zoo", "registry", "zoo.errors"),
    "Skeletons and data": (
        "zoo.skeleton",
        "zoo.skeleton.graph",
        "zoo.skeleton.kinematics",
        "zoo.data.recording",
        "zoo.data.dataset",
        "zoo.data.batch",
        "zoo.data.samples",
        "zoo.data.pyg",
        "zoo.data.transforms",
        "zoo.data.readers",
        "zoo.data.adapters.base",
        "zoo.data.simulator",
    ),
    "Protocols and numbers": (
        "zoo.protocol.protocol",
        "zoo.protocol.part",
        "zoo.protocol.split",
        "zoo.protocol.splits",
        "zoo.protocol.leakage",
        "zoo.evaluation.metrics",
        "zoo.evaluation.statistics",
        "zoo.evaluation.conformal",
    ),
    "Networks": ("zoo.nn", "zoo.nn.*", "zoo.nn.heads"),
    "Runs, boards, explanations": (
        "zoo.workspace",
        "zoo.training.trainer",
        "zoo.runs.run",
        "zoo.runs.record",
        "zoo.runs.scores",
        "zoo.board.board",
        "zoo.board.published",
        "zoo.prediction",
        "zoo.loaded_model",
        "zoo.explain.sample",
        "zoo.explain.methods",
        "zoo.explain.attribution",
        "zoo.experiments.definition",
    ),
}
"""Which modules are shown, under which heading; ``zoo.nn.*`` stands for all of a package."""

GATHER = {"zoo": ("zoo",), "registry": ("registry",), "zoo.errors": ("registry",)}
"""Modules in which names of other modules of these packages are looked up."""


def write_api_pages(folder: Path) -> list[Path]:
    """Write ``MODULE.rst`` for every module of `GROUPS` and ``index.rst``; return the pages.

    Args:
        folder: where to; made if it is not there. A page whose text is the same is left alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    groups = {title: _modules(names) for title, names in GROUPS.items()}
    texts = {f"{m.__name__}.rst": _page(m) for ms in groups.values() for m in ms}
    texts["index.rst"] = _index(groups)
    for name, text in texts.items():
        file = folder / name
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def public_names(module: ModuleType) -> list[str]:
    """Classes and functions that a user may import from a module.

    Those of its ``__all__``, else those it defines; a module of `GATHER` has what it imports from
    the packages named there, too.
    """
    homes = GATHER.get(module.__name__, ())
    listed = getattr(module, "__all__", None)
    found = []
    for name, value in vars(module).items():
        if name.startswith("_") or not (inspect.isclass(value) or inspect.isroutine(value)):
            continue
        home = value.__module__
        if home == "registry.errors" and module.__name__ != "zoo.errors":
            continue
        own = home == module.__name__ or home.split(".")[0] in homes
        if name in listed if listed is not None else own:
            found.append(name)
    return found


def _modules(names: tuple[str, ...]) -> list[ModuleType]:
    modules = []
    for name in names:
        if not name.endswith(".*"):
            modules.append(importlib.import_module(name))
            continue
        package = importlib.import_module(name[:-2])
        modules += [
            importlib.import_module(f"{package.__name__}.{m.name}")
            for m in pkgutil.iter_modules(package.__path__)
            if not m.ispkg
        ]
    return modules


def _page(module: ModuleType) -> str:
    parts = [_heading(module.__name__, "="), f".. automodule:: {module.__name__}\n   :no-members:"]
    for name in public_names(module):
        directive = "autoclass" if inspect.isclass(getattr(module, name)) else "autofunction"
        parts.append(f".. {directive}:: {module.__name__}.{name}")
    return "\n\n".join(parts) + "\n"


def _index(groups: dict[str, list[ModuleType]]) -> str:
    parts = [
        _heading("API reference", "="),
        "Written from the docstrings. Begin with :doc:`zoo`; :doc:`registry` makes models,\n"
        "metrics and readers of your own known.",
    ]
    for title, modules in groups.items():
        rows = "\n".join(f"   * - :doc:`{m.__name__}`\n     - {_summary(m)}" for m in modules)
        pages = "\n".join(f"   {m.__name__}" for m in modules)
        parts += [
            _heading(title, "-"),
            f".. list-table::\n   :widths: 30 70\n\n{rows}",
            f".. toctree::\n   :hidden:\n\n{pages}",
        ]
    return "\n\n".join(parts) + "\n"


def _summary(module: ModuleType) -> str:
    return inspect.cleandoc(module.__doc__ or "").split("\n\n")[0].replace("\n", " ")


def _heading(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}"

"""Where Python finds a module, and where its distribution keeps it, without importing it."""

import importlib.util
import json
from functools import cache
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlparse


@cache
def package_place(top: str) -> Path | None:
    """Where Python finds the top-level module `top`, without importing it: its folder or file."""
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).resolve()
    return Path(spec.origin).resolve() if spec.origin else None


@cache
def module_file(module: str) -> Path | None:
    """The source file of a dotted module name, found without importing it."""
    top, _, rest = module.partition(".")
    place = package_place(top)
    if place is None:
        return None
    if not rest:
        file = place / "__init__.py" if place.is_dir() else place
    else:
        file = place.joinpath(*rest.split("."))
        file = file / "__init__.py" if file.is_dir() else file.with_suffix(".py")
    return file if file.is_file() else None


@cache
def expected_place(top: str, distribution: str) -> Path | None:
    """Where `distribution` itself keeps the top-level module `top`, or None if it does not say."""
    try:
        dist = metadata.distribution(distribution)
    except metadata.PackageNotFoundError:
        return None
    for file in dist.files or ():
        if file.suffix == ".py" and file.parts[0] in (top, f"{top}.py"):
            return Path(str(dist.locate_file(file.parts[0]))).resolve()
    direct = dist.read_text("direct_url.json")
    url = urlparse(json.loads(direct).get("url", "")) if direct else None
    if url is None or url.scheme != "file":
        return None
    root = Path(unquote(url.path)).resolve()  # installed in editable mode
    places = [folder / name for folder in (root, root / "src") for name in (top, f"{top}.py")]
    return next((place for place in places if place.exists()), None)


def somebody_elses(top: str, place: Path, distribution: str | None) -> str | None:
    """Why the module `top` at `place` is not the one of `distribution`; None where it may be."""
    expected = expected_place(top, distribution) if distribution else None
    if expected is None or place == expected:
        return None
    return (
        f"its module {top!r} resolves to {place}, but {distribution} keeps it in {expected}: "
        "another package of the same name stands before it on the path. Uninstall that one or "
        "use a fresh virtual environment"
    )

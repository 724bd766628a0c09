"""What the zoo's pages have in common: one style, templates that escape, a policy of hashes.

A page is one file that needs no other and no network: its content security policy allows the
styles and scripts that stand in it, by their hashes, and forbids everything else.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined

from zoo.report.figure_style import PALETTE

_ROOM = "zoo.report"


def environment(room: str) -> Environment:
    """Templates of a room: its folder ``templates``.

    Args:
        room: name of the package.
    """
    env = Environment(
        loader=PackageLoader(room, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    return env


def template_file(room: str, name: str) -> str:
    """A file of a room's templates."""
    return (resources.files(room) / "templates" / name).read_text(encoding="utf-8")


def common_style(more: Mapping[str, tuple[str, str]] | None = None) -> str:
    """Colours as variables and the style of all pages.

    Args:
        more: further colours by name, on light and on dark ground.
    """
    colours = "".join(
        f"  --{name}: light-dark({light}, {dark});\n"
        for name, (light, dark) in {**PALETTE, **(more or {})}.items()
    )
    return f"\n:root {{\n{colours}}}\n{template_file(_ROOM, 'style.css')}"


def theme_script() -> str:
    """The script behind the choice of light and dark, which stands first."""
    return template_file(_ROOM, "theme.js")


def policy(style: str, scripts: Sequence[str]) -> str:
    """The content security policy of a page with this style and these scripts."""
    return (
        f"default-src 'none'; style-src {_hash(style)}; "
        f"script-src {' '.join(map(_hash, scripts))}; base-uri 'none'; form-action 'none'"
    )


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"

"""A figure as a part of the page: matplotlib's SVG in the page's own colours and letters.

The page's security policy forbids style attributes, so every style becomes a presentation
attribute. Colours of `PALETTE` become the page's variables, which follow light and dark. What
belongs to one model is put together in one group with a title, for whoever points at it or has it
read aloud.
"""

import re
from xml.etree import ElementTree

from markupsafe import Markup, escape

from zoo.report.figure_style import PALETTE, figure_bytes
from zoo.report.picture import FILE_ONLY, Picture

_NAMESPACE = re.compile(r"\{.*\}")
_NUMBER = re.compile(r"-?\d+\.\d+")
_UNTURNED = re.compile(r"rotate\(-?0 ")
_DROPPED = ("metadata", "defs", "style", "clipPath", "title", "desc")
_KEPT = ("d", "x", "y", "transform")
_VARIABLES = {light: f"var(--{name})" for name, (light, _) in PALETTE.items()}
_USUAL = {
    "fill": "var(--ink)",
    "stroke-linecap": "butt",
    "stroke-linejoin": "round",
    "font-size": "9px",
}
_UNUSED = ("font-family", "stroke-dashoffset", "clip-path")


def inline(picture: Picture, id_: str, key: bool = False) -> Markup:
    """The figure as an ``svg`` element; made inside `figure_style`.

    Args:
        picture: what only a file shows is left out.
        id_: prefix of the ids of its title and description, unique in the page.
        key: it stands beside a word that says the same: hidden from those who hear the page.
    """
    root = ElementTree.fromstring(figure_bytes(picture.figure, "svg"))
    width, height = picture.figure.get_size_inches() * 72
    models: dict[str, list[str]] = {name: [] for name in picture.models}
    shapes = {
        element.get("id", ""): element
        for defs in root.iter()
        if _local(defs.tag) == "defs"
        for element in defs
    }
    common = "".join(_group(child, shapes, models) for child in root)
    groups = "".join(
        f'<g class="model"><title>{escape(picture.models[name])}</title>{"".join(parts)}</g>'
        for name, parts in models.items()
    )
    box = f"0 {picture.head:g} {width:g} {height - picture.head - picture.foot:g}"
    if key:
        return Markup(f'<svg viewBox="{box}" class="key" aria-hidden="true">{common}{groups}</svg>')
    told = (
        f'<title id="{id_}-title">{escape(picture.title)}</title>'
        f'<desc id="{id_}-desc">{escape(picture.description)}</desc>'
    )
    return Markup(
        f'<svg viewBox="{box}" role="img" aria-labelledby="{id_}-title" '
        f'aria-describedby="{id_}-desc">{told}{common}{groups}</svg>'
    )


Shapes = dict[str, ElementTree.Element]


def _group(
    element: ElementTree.Element, shapes: Shapes, models: dict[str, list[str]], css: str = ""
) -> str:
    """An element and what is in it, as markup; what belongs to a model goes to `models` instead."""
    name, gid = _local(element.tag), element.get("id", "")
    if name in _DROPPED or gid == FILE_ONLY:
        return ""
    key, _, own = gid.partition(" ")
    if key in models:
        models[key].append("".join(_group(child, shapes, {}, own) for child in element))
        return ""
    if name != "g":
        return _shape(element, shapes, css)
    return "".join(_group(child, shapes, models, css) for child in element)


def _shape(element: ElementTree.Element, shapes: Shapes, css: str) -> str:
    """One path, mark or text."""
    name, attributes = _local(element.tag), {"class": css} if css else {}
    given = {_local(key): value for key, value in element.items()}
    style = dict(part.split(": ", 1) for part in given.get("style", "").split("; ") if part)
    if name == "use":
        shape = shapes[given["href"].removeprefix("#")]
        name, attributes["d"] = "path", shape.get("d", "")
        attributes["transform"] = f"translate({given['x']} {given['y']})"
    else:
        attributes |= {key: given[key] for key in _KEPT if key in given}
    if _UNTURNED.match(attributes.get("transform", "")):
        del attributes["transform"]
    attributes |= {
        key: value
        for key, colour in style.items()
        if (value := _VARIABLES.get(colour, colour)) != _USUAL.get(key) and key not in _UNUSED
    }
    shown = "".join(f' {key}="{escape(_short(value))}"' for key, value in attributes.items())
    return f"<{name}{shown}>{escape(element.text or '') if name == 'text' else ''}</{name}>"


def _short(value: str) -> str:
    """Numbers with two decimals at most, and no line breaks."""
    rounded = _NUMBER.sub(lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), value)
    return " ".join(rounded.split())


def _local(name: str) -> str:
    """The name of an element or attribute without its namespace."""
    return _NAMESPACE.sub("", name)

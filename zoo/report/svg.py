"""Writing SVG by elements; text and attributes are escaped, whatever they hold."""

from markupsafe import Markup, escape

Part = str | Markup


def tag(name: str, *content: Part, **attributes: object) -> Markup:
    """One element.

    Args:
        name: of the element.
        content: elements made by this function, or text, which is escaped.
        attributes: ``class_`` for class, ``text_anchor`` for text-anchor; None leaves it out,
            numbers get two decimals at most.
    """
    shown = "".join(
        f' {_key(key)}="{_value(value)}"' for key, value in attributes.items() if value is not None
    )
    inner = Markup("").join(content)
    return Markup(f"<{name}{shown}>{inner}</{name}>")


def picture(
    id_: str, width: float, height: float, title: str, description: str, *content: Part
) -> Markup:
    """An ``svg`` element with a name and a description for those who do not see it.

    Args:
        id_: prefix of the ids of its title and description, unique in the page.
        width: of the drawing; the page scales it.
        height: likewise.
        title: what it shows.
        description: what a reader would see in it.
        content: its elements.
    """
    return tag(
        "svg",
        tag("title", title, id=f"{id_}-title"),
        tag("desc", description, id=f"{id_}-desc"),
        *content,
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_labelledby=f"{id_}-title",
        aria_describedby=f"{id_}-desc",
    )


def text(
    x: float, y: float, content: str, class_: str | None = None, anchor: str | None = None
) -> Markup:
    """Text whose baseline is at `y`."""
    return tag("text", content, x=x, y=y, class_=class_, text_anchor=anchor)


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """A straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def _key(name: str) -> str:
    return name.rstrip("_").replace("_", "-")


def _value(value: object) -> str:
    if isinstance(value, float):
        value = f"{value:.2f}".rstrip("0").rstrip(".")
    return str(escape(value))

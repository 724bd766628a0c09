"""The picture of both protocols: what each model's error is where people leak, and where not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from markupsafe import Markup

from zoo.report import geometry
from zoo.report.geometry import shorten
from zoo.report.marks import GAP, SIZE, family_class, level, marker
from zoo.report.svg import line, picture, tag, text
from zoo.words import fixed, score_digits


@dataclass(frozen=True)
class Slope:
    """One model in the picture of both protocols."""

    name: str
    family: str
    leaky: float
    honest: float
    strong: bool


def slopes(pair: Mapping[str, Any], families: Mapping[str, str]) -> list[Slope]:
    """The models of a pair, best honest one first; a few of them stand out.

    These are the best of each protocol, the mean score, and the nearest neighbour on bone lengths,
    which knows nothing of the movement.
    """
    known = [e for e in pair["entries"] if None not in (e["honest_mad"], e["leaky_mad"])]
    if not known:
        return []
    best = {min(known, key=itemgetter(key))["name"] for key in ("honest_mad", "leaky_mad")}
    strong = best | {"mean", "knn-bones"}
    return [
        Slope(
            e["name"],
            families.get(e["name"], "other"),
            e["leaky_mad"],
            e["honest_mad"],
            e["name"] in strong,
        )
        for e in sorted(known, key=itemgetter("honest_mad"))
    ]


def slope_chart(
    id_: str, pair: Mapping[str, Any], models: Sequence[Slope], description: str, *, wide: bool
) -> Markup:
    """Two scales of error, the leaky protocol's and the honest one's, and a line for each model."""
    width, x0, x1 = (760.0, 190.0, 520.0) if wide else (344.0, 40.0, 186.0)
    top = 78.0
    bottom = top + max(GAP * len(models), 300.0)
    limit = max(max(m.leaky, m.honest) for m in models) * 1.04
    digits = score_digits(pair["score_range"])

    def y_of(value: float) -> float:
        return bottom - value / limit * (bottom - top)

    anchor = "middle" if wide else "start"
    room = x1 - x0 - 10
    parts = [
        *(level(y_of(tick), x0, x1, f"{tick:g}") for tick in geometry.ticks(0, limit)),
        text(x0 - 92 if wide else 0.0, top - 12, "MAD, points", "axis-title"),
        tag("rect", x=x0 - 4, y=top, width=8, height=bottom - top, class_="leak-bar"),
        line(x1, top, x1, bottom, "honest-bar"),
        text(x0, 20, "LEAKY", "leak-word", anchor),
        text(x0, 38, shorten(pair["leaky"], room, SIZE), "soft", anchor),
        text(x1, 20, "HONEST", "honest-word", anchor),
        text(x1, 38, shorten(pair["honest"], room, SIZE), "soft", anchor),
    ]
    places = geometry.spread([y_of(m.honest) for m in models], GAP, top, bottom)
    room = width - x1 - 62
    for model, place in sorted(zip(models, places, strict=True), key=lambda item: item[0].strong):
        left, right = y_of(model.leaky), y_of(model.honest)
        parts.append(
            tag(
                "g",
                tag(
                    "title",
                    f"{model.name}: {fixed(model.leaky, digits)} → "
                    f"{fixed(model.honest, digits)} points",
                ),
                line(x0, left, x1, right, "slope"),
                marker(model.family, x0, left, 3.5),
                marker(model.family, x1, right, 3.5),
                line(x1 + 6, right, x1 + 20, place, "leader"),
                text(x1 + 24, place + 4, fixed(model.honest, digits), "number"),
                text(x1 + 58, place + 4, shorten(model.name, room, SIZE), "name"),
                class_=f"model {family_class(model.family)}{' strong' if model.strong else ''}",
            )
        )
    if wide:
        parts += _left_names([m for m in models if m.strong], y_of, x0, top, bottom, digits)
    return picture(id_, width, bottom + 16, "From leaky to honest", description, *parts)


def _left_names(
    models: Sequence[Slope],
    y_of: Callable[[float], float],
    x0: float,
    top: float,
    bottom: float,
    digits: int,
) -> list[Markup]:
    places = geometry.spread([y_of(m.leaky) for m in models], GAP, top, bottom)
    parts = []
    for model, place in zip(models, places, strict=True):
        name = shorten(model.name, x0 - 84, SIZE)
        parts += [
            line(x0 - 40, place, x0 - 6, y_of(model.leaky), "leader"),
            text(x0 - 44, place + 4, f"{name} {fixed(model.leaky, digits)}", "name strong", "end"),
        ]
    return parts

"""The picture of both protocols: what each model's error is where people leak, and where not."""

from operator import attrgetter
from statistics import median
from typing import TYPE_CHECKING, Any

from zoo.board.board import Pair, PairedModel
from zoo.files import path_part
from zoo.report.figure_style import LINE, PALETTE, SOFT
from zoo.report.picture import LINE_HEIGHT, OFFSET, WIDE, Picture, canvas, family_of, mark
from zoo.report.placing import shorten, spread
from zoo.words import fixed

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def slopes(pair: Pair, width: float = WIDE) -> Picture:
    """Two scales of error, the leaky protocol's and the honest one's, and a line for each model.

    Args:
        pair: with models.
        width: of the figure in points; where it is narrow, no names stand on the left.
    """
    models = sorted(pair.models, key=attrgetter("honest_mad"), reverse=True)
    wide, high = width == WIDE, max(LINE_HEIGHT * len(models), 240.0)
    left, right = (150.0, WIDE - 180) if wide else (30.0, 138.0)
    picture = canvas(
        f"{path_part(pair.dataset)}-{path_part(pair.leaky)}-to-honest",
        (width, high + 54),
        "From leaky to honest: the same models under both protocols",
        title="From leaky to honest",
        description=" ".join(in_words(pair)),
        families=[m.family for m in models],
    )
    limit = max(max(m.leaky_mad, m.honest_mad) for m in models) * 1.04
    axes = picture.axes(left, 46, right, 46 + high)
    axes.set(xlim=(0, 1), ylim=(0, limit), xticks=[])
    axes.grid(True, axis="y", linewidth=0.6)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, pad=7)
    axes.annotate(
        "MAD, points" if wide else "MAD", (0, 1), (-62 if wide else -28, 8), "axes fraction",
        textcoords="offset points", color=SOFT,
    )  # fmt: skip
    for x, word, protocol, colour in (
        (0, "LEAKY", pair.leaky, PALETTE["leak"][0]),
        (1, "HONEST", pair.honest, PALETTE["honest"][0]),
    ):
        axes.axvline(x, color=colour, linewidth=4, clip_on=False)
        place: dict[str, Any] = {**OFFSET, "ha": "center" if wide else "left"}
        axes.annotate(word, (x, limit), (0, 34), color=colour, weight="bold", **place)
        named = shorten(protocol, right - left - 8, 9)
        axes.annotate(named, (x, limit), (0, 21), color=SOFT, **place)
    strong, unit = standing_out(pair), limit / high
    places = spread([m.honest_mad for m in models], LINE_HEIGHT * unit, 0, limit)
    keys = {}
    for model, y in zip(models, places, strict=True):
        shown = [fixed(v, pair.digits) for v in (model.leaky_mad, model.honest_mad)]
        keys[model] = key = picture.model(f"{model.name}: {' → '.join(shown)} points")
        bold: dict[str, Any] = {"weight": "bold" if model in strong else "normal", "gid": key}
        axes.plot(
            [0, 1],
            [model.leaky_mad, model.honest_mad],
            color=PALETTE[family_of(model.family)][0],
            linewidth=2 if model in strong else 0.9,
            alpha=1 if model in strong else 0.6,
            linestyle="--" if model.family == "trivial" else "-",
            gid=f"{key} line",
        )
        mark(axes, 0, model.leaky_mad, model.family, key, 5.0)
        mark(axes, 1, model.honest_mad, model.family, key, 5.0)
        _leader(axes, right - left, 1, model.honest_mad, y, key)
        axes.annotate(shown[1], (1, y), (20, 0), va="center", color=SOFT, **OFFSET, gid=key)
        name = shorten(model.name, width - right - 50, 9)
        axes.annotate(name, (1, y), (46, 0), va="center", **OFFSET, **bold)
    if wide:
        few = [m for m in models if m in strong]
        for model, y in zip(
            few, spread([m.leaky_mad for m in few], LINE_HEIGHT * unit, 0, limit), strict=True
        ):
            _leader(axes, right - left, 0, model.leaky_mad, y, keys[model])
            name = f"{shorten(model.name, left - 64, 9)}  {fixed(model.leaky_mad, pair.digits)}"
            axes.annotate(
                name, (0, y), (-36, 0), va="center", ha="right", weight="bold", **OFFSET,
                gid=keys[model],
            )  # fmt: skip
    return picture


def _leader(axes: "Axes", width: float, x: float, end: float, y: float, key: str) -> None:
    """A thin line from the mark at (x, end) outward to the name at `y`."""
    sign = 1 if x else -1
    xs = [x + sign * 5 / width, x + sign * 17 / width]
    axes.plot(xs, [end, y], color=LINE, linewidth=0.8, clip_on=False, gid=key)


def standing_out(pair: Pair) -> set[PairedModel]:
    """The best of each protocol, the mean score, and what measures only the leak."""
    best = {min(pair.models, key=attrgetter(key)) for key in ("honest_mad", "leaky_mad")}
    return best | {m for m in pair.models if m.mean_score or m.leak_reference}


def in_words(pair: Pair) -> list[str]:
    """What `slopes` shows, in sentences."""
    models, digits = pair.models, pair.digits
    leaky, honest = (median(getattr(m, key) for m in models) for key in ("leaky_mad", "honest_mad"))
    words = [
        f"Under {pair.leaky} half of the {len(models)} models are off by "
        f"{fixed(leaky, digits)} points or less; under {pair.honest}, where nobody in the "
        f"test was in training, by {fixed(honest, digits)}."
    ]
    words += [
        f"{m.name}, which measures only what the split gives away, goes from "
        f"{fixed(m.leaky_mad, digits)} to {fixed(m.honest_mad, digits)}."
        for m in models
        if m.leak_reference
    ]
    first = min(models, key=attrgetter("leaky_rank"))
    words.append(
        f"The best of them under {pair.leaky}, {first.name}, is number "
        f"{models.index(first) + 1} of {len(models)} under {pair.honest}."
    )
    return words

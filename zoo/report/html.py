"""The board as one HTML file: no other file, no network, nothing in a name is run.

Styles and scripts are in the page and allowed by their hashes; the content security policy forbids
everything else. Names of models, groups and files are escaped where they are written, and the
scripts write text only as text.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from importlib import resources
from statistics import median
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from zoo.report.cost import COSTS, cost_chart, cost_points
from zoo.report.marks import FAMILIES, family_class, marker
from zoo.report.page_details import details
from zoo.report.page_table import columns, families, heat_map, published, ranked
from zoo.report.ranks import critical_difference
from zoo.report.slope import Slope, slope_chart, slopes
from zoo.report.svg import tag
from zoo.words import METRIC_TITLES, fixed, plain, probability, score_digits

_STYLES = ("style.css",)
_SCRIPTS = ("page.js", "details.js")
_DOI = re.compile(r"10\.\d{4,9}/[^\s<>\"]+")


def render(board: Mapping[str, Any]) -> str:
    """The page.

    Args:
        board: the dictionary of a leaderboard (`zoo.board.board.Board.to_dict`).

    Returns:
        A whole HTML document; write it as UTF-8 without changing line ends, since its policy names
        hashes of its parts.
    """
    board = plain(board)
    env = Environment(
        loader=PackageLoader("zoo.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    env.filters.update(doi=_doi_link, fixed=fixed, probability=probability)
    style, script = _joined(_STYLES), _joined(_SCRIPTS)
    shown = [_board(i, b) for i, b in enumerate(board["boards"])]
    return env.get_template("page.html.j2").render(
        board=board,
        boards=shown,
        pairs=[_pair(i, pair, board["boards"]) for i, pair in enumerate(board["pairs"])],
        data=[details(b, board["public"]) for b in board["boards"]],
        style=Markup(style),
        script=Markup(script),
        policy=(
            f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; "
            "base-uri 'none'; form-action 'none'"
        ),
        marks={family: _mark(family) for family in FAMILIES},
        family_class=family_class,
        metric_titles=METRIC_TITLES,
    )


def _board(index: int, board: Mapping[str, Any]) -> dict[str, Any]:
    id_ = f"board-{index}"
    entries = board["entries"]
    present = {family_class(e["family"]).removeprefix("family-") for e in entries}
    return {
        "id": id_,
        "board": board,
        "columns": columns(board),
        "ranked": ranked(board),
        "published": published(board),
        "families": [family for family in FAMILIES if family in present],
        "heat": heat_map(board),
        "ranks": board["friedman"] and _ranks(id_, board["friedman"]),
        "costs": [_cost(id_, axis, board) for axis in COSTS],
    }


def _ranks(id_: str, friedman: Mapping[str, Any]) -> Markup:
    ordered = sorted(friedman["mean_ranks"], key=lambda m: m["rank"])
    first, last = (f"{m['name']} ({fixed(m['rank'], 1)})" for m in (ordered[0], ordered[-1]))
    return critical_difference(
        f"{id_}-ranks",
        friedman,
        f"Mean ranks of {len(ordered)} models, from {first} to {last}. Bars join models that "
        "cannot be told apart. The same numbers are in the table below the figure.",
    )


def _cost(id_: str, axis: str, board: Mapping[str, Any]) -> dict[str, Any]:
    entries, digits = board["entries"], score_digits(board["score_range"])
    points = cost_points(entries, axis)
    description = (
        f"MAD with its interval against {COSTS[axis]}, one mark a model; the numbers are in the "
        "table of the board."
    )
    return {
        "axis": axis,
        "title": COSTS[axis],
        "missing": [e["name"] for e in entries if e["name"] not in {p.name for p in points}],
        **{
            name: points
            and cost_chart(f"{id_}-{axis}{end}", axis, points, description, digits, wide=wide)
            for name, end, wide in (("wide", "", True), ("narrow", "-n", False))
        },
    }


def _pair(index: int, pair: Mapping[str, Any], boards: list[Mapping[str, Any]]) -> dict[str, Any]:
    honest = [
        board
        for board in boards
        if (board["dataset"], board["protocol"]["name"]) == (pair["dataset"], pair["honest"])
    ]
    models = slopes(pair, families(honest[0]["entries"]) if honest else {})
    words = _drop(pair, models) if models else []
    return {
        "id": f"pair-{index}",
        "pair": pair,
        "title": honest[0]["dataset_title"] if honest else pair["dataset"],
        "models": models,
        "sentences": words,
        "families": [f for f in FAMILIES if f in {m.family for m in models}],
        "charts": [
            slope_chart(f"pair-{index}-{name}", pair, models, " ".join(words), wide=name == "wide")
            for name in ("wide", "narrow")
            if models
        ],
    }


def _drop(pair: Mapping[str, Any], models: list[Slope]) -> list[str]:
    """What the picture shows, in words."""
    digits = score_digits(pair["score_range"])
    leaky, honest = median(m.leaky for m in models), median(m.honest for m in models)
    words = [
        f"Under {pair['leaky']} half of the {len(models)} models are off by {fixed(leaky, digits)} "
        f"points or less; under {pair['honest']}, where nobody in the test was in training, by "
        f"{fixed(honest, digits)}."
    ]
    by_name = {m.name: m for m in models}
    bones = by_name.get("knn-bones")
    if bones is not None:
        words.append(
            "A nearest neighbour on bone lengths, which knows nothing of the movement, goes from "
            f"{fixed(bones.leaky, digits)} to {fixed(bones.honest, digits)}."
        )
    known = [e for e in pair["entries"] if e["name"] in by_name and e["leaky_rank"] is not None]
    if known:
        first = min(known, key=lambda e: e["leaky_rank"])
        words.append(
            f"The best under {pair['leaky']}, {first['name']}, is number {first['honest_rank']} "
            f"of {len(models)} under {pair['honest']}."
        )
    return words


def _mark(family: str) -> Markup:
    return tag(
        "svg", marker(family, 8.0, 8.0, 5.5), viewBox="0 0 16 16", class_="key", aria_hidden="true"
    )


def _doi_link(doi: str | None) -> Markup:
    """A link to a DOI; anything else is shown as text."""
    if not doi:
        return Markup("")
    if _DOI.fullmatch(doi) is None:
        return Markup(tag("span", doi))
    return tag("a", f"doi {doi}", href=f"https://doi.org/{doi}", rel="noopener noreferrer")


def _joined(names: tuple[str, ...]) -> str:
    folder = resources.files("zoo.report") / "templates"
    return "\n" + "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"

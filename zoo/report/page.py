"""The board as one HTML file: no other file, no network, nothing in a name is run.

Styles and scripts are in the page and allowed by their hashes; the content security policy forbids
everything else. Names of models, groups and files are escaped where they are written, and the
scripts write text only as text.
"""

import re
from typing import Any

from markupsafe import Markup

from zoo.board.board import Board, Pair, Section
from zoo.report.document import common_style, environment, policy, template_file, theme_script
from zoo.report.figure_style import figure_style
from zoo.report.figures import COSTS, cost, critical_difference, priced
from zoo.report.inline import inline
from zoo.report.page_details import details
from zoo.report.picture import FAMILIES, NARROW, WIDE, family_mark, family_of
from zoo.report.slopes import in_words, slopes
from zoo.report.table import columns, heat_map, published, ranked
from zoo.words import fixed, plain, probability

_WIDTHS = {"wide": WIDE, "narrow": NARROW}
_DOI = re.compile(r"10\.\d{4,9}/[^\s<>\"]+")


def render(board: Board) -> str:
    """The page.

    Returns:
        A whole HTML document; write it as UTF-8 without changing line ends, since its policy names
        hashes of its parts.
    """
    board = plain(board)
    env = environment("zoo.report")
    env.filters.update(doi=_doi_link, fixed=fixed, probability=probability, family=family_of)
    style = common_style()
    names = ("page.js", "details.js")
    script = "\n".join([theme_script(), *(template_file("zoo.report", name) for name in names)])
    with figure_style():
        sections = [_section(f"board-{i}", s) for i, s in enumerate(board.sections)]
        pairs = [_pair(f"pair-{i}", p) for i, p in enumerate(board.pairs) if p.models]
        marks = {family: inline(family_mark(family), family, key=True) for family in FAMILIES}
    return env.get_template("page.html.j2").render(
        board=board,
        sections=sections,
        pairs=pairs,
        data=[details(s["section"], s["ranked"], board.public) for s in sections],
        style=Markup(style),
        script=Markup(script),
        policy=policy(style, [script]),
        marks=marks,
    )


def _section(id_: str, section: Section) -> dict[str, Any]:
    present = {family_of(entry.family) for entry in section.ranked}
    friedman = section.friedman
    return {
        "id": id_,
        "section": section,
        "columns": columns(section),
        "ranked": ranked(section),
        "published": published(section),
        "families": [family for family in FAMILIES if family in present],
        "heat": heat_map(section),
        "ranks": friedman and inline(critical_difference(section, friedman), f"{id_}-ranks"),
        "costs": [_cost(f"{id_}-{axis}", axis, section) for axis in COSTS if priced(section, axis)],
    }


def _cost(id_: str, axis: str, section: Section) -> dict[str, Any]:
    there = {entry.name for entry in priced(section, axis)}
    return {
        "axis": axis,
        "title": COSTS[axis],
        "missing": [entry.name for entry in section.ranked if entry.name not in there],
        "charts": {
            name: inline(cost(section, axis, width), f"{id_}-{name}")
            for name, width in _WIDTHS.items()
        },
    }


def _pair(id_: str, pair: Pair) -> dict[str, Any]:
    present = {family_of(model.family) for model in pair.models}
    return {
        "id": id_,
        "pair": pair,
        "sentences": in_words(pair),
        "families": [family for family in FAMILIES if family in present],
        "charts": {
            name: inline(slopes(pair, width), f"{id_}-{name}") for name, width in _WIDTHS.items()
        },
    }


def _doi_link(doi: str) -> Markup:
    """A link to a DOI; anything else is shown as text."""
    if _DOI.fullmatch(doi) is None:
        return Markup("<span>{}</span>").format(doi)
    return Markup('<a href="https://doi.org/{0}" rel="noopener noreferrer">doi {0}</a>').format(doi)

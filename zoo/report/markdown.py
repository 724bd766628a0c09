"""The board as Markdown. Names come from plug-ins and files: they are shown, never interpreted."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from zoo.words import (
    METRIC_TITLES,
    NOTHING,
    count,
    fixed,
    interval,
    metric_digits,
    milliseconds,
    plain,
    score_digits,
    seconds,
    with_interval,
)

_MARKUP = re.compile(r"[\\`*_{}\[\]|~#$]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}
_LINKS = {"://": "&#58;//", "www.": "www&#46;"}
_DOI = re.compile(r"10\.\d{4,9}/[-._;/:A-Za-z0-9]+")


def render(board: Mapping[str, Any]) -> str:
    """The board as a Markdown document.

    Args:
        board: as `zoo.board.board.Board.to_dict` gives it.
    """
    board = plain(board)
    lines = ["# Leaderboard", ""]
    lines += [
        "Models are ranked by their mean absolute deviation (MAD) from the clinical score. In "
        "brackets are 95 % intervals by bootstrap over persons. **=** marks models that are no "
        "worse than the first beyond noise (paired permutation test over persons, Holm-corrected): "
        "their order says nothing.",
        "",
    ]
    for section in board["boards"]:
        lines += [*_section(section), ""]
    for pair in board["pairs"]:
        lines += [*_pair(pair), ""]
    if board["unreadable"]:
        lines += ["## Run folders that could not be read", ""]
        lines += [f"- {text(b['path'])}: {text(b['reason'])}" for b in board["unreadable"]]
        lines.append("")
    made = f"Made {text(board['generated'])} by skeleton-zoo {text(board['zoo_version'])}"
    lines.append(made + (", without any person's data." if board["public"] else "."))
    return "\n".join(lines) + "\n"


def text(value: Any) -> str:
    """Any text so that Markdown shows it as it is, on one line."""
    shown = " ".join(str(value).split())
    shown = _MARKUP.sub(lambda found: f"\\{found[0]}", shown)
    shown = "".join(_ENTITIES.get(c, c) for c in shown)
    for link, harmless in _LINKS.items():
        shown = re.sub(re.escape(link), harmless, shown, flags=re.IGNORECASE)
    return shown


def _section(section: Mapping[str, Any]) -> Iterator[str]:
    protocol = section["protocol"]
    leaks = " (leaky)" if protocol["leaky"] else ""
    yield f"## {text(section['dataset_title'])}, {text(protocol['name'])}{leaks}"
    yield ""
    if section["meaning"]:
        yield f"> **What these numbers mean.** {text(section['meaning'])}"
        yield ""
    exercises = ", ".join(
        f"{text(e['id'])} {text(e['title'])}".strip() for e in section["exercises"]
    )
    unit = ""
    if section["score_range"] is not None:
        unit = " Scores run from {:g} to {:g}.".format(*section["score_range"])
    yield (
        f"{text(protocol['summary'])} {section['persons']} people; exercises: {exercises}.{unit} "
        f"Data {section['fingerprint'][:12]}, protocol {protocol['hash'][:12]}."
    )
    yield ""
    if section["entries"]:
        yield from _ranked(section)
        yield ""
        for metric in section["metrics"] if len(section["exercises"]) > 1 else ():
            yield f"### {METRIC_TITLES[metric]} by exercise"
            yield ""
            yield from _by_exercise(section, metric)
            yield ""
    else:
        yield "Nothing is complete yet, so nothing is ranked."
        yield ""
    if section["incomplete"]:
        yield "### Not ranked: incomplete"
        yield ""
        for entry in section["incomplete"]:
            missing = "; ".join(map(text, entry["missing"]))
            yield (
                f"- {text(entry['name'])}: {entry['have']} of {entry['expected']} runs, "
                f"{text(entry['reason'])}{f' ({missing})' if missing else ''}"
            )
        yield ""
    if section["published"]:
        yield "### Published, not ranked: other data, other code, each under its own protocol"
        yield ""
        yield from _published(section)
        yield ""
    for note in section["notes"]:
        yield f"- {text(note)}"


def _ranked(section: Mapping[str, Any]) -> Iterator[str]:
    digits = metric_digits(section["score_range"])
    yield from table(
        (
            "rank",
            "model",
            *(METRIC_TITLES[m] + (" %" if m == "mape" else "") for m in section["metrics"]),
            "better than the mean score by",
            "parameters",
            "FLOPs",
            "training",
            "latency",
            "streams",
            "seeds × folds",
            "source",
        ),
        (
            (
                rank(entry),
                text(entry["name"]),
                *(
                    with_interval(**entry["metrics"]["mean"][m], digits=digits[m])
                    for m in section["metrics"]
                ),
                _percent(entry["better_than_mean"]),
                count(entry["parameters"]),
                count(entry["flops"]),
                seconds(entry["train_seconds"]),
                milliseconds(entry["latency_ms"]),
                text(", ".join(entry["streams"])),
                f"{len(entry['seeds'])} × {len(entry['folds'])}",
                text(entry["source"]),
            )
            for entry in section["entries"]
        ),
    )


def rank(entry: Mapping[str, Any]) -> str:
    """An entry's rank with its interval; ``=`` where it is tied with the first."""
    tied = " =" if entry["tied_with_best"] and entry["versus_best"] is not None else ""
    low, high = entry["rank_low"], entry["rank_high"]
    return f"{entry['rank']}{tied}" + (f" ({low}–{high})" if low != high else "")


def _by_exercise(section: Mapping[str, Any], metric: str) -> Iterator[str]:
    ids = [exercise["id"] for exercise in section["exercises"]]
    digits = metric_digits(section["score_range"])[metric]
    yield from table(
        ("model", *map(text, ids), "mean"),
        (
            (
                text(entry["name"]),
                *(
                    with_interval(**entry["metrics"][e][metric], digits=digits)
                    for e in (*ids, "mean")
                ),
            )
            for entry in section["entries"]
        ),
    )


def _published(section: Mapping[str, Any]) -> Iterator[str]:
    def mean(row: Mapping[str, Any], metric: str) -> str:
        places = row["metrics"]
        one = next(iter(places)) if len(places) == 1 else "mean"
        value = places.get(one, {}).get(metric)
        if value is None:
            return NOTHING
        return f"{value:g}" if one == "mean" else f"{value:g} ({text(one)})"

    yield from table(
        (
            "model",
            *(METRIC_TITLES[m] for m in section["metrics"]),
            "unit",
            "leaks",
            "protocol",
            "paper",
            "source",
        ),
        (
            (
                text(row["name"]),
                *(mean(row, metric) for metric in section["metrics"]),
                text(row["unit"]),
                f"yes: {text(row['leak_reason'])}" if row["leaky"] else "no",
                text(row["protocol"]),
                f"{text(row['paper'])}{_doi(row['doi'])}",
                text("; ".join(filter(None, (row["source"], row["note"])))),
            )
            for row in section["published"]
        ),
    )


def _pair(pair: Mapping[str, Any]) -> Iterator[str]:
    honest, leaky = text(pair["honest"]), text(pair["leaky"])
    digits = score_digits(pair["score_range"])
    yield f"## {text(pair['dataset'])}: from {leaky} to {honest}"
    yield ""
    yield from table(
        ("model", f"MAD, {honest}", f"MAD, {leaky} (leaky)", "rank", "leaky rank"),
        (
            (
                text(entry["name"]),
                fixed(entry["honest_mad"], digits),
                fixed(entry["leaky_mad"], digits),
                str(entry["honest_rank"]),
                str(entry["leaky_rank"]),
            )
            for entry in pair["entries"]
        ),
    )


def table(columns: Sequence[str], rows: "Iterator[tuple[str, ...]]") -> Iterator[str]:
    """Rows of cells that are Markdown already; an empty cell is a dash.

    Columns whose title ends in ``>`` are aligned to the right.
    """
    rules = ["---:" if title.endswith(">") else "---" for title in columns]
    for cells in ([title.removesuffix(">") for title in columns], rules, *rows):
        yield f"| {' | '.join(cell or NOTHING for cell in cells)} |"


def _percent(value: Mapping[str, float | None]) -> str:
    between = interval(value["low"], value["high"], 0)
    shown = fixed(value["value"], 0)
    return f"{shown} %" + (f" ({between})" if between else "")


def _doi(doi: str) -> str:
    return f" [doi](https://doi.org/{doi})" if _DOI.fullmatch(doi) else ""

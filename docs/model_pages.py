"""Writes one page a model, and their index, from the cards in configs/model."""

import json
from pathlib import Path

from registry import MODELS, Entry
from zoo.catalogue import Card, card, parameters


def write_pages(folder: Path) -> list[Path]:
    """Write ``NAME.md`` for every model of this project and ``index.md``; return the pages.

    Args:
        folder: where to; made if it is not there. A page whose text is the same is left alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries = [e for e in MODELS.entries() if e.owner.startswith("skeleton-zoo ")]
    texts = {folder / f"{e.name}.md": page(e, card(e.name)) for e in entries}
    texts[folder / "index.md"] = index([(e.name, card(e.name)) for e in entries])
    for file, text in texts.items():
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
    return list(texts)


def index(cards: list[tuple[str, Card]]) -> str:
    """The page that lists all models."""
    rows = [
        f"| [`{name}`]({name}.md) | {c.title} | {c.year or ''} | {', '.join(c.streams)} |"
        for name, c in cards
    ]
    toc = "\n".join(name for name, _ in cards)
    return (
        "# Models\n\n"
        "Every model is one file in `baselines/` and one card in `configs/model/`; these pages\n"
        "are written from the cards. `zoo models NAME` prints the same.\n\n"
        "| model | what it is | year | streams |\n| --- | --- | --- | --- |\n"
        + "\n".join(rows)
        + f"\n\n```{{toctree}}\n:hidden:\n\n{toc}\n```\n"
    )


def page(entry: Entry, made: Card) -> str:
    """The page of one model."""
    parts = [f"# {entry.name}", f"**{made.title}.** {made.summary}"]
    facts = [
        ("Paper", f"{made.paper} {_doi(made.doi)}".strip()),
        ("Streams", ", ".join(made.streams)),
        ("Tags", ", ".join(made.tags)),
        ("Code", f"`{entry.source.target}`"),
        ("Licence of the original code", made.licence),
    ]
    parts.append("\n".join(f"- {label}: {value}" for label, value in facts if value))
    for title, lines in (
        ("Where it departs from its source", made.deviations),
        ("What its source leaves open, and our choice", made.open_choices),
    ):
        if lines:
            parts.append(f"## {title}\n\n" + "\n".join(f"- {line}" for line in lines))
    params = parameters(entry)
    if params:
        rows = "\n".join(f"| `model.{k}` | `{json.dumps(v)}` |" for k, v in params.items())
        parts.append(f"## Settings\n\n| setting | default |\n| --- | --- |\n{rows}")
    if made.published:
        rows = "\n".join(
            f"| {p.dataset} | {p.protocol} | {p.metric} | {p.value:g} | {p.table} |"
            for p in made.published
        )
        parts.append(
            "## Published numbers\n\nAs printed by the source; not rerun here.\n\n"
            f"| data | protocol | metric | value | where |\n| --- | --- | --- | --- | --- |\n{rows}"
        )
    return "\n\n".join(parts) + "\n"


def _doi(doi: str) -> str:
    return f"[doi {doi}](https://doi.org/{doi})" if doi else ""

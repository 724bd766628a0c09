"""The board as Markdown: what it must say, and names that are shown and never interpreted."""

from dataclasses import replace

import pytest

from zoo.board.leaderboard import build_board
from zoo.report.markdown import render, text


def rendered(root, **how):
    return render(build_board(root, **how))


def test_it_holds_ranks_numbers_gaps_and_published_results(store):
    page = rendered(store.root)
    assert "## KIMORE, person-kfold" in page
    row = next(line for line in page.splitlines() if line.startswith("| 1"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1] == "d2sta"
    assert "(" in cells[2]
    assert cells[-2] == "2 × 2"
    assert cells[-1] == "built in"
    mean = next(line for line in page.splitlines() if line.startswith("| 2") and "mean" in line)
    assert "| – |" in mean
    assert "### Spearman by exercise" in page
    assert "- stgcn: 1 of 4 runs, runs are missing (fold 1 of exercise 1, seed 0; " in page
    assert "### Published, not ranked" in page
    assert "| D2STA | 0.119 |" in page
    assert "yes: pieces of one recording" in page
    assert "[doi](https://doi.org/10.3390/s26010287)" in page
    assert "What these numbers mean" not in page


def test_all_rows_of_a_table_have_as_many_cells(store):
    store.entry("a|b", owner="x|y 1.0")
    page = rendered(store.root)
    widths: dict[str, set[int]] = {}
    header = ""
    for line in page.splitlines():
        if not line.startswith("|"):
            header = ""
            continue
        header = header or line
        widths.setdefault(header, set()).add(line.replace("\\|", "").count("|"))
    assert widths
    assert all(len(found) == 1 for found in widths.values())


def test_a_leaky_board_opens_with_what_its_numbers_mean(make_store):
    store = make_store(protocol="d2sta-paper", pieces=10)
    store.entry("d2sta")
    page = rendered(store.root)
    assert page.index("What these numbers mean") < page.index("| Rank |")
    assert "person-kfold" not in page.split("What these numbers mean")[0]
    assert "(leaky)" in page


def test_ties_are_marked(make_store):
    store = make_store(persons=8)
    store.entry("d2sta", error=4.0)
    store.entry("stgcn", error=4.0)
    assert any(line.startswith("| 2 =") for line in rendered(store.root).splitlines())


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("[x](javascript:alert(1))", "\\[x\\](javascript:alert(1))"),
        ("a|b\nc", "a\\|b c"),
        ("*b* _i_ `c` #h ~s~", "\\*b\\* \\_i\\_ \\`c\\` \\#h \\~s\\~"),
        ("https://evil.example", "https&#58;//evil.example"),
        ("WWW.evil.example", "www&#46;evil.example"),
        ("a@evil.example", "a&#64;evil.example"),
        ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
        ("![x](y)", "!\\[x\\](y)"),
        ("\\|", "\\\\\\|"),
    ],
)
def test_names_are_text(name, shown):
    assert text(name) == shown


def test_a_hostile_model_is_shown_and_not_run(store):
    store.entry("<img src=x onerror=alert(1)>\u202e", owner="<b>bad</b> 1.0")
    page = rendered(store.root, public=True)
    assert "<img" not in page
    assert "<b>" not in page
    assert "\u202e" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_only_a_plain_doi_becomes_a_link(store):
    found = build_board(store.root)
    (section,) = found.sections
    published = [replace(row, doi="10.1/x) <script>") for row in section.published]
    assert "doi.org" in render(found)
    assert "doi.org" not in render(replace(found, sections=[replace(section, published=published)]))

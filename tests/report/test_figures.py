import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from zoo.report.figures import write

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def drawn(example, tmp_path_factory):
    board = example.with_entry(example.board(points=False), 0, 3, name="$x_1$ & <b>\x00")
    return write(board, tmp_path_factory.mktemp("figures") / "new")


def test_every_figure_is_there(drawn):
    ends = ("critical-difference", "heat-map", "parameters", "flops", "train_seconds")
    assert [path.name for path in drawn] == [
        *(f"kimore-person-kfold-{end}.svg" for end in ends),
        *(f"kimore-d2sta-paper-{end}.svg" for end in ends),
        "kimore-d2sta-paper-to-honest.svg",
    ]


def test_they_are_vector_and_their_text_is_text(drawn, example):
    for path in drawn:
        root = ET.fromstring(path.read_bytes())
        assert not list(root.iter(f"{SVG}image"))
        texts = {"".join(text.itertext()) for text in root.iter(f"{SVG}text")}
        assert any("MAD, points" in t or "mean rank" in t for t in texts)
        assert any("leak" in t.lower() for t in texts) == ("person-kfold" not in path.name)
        assert not any("mathdefault" in t for t in texts)
    heat = ET.fromstring(drawn[1].read_bytes())
    texts = ["".join(text.itertext()) for text in heat.iter(f"{SVG}text")]
    assert "$x_1$ & <b>�" in texts
    assert "6.75" in texts


def test_the_same_board_gives_the_same_bytes(example, tmp_path):
    board = example.board(points=False)
    ranked = [replace(e, flops=None, train_seconds=None) for e in board.sections[0].ranked]
    board = example.changed(replace(board, pairs=[]), 0, friedman=None, ranked=ranked)
    board = replace(board, sections=board.sections[:1])
    first, second = (write(board, tmp_path / name) for name in ("a", "b"))
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    assert len(first) == 2


def test_formats_and_empty_boards(example, tmp_path):
    board = replace(example.board(points=False), sections=[])
    paths = write(board, tmp_path, formats=("pdf", "png"))
    assert [path.suffix for path in paths] == [".pdf", ".png"]
    assert paths[0].read_bytes().startswith(b"%PDF")
    assert write(replace(board, pairs=[]), tmp_path) == []

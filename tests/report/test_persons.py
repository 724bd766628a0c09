import pytest

from zoo.board.compare import compare
from zoo.errors import ConfigError
from zoo.report.persons import draw

HOSTILE = "<script>alert(1)</script> $\\frac{1}{"


@pytest.fixture
def compared(make_store):
    store = make_store()
    store.entry("d2sta")
    store.entry(HOSTILE, owner="bad 1.0")
    return compare("d2sta", HOSTILE, store.root)


@pytest.mark.parametrize(
    ("ending", "magic"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")]
)
def test_a_plot_is_written_in_each_format(compared, tmp_path, ending, magic):
    file = draw(compared, tmp_path / f"plot.{ending}")
    assert file.read_bytes().startswith(magic)


def test_axes_have_units_and_groups_a_legend(compared, tmp_path):
    text = draw(compared, tmp_path / "plot.svg").read_text()
    assert "mean absolute error of d2sta (points)" in text
    assert "GPP" in text
    assert "CG" in text
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert draw(compared, tmp_path / "again.svg").read_text() == text


def test_another_ending_is_refused(compared, tmp_path):
    with pytest.raises(ConfigError, match=r"written as \.svg, \.pdf, \.png"):
        draw(compared, tmp_path / "plot.exe")

"""`zoo compare` as a user meets it."""

import pytest

from zoo.cli.main import main


@pytest.fixture
def ask(make_store, capsys):
    store = make_store(persons=40)
    store.entry("d2sta", error=1.0)
    store.entry("[red]x[/]", error=6.0, owner="bad 1.0")

    def command(*arguments):
        capsys.readouterr()
        code = main(["compare", "--runs", str(store.root), *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, out, err

    return command


def test_people_exercises_tests_and_a_verdict(ask):
    code, out, _ = ask("d2sta", "[red]x[/]")
    assert code == 0
    assert "error of [red]x[/]" in out
    assert "and 25 more people" in out
    assert "Wilcoxon signed-rank p =" in out
    assert "d2sta is better than [red]x[/] by" in " ".join(out.split())
    assert ask("d2sta", "[red]x[/]", "--all")[1].count("P0") == 40


def test_a_plot(ask, tmp_path):
    code, out, _ = ask("d2sta", "[red]x[/]", "--plot", tmp_path / "plot.svg")
    assert code == 0
    assert "plot.svg" in out.replace("\n", "")
    assert (tmp_path / "plot.svg").is_file()
    code, _, err = ask("d2sta", "[red]x[/]", "--plot", tmp_path / "plot.gif")
    assert code == 2
    assert ".svg, .pdf, .png" in err


def test_an_unknown_name(ask):
    code, _, err = ask("d2st", "d2sta")
    assert code == 2
    assert "no entry is called 'd2st'" in err

"""`zoo leaderboard` and `zoo leaderboard check` as a user meets them."""

import json

import pytest

from zoo.cli.main import main


@pytest.fixture
def store(make_store):
    store = make_store()
    store.entry("d2sta", error=1.0)
    store.entry("mean", constant=True, closed_form=True)
    store.run("stgcn", "1", 0)
    return store


@pytest.fixture
def ask(store, capsys):
    def command(*arguments):
        capsys.readouterr()
        code = main(["leaderboard", "--runs", str(store.root), *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, out, err

    return command


def test_a_table_on_the_terminal(ask):
    code, out, _ = ask()
    assert code == 0
    assert "kimore 1, 5, person-kfold: 12 people" in out
    ranked = [line.split() for line in out.splitlines() if " built in" in line]
    assert [row[1] for row in ranked] == ["d2sta", "mean"]
    assert "not ranked: stgcn, 1 of 4 runs: runs are missing" in out
    assert "LEAKY" not in out


def test_names_are_no_markup(store, ask):
    store.entry("[red]x[/nothing]", owner="[bold]y 1.0")
    code, out, _ = ask()
    assert code == 0
    assert "[red]x[/nothing]" in out
    assert "[bold]y 1.0" in out


@pytest.mark.parametrize(
    ("kind", "first"),
    [("md", "# Leaderboard"), ("csv", "dataset,"), ("json", "{"), ("html", "<!doctype html>")],
)
def test_documents_on_standard_output(ask, kind, first):
    code, out, _ = ask("--format", kind)
    assert code == 0
    assert out.lower().startswith(first.lower())


def test_json_can_be_read(ask):
    _, out, _ = ask("--format", "json", "--exercise", "5")
    board = json.loads(out)
    assert [e["id"] for e in board["sections"][0]["exercises"]] == ["5"]
    assert board["sections"][0]["ranked"][0]["points"]["5"]


def test_the_files_name_says_the_format(ask, tmp_path):
    file = tmp_path / "new" / "board.md"
    assert ask("--output", file)[0] == 0
    assert file.read_text().startswith("# Leaderboard")
    assert ask("--format", "csv", "--output", tmp_path)[0] == 0
    assert (tmp_path / "leaderboard.csv").is_file()
    code, _, err = ask("--output", tmp_path / "board.xls")
    assert code == 2
    assert "--format" in err
    assert ask("--format", "table", "--output", file)[0] == 2


def test_a_folder_is_published_without_anybodys_data(store, ask, tmp_path):
    code, out, _ = ask("--publish", tmp_path / "site")
    assert code == 0
    names = {file.name for file in (tmp_path / "site").iterdir()}
    assert {"index.html", "leaderboard.md", "leaderboard.csv"} < names
    assert str(tmp_path / "site" / "index.html") in out
    for file in (tmp_path / "site").iterdir():
        content = file.read_text(errors="replace")
        assert not any(person in content for person in store.persons), file


def test_a_leaky_board_says_so_and_what_is_missing(make_store, capsys):
    store = make_store(protocol="d2sta-paper", pieces=10)
    store.entry("d2sta")
    capsys.readouterr()
    assert main(["leaderboard", "--runs", str(store.root)]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "LEAKY" in out
    assert "do not say how well a model scores people it has never seen" in out
    assert "zoo bench --models knn-bones --dataset kimore --protocol d2sta-paper" in out


def test_nothing_to_rank_is_an_error(ask, tmp_path, capsys):
    code, _, err = ask("--dataset", "uiprmd-vicon")
    assert code == 2
    assert "no finished run of dataset uiprmd-vicon" in err
    assert main(["leaderboard", "--runs", str(tmp_path / "nothing")]) == 2


def test_a_sound_store_passes_the_check(make_store, capsys):
    store = make_store()
    store.entry("d2sta")
    for arguments in (["--runs", str(store.root), "check"], ["check", "--runs", str(store.root)]):
        assert main(["leaderboard", *arguments]) == 0
        assert "4 runs: files, keys, splits and true scores agree" in capsys.readouterr().out


def test_an_edited_run_fails_the_check(store, ask):
    path = next(store.root.glob("kimore/5/*/d2sta/fold0-*"))
    table = path / "predictions.csv"
    table.write_text(table.read_text().replace("test,P000", "test,P001"))
    code, out, _ = ask("check")
    assert code == 1
    assert f"{path}: predictions.csv is no longer what the run wrote" in out
    assert "stgcn lacks fold 1 of exercise 1, seed 0" in out
    assert "not hold (9 runs looked through)" in out


def test_an_empty_folder_has_nothing_to_check(tmp_path, capsys):
    assert main(["leaderboard", "check", "--runs", str(tmp_path)]) == 0
    assert "There is no finished run" in capsys.readouterr().out

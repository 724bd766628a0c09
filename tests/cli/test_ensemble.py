"""`zoo ensemble` as a user meets it."""

import pytest

from zoo.cli.main import main


@pytest.fixture
def ask(make_store, capsys):
    store = make_store(persons=16)
    folders = store.entry("stgcn") + store.entry("gru")

    def command(*arguments):
        capsys.readouterr()
        code = main(["ensemble", "--runs", str(store.root), *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, " ".join(out.split()), err

    return command, folders


def test_entries_of_a_board(ask):
    command, _ = ask
    code, out, _ = command(
        "--models", "stgcn", "gru", "--dataset", "kimore", "--protocol", "person-kfold",
        "--weights", "fitted",
    )  # fmt: skip
    assert code == 0
    assert "fitted of stgcn, gru" in out
    assert "kept in 4 runs" in out


def test_run_folders(ask):
    command, folders = ask
    code, out, _ = command(folders[0], folders[4], "--name", "both")
    assert code == 0
    assert "0.50, 0.50" in out
    code, _, err = command(folders[0], folders[5])
    assert code == 2
    assert "different folds: 0 and 1" in " ".join(err.split())


def test_one_or_the_other(ask):
    command, folders = ask
    assert command()[0] == 2
    assert command(folders[0], folders[4], "--models", "stgcn")[0] == 2
    code, _, err = command(folders[0], folders[4], "--exercise", "1")
    assert code == 2
    assert "among --models only" in err
    assert command(folders[0], folders[4], "--person", "0.3")[0] == 2
    assert command("--models", "gru", "--person", "0.3", "--exercise", "1")[0] == 2


def test_the_persons_other_exercises(ask):
    command, _ = ask
    code, out, _ = command("--models", "gru", "--person", "0.3")
    assert code == 0
    assert "gru, 30 % from the person's other exercises" in out
    assert "0.70 own, 0.30 other exercises" in out
    code, out, _ = command("--models", "stgcn", "gru", "--all-seeds", "--person", "0.2")
    assert code == 0
    assert "mean of stgcn, gru, 20 % from the person's other exercises" in out

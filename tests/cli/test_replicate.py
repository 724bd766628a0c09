"""`zoo replicate` as a user meets it."""

import json

import pytest

from zoo.cli.main import main
from zoo.compose import experiment_block


@pytest.fixture
def ask(make_store, capsys):
    store = make_store(persons=20, exercises="12345", protocol="d2sta-paper", pieces=10)
    trainer = experiment_block("d2sta_kimore")["trainer"]
    store.entry("d2sta", seeds=(3407,), error=6.0, trainer=trainer)

    def command(*arguments):
        capsys.readouterr()
        code = main(["replicate", *map(str, arguments), "--runs", str(store.root)])
        out, err = capsys.readouterr()
        return code, out, err

    return command


def test_a_table_with_verdicts_reasons_and_the_rule(ask):
    code, out, _ = ask("d2sta")
    assert code == 0
    said = " ".join(out.split())
    assert "D2STA mean MAD 0.119" in said
    assert "unknown" in said
    assert "not run [1]" in said
    assert "not compared: Tables 4 and 5: no number of UI-PRMD is known" in said
    assert "Reproduced: the published value lies within our 95 % interval" in said
    assert "+90 % (text), +64 % (conclusions)" in said


def test_markdown_and_json(ask, tmp_path):
    code, out, _ = ask("d2sta", "--format", "md")
    assert code == 0
    assert out.startswith("# D2STA on KIMORE, published and ours\n")
    assert "| D2STA | 1 | MAD | 0.102 |" in out
    widths = [line.count(" | ") for line in out.splitlines() if line.startswith("| D2STA")]
    assert set(widths) == {8}
    code, out, _ = ask("d2sta", "--output", tmp_path / "new" / "d2sta.json")
    assert code == 0
    written = json.loads((tmp_path / "new" / "d2sta.json").read_text())
    assert written["name"] == "d2sta"
    assert "d2sta.json" in out.replace("\n", "")


def test_without_a_name_all_are_listed(ask):
    code, out, _ = ask()
    assert code == 0
    assert out.startswith("d2sta: D2STA on KIMORE.")


def test_mistakes_are_named(ask, tmp_path):
    code, _, err = ask("d2st")
    assert code == 2
    assert "no replication is called 'd2st'" in err
    code, _, err = ask("d2sta", "--output", tmp_path / "x.txt")
    assert code == 2
    assert "name --format md or json" in err

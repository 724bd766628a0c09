"""The command's frame: quick, light, and every mistake answered by one message and exit code 2."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from zoo.cli.main import main

Outcome = subprocess.CompletedProcess[str]


def zoo(*arguments: str, **options: object) -> Outcome:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "zoo", *arguments],
        capture_output=True,
        text=True,
        check=False,
        **options,  # type: ignore[call-overload]
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["models"],
        ["protocol", "list"],
        ["train", "--help"],
        ["explain", "--help"],
        ["--version"],
    ],
)
def test_light_commands_never_import_torch(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom zoo.cli.main import main\n"
        f"try: rc = main({arguments!r})\nexcept SystemExit as e: rc = e.code or 0\n"
        "heavy = {'torch', 'scipy', 'torch_geometric', 'matplotlib', 'baselines'}\n"
        "heavy &= set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else rc)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_line_is_said_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    """What takes seconds says so first; here nothing heavy can be imported at all."""
    commands = [
        ["train", "--model", "mean"],
        ["config", "show", "--model", "mean"],
        ["bench", "--models", "mean"],
        ["experiment", "d2sta-kimore"],
        ["evaluate", "absent"],
        ["predict", "absent", "x"],
        ["pose", "absent.mp4", "-o", "x"],
        ["explain", "absent", "x"],
        ["stream", "absent"],
        ["view", "absent", "x"],
        ["leaderboard"],
        ["leaderboard", "check"],
        ["compare", "a", "b"],
        ["ensemble", "a", "b"],
        ["protocol", "audit", "person-kfold", "--dataset", "kimore"],
    ]
    code = (
        "import contextlib, io, sys\n"
        "for name in ('torch', 'scipy', 'numpy'): sys.modules[name] = None\n"
        "from zoo.cli.main import main\n"
        f"for command in {commands!r}:\n"
        "    said = io.StringIO()\n"
        "    with contextlib.redirect_stderr(said), contextlib.suppress(Exception):\n"
        "        main(command)\n"
        "    first = said.getvalue().partition('\\n')[0]\n"
        "    assert first.endswith(' …'), (command, said.getvalue())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["models"]])
def test_light_commands_answer_at_once(arguments: list[str]) -> None:
    """Within 0.3 s of processor time, or 2.5 times what their libraries take on a busy machine."""
    libraries = "import argparse, importlib.metadata, json, yaml, rich.console, rich.table"
    ours, theirs = [], []
    for _ in range(7):
        ours.append(_processor_seconds("-m", "zoo", *arguments))
        theirs.append(_processor_seconds("-c", libraries))
    assert min(ours) <= max(0.3, 2.5 * min(theirs)), (ours, theirs)


def _processor_seconds(*arguments: str) -> float:
    before = os.times()
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])


def test_models_lists_every_model() -> None:
    done = zoo("models")
    assert done.returncode == 0
    for name in ("d2sta", "stgcn", "aagcn", "mean"):
        assert f" {name} " in done.stdout


def test_models_are_grouped_by_family_with_what_one_chooses_by() -> None:
    lines = [line.split() for line in zoo("models").stdout.split("\n")]
    families = [line[0] for line in lines if len(line) == 1 and line[0].endswith(":")]
    assert families == ["graph:", "neural:", "classical:", "trivial:"]
    (small,) = (line for line in lines if line[:1] == ["d2sta-small"])
    assert "6.19" in small
    assert lines.index(["graph:"]) < lines.index(small) < lines.index(["neural:"])


def test_models_as_json() -> None:
    listed = json.loads(zoo("models", "--json").stdout)
    assert {m["name"] for m in listed} >= {"d2sta", "mean"}
    assert all(m["problem"] is None for m in listed)
    by_name = {m["name"]: m for m in listed}
    assert by_name["mean"]["family"] == "trivial"
    assert by_name["mean"]["parameters"] == 0
    assert 8 < by_name["mean"]["mad"] < 9


def test_model_card() -> None:
    done = zoo("models", "d2sta")
    assert "10.3390/s26010287" in done.stdout
    assert "model.groups" in done.stdout


def test_models_pattern_without_a_hit() -> None:
    done = zoo("models", "zz*")
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trian"], ["zoo has no command 'trian'", "Did you mean 'train'", "zoo --help"]),
        (["data", "lst"], ["zoo data has no action 'lst'", "'list'", "zoo data --help"]),
        (["train", "stgcn-small"], ["Did you mean --model stgcn-small?"]),
        (["train", "kimore"], ["Did you mean --dataset kimore?"]),
        (["bench", "--models", "d2sta,mean"], ["put spaces between the values: d2sta mean"]),
        (["bench", "--seeds", "0,1"], ["put spaces between the values: 0 1"]),
        (["leaderboard", "--format", "htm"], ["Did you mean 'html'?"]),
        (["train", "--model", "d2stb"], ["no model is called 'd2stb'", "'d2sta'"]),
        (["train", "--modle", "d2sta"], ["--modle", "--model"]),
        (["train"], ["--model"]),
        (["train", "--model", "d2sta", "trainer.epoch=1"], ["trainer.epochs"]),
        (["train", "--model", "d2sta", "--fold", "x"], ["--fold x"]),
        (["train", "--model", "d2sta", "--dataset", "kimor"], ["'kimore'"]),
        (["train", "--model", "d2sta", "--protocol", "person"], ["'person-kfold'"]),
        (["--plugin", "absent.py", "models"], ["absent.py", "no such Python file"]),
        (["--config-dir", "absent", "models"], ["absent", "no such folder"]),
        (["models", "nothing"], ["no model is called 'nothing'"]),
    ],
)
def test_mistakes(arguments: list[str], words: list[str], tmp_path: Path) -> None:
    done = zoo(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert any(line.startswith("error: ") for line in done.stderr.splitlines())
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_options_of_another_command_are_no_suggestion() -> None:
    done = zoo("models", "--mdoel")
    assert done.returncode == 2
    assert "not understood: --mdoel." in done.stderr
    assert "Did you mean" not in done.stderr


def test_heads_of_help_are_in_sentence_case() -> None:
    heads = [line for line in zoo("train", "--help").stdout.split("\n") if line.endswith(":")]
    assert "What to train:" in heads
    assert all(head[1:] == head[1:].lower() for head in heads)


def test_debug_shows_the_traceback() -> None:
    done = zoo("--debug", "models", "nothing")
    assert done.returncode != 0
    assert "Traceback" in done.stderr


def test_everywhere_options_stand_before_or_behind_the_command(tmp_path: Path) -> None:
    plugin = tmp_path / "p.py"
    plugin.write_text(
        "from registry import register_model\n@register_model('mine')\nclass Mine: ...\n"
    )
    for arguments in (["--plugin", str(plugin), "models"], ["models", "--plugin", str(plugin)]):
        done = zoo(*arguments)
        assert " mine " in done.stdout, done.stderr


def test_broken_plugin_is_listed_and_breaks_nothing(tmp_path: Path) -> None:
    plugin = tmp_path / "p.py"
    plugin.write_text(
        "import package_nobody_has\nfrom registry import register_model\n"
        "@register_model('mine')\nclass Mine: ...\n"
    )
    done = zoo("models", "--plugin", str(plugin))
    assert done.returncode == 0
    assert "broken" in done.stdout
    assert "package_nobody_has" in done.stdout
    assert " d2sta " in done.stdout


@pytest.mark.parametrize(
    ("setting", "word"),
    [
        ("trainer.lr=-1", "trainer.lr"),
        ("model.groups=0", "groups"),
        ("protocol.split.folds=0", "folds"),
    ],
)
def test_config_show_refuses_what_train_refuses(setting: str, word: str, tmp_path: Path) -> None:
    environment = {**os.environ, "ZOO_DATA": str(tmp_path)}
    done = zoo("config", "show", "--model", "d2sta-small", setting, env=environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert word in done.stderr


def test_config_show_prints_what_train_would_use() -> None:
    done = zoo("config", "show", "--experiment", "d2sta-kimore", "trainer.epochs=3")
    assert done.returncode == 0, done.stderr
    assert "epochs: 3" in done.stdout
    assert "name: d2sta-paper" in done.stdout


def test_no_command_prints_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "train" in capsys.readouterr().out


def test_threads_wait_without_spinning_unless_the_user_wants_it(monkeypatch, capsys):
    for own, expected in ((None, "PASSIVE"), ("ACTIVE", "ACTIVE")):
        monkeypatch.setenv("OMP_WAIT_POLICY", "")
        monkeypatch.delenv("OMP_WAIT_POLICY")
        if own is not None:
            monkeypatch.setenv("OMP_WAIT_POLICY", own)
        main(["models", "d2sta-small"])
        assert os.environ["OMP_WAIT_POLICY"] == expected

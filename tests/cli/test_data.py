"""`zoo data`: what it prints, and that every mistake is one message and exit code 2."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from zoo.cli import main as frame


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "root"
    monkeypatch.setenv("ZOO_DATA", str(folder))
    monkeypatch.setattr(frame, "COMMANDS", ("data",))
    return folder


@pytest.fixture
def tree(make_kimore: Any, tmp_path: Path) -> Any:
    maker = make_kimore(tmp_path / "KiMoRe")
    maker.person("E_ID1", frames=12)
    maker.person("S_ID2", frames=12, seed=9)
    maker.edit(maker.positions("S_ID2", 4), 26, "1,2,3,")
    maker.workbook(maker.label("E_ID1", 3), "E_ID1", total=(40, 41, None, 43, 44))
    return maker


class Outcome:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def zoo(root: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = frame.main(["data", *arguments])
        return Outcome(code, *capsys.readouterr())

    return run


def test_prepare_inspect_verify(zoo: Any, tree: Any, root: Path) -> None:
    done = zoo("prepare", "kimore", "--source", str(tree.root))
    assert (done.code, done.err) == (0, "")
    assert "10 of 10: S_ID2/Es5" in done.out
    assert "kimore: 9 recordings of 2 people, 8 with a score" in done.out
    assert f"stored in {root / 'kimore'}" in done.out.replace("\n", "")

    done = zoo("inspect", "kimore")
    assert done.code == 0
    for text in (
        "2: CG/Expert 1, GPP/Stroke 1",
        "kinect-v2, 30 frames per second",
        "squat",
        "40–45",
        "row-width",
        "line 26",
        "no value of clinical TS",
        "Capecci",
    ):
        assert text in done.out, text

    done = zoo("verify", "kimore")
    assert done.code == 0
    assert "kimore: 9 recordings as written" in done.out
    assert zoo("verify").out == done.out


def test_inspect_as_json(zoo: Any, tree: Any) -> None:
    zoo("prepare", "kimore", "--source", str(tree.root.parent))
    values = json.loads(zoo("inspect", "kimore", "--json").out)
    assert values["skipped"] == ["S_ID2/Es4"]
    assert values["problems_by_kind"] == {"no-score": [0, 1], "row-width": [1, 0]}
    assert values["people_by_group"] == {"CG/Expert": 1, "GPP/Stroke": 1}
    assert [s["scored"] for s in values["exercise_summaries"]] == [2, 2, 1, 1, 2]
    assert len(values["fingerprint"]) == 64


def test_list(zoo: Any, tree: Any) -> None:
    assert "kimore" in zoo("list").out
    before = {d["name"]: d for d in json.loads(zoo("list", "--json").out)["datasets"]}
    assert before["kimore"]["state"] == "no"
    assert before["kimore"]["url"].startswith("https://")
    zoo("prepare", "kimore", "--source", str(tree.root))
    after = {d["name"]: d for d in json.loads(zoo("list", "--json").out)["datasets"]}
    assert after["kimore"]["recordings"] == 9
    assert "9 recordings" in zoo("list").out


def test_strict(zoo: Any, tree: Any, root: Path) -> None:
    done = zoo("prepare", "kimore", "--source", str(tree.root), "--strict")
    assert done.code == 2
    assert done.err.count("\n") == 1
    assert "error: E_ID1/Es3: CG/Expert/E_ID1/Es3/Label/" in done.err
    assert not (root / "kimore").exists()


def test_an_explicit_root(zoo: Any, tree: Any, tmp_path: Path) -> None:
    other = tmp_path / "other"
    options = ("--data-root", str(other))
    assert zoo("prepare", "kimore", "--source", str(tree.root), *options).code == 0
    assert (other / "kimore" / "manifest.json").is_file()
    assert zoo("inspect", "kimore", *options).code == 0
    assert zoo("inspect", "kimore").code == 2


def test_settings_of_a_dataset(zoo: Any, tmp_path: Path) -> None:
    folder = tmp_path / "Kimore ex1"
    folder.mkdir()
    rows = [
        ",".join(
            f"{0.02 * joint + 0.001 * (frame % 7)},{(joint < 12) + 0.0},1,2" for joint in range(25)
        )
        + "\n"
        for frame in range(200)
    ]
    (folder / "Train_X.csv").write_text("".join(rows))
    (folder / "Train_Y.csv").write_text("10\n20\n")
    source = ("--source", str(folder))
    assert zoo("prepare", "stgcn-rehab", *source).code == 0
    assert "unknown: no honest split is possible" in zoo("inspect", "stgcn-rehab").out
    counts = tmp_path / "counts.json"
    counts.write_text('{"E_ID1": {"1": 1}, "B_ID3": {"1": 1}}')
    done = zoo("prepare", "stgcn-rehab", *source, f"counts={counts}")
    assert (done.code, "2 recordings of 2 people" in done.out) == (0, True)
    done = zoo("prepare", "stgcn-rehab", *source, f"count={counts}")
    assert done.code == 2
    assert "Did you mean 'counts'?" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["prepare", "kimore"], "--source DIR. Get it from https://"),
        (["prepare", "kimor", "--source", "."], "Did you mean 'kimore' or 'kimore-camera'?"),
        (["prepare", "kimore", "--source", "absent"], "absent: no such folder"),
        (["inspect", "kimore"], "zoo data prepare kimore --source DIR"),
        (["inspect", "kimor"], "Did you mean 'kimore' or 'kimore-camera'?"),
        (["verify", "kimore"], "is not prepared"),
        (["verify"], "nothing is prepared in"),
        (["inspect"], "name"),
        ([], "ACTION"),
    ],
)
def test_mistakes(zoo: Any, arguments: list[str], message: str) -> None:
    done = zoo(*arguments)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err


def test_a_folder_that_is_no_kimore_is_one_sentence(zoo: Any, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    done = zoo("prepare", "kimore", "--source", str(tmp_path / "photos"))
    assert done.code == 2
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1
    assert "is no KIMORE" in done.err


def test_damage_is_found(zoo: Any, tree: Any, root: Path) -> None:
    zoo("prepare", "kimore", "--source", str(tree.root))
    data = root / "kimore" / "data.safetensors"
    content = bytearray(data.read_bytes())
    content[-1] ^= 1
    data.write_bytes(content)
    for arguments in (("verify", "kimore"), ("verify",), ("inspect", "kimore")):
        done = zoo(*arguments)
        assert done.code == 2
        assert "the arrays of S_ID2/Es5 are not those that were written" in done.err
        assert "zoo data prepare kimore --source DIR" in done.err
    (root / "kimore" / "manifest.json").write_text("{")
    assert "damaged" in zoo("list").out


def test_the_bar_of_a_terminal(zoo: Any, tree: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    done = zoo("prepare", "kimore", "--source", str(tree.root))
    assert done.code == 0
    assert "of 10:" not in done.out
    assert "10/10" in done.out


def test_no_action_imports_torch(tree: Any, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom zoo.cli import main as frame\nframe.COMMANDS = ('data',)\n"
        f"root = ['--data-root', {str(tmp_path / 'root')!r}]\n"
        f"source = ['--source', {str(tree.root)!r}]\n"
        "prepare = ['prepare', 'kimore', *source]\n"
        "for line in (['list'], prepare, ['inspect', 'kimore'], ['verify']):\n"
        "    assert frame.main(['data', *line, *root]) == 0\n"
        "sys.exit(repr({'torch', 'scipy'} & set(sys.modules) or 0))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr in ("", "0\n"), done.stderr

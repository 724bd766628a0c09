"""`zoo config show` refuses what `zoo train` refuses, in one message and with exit code 2."""

import pytest

from zoo.cli.main import main

REFUSED = [
    ("fold=x", "fold is 'x', expected a whole number from 0"),
    ("fold=99", "there is no fold 99"),
    ("seed=1:30", "seed is '1:30', expected a whole number from 0"),
    ("trainer=1", "trainer is 1, expected keys and values"),
    ("protocol.transforms=", "transforms are None, expected a list"),
    ("model.groups=-1", "groups=-1"),
    ("trainer.device=cuda:99", "cuda:99"),
    ("protocol.split.validation=0", "selection: best needs a validation part"),
    ("trainer.init_from=nowhere", "nowhere: no such run folder"),
]


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> str:
    import zoo

    folder = tmp_path_factory.mktemp("data")
    zoo.load_dataset("synthetic", folder)
    return str(folder)


@pytest.mark.parametrize(("setting", "message"), REFUSED, ids=[s for s, _ in REFUSED])
def test_both_refuse_it_alike(
    setting: str,
    message: str,
    data_root: str,
    tmp_path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ZOO_DATA", data_root)
    told = []
    for command in (["config", "show"], ["train", "--runs", str(tmp_path)]):
        assert main([*command, "--model", "d2sta", setting]) == 2
        told.append(" ".join(capsys.readouterr().err.split()))
        assert message in told[-1]
        assert "Traceback" not in told[-1]
    assert not list(tmp_path.rglob("run.json"))

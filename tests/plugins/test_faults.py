"""What a plug-in can do wrong, and the one message that answers it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from registry import MODELS
from zoo.cli.main import main

SMALL = (
    "dataset.people=12",
    "dataset.repetitions=2",
    "protocol.frames=16",
    "trainer.epochs=1",
    "trainer.threads=1",
)
MODEL = """
import sys
import torch
from registry import register_model
from zoo.data.batch import Batch, Prediction

@register_model("mine")
class Mine(torch.nn.Module):
    streams = ("position",)

    def __init__(self, layout):
        super().__init__()
        self.line = torch.nn.Linear(3, 1)

    def forward(self, batch):
        score = self.line(batch.stream("position").mean((1, 2)))[:, 0]
        return Prediction(score)
"""
RETURN = "return Prediction(score)"
CLASS = '@register_model("mine")\nclass Mine(torch.nn.Module):'
STREAMS = 'streams = ("position",)'
FIT = "\n\n    def fit(self, batch, target):\n        pass"

FAULTS = {
    "raises": (CLASS, f"raise RuntimeError('no key')\n{CLASS}", "RuntimeError: no key"),
    "exits": (CLASS, f"sys.exit('not today')\n{CLASS}", "SystemExit: not today"),
    "no module": ("(torch.nn.Module)", "", "is a Mine, expected a torch.nn.Module"),
    "no layout": ("self, layout", "self", "unexpected keyword argument 'layout'"),
    "stream": (STREAMS, 'streams = ("positions",)', "no stream 'positions'. Did you mean"),
    "no stream": (STREAMS, "streams = ()", "needs at least one stream"),
    "shape": (RETURN, "return Prediction(score[:, None])", "expected a tensor of shape (7,)"),
    "one score": (RETURN, "return Prediction(score.mean())", "expected a tensor of shape (7,)"),
    "tensor": (RETURN, "return score", "is a Tensor, expected a Prediction"),
    "nothing": (RETURN, "pass", "is a NoneType, expected a Prediction"),
    "detached": (RETURN, "return Prediction(score.detach())", "do not depend on a parameter"),
    "whole": (RETURN, "return Prediction(score.round().long())", "is of int64, expected"),
    "nan": (RETURN, "return Prediction(score / 0)", "it may be the model itself"),
    "fit nan": (RETURN, f"return Prediction(score / 0){FIT}", "after its fit"),
}  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder, so that the simulator runs once."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def call(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Writes the model as mine.py and runs a command with it: exit code, output, complaint."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZOO_DATA", str(data))
    added = list(MODELS.added)

    def run(text: str, *arguments: str) -> tuple[int, str, str]:
        file = tmp_path / "mine.py"
        file.write_text(text)
        code = main([*arguments, "--plugin", str(file)])
        said = capsys.readouterr()
        return code, said.out, said.err.strip().splitlines()[-1] if said.err.strip() else ""

    yield run
    for name, _ in set(MODELS.added) - set(added):
        MODELS.forget(name)


def test_without_a_fault_it_trains(call: Callable[..., tuple[int, str, str]]) -> None:
    code, out, complaint = call(MODEL, "train", "--model", "mine", *SMALL)
    assert code == 0, complaint
    assert "kept in runs" in out


@pytest.mark.parametrize("fault", FAULTS)
def test_fault(fault: str, call: Callable[..., tuple[int, str, str]]) -> None:
    right, wrong, words = FAULTS[fault]
    assert MODEL.count(right) == 1
    code, _, complaint = call(MODEL.replace(right, wrong), "train", "--model", "mine", *SMALL)
    assert code == 2
    assert complaint.startswith("error: ")
    assert words in complaint
    assert not list(Path("runs").rglob("run.json"))


def test_nan_where_no_validation_part_would_show_it(
    call: Callable[..., tuple[int, str, str]],
) -> None:
    only_now = RETURN.replace("score", "score if self.training else score / 0")
    no_validation = ("protocol.selection=last", "protocol.split.validation=0")
    text = MODEL.replace(RETURN, only_now)
    code, _, complaint = call(text, "train", "--model", "mine", *SMALL, *no_validation)
    assert code == 2
    assert "the prediction is no longer finite" in complaint


@pytest.mark.parametrize(
    ("streams", "said"), [('streams = "position"', "one name"), ("", "none at all")]
)
def test_streams_in_other_words(
    streams: str, said: str, call: Callable[..., tuple[int, str, str]]
) -> None:
    text = MODEL.replace(STREAMS, streams)
    assert call(text, "train", "--model", "mine", *SMALL)[0] == 0, said
    run = next(Path("runs").rglob("run.json")).parent
    assert call(text, "evaluate", str(run))[0] == 0, said


def test_name_of_a_built_in_model(call: Callable[..., tuple[int, str, str]]) -> None:
    thief = MODEL.replace('"mine"', '"mean"')
    code, _, complaint = call(thief, "train", "--model", "mean", *SMALL)
    assert code == 2
    assert "'mean'" in complaint
    assert "claimed by skeleton-zoo" in complaint
    assert "mine.py" in complaint
    code, out, _ = call(thief, "models")
    assert code == 0
    (line,) = [line for line in out.splitlines() if line.split()[:1] == ["mean"]]
    assert "broken: the name is claimed by" in line


CARDS = {
    "card: [1, 2]": "card is [1, 2], expected keys and values",
    "card: {titel: Mine}": "card has no key 'titel'. Did you mean 'title'?",
    "card: {title: [a, b]}": "title is ['a', 'b'], expected text",
    "card: {year: soon}": "year is 'soon', expected a whole number",
    "card: {tags: [1.5]}": "tags[0] is 1.5, expected text",
    "card: {published: 3}": "published is 3, expected a list",
    "card: {": "did not find expected node content",
    "crad: {}": "mine.yaml has no key 'crad'. Did you mean 'card'?",
    "params: [1]": "params is [1], expected keys and values",
}


@pytest.mark.parametrize("text", CARDS)
def test_malformed_card_is_named_and_breaks_no_listing(
    text: str, call: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    code, out, _ = call(MODEL, "models", "--json")
    assert code == 0
    assert CARDS[text] in out
    code, out, complaint = call(MODEL, "models", "mine")
    assert CARDS[text] in out + complaint
    code, out, _ = call(MODEL, "models")
    assert code == 0
    assert " d2sta " in out


def test_blocks_with_nothing_below_them_are_no_fault(
    call: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    (tmp_path / "mine.yaml").write_text("card:\n  year:\nparams:\ntrainer:\n")
    code, out, _ = call(MODEL, "models", "mine")
    assert code == 0
    assert "mine: mine" in out
    assert call(MODEL, "config", "show", "--model", "mine")[0] == 0

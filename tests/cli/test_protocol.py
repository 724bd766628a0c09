"""`zoo protocol`: what it says, and that every mistake is one message and exit code 2."""

import json
from typing import Any

import pytest

from zoo.cli import main as frame
from zoo.protocol.protocol import load_protocol


class Outcome:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, " ".join(out.split()), err

    @property
    def answer(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def zoo(trained: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.setenv("ZOO_DATA", str(trained.data_root))
    monkeypatch.setattr(frame, "COMMANDS", ("protocol",))

    def run(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = frame.main(["protocol", *arguments])
        return Outcome(code, *capsys.readouterr())

    return run


def test_list(zoo: Any) -> None:
    done = zoo("list")
    assert done.code == 0
    assert "person-kfold Five folds by person kept apart" in done.out
    assert "d2sta-paper D2STA's protocol (leaky) on both sides" in done.out
    rows = {row["name"]: row for row in zoo("list", "--json").answer}
    assert {name for name, row in rows.items() if row["leaky"]} == {
        "d2sta-paper", "random-kfold", "recon", "stgcn-rehab", "uiprmd-d2sta",
    }  # fmt: skip
    assert not any(row["problem"] for row in rows.values())
    assert all(row["title"] and row["summary"] for row in rows.values())


def test_show(zoo: Any) -> None:
    done = zoo("show", "person-kfold")
    assert done.code == 0
    assert "People are assigned to 5 folds, alike in group and score" in done.out
    assert load_protocol("person-kfold").hash() in done.out
    assert "the seeds 0, 1, 2" in done.out
    done = zoo("show", "stgcn-rehab")
    assert "Unless set otherwise: head huber, delta 0.1." in done.out
    assert "Yes: every repetition carries the one score of its recording" in done.out


def test_show_with_settings_as_json(zoo: Any) -> None:
    answer = zoo("show", "person-kfold", "protocol.split.folds=7", "--json").answer
    assert answer["split"]["folds"] == 7
    assert answer["hash"] == load_protocol("person-kfold", split={"folds": 7}).hash()
    assert "to 7 folds" in answer["words"]["split"]
    assert answer["seeds"] == [0, 1, 2]


def test_audit_of_an_honest_protocol(zoo: Any) -> None:
    done = zoo("audit", "person-kfold", "--dataset", "kimore", "protocol.split.folds=3")
    assert (done.code, done.err) == (0, "splitting kimore by person-kfold …\n")
    assert "Honest: nobody who is tested was seen before, in 3 folds." in done.out
    assert "0 8 2 5 5 0 0 0" in done.out


def test_audit_of_a_leaky_protocol(zoo: Any) -> None:
    done = zoo("audit", "random-kfold", "--dataset", "kimore", "--exercise", "5")
    assert done.code == 0
    assert "of 150 test samples 150 have a sibling of the same recording" in done.out
    answer = zoo("audit", "random-kfold", "--dataset", "kimore", "--json").answer
    assert (answer["dataset"], answer["exercise"]) == ("kimore", "5")
    assert answer["leaks"] is answer["leaky"] is answer["keeps_promise"] is True
    assert answer["samples_with_person"] == answer["test_samples"] == 150
    assert len(answer["folds"]) == 10


def test_a_broken_promise_is_exit_code_2(zoo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from zoo.data import samples
    from zoo.data.signature import Signature

    one = Signature.of

    def alike(recording: Any, layout: Any) -> Signature:
        found = one(recording, layout)
        return Signature(found.frames * 0, found.bones)

    monkeypatch.setattr(samples.Signature, "of", alike)
    done = zoo("audit", "person-kfold", "--dataset", "kimore")
    assert done.code == 2
    assert "Not honest: the protocol promises" in done.out
    assert "near-duplicates: E_ID1/Es5 is like" in done.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "person-fold"), "Did you mean 'person-kfold'"),
        (("show", "person-kfold", "protocol.split.fold=3"), "'protocol.split.folds'"),
        (("show", "person-kfold", "protocol.split.folds=1"), "split.folds is 1"),
        (("show", "person-kfold", "--dataset", "kimore"), "not understood: --dataset"),
        (("audit", "person-kfold"), "--dataset"),
        (("audit", "person-kfold", "--dataset", "kimor"), "Did you mean 'kimore'"),
        (("audit", "person-kfold", "--dataset", "kimore", "--exercise", "9"), "exercise '9'"),
        (("audit", "person-kfold", "--dataset", "kimore", "--exercise", "3"), "1 people cannot"),
        (("audit", "cross-dataset", "--dataset", "kimore"), "protocol.split.dataset=NAME"),
        (
            ("audit", "cross-dataset", "--dataset", "kimore", "protocol.split.dataset=kimore"),
            "kimore would be trained on and tested on",
        ),
        (
            ("audit", "cross-dataset", "--dataset", "kimore", "protocol.split.dataset=stgcn-rehab"),
            "stgcn-rehab is not prepared",
        ),
        (
            ("audit", "person-kfold", "--dataset", "kimore", "protocol.split.folds=16"),
            "15 people cannot be split into 16 folds",
        ),
    ],
)
def test_mistakes(zoo: Any, arguments: tuple[str, ...], words: str) -> None:
    done = zoo(*arguments)
    assert done.code == 2
    assert words in done.err
    assert "Traceback" not in done.err

"""Splits that follow columns of the recordings or a published file: groups, folds, strata."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from registry import catalogues
from zoo.data.samples import SampleSet
from zoo.errors import ConfigError, DataError, LeakageError
from zoo.protocol.leakage import check_leakage, gate
from zoo.protocol.protocol import load_protocol
from zoo.protocol.splits import split_rule

PEOPLE = 24


def samples(device=lambda i: ("kinect", "phone", "mocap")[i % 3], **columns) -> SampleSet:
    """Two recordings of every person."""
    rows = [(f"P{i:02}", k) for i in range(PEOPLE) for k in range(2)]
    values = np.random.default_rng(0).uniform(0, 50, PEOPLE)
    given = {"device": device, **columns}
    return SampleSet(
        streams={"position": torch.zeros(len(rows), 2, 3, 3)},
        mask=None,
        target=torch.tensor([float(values[i // 2]) for i in range(len(rows))]),
        recording=[f"{person}/{k}" for person, k in rows],
        segment=[0] * len(rows),
        subject=[person for person, _ in rows],
        group=[f"g{int(person[1:]) % 2}" for person, _ in rows],
        exercise=["5"] * len(rows),
        frames=[(0, 2)] * len(rows),
        fps=[30.0] * len(rows),
        layout="three",
        extra={
            f"{person}/{k}": {
                "session": str(k),
                **{n: f(int(person[1:])) for n, f in given.items()},
            }
            for person, k in rows
        },
    )


def table(folder: Path, text: str, name: str = "folds.csv") -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def test_each_device_is_tested_by_a_model_of_the_others():
    data = samples()
    rule = split_rule({"kind": "leave-one-group-out", "by": "device"})
    assert rule.num_folds(data.columns) == 3
    for fold, device in enumerate(("kinect", "mocap", "phone")):
        split = rule.apply(data, fold)
        assert {data.columns["device"][i] for i in split.test.tolist()} == {device}
        assert len(split.test) == 16
        seen = {data.columns["device"][i] for i in [*split.train.tolist(), *split.validation]}
        assert device not in seen
        assert len(split.persons("validation")) == 3
        assert not set(split.persons("validation")) & set(split.persons("train"))
        assert gate("mine", None, check_leakage(data, split)) is None
    assert split_rule("leave-one-group-out").num_folds(data.columns) == 2, "the group by itself"


def test_a_person_with_two_devices_is_for_the_gate():
    rule = split_rule({"kind": "leave-one-group-out", "by": "session"})
    data = samples()
    with pytest.raises(LeakageError, match="12 of 24 test persons|24 of 24 test persons"):
        gate("mine", None, check_leakage(data, rule.apply(data, 0)))


def test_a_column_that_is_nowhere_or_the_same_everywhere():
    rule = split_rule({"kind": "leave-one-group-out", "by": "devise"})
    with pytest.raises(DataError, match="no column 'devise'. Did you mean 'device'"):
        rule.apply(samples(), 0)
    same = split_rule({"kind": "leave-one-group-out", "by": "device"})
    with pytest.raises(DataError, match=r"all recordings have the same device \('x'\)"):
        same.apply(samples(device=lambda i: "x"), 0)
    with pytest.raises(ConfigError, match="split.by is ''"):
        split_rule({"kind": "leave-one-group-out", "by": ""})


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("comma", [",", ";", "\t"])
def test_persons_stand_in_the_folds_of_a_file(tmp_path, comma, line_end):
    lines = ["person,fold", *(f"P{i:02},{i % 4 + 7}" for i in range(PEOPLE)), ""]
    file = table(tmp_path, line_end.join(lines).replace(",", comma))
    rule = split_rule({"kind": "folds-from-file", "file": file})
    data = samples()
    assert rule.num_folds(data.columns) == 4
    for fold in range(4):
        split = rule.apply(data, fold)
        assert split.persons("test") == [f"P{i:02}" for i in range(fold, PEOPLE, 4)]
        assert len(split.persons("validation")) == round(0.2 * 18)
        assert gate("mine", None, check_leakage(data, split)) is None
    assert "says where 24 persons stand: in 4 folds" in rule.describe()


def test_parts_of_a_file_are_one_fold(tmp_path):
    part = ("train", "train", "validation", "test")
    file = table(tmp_path, "part,person\n" + "".join(f"{part[i % 4]},P{i:02}\n" for i in range(24)))
    rule = split_rule({"kind": "folds-from-file", "file": file})
    split = rule.apply(samples(), 0)
    assert [len(split.persons(p)) for p in ("train", "validation", "test")] == [12, 6, 6]
    assert rule.has_validation
    lines = (tmp_path / "folds.csv").read_text().replace("validation", "train")
    without = split_rule({"kind": "folds-from-file", "file": table(tmp_path, lines, "b.csv")})
    assert not without.has_validation
    assert len(without.apply(samples(), 0).validation) == 0


def test_recordings_dealt_by_a_file_can_leak_and_are_judged(tmp_path):
    data = samples()
    lines = [f"{name},{i % 2}" for i, name in enumerate(data.recording)]
    file = table(tmp_path, "recording,fold\n" + "\n".join(lines))
    rule = split_rule({"kind": "folds-from-file", "file": file})
    with pytest.raises(LeakageError, match="24 of 24 test persons also stand in training"):
        gate("mine", None, check_leakage(data, rule.apply(data, 0)))


def test_the_content_of_the_file_is_the_protocol_not_its_name(tmp_path):
    text = "person,fold\n" + "".join(f"P{i:02},{i % 3}\n" for i in range(PEOPLE))
    settings = {"kind": "folds-from-file", "validation": 0}

    def digest(file):
        split = {**settings, "file": file}
        return load_protocol("person-kfold", split=split, selection="last").hash()

    first = digest(table(tmp_path, text))
    lines = text.splitlines()
    mixed = "\r\n".join([lines[0], *reversed(lines[1:])])
    assert digest(table(tmp_path, mixed, "elsewhere.csv")) == first
    assert digest(table(tmp_path, text.replace("P00,0", "P00,1"), "other.csv")) != first


def test_who_is_missing_in_the_file_or_in_the_data_is_told(tmp_path):
    rows = "".join(f"P{i:02},{i % 3}\n" for i in range(20))
    rule = split_rule({"kind": "folds-from-file", "file": table(tmp_path, f"person,fold\n{rows}")})
    with pytest.raises(
        DataError, match="says nothing of 4 of 24 persons: P20, P21, P22 and 1 more; it names"
    ):
        rule.apply(samples(), 0)
    more = "".join(f"P{i:02},{i % 3}\n" for i in range(27))
    rule = split_rule({"kind": "folds-from-file", "file": table(tmp_path, f"person,fold\n{more}")})
    assert rule.remarks(samples().columns)[0].endswith(
        "names 3 persons that are not in these data: P24, P25, P26"
    )
    data = samples()
    few = data.subset([i for i, p in enumerate(data.subject) if int(p[1:]) % 3])
    with pytest.raises(DataError, match="nobody of fold 0 of .* is in these data"):
        rule.apply(few, 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: found nothing, expected two columns: person or recording, and fold or part"),
        ("name,fold\nA,1\n", "line 1: found 'name,fold', expected two columns"),
        ("person,recording\nA,1\n", "line 1: found 'person,recording', expected two columns"),
        ("person,fold\nA\n", "line 2: found 'A', expected a person and a fold"),
        ("person,fold\nA,\n", "line 2: found 'A,', expected a person and a fold"),
        ("person,fold\nA,1\n\nA,2\n", "line 4: found A in fold 2, expected fold 1, where"),
        ("person,part\nA,train\nB,tset\n", "line 3: found part 'tset', expected train, valid"),
        ("person,part\nA,train\nB,train\n", "has no test part"),
        ("person,fold\nA,1\nB,1\n", "has 1 folds, expected at least two"),
        ('person,fold\n"A,1\nB,2\n', "expected a table"),
    ],
)
def test_a_file_that_is_no_table_of_folds_is_told_with_its_line(tmp_path, text, message):
    rule = split_rule({"kind": "folds-from-file", "file": table(tmp_path, text)})
    with pytest.raises(DataError, match=message):
        rule.apply(samples(), 0)


def test_no_file(tmp_path):
    with pytest.raises(ConfigError, match="split.file does not say which file"):
        split_rule("folds-from-file").apply(samples(), 0)
    rule = split_rule({"kind": "folds-from-file", "file": str(tmp_path / "no.csv")})
    with pytest.raises(DataError, match=r"the folds in .*no.csv cannot be read"):
        rule.apply(samples(), 0)


def test_a_file_beside_the_protocols_of_a_configuration_folder_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(catalogues, "_user_dirs", [tmp_path])
    (tmp_path / "protocol").mkdir()
    text = "person,fold\n" + "".join(f"P{i:02},{i % 3}\n" for i in range(PEOPLE))
    table(tmp_path / "protocol", text, "published.csv")
    rule = split_rule({"kind": "folds-from-file", "file": "published.csv"})
    assert rule.num_folds(samples().columns) == 3


def test_folds_are_alike_in_any_column_texts_and_numbers():
    data = samples(site=lambda i: "AB"[i % 12 > 7], age=lambda i: 20 + 3 * i)
    rule = split_rule({"kind": "person-kfold", "folds": 4, "stratify": ["site", "age"]})
    sites, ages = data.columns["site"], np.array(data.columns["age"])
    for fold in range(4):
        test = rule.apply(data, fold).test.tolist()
        share = [sites[i] for i in test].count("A") / len(test)
        assert share == pytest.approx(16 / 24, abs=0.1)
        assert abs(ages[test].mean() - ages.mean()) < 12
    random = split_rule({"kind": "random-kfold", "folds": 4, "stratify": ["device", "age"]})
    for fold in range(4):
        test = random.apply(data, fold).test.tolist()
        devices = [data.columns["device"][i] for i in test]
        assert {devices.count(d) for d in set(devices)} == {4}


def test_the_group_of_a_person_stands_on_one_side_only_where_it_is_one():
    data = samples()
    mixed = replace(data, group=["a", *data.group[1:]])
    with pytest.raises(DataError, match="P00 is in the groups a and g0 at once"):
        split_rule("person-kfold").apply(mixed, 0)

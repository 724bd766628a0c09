import pytest
import torch

from zoo.data.recording import UNKNOWN_SUBJECT
from zoo.data.samples import SampleSet
from zoo.errors import LeakageError
from zoo.protocol.leakage import check_leakage, gate
from zoo.protocol.protocol import Protocol
from zoo.protocol.split import Split
from zoo.protocol.splits import SplitRule


def samples(*rows: tuple[str, str]) -> SampleSet:
    """Samples from (person, recording) pairs."""
    count: dict[str, int] = {}
    segment = []
    for _, recording in rows:
        segment.append(count.get(recording, 0))
        count[recording] = segment[-1] + 1
    return SampleSet(
        {"position": torch.zeros(len(rows), 2, 3, 3)},
        None,
        torch.zeros(len(rows)),
        [r for _, r in rows],
        segment,
        [p for p, _ in rows],
        ["g"] * len(rows),
        ["1"] * len(rows),
        [(0, 1)] * len(rows),
        [30.0] * len(rows),
        "three",
    )


HONEST = Protocol("honest")
LEAKY = Protocol("paper", leaky=True, leak_reason="pieces are dealt at random.")


def test_a_clean_split_passes():
    data = samples(("A", "A/1"), ("A", "A/2"), ("B", "B/1"), ("C", "C/1"))
    report = check_leakage(data, Split.of(data, [0, 1], [2], [3]))
    assert not report.leaks
    assert (report.test_samples, report.test_persons, report.test_recordings) == (1, 1, 1)
    assert gate("honest", None, report) is None
    assert str(report) == "no person and no recording stands on both sides"


def test_siblings_are_counted():
    data = samples(
        ("A", "A/1"), ("A", "A/1"), ("A", "A/2"), ("B", "B/1"), ("B", "B/1"), ("C", "C/1")
    )
    report = check_leakage(data, Split.of(data, [0, 3], [], [1, 2, 4, 5]))
    assert report.persons == ("A", "B")
    assert report.recordings == ("A/1", "B/1")
    assert report.samples_with_sibling == 2
    assert report.samples_with_person == 3
    with pytest.raises(LeakageError) as error:
        gate("honest", None, report)
    assert "protocol honest promises" in str(error.value)
    assert "2 of 3 test persons also stand in training or validation (A, B)" in str(error.value)
    assert "2 of 4 test samples have a sibling" in str(error.value)
    words = gate("paper", LEAKY.leak_reason, report)
    assert words.startswith("protocol paper leaks: pieces are dealt at random. Here 2 of 3 test")


def test_validation_counts_as_seen():
    data = samples(("A", "A/1"), ("B", "B/1"), ("B", "B/2"))
    report = check_leakage(data, Split.of(data, [0], [1], [2]))
    assert report.persons == ("B",)
    assert report.recordings == ()
    with pytest.raises(LeakageError, match="1 of 1 test persons"):
        gate("honest", None, report)


def test_a_person_in_training_and_validation_flatters_the_choice():
    data = samples(("A", "A/1"), ("A", "A/2"), ("B", "B/1"))
    report = check_leakage(data, Split.of(data, [0], [1], [2]))
    assert report.validation_persons == ("A",)
    with pytest.raises(LeakageError, match="both in training and in validation"):
        gate("honest", None, report)


def test_unknown_people_are_no_promise():
    data = samples((UNKNOWN_SUBJECT, "1"), (UNKNOWN_SUBJECT, "2"), ("C", "3"))
    report = check_leakage(data, Split.of(data, [0], [1], [2]))
    assert report.persons == ()
    assert report.unknown_samples == 2
    with pytest.raises(LeakageError, match="2 samples do not say whose they are"):
        gate("honest", None, report)


def test_scalers_fitted_on_all_leak():
    data = samples(("A", "A/1"), ("B", "B/1"))
    report = check_leakage(data, Split.of(data, [0], [], [1]), scaler="all")
    assert report.leaks
    assert "scalers are fitted on the test samples too" in str(report)


def test_many_names_are_shortened():
    rows = [(p, f"{p}/1") for p in "ABCDE"]
    data = samples(*rows, *rows)
    report = check_leakage(data, Split.of(data, range(5), [], range(5, 10)))
    assert "5 of 5 test persons also stand in training or validation (A, B, C and 2 more)" in str(
        report
    )


def test_a_rule_that_breaks_its_promise_is_stopped(monkeypatch):
    """The gate looks at the split itself and not at the rule's name."""
    data = samples(*[(p, f"{p}/1") for p in "ABCDEF"], ("A", "A/2"))

    def broken(self, samples, fold):
        return Split.of(samples, [0, 1, 2], [3, 4], [5, 6])

    monkeypatch.setattr(SplitRule, "apply", broken)
    with pytest.raises(LeakageError, match=r"1 of 2 test persons .*\(A\)"):
        HONEST.fold([], 0, ["position"], samples=data)

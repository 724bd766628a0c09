"""The leakage gate: does anybody stand on both sides of a split?"""

from dataclasses import dataclass

from zoo.data.recording import UNKNOWN_SUBJECT
from zoo.data.samples import SampleSet
from zoo.errors import LeakageError
from zoo.protocol.near_duplicates import NearDuplicate, near_duplicates
from zoo.protocol.split import Split


@dataclass(frozen=True)
class LeakageReport:
    """What the test part shares with what is trained on or chosen by (training + validation).

    Attributes:
        test_samples: samples in the test part.
        test_persons: known people in the test part.
        test_recordings: recordings in the test part.
        persons: people on both sides, sorted.
        recordings: recordings on both sides, sorted.
        samples_with_sibling: test samples of which another part of the same recording is seen.
        samples_with_person: test samples of whose person another sample is seen.
        unknown_samples: samples anywhere that do not say whose they are.
        validation_persons: people both in training and in validation, sorted: they do not touch
            the test, but flatter the choice of the best epoch.
        scaler_sees_test: scalers are fitted on all samples, the test part among them.
        near_duplicates: test recordings that seem to be seen under another name.
    """

    test_samples: int
    test_persons: int
    test_recordings: int
    persons: tuple[str, ...]
    recordings: tuple[str, ...]
    samples_with_sibling: int
    samples_with_person: int
    unknown_samples: int
    validation_persons: tuple[str, ...]
    scaler_sees_test: bool = False
    near_duplicates: tuple[NearDuplicate, ...] = ()

    @property
    def leaks(self) -> bool:
        """Whether the test says less than it seems to."""
        return bool(
            self.persons
            or self.recordings
            or self.validation_persons
            or self.unknown_samples
            or self.scaler_sees_test
            or self.near_duplicates
        )

    def __str__(self) -> str:
        found = []
        if self.persons:
            found.append(
                f"{len(self.persons)} of {self.test_persons} test persons also stand in training "
                f"or validation ({_some(self.persons)})"
            )
        if self.recordings:
            found.append(
                f"{self.samples_with_sibling} of {self.test_samples} test samples have a sibling "
                f"cut from the same recording there ({len(self.recordings)} of "
                f"{self.test_recordings} recordings)"
            )
        if self.near_duplicates:
            found.append(
                f"{len(self.near_duplicates)} of {self.test_recordings} test recordings are near-"
                f"duplicates of ones seen there ({_some(tuple(map(str, self.near_duplicates)))})"
            )
        if self.unknown_samples:
            found.append(f"{self.unknown_samples} samples do not say whose they are")
        if self.validation_persons:
            found.append(
                f"{len(self.validation_persons)} persons stand both in training and in validation "
                f"({_some(self.validation_persons)})"
            )
        if self.scaler_sees_test:
            found.append("scalers are fitted on the test samples too")
        return "; ".join(found) if found else "no person and no recording stands on both sides"


def check_leakage(samples: SampleSet, split: Split, *, scaler: str = "train") -> LeakageReport:
    """Compare the test part with training and validation: persons, recordings, joints.

    Args:
        samples: all samples.
        split: who stands where.
        scaler: scope of the scalers; ``all`` lets them see the test part.
    """
    train = split.members["train"]
    validation = split.members["validation"]
    test = split.members["test"]
    seen_persons = {p for p, _, _ in [*train, *validation]} - {UNKNOWN_SUBJECT}
    seen_recordings = {r for _, r, _ in [*train, *validation]}
    return LeakageReport(
        test_samples=len(test),
        test_persons=len(split.persons("test")),
        test_recordings=len(split.recordings("test")),
        persons=tuple(p for p in split.persons("test") if p in seen_persons),
        recordings=tuple(r for r in split.recordings("test") if r in seen_recordings),
        samples_with_sibling=sum(r in seen_recordings for _, r, _ in test),
        samples_with_person=sum(p in seen_persons for p, _, _ in test),
        unknown_samples=sum(p == UNKNOWN_SUBJECT for p in samples.subject),
        validation_persons=tuple(
            sorted(set(split.persons("train")) & set(split.persons("validation")))
        ),
        scaler_sees_test=scaler == "all",
        near_duplicates=near_duplicates(samples.signatures, split),
    )


def gate(protocol: str, leak_reason: str | None, report: LeakageReport) -> str | None:
    """Let an honest split pass; name the leak of a leaky one.

    Args:
        protocol: name of the protocol.
        leak_reason: why it lets somebody stand on both sides; None where it promises not to.
        report: what its split does.

    Returns:
        None for an honest protocol; for a leaky one plain words to show beside its numbers.

    Raises:
        LeakageError: the protocol promises an honest split, and this is none.
    """
    if leak_reason is None:
        if report.leaks:
            advice = "Split by person, or mark the protocol leaky and say why"
            if report.near_duplicates and not report.persons:
                advice = "Take copies out of the data, or give what is one person one name"
            raise LeakageError(
                f"protocol {protocol} promises that nobody is tested who was trained on, but "
                f"{report}. {advice}"
            )
        return None
    return f"protocol {protocol} leaks: {leak_reason.rstrip('. ')}. Here {report}."


def _some(names: tuple[str, ...], count: int = 3) -> str:
    shown = ", ".join(names[:count])
    return shown if len(names) <= count else f"{shown} and {len(names) - count} more"

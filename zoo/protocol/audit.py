"""What a protocol does to a dataset: who stands on both sides, fold by fold."""

from dataclasses import asdict, dataclass
from typing import Any

from zoo.data.cross import CrossDataset
from zoo.data.dataset import SkeletonDataset
from zoo.errors import DataError
from zoo.protocol.feed import Feed
from zoo.protocol.leakage import LeakageReport, check_leakage
from zoo.protocol.protocol import Protocol
from zoo.protocol.split import PARTS
from zoo.words import natural

_STREAMS = {"positions": "position", "orientations": "orientation", "angles": "angle"}


@dataclass(frozen=True)
class FoldAudit:
    """One fold.

    Attributes:
        fold: its number.
        samples: number of samples by part.
        persons: number of known people by part.
        leakage: what the test shares with training and validation.
        shared: by column that several people share the values of (a site, a device): those of the
            test that are also in training or validation.
    """

    fold: int
    samples: dict[str, int]
    persons: dict[str, int]
    leakage: LeakageReport
    shared: dict[str, list[str]]


@dataclass(frozen=True)
class Audit:
    """All folds of a protocol on a dataset.

    Attributes:
        protocol: the protocol.
        folds: in their order.
        columns: what `FoldAudit.shared` was looked at for, with how many values each has.
        remarks: what is odd about the data under this protocol, in sentences.
    """

    protocol: Protocol
    folds: tuple[FoldAudit, ...]
    columns: dict[str, int]
    remarks: list[str]

    @property
    def leaks(self) -> bool:
        """Whether anything stands on both sides in any fold."""
        return any(fold.leakage.leaks for fold in self.folds)

    @property
    def keeps_promise(self) -> bool:
        """False where a protocol that calls itself honest leaks."""
        return self.protocol.leaky or not self.leaks

    def total(self, count: str) -> int:
        """The sum over the folds of a number in their `LeakageReport`."""
        return sum(getattr(fold.leakage, count) for fold in self.folds)

    def near_duplicates(self) -> list[str]:
        """What seems to be one recording under two names, in words, each once."""
        return sorted({str(d) for fold in self.folds for d in fold.leakage.near_duplicates})

    def sides(self) -> list[str]:
        """Of every column whether its values stand on both sides, in sentences."""
        said = []
        for name, count in self.columns.items():
            shared = [fold for fold in self.folds if fold.shared[name]]
            where = f"in {len(shared)} of {len(self.folds)} folds"
            said.append(
                f"{name}: {where} the test has one of its {count} values that is in training or "
                "validation too"
                if shared
                else f"{name}: in no fold is one of its {count} values on both sides"
            )
        return said

    @property
    def verdict(self) -> str:
        """The answer in a sentence."""
        where = "in the only fold" if len(self.folds) == 1 else f"in {len(self.folds)} folds"
        if not self.leaks:
            said = f"nobody who is tested was seen before, {where}"
            if not self.protocol.leaky:
                return f"Honest: {said}."
            return f"Clean on these data, though the protocol is marked leaky: {said}."
        first = next(fold for fold in self.folds if fold.leakage.leaks)
        if not self.keeps_promise:
            return (
                "Not honest: the protocol promises that nobody is tested who was trained on, but "
                f"in fold {first.fold} {first.leakage}. Training refuses this."
            )
        tested = self.total("test_samples")
        return (
            f"Leaks, as it says: {where}, of {tested} test samples "
            f"{self.total('samples_with_sibling')} have a sibling of the same recording and "
            f"{self.total('samples_with_person')} one of the same person in training or validation."
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain containers."""
        counts = ("test_samples", "samples_with_sibling", "samples_with_person", "unknown_samples")
        return {
            "protocol": self.protocol.name,
            "hash": self.protocol.hash(),
            "leaky": self.protocol.leaky,
            "leaks": self.leaks,
            "keeps_promise": self.keeps_promise,
            "verdict": self.verdict,
            "scaler_sees_test": self.protocol.scaler == "all",
            "near_duplicates": self.near_duplicates(),
            "columns": self.columns,
            "remarks": self.remarks,
            **{count: self.total(count) for count in counts},
            "folds": [{**asdict(fold), "leaks": fold.leakage.leaks} for fold in self.folds],
        }


def audit(protocol: Protocol, dataset: SkeletonDataset | CrossDataset) -> Audit:
    """Make all folds of `protocol` from the scored recordings of `dataset` and look at them.

    Nothing is refused for leaking: that is what is asked for.

    Raises:
        DataError: the recordings have no joints in common, are too few, or do not say whose they
            are where the split is by person.
    """
    arrays = set.intersection(*(set(i.arrays) for i in dataset.index if i.scored), set(_STREAMS))
    if not arrays:
        raise DataError("not all recordings have positions, all orientations or all angles")
    stream = next(_STREAMS[name] for name in _STREAMS if name in arrays)
    samples = protocol.samples(dataset, [stream], feed=Feed(raw=True))
    columns = samples.columns
    categories = columns.categories()
    folds = []
    for fold in range(protocol.split.num_folds(columns)):
        split = protocol.split.apply(samples, fold)
        test = set(split.test.tolist())
        seen = [*split.train.tolist(), *split.validation.tolist()]
        folds.append(
            FoldAudit(
                fold,
                {part: len(split.index(part)) for part in PARTS},
                {part: len(split.persons(part)) for part in PARTS},
                check_leakage(samples, split, scaler=protocol.scaler),
                {
                    name: sorted({labels[i] for i in test} & {labels[i] for i in seen}, key=natural)
                    for name, labels in categories.items()
                },
            )
        )
    counts = {name: len(set(labels)) for name, labels in categories.items()}
    return Audit(protocol, tuple(folds), counts, protocol.split.remarks(columns))

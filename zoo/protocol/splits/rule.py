"""What a way of splitting is: settings, how many folds, who stands where, and that in words."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

from registry import SPLITS, STRATA, Entry, did_you_mean
from zoo.build import build, to_plain
from zoo.data.columns import Columns
from zoo.data.samples import SampleSet
from zoo.errors import ConfigError
from zoo.protocol.split import Split

if TYPE_CHECKING:
    from zoo.data.cross import CrossDataset
    from zoo.data.dataset import SkeletonDataset


@dataclass(frozen=True)
class SplitRule(ABC):
    """How samples are divided into training, validation and test.

    A rule is a dataclass, registered with ``@register_split("name")``; its fields are its settings,
    all of which enter the protocol's hash, with the file of a rule that is not the zoo's own.
    Whether people stand on both sides is judged by the leakage gate from the split that was made.

    Attributes:
        kind: name under which the rule is registered.
        seed: seed of the order.
        stratify: what the parts should be alike in: strata, such as ``score``, and columns of the
            recordings, such as ``group`` or ``device``.

    Raises:
        ConfigError: a setting with an impossible value.
    """

    kind: str = ""
    seed: int = field(default=0, metadata={"check": lambda v: v >= 0, "expected": "0 or more"})
    stratify: tuple[str, ...] = ("group", "score")

    shorthand: ClassVar[str] = "kind"
    splits_samples: ClassVar[bool] = False
    """Whether samples, not people, are divided; refused where no leak is announced."""

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if "check" in f.metadata and not f.metadata["check"](value):
                raise ConfigError(
                    f"split.{f.name} is {to_plain(value)!r}, expected {f.metadata['expected']}"
                )

    @property
    def has_validation(self) -> bool:
        """Whether a part is set aside to choose the best epoch."""
        return bool(getattr(self, "validation", 0))

    @abstractmethod
    def num_folds(self, columns: Columns) -> int:
        """Number of folds, repeats counted.

        Args:
            columns: of the recordings, or of the samples that were cut from them.

        Raises:
            DataError: they do not say what the folds are made of.
        """

    @abstractmethod
    def split(self, samples: SampleSet, fold: int) -> Split:
        """The split of a fold that there is; the same on every machine.

        Raises:
            DataError: too few people or samples, or unknown people where they matter.
        """

    @abstractmethod
    def describe(self) -> str:
        """What the rule does, in a sentence or two."""

    def joined(
        self, dataset: "SkeletonDataset", load: "Callable[[str], SkeletonDataset]"
    ) -> "SkeletonDataset | CrossDataset":
        """The recordings to split, given those to train on.

        Args:
            dataset: the chosen recordings.
            load: opens another dataset by its name.
        """
        return dataset

    def apply(self, samples: SampleSet, fold: int) -> Split:
        """The split of fold number `fold`.

        Raises:
            ConfigError: no such fold.
            DataError: see `split`.
        """
        self.check(samples.columns)
        folds = self.num_folds(samples.columns)
        if not 0 <= fold < folds:
            raise ConfigError(
                f"there is no fold {fold}: this protocol has the folds 0 to {folds - 1}"
            )
        return self.split(samples, fold)

    def to_dict(self) -> dict[str, Any]:
        """Every setting as plain containers; `split_rule` takes them back."""
        return {f.name: to_plain(getattr(self, f.name)) for f in fields(self)}

    def hashed(self) -> dict[str, Any]:
        """What enters the protocol's hash: every setting; of a file its content, not its name."""
        return self.to_dict()

    def entries(self) -> list[Entry]:
        """The registered rule and strata, whose code enters the protocol's hash."""
        strata = [STRATA.get(name) for name in self.stratify if name in STRATA]
        return [SPLITS.get(self.kind), *strata]

    def check(self, columns: Columns) -> None:
        """Look at what the recordings say of themselves before any of them is read.

        Raises:
            ConfigError: `stratify` names what is neither a stratum nor a column.
        """
        known = [*STRATA.names(), *columns.names]
        for name in self.stratify:
            if name not in known:
                raise ConfigError(
                    f"split.stratify has {name!r}, which is no stratum and no column of the "
                    f"recordings. {did_you_mean(name, known)}"
                )

    def remarks(self, columns: Columns) -> list[str]:
        """What is odd about these recordings under this rule, and costs nothing; in sentences."""
        return []

    @property
    def alike(self) -> str:
        """``, alike in group and score``; empty where nothing is."""
        return f", alike in {' and '.join(self.stratify)}" if self.stratify else ""


def split_rule(config: Any, where: str = "split") -> SplitRule:
    """The rule that a configuration describes: its ``kind``, or keys and values.

    Raises:
        ConfigError: no such rule, a setting it does not have, or an impossible value.
    """
    values = config if isinstance(config, Mapping) else {"kind": config}
    kind = values.get("kind", "person-kfold")
    if kind not in SPLITS:
        near = did_you_mean(str(kind), SPLITS.names())
        raise ConfigError(f"{where}.kind is {kind!r}, which is no way of splitting. {near}")
    entry = SPLITS.get(kind)
    cls = entry.load()
    if not (isinstance(cls, type) and issubclass(cls, SplitRule)):
        raise ConfigError(f"split {kind!r} of {entry.owner} is no subclass of SplitRule")
    return build(cls, {**values, "kind": kind}, where)


def whole(default: int, least: int) -> Any:
    """A field for a whole number."""
    expected = f"a whole number of at least {least}"
    return field(default=default, metadata={"check": lambda v: v >= least, "expected": expected})


def share(default: float) -> Any:
    """A field for the share of what is trained on that is set aside to choose the best epoch."""
    check = {"check": lambda v: 0 <= v < 1, "expected": "a share from 0 to below 1"}
    return field(default=default, metadata=check)


def fractions(training: int, validation: int, test: int) -> Any:
    """A field for shares of the three parts, in any unit."""
    check = {
        "check": lambda v: min(v) >= 0 and v[0] and v[2],
        "expected": "three whole numbers for training, validation and test, such as [8, 1, 1], "
        "training and test above 0",
    }
    return field(default=(training, validation, test), metadata=check)


def repeated(repeats: int) -> str:
    """That everything is done several times, in words."""
    return f" All of it {repeats} times." if repeats > 1 else ""


def chosen_by(what: str, share: float) -> str:
    """Who of `what` chooses the best epoch, in words; empty where nobody does."""
    return f" {share:.0%} of the {what} trained on choose the best epoch." if share else ""

"""Intervals, tests and spreads: what the numbers of a board can and cannot tell apart.

Everything is computed from predictions, takes persons as the unit and gives the same on every
machine.
"""

from zoo.evaluation.statistics.bootstrap import (
    Bootstrap,
    RankInterval,
    bootstrap,
    person_bootstrap,
)
from zoo.evaluation.statistics.friedman import Friedman, friedman
from zoo.evaluation.statistics.intervals import Interval
from zoo.evaluation.statistics.paired import Comparison, Paired, holm, paired, versus
from zoo.evaluation.statistics.spread import Spread, spread
from zoo.evaluation.statistics.tables import (
    BOARD_METRICS,
    PersonErrors,
    PersonPair,
    Table,
    compare_persons,
    person_errors,
)

__all__ = [
    "BOARD_METRICS",
    "Bootstrap",
    "Comparison",
    "Friedman",
    "Interval",
    "Paired",
    "PersonErrors",
    "PersonPair",
    "RankInterval",
    "Spread",
    "Table",
    "bootstrap",
    "compare_persons",
    "friedman",
    "holm",
    "paired",
    "person_bootstrap",
    "person_errors",
    "spread",
    "versus",
]

"""Intervals, tests and spreads: what the numbers of a board can and cannot tell apart.

Everything is computed from predictions, takes persons as the unit and gives the same on every
machine.
"""

from zoo.evaluation.statistics.agreement import Agreement, adjusted_rand, agreement, kendall
from zoo.evaluation.statistics.bootstrap import Bootstrap, Interval, RankInterval, bootstrap
from zoo.evaluation.statistics.friedman import Friedman, friedman
from zoo.evaluation.statistics.paired import Comparison, Paired, paired, paired_tables, versus
from zoo.evaluation.statistics.spread import Spread, spread, spread_of
from zoo.evaluation.statistics.tables import (
    PersonErrors,
    PersonPair,
    Table,
    compare_persons,
    person_errors,
)

__all__ = [
    "Agreement",
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
    "adjusted_rand",
    "agreement",
    "bootstrap",
    "compare_persons",
    "friedman",
    "kendall",
    "paired",
    "paired_tables",
    "person_errors",
    "spread",
    "spread_of",
    "versus",
]

"""Whether an attribution points at the joints at fault, measured where the truth is known.

A simulated recording knows how many points were lost at each joint (`zoo.data.simulator.Truth`). A
joint is at fault where it lost at least `AT_FAULT` points; an attribution ranks the joints, and
the area under its precision–recall curve (average precision) says how near to the top those at
fault stand. What it has to beat is a random order, the range of motion, and an order that is the
same for everybody.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from zoo.data.recording import Recording
from zoo.data.simulator import Truth, truth
from zoo.evaluation.statistics.bootstrap import RESAMPLES, Interval, Replicates, bca, person_weights
from zoo.explain.attribution import Array, Attribution
from zoo.explain.methods import attribute
from zoo.explain.sample import samples_of
from zoo.prediction import Predictor
from zoo.skeleton import Layout

AT_FAULT = 1.0
"""Points that a joint or a body part must have lost to count as at fault."""

USUAL = "usual-joints"
"""The reference that ranks joints as they are at fault in the training people on average."""

MOTION = "motion"

RANKINGS: Mapping[str, Callable[[Attribution], Array]] = {
    "size": lambda found: np.abs(found.joint_time).sum(axis=0),
    "loss": lambda found: -found.by_joint(),
}
"""How an attribution ranks joints (V,): by how much they say, or by how much they lower the score.

Only attributions with a sign have a ``loss``.
"""

Flags = NDArray[np.bool_]


def chance(at_fault: Flags) -> float:
    """Expected average precision of a random order.

    (R − 1)/(V − 1) + H(V)·(V − R)/(V·(V − 1)) for R of V at fault, H the harmonic number. It
    tends to the prevalence R/V for many joints, and is above it for few.
    """
    total, hits = len(at_fault), int(at_fault.sum())
    if total == hits:
        return 1.0
    harmonic = float(np.sum(1 / np.arange(1, total + 1)))
    return (hits - 1) / (total - 1) + harmonic * (total - hits) / (total * (total - 1))


@dataclass(frozen=True)
class Pointing:
    """How well one order of joints finds those at fault in one recording.

    Attributes:
        model: whose score was explained.
        method: name of the attribution, or `USUAL`.
        ranking: one of `RANKINGS`.
        exercise: exercise id.
        person: who performs.
        joints: average precision over the joints; NaN where none is at fault.
        joints_chance: that of a random order.
        parts: average precision over the body parts, each with the sum of its joints; NaN where
            none is at fault.
        parts_chance: that of a random order.
        side: 1 where the side that lost more points also got more, 0 where the other one did, a
            half where both got the same; NaN where the sides differ by less than `AT_FAULT`.
    """

    model: str
    method: str
    ranking: str
    exercise: str
    person: str
    joints: float
    joints_chance: float
    parts: float
    parts_chance: float
    side: float


def measure(
    predictor: Predictor,
    recordings: Iterable[Recording],
    methods: Sequence[str],
    usual: Array | None = None,
) -> list[Pointing]:
    """Explain simulated recordings and compare with the truth.

    Args:
        predictor: the model of a finished run on ``synthetic``.
        recordings: with known truth, best of people the model was not trained on.
        methods: names of registered attributions.
        usual: (V,) from `usual_joints`, ranked as `USUAL` beside the methods; None leaves it out.

    Raises:
        DataError: a recording without truth, or a model that a method cannot explain.
    """
    model = predictor.run.record.model.name
    found = []
    for recording in recordings:
        known = truth(recording)
        samples = samples_of(predictor, recording)
        orders: dict[tuple[str, str], Array] = {}
        for method in methods:
            attributions = [attribute(sample, method) for sample in samples]
            for ranking in RANKINGS if attributions[0].signed else ("size",):
                rank = RANKINGS[ranking]
                orders[method, ranking] = np.mean([rank(a) for a in attributions], axis=0)
        if usual is not None:
            orders[USUAL, "size"] = usual
        layout = samples[0].layout
        for (method, ranking), importance in orders.items():
            figures = _pointing(layout, known, importance)
            found.append(
                Pointing(model, method, ranking, recording.exercise, recording.subject, *figures)
            )
    return found


def usual_joints(recordings: Iterable[Recording], layout: Layout) -> Array:
    """Mean points lost at each joint (V,): what is usually at fault, whoever performs."""
    return np.mean([lost_points(truth(recording), layout) for recording in recordings], axis=0)


def lost_points(known: Truth, layout: Layout) -> Array:
    """Points lost at each joint (V,)."""
    return np.array([known.joints.get(joint, 0.0) for joint in layout.joints])


def _pointing(
    layout: Layout, known: Truth, importance: Array
) -> tuple[float, float, float, float, float]:
    lost = lost_points(known, layout)
    members = [list(part) for part in layout.parts.values()]
    joints = _precision(lost, importance)
    parts = _precision(
        np.array([lost[part].sum() for part in members]),
        np.array([importance[part].sum() for part in members]),
    )
    return *joints, *parts, _side(layout, lost, importance)


def _precision(lost: Array, importance: Array) -> tuple[float, float]:
    at_fault = lost >= AT_FAULT
    if not at_fault.any():
        return float("nan"), float("nan")
    # What differs in rounding alone is equal.
    return float(average_precision_score(at_fault, np.round(importance, 9))), chance(at_fault)


def _side(layout: Layout, lost: Array, importance: Array) -> float:
    left, right = np.array(layout.pairs).T
    truly = lost[left].sum() - lost[right].sum()
    if abs(truly) < AT_FAULT:
        return float("nan")
    told = importance[left].sum() - importance[right].sum()
    return float((np.sign(truly) * np.sign(told) + 1) / 2)


@dataclass(frozen=True)
class Reading:
    """Mean average precision with intervals at 95 % over persons.

    Attributes:
        value: the mean.
        over_chance: how much it is above a random order's.
        over_motion: how much it is above the range of motion's on the same recordings; None for
            the range of motion itself.
    """

    value: Interval
    over_chance: Interval
    over_motion: Interval | None

    @property
    def verdict(self) -> str:
        """What may be said of it."""
        if self.over_chance.high < 0:
            return "worse than chance"
        if not self.over_chance.low > 0:
            return "no better than chance"
        if self.over_motion is None:
            return "better than chance"
        if not self.over_motion.low > 0:
            return "better than chance, not than range of motion"
        return "better than range of motion"


@dataclass(frozen=True)
class PointingRow:
    """One line of the table.

    Attributes:
        model: whose scores were explained.
        method: name of the attribution, or `USUAL`.
        ranking: one of `RANKINGS`.
        persons: how many have a joint at fault.
        joints: how well joints are found.
        parts: how well body parts are found.
        side: share in which the side that lost more points was told; 0.5 by chance.
    """

    model: str
    method: str
    ranking: str
    persons: int
    joints: Reading
    parts: Reading
    side: Interval


def table(found: Sequence[Pointing]) -> list[PointingRow]:
    """One row for every model, method and ranking, in the order of `found`.

    Raises:
        KeyError: a model without the range of motion among its methods.
    """
    by_row: dict[tuple[str, str, str], list[Pointing]] = {}
    for pointing in found:
        by_row.setdefault((pointing.model, pointing.method, pointing.ranking), []).append(pointing)
    rows = []
    for (model, method, ranking), mine in by_row.items():
        motion = {(p.exercise, p.person): p for p in by_row[model, MOTION, "size"]}
        rows.append(
            PointingRow(
                model=model,
                method=method,
                ranking=ranking,
                persons=len({p.person for p in mine if np.isfinite(p.joints)}),
                joints=_reading("joints", mine, motion),
                parts=_reading("parts", mine, motion),
                side=person_mean(np.array([p.side for p in mine]), [p.person for p in mine]),
            )
        )
    return rows


def _reading(
    of: str, mine: Sequence[Pointing], motion: Mapping[tuple[str, str], Pointing]
) -> Reading:
    persons = [p.person for p in mine]
    values = np.array([getattr(p, of) for p in mine])
    random = np.array([getattr(p, f"{of}_chance") for p in mine])
    moved = np.array([getattr(motion[p.exercise, p.person], of) for p in mine])
    return Reading(
        person_mean(values, persons),
        person_mean(values - random, persons),
        None if mine[0].method == MOTION else person_mean(values - moved, persons),
    )


def person_mean(values: Array, persons: Sequence[str]) -> Interval:
    """Mean of `values` (N,), NaN left out, with its interval by bootstrap over persons.

    See docs/statistics.md: BCa, widened for few persons, at 95 %.
    """
    known = np.isfinite(values)
    names, index = np.unique(np.array(persons)[known], return_inverse=True)
    total = np.bincount(index, values[known])
    count = np.bincount(index)
    weights = np.hstack([person_weights(len(names), RESAMPLES, 0), 1 - np.eye(len(names))])
    with np.errstate(invalid="ignore"):
        means = (total @ weights) / (count @ weights)
    value = np.array(total.sum() / count.sum())
    return bca(Replicates(value, means[:RESAMPLES], means[RESAMPLES:]), 0.95)

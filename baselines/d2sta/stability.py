"""Whether D2STA groups the same joints and looks at the same ones, whatever fold and seed."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from baselines.d2sta.figures import groups_of, reference_runs
from zoo.evaluation.statistics import Agreement, adjusted_rand, agreement, kendall
from zoo.evaluation.statistics.tables import Array
from zoo.experiments.definition import Experiment
from zoo.experiments.figures import legend, new_figure
from zoo.experiments.results import ProtocolResult
from zoo.report.figure_style import INK, LINE, OKABE_ITO, SOFT
from zoo.runs.run import Run
from zoo.words import fixed, probability
from zoo.workspace import Workspace

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from zoo.experiments.figures import Figures

_PLACE = ("exercise", "fold", "seed")


def strongest_groups(assignment: Array) -> Array:
    """The group (V,) in which each joint weighs most, compared with the other joints.

    That is the largest entry of the assignment (V, G) after each group's column was divided by its
    sum, as the projection does. The likeliest group of all joints may be one and the same.
    """
    return (assignment / assignment.sum(axis=0)).argmax(axis=1)


def kinds_of_pairs(runs: Sequence[Run]) -> dict[str, list[tuple[int, int]]]:
    """Pairs of runs, by number, under what one of them has that the other has not.

    Such as ``another fold``, of pairs with the same exercise and seed, and ``another fold and
    seed``. Kinds with fewer differences come first.
    """
    kinds: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for i, j in combinations(range(len(runs)), 2):
        pair = zip(_PLACE, runs[i].place, runs[j].place, strict=True)
        kinds.setdefault(tuple(what for what, a, b in pair if a != b), []).append((i, j))
    ordered = sorted(kinds, key=lambda kind: (len(kind), [-_PLACE.index(what) for what in kind]))
    return {f"another {_listed(kind)}": kinds[kind] for kind in ordered}


def stability(
    experiment: Experiment, result: ProtocolResult, data_root: Path | None = None
) -> "Figures":
    """How far runs of the reference row agree on groups and on attention, against chance.

    Groups are compared by the adjusted Rand index of `strongest_groups`, attention by Kendall's
    rank correlation of `Groups.looked_at`; both also of the same networks before their training,
    which share what is in the skeleton and the data. Runs of one seed start with the same weights,
    so that what was learnt agrees with another seed too. Nothing where there is only one run.
    """
    runs = reference_runs(experiment, result)
    if len(runs) < 2:
        return
    kinds = kinds_of_pairs(runs)
    workspace = Workspace(".", data_root)
    learnt, drawn = (
        [groups_of(run.path, workspace, learnt=trained) for run in runs]
        for trained in (True, False)
    )
    panels = {
        "groups (adjusted Rand index)": [
            agreement([strongest_groups(own.assignment) for own in some], kinds, adjusted_rand)
            for some in (learnt, drawn)
        ],
        "attention (Kendall's τ)": [
            agreement([own.looked_at for own in some], kinds, kendall) for some in (learnt, drawn)
        ],
    }
    figure = new_figure((7.2, 1.6 + 0.28 * len(kinds)), result)
    for axes, (title, series) in zip(
        figure.subplots(1, 2, sharey=True), panels.items(), strict=True
    ):
        _panel(axes, *series)
        axes.set_xlabel(title)
    legend(figure, axes)
    used = np.mean([len(set(own.assignment.argmax(axis=1))) for own in learnt])
    yield (
        "stability",
        f"Agreement of {len(runs)} runs of {runs[0].record.model.name} with each other, each over "
        "its own test samples, and how many pairs there are: 1 is the same, grey is 95 % of what "
        f"shuffled joints give. {_said(panels)}. A joint's group is the one in which it weighs "
        "most compared with the other joints; by the likeliest group alone the joints of a run are "
        f"in {fixed(float(used), 1)} of {learnt[0].assignment.shape[1]} groups on average",
        figure,
    )


def _panel(axes: "Axes", learnt: Mapping[str, Agreement], drawn: Mapping[str, Agreement]) -> None:
    """A row for each kind of pairs: the range of chance, before and after training."""
    at = np.arange(len(learnt))
    value, low, high, *_ = np.array(list(learnt.values())).T
    axes.barh(at, high - low, left=low, height=0.5, color=LINE)
    before = [own.value for own in drawn.values()]
    axes.plot(before, at, "o", mfc="none", color=SOFT, ms=5, label="before training")
    axes.plot(value, at, "o", color=OKABE_ITO[0], ms=5, label="trained")
    titles = [f"{kind} ({own.pairs})" for kind, own in learnt.items()]
    axes.set_yticks(at, titles, color=INK)
    axes.set(ylim=(len(at) - 0.5, -0.5), xlim=(min(-0.2, low.min() - 0.05), 1.05))
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.grid(axis="x", color=LINE)
    axes.set_axisbelow(True)


def _said(panels: Mapping[str, Sequence[Mapping[str, Agreement]]]) -> str:
    """Every value in words, with the probability of as much agreement by chance."""
    return "; ".join(
        f"{what}: "
        + ", ".join(
            f"{kind} {fixed(own.value, sign=True)} (p {probability(own.p)}; before training "
            f"{fixed(drawn[kind].value, sign=True)})"
            for kind, own in learnt.items()
        )
        for what, (learnt, drawn) in panels.items()
    )


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))

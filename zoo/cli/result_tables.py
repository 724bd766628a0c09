"""The tables at the end of a training: the model beside the mean score, and a verdict."""

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from zoo.cli.console import table
from zoo.evaluation.metrics import Metric, all_metrics
from zoo.words import fixed

_FEWEST = 6
"""With fewer people no test by sign flips reaches 5 %: the least p value of 5 people is 1/16."""

FEW_PEOPLE = 30
"""With fewer tested people, a comparison is told to rest on few."""

if TYPE_CHECKING:
    from rich.console import Console

    from zoo.runs.run import Run
    from zoo.runs.scores import Metrics


def print_run(out: "Console", result: "Run") -> None:
    """One run: the model and the mean score on the test part, per recording."""
    name = result.record.model.name
    out.print(_title(result), style="bold")
    shown = table("model", *(f"{m.heading}>" for m in columns(result.test)))
    digits = result.digits
    shown.add_row(name, *cells(result.test, digits))
    if name != "mean":
        shown.add_row("mean score", *cells(result.baseline_test, digits, result.test))
    out.print(shown)
    _close(out, [result], result.path)


def print_folds(out: "Console", results: "Sequence[Run]") -> None:
    """All folds of one model: a row a fold, then mean and standard deviation over the folds."""
    from zoo.runs.run import pooled_metrics

    first = results[0]
    titles = (f"{m.heading}>" for m in columns(first.test))
    shown = table("fold", *titles, "mean score's MAD>")
    digits = first.digits
    for result in results:
        measured = cells(result.test, digits, first.test)
        shown.add_row(str(result.fold), *measured, fixed(result.baseline_test["mad"], digits))
    over_folds = {
        m.name: [r.test.get(m.name, math.nan) for r in results] for m in columns(first.test)
    }
    baseline = [r.baseline_test["mad"] for r in results]
    shown.add_section()
    for label, summary in (("mean", fmean), ("± sd", _deviation)):
        summed = {key: summary(values) for key, values in over_folds.items()}
        shown.add_row(label, *cells(summed, digits), fixed(summary(baseline), digits))
    pooled = pooled_metrics(results)
    shown.add_row("all folds together", *cells(pooled, digits, first.test), "")
    people = len({person for r in results for person in r.split["test"]["persons"]})
    out.print(_title(first, people=people, folds=len(results)), style="bold")
    out.print(shown)
    _close(out, results, first.path.parent)


def warn_leaky(out: "Console", result: "Run") -> None:
    """Say that the protocol leaks and why; nothing for an honest one."""
    if result.leaky:
        reason = result.record.protocol.leak_reason
        out.print(f"This protocol leaks: {reason}", style="bold red")


def columns(metrics: "Metrics") -> list[Metric]:
    """Those of the metrics that tables show."""
    return [m for m in all_metrics() if m.shown and m.name in metrics]


def cells(metrics: "Metrics", score_digits: int, of: "Metrics | None" = None) -> list[str]:
    """The metrics as table cells, in the columns of `of`; what is undefined is a dash."""
    return [
        fixed(metrics.get(m.name), score_digits if m.decimals is None else m.decimals)
        for m in columns(metrics if of is None else of)
    ]


def verdict(runs: "Sequence[Run]") -> list[str]:
    """Whether a model is better than the mean score beyond noise, and what that rests on.

    Of a target that is right or wrong: how well the model tells one from the other.

    Args:
        runs: one run, or several of one model that differ in fold, seed or exercise.
    """
    first = runs[0]
    people = len({person for run in runs for person in run.tested.who})
    if first.record.dataset.binary:
        said = [_against_chance(runs)]
    elif people < _FEWEST:
        name = first.record.model.name
        who = "One person is" if people == 1 else f"{people} people are"
        return [f"{who} too few to tell {name} from the mean score."]
    else:
        said = [_against_the_mean_score(runs, people)]
    one_seed = len({run.seed for run in runs}) == 1 and first.record.model.draws
    if people < FEW_PEOPLE:
        few = f"{people} people{' and one seed' if one_seed else ''} are few"
        if people == 1:
            few = "One person is little"
        said.append(
            f"{few} to judge a model by: `zoo bench` tests on everybody and with several seeds, "
            "`zoo leaderboard` ranks."
        )
    elif one_seed:
        said.append("With another seed it may be otherwise: `zoo bench` runs several.")
    return said


def _against_chance(runs: "Sequence[Run]") -> str:
    """How well a model tells right from wrong, in a sentence."""
    from zoo.runs.run import pooled_metrics

    name, auc = runs[0].record.model.name, pooled_metrics(runs)["auc"]
    if not math.isfinite(auc):
        return f"{name} has no AUC: among those tested all are right, or all are wrong."
    return f"{name} has an AUC of {fixed(auc, 2)}; chance, and so the mean score, has 0.50."


def _against_the_mean_score(runs: "Sequence[Run]", people: int) -> str:
    """Whether a model is better than the mean score, with the interval, in a sentence or two."""
    from zoo.runs.run import versus_mean_score

    name, digits = runs[0].record.model.name, runs[0].digits
    found = versus_mean_score(runs)
    assert found is not None  # with two people and scores there is an answer
    off = fixed(abs(found.difference), digits)
    way = "less" if found.difference < 0 else "more"
    interval = f"95 % interval {_more_or_less(found.low, digits)} to "
    interval += _more_or_less(found.high, digits)
    measured = (
        f"is off by {off} points {way} a person, {interval}, permutation p = "
        f"{found.permutation_p:.2g}, over {people} people"
    )
    if not found.clear:
        return f"No clear difference between {name} and the mean score: {name} {measured}."
    said = f"{name} is {found.word} than the mean score: it {measured}."
    better = found.difference < 0
    other = fmean(r.test["rmse"] - r.baseline_test["rmse"] for r in runs)
    if math.isfinite(other) and (other < 0) != better:
        how = "larger" if better else "smaller"
        said += (
            f" Its RMSE is {how}: by the squares of its errors the order is the other way round."
        )
    return said


def _more_or_less(difference: float, digits: int) -> str:
    return f"{fixed(abs(difference), digits)} {'less' if difference < 0 else 'more'}"


def _close(out: "Console", runs: "Sequence[Run]", folder: Path) -> None:
    first = runs[0]
    out.print(explained(first), style="dim")
    if first.record.model.name != "mean":
        for sentence in verdict(runs):
            out.print(sentence)
    warn_leaky(out, first)
    out.print(f"kept in {folder}", style="dim", soft_wrap=True)


def explained(run: "Run") -> str:
    """What the first column means."""
    if run.record.dataset.binary:
        return "AUC: how often a right performance is scored above a wrong one; 0.5 is chance"
    return "MAD: mean absolute deviation from the true score, in points; the less the better"


def _title(result: "Run", people: int | None = None, folds: int = 1) -> str:
    record = result.record
    data, persons = record.dataset, record.counts["test"].persons
    kind = "LEAKY, people stand on both sides" if result.leaky else "never seen in training"
    where = f"{data.name} {data.params.get('exercise') or ''}".strip()
    fold = f"fold {result.fold}" if folds == 1 else f"{folds} folds"
    return f"{where}, {record.protocol.name} {fold}: tested on {people or persons} people ({kind})"


def _deviation(values: Sequence[float]) -> float:
    return stdev(values) if all(map(math.isfinite, values)) else math.nan

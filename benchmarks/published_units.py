"""Which unit a paper's errors are in: what its MAD implies for the other two numbers beside it.

    python benchmarks/published_units.py D2STA "STGCN-rehab (in D2STA)"

Of each published row that has MAD and MAPE by exercise, the published MAD is taken to be in one
unit after the other. Test parts of pieces are drawn from KIMORE's true scores, errors of that MAD
are added, and the MAPE and Spearman's correlation that come out are shown with the range that holds
95 % of the draws. A unit fits where the published value lies in the range. At the end stands in how
many exercises each unit fits. Nothing is trained; the prepared dataset ``kimore`` must be there.

How errors are spread around zero is the one assumption: as normal ones, whose RMSE is 1.25 times
the MAD, or with a long tail, 2.4 times; 1.86 is the paper's own. The ranges hold both.
"""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.board.published import MEAN, published_for
from zoo.data.dataset import load_dataset
from zoo.evaluation.metrics import Array
from zoo.evaluation.statistics import Interval, Table
from zoo.experiments.units import UNITS, as_printed, convert

PIECES = 10
DRAWS = 400
TAILS = (1.0, 3.0)
"""Powers of a normal variable that errors are like, in turn."""


class Implied(NamedTuple):
    """What a published MAD implies in one unit: MAPE as printed, and Spearman's correlation."""

    mape: Interval
    spearman: Interval


def implied(scores: Array, mad: float, unit: str, highest: float, seed: int = 0) -> Implied:
    """MAPE and Spearman's correlation of errors whose MAD is `mad` in `unit`.

    Args:
        scores: true scores of an exercise's recordings, in points.
        mad: as published.
        unit: of `zoo.experiments.units.UNITS`.
        highest: the highest possible score, in points.
        seed: of the drawn test parts and errors.
    """
    draw = np.random.default_rng(seed)
    pieces = np.repeat(scores, PIECES)
    found: dict[str, list[float]] = {"mape": [], "spearman": []}
    for number in range(DRAWS):
        true = draw.choice(pieces, len(scores), replace=False)
        noise = draw.normal(size=len(true))
        error = np.sign(noise) * np.abs(noise) ** TAILS[number % len(TAILS)]
        error /= np.abs(error).mean()
        table = Table("", 0, [""] * len(true), true, true + error)
        scale = convert(table, unit, highest).value("mad")
        table = Table("", 0, table.person, true, true + error * mad / scale)
        for metric, values in found.items():
            values.append(convert(table, unit, highest).value(metric))
    return Implied(*(_range(values, metric, unit) for metric, values in found.items()))


def fitting(published: Mapping[str, float], found: Implied) -> dict[str, bool]:
    """Whether each published metric lies in the range; those that are not published left out."""
    return {
        metric: values.low <= published[metric] <= values.high
        for metric, values in found._asdict().items()
        if metric in published
    }


def _range(values: Sequence[float], metric: str, unit: str) -> Interval:
    low, middle, high = np.quantile(values, [0.025, 0.5, 0.975])
    return as_printed(Interval(float(middle), float(low), float(high)), metric, unit)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help="published rows (default: all)")
    parser.add_argument("--data-root", type=Path)
    args = parser.parse_args()
    data = load_dataset("kimore", args.data_root)
    known: dict[str, list[float]] = {}
    for info in data.index:
        if info.scored:
            known.setdefault(info.exercise, []).append(info.scores["total"])
    print("| row | exercise | unit | MAPE, published | implied | Spearman, published | implied |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    fit: Counter[tuple[str, str, str]] = Counter()
    for row in published_for("kimore"):
        if args.rows and row.name not in args.rows:
            continue
        for exercise, metrics in row.metrics.items():
            if exercise == MEAN or not {"mad", "mape"} <= set(metrics):
                continue
            scores = np.array(known[exercise])
            for unit in UNITS:
                found = implied(scores, metrics["mad"], unit, data.score_range[1])
                fits = fitting(metrics, found)
                fit.update((row.name, unit, metric) for metric, does in fits.items() if does)
                shown = [
                    text
                    for metric, values in found._asdict().items()
                    for text in _cells(metrics.get(metric), values, fits.get(metric, False))
                ]
                print("|", " | ".join([row.name, exercise, unit, *shown]), "|")
    print()
    for (name, unit, metric), count in fit.items():
        print(f"{name}: {metric} fits {unit} in {count} exercises")


def _cells(published: float | None, values: Interval, fits: bool) -> tuple[str, str]:
    said = f"{values.value:.3f} ({values.low:.3f}–{values.high:.3f})"
    return "–" if published is None else f"{published:g}", f"{said}{' fits' if fits else ''}"


if __name__ == "__main__":
    main()

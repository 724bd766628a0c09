"""The tables at the end of a training: the model beside the mean score, and a verdict."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.cli.console import table

if TYPE_CHECKING:
    from rich.console import Console

    from zoo.results.predictions import Metrics
    from zoo.results.run import RunResult

COLUMNS = (("MAD", "mad"), ("RMSE", "rmse"), ("MAPE %", "mape"), ("Spearman", "spearman"))


def print_run(out: "Console", result: "RunResult") -> None:
    """One run: the model and the mean score on the test part, per recording."""
    name = result.record["model"]["name"]
    shown = table("tested on unseen people" if not result.leaky else "tested (LEAKY)",
                  *(f"{title}>" for title, _ in COLUMNS))  # fmt: skip
    shown.add_row(name, *cells(result.test))
    if name != "mean":
        shown.add_row("mean score", *cells(result.baseline_test))
    out.print(shown)
    if name != "mean":
        out.print(verdict(name, result.test["mad"], result.baseline_test["mad"]), markup=False)
    warn_leaky(out, result)
    out.print(f"kept in {result.path}", style="dim", markup=False, soft_wrap=True)


def cells(metrics: "Metrics") -> list[str]:
    """The metrics as table cells; what is undefined is a dash."""
    return [number(metrics[key], 3 if key == "spearman" else 2) for _, key in COLUMNS]


def number(value: float, digits: int) -> str:
    """A number with a fixed count of decimals, or a dash when it is undefined."""
    return "–" if not math.isfinite(value) else f"{value:.{digits}f}"


def verdict(name: str, mad: float, baseline: float) -> str:
    """Which of the two is better, and by how much."""
    if not baseline or not math.isfinite(mad):
        return f"{name} cannot be compared with the mean score here."
    change = mad / baseline
    if abs(1 - change) < 5e-4:
        return f"{name} is exactly as good as the mean score."
    better = "better" if change < 1 else "worse"
    return (
        f"{name} is {better} than the mean score by {abs(1 - change):.0%}: its mean absolute "
        f"deviation is {mad:.2f} points, the mean score's {baseline:.2f} "
        f"({change:.0%} of it)."
    )


def print_folds(out: "Console", results: "Sequence[RunResult]") -> None:
    """All folds of one model: a row a fold, and all recordings together, each tested once."""
    from zoo.results.predictions import join

    first = results[0]
    name, how = first.record["model"]["name"], first.record["protocol"]["aggregate"]
    shown = table("fold", *(f"{title}>" for title, _ in COLUMNS), "mean score's MAD>",
                  title="tested (LEAKY)" if first.leaky else "tested on unseen people")  # fmt: skip
    for result in results:
        fold = str(result.record["fold"])
        shown.add_row(fold, *cells(result.test), number(result.baseline_test["mad"], 2))
    tests = [result.predictions.of("test") for result in results]
    means = [
        t.with_predicted(r.record["baseline_score"]) for t, r in zip(tests, results, strict=True)
    ]
    together, baseline = (join(t).metrics(how)["recording"] for t in (tests, means))
    shown.add_section()
    shown.add_row("all", *cells(together), number(baseline["mad"], 2))
    out.print(shown)
    if name != "mean":
        out.print(verdict(name, together["mad"], baseline["mad"]), markup=False)
    warn_leaky(out, first)
    out.print(f"kept in {first.path.parent}", style="dim", markup=False, soft_wrap=True)


def warn_leaky(out: "Console", result: "RunResult") -> None:
    """Say that the protocol leaks and why; nothing for an honest one."""
    if result.leaky:
        reason = result.record["protocol"]["leak_reason"]
        out.print(f"This protocol leaks: {reason}", style="bold red", markup=False)

"""Timing two ways of doing the same thing, alternating in one process."""

import argparse
import gc
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

WIDTH = 160
"""Characters of a line where the output is no terminal."""


@dataclass
class Comparison:
    """What was measured for one case.

    Attributes:
        case: what was done.
        reference_ms: wall times of the plain form.
        ours_ms: wall times of ours, in the same order.
        reference_cpu_ms: processor times of the plain form, all threads together.
        ours_cpu_ms: processor times of ours.
    """

    case: str
    reference_ms: list[float] = field(default_factory=list)
    ours_ms: list[float] = field(default_factory=list)
    reference_cpu_ms: list[float] = field(default_factory=list)
    ours_cpu_ms: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Median wall time of ours over that of the plain form."""
        return statistics.median(self.ours_ms) / statistics.median(self.reference_ms)

    @property
    def ratio_of_minima(self) -> float:
        """The same for the shortest times, which suffer least from other load."""
        return min(self.ours_ms) / min(self.reference_ms)

    @property
    def cpu_ratio(self) -> float:
        """The same for medians of processor time."""
        return statistics.median(self.ours_cpu_ms) / statistics.median(self.reference_cpu_ms)


def compare(
    case: str,
    reference: Callable[[], object],
    ours: Callable[[], object],
    repeats: int,
    warm_up: int = 2,
) -> Comparison:
    """Time both in turn, `repeats` times each after some rounds of warming up."""
    found = Comparison(case)
    gc.collect()
    gc.disable()
    for i in range(repeats + warm_up):
        for call, wall, cpu in (
            (reference, found.reference_ms, found.reference_cpu_ms),
            (ours, found.ours_ms, found.ours_cpu_ms),
        ):
            start, start_cpu = time.perf_counter(), time.process_time()
            call()
            took, took_cpu = time.perf_counter() - start, time.process_time() - start_cpu
            if i >= warm_up:
                wall.append(1e3 * took)
                cpu.append(1e3 * took_cpu)
    gc.enable()
    print(f"{case}: {found.ratio:.2f}", file=sys.stderr)
    return found


def arguments(
    description: str, repeats: int, more: Callable[[argparse.ArgumentParser], object] | None = None
) -> argparse.Namespace:
    """The options all benchmarks share, and those that `more` adds."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--threads", type=int, default=2, help="threads of torch (default 2)")
    parser.add_argument("--repeats", type=int, default=repeats, help=f"(default {repeats})")
    parser.add_argument("--sequences", type=int, default=32, help="N (default 32)")
    parser.add_argument("--frames", type=int, default=100, help="T (default 100)")
    parser.add_argument("--only", default="", help="run the cases whose name contains this")
    parser.add_argument("--json", type=Path, help="also write everything measured to this file")
    if more is not None:
        more(parser)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    return options


def report(title: str, found: list[Comparison], options: argparse.Namespace) -> None:
    """A table on the terminal, and the JSON file that was asked for."""
    table = Table(title=title)
    table.add_column("case")
    for name in ("einsum ms", "ours ms", "ratio", "of minima", "of CPU time"):
        table.add_column(name, justify="right")
    for c in found:
        table.add_row(
            c.case,
            f"{statistics.median(c.reference_ms):.1f}",
            f"{statistics.median(c.ours_ms):.1f}",
            f"{c.ratio:.2f}",
            f"{c.ratio_of_minima:.2f}",
            f"{c.cpu_ratio:.2f}",
        )
    show(table, options)
    write_json(
        title,
        [
            asdict(c)
            | {"ratio": c.ratio, "ratio_of_minima": c.ratio_of_minima, "cpu_ratio": c.cpu_ratio}
            for c in found
        ],
        options,
    )


def show(table: Table, options: argparse.Namespace) -> None:
    """The table, and what it was measured with."""
    console = Console()
    if not console.is_terminal:  # a file has room for every column
        console = Console(width=WIDTH)
    console.print(table)
    console.print(
        f"medians of {options.repeats}, {options.threads} threads, torch {torch.__version__}, "
        f"{platform.processor() or platform.machine()}"
    )


def write_json(title: str, cases: list[dict[str, Any]], options: argparse.Namespace) -> None:
    """The JSON file that was asked for, if one was."""
    if options.json:
        content = {
            "title": title,
            "threads": options.threads,
            "repeats": options.repeats,
            "sequences": options.sequences,
            "frames": options.frames,
            "torch": torch.__version__,
            "python": platform.python_version(),
            "machine": platform.machine(),
            "cases": cases,
        }
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

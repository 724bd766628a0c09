"""How many samples each way of cutting KIMORE gives, beside the 3827 sequences of D2STA's paper.

    python benchmarks/kimore_samples.py --data-root DATA

Counts of recordings with a score and of all of them, since the paper does not say what became of
the others. At the end stands how many rules of windows (lengths of 50 to 300 frames, strides from
30 up) come as near by chance: where many do, one that hits exactly says nothing.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import product
from pathlib import Path

from zoo.data.dataset import load_dataset
from zoo.data.recording import Recording
from zoo.data.repetition import find_repetitions
from zoo.data.segment import equal_pieces, windows

PAPER = 3827
NEAR = 3

Rule = Callable[[Recording], int]


def whole_windows(frames: int, length: int, stride: int) -> int:
    """Windows that lie wholly in a recording; what is left at its end is dropped."""
    return max(0, (frames - length) // stride + 1)


def rules() -> Iterator[tuple[str, Rule]]:
    """Every rule that is counted, and what it is."""
    for pieces in (9, 10, 11):
        yield f"{pieces} equal pieces", partial(_pieces, pieces=pieces)
    for stride in (100, 75, 68, 67, 50):
        for name, kept in (("rest dropped", False), ("last window flush with the end", True)):
            said = f"windows of 100 frames every {stride}, {name}"
            yield said, partial(_windows, length=100, stride=stride, kept=kept)
    for name, parts in (("repetitions", 1), ("halves", 2), ("thirds", 3)):
        said = name if parts == 1 else f"{name} of repetitions"
        yield said, partial(_repetitions, parts=parts)


def near_by_chance(frames: Sequence[int], counted: int = PAPER) -> tuple[int, int, int]:
    """Rules of windows tried, those within `NEAR` of a number, and those that hit it."""
    found = [
        sum(windows_of(f, length, stride) for f in frames)
        for windows_of in (whole_windows, lambda f, n, s: len(windows(f, n, s)))
        for length, stride in product(range(50, 301, 10), range(30, 301))
        if stride <= length
    ]
    off = [abs(count - counted) for count in found]
    return len(found), sum(o <= NEAR for o in off), off.count(0)


def _pieces(recording: Recording, pieces: int) -> int:
    return len(equal_pieces(recording.num_frames, pieces))


def _windows(recording: Recording, length: int, stride: int, kept: bool) -> int:
    frames = recording.num_frames
    return len(windows(frames, length, stride)) if kept else whole_windows(frames, length, stride)


def _repetitions(recording: Recording, parts: int) -> int:
    return parts * len(find_repetitions(recording))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-root", type=Path)
    args = parser.parse_args()
    recordings = list(load_dataset("kimore", args.data_root))
    scored = [r for r in recordings if "total" in r.scores]
    print(f"| rule | {len(scored)} with a score | all {len(recordings)} | nearest to {PAPER} |")
    print("| --- | --- | --- | --- |")
    for name, rule in rules():
        counts = [sum(map(rule, some)) for some in (scored, recordings)]
        nearest = min((count - PAPER for count in counts), key=abs)
        print(f"| {name} | {counts[0]} | {counts[1]} | {nearest:+d} |")
    print()
    for what, some in (("with a score", scored), ("all", recordings)):
        tried, near, hit = near_by_chance([r.num_frames for r in some])
        print(f"{what}: of {tried} rules of windows {near} are within {NEAR}, {hit} hit")


if __name__ == "__main__":
    main()

"""`zoo pose`: from videos to recordings, by MediaPipe Pose's networks."""

from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from registry import UserError
from zoo.cli.console import begin, complain, console, table
from zoo.cli.parser import Arguments, Subparsers
from zoo.words import percent

if TYPE_CHECKING:
    from zoo.pose.folder import Written


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo pose`."""
    parser = subparsers.add_parser(
        "pose",
        help="find the skeleton of the person in videos",
        description="Find the person in every frame of a video with MediaPipe Pose's networks and "
        "write a folder of recordings that `zoo predict` and `zoo data prepare` read. The networks "
        "come from a package that you install; nothing leaves this machine.",
    )
    parser.add_argument("videos", metavar="VIDEO", nargs="+", type=Path, help="a video of a person")
    parser.add_argument(
        "-o", "--output", metavar="FOLDER", type=Path, required=True,
        help="folder of the recordings; what is there of other videos stays",
    )  # fmt: skip
    parser.add_argument(
        "--models", metavar="PACKAGE", type=Path,
        help="wheel of mediapipe, package of @mediapipe/pose (.tgz), or a folder that holds the "
        "networks (default: an installed one)",
    )  # fmt: skip
    parser.add_argument(
        "--size", choices=("lite", "full", "heavy"), default="full",
        help="of the landmark network; a wheel has full alone (default: full)",
    )  # fmt: skip
    parser.add_argument(
        "--fps", metavar="N", type=_rate, help="take no more frames a second (default: all)"
    )
    parser.add_argument(
        "--raw", action="store_true", help="landmarks as found, not smoothed in time"
    )
    parser.set_defaults(run=run)


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value <= 1000:
        raise ArgumentTypeError(f"found {text!r}, expected frames a second, 1 to 1000")
    return value


def run(args: Arguments) -> int:
    """Treat every video; return 2 if one could not be."""
    begin("reading MediaPipe Pose's networks")

    from zoo.pose.folder import require_apart, write_landmarks
    from zoo.pose.packages import read_networks
    from zoo.pose.tracker import Tracker

    require_apart(args.videos)
    tracker = Tracker(read_networks(args.models, args.size), smooth=not args.raw)
    written: list[Written] = []
    failed = 0
    for video in args.videos:
        try:
            with _progress(video.name) as progress:
                written.append(
                    write_landmarks(video, args.output, tracker, fps=args.fps, progress=progress)
                )
        except UserError as error:
            if getattr(args, "debug", False):
                raise
            failed += 1
            complain(str(error))
    if written:
        _print(written, args.output)
    return 2 if failed else 0


def _print(written: "Sequence[Written]", folder: Path) -> None:
    out = console()
    rows = (
        (w.video.name, w.file.name, str(w.frames), f"{w.seconds:.1f}",
         percent(w.seen / w.frames), f"{w.ms_per_frame:.0f}")
        for w in written
    )  # fmt: skip
    titles = ("video", "recording", "frames>", "seconds>", "person seen>", "ms a frame>")
    out.print(table(*titles, rows=rows))
    for w in written:
        if w.damage:
            out.print(f"Careful: {w.video.name} {w.damage}.", style="bold red")
    out.print(f"written to {folder}; person and score go to {folder}/recordings.csv")
    out.print(f"score them: zoo predict RUN {folder}")


@contextmanager
def _progress(name: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, else nothing: the table at the end says it all."""
    out = console()
    if not out.is_terminal:
        yield lambda done, total: None
        return
    from rich import progress

    columns = (progress.BarColumn(), progress.MofNCompleteColumn(), progress.TimeRemainingColumn())
    words = progress.TextColumn("{task.description}", markup=False)
    with progress.Progress(*columns, words, console=out, transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=max(total, done))

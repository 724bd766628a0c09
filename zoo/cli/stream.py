"""`zoo stream`: score while frames come in."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from registry import UserError
from zoo.build import to_plain
from zoo.cli.console import begin, complain, console, table
from zoo.cli.parser import Arguments, Subparsers, add_options
from zoo.words import NOTHING, fixed

if TYPE_CHECKING:
    from zoo.cli.table import Table
    from zoo.live import Repetition, Stream, Update
    from zoo.live.sources import Incoming

_SHOWN = 8
"""Repetitions on the screen, the last ones."""

Answer = Callable[[str], None]


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo stream`."""
    parser = subparsers.add_parser(
        "stream",
        help="score while frames come in",
        description="Score a movement while it goes on: joints come in frame by frame, the score "
        "of all so far comes out, and each repetition's when it ends. Frames are lines of JSON on "
        "standard input, unless an option says otherwise; they come from this machine alone.",
        epilog='A frame is [[x, y, z], …] in the order of the layout, or {"position": …, '
        '"orientation": …, "time": seconds}; docs/streaming.md has more. Ctrl-C ends it and prints '
        "the score of the whole.",
    )
    add_options(parser, "run_or_bundle")
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--follow", type=Path, metavar="FILE", help="a table that is written, a row a frame"
    )
    source.add_argument("--udp", type=int, metavar="PORT", help="datagrams of JSON to this port")
    source.add_argument(
        "--websocket", type=int, metavar="PORT", help="messages of JSON to this port, answered"
    )
    parser.add_argument(
        "--fps", type=float, metavar="N", help="frames a second, where they come without times"
    )
    parser.add_argument(
        "--every",
        type=float,
        default=1.0,
        metavar="SECONDS",
        help="between two scores where all frames so far are scored anew (default: 1)",
    )
    parser.add_argument(
        "--idle", type=float, metavar="SECONDS", help="end when no frame came for so long"
    )
    parser.add_argument(
        "--all", action="store_true", help="a line a frame, not only where something is new"
    )
    add_options(parser, "--data-root", "--device", "--json")
    parser.set_defaults(run=run)


def run(args: Arguments) -> int:
    """Score what comes; return 0, or 2 where the whole could not be scored."""
    begin(f"reading the model of {args.run_or_bundle}")

    from zoo.live import Stream
    from zoo.loading import load_model

    model = load_model(args.run_or_bundle, data_root=args.data_root, device=args.device)
    stream = Stream(model, fps=args.fps, every=args.every)
    begin(f"ready: {stream.how}")
    screen = not args.json and sys.stdout.isatty()
    show = _Screen(stream) if screen else _Lines(args.all)
    stop = threading.Event()
    try:
        for incoming, answer in _incoming(args, stop):
            if incoming.problem:
                update = stream.miss(incoming.problem)
            else:
                update = stream.push(incoming.frame, incoming.time)
            show(update)
            if answer is not None:
                answer(_line(update))
    except KeyboardInterrupt:
        pass  # it is how a session ends
    finally:
        stop.set()
        show.close()
    return _finish(stream, show)


def _incoming(args: Arguments, stop: threading.Event) -> Iterator[tuple["Incoming", Answer | None]]:
    """Frames, each with a way to answer whoever sent it."""
    from zoo.live import sources

    idle = _Idle(args.idle, stop)
    if args.websocket is not None:
        idle.watch()
        for incoming, answer in sources.websocket(args.websocket, stop):
            idle.came()
            yield incoming, answer
        return
    if args.udp is not None:
        idle.watch()
        found = sources.datagrams(args.udp, stop)
    elif args.follow is not None:
        found = sources.growing_table(args.follow, idle.more)
    else:
        found = sources.lines(sys.stdin)
    for incoming in found:
        idle.came()
        yield incoming, None


class _Idle:
    """Ends a stream to which nothing comes for some time."""

    def __init__(self, seconds: float | None, stop: threading.Event) -> None:
        self.seconds, self.stop, self.last = seconds, stop, time.monotonic()

    def came(self) -> None:
        self.last = time.monotonic()

    def more(self) -> bool:
        """Whether to wait for more."""
        over = self.seconds is not None and time.monotonic() - self.last > self.seconds
        return not over and not self.stop.is_set()

    def watch(self) -> None:
        """Set `stop` when it is time, from a thread of its own."""
        if self.seconds is not None:
            threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while self.more():
            time.sleep(0.1)
        self.stop.set()


class _Lines:
    """A line of JSON for every update with something new."""

    def __init__(self, every_frame: bool) -> None:
        self.every_frame = every_frame

    def __call__(self, update: "Update") -> None:
        if self.every_frame or update.changed:
            print(_line(update), flush=True)

    def ended(self, repetitions: "tuple[Repetition, ...]") -> None:
        """Repetitions that were over with the last frame."""
        if repetitions:
            print(json.dumps({"repetitions": to_plain(repetitions)}), flush=True)

    def finished(self, scored: Any) -> None:
        """The score of the whole."""
        print(json.dumps({"finished": scored.to_dict()}), flush=True)

    def close(self) -> None:
        """Nothing is open."""


class _Screen:
    """A table that is drawn anew in the terminal."""

    def __init__(self, stream: "Stream") -> None:
        from rich.live import Live

        self.repetitions: list[Repetition] = []
        self.notes: list[str] = []
        self.times: list[float] = []
        self.live = Live(console=console(), refresh_per_second=8)
        self.live.start()

    def __call__(self, update: "Update") -> None:
        self.repetitions += update.repetitions
        self.notes += update.notes
        self.times = [*self.times[-299:], update.ms]
        self.live.update(self._drawn(update))

    def ended(self, repetitions: "tuple[Repetition, ...]") -> None:
        """Repetitions that were over with the last frame."""
        self.repetitions += repetitions

    def finished(self, scored: Any) -> None:
        """The score of the whole."""
        out = console()
        between = _interval(scored.interval)
        out.print(f"score of the whole recording: {fixed(scored.score, 2)} {between}", style="bold")
        out.print(f"{len(self.repetitions)} repetitions, {scored.frames} frames")
        for note in scored.notes:
            out.print(f"Careful: {note}", style="yellow")

    def close(self) -> None:
        """Leave what is there on the screen."""
        self.live.stop()

    def _drawn(self, update: "Update") -> "Table":
        mean = sum(self.times) / len(self.times)
        rows = [
            ("score so far", f"{_score(update.score)} {_interval(update.interval)}"),
            ("frame", f"{update.frame}, {update.time:.1f} s, {mean:.2f} ms each"),
        ]
        for one in self.repetitions[-_SHOWN:]:
            span = f"{one.seconds[0]:.1f}–{one.seconds[1]:.1f} s"
            rows.append((f"repetition {one.number}", f"{_score(one.score)}  {span}"))
        rows += [("note", note) for note in self.notes[-3:]]
        return table("", "", rows=rows, show_header=False)


def _finish(stream: "Stream", show: "_Lines | _Screen") -> int:
    """Say what the whole is worth."""
    try:
        show.ended(stream.end())
        show.finished(stream.finish())
    except UserError as error:
        complain(str(error))
        return 2
    return 0


def _line(update: "Update") -> str:
    found = to_plain(update)
    del found["fresh"]
    return json.dumps(found)


def _score(score: float | None) -> str:
    return NOTHING if score is None else fixed(score, 2)


def _interval(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"[{fixed(interval[0], 1)}, {fixed(interval[1], 1)}]"

"""`zoo leaderboard`: runs ranked, as a table, a document or a folder to publish; and checked."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.api import evaluate, leaderboard
from zoo.cli.console import begin, console, print_document
from zoo.cli.parser import Arguments, Subparsers, add_options
from zoo.errors import ConfigError

if TYPE_CHECKING:
    from zoo.board.board import Board

FORMATS = ("table", "md", "csv", "html", "json")


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo leaderboard` and `zoo leaderboard check`."""
    parser = subparsers.add_parser(
        "leaderboard",
        help="rank the runs of a folder, or check them",
        description="Rank finished runs from their predictions, each dataset and protocol apart. "
        "Incomplete entries are listed apart; a model no worse than the best beyond noise is "
        "marked with =.",
    )
    add_options(parser, "--runs")
    group = parser.add_argument_group("what to rank")
    group.add_argument("--dataset", metavar="NAME", help="only this dataset")
    group.add_argument("--protocol", metavar="NAME", help="only this protocol")
    group.add_argument("--exercise", metavar="ID", help="only this exercise")
    group.add_argument(
        "--fingerprint",
        metavar="HASH",
        help="which version of the data, where there are several: the first characters",
    )
    group.add_argument(
        "--protocol-hash",
        metavar="HASH",
        help="which settings of the protocol: the first characters",
    )
    group = parser.add_argument_group("output")
    group.add_argument("--format", choices=FORMATS, metavar="KIND", help=", ".join(FORMATS))
    group.add_argument(
        "--output", type=Path, metavar="FILE", help="a file, or a folder to put it in"
    )
    group.add_argument(
        "--public", action="store_true", help="leave out whatever belongs to a single person"
    )
    group.add_argument(
        "--publish",
        type=Path,
        metavar="DIR",
        help="write a public page with tables and figures, and of movements that may be shown",
    )
    add_options(group, "--data-root")
    parser.set_defaults(run=run)
    actions = parser.add_actions(required=False)
    check = actions.add_parser(
        "check",
        help="recompute every stored number and compare",
        description="Recompute every stored metric from the predictions, compare hashes, keys, "
        "splits and true scores, and name what is missing or does not belong together. The exit "
        "code is 1 where something is wrong.",
    )
    check.add_argument(
        "--runs", type=Path, metavar="DIR", default=argparse.SUPPRESS, help="folder of runs"
    )
    check.add_argument(
        "--data-root",
        type=Path,
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="folder of prepared datasets",
    )
    check.add_argument(
        "--evaluate",
        action="store_true",
        help="also repeat every run's predictions from its checkpoint",
    )
    check.set_defaults(run=run_check)


def run(args: Arguments) -> int:
    """Rank, and print or write; return the exit code."""
    kind = _kind(args)
    begin(f"reading the runs in {args.runs}")
    board = leaderboard(
        args.runs,
        args.dataset,
        args.protocol,
        exercise=args.exercise,
        fingerprint=args.fingerprint,
        protocol_hash=args.protocol_hash,
        public=args.public or args.publish is not None,
    )
    if args.publish is not None:
        from zoo.report.publish import publish
        from zoo.viewer.board import with_pages

        board, pages = with_pages(board, args.runs, args.publish, args.data_root)
        for file in [*publish(board, args.publish), *pages]:
            print(file)
    if kind != "table":
        _write(board, kind, args.output)
    elif args.publish is None:
        from zoo.cli.board_table import print_board

        print_board(console(), board)
    return 0


def run_check(args: Arguments) -> int:
    """Check a folder of runs; return 1 where something does not hold."""
    begin(f"reading the runs in {args.runs}")

    from zoo.board.check import check_store

    def again(folder: Path) -> bool:
        return evaluate(folder, data_root=args.data_root).agrees

    out = console()
    with out.status("") as status:
        runs, findings = check_store(
            args.runs,
            each=lambda done, total: status.update(f"{done} of {total} runs"),
            again=again if args.evaluate else None,
        )
    for finding in findings:
        out.print(f"{finding.path}: {finding.fault}", soft_wrap=True)
    if not runs:
        out.print(f"There is no finished run below {args.runs}.")
    elif findings:
        count = len(findings)
        out.print(
            f"{count} {'thing does' if count == 1 else 'things do'} not hold "
            f"({runs} runs looked through).",
            style="bold red",
        )
    else:
        out.print(
            f"{runs} runs: files, keys, splits and true scores agree, and every metric "
            "comes out again.",
            style="green",
        )
    return 1 if findings else 0


def _kind(args: Arguments) -> str:
    """What to write: as told, else by the file's ending, else a table on the terminal."""
    if args.format is not None:
        if args.format == "table" and args.output is not None:
            raise ConfigError("--format table is for the terminal; use --format md for a file")
        return str(args.format)
    if args.output is None:
        return "table"
    ending = args.output.suffix.lower().removeprefix(".")
    if ending not in FORMATS[1:]:
        raise ConfigError(
            f"--output {args.output}: name what to write with --format, or end the file's name in "
            f".{', .'.join(FORMATS[1:])}"
        )
    return str(ending)


def _write(board: "Board", kind: str, output: Path | None) -> None:
    from zoo.report.publish import document, save

    content = document(board, kind)
    if output is None:
        print_document(content)
    else:
        print(save(content, output / f"leaderboard.{kind}" if output.is_dir() else output))

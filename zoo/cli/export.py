"""`zoo export`: a trained model as one file that goes anywhere."""

from pathlib import Path

from zoo.cli.console import console
from zoo.cli.parser import Arguments, Subparsers, add_options


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo export`."""
    parser = subparsers.add_parser(
        "export",
        help="write a trained model as one file that goes anywhere",
        description="Write a trained model as one file: weights, scalers, skeleton layout, card, "
        "protocol and calibration; no code, no dataset, nobody's name. `zoo predict` and "
        "zoo.load_model take it.",
    )
    add_options(parser, "run_folder")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE.zoo", help="the file (default: MODEL.zoo)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a file that is there")
    parser.set_defaults(run=run)


def run(args: Arguments) -> int:
    """Write the file; return the exit code."""
    from zoo.api import export

    file = export(args.run_folder, args.output, overwrite=args.overwrite)
    console().print(f"written: {file} ({file.stat().st_size / 1e6:.1f} MB)", soft_wrap=True)
    return 0

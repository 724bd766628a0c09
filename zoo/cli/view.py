"""`zoo view`: recordings moving in one page, with their scores and what these rest on."""

from pathlib import Path

from zoo.cli.console import begin, console
from zoo.cli.parser import Arguments, Subparsers, add_options
from zoo.cli.predict import files_and_settings


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo view`."""
    parser = subparsers.add_parser(
        "view",
        help="show recordings moving, with their scores, in one page",
        description="Write one page that needs no network and no zoo: the skeleton moving in 3-D; "
        "beside it the score so far, the repetitions, what moved the score, and how far the joints "
        "go beside healthy people. It prints on one sheet.",
        epilog="The page shows a person's movement: give it to nobody who may not see that.",
    )
    add_options(parser, "run_or_bundle")
    parser.add_argument(
        "files",
        metavar="RECORDING",
        nargs="+",
        help="a recording's file (such as JointPosition*.csv), its folder, or its id; KEY=VALUE is "
        "a setting of the dataset or reader, such as fps=30",
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE.html", help="default: RECORDING-MODEL.html"
    )
    parser.add_argument(
        "--beside",
        metavar="RECORDING",
        help="one more, such as a reference performance or the last visit, in the same moments",
    )
    parser.add_argument(
        "--method",
        metavar="NAME",
        help="what tells how joints moved the score, as in `zoo explain` (default: descriptors or "
        "gradients, as the model allows)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a page that is there")
    add_options(parser, "--dataset", "--data-root", "--device", "--level")
    parser.set_defaults(run=run, takes_overrides=True)


def run(args: Arguments) -> int:
    """Write the page; return 0."""
    begin(f"reading the model of {args.run_or_bundle}")

    from zoo.api import view

    files, settings = files_and_settings([*args.files, *args.overrides])
    page = view(
        args.run_or_bundle,
        files,
        args.output,
        beside=args.beside,
        method=args.method,
        dataset=args.dataset,
        data_root=args.data_root,
        device=args.device,
        level=args.level,
        overwrite=args.overwrite,
        **settings,
    )
    size = page.stat().st_size / 1e6
    console().print(f"written: {page} ({size:.1f} MB); open it in a browser", soft_wrap=True)
    return 0

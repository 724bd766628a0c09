"""`zoo app`: a run's model as a web app that scores what a camera sees."""

from pathlib import Path

from zoo.cli.console import begin, console
from zoo.cli.parser import Arguments, Subparsers, add_options


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo app`."""
    parser = subparsers.add_parser(
        "app",
        help="write a web app that scores what a camera sees, in the browser alone",
        description="Write a folder with a web page: a camera or a video in, the skeleton by "
        "MediaPipe Pose, the run's score with its interval and repetitions out. Everything runs in "
        "the browser; nothing is uploaded.",
    )
    add_options(parser, "run_or_bundle")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FOLDER", help="the app's folder (default: ./app)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an app that is there")
    parser.add_argument(
        "--packages",
        type=Path,
        metavar="NODE_MODULES",
        help="folder with the npm packages @mediapipe/pose and onnxruntime-web (default: npm "
        "fetches them once)",
    )
    parser.add_argument(
        "--pose",
        choices=("lite", "full", "heavy"),
        default="full",
        help="MediaPipe's model: quicker or more exact (default: full)",
    )
    add_options(parser, "--level", "--data-root")
    parser.set_defaults(run=run)


def run(args: Arguments) -> int:
    """Write the folder and say how to open it; return the exit code."""
    begin(f"reading the model of {args.run_or_bundle}")

    from zoo.app.folder import write_app
    from zoo.app.manifest import FILE
    from zoo.files import read_json
    from zoo.runs.intervals import LEVEL

    folder = write_app(
        args.run_or_bundle,
        args.output or Path("app"),
        packages_in=args.packages,
        pose=args.pose,
        level=args.level or LEVEL,
        data_root=args.data_root,
        overwrite=args.overwrite,
    )
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    out = console()
    out.print(f"written: {folder} ({size / 1e6:.0f} MB)", soft_wrap=True)
    for sentence in read_json(folder / FILE)["careful"]:
        out.print(f"Careful: {sentence}", style="bold red")
    out.print("open it at http://localhost:8000 while this runs:", soft_wrap=True)
    out.print(f"  python -m http.server --bind 127.0.0.1 --directory {folder} 8000", soft_wrap=True)
    return 0

"""`zoo export`: a trained model for use elsewhere, as a bundle or as a graph."""

from pathlib import Path

from zoo.api import EXPORT_FORMATS
from zoo.cli.console import begin, console
from zoo.cli.parser import Arguments, Subparsers, add_options
from zoo.words import fixed


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo export`."""
    parser = subparsers.add_parser(
        "export",
        help="write a trained model for use elsewhere, as a bundle or as a graph",
        description="Write a trained model for use elsewhere. A bundle is one file with weights, "
        "scalers, skeleton layout, card, protocol and calibration, which `zoo predict` and "
        "zoo.load_model take. A graph, onnx or torch, is a folder with a file that other programs "
        "run without the zoo, and a README; it is compared with the run before it is kept. No "
        "code, no dataset and nobody's name are in either.",
    )
    add_options(parser, "run_or_bundle")
    parser.add_argument(
        "--format", choices=EXPORT_FORMATS, default="bundle", help="default: bundle"
    )
    parser.add_argument(
        "--precision",
        choices=("fp32", "fp16", "int8"),
        default="fp32",
        help="of an onnx graph, written beside fp32, with what it costs (default: fp32)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="PATH",
        help="the bundle (default: MODEL.zoo), or the folder (default: MODEL-FORMAT)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what is there")
    add_options(parser, "--data-root")
    parser.set_defaults(run=run)


def run(args: Arguments) -> int:
    """Write it; return the exit code."""
    if args.format != "bundle":
        begin(f"writing the model of {args.run_or_bundle} as {args.format}")
    from zoo.api import export

    made = export(
        args.run_or_bundle,
        args.output,
        format=args.format,
        precision=args.precision,
        data_root=args.data_root,
        overwrite=args.overwrite,
    )
    if args.format == "bundle":
        size = made.stat().st_size / 1e6
        console().print(f"written: {made} ({size:.1f} MB)", soft_wrap=True)
        return 0
    from zoo.exporting.record import read_export

    for graph in read_export(made).graphs:
        check = graph.check
        line = (
            f"written: {made / graph.name} ({graph.bytes / 1e6:.2f} MB); on {check.samples} "
            f"{check.of} its scores are off from the run's by {check.largest_difference:.1e} at "
            "most"
        )
        if graph.precision != "fp32" and check.error is not None:
            line += (
                f", {check.mean_difference:.1e} in the mean, and its mean absolute error is "
                f"{fixed(check.error)} instead of {fixed(check.run_error)}"
            )
        console().print(line, soft_wrap=True)
    return 0

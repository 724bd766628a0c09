"""`zoo explain`: what a trained model's score of a recording depends on, in words and pictures."""

from pathlib import Path

from zoo.cli.console import begin, console
from zoo.cli.parser import Arguments, Subparsers, add_options


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo explain`."""
    parser = subparsers.add_parser(
        "explain",
        help="show what moved a recording's score",
        description="Say which joints and body parts moved a model's score of a recording, and "
        "draw it: on the moving skeleton, in key frames and over time; for D2STA its groups and "
        "attention too. All goes into a new folder.",
        epilog="It tells what the model's score depends on, which is not what is wrong with the "
        "movement: docs/explain.md says how far each method can be believed.",
    )
    add_options(parser, "run_or_bundle")
    parser.add_argument(
        "file",
        metavar="FILE",
        help="a recording's file (such as JointPosition*.csv), its folder, or its id",
    )
    parser.add_argument(
        "--method",
        metavar="NAME",
        default="gradients",
        help="gradients (default), occlusion, occlusion-joints, descriptors (of models that derive "
        "them), attention, edges, motion (uses no model), or one of a plug-in",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="new folder (default: explanations/RECORDING-MODEL-METHOD)",
    )
    parser.add_argument(
        "--format",
        default="svg",
        metavar="KIND",
        help="format of the figures: svg (default), pdf or png",
    )
    parser.add_argument(
        "--video",
        default="gif",
        metavar="KIND",
        help="gif (default), mp4 (needs ffmpeg, else a gif is written) or none",
    )
    parser.add_argument(
        "--recording", metavar="ID", help="which recording, of a file that holds several"
    )
    parser.add_argument(
        "--segment",
        type=int,
        default=0,
        metavar="N",
        help="which part, if the run's protocol cuts recordings (default: 0, the first)",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the explanation in that folder"
    )
    add_options(parser, "--dataset", "--data-root", "--device")
    parser.set_defaults(run=run)


def run(args: Arguments) -> int:
    """Explain one recording; return 0."""
    begin(f"reading the model of {args.run_or_bundle}")

    from zoo.explain.draw.video import can_write_mp4
    from zoo.explain.explanation import default_folder, explain, require_writable, write
    from zoo.prediction import Predictor

    form = {"kind": args.format, "video": args.video, "overwrite": args.overwrite}
    require_writable(args.output, **form)
    predictor = Predictor.open(
        args.run_or_bundle, dataset=args.dataset, data_root=args.data_root, device=args.device
    )
    explanation = explain(
        predictor, args.file, args.method, recording=args.recording, segment=args.segment
    )
    folder = args.output or default_folder(explanation)
    files = write(explanation, folder, **form)
    out = console()
    first, *others = explanation.sentences
    out.print(first, style="bold")
    for sentence in others:
        out.print(sentence)
    for note in explanation.notes:
        out.print(f"Careful: {note}", style="yellow")
    if args.video == "mp4" and not can_write_mp4():
        out.print("There is no ffmpeg here, so the video is a GIF.", style="yellow")
    out.print(f"kept in {folder}: {', '.join(file.name for file in files)}", style="dim")
    return 0

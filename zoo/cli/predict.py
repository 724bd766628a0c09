"""`zoo predict`: score recordings with the model of a finished run."""

import json
import re
from collections.abc import Sequence
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from registry import UserError
from zoo.cli.console import begin, complain, console, print_json, table
from zoo.cli.parser import Arguments, Subparsers, add_options
from zoo.errors import ConfigError
from zoo.words import NOTHING, fixed, percent, some

if TYPE_CHECKING:
    from zoo.prediction import Predictor, ScoredRecording

_NO_PROMISE = (
    "No interval: one is promised for a new person only, who does the exercise the model was "
    "trained on, recorded as its dataset was."
)


def add_parser(subparsers: Subparsers) -> None:
    """Describe `zoo predict`."""
    parser = subparsers.add_parser(
        "predict",
        help="score recordings with a trained model",
        description="Score recordings with a trained model, prepared as in training. "
        "A name that is no file is taken for the id of a prepared recording.",
    )
    add_options(parser, "run_or_bundle")
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="a recording's file (such as JointPosition*.csv), its folder, or its id; KEY=VALUE is "
        "a setting of the dataset or reader, such as fps=30",
    )
    add_options(parser, "--dataset", "--data-root", "--device")
    parser.add_argument(
        "--segments", action="store_true", help="show the score of every segment too"
    )
    add_options(parser, "--level", "--json")
    parser.set_defaults(run=run, takes_overrides=True)


def run(args: Arguments) -> int:
    """Score what can be scored, report what cannot; return 2 if anything could not."""
    if not args.json:
        begin(f"reading the model of {args.run_or_bundle}")

    from zoo.prediction import Predictor
    from zoo.runs.intervals import LEVEL

    files, settings = files_and_settings([*args.files, *args.overrides])
    predictor = Predictor.open(
        args.run_or_bundle,
        dataset=args.dataset,
        data_root=args.data_root,
        device=args.device,
        level=args.level or LEVEL,
        settings=settings,
    )
    scored: list[ScoredRecording] = []
    failed: dict[str, str] = {}
    for file in files:
        try:
            scored.extend(predictor.score(file))
        except UserError as error:
            if getattr(args, "debug", False):
                raise
            failed[file] = str(error)
            complain(str(error))
    if args.json:
        _print_json(predictor, scored, failed)
    elif scored:
        _print_table(predictor, scored, args.segments)
    if failed and scored:
        complain(f"{len(failed)} of {len(files)} could not be scored")
    return 2 if failed else 0


def files_and_settings(words: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Files, and settings: words with a name before ``=`` that are no files."""
    setting = re.compile(r"([a-z_]+)=(.+)", re.DOTALL)
    matches = {w: None if Path(w).exists() else setting.fullmatch(w) for w in words}
    found = {m[1]: _value(m[2]) for m in matches.values() if m is not None}
    files = [word for word, match in matches.items() if match is None]
    if not files:
        raise ConfigError("settings alone: name a file, a folder or a recording too")
    return files, found


def _value(text: str) -> Any:
    """A number, true, false or a list as in JSON; else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _print_json(
    predictor: "Predictor", scored: "Sequence[ScoredRecording]", failed: dict[str, str]
) -> None:
    answer = {
        "run": str(predictor.run.path),
        "model": predictor.run.record.model.name,
        "dataset": predictor.dataset,
        "device": str(predictor.trained.device),
        "warnings": predictor.warnings,
        "level": predictor.level,
        "scored": [recording.to_dict() for recording in scored],
        "failed": [{"source": source, "error": error} for source, error in failed.items()],
    }
    print_json(answer)


def _print_table(
    predictor: "Predictor", scored: "Sequence[ScoredRecording]", segments: bool
) -> None:
    named = any(s.recording != s.source for s in scored)
    known = any(s.true is not None for s in scored)
    held = any(s.interval is not None for s in scored)
    wanted = (True, named, segments, True, True, known, held, True)
    around = f"{percent(predictor.level)} interval>"
    titles = ("file", "recording", "segment>", "frames>", "score>", "true>", around, "ms a frame>")
    model = predictor.run.record.model.name
    digits = predictor.run.digits
    shown = table(*compress(titles, wanted), title=f"scored by {model}")
    shown.columns[0].overflow = "fold"
    for s in scored:
        true = "–" if s.true is None else fixed(s.true, digits)
        speed = f"{s.ms_per_frame:.3f}"
        interval = (
            NOTHING if s.interval is None else " to ".join(fixed(v, digits) for v in s.interval)
        )
        score = fixed(s.score, digits)
        row = (s.source, s.recording, "all", str(s.frames), score, true, interval, speed)
        shown.add_row(*compress(row, wanted))
        for i, part in enumerate(s.segments if segments else ()):
            frames = f"{part.start}–{part.stop - 1}"
            row = ("", "", str(i), frames, fixed(part.score, digits), "", "", "")
            shown.add_row(*compress(row, wanted))
    out = console()
    out.print(shown)
    for warning in predictor.warnings:
        out.print(f"Careful: {warning}.", style="bold red")
    for note, names in _by_note(scored).items():
        out.print(f"{some(names)}: {note}", style="yellow")
    out.print(_about_intervals(predictor, held), style="dim")
    if held and any(s.interval is None for s in scored):
        out.print(_NO_PROMISE, style="dim")
    out.print(
        "ms a frame: the model alone (scaling, forward pass, copying to the device and back) on "
        f"{predictor.trained.device}, per frame of the recording; reading and resampling not "
        "included",
        style="dim",
    )


def _about_intervals(predictor: "Predictor", held: bool) -> str:
    """What the intervals promise, or why there are none."""
    from zoo.runs.intervals import no_interval

    calibration = predictor.calibration
    if held:
        promise = (
            f"interval: holds the true score with {percent(calibration.level)} for a new person, "
            f"from the errors for {calibration.people} validation people"
        )
        leak = "; not for new people here, for the run's protocol leaks"
        return promise + (leak if predictor.run.leaky else "")
    if not calibration.finite:
        return no_interval(calibration)
    return _NO_PROMISE


def _by_note(scored: "Sequence[ScoredRecording]") -> dict[str, list[str]]:
    """Every note with the recordings it is about, each once."""
    found: dict[str, list[str]] = {}
    for recording in scored:
        for note in recording.notes:
            names = found.setdefault(note, [])
            if recording.recording not in names:
                names.append(recording.recording)
    return found

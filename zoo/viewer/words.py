"""What a page says of a recording, in the words of a clinic."""

import numpy as np

from zoo.runs.intervals import no_interval
from zoo.viewer.healthy import QUANTILES, Band
from zoo.viewer.measures import DEGREES, Extent, Measure
from zoo.viewer.view import Body, View
from zoo.words import fixed, percent

_NOTABLE = {DEGREES: 5.0, "cm": 3.0}
"""Differences of two recordings below this are not worth a word: a depth camera errs as much."""

_NAMED = 5
_SHARE = f"{10 * (QUANTILES[2] - QUANTILES[0]):.0f} of 10"


def amount(value: float, unit: str, *, sign: bool = False) -> str:
    """``84°``, ``−12 cm``."""
    space = "" if unit == DEGREES else " "
    return f"{fixed(value, 0, sign=sign)}{space}{unit}"


def title(view: View) -> str:
    """Which recording, and which exercise."""
    recording = view.body.recording
    exercises = view.predictor.run.record.dataset.exercises
    name = exercises.get(recording.exercise, "")
    return f"{recording.id}{f': {name}' if name else ''}"


def score(view: View) -> str:
    """The score with its scale and interval."""
    predictor, scored = view.predictor, view.body.scored
    low, high = predictor.run.record.dataset.score_range
    digits = predictor.run.digits
    said = f"Score {fixed(scored.score, digits)} on the scale from {low:g} to {high:g}"
    if scored.interval is None:
        return f"{said}, without an interval."
    around = " to ".join(fixed(value, digits) for value in scored.interval)
    return f"{said}; {percent(predictor.level)} interval {around}."


def about_score(view: View) -> list[str]:
    """What the interval promises and how far off the model was in its test."""
    predictor, scored = view.predictor, view.body.scored
    run, digits = predictor.run, predictor.run.digits
    record, calibration = run.record, predictor.calibration
    said = []
    if scored.interval is not None:
        said.append(
            f"Of new people, the interval holds the score that a clinician would give for at least "
            f"{percent(calibration.level)}; it comes from the errors for {calibration.people} "
            "people."
        )
    elif not calibration.finite:
        said.append(no_interval(calibration))
    else:
        said.append(
            "There is no interval: one is promised for a new person only, who does the exercise "
            "the model was trained on, recorded as its dataset was."
        )
    if "mad" in run.test:
        people = record.counts["test"].persons
        mean = run.baseline_test.get("mad")
        unseen = "" if run.leaky else " it had never seen"
        said.append(
            f"In its test the model, {record.model.name}, was off by "
            f"{fixed(run.test['mad'], digits)} points on average, for {people} people{unseen}; "
            f"giving everybody the mean score is off by {fixed(mean, digits)}."
        )
    if scored.true is not None:
        said.append(f"The score that was given: {fixed(scored.true, digits)}.")
    return said


def described(view: View) -> str:
    """The picture for those who do not see it."""
    body = view.body
    count = len(body.repetitions)
    times = f", {count} repetitions" if count else ""
    other = f", beside it {view.beside.body.recording.id}" if view.beside else ""
    return (
        f"A moving skeleton of {body.recording.num_joints} joints, {body.seconds:.1f} seconds"
        f"{times}{other}. Arrow keys turn it."
    )


def timeline(view: View) -> str:
    """The time axis for those who do not see it."""
    digits = view.predictor.run.digits
    scores = view.so_far.scores
    said = [f"{view.body.seconds:.1f} seconds on one axis"]
    if scores:
        first, last, low, high = (
            fixed(value, digits) for value in (scores[0], scores[-1], min(scores), max(scores))
        )
        said.append(
            f"the score so far goes from {first} to {last}, its lowest is {low}, its highest {high}"
        )
    if view.body.repetitions:
        said.append(f"{len(view.body.repetitions)} repetitions")
    return "; ".join(said)


def so_far_note(view: View) -> str:
    """What the score so far is and is not."""
    return view.so_far.why_not or (
        "The score so far is what the model would say had the recording ended at that moment: each "
        "beginning is scored anew, as if it were all there is. It tells when the score settles; it "
        "is no course of how well the movement is done."
    )


def repetitions_note(view: View) -> str:
    """Where the repetitions come from, and why they have scores or not."""
    if not view.body.repetitions:
        return "No repetitions were found: no movement comes back."
    if view.repetition_scores:
        return "Each repetition has the score that the model gives it."
    return (
        "Repetitions are found in the movement itself; they have no scores of their own, for the "
        "model scores the recording as a whole."
    )


def reach_note(view: View) -> str:
    """What the table of ranges shows, or why it cannot."""
    healthy = view.healthy
    if not view.body.measures:
        return "The skeleton names no shoulders, hips, knees or elbows, so no angle is measured."
    frames = view.body.exercise
    from_to = " to ".join(f"{frame / view.body.fps:.1f}" for frame in frames)
    said = f"From the smallest to the largest value between {from_to} s, single frames left out."
    if healthy.why_not:
        return f"{said} {healthy.why_not}"
    return (
        f"{said} Healthy: where {_SHARE} of the {healthy.people} healthy people lie whom the model "
        "was trained on, each counted once; nobody's own numbers are in this page."
    )


def reach_words(extent: Extent, band: Band | None, asymmetry: Band | None) -> str:
    """A row of the table in words; empty where there is nothing to compare with."""
    if band is None:
        return ""
    sides = ("left", "right") if len(extent.low) == 2 else ("",)
    said = []
    for word, beyond in (("less", _below), ("more", _above)):
        which = [s for s, v in zip(sides, extent.ranges, strict=True) if beyond(v, band)]
        if which:
            whose = " and ".join(filter(None, which))
            said.append(f"{whose} {word} than 9 of 10".strip())
    if extent.asymmetry is not None and asymmetry is not None:
        if _below(extent.asymmetry, asymmetry):
            said.append("left goes less far than right")
        elif _above(extent.asymmetry, asymmetry):
            said.append("right goes less far than left")
    return "; ".join(said) or "as healthy people"


def differences(view: View) -> list[str]:
    """What sets the other recording apart, the largest differences first."""
    if view.beside is None:
        return []
    here, there = view.body, view.beside.body
    return [_scores_apart(view, there), _tempo(here, there), *_ranges_apart(here, there)]


def _below(value: float, band: Band) -> bool:
    return round(value) < band[0]


def _above(value: float, band: Band) -> bool:
    return round(value) > band[2]


def _scores_apart(view: View, there: Body) -> str:
    run, digits = view.predictor.run, view.predictor.run.digits
    apart = view.body.scored.score - there.scored.score
    said = (
        f"Score {fixed(view.body.scored.score, digits)} here, {fixed(there.scored.score, digits)} "
        f"there, a difference of {fixed(apart, digits, sign=True)}"
    )
    error = run.test.get("mad")
    if error is not None and abs(apart) < 2 * error:
        return (
            f"{said}. The model is off by {fixed(error, digits)} on average, so this difference "
            "alone shows nothing."
        )
    return f"{said}."


def _tempo(here: Body, there: Body) -> str:
    if here.repetitions and there.repetitions:
        mine, other = (
            float(np.median([stop - start for start, stop in b.repetitions])) / b.fps
            for b in (here, there)
        )
        what = "A repetition takes"
    else:
        mine, other, what = here.seconds, there.seconds, "The recording takes"
    counts = f", {len(here.repetitions)} repetitions here and {len(there.repetitions)} there"
    return (
        f"{what} {fixed(mine, 1)} s here and {fixed(other, 1)} s there"
        f"{counts if len(here.repetitions) != len(there.repetitions) else ''}. The pictures are "
        "brought together in time (dynamic time warping), so that both show the same moment of "
        "the movement."
    )


def _ranges_apart(here: Body, there: Body) -> list[str]:
    found: list[tuple[float, str]] = []
    for measure, mine, other in zip(here.measures, here.extents, there.extents, strict=True):
        for side, (a, b) in enumerate(zip(mine.ranges, other.ranges, strict=True)):
            notable = _NOTABLE[measure.unit]
            if abs(a - b) < notable:
                continue
            word = "less" if a < b else "more"
            found.append(
                (
                    abs(a - b) / notable,
                    f"{_sided(measure, side)}: a range of {amount(a, measure.unit)} here, "
                    f"{amount(b, measure.unit)} there, {amount(abs(a - b), measure.unit)} {word}.",
                )
            )
    found.sort(key=lambda item: -item[0])
    if not found:
        return ["No range of movement differs by more than such cameras err."]
    rest = len(found) - _NAMED
    more = [f"{rest} more ranges differ."] if rest > 0 else []
    return [text for _, text in found[:_NAMED]] + more


def _sided(measure: Measure, side: int) -> str:
    return f"{measure.title}, {('left', 'right')[side]}" if measure.paired else measure.title

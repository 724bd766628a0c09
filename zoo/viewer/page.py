"""The page of one or several recordings: one file that needs no other and no network."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from zoo.report.document import common_style, environment, policy, template_file, theme_script
from zoo.viewer import words
from zoo.viewer.healthy import Reach
from zoo.viewer.joints import spoken
from zoo.viewer.measures import Extent, Measure
from zoo.viewer.payload import payload, shown_frames
from zoo.viewer.view import View
from zoo.words import plain

_ROOM = "zoo.viewer"
_COLOURS = {
    "left": ("#00805e", "#3ec79c"),
    "right": ("#a8487f", "#e59cc6"),
    "middle": ("#767d87", "#9299a3"),
    "raises": ("#0067a5", "#62b5ee"),
    "lowers": ("#b8520a", "#f2a15f"),
    "other": ("#7a5f00", "#e0bf50"),
}
"""On light and on dark ground; raising and lowering are told apart with any colour vision."""


def render(views: Sequence[View], *, showable: bool = False) -> str:
    """The page.

    Args:
        views: at least one.
        showable: whether the recordings may be shown to anybody.

    Returns:
        A whole HTML document; write it as UTF-8 without changing line ends, since its policy names
        hashes of its parts.
    """
    style = f"{common_style(_COLOURS)}\n{template_file(_ROOM, 'viewer.css')}"
    own = [template_file(_ROOM, name) for name in ("stage.js", "timeline.js", "player.js")]
    scripts = [theme_script(), template_file(_ROOM, "three.min.js"), "\n".join(own)]
    shown = plain([_texts(view) for view in views])
    return (
        environment(_ROOM)
        .get_template("page.html.j2")
        .render(
            title=f"{shown[0]['title']}{' and others' if len(shown) > 1 else ''}",
            views=shown,
            data=plain([payload(view) for view in views]),
            style=Markup(style),
            scripts=[Markup(script) for script in scripts],
            policy=policy(style, scripts),
            legend={
                "rests": any(view.rests_on for view in views),
                "signed": any(view.rests_on and view.rests_on.signed for view in views),
                "beside": any(view.beside for view in views),
                "healthy": any(view.healthy.reach for view in views),
            },
            footer=_footer(views[0], showable),
        )
    )


def _texts(view: View) -> dict[str, Any]:
    """All that a reader reads of one recording."""
    layout = view.body.layout
    to_know = [words.so_far_note(view), words.repetitions_note(view), *_thinned(view)]
    return {
        "title": words.title(view),
        "score": words.score(view),
        "about_score": words.about_score(view),
        "careful": [spoken(f"{note[:1].upper()}{note[1:]}.", layout) for note in view.notes],
        "beside": view.beside.body.recording.id if view.beside else "",
        "differences": words.differences(view),
        "reach_note": words.reach_note(view),
        "reach": [
            _row(measure, extent, view.healthy.reach.get(measure.title))
            for measure, extent in zip(view.body.measures, view.body.extents, strict=True)
        ],
        "healthy": bool(view.healthy.reach),
        "rests_on": []
        if view.rests_on is None
        else [spoken(sentence, layout) for sentence in view.rests_on.sentences],
        "to_know": to_know,
    }


def _row(measure: Measure, extent: Extent, reach: Reach | None) -> dict[str, Any]:
    """A row of the table of ranges."""
    unit = measure.unit
    apart = extent.asymmetry
    band = None if reach is None else reach.asymmetry
    return {
        "title": measure.title,
        "ranges": [words.amount(value, unit) for value in extent.ranges],
        "asymmetry": "" if apart is None else words.amount(apart, unit, sign=True),
        "healthy": "" if reach is None else _between(reach.range, unit),
        "healthy_asymmetry": "" if band is None else _between(band, unit),
        "words": words.reach_words(extent, None if reach is None else reach.range, band),
        "picture": None if reach is None else _picture(extent, reach),
    }


def _between(band: Sequence[float], unit: str) -> str:
    return f"{words.amount(band[0], unit)} to {words.amount(band[2], unit)}"


def _picture(extent: Extent, reach: Reach) -> dict[str, Any]:
    """The ranges on a scale of 100 from nothing to the largest of them all."""
    full = 1.08 * max(*extent.ranges, reach.range[2], 1.0)
    low, middle, high = (round(100 * value / full, 1) for value in reach.range)
    names = ("left", "right") if len(extent.ranges) == 2 else ("body",)
    rows = (5, 11) if len(names) == 2 else (8,)
    dots = [
        (name, round(100 * value / full, 1), y)
        for name, value, y in zip(names, extent.ranges, rows, strict=True)
    ]
    width = round(max(high - low, 0.5), 1)
    return {"low": low, "width": width, "middle": middle, "dots": dots}


def _thinned(view: View) -> list[str]:
    frames, fps = view.body.recording.num_frames, view.body.fps
    step = frames and int(shown_frames(frames, fps)[1:2].sum() or 1)
    if step == 1:
        return []
    return [
        f"Of the {frames} frames one in {step} is shown; all of them were scored and measured. "
        "Places are shown to the millimetre."
    ]


def _footer(view: View, showable: bool) -> str:
    from zoo import __version__

    record = view.predictor.run.record
    whose = (
        "These recordings may be shown to anybody."
        if showable
        else "This page shows people's movements: do not publish it."
    )
    return (
        f"Made by skeleton-zoo {__version__} with {record.model.name}, trained on "
        f"{record.dataset.title or record.dataset.name} ({record.protocol.name}, fold "
        f"{record.fold}, seed {record.seed}). A research tool, no medical device. {whose} "
        "3-D drawing by three.js (MIT licence, in the page)."
    )

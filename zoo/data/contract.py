"""What every dataset's adapter promises, as one call for its tests."""

from collections.abc import Iterator
from pathlib import Path

from zoo.data.adapters.base import Adapter, PrepareReport
from zoo.data.checks import Expected, looked_at
from zoo.data.recording import Recording
from zoo.data.store import StoreWriter, array_digest
from zoo.errors import DataError, UserError
from zoo.skeleton.layout import load_layout

_ARRAYS = ("positions", "orientations", "angles", "tracked", "timestamps")
_HIGHEST_FPS = 1000


def broken_promises(adapter: Adapter, source: Path | None) -> list[str]:
    """What an adapter does that no adapter may; empty where it keeps its promises.

    It has a layout, a range of scores, exercises and a frame rate. Every recording has an id of its
    own, the joints of the layout, and stands what `zoo.data.checks` looks at: units, axes, frame
    rate, scores in the range. Read twice, it is the same. A source with faults is no test of that:
    what the adapter reports is listed too.

    Args:
        adapter: of the dataset.
        source: a folder of the published form, or a small made-up one; None where it needs none.
    """
    try:
        adapter.look(source)
        return [*_of_the_whole(adapter), *_of_the_recordings(adapter, source)]
    except UserError as error:
        return [str(error)]


def _of_the_whole(adapter: Adapter) -> Iterator[str]:
    load_layout(adapter.layout)
    low, high = adapter.score_range
    if not low < high:
        yield f"score_range is {low:g} to {high:g}, expected the lowest, then the highest"
    if not 0 < adapter.fps <= _HIGHEST_FPS:
        yield f"fps is {adapter.fps:g}, expected frames a second"
    if not adapter.exercises:
        yield "exercises is empty, expected an id and a description for each"


def _of_the_recordings(adapter: Adapter, source: Path | None) -> Iterator[str]:
    header = {
        "name": "",
        "layout": adapter.layout,
        "fps": adapter.fps,
        "score_range": adapter.score_range,
        "adapter": {"version": adapter.version},
    }
    writer = StoreWriter(header, load_layout(adapter.layout).num_joints)
    expected = Expected(
        score_range=adapter.score_range,
        binary=adapter.binary,
        exercises=adapter.exercises,
        metric=adapter.metric,
    )
    report = PrepareReport()
    first: dict[str, tuple[object, ...]] = {}
    for recording in adapter.read(source, report, Adapter.NO_PROGRESS):
        first[recording.id] = _content(recording)
        try:
            looked = looked_at(recording, expected)
            yield from (f"{recording.id}: {fault}" for fault in looked.faults)
            writer.add(looked.recording)
        except DataError as error:
            yield f"{recording.id}: {error}"
    if not first:
        yield "it yields no recording"
    yield from (f"{problem.recording}: {problem}" for problem in report.problems)
    again = adapter.read(source, PrepareReport(), Adapter.NO_PROGRESS)
    second = {recording.id: _content(recording) for recording in again}
    if first.keys() != second.keys():
        yield f"read twice, it yields other recordings: {sorted(first.keys() ^ second.keys())}"
    for name in sorted(first.keys() & second.keys()):
        if first[name] != second[name]:
            yield f"{name}: read twice, it is not the same"


def _content(recording: Recording) -> tuple[object, ...]:
    arrays = {name: getattr(recording, name) for name in _ARRAYS}
    digest = array_digest({name: array for name, array in arrays.items() if array is not None})
    names = (recording.subject, recording.group, recording.exercise, recording.session)
    return (*names, recording.fps, dict(recording.scores), dict(recording.extra), digest)

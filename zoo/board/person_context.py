"""An entry drawn towards what it says of the same person's other exercises: a further entry."""

from pathlib import Path

from zoo.board.derived import write_derived
from zoo.board.ensemble import entries_on_one_board
from zoo.board.entries import read_groups
from zoo.errors import DataError
from zoo.runs.person_context import context_of, drawn
from zoo.runs.record import PersonContext
from zoo.runs.run import Run
from zoo.words import some


def with_other_exercises(
    model: str,
    weight: float,
    *,
    dataset: str | None = None,
    protocol: str | None = None,
    name: str | None = None,
    runs: Path,
) -> list[Run]:
    """Draw every score of an entry towards what it says of the person's other exercises.

    What comes of it has seen more than one recording, and stands on a board of its own.

    Args:
        model: an entry as the leaderboard names it, or the model's name where only one has it.
        weight: how far, above 0 and below 1; fixed beforehand, see `zoo.runs.person_context`.
        dataset: as in `zoo.leaderboard`.
        protocol: the same.
        name: what the board calls it; made of the entry's name if None.
        runs: folder of all runs.

    Raises:
        DataError: there is no such entry, runs of it are missing, or somebody may have been seen in
            training.
        ConfigError: `name` is a registered model's.
    """
    groups, _ = read_groups(runs, dataset, protocol)
    (entry,) = entries_on_one_board([model], groups)
    if not entry.complete:
        why = some(entry.missing) if entry.missing else entry.objection
        raise DataError(
            f"{entry.name} needs every exercise and fold before a person's other exercises can be "
            f"looked at: {why}"
        )
    if len(entry.exercises) < 2:
        raise DataError(f"{entry.name} has exercise {entry.exercises[0]} alone, and no other")
    called = name or f"{entry.name}, {100 * weight:g} % from the person's other exercises"
    params = {"draw": weight, "of": {"model": entry.model, "settings": dict(entry.settings)}}
    made = []
    for run in entry.runs:
        others = context_of(run, entry.runs)
        made.append(
            write_derived(
                {entry.name: run},
                [1.0],
                drawn(run, others, weight),
                name=called,
                params=params,
                made_by=f"{drawn.__module__}:{drawn.__name__}",
                root=runs,
                context=PersonContext(weight, tuple(sorted(o.record.key_hash for o in others))),
            )
        )
    return made

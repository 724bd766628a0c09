"""`zoo leaderboard check`: whether a folder of runs can be trusted, run by run and taken together.

What a single folder cannot show, another one can: all runs on the same data must agree about the
true scores, all runs of one fold about who is tested and about the mean training score, and two
trainings never give equal predictions.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.board.entries import BoardKey, Group, groups_of
from zoo.errors import ZooError
from zoo.runs.ensemble import ensemble_faults
from zoo.runs.find import finished_runs, read_runs
from zoo.runs.person_context import context_faults
from zoo.runs.run import Run
from zoo.runs.verify import run_faults


@dataclass(frozen=True, order=True)
class Finding:
    """Something that does not hold.

    Attributes:
        path: the run folder, or the folder of all runs.
        fault: what is wrong, in words.
    """

    path: Path
    fault: str


def check_store(
    root: Path,
    *,
    each: Callable[[int, int], None] | None = None,
    again: Callable[[Path], bool] | None = None,
) -> tuple[int, list[Finding]]:
    """Look through every finished run below `root`.

    Args:
        root: folder of all runs.
        each: told (done, total) after each folder.
        again: predicts a run anew from its checkpoint and says whether the predictions come out
            again; None leaves that out. Not asked for ensembles, which are combined anew.

    Returns:
        How many run folders there are, and what does not hold, by folder.

    Raises:
        DataError: there is no such folder.
    """
    runs, _ = read_runs(root)
    folders = list(finished_runs(root))
    ensembles = {run.path for run in runs if run.record.members}
    findings = []
    for done, folder in enumerate(folders, 1):
        findings += [Finding(folder, fault) for fault in run_faults(folder)]
        if again is not None and folder not in ensembles:
            findings += [Finding(folder, fault) for fault in _again(folder, again)]
        if each is not None:
            each(done, len(folders))
    for look in (_outvoted, _training_means, _twins, _ensembles):
        findings += look(runs)
    for group in groups_of(runs):
        findings += _group(root, group)
    return len(folders), sorted(set(findings))


def _again(folder: Path, again: Callable[[Path], bool]) -> Iterator[str]:
    try:
        if not again(folder):
            yield "its checkpoint does not give the stored predictions"
    except ZooError as error:
        yield f"it cannot be predicted anew: {error}"


def _data(run: Run) -> tuple[str, str, str]:
    return run.record.dataset.name, run.record.dataset.fingerprint, run.exercise


Claim = tuple[str, tuple[Hashable, ...], Hashable]


def _claims(run: Run) -> Iterator[Claim]:
    """What a run says that others can contradict: what to say of that, the subject, the value.

    In the words, positional fields are the subject's, and `value` and `usual` what is said here and
    elsewhere.
    """
    data, test, split = _data(run), run.test_scores, run.record.split_hash
    for recording, true in zip(test.recording, test.true.tolist(), strict=True):
        words = "the true score of {3} is {value:g} here and {usual:g} elsewhere"
        yield words, (*data, recording), true
    for recording, *whose in zip(test.recording, test.person, test.group, strict=True):
        words = (
            "{3} is by {value[0]} of group {value[1]} here and by {usual[0]} of {usual[1]} "
            "elsewhere"
        )
        yield words, (*data, recording), tuple(whose)
    words = "its split is not the one that other runs of exercise {1}, fold {2} have"
    yield words, (BoardKey.of(run), run.exercise, run.fold), split
    words = "its mean training score is {value:g} and {usual:g} in other runs of the same split"
    yield words, (*data, split), round(run.record.baseline_score, 6)


def _outvoted(runs: Sequence[Run]) -> Iterator[Finding]:
    """Runs that say another thing than most others; all of them where it is undecided."""
    said: dict[tuple[str, tuple[Hashable, ...]], dict[Hashable, list[Path]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for run in runs:
        for words, subject, value in set(_claims(run)):
            said[words, subject][value].append(run.path)
    for (words, subject), values in said.items():
        if len(values) < 2:
            continue
        ranked = sorted(values, key=lambda value: -len(values[value]))
        tied = len(values[ranked[0]]) == len(values[ranked[1]])
        for value in ranked if tied else ranked[1:]:
            usual = ranked[1] if value == ranked[0] else ranked[0]
            text = words.format(*subject, value=value, usual=usual)
            yield from (Finding(path, text) for path in values[value])


def _training_means(runs: Sequence[Run]) -> Iterator[Finding]:
    """The mean training score, computed from the scores that other folds were tested on."""
    known: dict[tuple[str, str, str], dict[str, float]] = defaultdict(dict)
    for run in runs:
        known[_data(run)].update(
            zip(run.test_scores.recording, run.test_scores.true.tolist(), strict=True)
        )
    seen: dict[tuple[tuple[str, str, str], str], float | None] = {}
    for run in runs:
        place = _data(run), run.record.split_hash
        if place not in seen:
            seen[place] = _training_mean(run, known[_data(run)])
        mean = seen[place]
        if mean is not None and abs(mean - run.record.baseline_score) > 1e-4 * max(1.0, abs(mean)):
            yield Finding(
                run.path,
                f"its mean training score is {run.record.baseline_score:g}; the scores that other "
                f"runs were tested on give {mean:g}",
            )


def _training_mean(run: Run, known: dict[str, float]) -> float | None:
    try:
        refit = run.record.protocol.selection == "refit"
        parts = ("train", "validation") if refit else ("train",)
        samples = [sample for part in parts for sample in run.split[part]["samples"]]
        scores = [known.get(str(recording)) for recording, _ in samples]
    except (ZooError, KeyError, TypeError, ValueError):
        return None  # `run_faults` says what is wrong with it
    there = [score for score in scores if score is not None]
    return sum(there) / len(there) if there and len(there) == len(scores) else None


def _twins(runs: Sequence[Run]) -> Iterator[Finding]:
    """Trainings that differ in seed or model and still predict the same to the last digit."""
    alike: dict[Hashable, list[Run]] = defaultdict(list)
    for run in runs:
        if not run.record.model.closed_form:
            predicted = run.test_scores.predicted.tobytes()
            alike[(*_data(run), run.tested_on, predicted)].append(run)
    for same in alike.values():
        if len({run.record.key_hash for run in same}) > 1:
            for run in same:
                other = next(r for r in same if r.record.key_hash != run.record.key_hash)
                yield Finding(
                    run.path,
                    f"its predictions are those of {other.record.model.name}, seed {other.seed} "
                    f"({other.path.name}) to the last digit, and both were trained",
                )


def _ensembles(runs: Sequence[Run]) -> Iterator[Finding]:
    """Runs made of others that are not what these make, where all of these are there."""
    known = {run.record.key_hash: run for run in runs}
    for run in runs:
        context = run.record.context
        hashes = [member.key_hash for member in run.record.members]
        behind = list(context.runs) if context else []
        if hashes and all(digest in known for digest in (*hashes, *behind)):
            members, others = ([known[digest] for digest in some] for some in (hashes, behind))
            try:
                faults = list(
                    context_faults(run, members[0], others)
                    if context
                    else ensemble_faults(run, members)
                )
            except (ZooError, AttributeError, KeyError, TypeError, ValueError) as error:
                faults = [f"its members cannot be combined anew: {error!r}"]
            yield from (Finding(run.path, fault) for fault in faults)


def _group(root: Path, group: Group) -> Iterator[Finding]:
    """What is wrong with a board as a whole."""
    key = group.key
    where = f"{key.dataset}, {key.protocol}"
    for entry in group.entries:
        for missing in entry.missing:
            yield Finding(root, f"{where}: {entry.name} lacks {missing}")
        if entry.objection:
            yield Finding(root, f"{where}: {entry.name} is not ranked: {entry.objection}")
    for copy in group.copies:
        yield Finding(copy, "another run of the same settings, exercise, fold and seed is newer")
    for other, count in group.others.items():
        what, mine, theirs = (
            ("protocol hashes", key.protocol_hash, other.protocol_hash)
            if other.fingerprint == key.fingerprint
            else ("fingerprints", key.fingerprint, other.fingerprint)
        )
        if mine < theirs:  # each pair once
            yield Finding(
                root,
                f"{where}: runs of two {what} lie together, {mine[:8]} and {theirs[:8]} "
                f"({count} runs); they are never ranked together",
            )

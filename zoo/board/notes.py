"""What a reader must know besides a board's numbers, in sentences."""

from collections.abc import Sequence

from zoo.board.board import Ranked
from zoo.board.entries import Group
from zoo.protocol.references import leak_references
from zoo.runs.scores import UNKNOWN_PEOPLE
from zoo.words import fixed


def meaning(ranked: Sequence[Ranked], leak_reason: str, digits: int) -> str:
    """What the numbers of a leaky board mean, in plain words."""
    said = (
        "This protocol leaks: the errors below do not say how well a model scores people it has "
        f"never seen. The reason: {leak_reason.rstrip('.')}."
    )
    reference = next((row for row in ranked if row.leak_reference), None)
    if reference is not None:
        said += (
            f" {reference.name} ({reference.title}), which measures only what the split gives "
            f"away, is off by {fixed(reference.mad, digits)} points here: whatever is no better "
            "has shown no more than that."
        )
    return f"{said} Boards that split by person are the ones to trust."


def notes(group: Group) -> list[str]:
    """What a reader must know besides the numbers."""
    said = []
    key = group.key
    if key.sees != "recording":
        said.append(
            "These scores rest on more than one recording: each was drawn towards what the same "
            "model says of the person's other exercises. They are not ranked with those that rest "
            "on one; `zoo compare` tells the two apart person by person."
        )
    for other, count in group.others.items():
        same_data = other.fingerprint == key.fingerprint
        what, option, digest = (
            ("with other settings of the protocol", "--protocol-hash", other.protocol_hash)
            if same_data
            else ("on otherwise prepared data", "--fingerprint", other.fingerprint)
        )
        said.append(
            f"{_runs(count)} of {key.dataset} under {key.protocol} {_were(count)} made {what} and "
            f"{_were(count)} never mixed with these: {option} {digest[:8]} shows them."
        )
    if group.copies:
        count = len(group.copies)
        said.append(
            f"{_runs(count)} {_were(count)} left out: another with the same settings, exercise, "
            "fold and seed is newer."
        )
    changed = [
        e.name for e in group.entries if len({run.record.model.source.sha256 for run in e.runs}) > 1
    ]
    if changed:
        said.append(f"Trained with more than one version of their code: {', '.join(changed)}.")
    joint = [e.name for e in group.entries if any(run.jointly_trained for run in e.runs)]
    if joint:
        said.append(
            "Learnt from the training people's recordings of the other exercises, too: "
            f"{', '.join(joint)}."
        )
    drawn = [
        e
        for e in group.entries
        if e.complete and e.runs[0].record.model.draws and not e.runs[0].record.members
    ]
    most = max((len(e.seeds) for e in drawn), default=0)
    fewer = [f"{e.name} ({len(e.seeds)})" for e in drawn if len(e.seeds) < most]
    if fewer:
        said.append(f"Trained with fewer than {most} seeds: {', '.join(fewer)}.")
    if any(
        p in UNKNOWN_PEOPLE
        for e in group.entries[:1]
        for run in e.runs
        for p in run.test_scores.person
    ):
        said.append(
            "The dataset does not say who performs. Intervals and tests take every recording for "
            "a person of its own and are too narrow."
        )
    if group.entries[0].protocol.leaky and not any(
        e.complete and e.leak_reference for e in group.entries
    ):
        models = " ".join(leak_references())
        said.append(
            f"{models}, which shows what this leak is worth, is missing: zoo bench "
            f"--models {models} --dataset {key.dataset} --protocol {key.protocol}"
        )
    return said


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"


def _were(count: int) -> str:
    return "was" if count == 1 else "were"

"""Whether the figures of two runs can stand in one table."""

from zoo.runs.key import differences
from zoo.runs.record import RunRecord


def incomparable(a: RunRecord, b: RunRecord) -> list[str]:
    """Why two runs cannot be compared, one reason each; empty if they can.

    They can when the data's fingerprint, the exercise and the protocol's hash agree and, of the
    same fold, the split's. Runs of different folds belong to one comparison when the rest agrees.
    Names say nothing; models, trainer settings and seeds are what is compared.

    Args:
        a: of a run.
        b: of another one.
    """
    found = []
    data, other = a.dataset, b.dataset
    if data.fingerprint != other.fingerprint:
        shown = _both(data.fingerprint, other.fingerprint, data.name, other.name)
        found.append(f"they are computed on different data: fingerprint {shown}")
    if data.exercise != other.exercise:
        found.append(f"they are of different exercises: {data.exercise} and {other.exercise}")
    one, two = a.protocol, b.protocol
    if one.hash != two.hash:
        shown = _both(one.hash, two.hash, one.name, two.name)
        keys = [d.partition(":")[0] for d in differences(one.params, two.params)]
        at = f"; they differ in {', '.join(keys)}" if keys else ""
        found.append(f"they follow different protocols: hash {shown}{at}")
    if not found and a.fold == b.fold and a.split_hash != b.split_hash:
        shown = _both(a.split_hash, b.split_hash)
        found.append(f"fold {a.fold} is split differently: hash {shown}")
    return found


def _both(one: str, other: str, *names: str) -> str:
    """Two hashes, shortened, with the names of what they are of."""
    of = [f" of {name}" for name in names] or ["", ""]
    return f"{one[:12]}…{of[0]} and {other[:12]}…{of[1]}"

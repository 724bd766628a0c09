"""Whether the figures of two runs can stand in one table."""

from collections.abc import Mapping
from typing import Any

from zoo.runs.key import differences


def incomparable(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    """Why two runs cannot be compared, one reason each; empty if they can.

    They can when the data's fingerprint, the exercise and the protocol's hash agree and, of the
    same fold, the split's. Runs of different folds belong to one comparison when the rest agrees.
    Names say nothing; models, trainer settings and seeds are what is compared.

    Args:
        a: content of a ``run.json``.
        b: of another one.
    """
    found = []
    one, other = a["dataset"], b["dataset"]
    if one["fingerprint"] != other["fingerprint"]:
        shown = _both(one["fingerprint"], other["fingerprint"], one["name"], other["name"])
        found.append(f"they are computed on different data: fingerprint {shown}")
    exercises = [data["params"].get("exercise") for data in (one, other)]
    if exercises[0] != exercises[1]:
        found.append(f"they are of different exercises: {exercises[0]} and {exercises[1]}")
    one, other = a["protocol"], b["protocol"]
    if one["hash"] != other["hash"]:
        shown = _both(one["hash"], other["hash"], one["name"], other["name"])
        keys = [d.partition(":")[0] for d in differences(one["params"], other["params"])]
        at = f"; they differ in {', '.join(keys)}" if keys else ""
        found.append(f"they follow different protocols: hash {shown}{at}")
    if not found and a["fold"] == b["fold"] and a["split_hash"] != b["split_hash"]:
        shown = _both(a["split_hash"], b["split_hash"])
        found.append(f"fold {a['fold']} is split differently: hash {shown}")
    return found


def _both(one: str, other: str, *names: str) -> str:
    """Two hashes, shortened, with the names of what they are of."""
    of = [f" of {name}" for name in names] or ["", ""]
    return f"{one[:12]}…{of[0]} and {other[:12]}…{of[1]}"

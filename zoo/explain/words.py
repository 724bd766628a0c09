"""An attribution in plain words: what raised a score and what lowered it."""

from collections.abc import Sequence

import numpy as np

from zoo.explain.attribution import Array, Attribution
from zoo.words import fixed

CAUTION = (
    "This tells what the model's score depends on, not what is wrong with the movement; "
    "docs/explain.md has how well each method finds faults that are known."
)

_TRUST = {
    "gradients": "in two of the three models tried hardly more often than by chance (average "
    "precision 0.27 to 0.28, chance 0.23), in the third no more often",
    "occlusion-joints": "when what lowers the score is looked at, in two of the three models tried "
    "hardly more often than by chance (average precision 0.27 to 0.28, chance 0.23)",
    "occlusion": "no more often than by chance; by body part a little more often (average "
    "precision 0.65 to 0.68 in two of three models, chance 0.58)",
    "descriptors": "a little more often than by chance (average precision 0.28 to 0.31, chance "
    "0.23), and the side at fault in about four of five recordings",
    "attention": "no more often than by chance",
    "edges": "no more often than by chance",
    "motion": "less often than by chance",
}
"""How often each method names the joint at fault where faults are known; see docs/explain.md."""

SHOWN = 2
"""Body parts named at most for each direction."""

_SMALL = 0.1
"""Of all that moved the score, a body part that moved less is not worth a word."""

_EVEN = 1.25
"""A joint with less than this many times an even share does not stand out."""


HARDLY = 0.01
"""Of the range of scores: what a movement changes less, it hardly changes."""


def reaction(attribution: Attribution, held_still: float, digits: int = 1) -> str:
    """That a model hardly reacts to the movement, in a sentence; empty where it does.

    Args:
        attribution: of one sample.
        held_still: the model's score of a mean pose held still.
        digits: decimals of a score.
    """
    difference = abs(attribution.score - held_still)
    if not difference < HARDLY * attribution.span:
        return ""
    if attribution.signed and attribution.effect >= 2 * HARDLY * attribution.span:
        return (
            "As a whole the movement hardly changes the score: what raises it and what lowers it "
            "cancel out."
        )
    return (
        f"The model hardly reacts to this movement: held still, a mean pose gets "
        f"{fixed(held_still, digits)} points, {fixed(difference, digits)} of "
        f"{attribution.span:g} away. What follows explains next to nothing."
    )


def sentences(attribution: Attribution, model: str, digits: int = 1) -> list[str]:
    """What an attribution says of a score, and how to take it.

    Args:
        attribution: of one sample.
        model: name of the model.
        digits: decimals of a score.

    Returns:
        First the sentence on joints and body parts, then what to be careful about.
    """
    method = attribution.title
    score = f"{model} gives {fixed(attribution.score, digits)} points"
    if attribution.signed:
        return [
            _moved(attribution, score, digits),
            f"{method.capitalize()}: {attribution.note}.",
            CAUTION,
        ]
    return [
        f"{score}; {_stand_out(attribution, method)}.",
        f"{method.capitalize()} has no sign: it does not tell what raised the score and what "
        f"lowered it ({attribution.note}).",
        CAUTION,
    ]


def trust(method: str) -> str:
    """How far a method can be believed to point at what is wrong, in a sentence.

    Args:
        method: name of an attribution.
    """
    if method not in _TRUST:
        return f"How often {method.replace('-', ' ')} names a joint at fault was never measured."
    return (
        "How far to trust it: of simulated people, whose faults are known, this method named the "
        f"joint at fault {_TRUST[method]}."
    )


def groups_sentence(assignment: Array) -> str:
    """How decidedly a model assigns joints to groups.

    Args:
        assignment: (V, G) the probability of each group, by joint.
    """
    groups = assignment.shape[1]
    most = assignment.max()
    if most * groups < 2 * _EVEN:
        return (
            f"Its groups say little: no joint is in one of the {groups} with a probability above "
            f"{most:.2f}, where {1 / groups:.2f} would be even."
        )
    counts = np.bincount(assignment.argmax(axis=1), minlength=groups)
    named = [f"group {group + 1} ({count})" for group, count in enumerate(counts) if count]
    return f"Most likely groups of the joints: {_listed(named)}."


def _moved(attribution: Attribution, score: str, digits: int) -> str:
    """The sentence for contributions in points."""
    difference = attribution.score - attribution.baseline_score
    smallest = 0.5 * 10.0**-digits
    baseline = f"{fixed(attribution.baseline_score, digits)} for {attribution.baseline}"
    way = "more" if difference > 0 else "less"
    compared = (
        f"{score}, {fixed(abs(difference), digits)} {way} than its {baseline}"
        if abs(difference) >= smallest
        else f"{score}, as its {baseline}"
    )
    units, members = _units(attribution)
    smallest = max(smallest, _SMALL * sum(map(abs, units.values())))
    clauses = []
    for verb, sign in (("lowered", -1), ("raised", 1)):
        chosen = sorted(
            (u for u in units if sign * units[u] >= smallest), key=lambda u: -abs(units[u])
        )
        named = [_unit(attribution, u, units[u], members[u], sign, digits) for u in chosen[:SHOWN]]
        if named:
            clauses.append(f"{_listed(named)} {verb} it most")
    if not clauses:
        return f"{compared}; no body part moved it."
    return f"{compared}: {'; '.join(clauses)}."


def _unit(
    attribution: Attribution,
    name: str,
    value: float,
    members: Sequence[int],
    sign: int,
    digits: int,
) -> str:
    """A body part with its points, and the joint of it that moved the score most that way.

    No joint where the method tells none of the part's joints apart.
    """
    joints = sign * attribution.by_joint()[list(members)]
    points = fixed(value, digits, sign=True)
    if len(members) == 1:
        return f"{name} ({points})"
    if np.ptp(joints) < 1e-9:
        return f"the {name} ({points})"
    first = int(joints.argmax())
    inside = fixed(sign * joints[first], digits, sign=True)
    return f"the {name} ({points}, {attribution.joints[members[first]]} alone {inside})"


def _units(attribution: Attribution) -> tuple[dict[str, float], dict[str, Sequence[int]]]:
    """Body parts by name with their sums and joints; single joints where there are no parts."""
    by_joint = attribution.by_joint()
    members: dict[str, Sequence[int]]
    members = {part.replace("_", " "): m for part, m in attribution.parts.items()}
    members = members or {name: (joint,) for joint, name in enumerate(attribution.joints)}
    return {name: float(by_joint[list(m)].sum()) for name, m in members.items()}, members


def _stand_out(attribution: Attribution, method: str) -> str:
    """The clause for values without a sign."""
    by_joint = attribution.by_joint()
    mean = float(by_joint.mean())
    ratios = by_joint / mean if mean else by_joint * 0 + 1
    order = sorted(range(len(ratios)), key=lambda joint: -ratios[joint])[:3]
    if ratios[order[0]] < _EVEN:
        return (
            f"by {method} all joints are nearly alike (no joint has more than "
            f"{ratios[order[0]]:.2f} times an even share), so it says nothing of single joints"
        )
    named = [f"{attribution.joints[joint]} ({ratios[joint]:.1f})" for joint in order]
    return f"by {method}, {_listed(named)} stand out, in times an even share"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

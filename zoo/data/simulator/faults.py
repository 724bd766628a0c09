"""Faults of known size, what they cost, and what is kept of them as truth.

Every fault has a size in its own unit and a severity, size / full size, between 0 and 1. The score
follows KIMORE's form, total (0–50) = primary outcome (0–15) + control factors (0–35):

    primary = 15 − Σ_f primary_f · severity_f
    control = 35 − Σ_f control_f · severity_f

Three raters each add normal noise to both parts, round to whole points and stay in range; the mean
of the three is the score, so that it comes in thirds, as in KIMORE.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zoo.build import build
from zoo.data.manifest import RecordingInfo
from zoo.data.recording import Recording
from zoo.errors import DataError

PRIMARY, CONTROL = 15.0, 35.0
"""Highest primary outcome and control factors score."""


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Attributes:
        name: what the truth calls it.
        full: size that counts as severity 1.
        unit: of the size.
        primary: points of the primary outcome lost at severity 1.
        control: points of the control factors lost at severity 1.
        meaning: in words.
    """

    name: str
    full: float
    unit: str
    primary: float
    control: float
    meaning: str

    @property
    def points(self) -> float:
        """Points lost at severity 1."""
        return self.primary + self.control


FAULTS: tuple[Fault, ...] = (
    Fault("range", 0.6, "share", 10, 7, "share of the exercise's range of motion that is missing"),
    Fault("asymmetry", 0.5, "share", 5, 9, "share of the range missing on the affected side alone"),
    Fault("compensation", 25.0, "degrees", 0, 13, "trunk movement that does not belong there"),
    Fault("tempo", 0.45, "share", 0, 4, "spread of the repetitions' duration; pauses come with it"),
    Fault("tremor", 6.0, "degrees", 0, 2, "shaking of forearms and hands at 4–6 Hz"),
)
"""All faults; their points add up to 15 and 35."""


Sizes = Mapping[str, float]
"""Size of every fault, by name, in its own unit."""


@dataclass(frozen=True)
class Group:
    """A clinical group.

    Attributes:
        name: as in KIMORE, such as ``GPP/Stroke``.
        prefix: of its people's ids.
        weight: its share of the people (KIMORE's counts).
        severity: mean of a person's overall severity.
        spread: concentration of the Beta law of that severity; lower is wider.
        profile: how strongly it shows in each fault, in the order of `FAULTS`.
        slowness: how much slower a person of severity 1 moves, as a share.
    """

    name: str
    prefix: str
    weight: int
    severity: float
    spread: float
    profile: tuple[float, float, float, float, float]
    slowness: float


GROUPS: tuple[Group, ...] = (
    Group("CG/Expert", "E", 17, 0.10, 14.0, (0.9, 0.8, 0.9, 0.8, 0.1), 0.1),
    Group("CG/NotExpert", "NE", 27, 0.17, 10.0, (0.9, 0.9, 1.1, 1.1, 0.1), 0.2),
    Group("GPP/BackPain", "B", 8, 0.29, 10.0, (1.1, 0.7, 1.3, 0.9, 0.1), 0.4),
    Group("GPP/Parkinson", "P", 16, 0.33, 10.0, (1.2, 0.8, 0.9, 1.3, 1.3), 0.2),
    Group("GPP/Stroke", "S", 10, 0.40, 12.0, (0.9, 1.4, 1.1, 0.8, 0.2), 0.5),
)


def group_of(person: int) -> tuple[Group, int]:
    """Group of the person with this number (from 0) and the number within the group (from 1).

    People are assigned so that after every one of them the groups are as near to KIMORE's shares
    as can be; so who comes later changes nobody before.
    """
    counts = [0] * len(GROUPS)
    total = sum(group.weight for group in GROUPS)
    chosen = 0
    for n in range(1, person + 2):
        chosen = max(
            range(len(GROUPS)), key=lambda g: (n * GROUPS[g].weight - counts[g] * total, -g)
        )
        counts[chosen] += 1
    return GROUPS[chosen], counts[chosen]


def draw_tendency(rng: np.random.Generator, group: Group) -> np.ndarray:
    """A person's tendency to each fault (5,), as severities that exercises vary about."""
    alpha = group.severity * group.spread
    overall = rng.beta(alpha, group.spread - alpha)
    return overall * np.array(group.profile) * np.exp(rng.normal(0.0, 0.2, len(FAULTS)))


def draw_sizes(rng: np.random.Generator, tendency: np.ndarray) -> dict[str, float]:
    """Fault sizes of one performance, about the person's tendency (5,)."""
    day = rng.normal(0.0, 0.25) + rng.normal(0.0, 0.2, len(FAULTS))
    severity = 1 - np.exp(-1.4 * tendency * np.exp(day))
    return {f.name: round(float(s) * f.full, 4) for f, s in zip(FAULTS, severity, strict=True)}


def lost_points(sizes: Sizes) -> dict[str, tuple[float, float]]:
    """Points of the primary outcome and of the control factors that each fault costs."""
    lost = {}
    for fault in FAULTS:
        severity = min(sizes[fault.name] / fault.full, 1.0)
        lost[fault.name] = (fault.primary * severity, fault.control * severity)
    return lost


def rate(rng: np.random.Generator, sizes: Sizes, rater_sd: float) -> dict[str, float]:
    """Scores ``total``, ``primary`` and ``control`` as three raters give them on average.

    Args:
        rng: of the noise.
        sizes: fault sizes.
        rater_sd: standard deviation of the noise in the mean total, points, before rounding.
    """
    lost = lost_points(sizes).values()
    parts = {"primary": PRIMARY, "control": CONTROL}
    # Split so that the variances add up and each part has noise in proportion to its range.
    scale = rater_sd * np.sqrt(3.0) / np.hypot(PRIMARY, CONTROL)
    given = {}
    for i, (part, highest) in enumerate(parts.items()):
        true = highest - sum(points[i] for points in lost)
        votes = np.rint(true + rng.normal(0.0, scale * highest, 3))
        given[part] = float(np.sum(np.clip(votes, 0.0, highest))) / 3
    return {"total": given["primary"] + given["control"], **given}


@dataclass(frozen=True)
class Truth:
    """What is known of a simulated recording and of no real one.

    Attributes:
        sizes: size of every fault in its own unit (`FAULTS`).
        side: the affected side, ``left`` or ``right``.
        points: points that every fault costs.
        joints: points lost at each joint at fault; irregular tempo belongs to no joint.
        total: score without rater noise.
        repetitions: first frame and the one after the last of every repetition.
    """

    sizes: Mapping[str, float]
    side: str
    points: Mapping[str, float]
    joints: Mapping[str, float]
    total: float
    repetitions: tuple[tuple[int, int], ...]


def truth(recording: Recording | RecordingInfo) -> Truth:
    """The known truth of a simulated recording or of its entry in a dataset's index.

    Raises:
        DataError: the recording has none: it is a real one.
    """
    kept = recording.extra.get("truth")
    if kept is None:
        raise DataError(
            f"recording {recording.id} has no known truth; only those of the dataset `synthetic` do"
        )
    return build(Truth, kept, f"recording {recording.id}: truth")

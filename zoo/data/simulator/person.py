"""Who performs: body, faults, tempo and habits of one person, and how they differ by session."""

from dataclasses import dataclass

import numpy as np

from zoo.data.rotation import Array
from zoo.data.simulator.body import JOINTS, Body, sample_body
from zoo.data.simulator.faults import Group, Sizes, draw_sizes, draw_tendency, group_of
from zoo.data.simulator.pose import Stance


def stream(seed: int, person: int, exercise: int) -> np.random.Generator:
    """The random stream of one person and exercise; exercise 0 is the person as such.

    Streams are children of one seed by position, so nobody's depends on how many people there are.
    """
    return np.random.Generator(
        np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(person, exercise)))
    )


@dataclass(frozen=True)
class Person:
    """A simulated person.

    Attributes:
        id: such as ``P_ID3``.
        group: clinical group.
        body: the true body.
        side: the affected side.
        tendency: severity of each fault that performances vary about (5,).
        pace: factor on all durations.
        place: of the feet's middle: right of the camera's axis and away from it, metres.
        heading: degrees that the person is turned from facing the camera.
        camera: height above the ground in metres, and degrees that it looks down.
    """

    id: str
    group: Group
    body: Body
    side: str
    tendency: Array
    pace: float
    place: tuple[float, float]
    heading: float
    camera: tuple[float, float]


def sample_person(seed: int, number: int) -> Person:
    """The person with this number, from 0."""
    rng = stream(seed, number, 0)
    group, nth = group_of(number)
    body = sample_body(rng)
    tendency = draw_tendency(rng, group)
    slower = 1 + group.slowness * min(float(np.mean(tendency)), 1.0)
    return Person(
        id=f"{group.prefix}_ID{nth}",
        group=group,
        body=body,
        side="left" if rng.random() < 0.5 else "right",
        tendency=tendency,
        pace=slower * float(np.exp(np.clip(rng.normal(0.0, 0.13), -0.3, 0.3))),
        place=(rng.normal(-0.1, 0.16), float(np.clip(rng.normal(2.8, 0.3), 2.1, 3.6))),
        heading=rng.normal(0.0, 3.0),
        camera=(float(np.clip(rng.normal(1.5, 0.2), 1.0, 2.0)), rng.normal(6.0, 3.0)),
    )


@dataclass(frozen=True)
class Session:
    """One performance's circumstances.

    Attributes:
        body: as the sensor sees it.
        sizes: fault sizes.
        side: the affected side.
        pace: factor on all durations.
        amplitude: natural factor on the range of motion, no fault.
        repetitions: how many.
        stance: how the feet stand.
        habit: degrees by which posture channels are off, no fault.
        place, heading: as in `Person`.
    """

    body: Body
    sizes: Sizes
    side: str
    pace: float
    amplitude: float
    repetitions: int
    stance: Stance
    habit: dict[str, float]
    place: tuple[float, float]
    heading: float


_HABITS = {"trunk_lean": 1.5, "trunk_tilt": 0.7, "neck_lean": 4.0}
_ARM_HABITS = {"plane": 3.0, "elbow": 3.0, "turn": 5.0, "wrist": 5.0}


def sample_session(rng: np.random.Generator, person: Person, repetitions: int) -> Session:
    """Draws how `person` performs one exercise of about `repetitions` repetitions."""
    sizes = draw_sizes(rng, person.tendency)
    extra = int(rng.integers(-1, 2)) if repetitions > 1 else 0
    habit = {name: rng.normal(0.0, sd) for name, sd in _HABITS.items()}
    for name, sd in _ARM_HABITS.items():
        both = rng.normal(0.0, sd)
        for side in ("left", "right"):
            habit[f"{name}_{side}"] = both + rng.normal(0.0, sd / 4)
    scale = 1 + rng.normal(0.0, 0.02)
    bone_errors = np.clip(rng.normal(0.0, 0.04, len(JOINTS)), -0.1, 0.1)
    return Session(
        body=person.body.seen(scale, bone_errors),
        sizes=sizes,
        side=person.side,
        pace=person.pace * float(np.exp(rng.normal(0.0, 0.06))),
        amplitude=float(np.clip(rng.normal(1.0, 0.02), 0.93, 1.06)),
        repetitions=repetitions + extra,
        stance=Stance(
            half_width=float(np.clip(rng.normal(0.14, 0.03), 0.07, 0.23)),
            toes_out=rng.normal(10.0, 5.0),
            stagger=rng.normal(0.0, 0.015),
        ),
        habit=habit,
        place=(person.place[0] + rng.normal(0.0, 0.05), person.place[1] + rng.normal(0.0, 0.08)),
        heading=person.heading + rng.normal(0.0, 2.0),
    )

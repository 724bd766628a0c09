"""One person performs one exercise before the camera: from a seed to a recording."""

from dataclasses import dataclass

import numpy as np

from zoo.build import to_plain
from zoo.data.recording import Recording
from zoo.data.rotation import Array
from zoo.data.simulator.exercises import EXERCISES, Actor
from zoo.data.simulator.faults import Truth, lost_points, rate
from zoo.data.simulator.motion import wander
from zoo.data.simulator.person import Person, Session, sample_person, sample_session, stream
from zoo.data.simulator.pose import SIDES, Skeleton, solve
from zoo.data.simulator.sensor import observe

_SWAY = {"trunk_lean": 1.2, "trunk_tilt": 0.8, "trunk_twist": 1.2}
_SWAY_ARM = {"lift": 1.2, "plane": 1.5, "elbow": 1.5}
_SHAKEN = {"elbow": 1.0, "wrist": 1.0, "turn": 0.7}


@dataclass(frozen=True)
class Settings:
    """How recordings are made.

    Attributes:
        seed: of everything.
        repetitions: about how many repetitions a recording has (one more or less).
        fps: frames per second.
        noise: sensor noise as a multiple of the one measured on KIMORE.
        lost: how often joints are inferred or lost, as a multiple of KIMORE's rates.
        rater_sd: standard deviation of the raters' noise in the total score, points.
    """

    seed: int = 3407
    repetitions: int = 5
    fps: float = 30.0
    noise: float = 1.0
    lost: float = 1.0
    rater_sd: float = 1.5


@dataclass(frozen=True)
class Performance:
    """A movement before any sensor, and its truth.

    Attributes:
        person: who.
        session: circumstances.
        skeleton: exact positions and rotations in the person frame.
        truth: faults, what they cost, and when the repetitions are.
    """

    person: Person
    session: Session
    skeleton: Skeleton
    truth: Truth


def perform(
    person: Person, exercise: str, settings: Settings, rng: np.random.Generator
) -> Performance:
    """Lets `person` do an exercise (``1`` to ``5``)."""
    kind = EXERCISES[exercise]
    session = sample_session(rng, person, settings.repetitions)
    actor = Actor(session, rng, kind.seconds)
    kind.perform(actor)
    channels = actor.line.sample(settings.fps)
    _individualise(channels, session, rng, settings.fps)
    costs = {name: sum(parts) for name, parts in lost_points(session.sizes).items()}
    points = {name: round(cost, 4) for name, cost in costs.items()}
    joints = {n: round(p, 4) for n, p in kind.joints(costs, session.side).items() if p >= 5e-5}
    spans = tuple(
        (round(start * settings.fps), round(stop * settings.fps))
        for start, stop in actor.repetitions
    )
    total = round(50.0 - sum(points.values()), 4)
    truth = Truth(session.sizes, session.side, points, joints, total, spans)
    return Performance(person, session, solve(session.body, session.stance, channels), truth)


def record(number: int, exercise: str, settings: Settings) -> Recording:
    """The recording of the person with this number (from 0) at an exercise (``1`` to ``5``)."""
    person = sample_person(settings.seed, number)
    rng = stream(settings.seed, number, int(exercise))
    done = perform(person, exercise, settings, rng)
    place, heading = done.session.place, done.session.heading
    sensor = (settings.noise, settings.lost, settings.fps)
    seen = observe(rng, done.skeleton, place, heading, person.camera, *sensor)
    return Recording(
        id=f"{person.id}/Es{exercise}",
        subject=person.id,
        group=person.group.name,
        exercise=exercise,
        session="1",
        layout="kinect-v2",
        fps=settings.fps,
        **seen,
        scores=rate(rng, done.session.sizes, settings.rater_sd),
        extra={"truth": to_plain(done.truth)},
    )


def _individualise(
    channels: dict[str, Array], session: Session, rng: np.random.Generator, fps: float
) -> None:
    """Adds to the planned channels what is the person's own: habits, sway and tremor."""
    frames = len(channels["phase"])
    for name, offset in session.habit.items():
        channels[name] += offset
    sizes = {**_SWAY, **{f"{n}_{side}": sd for n, sd in _SWAY_ARM.items() for side in SIDES}}
    sway = wander(rng, frames, 0.9 * fps, (len(sizes),))
    for i, (name, size) in enumerate(sizes.items()):
        channels[name] += size * sway[:, i]
    shift = wander(rng, frames, 1.5 * fps, (2,)) * 0.008
    channels["pelvis_x"] += shift[:, 0]
    channels["pelvis_z"] += shift[:, 1]
    _shake(channels, session, rng, fps)
    for side in SIDES:
        for name, least in (("elbow", 2.0), ("knee", 2.0), ("lift", 3.0)):
            channels[f"{name}_{side}"] = np.maximum(channels[f"{name}_{side}"], least)


def _shake(
    channels: dict[str, Array], session: Session, rng: np.random.Generator, fps: float
) -> None:
    """Tremor at 4–6 Hz, stronger on the affected side, in swelling and ebbing spells."""
    frames = len(channels["phase"])
    for side in SIDES:
        share = 1.2 if side == session.side else 0.8
        size = session.sizes["tremor"] * share
        pitch, start = rng.uniform(4.0, 6.0), rng.uniform(0.0, 2 * np.pi)
        swell = np.maximum(1 + 0.4 * wander(rng, frames, fps, ()), 0.0)
        wave = size * swell * np.sin(2 * np.pi * pitch * np.arange(frames) / fps + start)
        for name, part in _SHAKEN.items():
            channels[f"{name}_{side}"] += part * wave

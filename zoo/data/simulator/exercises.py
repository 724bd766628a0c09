"""The five exercises, modelled on KIMORE's, and how each fault shows in them.

Ranges of motion, tempo and posture are those of KIMORE's experts (Capecci et al. 2019), measured on
their recordings: arms lifted to about 160°, trunk tilted 16° to either side, shoulders turned 62°
with 40° of it in the pelvis, the pelvis on a circle of 9 cm, knees bent to 105°.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from zoo.data.simulator.motion import Timeline
from zoo.data.simulator.person import Session
from zoo.data.simulator.pose import NEUTRAL, SIDES


@dataclass
class Actor:
    """One person at one exercise: draws what differs from repetition to repetition.

    Attributes:
        session: circumstances and faults.
        rng: random stream of the performance.
        seconds: nominal duration of one repetition.
    """

    session: Session
    rng: np.random.Generator
    seconds: float

    def __post_init__(self) -> None:
        self.line = Timeline(NEUTRAL)
        self.repetitions: list[tuple[float, float]] = []
        sizes = self.session.sizes
        self.affected = self.session.side
        self.other = "right" if self.affected == "left" else "left"
        self.compensation = sizes["compensation"]
        self.asymmetry = sizes["asymmetry"]
        self._tempo = sizes["tempo"]
        self._share = 1.0
        self._duration = self.seconds

    @property
    def away(self) -> float:
        """Sign of x away from the affected side."""
        return -SIDES[self.affected]

    def rest(self, seconds: float) -> None:
        """Waits about `seconds`."""
        self.line.move(seconds * self.rng.uniform(0.5, 1.5))

    def prepare(self, seconds: float, **targets: float) -> None:
        """Takes up the posture in which the repetitions begin."""
        self.line.move(seconds * self.session.pace * self.rng.uniform(0.8, 1.2), **targets)
        self.rest(0.4)

    def begin(self) -> None:
        """Starts a repetition: draws its duration and range."""
        spread = self.rng.normal(0.0, 0.04) + self._tempo * self.rng.normal(0.0, 1.0)
        self._duration = (
            self.seconds * self.session.pace * float(np.exp(np.clip(spread, -0.7, 0.7)))
        )
        lost = self.session.sizes["range"]
        self._share = self.session.amplitude * (1 - lost) * (1 + self.rng.normal(0.0, 0.02))
        self.mark()

    def mark(self) -> None:
        """Lets the repetition start now."""
        self._start = self.line.now

    def end(self, pause: float) -> None:
        """Ends a repetition and waits about `pause` seconds."""
        self.repetitions.append((self._start, self.line.now))
        if pause:
            self.rest(pause)

    def part(self, full: float, side: str | None = None) -> float:
        """How much of a range of motion `full` this repetition reaches, on `side`."""
        short = self.asymmetry if side == self.affected else 0.0
        return full * self._share * (1 - short)

    def go(self, share: float, **targets: float) -> None:
        """Moves for a `share` of the repetition; with irregular tempo it may stop on the way."""
        seconds = share * self._duration
        if self.rng.random() >= 1.5 * self._tempo:
            self.line.move(seconds, **targets)
            return
        there = self.rng.uniform(0.35, 0.65)
        now = self.line.posture
        half_way = {k: now[k] + there * (value - now[k]) for k, value in targets.items()}
        self.line.move(seconds * there, **half_way)
        self.line.move(self.rng.uniform(0.2, 0.7))
        self.line.move(seconds * (1 - there), **targets)


def _raised(actor: Actor, lift: float, plane: float, elbow: float) -> dict[str, float]:
    """Both arms held up for the whole exercise.

    In KIMORE, patients hold them up to a third lower than experts and with bent elbows; here that
    goes with missing range. The affected arm sags by as much again with asymmetry.
    """
    missing = min(actor.session.sizes["range"] / 0.6, 1.0)
    uneven = min(actor.asymmetry / 0.5, 1.0)
    targets: dict[str, float] = {}
    for side in SIDES:
        weak = missing + (uneven if side == actor.affected else 0.0)
        targets[f"plane_{side}"] = plane
        targets[f"lift_{side}"] = lift * (1 - 0.33 * weak)
        targets[f"elbow_{side}"] = elbow + 32.0 * weak
    return targets


def _home(*names: str) -> dict[str, float]:
    return {name: NEUTRAL[name] for name in NEUTRAL if not names or name.split("_")[0] in names}


def _arm_lift(a: Actor) -> None:
    """Both arms forwards and up over the head, and down again."""
    a.rest(1.0)
    for _ in range(a.session.repetitions):
        a.begin()
        up: dict[str, float] = {}
        for side in SIDES:
            short = a.asymmetry if side == a.affected else 0.0
            up[f"plane_{side}"] = 22.0
            up[f"lift_{side}"] = NEUTRAL[f"lift_{side}"] + a.part(142.0, side)
            up[f"elbow_{side}"] = 20.0 + 70.0 * short
        up["trunk_lean"] = -0.8 * a.compensation
        up["trunk_tilt"] = 0.5 * a.compensation * a.away
        a.go(0.5, **up)
        a.go(0.5, **_home("lift", "plane", "elbow", "trunk"))
        a.end(0.2)
    a.rest(0.6)


def _lateral_tilt(a: Actor) -> None:
    """Arms up and outstretched, the trunk tilts to one side and the other."""
    a.rest(0.8)
    a.prepare(1.6, **_raised(a, 150.0, 30.0, 18.0))
    for _ in range(a.session.repetitions):
        a.begin()
        for side in (a.other, a.affected):
            sign = SIDES[side]
            a.go(
                0.46,
                trunk_tilt=sign * a.part(16.5, side),
                pelvis_x=-sign * a.part(0.05, side),
                trunk_lean=0.7 * a.compensation,
                trunk_twist=-sign * 0.8 * a.compensation,
            )
        a.go(0.08, pelvis_x=a.line.posture["pelvis_x"])
        a.end(0.0)
    a.go(0.3, **_home("trunk", "pelvis"))
    a.prepare(1.4, **_home())


def _trunk_rotation(a: Actor) -> None:
    """Arms straight ahead, shoulders and pelvis turn to one side and the other."""
    a.rest(0.8)
    raised = _raised(a, 86.0, 8.0, 18.0)
    a.prepare(1.2, **raised)
    for _ in range(a.session.repetitions):
        a.begin()
        for side in (a.other, a.affected):
            # A turn to the right is a negative twist; the arm that crosses the chest bends.
            sign = -SIDES[side]
            crossing = "left" if side == "right" else "right"
            elbows = {f"elbow_{s}": raised[f"elbow_{s}"] for s in SIDES}
            elbows[f"elbow_{crossing}"] += a.part(32.0, side)
            a.go(
                0.47,
                pelvis_twist=sign * a.part(38.0, side),
                trunk_twist=sign * a.part(24.0, side),
                trunk_lean=0.6 * a.compensation,
                trunk_tilt=SIDES[side] * 0.8 * a.compensation,
                **elbows,
            )
        a.go(0.06, pelvis_x=0.0)
        a.end(0.0)
    a.go(0.3, **_home("trunk", "pelvis"))
    a.prepare(1.2, **_home())


def _pelvis_rotation(a: Actor) -> None:
    """Hands on the hips, the pelvis goes round in a circle, the chest stays where it is."""
    a.rest(0.8)
    hips = {"lift": 40.0, "plane": 105.0, "turn": 62.0, "elbow": 92.0, "wrist": -20.0}
    severity = min(a.compensation / 25.0, 1.0)
    a.prepare(1.4, **{f"{name}_{side}": value for name, value in hips.items() for side in SIDES})
    a.line.move(0.6, counter=0.9 * (1 - severity), trunk_lean=0.7 * a.compensation)
    for n in range(a.session.repetitions):
        a.begin()
        # Missing range on one side alone: a smaller circle, shifted the other way.
        wide = a.part(0.10)
        a.line.move(
            0.2 if n else 0.9,
            orbit_x=wide * (1 - a.asymmetry / 2),
            orbit_z=a.part(0.085) * (1 - a.asymmetry / 2),
            pelvis_x=a.away * wide * a.asymmetry / 2,
            trunk_tilt=a.away * 20.0 * a.asymmetry,
        )
        a.mark()
        turn = 360.0 * n
        a.go(0.5, phase=turn + 180.0)
        a.go(0.5, phase=turn + 360.0)
        a.end(0.0)
    a.line.move(0.8, **_home("orbit", "pelvis", "trunk", "counter"))
    a.prepare(1.2, **_home("lift", "plane", "turn", "elbow", "wrist"))


def _squat(a: Actor) -> None:
    """Arms straight ahead, knees bend and stretch, feet flat on the ground."""
    a.rest(0.8)
    arms = _raised(a, 84.0, 10.0, 24.0)
    a.prepare(1.2, **arms)
    severity = min(a.asymmetry / 0.5, 1.0)
    for _ in range(a.session.repetitions):
        a.begin()
        down = a.part(1.0)
        bend = 8.0 + 97.0 * down
        shift = a.away * severity * down
        a.go(
            0.5,
            **{f"knee_{a.other}": bend, f"knee_{a.affected}": bend * (1 - 0.3 * a.asymmetry)},
            pelvis_z=-0.13 * down,
            # The arms stay level while the trunk leans.
            **{f"lift_{side}": arms[f"lift_{side}"] + 18.0 * down for side in SIDES},
            trunk_lean=20.0 * down + a.compensation,
            pelvis_x=0.10 * shift,
            pelvis_twist=-8.0 * shift,
            trunk_tilt=14.0 * shift,
        )
        a.go(0.5, **_home("knee", "pelvis", "trunk"), **arms)
        a.end(0.25)
    a.prepare(1.2, **_home())


@dataclass(frozen=True)
class Exercise:
    """One exercise.

    Attributes:
        title: what the person does.
        seconds: nominal duration of one repetition.
        perform: lets an actor do it.
        blame: fault → joint → share of the fault's points; ``*`` stands for the affected side
            and ``+`` for both sides alike. What it does not say of compensation and tremor is as
            in every exercise; irregular tempo is no joint's fault.
    """

    title: str
    seconds: float
    perform: Callable[[Actor], None]
    blame: Mapping[str, Mapping[str, float]]

    def joints(self, points: Mapping[str, float], side: str) -> dict[str, float]:
        """Points lost at each joint at fault.

        Args:
            points: points that every fault costs.
            side: the affected side.
        """
        lost: dict[str, float] = {}
        for fault, shares in {**self.blame, **_USUAL, **self.blame}.items():
            for joint, share in shares.items():
                names = [joint]
                if joint.endswith("*"):
                    names = [joint.replace("*", side.capitalize())]
                elif joint.endswith("+"):
                    names = [joint.replace("+", s.capitalize()) for s in SIDES]
                for name in names:
                    lost[name] = lost.get(name, 0.0) + points[fault] * share / len(names)
        return lost


_USUAL: Mapping[str, Mapping[str, float]] = {
    "compensation": {"SpineBase": 0.7, "SpineShoulder": 0.3},
    "tremor": {"Elbow+": 0.4, "Wrist+": 0.6},
}

EXERCISES: Mapping[str, Exercise] = {
    "1": Exercise(
        "arm lift: both arms up in front of the body",
        3.1,
        _arm_lift,
        {
            "range": {"Shoulder+": 1.0},
            "asymmetry": {"Shoulder*": 0.7, "Elbow*": 0.3},
        },
    ),
    "2": Exercise(
        "lateral tilt of the trunk with the arms extended",
        3.3,
        _lateral_tilt,
        {
            "range": {"SpineBase": 0.5, "SpineShoulder": 0.2, "Shoulder+": 0.2, "Elbow+": 0.1},
            "asymmetry": {"SpineBase": 0.4, "SpineShoulder": 0.1, "Shoulder*": 0.3, "Elbow*": 0.2},
        },
    ),
    "3": Exercise(
        "rotation of the trunk",
        3.3,
        _trunk_rotation,
        {
            "range": {"SpineBase": 0.5, "SpineMid": 0.2, "Shoulder+": 0.2, "Elbow+": 0.1},
            "asymmetry": {"SpineBase": 0.3, "SpineMid": 0.2, "Shoulder*": 0.3, "Elbow*": 0.2},
        },
    ),
    "4": Exercise(
        "rotation of the pelvis in the transverse plane",
        3.3,
        _pelvis_rotation,
        {
            "range": {"SpineBase": 0.4, "Hip+": 0.6},
            "asymmetry": {"Hip*": 1.0},
        },
    ),
    "5": Exercise(
        "squat",
        2.7,
        _squat,
        {
            "range": {"Knee+": 0.4, "Hip+": 0.3, "Shoulder+": 0.2, "Elbow+": 0.1},
            "asymmetry": {"Knee*": 0.3, "Hip*": 0.4, "Shoulder*": 0.2, "Elbow*": 0.1},
            "compensation": {"SpineBase": 1.0},
        },
    ),
}
"""The exercises by id, as in KIMORE."""

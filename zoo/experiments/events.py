"""What happens to a run while it is computed, and how it ends: plain data."""

from dataclasses import dataclass

STARTED, EPOCH = "started", "epoch"
FINISHED, THERE, FAILED, BUSY = "finished", "there", "failed", "busy"
NO_ROOM, STOPPED, LOST, AGAIN = "no room", "stopped", "lost", "again"


@dataclass(frozen=True)
class Event:
    """One thing that has happened: `vars` gives plain values, `Event(**values)` takes them back.

    Attributes:
        kind: ``started`` and ``epoch`` come from a run at work, all others end it:
            ``finished``: computed now; ``there``: somebody had computed it already; ``failed``:
            with `message` and `traceback`; ``busy``: another process writes it; ``no room``: the
            disk refuses; ``stopped``: asked to, what was computed is kept; ``lost``: its process
            died, and `message` says how; ``again``: nothing came of it through no fault of its
            own, such as a process that had imported the model before its code was changed.
        epoch: epochs that are done.
        epochs: how many there will be at most.
        mad: on validation people while at work, on test people at the end, in score units.
        seconds: of computing.
        message: one line.
        traceback: of a failure.
    """

    kind: str
    epoch: int = 0
    epochs: int = 0
    mad: float | None = None
    seconds: float = 0.0
    message: str = ""
    traceback: str = ""

    @property
    def is_end(self) -> bool:
        """Whether nothing more comes of this run."""
        return self.kind not in (STARTED, EPOCH)

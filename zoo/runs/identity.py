"""Which runs belong together: those of one model with one choice of settings."""

from typing import NamedTuple

from zoo.runs.run import Run


class Identity(NamedTuple):
    """What makes an entry of a board: model, who provides it, and all settings as JSON."""

    model: str
    provider: str
    settings: str

    @classmethod
    def of(cls, run: Run) -> "Identity":
        """The entry that a run belongs to."""
        return cls(run.record.model.name, run.record.model.source.provider, run.settings)

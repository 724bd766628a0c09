"""Errors a user can cause and mend. The command line prints their message and exits with 2."""

from registry.errors import ConfigError as ConfigError
from registry.errors import UserError as UserError
from registry.errors import ZooError as ZooError


class DataError(ZooError):
    """Data that is missing, malformed, or does not fit what asks for it."""


class LayoutError(DataError):
    """A skeleton layout that is no tree, not connected, or not named consistently."""


class LeakageError(ZooError):
    """A person or a recording stands on both sides of a split that promises otherwise."""


class CheckpointError(ZooError):
    """A checkpoint that is damaged or belongs to other data, another layout or another model."""


class TrainingError(ZooError):
    """Training that cannot go on, such as a loss that is no longer finite."""


class ExportError(ZooError):
    """A model that cannot be written as a graph, or a graph that does not say what it says."""

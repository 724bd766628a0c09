"""Why a trained model is not written for other programs."""

from zoo.errors import ZooError


class ExportError(ZooError):
    """A model that cannot be written as a graph, or a graph that does not say what it says."""

"""Training, validation or test samples of a fold, as a model is fed with them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from zoo.data.batch import Batch
from zoo.data.samples import SampleSet

if TYPE_CHECKING:
    from torch_geometric.data import Data


@dataclass(frozen=True, eq=False)
class Part:
    """N samples of a fold.

    Attributes:
        batch: scaled streams, each (N, T, V, C), with their mask.
        target: (N,) standardised scores; the fold's `target_scaler` turns them back.
        samples: the same, unscaled, and where each comes from.
    """

    batch: Batch
    target: Tensor
    samples: SampleSet

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def score(self) -> Tensor:
        """(N,) clinical scores, in score units."""
        return self.samples.target

    @property
    def subject(self) -> list[str]:
        """Who performed each sample."""
        return self.samples.subject

    @property
    def recording(self) -> list[str]:
        """Id of the recording that each sample was cut from."""
        return self.samples.recording

    @property
    def group(self) -> list[str]:
        """Clinical group of each sample's person."""
        return self.samples.group

    def to_pyg(self, nodes: str = "joint-frames") -> "list[Data]":
        """Scaled samples as graphs of PyTorch Geometric; ``y`` is the standardised score.

        Args:
            nodes: ``joint-frames`` or ``joints``, see `zoo.data.pyg.to_graphs`.
        """
        from zoo.data.pyg import to_graphs

        return to_graphs(self.samples, nodes, batch=self.batch, target=self.target)

"""Ridge regression as a module: fitted in closed form, kept as plain tensors.

Then how far a straight line gets: from the mean pose, and from the motion itself.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from baselines.described import DescribedModel
from zoo.data.batch import Batch
from zoo.data.transforms import pelvis_joints
from zoo.errors import ConfigError, TrainingError
from zoo.nn.masking import frame_mean
from zoo.nn.sequence import resample_frames
from zoo.skeleton.layout import Layout


class Ridge(nn.Module):
    r"""A line through standardised features, its weights kept small.

    .. math:: \min_w \lVert y - \bar y - Z w \rVert^2 + \alpha \lVert w \rVert^2

    with Z the features standardised over the training samples (a constant one is only centred).
    Of several α the one with the smallest squared error of exact leave-one-out is taken, which is
    known from one decomposition: e_i / (1 − h_ii) with e the residuals and h the leverages (Golub,
    Heath, Wahba 1979). The same as scikit-learn's ``StandardScaler`` and ``RidgeCV``; it stands
    here so that the trivial baselines need no extra.

    Args:
        alphas: strengths of the penalty to choose from, each above 0.

    Raises:
        ConfigError: no α, or one that is not above 0.
    """

    draws = False
    mean: Tensor
    scale: Tensor
    alpha: Tensor

    def __init__(self, alphas: float | Sequence[float] = (1, 10, 100, 1000, 10000, 100000)) -> None:
        super().__init__()
        self.alphas = [float(a) for a in (alphas if isinstance(alphas, Sequence) else (alphas,))]
        if not self.alphas or not all(a > 0 for a in self.alphas):
            raise ConfigError(f"alphas are {alphas!r}, expected one or more numbers above 0")
        self.weight = nn.Parameter(torch.zeros(0), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(()), requires_grad=False)
        self.register_buffer("mean", torch.zeros(0))
        self.register_buffer("scale", torch.ones(0))
        self.register_buffer("alpha", torch.tensor(self.alphas[0]))

    def fit(self, features: Tensor, target: Tensor) -> None:
        """Find the weights for `features` (N, D) and `target` (N,); computed in float64."""
        mean, deviation = features.mean(0), features.std(0, correction=0)
        scale = deviation.masked_fill(deviation <= 1e-7 * mean.abs(), 1.0)
        z = ((features - mean) / scale).double()
        z = z - z.mean(0)
        y = target.double() - target.double().mean()
        # U diag(s) Vᵀ = Z from the smaller of the two Gram matrices.
        wide = z.shape[0] <= z.shape[1]
        squared, vectors = torch.linalg.eigh(z @ z.T if wide else z.T @ z)
        squared, vectors = squared.flip(0), vectors.flip(1)
        kept = squared > 1e-12 * squared[0].clamp(min=1e-300)
        s, vectors = squared[kept].sqrt(), vectors[:, kept]
        u = vectors if wide else z @ vectors / s
        along = u.T @ y
        errors = []
        for alpha in self.alphas:
            shrunk = s**2 / (s**2 + alpha)
            leverage = 1 / len(y) + u.square() @ shrunk
            errors.append((((y - u @ (shrunk * along)) / (1 - leverage)) ** 2).mean())
        alpha = self.alphas[int(torch.stack(errors).argmin())]
        inner = s / (s**2 + alpha) * along
        weight = z.T @ (u @ (inner / s)) if wide else vectors @ inner
        self.weight = nn.Parameter(weight.float(), requires_grad=False)
        self.bias.copy_(target.mean())
        self.mean, self.scale = mean, scale
        self.alpha = torch.tensor(alpha, device=target.device)

    def forward(self, features: Tensor) -> Tensor:
        """Scores (N,) for `features` (N, D).

        Raises:
            TrainingError: it has not been fitted.
        """
        if not self.weight.numel():
            raise TrainingError("the ridge has no weights yet: call fit first")
        return ((features - self.mean) / self.scale) @ self.weight + self.bias


class PoseRidge(DescribedModel):
    """A line from the mean position of every joint over time, in the sensor's space, to the score.

    Args:
        alphas: strengths of the ridge's penalty to choose from by leave-one-out.
    """

    raw = True

    def __init__(
        self,
        layout: Layout,
        *,
        alphas: float | Sequence[float] = (0.1, 1, 10, 100, 1000, 10000, 100000),
    ) -> None:
        super().__init__(layout, Ridge(alphas))

    def describe(self, batch: Batch) -> Tensor:
        """Mean joint positions (N, 3 V) in metres."""
        return frame_mean(batch.stream("position"), batch.mask).flatten(1)


class MotionRidge(DescribedModel):
    """A line from every joint's way relative to the pelvis to the score.

    Args:
        layout: whose pelvis is the origin.
        frames: equally spaced frames that stand for a sequence.
        alphas: strengths of the ridge's penalty to choose from by leave-one-out.
    """

    raw = True

    def __init__(
        self,
        layout: Layout,
        *,
        frames: int = 20,
        alphas: float | Sequence[float] = (0.1, 1, 10, 100, 1000, 10000, 100000),
    ) -> None:
        super().__init__(layout, Ridge(alphas))
        self.frames = frames
        self._pelvis = pelvis_joints(layout)

    def describe(self, batch: Batch) -> Tensor:
        """Positions relative to each frame's pelvis, (N, frames · V · 3) in metres."""
        x = resample_frames(batch.stream("position"), batch.mask, self.frames)
        return (x - x[:, :, self._pelvis].mean(2, keepdim=True)).flatten(1)

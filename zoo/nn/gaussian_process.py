"""Gaussian-process regression: a score and how far it may be off, in closed form."""

import math
from typing import Any

import torch
from scipy.optimize import minimize
from torch import Tensor, nn

from zoo.data.batch import Prediction
from zoo.errors import TrainingError

_START = (0.5, 1.0, 0.5, 0.5)
_BOUNDS = ((1e-4, 1e2), (0.2, 1e2), (1e-4, 1e2), (1e-3, 1e1))
"""Of a, ℓ, b and σ²; the last one's lowest keeps K well conditioned."""


class GaussianProcess(nn.Module):
    r"""Exact Gaussian-process regression (Rasmussen, Williams 2006, chapters 2 and 5).

    .. math:: k(x, x') = a\, e^{-|x - x'|^2 / (2 \ell^2)} + b\, x \cdot x', \qquad
        K = k(X, X) + \sigma^2 I

    .. math:: \hat y(x) = k(x, X)\, K^{-1} y, \qquad
        v(x) = k(x, x) + \sigma^2 - k(x, X)\, K^{-1} k(X, x)

    with X (S, D) the training features, centred and divided by the root of their total variance,
    and y their standardised scores. Features keep their scales to one another, as in a linear
    layer: one that hardly varied in training must not become a large one. The linear part is a
    ridge's, what is curved comes on top of it, and far from all training samples v grows. The
    four numbers of k are those of the largest marginal likelihood,

    .. math:: \log p(y) = -\tfrac12 y^\top K^{-1} y - \tfrac12 \log |K| - \tfrac S2 \log 2\pi,

    found from one start by L-BFGS within bounds: the same samples give the same process. Computed
    in float64; the time grows with S³.

    Attributes:
        kernel: (4,) a, ℓ, b, σ².
        sized_by_data: its tensors' sizes follow from what it was fitted on, and are taken as they
            are where weights are loaded.
    """

    draws = False
    sized_by_data = True
    kernel: Tensor
    mean: Tensor
    scale: Tensor
    offset: Tensor
    spread: Tensor
    inputs: Tensor
    weights: Tensor
    whitening: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", torch.tensor(_START, dtype=torch.float64))
        for name, shape in (
            ("mean", (0,)),
            ("scale", ()),
            ("offset", ()),
            ("spread", ()),
            ("inputs", (0, 0)),
            ("weights", (0,)),
            ("whitening", (0, 0)),
        ):
            self.register_buffer(name, torch.zeros(shape, dtype=torch.float64))

    @property
    def fitted(self) -> bool:
        """Whether there are training samples."""
        return len(self.inputs) > 0

    def fit(self, features: Tensor, target: Tensor) -> None:
        """Find the kernel for `features` (S, D) and `target` (S,), and what it makes of them."""
        x, y = self._standardise(features, target)
        # On the CPU: a search in small steps of a few hundred samples.
        products, apart, y = _products(x, x).cpu(), _squares(x, x).cpu(), y.cpu()

        def loss(logs: Any) -> tuple[float, Any]:
            with torch.enable_grad():
                kernel = torch.tensor(logs, dtype=torch.float64).exp().requires_grad_()
                found = -_likelihood(_kernel(kernel, products, apart), kernel[3], y)
                (gradient,) = torch.autograd.grad(found, kernel)
            return float(found.detach()), (gradient * kernel.detach()).numpy()

        start = [math.log(value) for value in _START]
        bounds = [(math.log(low), math.log(high)) for low, high in _BOUNDS]
        found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
        self.kernel = torch.tensor(found.x, device=features.device).exp()
        self.condition(features, target)

    def condition(self, features: Tensor, target: Tensor) -> None:
        """Take these training samples, (S, D) and (S,), with the kernel as it is."""
        x, y = self._standardise(features, target)
        factor = _factor(_kernel(self.kernel, _products(x, x), _squares(x, x)), self.kernel[3])
        self.inputs, self.weights = x, torch.cholesky_solve(y[:, None], factor)[:, 0]
        one = torch.eye(len(x), dtype=x.dtype, device=x.device)
        self.whitening = torch.linalg.solve_triangular(factor, one, upper=False)

    def log_likelihood(self, features: Tensor, target: Tensor) -> float:
        """The log marginal likelihood of the standardised scores under the kernel as it is."""
        x, y = self._standardise(features, target)
        kernel = _kernel(self.kernel, _products(x, x), _squares(x, x))
        return float(_likelihood(kernel, self.kernel[3], y))

    def forward(self, features: Tensor) -> Prediction:
        """Scores and log variances (N,) of `features` (N, D), in units of the training scores.

        The variance is that of a score as it is given, noise and all.

        Raises:
            TrainingError: it has not been fitted.
        """
        if not self.fitted:
            raise TrainingError("the Gaussian process has no training samples yet: call fit first")
        x = (features.double() - self.mean) / self.scale
        known = _kernel(self.kernel, _products(x, self.inputs), _squares(x, self.inputs))
        amplitude, _, slope, noise = self.kernel.unbind()
        prior = amplitude + slope * x.square().sum(1)
        explained = (known @ self.whitening.T).square().sum(1)
        variance = (prior - explained).clamp(min=0) + noise
        score = known @ self.weights * self.spread + self.offset
        log_variance = (variance * self.spread**2).log()
        return Prediction(score.to(features.dtype), log_variance.to(features.dtype))

    def _standardise(self, features: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Features and scores in the units of the kernel; how it is done is kept for others."""
        x, y = features.detach().double(), target.detach().double()
        self.mean = x.mean(0)
        total = x.var(0, correction=0).sum().sqrt()
        self.scale = total.masked_fill(total <= 1e-6 * self.mean.norm(), 1.0)
        self.offset, spread = y.mean(), y.std(correction=0)
        self.spread = spread.masked_fill(spread <= 1e-6 * self.offset.abs(), 1.0)
        return (x - self.mean) / self.scale, (y - self.offset) / self.spread


def _products(x: Tensor, other: Tensor) -> Tensor:
    """Scalar products of each pair (N, M)."""
    return x @ other.T


def _squares(x: Tensor, other: Tensor) -> Tensor:
    """Squared distances of each pair (N, M)."""
    apart = x.square().sum(1)[:, None] + other.square().sum(1) - 2 * _products(x, other)
    return apart.clamp(min=0)


def _kernel(kernel: Tensor, products: Tensor, squares: Tensor) -> Tensor:
    amplitude, length, slope, _ = kernel.unbind()
    return amplitude * torch.exp(-squares / (2 * length**2)) + slope * products


def _factor(kernel: Tensor, noise: Tensor) -> Tensor:
    """L with L Lᵀ = K."""
    one = torch.eye(len(kernel), dtype=kernel.dtype, device=kernel.device)
    return torch.linalg.cholesky(kernel + noise * one)


def _likelihood(kernel: Tensor, noise: Tensor, y: Tensor) -> Tensor:
    factor = _factor(kernel, noise)
    white = torch.linalg.solve_triangular(factor, y[:, None], upper=False)
    scale = factor.diagonal().log().sum() + len(y) / 2 * math.log(2 * math.pi)
    return -white.square().sum() / 2 - scale

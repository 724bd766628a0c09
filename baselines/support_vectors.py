"""Support-vector regression as a module: fitted by scikit-learn, kept as plain tensors."""

import torch
from torch import Tensor, nn

from baselines.scikit import scikit


class SupportVectors(nn.Module):
    r"""Support-vector regression with a Gaussian kernel.

    .. math:: f(x) = b + \sum_i a_i \exp(-\gamma \lVert x - x_i \rVert^2)

    with γ one over the number of features and their variance, as scikit-learn's ``scale``. After
    `fit` scikit-learn is no longer needed.

    Args:
        penalty: C, what an error costs.
        tolerated: ε, an error that costs nothing, in standardised score units.
    """

    support: Tensor
    gamma: Tensor

    def __init__(self, penalty: float = 3.0, tolerated: float = 0.1) -> None:
        super().__init__()
        self.settings = {"C": penalty, "epsilon": tolerated}
        self.register_buffer("support", torch.zeros(0))
        self.register_buffer("gamma", torch.ones(()))
        self.weight = nn.Parameter(torch.zeros(0), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(()), requires_grad=False)

    def fit(self, features: Tensor, target: Tensor) -> None:
        """Find the support vectors for `features` (N, D) and `target` (N,)."""
        x = features.double().cpu()
        gamma = 1 / (x.shape[1] * float(x.var(correction=0)))
        found = scikit("svm").SVR(gamma=gamma, **self.settings)
        found.fit(x.numpy(), target.double().cpu().numpy())
        self.support = features.new_tensor(found.support_vectors_)
        self.gamma = features.new_tensor(gamma)
        self.weight = nn.Parameter(features.new_tensor(found.dual_coef_[0]), requires_grad=False)
        self.bias = nn.Parameter(features.new_tensor(found.intercept_[0]), requires_grad=False)

    def forward(self, features: Tensor) -> Tensor:
        """Scores (N,) for `features` (N, D)."""
        apart = torch.cdist(
            features, self.support, compute_mode="donot_use_mm_for_euclid_dist"
        ).square()
        return torch.exp(-self.gamma * apart) @ self.weight + self.bias

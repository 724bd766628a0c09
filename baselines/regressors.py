"""Support vectors and trees as modules: fitted by scikit-learn, kept as plain tensors."""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zoo.errors import TrainingError


def scikit(module: str) -> Any:
    """The module `module` of scikit-learn.

    Raises:
        TrainingError: it is not installed; the message says how to install it.
    """
    try:
        return importlib.import_module(f"sklearn.{module}")
    except ImportError as error:
        raise TrainingError(
            f"this model is fitted by scikit-learn, which cannot be imported ({error}). Install "
            "the extra: pip install 'skeleton-zoo[classical]'"
        ) from error


class SupportVectors(nn.Module):
    r"""Support-vector regression with a Gaussian kernel.

    .. math:: f(x) = b + \sum_i a_i \exp(-\gamma \lVert x - x_i \rVert^2)

    with γ one over the number of features and their variance, as scikit-learn's ``scale``. After
    `fit` scikit-learn is no longer needed.

    Args:
        penalty: C, what an error costs.
        tolerated: ε, an error that costs nothing, in standardised score units.
    """

    draws = False
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


class Trees(nn.Module, ABC):
    """A constant plus the sum over trees of the value of the leaf a sample falls into.

    The nodes of all trees stand one after the other. A sample goes left where its feature is at
    most the threshold; a leaf leads to itself. So predicting needs no scikit-learn, and gives what
    its estimator gives.
    """

    roots: Tensor
    left: Tensor
    right: Tensor
    feature: Tensor
    depth: Tensor

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.settings = settings
        for name in ("roots", "left", "right", "feature"):
            self.register_buffer(name, torch.zeros(0, dtype=torch.int32))
        self.register_buffer("depth", torch.zeros((), dtype=torch.int32))
        self.threshold = _fixed(torch.zeros(0, dtype=torch.float64))
        self.value = _fixed(torch.zeros(0, dtype=torch.float64))
        self.bias = _fixed(torch.zeros((), dtype=torch.float64))

    @abstractmethod
    def grow(self, features: Any, target: Any, seed: int) -> tuple[float, Sequence[Any], float]:
        """The constant, scikit-learn's trees, and the weight of each tree.

        Args:
            features: (N, D) float32 array.
            target: (N,) float64 array.
            seed: of everything that is drawn.
        """

    def fit(self, features: Tensor, target: Tensor) -> None:
        """Grow trees for `features` (N, D) and `target` (N,); drawn with torch's random numbers."""
        seed = int(torch.randint(2**31 - 1, ()))
        bias, trees, weight = self.grow(
            features.float().cpu().numpy(), target.double().cpu().numpy(), seed
        )
        sizes = [tree.node_count for tree in trees]
        roots = np.cumsum([0, *sizes[:-1]])
        own = np.arange(sum(sizes))
        start = np.repeat(roots, sizes)
        device = features.device

        def joined(name: str) -> Any:
            return np.concatenate([getattr(tree, name) for tree in trees])

        leaf = joined("children_left") < 0
        for name, values in (
            ("roots", roots),
            ("left", np.where(leaf, own, joined("children_left") + start)),
            ("right", np.where(leaf, own, joined("children_right") + start)),
            ("feature", np.where(leaf, 0, joined("feature"))),
            ("depth", np.array(max(tree.max_depth for tree in trees))),
        ):
            setattr(self, name, torch.tensor(values, dtype=torch.int32, device=device))
        value = np.concatenate([tree.value[:, 0, 0] for tree in trees]) * weight
        self.threshold = _fixed(torch.tensor(joined("threshold"), device=device))
        self.value = _fixed(torch.tensor(value, device=device))
        self.bias = _fixed(torch.tensor(bias, dtype=torch.float64, device=device))

    def forward(self, features: Tensor) -> Tensor:
        """Scores (N,) for `features` (N, D)."""
        node = self.roots.expand(features.shape[0], -1)
        for _ in range(int(self.depth)):
            chosen = features.gather(1, self.feature[node].long())
            node = torch.where(chosen <= self.threshold[node], self.left[node], self.right[node])
        return (self.value[node].sum(1) + self.bias).to(features.dtype)


class ExtraTrees(Trees):
    """Extremely randomised trees (Geurts, Ernst, Wehenkel 2006): the mean over all of them.

    Args:
        trees: how many.
        leaf: fewest samples in a leaf.
        feature_share: share of the features that each split chooses from.
    """

    def __init__(self, trees: int = 400, leaf: int = 2, feature_share: float = 0.3) -> None:
        super().__init__(n_estimators=trees, min_samples_leaf=leaf, max_features=feature_share)

    def grow(self, features: Any, target: Any, seed: int) -> tuple[float, Sequence[Any], float]:
        """Independent trees, all of the same weight."""
        estimator = scikit("ensemble").ExtraTreesRegressor
        found = estimator(**self.settings, random_state=seed, n_jobs=1).fit(features, target)
        trees = [tree.tree_ for tree in found.estimators_]
        return 0.0, trees, 1 / len(trees)


class BoostedTrees(Trees):
    """Stochastic gradient boosting (Friedman 2002): each tree mends what those before it leave.

    Args:
        trees: how many.
        depth: of each tree.
        rate: share of each tree's correction that is taken.
        sample_share: share of the samples that each tree is grown on.
        feature_share: share of the features that each split chooses from.
    """

    def __init__(
        self,
        trees: int = 200,
        depth: int = 2,
        rate: float = 0.05,
        sample_share: float = 0.5,
        feature_share: float = 0.1,
    ) -> None:
        super().__init__(
            n_estimators=trees,
            max_depth=depth,
            learning_rate=rate,
            subsample=sample_share,
            max_features=feature_share,
        )

    def grow(self, features: Any, target: Any, seed: int) -> tuple[float, Sequence[Any], float]:
        """Trees one after the other, beginning with the mean."""
        estimator = scikit("ensemble").GradientBoostingRegressor
        found = estimator(**self.settings, random_state=seed).fit(features, target)
        trees = [tree.tree_ for tree in found.estimators_[:, 0]]
        return float(target.mean()), trees, self.settings["learning_rate"]


def _fixed(values: Tensor) -> nn.Parameter:
    return nn.Parameter(values, requires_grad=False)

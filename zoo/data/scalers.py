"""Scalers that are fitted on training data and travel in the checkpoint as plain tensors."""

from collections.abc import Mapping

import torch
from torch import Tensor

from zoo.data.batch import Batch
from zoo.errors import CheckpointError, ConfigError, DataError

STREAM_SCALES = ("zscore", "none")
TARGET_SCALES = ("zscore", "minmax", "none")

_QUATERNIONS = "orientation"
_CONSTANT = 1e-5
"""A channel whose deviation is below this, relative to its size, holds rounding and no signal."""


class StreamScaler:
    """z-score of every channel (joint × coordinate) of every stream.

    x' = (x − mean) / deviation, mean and deviation (V, C) over all samples and real frames, the
    deviation being that of the population (no Bessel correction, as in scikit-learn's
    StandardScaler). A constant channel is centred and divided by 1. Padded frames stay 0.

    Quaternions q and −q are one rotation, and a sensor's choice of sign says nothing. Before
    all else each joint's sequence in each sample gets the sign that brings its mean closer to the
    joint's reference: the axis along which the fitted samples' mean quaternions lie (largest
    eigenvector of Σ q̄ q̄ᵀ). That w ≥ 0 is no help: a body that faces the sensor is turned by
    180°, where w is 0.
    """

    def __init__(self, kind: str = "zscore") -> None:
        if kind not in STREAM_SCALES:
            raise ConfigError(f"unknown stream scale {kind!r}: {' or '.join(STREAM_SCALES)}")
        self.kind = kind
        self.mean: dict[str, Tensor] = {}
        self.deviation: dict[str, Tensor] = {}
        self.reference: Tensor | None = None

    def fit(self, batch: Batch) -> "StreamScaler":
        """Take mean and deviation from `batch`; computed in float64, kept in float32.

        Raises:
            DataError: the batch is empty.
        """
        if batch.size == 0:
            raise DataError("a scaler cannot be fitted on no samples")
        self.mean, self.deviation, self.reference = {}, {}, None
        if self.kind == "none":
            return self
        if _QUATERNIONS in batch.x:
            self.reference = _reference_axes(batch)
            batch = self._aligned(batch)
        for name, x in batch.x.items():
            frames = x.flatten(0, 1) if batch.mask is None else x[batch.mask]
            frames = frames.double()
            mean = frames.mean(0)
            deviation = frames.std(0, correction=0)
            constant = deviation <= _CONSTANT * mean.abs().clamp(min=1.0)
            self.mean[name] = mean.float()
            self.deviation[name] = deviation.masked_fill(constant, 1.0).float()
        return self

    def transform(self, batch: Batch) -> Batch:
        """The scaled batch; a new one.

        Raises:
            DataError: the scaler was not fitted on one of the batch's streams.
        """
        if self.kind == "none":
            return batch
        x = {}
        for name, values in self._aligned(batch).x.items():
            if name not in self.mean:
                raise DataError(
                    f"the scaler was fitted on {', '.join(self.mean) or 'nothing'}, "
                    f"the batch has the stream {name!r}"
                )
            mean = self.mean[name].to(values.device)
            scaled = (values - mean) / self.deviation[name].to(values.device)
            if batch.mask is not None:
                scaled = scaled * batch.mask[:, :, None, None]
            x[name] = scaled
        return batch._replace(x=x)

    def inverse(self, scaled: Batch) -> Batch:
        """The batch that `transform` made `scaled` of, but for rounding and quaternions' signs."""
        if self.kind == "none":
            return scaled
        x = {}
        for name, values in scaled.x.items():
            whole = values * self.deviation[name].to(values.device)
            whole = whole + self.mean[name].to(values.device)
            x[name] = whole if scaled.mask is None else whole * scaled.mask[:, :, None, None]
        return scaled._replace(x=x)

    def state_dict(self) -> dict[str, Tensor]:
        """``STREAM.mean``, ``STREAM.deviation`` (V, C) and ``orientation.reference`` (V, 4)."""
        state = {}
        if self.reference is not None:
            state[f"{_QUATERNIONS}.reference"] = self.reference
        for name in self.mean:
            state[f"{name}.mean"] = self.mean[name]
            state[f"{name}.deviation"] = self.deviation[name]
        return state

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state_dict` gave; an empty one means the kind ``none``.

        Raises:
            CheckpointError: a mean without its deviation, or of another shape.
        """
        state = dict(state)
        reference = state.pop(f"{_QUATERNIONS}.reference", None)
        mean = {k[:-5]: v for k, v in state.items() if k.endswith(".mean")}
        deviation = {k[:-10]: v for k, v in state.items() if k.endswith(".deviation")}
        fits = mean.keys() == deviation.keys() and len(state) == 2 * len(mean)
        if not fits or any(mean[k].shape != deviation[k].shape for k in mean):
            raise CheckpointError(
                f"the stored stream scaler is not whole: it holds {', '.join(sorted(state))}"
            )
        self.kind = "zscore" if mean else "none"
        self.mean = {k: v.clone() for k, v in mean.items()}
        self.deviation = {k: v.clone() for k, v in deviation.items()}
        self.reference = None if reference is None else reference.clone()

    def _aligned(self, batch: Batch) -> Batch:
        if self.reference is None or _QUATERNIONS not in batch.x:
            return batch
        q = batch.x[_QUATERNIONS]
        towards = torch.einsum("ntvc,vc->nv", q, self.reference.to(q))
        sign = torch.where(towards < 0, -1.0, 1.0).to(q)[:, None, :, None]
        return batch._replace(x={**batch.x, _QUATERNIONS: q * sign})


def _reference_axes(batch: Batch) -> Tensor:
    """Axis (V, 4) along which each joint's mean quaternions lie; largest entry positive."""
    q = batch.x[_QUATERNIONS].double()
    mean = q.sum(1)  # padded frames are 0, and only the direction matters
    mean = mean / mean.norm(dim=-1, keepdim=True).clamp(min=1e-12)
    _, vectors = torch.linalg.eigh(torch.einsum("nvc,nvd->vcd", mean, mean))
    axis = vectors[..., -1]
    largest = axis.gather(-1, axis.abs().argmax(-1, keepdim=True))
    return (axis * torch.where(largest < 0, -1.0, 1.0)).float()


class TargetScaler:
    """Scores in standardised units: (score − offset) / scale.

    ``zscore``: mean and deviation of the training scores; ``minmax``: the lowest training score
    becomes 0, the highest 1; ``none``: offset 0, scale 1. Where all training scores are equal the
    scale is 1.
    """

    def __init__(self, kind: str = "zscore") -> None:
        if kind not in TARGET_SCALES:
            raise ConfigError(f"unknown target scale {kind!r}: {', '.join(TARGET_SCALES)}")
        self.kind = kind
        self.offset = 0.0
        self.scale = 1.0

    def fit(self, target: Tensor) -> "TargetScaler":
        """Take offset and scale from the scores `target` (N,), computed in float64.

        Raises:
            DataError: no score, or one that is not finite.
        """
        if target.numel() == 0:
            raise DataError("a target scaler cannot be fitted on no scores")
        y = target.double()
        if not bool(torch.isfinite(y).all()):
            raise DataError("a score to fit the target scaler on is not finite")
        self.offset, self.scale = 0.0, 1.0
        if self.kind == "zscore":
            self.offset, spread = float(y.mean()), float(y.std(correction=0))
            self.scale = spread if spread > _CONSTANT * max(abs(self.offset), 1.0) else 1.0
        elif self.kind == "minmax":
            self.offset, spread = float(y.min()), float(y.max() - y.min())
            self.scale = spread if spread > 0 else 1.0
        return self

    def transform(self, target: Tensor) -> Tensor:
        """Scores (N,) in standardised units."""
        return ((target.double() - self.offset) / self.scale).to(target.dtype)

    def inverse(self, standardised: Tensor) -> Tensor:
        """Standardised values (N,) back in score units."""
        return (standardised.double() * self.scale + self.offset).to(standardised.dtype)

    def inverse_variance(self, variance: Tensor) -> Tensor:
        """Variances (N,) in standardised units, as variances in squared score units."""
        return variance * self.scale**2

    def state_dict(self) -> dict[str, Tensor]:
        """``offset`` and ``scale`` as float64 scalars, ``kind`` as its place in `TARGET_SCALES`."""
        return {
            "offset": torch.tensor(self.offset, dtype=torch.float64),
            "scale": torch.tensor(self.scale, dtype=torch.float64),
            "kind": torch.tensor(TARGET_SCALES.index(self.kind)),
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state_dict` gave.

        Raises:
            CheckpointError: a part is missing or impossible.
        """
        try:
            kind = TARGET_SCALES[int(state["kind"])]
            offset, scale = float(state["offset"]), float(state["scale"])
        except (KeyError, IndexError) as error:
            raise CheckpointError(f"the stored target scaler is not whole: {error}") from None
        if not scale > 0:
            raise CheckpointError(f"the stored target scaler has the scale {scale}")
        self.kind, self.offset, self.scale = kind, offset, scale

"""MiniRocket: ten thousand convolutions that are almost not random, and a ridge."""

import math
from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor
from torch.nn import functional

from baselines.described import DescribedModel
from baselines.ridge import Ridge
from zoo.data.batch import Batch
from zoo.errors import ConfigError, TrainingError
from zoo.nn.masking import frame_counts
from zoo.skeleton.layout import Layout

LENGTH = 9
KERNELS = math.comb(LENGTH, 3)

_MOST_DILATIONS = 32
_AT_ONCE = 32
"""Sequences that are looked at together: bounds the memory."""


class MiniRocket(DescribedModel):
    """The share of frames in which a convolution lies above a threshold, ten thousand times.

    Each of the 84 kernels of length 9 with three weights 2 and six −1 is applied at up to 32
    dilations, spread exponentially up to the length of the sequences, to the sum of a few randomly
    chosen channels. Thresholds are quantiles of what it gives on a randomly chosen training
    sequence. Every second combination sees the sequence with zeros around it, the others only
    where the kernel lies wholly inside. A ridge leads from the shares to the score.

    Dempster, Schmidt, Webb: MiniRocket, KDD 2021, and the authors' form for several channels.

    Args:
        streams: what is seen, side by side, as the protocol scales it.
        features: how many shares, rounded down to a multiple of 84.
        alphas: strengths of the ridge's penalty to choose from by leave-one-out.

    Raises:
        ConfigError: fewer than 84 features.
    """

    dilations: Tensor
    counts: Tensor
    channels: Tensor
    thresholds: Tensor

    def __init__(
        self,
        layout: Layout,
        *,
        streams: str | Sequence[str] = ("position",),
        features: int = 10_000,
        alphas: float | Sequence[float] = (1, 10, 100, 1000, 10000, 100000, 1000000),
    ) -> None:
        super().__init__(layout, Ridge(alphas), streams)
        if features < KERNELS:
            raise ConfigError(f"features is {features}, expected at least {KERNELS}")
        self.each, self.draws = features // KERNELS, True
        self.register_buffer("dilations", torch.zeros(0, dtype=torch.long))
        self.register_buffer("counts", torch.zeros(0, dtype=torch.long))
        self.register_buffer("channels", torch.zeros(0))
        self.register_buffer("thresholds", torch.zeros(0))

    def fit(self, batch: Batch, target: Tensor) -> None:
        """Draw channels and thresholds and find the ridge for `target` (N,).

        Drawn with torch's random numbers; the same ones give the same model.
        """
        x, lengths = self._sequences(batch)
        dilations, counts = spread_dilations(int(lengths.max()), self.each)
        self.dilations = torch.tensor(dilations, device=x.device)
        self.channels = draw_channels(len(dilations), x.shape[1]).to(x.device)
        golden = (1 + math.sqrt(5)) / 2
        spread = (torch.arange(1, KERNELS * self.each + 1, dtype=torch.float64) * golden) % 1
        thresholds = []
        for place, shares in enumerate(spread.to(x).split([KERNELS * count for count in counts])):
            chosen = torch.randint(len(x), (KERNELS,)).to(x.device)
            seen = self._convolved(x[chosen], place).diagonal(dim1=0, dim2=1).T
            seen = seen.masked_fill(~self._inside(place, lengths[chosen, None], x), torch.nan)
            rows = zip(seen, shares.unflatten(0, (KERNELS, -1)), strict=True)
            thresholds.append(torch.stack([row.nanquantile(share) for row, share in rows]))
        self.counts = torch.tensor(counts, device=x.device)
        self.thresholds = torch.cat(thresholds, dim=1).nan_to_num()
        super().fit(batch, target)

    def describe(self, batch: Batch) -> Tensor:
        """Share of frames above each threshold, (N, features)."""
        x, lengths = self._sequences(batch)
        if not len(self.dilations):
            raise TrainingError("MiniRocket has no thresholds yet: call fit first")
        parts = zip(x.split(_AT_ONCE), lengths.split(_AT_ONCE), strict=True)
        return torch.cat([self._shares(*part) for part in parts])

    def _sequences(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Channels (N, V · C, T), zero in padded frames, and numbers of real frames (N,)."""
        x = self.stacked(batch)
        full = torch.full(x.shape[:1], x.shape[1], device=x.device)
        lengths = full if batch.mask is None else frame_counts(batch.mask)
        return x.flatten(2).transpose(1, 2), lengths

    def _shares(self, x: Tensor, lengths: Tensor) -> Tensor:
        shares = []
        for place, limits in enumerate(self.thresholds.split(self.counts.tolist(), dim=1)):
            seen = self._convolved(x, place)
            inside = self._inside(place, lengths[:, None, None], x)
            above = (seen[:, :, None] > limits[:, :, None]) & inside[:, :, None]
            frames = inside.sum(-1, keepdim=True).clamp(min=1)
            shares.append((above.sum(-1) / frames).flatten(1))
        return torch.cat(shares, dim=1)

    def _convolved(self, x: Tensor, place: int) -> Tensor:
        """All kernels at one dilation, (N, 84, T), zeros standing around the sequence."""
        dilation = int(self.dilations[place])
        mixed = self.channels[place] @ x
        weight = kernels().to(mixed)[:, None]
        return functional.conv1d(
            mixed, weight, padding=LENGTH // 2 * dilation, dilation=dilation, groups=KERNELS
        )

    def _inside(self, place: int, lengths: Tensor, x: Tensor) -> Tensor:
        """Frames (..., 84, T) that count: real ones, and for every second kernel those in which it
        lies wholly inside the sequence; `lengths` is (..., 84 or 1, 1) or (84, 1).
        """
        kernel = torch.arange(KERNELS, device=x.device)
        margin = (LENGTH // 2 * self.dilations[place] * ((kernel + place) % 2))[:, None]
        frame = torch.arange(x.shape[2], device=x.device)
        return (frame >= margin) & (frame < lengths - margin)


def kernels() -> Tensor:
    """Every kernel of nine weights of which three are 2 and six −1, (84, 9)."""
    weights = torch.full((KERNELS, LENGTH), -1.0)
    for row, places in enumerate(combinations(range(LENGTH), 3)):
        weights[row, list(places)] = 2.0
    return weights


def spread_dilations(frames: int, features: int) -> tuple[list[int], list[int]]:
    """Dilations for sequences of `frames` frames, and how many of `features` each gets.

    The dilations are spread exponentially from 1 to where a kernel spans the whole sequence.
    """
    most = min(features, _MOST_DILATIONS)
    largest = math.log2(max(frames - 1, LENGTH - 1) / (LENGTH - 1))
    drawn = [int(2 ** (largest * i / max(most - 1, 1))) for i in range(most)]
    dilations = sorted(set(drawn))
    counts = [drawn.count(dilation) * features // most for dilation in dilations]
    for place in range(features - sum(counts)):
        counts[place % len(counts)] += 1
    return dilations, counts


def draw_channels(dilations: int, channels: int) -> Tensor:
    """Which channels each kernel sums at each dilation, (dilations, 84, channels) of 0 and 1.

    Their number is drawn from 1 to 9 such that its logarithm is spread evenly.
    """
    top = math.log2(min(channels, 9) + 1)
    number = 2 ** (top * torch.rand(dilations, KERNELS, 1))
    rank = torch.rand(dilations, KERNELS, channels).argsort(-1).argsort(-1)
    return (rank < number.floor()).float()

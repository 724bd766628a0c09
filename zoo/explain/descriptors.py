"""Which joints' descriptors moved the score of a model that derives its inputs."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from registry import register_attribution
from zoo.data.batch import Batch
from zoo.errors import ConfigError, DataError
from zoo.explain.attribution import Attribution
from zoo.explain.sample import Sample
from zoo.nn.model import contract_of
from zoo.words import fixed

_AT_ONCE = 256  # copies of the sample


@register_attribution("descriptors")
def descriptors(sample: Sample, *, orders: int = 32, seed: int = 0) -> Attribution:
    r"""Shapley values of joints before a model that derives descriptors (`ScoreModel.derive`).

    .. math:: a_j = \frac1{|\Pi|} \sum_{\pi \in \Pi} f(S_{\pi,j} \cup \{j\}) - f(S_{\pi,j})

    with f(S) the score where only the joints S are described as they were and all others are as
    usual among the training people, and :math:`S_{\pi,j}` the joints before j in the order π
    (Strumbelj and Kononenko, JMLR 2010, section 3; Lundberg and Lee, NIPS 2017). An undefined
    descriptor, NaN, counts as usual: that is what `ScoreModel.derive` asks of a model. What tells
    of the whole body is one more player, whose share the note says. All shares add up to the
    difference of the scores. Descriptors tell of no frame: a joint's share is spread evenly.

    Args:
        sample: of a model that derives descriptors and says of which joint each is.
        orders: Π, drawn at random, each also backwards.
        seed: of the orders.

    Raises:
        DataError: the model derives nothing, or nothing of single joints.
        ConfigError: it does not say of every entry which joint it tells of.
    """
    contract = contract_of(sample.model)
    told = contract.derived_joints()
    if contract.derive is None or not told:
        raise DataError(
            f"{sample.model_name} derives no descriptors of single joints from recordings: use "
            "gradients or occlusion"
        )
    derived = contract.derive.compute(sample.batch)
    players = _players(sample.model_name, told, derived)
    joints = torch.cat([of.flatten() for of in players.values()]).unique().tolist()

    def score(known: Tensor) -> Tensor:
        """Scores (M,) with some of the joints as they were, (M, P) bool."""
        found = []
        for part in known.split(_AT_ONCE):
            copies = derived.select(torch.zeros(len(part), dtype=torch.long))
            x = {}
            for name, values in copies.x.items():
                at = torch.searchsorted(torch.tensor(joints), players[name])
                x[name] = values.masked_fill(~part[:, at][..., None], torch.nan)
            found.append(sample.scores(copies._replace(x=x)))
        return torch.cat(found)

    shares = shapley(score, len(joints), orders, seed)
    usual = float(score(torch.zeros(1, len(joints), dtype=torch.bool))[0])
    joint_time = np.zeros((sample.num_frames, sample.layout.num_joints))
    whole = 0.0
    for joint, share in zip(joints, shares.tolist(), strict=True):
        if joint < 0:
            whole = share
        else:
            joint_time[:, joint] = share / sample.num_frames
    note = "each joint's measures replaced by those that are usual among the training people"
    if -1 in joints:
        note += f"; measures of the whole body moved the score by {fixed(whole, sample.digits)}"
    return sample.attribution(
        "descriptors",
        joint_time,
        title="Shapley values of joints' descriptors",
        baseline_score=usual,
        baseline="a movement usual in everything",
        note=note,
    )


def shapley(value: Callable[[Tensor], Tensor], players: int, orders: int, seed: int = 0) -> Tensor:
    """Shapley values (P,) by random orders and the same orders backwards.

    Args:
        value: from M sets of players (M, P) bool to their values (M,).
        players: P.
        orders: how many; half of them are drawn.
        seed: of the orders.
    """
    generator = torch.Generator().manual_seed(seed)
    drawn = [torch.randperm(players, generator=generator) for _ in range((orders + 1) // 2)]
    order = torch.stack([*drawn, *(one.flip(0) for one in drawn)])
    joined = torch.ones(players, players + 1, dtype=torch.bool).triu(1)  # who is in, after how many
    known = torch.zeros(len(order), players, players + 1, dtype=torch.bool)
    known.scatter_(1, order[:, :, None].expand(-1, -1, players + 1), joined.expand_as(known))
    values = value(known.transpose(1, 2).flatten(0, 1)).double().view(len(order), -1)
    shares = torch.zeros(len(order), players, dtype=torch.float64)
    return shares.scatter_(1, order, values.diff(dim=1)).mean(0)


def _players(model: str, told: Mapping[str, Tensor], derived: Batch) -> dict[str, Tensor]:
    """Of which joint each entry of the derived streams tells (T, V), −1 for the whole body."""
    for name, values in derived.x.items():
        shape = tuple(values.shape[1:3])
        found = tuple(told[name].shape) if name in told else None
        if found != shape:
            raise ConfigError(
                f"{model}.derived_joints() has {'nothing' if found is None else f'shape {found}'} "
                f"for the derived stream {name!r}, expected a joint for each entry, shape {shape}"
            )
    return {name: told[name].cpu().long() for name in derived.x}

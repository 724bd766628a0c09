"""After Yao 2023: the penalty on attention against its formula, and what it does in training."""

import math

import pytest
import torch
from torch import Tensor

import zoo
from baselines.yao2023 import DeviationHead, Yao2023, attention_deviation
from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.nn.masking import frame_mean
from zoo.nn.model import replace_head
from zoo.skeleton import load_layout

TINY = {"channels": [4, 8], "strides": [1, 2], "dropout": 0.0}


def attention_of(samples: int, joints: int = 5, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(samples, joints, joints, dtype=torch.float64, generator=generator)
    return logits.softmax(-1)


def tiny(**settings: object) -> Yao2023:
    torch.manual_seed(0)
    return Yao2023(load_layout("kinect-v2"), **TINY, **settings)


def movement(samples: int = 6, frames: int = 12) -> Batch:
    generator = torch.Generator().manual_seed(1)
    steps = torch.randn(samples, frames, 25, 3, generator=generator)
    return Batch({"position": 0.3 * steps.cumsum(1)})


@pytest.mark.parametrize("closeness", [None, 0.5])
def test_deviation_is_the_weighted_mean_over_pairs(closeness: float | None) -> None:
    attention = attention_of(5)
    target = torch.tensor([-1.0, 0.1, 0.3, 2.0, 0.2]).double()
    exercise = torch.tensor([0, 0, 0, 0, 1])
    above = below = 0.0
    for i in range(4):
        for j in range(4):
            if i == j:
                continue  # the fifth is of another exercise
            weight = 1.0
            if closeness is not None:
                away = float(target[i] - target[j])
                weight = math.exp(-(away**2) / (2 * closeness**2))
            rows = [float((attention[i, v] - attention[j, v]).square().sum()) for v in range(5)]
            above += weight * sum(rows) / 5
            below += weight
    found = attention_deviation(attention, target, exercise, closeness)
    torch.testing.assert_close(float(found), above / below, rtol=1e-12, atol=0)


def test_deviation_is_between_none_and_two() -> None:
    none = torch.zeros(2)
    assert attention_deviation(attention_of(1).repeat(2, 1, 1), none, none) == 0
    first, last = torch.zeros(2, 3, 3)
    first[:, 0], last[:, 2] = 1, 1
    assert attention_deviation(torch.stack([first, last]), none, none) == 2
    assert attention_deviation(attention_of(1), none[:1], none[:1]) == 0
    assert attention_deviation(attention_of(2), none, torch.tensor([0, 1])) == 0


def test_close_scores_are_compared_and_others_hardly() -> None:
    alike, other = attention_of(2)
    target = torch.tensor([0.0, 0.0, 3.0]).double()
    far = torch.stack([alike, alike, other])
    near = torch.stack([alike, other, alike])
    same = torch.zeros(3)
    found, other_found = (attention_deviation(a, target, same, 0.5) for a in (far, near))
    assert found < 1e-6 * other_found
    found, other_found = (attention_deviation(a, target, same) for a in (far, near))
    assert found == other_found > 0


def test_the_loss_is_the_error_and_the_penalty() -> None:
    attention, target = attention_of(6), torch.linspace(-1, 1, 6).double()
    exercise = torch.tensor([0, 1, 0, 1, 0, 1]).double()
    columns = [target[:, None] + 0.5, attention.flatten(1), exercise[:, None]]
    output = torch.cat(columns, dim=1)
    losses = [
        float(DeviationHead.of(4, joints=5, deviation=d, closeness=0.5).loss(output, target))
        for d in (0.0, 2.0)
    ]
    penalty = float(attention_deviation(attention, target, exercise, 0.5))
    assert losses == pytest.approx([0.25, 0.25 + 2 * penalty], abs=1e-12)


def test_attention_is_its_formula() -> None:
    model = tiny().double().eval()
    batch = movement()
    batch = batch._replace(x={"position": batch.stream("position").double()})
    mask = torch.arange(12) < torch.tensor([[12], [7], [12], [5], [12], [9]])
    batch = batch._replace(mask=mask, exercise=torch.tensor([0, 0, 2, 0, 1, 0]))
    mean = frame_mean(*model.trunk(batch.stream("position"), mask))
    own = model.attention
    query, key, value = own.qkv(mean).chunk(3, dim=-1)
    weights = (query @ key.transpose(1, 2) / 8**0.5).softmax(-1)
    pooled = (mean + own.out(weights @ value)).mean(1)
    torch.testing.assert_close(model.attention_maps(batch)["joints"], weights)
    answer = model(batch)
    torch.testing.assert_close(answer.features, pooled)
    torch.testing.assert_close(answer.score, model.head.layers(pooled)[:, 0])
    torch.testing.assert_close(answer.output[:, 1:-1], weights.flatten(1))
    assert answer.output[:, -1].tolist() == [0, 0, 2, 0, 1, 0]


def test_the_rest_is_stgcn() -> None:
    ours, theirs = zoo.create_model("yao2023-small"), zoo.create_model("stgcn-small")
    assert ours.trunk.state_dict().keys() == theirs.trunk.state_dict().keys()
    for name in ("yao2023", "stgcn"):
        model = zoo.create_model(name)
        added = 4 * 256 * 257 if name == "yao2023" else 0
        assert sum(p.numel() for p in model.parameters()) == 3_083_669 + added


def trained(model: Yao2023, steps: int = 30) -> tuple[float, float]:
    """Error and deviation of the attention after so many steps on the same six sequences."""
    batch, target = movement(), torch.linspace(-1, 1, 6)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(steps):
        optimizer.zero_grad()
        model.head.loss(model.train()(batch).output, target).backward()
        optimizer.step()
    with torch.no_grad():
        answer = model(batch)
        attention = answer.output[:, 1:-1].unflatten(1, (25, 25))
        error = (answer.score - target).square().mean()
        return float(error), float(attention_deviation(attention, target, torch.zeros(6)))


def test_the_penalty_draws_attention_together() -> None:
    _, before = trained(tiny(), steps=0)
    error, kept = trained(tiny(deviation=0.0))
    other_error, drawn = trained(tiny(deviation=10.0))
    assert drawn < 0.2 * kept
    assert drawn < before
    assert max(error, other_error) < 0.3  # both still learn the scores, whose square is 0.47


def test_rollup_is_the_share_of_each_joint_in_real_frames() -> None:
    model = tiny().eval()
    mask = torch.arange(12) < torch.tensor([[12], [7], [12], [5], [12], [9]])
    batch = movement()._replace(mask=mask)
    shares = model.attention_rollup(batch)
    assert shares.shape == (6, 12, 25)
    torch.testing.assert_close(shares.sum((1, 2)), torch.ones(6))
    assert not shares[~mask].any()
    looked = (model.attention_maps(batch)["joints"].mean(1) + 1 / 25) / 2
    torch.testing.assert_close(shares.sum(1), looked)


def test_another_head_takes_its_place() -> None:
    model = tiny()
    layer = model.head.layers[0]
    replace_head(model, "huber")
    assert model.head.layers[0] is layer
    assert model.eval()(movement()).output.shape == (6, 1)


@pytest.mark.parametrize("settings", [{"deviation": -1.0}, {"closeness": 0.0}])
def test_settings_out_of_range_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        tiny(**settings)

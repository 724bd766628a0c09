"""Losses of pairs against a slow loop over the pairs, and their way through every head."""

import math

import pytest
import torch
from torch import nn

from registry import HEADS, RegistryError
from zoo.compose import compose
from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.nn.heads import MSEHead, PairLosses, chosen_head
from zoo.nn.heads.pairs import difference_loss, ranking_loss
from zoo.training.config import TrainerConfig
from zoo.training.report import Reporter
from zoo.training.seeding import reproducible
from zoo.training.stop import StopSignals
from zoo.training.trainer import Trainer, TrainingData

pytestmark = pytest.mark.usefixtures("one_thread")

TARGET = torch.tensor([-1.5, 0.25, 0.25, 1.75, -0.5, 0.0, 0.5])
SCORE = torch.tensor([-0.3, 0.4, -0.2, 2.9, -2.4, 0.1, 0.0])
EXERCISES = {
    "one": None,
    "all the same": torch.zeros(7, dtype=torch.long),
    "mixed": torch.tensor([0, 0, 0, 1, 2, 1, 1]),
}


def by_loop(score, target, exercise, kind):
    """The mean over pairs, one after the other."""
    found = []
    for i in range(len(score)):
        for j in range(len(score)):
            if exercise is not None and exercise[i] != exercise[j]:
                continue
            s, y = float(score[i] - score[j]), float(target[i] - target[j])
            if kind == "ranking" and y > 0:
                found.append(math.log(1 + math.exp(-s)))
            elif kind == "difference" and i < j:
                d = abs(s - y)
                found.append(d * d / 2 if d <= 1 else d - 0.5)
    return sum(found) / len(found)


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES.keys())
@pytest.mark.parametrize(
    ("loss", "kind"), [(ranking_loss, "ranking"), (difference_loss, "difference")]
)
def test_a_loss_is_the_mean_over_its_pairs(loss, kind, exercise):
    expected = by_loop(SCORE, TARGET, exercise, kind)
    assert float(loss(SCORE, TARGET, exercise)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", [ranking_loss, difference_loss])
def test_exercises_are_nothing_to_one_another(loss):
    exercise = torch.tensor([0, 0, 1, 1, 2, 1, 0])
    score = SCORE.clone().requires_grad_()
    found = loss(score, TARGET, exercise)
    found.backward()
    assert score.grad.nonzero()[:, 0].tolist() == [0, 1, 2, 3, 5, 6]  # 4 is alone in its own
    shifted = loss(SCORE + 10.0 * exercise, TARGET, exercise)
    torch.testing.assert_close(shifted, found.detach())
    assert not torch.isclose(loss(SCORE + 10.0 * exercise, TARGET), loss(SCORE, TARGET))


@pytest.mark.parametrize("loss", [ranking_loss, difference_loss])
def test_without_a_pair_nothing_is_lost(loss):
    score = torch.tensor([0.7], requires_grad=True)
    found = loss(score, torch.tensor([1.0]))
    found.backward()
    assert float(found.detach()) == 0
    assert score.grad.tolist() == [0.0]
    alone = loss(SCORE, TARGET, torch.arange(7))
    assert float(alone) == 0


def test_equal_scores_are_not_ranked():
    assert float(ranking_loss(SCORE, torch.ones(7))) == 0


@pytest.mark.parametrize("name", HEADS.names())
def test_every_head_takes_them(name):
    torch.manual_seed(0)
    parts = {"primary": TARGET * 0.3, "control": TARGET * 0.7}
    features = torch.randn(7, 4, requires_grad=True)
    exercise = EXERCISES["mixed"]
    losses = []
    for weights in ({}, {"ranking": 0.5, "difference": 2}):
        torch.manual_seed(1)
        head = chosen_head({"name": name, **weights}, nn.Sequential(nn.Linear(4, 1)))
        target = head.targets(TARGET, parts)
        head.prepare(target)
        torch.manual_seed(2)
        losses.append(head.objective(head.output(features), target, TARGET, exercise))
    assert head.pairs == PairLosses(0.5, 2.0)
    assert torch.isfinite(losses[1])
    if name == "core":  # of each exercise, by its share
        more = sum(
            head.pairs(head.read(head.output(features[e])), TARGET[e]) * e.float().mean()
            for e in (exercise == k for k in range(3))
        )
    else:
        more = head.pairs(head.read(head.output(features)), TARGET, exercise)
    torch.testing.assert_close(losses[1], losses[0] + more)
    losses[1].backward()
    assert torch.isfinite(features.grad).all()
    assert features.grad.abs().sum() > 0


def test_an_exemplar_shows_the_same_exercise():
    """Two of one exercise and one alone: what the one is, is nothing to the two."""
    torch.manual_seed(0)
    head = chosen_head("core", nn.Sequential(nn.Linear(4, 1)))
    head.prepare(TARGET)
    exercise, features = torch.tensor([0, 1, 0]), torch.randn(3, 4)
    found = []
    for alone in (0.0, 50.0):
        features[1] = alone
        whole = head.objective(features, TARGET[:3], TARGET[:3], exercise)
        own = head.objective(features[1:2], TARGET[1:2], TARGET[1:2]) / 3
        found.append(whole - own)
    torch.testing.assert_close(found[0], found[1])


def test_a_models_own_head_takes_them():
    head = MSEHead.of(4, difference=0.25)
    assert head.pairs == PairLosses(difference=0.25)
    assert MSEHead.of(4).pairs == PairLosses()


def test_weights_are_numbers_from_nought():
    with pytest.raises(ConfigError, match=r"model\.head\.ranking is -1, expected a number from 0"):
        chosen_head({"name": "mse", "ranking": -1}, nn.Sequential(nn.Linear(4, 1)))
    with pytest.raises(ConfigError, match="difference is True"):
        MSEHead.of(4, difference=True)
    with pytest.raises((ConfigError, RegistryError), match="no key 'rankin'. Did you mean 'rank"):
        compose(model="stgcn-small", overrides=["model.head={name: mse, rankin: 1}"])
    chosen = compose(model="stgcn-small", overrides=["model.head={name: usdl, ranking: 1}"])
    assert chosen["model"]["head"] == {"name": "usdl", "ranking": 1}


class Named(nn.Module):
    """A score a sequence, and a head whose layer is the identity at first."""

    def __init__(self):
        super().__init__()
        self.head = MSEHead.of(1, difference=2, ranking=0.5)
        with torch.no_grad():
            self.head.layers[-1].weight.fill_(1)
            self.head.layers[-1].bias.zero_()

    def forward(self, batch):
        return self.head(batch.stream("position")[:, 0, 0, :1])


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES.keys())
def test_training_pairs_what_shows_one_exercise(exercise):
    """The loss of the first epoch, one batch, before anything has moved."""
    x = SCORE[:, None, None, None].expand(7, 2, 1, 3)
    data = TrainingData(Batch({"position": x}, exercise=exercise), TARGET)
    trainer = Trainer(Named(), TrainerConfig(epochs=1, batch_size=7, device="cpu"), data)
    with reproducible(1), StopSignals() as stop:
        trainer.run(Reporter(), stop)
    expected = float(((SCORE - TARGET) ** 2).mean())
    expected += 2 * by_loop(SCORE, TARGET, exercise, "difference")
    expected += 0.5 * by_loop(SCORE, TARGET, exercise, "ranking")
    assert trainer.progress.history[0].loss == pytest.approx(expected, rel=1e-5)

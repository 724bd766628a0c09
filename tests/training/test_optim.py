from itertools import pairwise

import pytest
import torch
from torch import nn

from zoo.errors import TrainingError
from zoo.training.config import TrainerConfig
from zoo.training.trainer import learning_rate, make_optimizer


def test_the_cosine_schedule_is_torchs():
    config = TrainerConfig(epochs=20, lr=0.1)
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20)
    for epoch in range(1, 21):
        assert learning_rate(config, epoch) == pytest.approx(scheduler.get_last_lr()[0], rel=1e-9)
        optimizer.step()
        scheduler.step()


def test_the_warm_up_rises_to_the_full_rate():
    config = TrainerConfig(epochs=10, lr=1.0, warmup_epochs=3)
    rates = [learning_rate(config, e) for e in range(1, 11)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    assert all(a > b for a, b in pairwise(rates[3:]))
    constant = TrainerConfig(epochs=10, lr=1.0, warmup_epochs=3, schedule="constant")
    assert [learning_rate(constant, e) for e in (3, 4, 10)] == [0.75, 1.0, 1.0]


def test_optimizers_take_their_settings():
    model = nn.Linear(2, 1)
    sgd = make_optimizer(model, TrainerConfig(optimizer="sgd", momentum=0.5, weight_decay=0.2))
    assert isinstance(sgd, torch.optim.SGD)
    assert (sgd.defaults["momentum"], sgd.defaults["weight_decay"]) == (0.5, 0.2)
    adamw = make_optimizer(model, TrainerConfig(weight_decay=0.3))
    assert isinstance(adamw, torch.optim.AdamW)
    assert adamw.defaults["weight_decay"] == 0.3


def test_a_model_with_nothing_to_train_is_refused():
    with pytest.raises(
        TrainingError, match="Identity has no parameters to train and no method fit"
    ):
        make_optimizer(nn.Identity(), TrainerConfig())


@pytest.mark.parametrize("strides", [(4, 1), (1, 6), (8, 2)])
def test_steps_of_adamw_are_those_of_its_plain_form_whatever_the_strides(strides):
    x = torch.randn(16, 6)
    found = []
    for plain in (False, True):
        model = nn.Module()
        model.unused = nn.Parameter(torch.ones(2))
        model.w = nn.Parameter(torch.linspace(-1, 1, 48).as_strided((6, 4), strides))
        optimizer = make_optimizer(model, TrainerConfig(lr=0.1, weight_decay=0.3))
        if plain:
            optimizer = torch.optim.AdamW(model.parameters(), 0.1, weight_decay=0.3, foreach=False)
        for _ in range(5):
            optimizer.zero_grad()
            (x @ model.w).square().mean().backward()
            optimizer.step()
        found.append(model.w.detach())
    torch.testing.assert_close(*found)

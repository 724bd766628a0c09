import math

import pytest
import torch
from torch import nn

from zoo.data.batch import Batch, Prediction
from zoo.errors import ConfigError, TrainingError
from zoo.nn.heads import HuberHead
from zoo.training.config import TrainerConfig
from zoo.training.device import explained_errors, predict, resolve_device, scores_of
from zoo.training.report import Reporter
from zoo.training.seeding import reproducible, seed_all
from zoo.training.stop import StopRequest, StopSignals
from zoo.training.trainer import Trainer, TrainingData

SETTINGS = {"epochs": 6, "batch_size": 5, "lr": 0.01, "device": "cpu"}


class Recorder(Reporter):
    def __init__(self):
        self.rows = []

    def on_epoch(self, row):
        self.rows.append(row)


@pytest.fixture
def fold(toy):
    return toy.make_fold()


def make_data(fold, mads=None):
    """Training data; with `mads`, validation that answers these in turn."""
    batch, target = fold.part("train")
    if mads is None:
        return TrainingData(batch, target)
    answers = iter(mads)
    return TrainingData(batch, target, fold.part("validation")[0], lambda _: next(answers))


def train(model, data, states=None, **settings):
    selection = settings.pop("selection", "last")
    trainer = Trainer(model, TrainerConfig(**{**SETTINGS, **settings}), data, seed=1,
                      selection=selection)  # fmt: skip
    with reproducible(1), StopSignals() as stop:
        trainer.run(Recorder(), stop, (states if states is not None else []).append)
    return trainer


def make_net(toy):
    seed_all(0)
    return toy.TinyNet()


def same(a, b):
    return all(torch.equal(x, b[name]) for name, x in a.items()) and a.keys() == b.keys()


def test_the_loss_falls_and_the_history_says_how(toy, fold):
    states = []
    trainer = train(make_net(toy), make_data(fold), states, epochs=60, lr=0.02)
    losses = [row.loss for row in trainer.progress.history]
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])
    assert [row.epoch for row in trainer.progress.history] == list(range(1, 61))
    assert [s.epoch for s in states] == list(range(5, 61, 5))


def test_the_loop_is_gradient_descent_written_out(toy, fold):
    """One epoch, one batch, plain SGD: the new weights by hand."""
    batch, target = fold.part("train")
    model = make_net(toy)
    model.dropout.p = 0.0
    twin = make_net(toy)
    twin.dropout.p = 0.0
    trainer = train(
        model, TrainingData(batch, target), epochs=1, batch_size=100, optimizer="sgd", lr=0.1,
        momentum=0.0, weight_decay=0.0, grad_clip=None,
    )  # fmt: skip
    loss = ((twin(batch).score - target) ** 2).mean()
    gradients = torch.autograd.grad(loss, list(twin.parameters()))
    for new, old, gradient in zip(model.parameters(), twin.parameters(), gradients, strict=True):
        assert torch.allclose(new, old - 0.1 * gradient, atol=1e-6)
    assert trainer.progress.history[0].loss == pytest.approx(loss.item(), rel=1e-5)


def test_a_long_gradient_is_clipped(toy, fold):
    def moved(clip):
        model = make_net(toy)
        before = [p.detach().clone() for p in model.parameters()]
        train(model, make_data(fold), epochs=1, batch_size=100, optimizer="sgd", lr=1.0,
              momentum=0.0, weight_decay=0.0, grad_clip=clip)  # fmt: skip
        squares = [(p - b).square().sum() for p, b in zip(model.parameters(), before, strict=True)]
        return sum(squares).item() ** 0.5

    assert moved(None) > 0.1
    assert moved(0.01) == pytest.approx(0.01, rel=1e-3)


def test_the_loss_is_the_heads(fold):
    """Huber's, which is linear beyond its delta."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = HuberHead.of(3, delta=0.1)

        def forward(self, batch):
            return self.head(batch.stream("position").mean((1, 2)))

    data = make_data(fold)
    head = HuberHead.of(3, delta=0.1)
    assert float(head.loss(torch.tensor([[3.0]]), torch.ones(1))) == pytest.approx(0.1 * 1.95)
    model = Net()
    expected = nn.functional.huber_loss(model(data.batch).score, data.target, delta=0.1)
    trainer = train(model, data, epochs=1, batch_size=10_000, lr=1e-9)
    assert trainer.progress.history[0].loss == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize("settings", [
    {}, {"optimizer": "sgd"}, {"precision": "bf16"}, {"warmup_epochs": 2},
    {"batch_size": 1}, {"selection": "best"}, {"early_stopping": 2}, {"grad_clip": None},
])  # fmt: skip
@pytest.mark.parametrize("cut", [1, 4])
def test_restored_at_any_epoch_it_ends_bit_by_bit_the_same(toy, fold, settings, cut):
    mads = (
        [5.0, 3.0, 4.0, 4.5, 3.5, 3.2]
        if settings.keys() & {"selection", "early_stopping"}
        else None
    )
    states = []
    whole = train(make_net(toy), make_data(fold, mads), states, checkpoint_every=1, **settings)
    assert len(states) == whole.progress.epoch
    selection = settings.get("selection", "last")
    config = TrainerConfig(
        **{**SETTINGS, **{k: v for k, v in settings.items() if k != "selection"}}
    )
    resumed = Trainer(toy.TinyNet(), config, make_data(fold, mads and mads[cut:]), seed=1,
                      selection=selection)  # fmt: skip
    resumed.restore(states[cut - 1])
    with reproducible(1), StopSignals() as stop:
        resumed.run(Reporter(), stop)
    assert same(whole.model.state_dict(), resumed.model.state_dict())
    assert [r.loss for r in whole.progress.history] == [r.loss for r in resumed.progress.history]
    assert whole.progress.epoch == (4 if "early_stopping" in settings else 6)


def test_the_first_of_the_best_epochs_is_selected(toy, fold):
    states = []
    mads = [5.0, 3.0, 4.0, 3.0, 6.0, 7.0]
    trainer = train(make_net(toy), make_data(fold, mads), states, selection="best",
                    checkpoint_every=1)  # fmt: skip
    assert (trainer.progress.best_epoch, trainer.progress.best_mad) == (2, 3.0)
    assert same(trainer.model.state_dict(), states[1].model)
    last = train(make_net(toy), make_data(fold, mads), selection="last")
    assert same(last.model.state_dict(), states[5].model)


def test_early_stopping_waits_its_epochs(toy, fold):
    mads = [5.0, 3.0, 4.0, 3.5, 3.4, 1.0]
    assert train(make_net(toy), make_data(fold, mads), early_stopping=3).progress.epoch == 5
    assert train(make_net(toy), make_data(fold, mads), early_stopping=4).progress.epoch == 6


def test_selecting_without_validation_is_refused(toy, fold):
    with pytest.raises(ConfigError, match=r"no validation part.*selects the best epoch"):
        train(make_net(toy), make_data(fold), selection="best")
    with pytest.raises(ConfigError, match=r"stops early"):
        train(make_net(toy), make_data(fold), early_stopping=2)


def test_a_signal_keeps_the_last_whole_epoch(toy, fold):
    trainer = Trainer(make_net(toy), TrainerConfig(**SETTINGS), make_data(fold), seed=1)
    states = []
    with StopSignals() as stop:

        class Interrupter(Reporter):
            def on_epoch(self, row):
                if row.epoch == 3:
                    stop.requested = 2

        with pytest.raises(StopRequest):
            trainer.run(Interrupter(), stop, states.append)
    assert [s.epoch for s in states] == [3]


def test_a_loss_that_is_not_finite_names_epoch_rate_and_cures(toy, fold):
    class Exploding(toy.TinyNet):
        def forward(self, batch):
            score = super().forward(batch).score
            return Prediction(score * torch.tensor(math.nan if self.calls() else 1.0))

        def calls(self):
            self.count = getattr(self, "count", 0) + 1
            return self.count > 6

    with pytest.raises(TrainingError, match=(
        r"loss is no longer finite in epoch 3 of 6, learning rate 0\.0075.*trainer\.lr=0\.001.*"
        r"trainer\.grad_clip=1\.0.*trainer\.warmup_epochs=5.*trainer\.precision=fp32"
    )):  # fmt: skip
        train(Exploding(), make_data(fold), grad_clip=None, precision="bf16")


def test_predictions_that_are_not_finite_are_caught_in_validation(toy, fold):
    class Blind(toy.TinyNet):
        def forward(self, batch):
            score = super().forward(batch).score
            return Prediction(score if self.training else score * math.nan)

    with pytest.raises(TrainingError, match=r"prediction for the validation part is no longer"):
        train(Blind(), make_data(fold, [1.0]))


def test_a_closed_form_model_is_fitted_once(toy, fold):
    class Counting(toy.Nearest):
        fits = 0

        def fit(self, batch, target):
            super().fit(batch, target)
            self.fits += 1
            assert not torch.is_grad_enabled()

    states = []
    trainer = train(Counting(), make_data(fold, [2.0]), states, selection="best")
    assert trainer.model.fits == 1
    (row,) = trainer.progress.history
    assert (row.epoch, row.loss, row.validation_mad) == (1, None, 2.0)
    batch, target = fold.part("train")
    assert torch.equal(trainer.predict(batch).score, target)
    again = Trainer(toy.Nearest(), TrainerConfig(**SETTINGS), make_data(fold))
    again.restore(states[0])
    assert again.done
    assert torch.equal(again.predict(batch).score, target)


def test_a_fit_that_draws_though_it_says_it_does_not_is_refused(toy, fold):
    class Drawing(toy.Nearest):
        draws = False

        def fit(self, batch, target):
            super().fit(batch, target + 0.01 * torch.randn(len(target)))

    with pytest.raises(TrainingError, match=r"Drawing says that it draws no random numbers"):
        train(Drawing(), make_data(fold, [2.0]))


@pytest.mark.parametrize("shape", [(4, 1), (1,), ()])
def test_an_answer_that_would_be_broadcast_is_refused(shape):
    with pytest.raises(
        TrainingError, match=r"for 4 sequences is .*expected a tensor of shape \(4,\)"
    ):
        scores_of(Prediction(torch.zeros(shape)), 4)


@pytest.mark.parametrize("answer", [None, torch.zeros(4), (torch.zeros(4),)])
def test_an_answer_that_is_no_prediction_is_refused(answer):
    with pytest.raises(
        TrainingError, match=rf"{type(answer).__name__}.*return Prediction\(score\)"
    ):
        scores_of(answer, 4)


def test_normalising_over_one_sample_is_explained(fold):
    class Normed(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.head = nn.BatchNorm1d(3), nn.Linear(3, 1)

        def forward(self, batch):
            return Prediction(self.head(self.norm(batch.stream("position").mean((1, 2))))[:, 0])

    with pytest.raises(TrainingError, match=r"trainer\.batch_size=2 or more"):
        train(Normed(), make_data(fold), batch_size=1)
    train(Normed(), make_data(fold), batch_size=5, epochs=1)  # 16 samples: the last joins


def test_predicting_in_pieces_changes_nothing_and_leaves_no_trace(toy, fold):
    model = make_net(toy)
    batch, _ = fold.part("train")
    one = predict(model, batch, TrainerConfig(eval_batch_size=100), torch.device("cpu")).score
    many = predict(model, batch, TrainerConfig(eval_batch_size=3), torch.device("cpu")).score
    assert torch.allclose(one, many, atol=1e-6)
    assert not one.requires_grad
    empty = Batch({"position": torch.zeros(0, 12, 5, 3)})
    assert predict(model, empty, TrainerConfig(), torch.device("cpu")).score.shape == (0,)


def test_devices():
    assert resolve_device("cpu") == torch.device("cpu")
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert resolve_device("auto").type == expected
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match=r"sees 0 CUDA devices here: use trainer\.device=cpu"):
            resolve_device("cuda:3")


def test_an_exhausted_memory_says_what_to_try():
    with (
        pytest.raises(TrainingError, match=r"memory does not suffice.*trainer\.batch_size=16"),
        explained_errors(TrainerConfig(batch_size=32)),
    ):
        torch.empty(1 << 62, dtype=torch.uint8)
    with pytest.raises(RuntimeError, match="other"), explained_errors(TrainerConfig()):
        raise RuntimeError("other")

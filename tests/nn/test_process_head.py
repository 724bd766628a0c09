"""The head ``gp``: a Gaussian process on what the last layer sees."""

import copy

import pytest
import torch
from torch import nn

import zoo
from zoo.data.batch import Batch, Prediction
from zoo.nn.gaussian_process import GaussianProcess
from zoo.nn.heads import MSEHead
from zoo.nn.model import contract_of, replace_head
from zoo.runs.intervals import run_intervals
from zoo.training.config import TrainerConfig
from zoo.training.evaluate import load_trained
from zoo.training.report import Reporter
from zoo.training.seeding import reproducible
from zoo.training.stop import StopSignals
from zoo.training.trainer import Trainer, TrainingData

pytestmark = pytest.mark.usefixtures("one_thread")


class Toy(nn.Module):
    """Sixteen curves of the mean position, and a head."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 16)
        self.head = MSEHead.of(16, [8])

    def forward(self, batch: Batch) -> Prediction:
        return self.head(torch.tanh(self.layer(batch.stream("position").mean(1).flatten(1))))


def batch(samples=40, seed=0, exercise=None):
    generator = torch.Generator().manual_seed(seed)
    x = {"position": torch.randn(samples, 4, 2, 3, generator=generator)}
    return Batch(x, exercise=exercise)


def trained(x, target, **settings):
    torch.manual_seed(0)
    model = Toy()
    replace_head(model, "gp")
    config = TrainerConfig(epochs=4, batch_size=16, lr=0.01, device="cpu", **settings)
    trainer = Trainer(model, config, TrainingData(x, target))
    with reproducible(1), StopSignals() as stop:
        trainer.run(Reporter(), stop)
    return trainer


@pytest.fixture
def target():
    score = batch().stream("position").mean((1, 2)) @ torch.tensor([1.0, -1.0, 0.5])
    return (score - score.mean()) / score.std()


def test_it_answers_as_a_process_fitted_to_the_training_features(target):
    x, new = batch(), batch(7, seed=1)
    trainer = trained(x, target)
    model = trainer.model.eval()
    with torch.no_grad():
        known, features = model(x), model(new)
        seen = [model.head.layers[:-1](a.features) for a in (known, features)]
        process = GaussianProcess()
        process.fit(seen[0], target)
        expected = process(seen[1])
    said = trainer.predict(new)
    torch.testing.assert_close(said.score, expected.score)
    torch.testing.assert_close(said.log_variance, expected.log_variance)
    assert said.log_variance.unique().numel() == 7
    assert contract_of(model).learns_variance


def test_small_batches_give_the_same_process(target):
    whole, parts = (trained(batch(), target, eval_batch_size=size) for size in (64, 7))
    ours, theirs = (t.model.head.process.kernel for t in (whole, parts))
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=0)


def test_it_knows_the_tested_exercise_alone(target):
    exercise = (torch.arange(40) % 3 > 0).long()
    head = trained(batch(exercise=exercise), target).model.head
    assert len(head.process.inputs) == 14
    torch.testing.assert_close(head.scores, target[exercise == 0])


def test_layers_learn_as_under_the_squared_error(target):
    """In training the process has no part: the same weights as with the head ``mse``."""
    torch.manual_seed(0)
    plain = Toy()
    config = TrainerConfig(epochs=4, batch_size=16, lr=0.01, device="cpu")
    trainer = Trainer(plain, config, TrainingData(batch(), target))
    with reproducible(1), StopSignals() as stop:
        trainer.run(Reporter(), stop)
    learned = dict(trained(batch(), target).model.named_parameters())
    for name, value in plain.named_parameters():
        torch.testing.assert_close(value, learned[name], rtol=0, atol=1e-4)


def test_a_fitted_one_is_copied_and_exported(target):
    model = trained(batch(), target).model.eval()
    new = batch(7, seed=3)
    said = model(new)
    assert torch.equal(copy.deepcopy(model)(new).score, said.score)
    shapes = Batch({"position": {0: torch.export.Dim("sequences", min=1, max=64)}})
    exported = torch.export.export(model, (batch(5),), dynamic_shapes=(shapes,)).module()(new)
    torch.testing.assert_close(exported.score, said.score)
    torch.testing.assert_close(exported.log_variance, said.log_variance)


def test_a_run_keeps_it_and_its_intervals_follow_its_variance(tmp_path):
    run = zoo.train(
        "gru",
        overrides={
            "model.hidden": 8,
            "model.head": "gp",
            "trainer.epochs": 2,
            "protocol.frames": 16,
            "dataset.people": 30,
            "dataset.repetitions": 1,
        },
        runs=tmp_path,
        data_root=tmp_path,
    )
    assert load_trained(run.path).model.head.process.fitted
    assert zoo.evaluate(run, data_root=tmp_path).agrees
    deviation = run.scores.of("test").deviation
    assert deviation is not None
    assert len(set(deviation)) > 1
    found = run_intervals(run, 0.5)
    assert found.calibration.scaled
    assert found.width == pytest.approx(2 * found.calibration.factor * deviation.mean())

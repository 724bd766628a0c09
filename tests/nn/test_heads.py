"""Heads with a loss of their own: losses against torch's and hand computations, and a training."""

import copy
import math

import pytest
import torch
from torch import nn

import zoo
from registry import HEADS, RegistryError
from zoo.compose import compose
from zoo.data.batch import Batch, Prediction
from zoo.errors import ConfigError
from zoo.nn.heads import MSEHead
from zoo.nn.model import replace_head
from zoo.training.config import TrainerConfig
from zoo.training.evaluate import load_trained
from zoo.training.report import Reporter
from zoo.training.seeding import reproducible
from zoo.training.stop import StopSignals
from zoo.training.trainer import Trainer, TrainingData

pytestmark = pytest.mark.usefixtures("one_thread")

NAMES = [name for name in HEADS.names() if name != "masked-joints"]  # tests/nn/test_masked_joints
TINY = {"channels": [8, 8], "strides": [1, 2]}
TARGET = torch.tensor([-1.5, -0.5, 0.0, 0.25, 1.75])
PARTS = {"primary": TARGET * 0.3 + 1.2, "control": TARGET * 0.7 + 2.5}
"""They add up to the total and 3.7."""


class Toy(nn.Module):
    """The mean position, a layer and a head."""

    def __init__(self, hidden=()):
        super().__init__()
        self.layer = nn.Linear(6, 8)
        self.head = MSEHead.of(8, hidden)

    def forward(self, batch: Batch) -> Prediction:
        features = torch.relu(self.layer(batch.stream("position").mean(1).flatten(1)))
        return self.head(features)


def toy(choice=None, hidden=(), target=TARGET, parts=PARTS):
    torch.manual_seed(0)
    model = Toy(hidden)
    if choice is not None:
        replace_head(model, choice)
        model.head.prepare(model.head.targets(target, parts))
    return model


def batch(samples=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return Batch({"position": torch.randn(samples, 4, 2, 3, generator=generator)})


@pytest.mark.parametrize("name", NAMES)
def test_every_head_scores_each_sequence_with_a_finite_number(name):
    model = toy(name).eval()
    answer = model(batch())
    assert answer.score.shape == (5,)
    assert torch.isfinite(answer.score).all()
    assert (answer.log_variance is not None) == (name == "gaussian")
    alone = model(batch().select(torch.tensor([3])))
    torch.testing.assert_close(alone.score, answer.score[3:4])
    loss = model.head.loss(answer.output, model.head.targets(TARGET, PARTS))
    loss.backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters())


@pytest.mark.parametrize("name", ["mse", "huber"])
def test_another_loss_alone_leaves_the_network_as_it_was(name):
    plain, other = toy(hidden=[4]), toy(name, hidden=[4])
    assert plain.state_dict().keys() == other.state_dict().keys()
    assert torch.equal(plain(batch()).score, other(batch()).score)


def test_hidden_layers_of_the_models_head_stay():
    layers = toy("gaussian", hidden=[4]).head.layers
    assert [type(layer).__name__ for layer in layers] == ["Linear", "ReLU", "Linear"]
    assert [layer.out_features for layer in layers if isinstance(layer, nn.Linear)] == [4, 2]


def test_mse_and_huber_are_torchs():
    answer = toy("mse")(batch())
    expected = nn.MSELoss()(answer.score, TARGET)
    torch.testing.assert_close(toy("mse").head.loss(answer.output, TARGET), expected)
    head = toy({"name": "huber", "delta": 0.4}).head
    expected = nn.HuberLoss(delta=0.4)(answer.score, TARGET)
    torch.testing.assert_close(head.loss(answer.output, TARGET), expected)


def test_the_gaussian_loss_is_torchs_likelihood():
    model = toy("gaussian")
    answer = model(batch())
    expected = nn.GaussianNLLLoss()(answer.score, TARGET, answer.log_variance.exp())
    torch.testing.assert_close(model.head.loss(answer.output, TARGET), expected)


def test_the_variance_stays_within_bounds():
    head = toy("gaussian").head
    output = torch.tensor([[0.0, 99.0], [0.0, -99.0]])
    assert head.log_variance(output).tolist() == [6, -6]
    assert math.isfinite(head.loss(output, torch.tensor([50.0, 50.0])))


def test_usdl_by_hand():
    """Normal densities on the bins, divided by their sum; the mean divergence from them."""
    head = toy({"name": "usdl", "bins": 9, "deviation": 1.0}).head
    step = (1.75 + 1.5) / 4
    bins = [-1.5 + step * (k - 2) for k in range(9)]
    torch.testing.assert_close(head.grid.scores(), torch.tensor(bins))
    output = torch.randn(5, 9, generator=torch.Generator().manual_seed(1))
    total = 0.0
    for row, score in zip(output.tolist(), TARGET.tolist(), strict=True):
        density = [math.exp(-(((b - score) / step) ** 2) / 2) for b in bins]
        odds = [math.exp(v) for v in row]
        for d, o in zip(density, odds, strict=True):
            label, said = d / sum(density), o / sum(odds)
            total += label * math.log(label / said)
    assert float(head.loss(output, TARGET)) == pytest.approx(total / 5, rel=1e-5)


def test_usdl_reads_a_score_back_from_its_distribution():
    head = toy("usdl").head
    logits = head.grid.distribution(TARGET).clamp(min=1e-30).log()
    torch.testing.assert_close(head.read(logits), TARGET, atol=0.03, rtol=0)
    assert float(head.loss(logits, TARGET)) == pytest.approx(0, abs=1e-5)
    certain = torch.full((1, 101), -99.0)
    certain[0, 70] = 99
    torch.testing.assert_close(head.read(certain), head.grid.scores()[70:71])


def test_ordinal_by_hand():
    head = toy({"name": "ordinal", "levels": 4}).head
    output = torch.tensor([[-2.0], [0.0], [1.0], [0.3], [4.0]])
    biases = [3.0, 0.0, -3.0]
    torch.testing.assert_close(head.logits(torch.zeros(1, 1)), torch.tensor([biases]))
    step = 3.25 / 3
    thresholds = [-1.5 + step * (k + 0.5) for k in range(3)]
    total, expected = 0.0, []
    for g, score in zip(output[:, 0].tolist(), TARGET.tolist(), strict=True):
        above = [1 / (1 + math.exp(-g - b)) for b in biases]
        expected.append(-1.5 + step * sum(above))
        for p, t in zip(above, thresholds, strict=True):
            total -= math.log(p if score > t else 1 - p)
    assert head.loss(output, TARGET).item() == pytest.approx(total / 15, rel=1e-5)
    torch.testing.assert_close(head.read(output), torch.tensor(expected))


def test_ordinal_is_monotone_whatever_its_parameters():
    head = toy("ordinal").head
    with torch.no_grad():
        head.gaps.normal_(0, 5)
        head.first.fill_(-2)
    rising = torch.linspace(-20, 20, 41)[:, None]
    logits = head.logits(rising)
    assert (logits[:, 1:] <= logits[:, :-1]).all()
    scores = head.read(rising)
    assert (scores[1:] >= scores[:-1]).all()
    assert -1.5 <= scores[0].item() <= scores[-1].item() <= 1.75


def test_parts_add_up_to_the_total():
    head = toy("po-cf").head
    target = head.targets(TARGET, PARTS)
    exact = (target[:, 1:] - target[:, 1:].mean(0)) / target[:, 1:].std(0, correction=0)
    torch.testing.assert_close(head.read(exact), TARGET)
    assert head.loss(exact, target).item() == pytest.approx(0, abs=1e-9)
    off = exact + torch.tensor([0.5, 0.0])  # half a deviation too much of the first part
    wrong = 0.5 * PARTS["primary"].std(correction=0).item()
    assert head.loss(off, target).item() == pytest.approx(wrong**2 + 0.25 / 2, rel=1e-5)
    torch.testing.assert_close(head.read(off), TARGET + wrong)


def test_musdl_is_usdl_of_each_part():
    options = {"bins": 15, "deviation": 1.0}
    head = toy({"name": "musdl", **options}).head
    output = torch.randn(5, 30, generator=torch.Generator().manual_seed(1))
    loss, score = 0.0, -3.7
    for k, scores in enumerate(PARTS.values()):
        single = toy({"name": "usdl", **options}, target=scores).head
        loss += single.loss(output[:, 15 * k : 15 * k + 15], scores)
        score += single.read(output[:, 15 * k : 15 * k + 15])
    target = head.targets(TARGET, PARTS)
    torch.testing.assert_close(head.loss(output, target), loss)
    torch.testing.assert_close(head.read(output), score)


def test_core_by_hand():
    """Groups of equally many differences, the place in the group, and the mean over exemplars."""
    model = toy({"name": "core", "groups": 4, "exemplars": 3, "hidden": 4})
    head = model.head
    assert head.exemplar_scores.tolist() == [-1.5, 0.0, 1.75]
    away = TARGET[:, None] - head.exemplar_scores
    quartiles = torch.cat([away, -away]).flatten().quantile(torch.linspace(0, 1, 5))
    torch.testing.assert_close(head.edges, quartiles, atol=5e-3, rtol=0)
    counts = torch.bucketize(torch.cat([away, -away]).flatten(), head.edges[1:-1]).bincount()
    assert counts.sum() == 30
    assert (counts - 7.5).abs().max() <= 2.5
    features = torch.randn(2, 8, generator=torch.Generator().manual_seed(2))
    head.refresh(lambda index: index[:, None] * torch.ones(3, 8))
    assert head.exemplar_features[:, 0].tolist() == [0, 2, 4]
    total = torch.zeros(2)
    for e, score in enumerate(head.exemplar_scores):
        for n in range(2):
            pair = torch.cat([features[n], head.exemplar_features[e], score[None]])
            logits, places = head.layers(pair).chunk(2)
            for g, chance in enumerate(logits.softmax(0)):
                low, high = head.edges[g], head.edges[g + 1]
                total[n] += (score + low + places[g] * (high - low)) * chance / 3
    torch.testing.assert_close(head.read(features), total)
    # Of two sequences each is the other's exemplar.
    target = torch.tensor([-0.5, 1.0])
    loss = 0.0
    for n, m in ((0, 1), (1, 0)):
        pair = torch.cat([features[n], features[m], target[m, None]])
        logits, places = head.layers(pair).chunk(2)
        d = target[n] - target[m]
        g = int((d > head.edges[1:-1]).sum())
        place = (d - head.edges[g]) / (head.edges[g + 1] - head.edges[g])
        loss += (-logits.log_softmax(0)[g] + (places[g] - place) ** 2) / 2
    torch.testing.assert_close(head.loss(features, target), loss)


def test_cores_exemplars_are_training_samples_as_the_network_sees_them_at_the_end():
    x = batch(20, seed=1)
    model = toy("core")
    settings = TrainerConfig(epochs=2, batch_size=8, device="cpu")
    trainer = Trainer(model, settings, TrainingData(x, torch.linspace(-1, 1, 20)))
    with reproducible(1), StopSignals() as stop:
        trainer.run(Reporter(), stop)
    with torch.no_grad():
        known = model.eval()(x).features
    distance = torch.cdist(model.head.exemplar_features, known).min(1)
    assert distance.values.max() < 1e-5
    assert distance.indices.tolist() == model.head.chosen.tolist()
    fresh = toy("core", target=torch.zeros(20))
    fresh.load_state_dict(model.state_dict())
    assert torch.equal(fresh.eval()(x).score, model(x).score)


def test_a_missing_part_is_named():
    with pytest.raises(ConfigError, match=r"'control' of every recording, and 5 of 5 .*primary"):
        toy("po-cf", parts={"primary": PARTS["primary"]})
    gap = torch.where(TARGET > 1, torch.nan, TARGET)
    with pytest.raises(ConfigError, match=r"'primary' of every recording, and 1 of 5"):
        toy("musdl", parts={**PARTS, "primary": gap})
    with pytest.raises(ConfigError, match="parts are 'primary', expected a list"):
        toy({"name": "po-cf", "parts": "primary"})
    with pytest.raises(ConfigError, match="parts are 3, expected a list"):
        toy({"name": "musdl", "parts": 3})


@pytest.mark.parametrize("name", ["usdl", "ordinal", "core"])
def test_equal_scores_leave_the_head_finite(name):
    model = toy(name, target=torch.ones(5))
    answer = model(batch())
    assert torch.isfinite(model.head.loss(answer.output, torch.ones(5)))
    assert torch.isfinite(answer.score).all()


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("gausian", "no head is called 'gausian'. Did you mean 'gaussian'"),
        ({"bins": 5}, "expected the name of a head"),
        ({"name": "usdl", "bin": 5}, "'usdl' has no key 'bin'. Did you mean 'bins'"),
        ({"name": "mse", "bin": 5}, "'mse' has no key 'bin'"),
        ({"name": "usdl", "bins": 21}, "bins is 21, expected a whole number from 22"),
        ({"name": "huber", "delta": "1e-3"}, "delta is '1e-3', expected a number above 0"),
        ({"name": "ordinal", "levels": 2.0}, "levels is 2.0"),
    ],
)
def test_what_no_head_takes(choice, message):
    with pytest.raises((ConfigError, RegistryError), match=message.replace(".", r"\.")):
        toy(choice)


def test_a_model_without_such_a_head_is_refused():
    with pytest.raises(ConfigError, match="Sequential has no head that 'mse' could"):
        replace_head(nn.Sequential(nn.Linear(1, 1)), "mse")
    with pytest.raises(ConfigError, match="model 'mean' has no key 'head'"):
        zoo.create_model("mean", head="mse")


@pytest.mark.parametrize("name", NAMES)
def test_exported_and_copied_models_keep_the_head(name):
    model = toy(name).eval()
    expected = model(batch(7, seed=3)).score
    assert torch.equal(copy.deepcopy(model)(batch(7, seed=3)).score, expected)
    shapes = Batch({"position": {0: torch.export.Dim("sequences", min=1, max=64)}})
    exported = torch.export.export(model, (batch(),), dynamic_shapes=(shapes,)).module()
    torch.testing.assert_close(exported(batch(7, seed=3)).score, expected)


@pytest.mark.parametrize("name", NAMES)
def test_every_head_learns(name):
    x = batch(40, seed=1)
    target = x.stream("position").mean((1, 2))[:, 0]
    target = (target - target.mean()) / target.std()
    trainer = Trainer(
        toy(name),
        TrainerConfig(epochs=60, lr=0.02, batch_size=10, weight_decay=0.0, device="cpu"),
        TrainingData(x, target, parts={"primary": target * 0.3 + 1, "control": target * 0.7 + 2}),
    )
    with reproducible(1), StopSignals() as stop:
        trainer.run(Reporter(), stop)
    losses = [row.loss for row in trainer.progress.history]
    assert losses[-1] < losses[0]
    assert float((trainer.predict(x).score - target).abs().mean()) < 0.35


@pytest.mark.parametrize("name", ["huber", "usdl", "core", "gp"])
def test_a_training_that_was_stopped_ends_bit_by_bit_the_same(name):
    data = TrainingData(batch(20, seed=1), torch.linspace(-1, 1, 20), parts={})
    settings = TrainerConfig(epochs=3, batch_size=8, device="cpu", checkpoint_every=1)
    states = []
    whole = Trainer(toy(name), settings, data)
    again = Trainer(toy(name), settings, data)
    with reproducible(1), StopSignals() as stop:
        whole.run(Reporter(), stop, states.append)
        again.restore(states[0])
        again.run(Reporter(), stop)
    for key, value in whole.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[key])


# In a run


def test_configurations_name_the_nearest_head_and_stay_as_they_were_without_one():
    assert "head" not in compose(model="stgcn-small")["model"]
    chosen = compose(model="stgcn-small", overrides=["model.head=usdl"])
    assert chosen["model"]["head"] == "usdl"
    chosen = compose(model="stgcn-small", overrides=["model.head={name: usdl, bins: 51}"])
    assert chosen["model"]["head"] == {"name": "usdl", "bins": 51}
    with pytest.raises(RegistryError, match="Did you mean 'ordinal'"):
        compose(model="stgcn-small", overrides=["model.head=ordnal"])
    with pytest.raises(ConfigError, match=r"no setting is called 'model\.head'"):
        compose(model="mean", overrides=["model.head=mse"])


def test_a_run_keeps_its_head(tmp_path):
    run = zoo.train(
        "stgcn-small",
        overrides={
            **{f"model.{key}": value for key, value in TINY.items()},
            "model.head": "ordinal",
            "trainer.epochs": 1,
            "trainer.threads": 1,
            "protocol.frames": 16,
            "dataset.people": 10,
            "dataset.repetitions": 1,
        },
        runs=tmp_path,
        data_root=tmp_path,
    )
    assert run.record.model.params["head"] == "ordinal"
    head = load_trained(run.path).model.head
    assert float(head.step) != 1
    assert zoo.evaluate(run, data_root=tmp_path).agrees


def test_the_parts_of_training_recordings_reach_the_head(tmp_path):
    people = {"people": 10, "repetitions": 1}
    run = zoo.train(
        "stgcn-small",
        overrides={
            **{f"model.{key}": value for key, value in TINY.items()},
            "model.head": "po-cf",
            "trainer.epochs": 1,
            "trainer.threads": 1,
            "protocol.frames": 16,
            **{f"dataset.{key}": value for key, value in people.items()},
        },
        runs=tmp_path,
        data_root=tmp_path,
    )
    found = load_trained(run.path)
    head, scaler = found.model.head, found.target_scaler
    recordings = {r.id: r for r in zoo.load_dataset("synthetic", data_root=tmp_path, **people)}
    learnt = [recordings[name].scores for name in run.split["train"]["recordings"]]
    parts = torch.tensor([[scores["primary"], scores["control"]] for scores in learnt])
    expected = parts.std(0, correction=0).to(head.deviation)
    torch.testing.assert_close(head.deviation * scaler.scale, expected, rtol=1e-3, atol=1e-3)
    assert zoo.evaluate(run, data_root=tmp_path).agrees

"""The loss of hidden joints: its formula, what the network sees of them, and where it leads."""

import math

import pytest
import torch

import zoo
from zoo.data.batch import Batch
from zoo.errors import ConfigError

TINY = {"channels": [8, 8], "strides": [1, 2]}
N, T, V = 3, 12, 25


def network(name="stgcn-small", choice="masked-joints", **settings):
    torch.manual_seed(0)
    return zoo.create_model(name, layout="kinect-v2", head=choice, **settings)


def positions(frames=T, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(N, frames, V, 3, generator=generator)


def test_the_loss_is_its_formula():
    model = network(**TINY).eval()
    x = positions(11)
    error = model(Batch({"position": x})).output[:, 0]
    hidden = range(0, V, 2)  # of 40 %, every second one
    shown = x.clone()
    shown[:, :, hidden] = 0
    features, _ = model.extract(Batch({"position": shown}))
    guess = model.head.layers(features)
    for n in range(N):
        off = [
            ((guess[n, t, v] - x[n, 2 * t, v]) ** 2).mean()
            for t in range(features.shape[1])
            for v in hidden
        ]
        torch.testing.assert_close(error[n], torch.stack(off).mean())
    assert model.head.loss(error[:, None], torch.zeros(N)) == error.mean()


def test_the_network_does_not_see_what_is_hidden():
    model = network(**TINY).eval()
    x = positions().requires_grad_()
    seen = []
    model.trunk.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    model(Batch({"position": x}))
    hidden = (seen[0] == 0).all(-1).all(1)
    assert hidden.any(1).all()
    assert not hidden.all(1).any()
    (gradient,) = torch.autograd.grad(seen[0].sum(), x)
    assert not gradient.any(-1).any(1)[hidden].any()


def test_in_training_other_joints_are_hidden_each_time():
    head = network(**TINY).train().head
    drawn = torch.stack([head._hidden(positions()) for _ in range(200)])
    assert drawn.float().mean() == pytest.approx(0.4, abs=0.02)
    assert drawn.float().mean((0, 1)).std() < 0.05
    few = network(choice={"name": "masked-joints", "share": 0.001}, **TINY).head
    assert (few._hidden(positions()).sum(1) >= 1).all()
    many = network(choice={"name": "masked-joints", "share": 0.999}, **TINY).head
    assert (many._hidden(positions()).sum(1) < V).all()


def test_padding_is_not_asked_for():
    model = network(**TINY).eval()
    x = positions()
    mask = torch.ones(N, T + 4, dtype=torch.bool)
    mask[:, T:] = False
    padded = torch.cat([x, torch.full((N, 4, V, 3), math.nan)], 1)
    torch.testing.assert_close(
        model(Batch({"position": padded}, mask)).output, model(Batch({"position": x})).output
    )


def test_it_learns_where_joints_are():
    """Hidden joints that follow from their neighbours are found far better than by the mean."""
    model = network(channels=[16, 16], strides=[1, 1])
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    torch.manual_seed(0)
    losses = []
    for _ in range(60):
        x = torch.randn(16, 4, 1, 3).expand(-1, -1, V, -1)
        loss = model.head.loss(model(Batch({"position": x})).output, torch.zeros(16))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[0] > 0.8
    assert sum(losses[-5:]) / 5 < 0.5


@pytest.mark.parametrize("name", ["aagcn-small", "d2sta-small", "rastg-small", "recon-small"])
def test_any_network_with_features_of_joints_will_do(name):
    model = network(name).train()
    streams = {"position": positions(16), "orientation": torch.randn(N, 16, V, 4)}
    answer = model(Batch({s: streams[s] for s in model.streams}))
    assert answer.score.tolist() == [0.0] * N
    loss = model.head.loss(answer.output, torch.zeros(N))
    loss.backward()
    assert all(p.grad.isfinite().all() for p in model.head.parameters())


def test_a_network_without_features_of_joints_is_refused():
    with pytest.raises(ConfigError, match="features of each joint"):
        network("gru")(Batch({"position": positions()}))
    with pytest.raises(ConfigError, match="share is 1"):
        network(choice={"name": "masked-joints", "share": 1}, **TINY)
    with pytest.raises(ConfigError, match="ScoreModel"):
        network(**TINY).head(torch.zeros(2, 8))


def test_another_run_starts_from_it(tmp_path):
    few = {
        "dataset.people": 10, "dataset.repetitions": 2, "protocol.frames": 16, "trainer.epochs": 1,
        "model.channels": [8, 8], "model.strides": [1, 2],
    }  # fmt: skip
    masked = {"model.head": "masked-joints", "protocol.selection": "last"}
    run = zoo.train(
        "stgcn-small", exercise="5", runs=tmp_path / "runs", data_root=tmp_path / "data",
        overrides={
            **few,
            "trainer.init_from": {"set": {**masked, "trainer.exercises": "all"}},
            "trainer.init_head": "fresh",
        },
    )  # fmt: skip
    assert all(name.startswith("head.") for name in run.record.init_from.fresh)
    assert run.record.init_from.taken > 20

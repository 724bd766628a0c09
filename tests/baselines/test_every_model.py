"""What every registered model has to do, whatever it is."""

import copy
from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, load_model, save_model
from torch import Tensor, nn

import zoo
from registry import MODELS
from zoo.data.batch import STREAM_CHANNELS, Batch, Prediction
from zoo.data.scalers import StreamScaler
from zoo.errors import DataError
from zoo.nn.model import contract_of
from zoo.skeleton import load_layout
from zoo.training.state import load_weights

NAMES = MODELS.names()
BLIND = {"mean", "median", "group-mean"}
"""Models that never look at the movement."""
UNTRACED = {
    "knn-dtw": "goes through the sequences one by one",
    "minirocket": "its loop over dilations follows from what it was fitted on",
    "features-ridge": "NumPy measures the features",
    "features-gp": "NumPy measures the features",
    "features-svr": "NumPy measures the features",
    "features-trees": "NumPy measures the features",
    "features-boosting": "NumPy measures the features",
}
TRACED = [name for name in NAMES if f"{name}-small" not in NAMES and name not in UNTRACED]
"""Tracing takes seconds a model: one size of each code is enough."""
N, T = 3, 24


pytestmark = pytest.mark.usefixtures("one_thread")


@cache
def _made(name: str, layout: str) -> nn.Module:
    """The model in evaluation mode, fitted or moved off its initial values as if it had been.

    Gates that start at zero would otherwise hide parts of a network.
    """
    torch.manual_seed(0)
    model = zoo.create_model(name, layout=layout)
    if hasattr(model, "fit"):
        fit(model, layout)
        return model.eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        for norm in norms:
            norm.momentum = 1.0
        model.train()(random_batch(model, layout=layout))
        for norm in norms:
            norm.momentum = 0.1
    return model.eval()


def make(name: str, layout: str = "kinect-v2") -> nn.Module:
    """A model of one's own, as `_made`."""
    return copy.deepcopy(_made(name, layout))


@torch.no_grad()
def fit(model: nn.Module, layout: str = "kinect-v2") -> None:
    """Fit a closed-form model to twelve random batches, `random_batch` being the first."""
    torch.manual_seed(0)
    parts = [random_batch(model, layout=layout, seed=seed) for seed in range(1, 13)]
    batch = Batch({name: torch.cat([part.x[name] for part in parts]) for name in model.streams})
    model.fit(batch, torch.linspace(-1, 1.5, 12 * N))


def random_batch(
    model: nn.Module, frames: int = T, layout: str = "kinect-v2", seed: int = 1
) -> Batch:
    """Smooth random movement in the streams the model needs."""
    generator = torch.Generator().manual_seed(seed)
    joints = load_layout(layout).num_joints
    streams = {}
    for name in model.streams:
        steps = torch.randn(N, frames, joints, STREAM_CHANNELS[name], generator=generator)
        streams[name] = 0.2 * steps.cumsum(1) + steps[:, :1]
    return Batch(streams)


@pytest.fixture(params=NAMES)
def model(request: pytest.FixtureRequest) -> nn.Module:
    return make(request.param)


@torch.no_grad()
def score(model: nn.Module, batch: Batch) -> Tensor:
    return model(batch).score


def test_the_zoo_has_its_baselines() -> None:
    assert {"mean", "stgcn", "stgcn-small", "aagcn", "aagcn-small", "d2sta"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_says_whether_its_seed_matters(name: str) -> None:
    model = make(name)
    drew = True
    if hasattr(model, "fit"):
        before = torch.manual_seed(0).get_state()  # as `fit` sets it
        fit(model)
        drew = not torch.equal(before, torch.get_rng_state())
    assert contract_of(model).draws == drew


def test_scores_are_finite_and_one_per_sequence(model: nn.Module) -> None:
    prediction = model(random_batch(model))
    assert isinstance(prediction, Prediction)
    assert prediction.score.shape == (N,)
    assert prediction.score.dtype == torch.float32
    assert prediction.score.isfinite().all()
    if prediction.log_variance is not None:
        assert prediction.log_variance.shape == (N,)
    if prediction.features is not None:
        assert prediction.features.shape[0] == N


def test_training_mode_gives_finite_scores(model: nn.Module) -> None:
    assert model.train()(random_batch(model)).score.isfinite().all()


def test_an_undefined_descriptor_counts_as_usual(model: nn.Module) -> None:
    """And each tells of a joint or the whole body: what explains by leaving some out needs both."""
    contract, batch = contract_of(model), random_batch(model)
    if contract.derive is None:
        pytest.skip("it derives nothing")
    contract.prepare(batch, StreamScaler("none"))
    derived = contract.derive.compute(batch)
    told = contract.derived_joints()
    if told:
        shapes = {name: x.shape[1:3] for name, x in derived.x.items()}
        assert {name: of.shape for name, of in told.items()} == shapes
    nothing = {name: torch.full_like(x, torch.nan) for name, x in derived.x.items()}
    usual = score(model.eval(), derived._replace(x=nothing))
    torch.testing.assert_close(usual, usual[:1].expand(N))
    assert score(model, derived).unique().numel() == N


@pytest.mark.parametrize("name", [name for name in NAMES if name not in BLIND])
def test_sequences_score_differently(name: str) -> None:
    model = make(name)
    assert score(model, random_batch(model)).unique().numel() == N


@pytest.mark.parametrize("name", sorted(BLIND))
def test_a_blind_model_does_not_look_at_the_sequences(name: str) -> None:
    model = make(name)
    assert score(model, random_batch(model)).unique().numel() == 1


def test_every_parameter_gets_a_gradient(model: nn.Module) -> None:
    if hasattr(model, "fit"):
        assert not any(p.requires_grad for p in model.parameters())
        return
    model.train()
    batch = random_batch(model)
    target = torch.linspace(-1, 1, N)
    prediction = model(batch)
    parameters = dict(model.named_parameters())
    loss = (prediction.score - target).square().sum()
    head = contract_of(model).head
    if head is not None:  # a part may learn from the head's loss alone
        head.prepare(target)
        loss = loss + head.objective(prediction.output, target, target)
    if prediction.log_variance is not None:
        loss = loss + prediction.log_variance.square().sum()
    loss.backward()
    without = [name for name, p in parameters.items() if p.grad is None]
    assert not without
    broken = [name for name, p in parameters.items() if not p.grad.isfinite().all()]
    assert not broken


def test_a_fit_forgets_what_was_fitted_before(model: nn.Module) -> None:
    if not hasattr(model, "fit"):
        pytest.skip("trained by gradient")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    other = random_batch(model, seed=9)
    model.fit(other, torch.tensor([3.0, -2.0, 0.5]))
    after = model.state_dict()
    assert any(not torch.equal(before[name], tensor) for name, tensor in after.items())
    fit(model)
    again = model.state_dict()
    assert all(torch.equal(before[name], again[name]) for name in before)


def test_order_of_the_batch_does_not_matter(model: nn.Module) -> None:
    batch = random_batch(model)
    order = torch.tensor([2, 0, 1])
    torch.testing.assert_close(
        score(model, batch.select(order)), score(model, batch)[order], rtol=1e-5, atol=1e-5
    )


def test_a_sequence_scores_the_same_alone(model: nn.Module) -> None:
    batch = random_batch(model)
    alone = score(model, batch.select(torch.tensor([1])))
    torch.testing.assert_close(alone, score(model, batch)[1:2], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("frames", [T, T - 3])
@pytest.mark.parametrize("filler", [0.0, 50.0, float("nan")])
def test_padding_is_masked_out(model: nn.Module, frames: int, filler: float) -> None:
    batch = random_batch(model, frames)
    padded = {
        name: torch.cat([x, x.new_full((N, 9, *x.shape[2:]), filler)], dim=1)
        for name, x in batch.x.items()
    }
    mask = torch.zeros(N, frames + 9, dtype=torch.bool)
    mask[:, :frames] = True
    torch.testing.assert_close(
        score(model, Batch(padded, mask)), score(model, batch), rtol=1e-5, atol=1e-5
    )


def test_a_full_mask_is_no_mask(model: nn.Module) -> None:
    batch = random_batch(model)
    full = batch._replace(mask=torch.ones(N, T, dtype=torch.bool))
    torch.testing.assert_close(score(model, full), score(model, batch), rtol=1e-5, atol=1e-5)


def test_sequences_of_unequal_length_share_a_batch(model: nn.Module) -> None:
    batch = random_batch(model)
    lengths = [T, 13, 20]
    mask = torch.arange(T) < torch.tensor(lengths).unsqueeze(1)
    together = score(model, batch._replace(mask=mask))
    for i, length in enumerate(lengths):
        alone = Batch({name: x[i : i + 1, :length] for name, x in batch.x.items()})
        torch.testing.assert_close(together[i : i + 1], score(model, alone), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_saved_and_loaded_it_scores_the_same(name: str, tmp_path: Path) -> None:
    model = make(name)
    save_model(model, str(tmp_path / "model.safetensors"))
    torch.manual_seed(7)
    other = zoo.create_model(name).eval()
    if hasattr(model, "fit"):
        load_weights(other, load_file(tmp_path / "model.safetensors"), free_shapes=True)
    else:
        load_model(other, str(tmp_path / "model.safetensors"), strict=True)
    batch = random_batch(model)
    assert torch.equal(score(other, batch), score(model, batch))


def test_a_deep_copy_is_independent(model: nn.Module) -> None:
    batch = random_batch(model)
    before = score(model, batch)
    twin = copy.deepcopy(model)
    assert torch.equal(score(twin, batch), before)
    with torch.no_grad():
        for tensor in [*twin.parameters(), *twin.buffers()]:
            if tensor.is_floating_point():
                tensor.mul_(0.5).add_(0.25)
    assert torch.equal(score(model, batch), before)


@pytest.mark.parametrize("name", NAMES)
def test_another_layout(name: str) -> None:
    model = make(name, layout="coco")
    assert score(model, random_batch(model, layout="coco")).isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_model(name: str) -> None:
    torch.manual_seed(3)
    first = zoo.create_model(name).state_dict()
    torch.manual_seed(3)
    second = zoo.create_model(name).state_dict()
    assert first.keys() == second.keys()
    assert all(torch.equal(first[k], second[k]) for k in first)


def test_a_missing_stream_is_a_clear_error(model: nn.Module) -> None:
    batch = random_batch(model)
    for name in model.streams:
        left = {k: v for k, v in batch.x.items() if k != name} | {"other": torch.zeros(N, T, 1, 1)}
        with pytest.raises(DataError, match=name):
            model(Batch(left))


@pytest.mark.parametrize("name", TRACED)
def test_export_for_any_number_of_sequences(name: str) -> None:
    model = make(name)
    batch = random_batch(model)
    batch = derived(model, batch._replace(mask=torch.arange(T).expand(N, T) < T - 4))
    number = torch.export.Dim("sequences", min=1, max=4096)
    shapes = Batch({k: {0: number} for k in batch.x}, None if batch.mask is None else {0: number})
    exported = torch.export.export(model, (batch,), dynamic_shapes=(shapes,)).module()
    more = batch.select(torch.tensor([0, 1, 2, 1, 0]))
    torch.testing.assert_close(exported(more).score, score(model, more), rtol=1e-5, atol=1e-5)


def derived(model: nn.Module, batch: Batch) -> Batch:
    """What is traced starts from what the model computes of recordings alone, if it does."""
    derivation = contract_of(model).derive
    return batch if derivation is None else derivation.compute(batch)


@pytest.mark.parametrize("name", TRACED)
def test_compile_sees_one_whole_graph(name: str) -> None:
    model = make(name)
    batch = derived(model, random_batch(model))
    torch.compiler.reset()
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    with torch._dynamo.config.patch(allow_rnn=True):  # torch.nn.GRU and LSTM only if asked
        answer = score(compiled, batch)
    torch.testing.assert_close(answer, score(model, batch), rtol=1e-5, atol=1e-5)

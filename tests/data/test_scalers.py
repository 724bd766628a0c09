import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from zoo.data.batch import Batch
from zoo.data.scalers import StreamScaler, TargetScaler
from zoo.errors import CheckpointError, ConfigError, DataError


def batch(seed=0, samples=8, mask=False) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    x = {
        "position": torch.randn(samples, 10, 5, 3, generator=generator) * 2 + 1,
        "bone": torch.randn(samples, 10, 5, 3, generator=generator),
    }
    if not mask:
        return Batch(x)
    real = torch.arange(10)[None] < torch.randint(4, 11, (samples, 1), generator=generator)
    return Batch({k: v * real[:, :, None, None] for k, v in x.items()}, real)


def test_is_scikit_learns_standard_scaler():
    data = batch()
    found = StreamScaler().fit(data).transform(data)
    for name, x in data.x.items():
        flat = x.flatten(0, 1).flatten(1).double().numpy()
        expected = StandardScaler().fit_transform(flat).reshape(x.shape)
        np.testing.assert_allclose(found.x[name].numpy(), expected, atol=1e-5)


def test_padded_frames_neither_count_nor_change():
    data = batch(mask=True)
    scaler = StreamScaler().fit(data)
    loud = Batch({k: v + 1e3 * ~data.mask[:, :, None, None] for k, v in data.x.items()}, data.mask)
    for name, values in StreamScaler().fit(loud).state_dict().items():
        torch.testing.assert_close(values, scaler.state_dict()[name])
    found = scaler.transform(loud)
    for x in found.x.values():
        assert not x[~data.mask].any()
        torch.testing.assert_close(x[data.mask].mean(0), torch.zeros(5, 3), atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", ["zscore", "none"])
@pytest.mark.parametrize("mask", [False, True])
def test_the_inverse_gives_back_what_was_scaled(kind, mask):
    data = batch(mask=mask)
    scaler = StreamScaler(kind).fit(data)
    found = scaler.inverse(scaler.transform(data))
    for name, x in data.x.items():
        torch.testing.assert_close(found.x[name], x, atol=1e-5, rtol=0)


def test_constant_channels_are_centred_and_stay_finite():
    x = torch.zeros(4, 6, 2, 3)
    x[:, :, 0] = 0.1 + torch.randn(4, 6, 3) * 1e-8
    x[:, :, 1] = 1e6
    found = StreamScaler().fit(Batch({"position": x})).transform(Batch({"position": x}))
    assert found.x["position"].abs().max() < 1e-6


def test_only_what_it_was_fitted_on_counts():
    data = batch()
    train = data.select(torch.arange(5))
    scaler = StreamScaler().fit(train)
    torch.testing.assert_close(
        scaler.mean["position"], train.x["position"].flatten(0, 1).mean(0), atol=1e-6, rtol=1e-5
    )


def test_none_leaves_everything():
    data = batch()
    assert StreamScaler("none").fit(data).transform(data) is data
    assert StreamScaler("none").fit(data).state_dict() == {}


def quaternions(samples=6, seed=0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    near = torch.tensor([0.0, 0.1, 0.9, 0.2]) + 0.1 * torch.randn(
        samples, 7, 3, 4, generator=generator
    )
    return near / near.norm(dim=-1, keepdim=True)


def test_the_sign_of_a_quaternion_says_nothing():
    q = quaternions()
    sign = torch.where(
        torch.rand(6, 1, 3, 1, generator=torch.Generator().manual_seed(1)) < 0.5, -1.0, 1.0
    )
    plain = StreamScaler().fit(Batch({"orientation": q}))
    mixed = StreamScaler().fit(Batch({"orientation": q * sign}))
    assert not torch.equal(q, q * sign)
    torch.testing.assert_close(plain.reference, mixed.reference)
    for scaler in (plain, mixed):
        torch.testing.assert_close(
            scaler.transform(Batch({"orientation": q * sign})).x["orientation"],
            plain.transform(Batch({"orientation": q})).x["orientation"],
        )


def test_signs_do_not_depend_on_the_company():
    q = quaternions()
    scaler = StreamScaler().fit(Batch({"orientation": q}))
    together = scaler.transform(Batch({"orientation": -q})).x["orientation"]
    alone = scaler.transform(Batch({"orientation": -q[2:3]})).x["orientation"]
    torch.testing.assert_close(together[2:3], alone)


@pytest.mark.parametrize("kind", ["zscore", "none"])
def test_state_round_trip(kind):
    data = Batch({**batch(samples=6).x, "orientation": quaternions()})
    scaler = StreamScaler(kind).fit(data)
    state = scaler.state_dict()
    assert all(isinstance(v, torch.Tensor) for v in state.values())
    copy = StreamScaler()
    copy.load_state_dict(state)
    assert copy.kind == kind
    for name, x in scaler.transform(data).x.items():
        assert torch.equal(copy.transform(data).x[name], x)


def test_a_damaged_state_is_refused():
    state = StreamScaler().fit(batch()).state_dict()
    with pytest.raises(CheckpointError, match="not whole"):
        StreamScaler().load_state_dict({k: v for k, v in state.items() if k != "bone.mean"})
    with pytest.raises(CheckpointError, match="not whole"):
        StreamScaler().load_state_dict({**state, "bone.mean": torch.zeros(2, 3)})


def test_misuse_is_told():
    with pytest.raises(ConfigError, match="unknown stream scale 'z'"):
        StreamScaler("z")
    with pytest.raises(DataError, match="no samples"):
        StreamScaler().fit(batch().select(torch.tensor([], dtype=torch.long)))
    with pytest.raises(DataError, match="position, bone, the batch has the stream 'angle'"):
        StreamScaler().fit(batch()).transform(Batch({"angle": torch.zeros(1, 2, 3, 3)}))


SCORES = st.lists(st.floats(0, 50, width=32), min_size=1, max_size=40)


@given(scores=SCORES, kind=st.sampled_from(["zscore", "minmax", "none"]))
def test_targets_come_back(scores, kind):
    y = torch.tensor(scores)
    scaler = TargetScaler(kind).fit(y)
    standard = scaler.transform(y)
    assert torch.isfinite(standard).all()
    torch.testing.assert_close(scaler.inverse(standard), y, atol=2e-5, rtol=1e-5)
    copy = TargetScaler()
    copy.load_state_dict(scaler.state_dict())
    assert copy.kind == kind
    assert torch.equal(copy.transform(y), standard)


def test_target_scales_are_scikit_learns():
    y = torch.tensor([10.0, 20.0, 50.0, 35.0])
    column = y.numpy()[:, None].astype(float)
    for kind, reference in (("zscore", StandardScaler()), ("minmax", MinMaxScaler())):
        expected = reference.fit_transform(column)[:, 0]
        np.testing.assert_allclose(TargetScaler(kind).fit(y).transform(y), expected, atol=1e-6)
    scaler = TargetScaler().fit(y)
    assert float(scaler.inverse_variance(torch.tensor(1.0))) == pytest.approx(column.var())


def test_equal_scores_have_scale_one():
    y = torch.full((5,), 33.3)
    for kind in ("zscore", "minmax"):
        scaler = TargetScaler(kind).fit(y)
        assert scaler.scale == 1.0
        assert scaler.transform(y).abs().max() < 1e-6


def test_target_misuse_is_told():
    with pytest.raises(ConfigError, match="unknown target scale"):
        TargetScaler("rank")
    with pytest.raises(DataError, match="no scores"):
        TargetScaler().fit(torch.tensor([]))
    with pytest.raises(DataError, match="not finite"):
        TargetScaler().fit(torch.tensor([1.0, float("nan")]))
    state = TargetScaler().fit(torch.tensor([1.0, 2.0])).state_dict()
    with pytest.raises(CheckpointError, match="scale"):
        TargetScaler().load_state_dict({**state, "scale": torch.tensor(0.0)})
    with pytest.raises(CheckpointError, match="not whole"):
        TargetScaler().load_state_dict({"scale": torch.tensor(1.0)})

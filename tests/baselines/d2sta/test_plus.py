"""D2STA-plus: the mirror, the read-out for each joint and exercise."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import zoo
from baselines.d2sta import D2STAPlus
from baselines.d2sta.mirror import MirroredStreams
from zoo.data.batch import Batch
from zoo.data.scalers import StreamScaler
from zoo.errors import ConfigError
from zoo.skeleton import load_layout

LAYOUT = load_layout("kinect-v2")
SMALL = {"channels": [4, 4], "strides": [2, 1], "attention_width": 4, "readout": 3, "exercises": 2}
FRAMES = 13
LENGTHS = torch.tensor([13, 6, 9, 13, 4, 8])


def recordings(masked: bool = True) -> Batch:
    """Six recordings as a protocol makes them; quaternions of either sign."""
    torch.manual_seed(1)
    mask = torch.arange(FRAMES) < LENGTHS[:, None] if masked else None
    real = torch.ones(6, FRAMES, dtype=torch.bool) if mask is None else mask
    position = torch.randn(1, 1, 25, 3) + 0.3 * torch.randn(6, FRAMES, 25, 3)
    axis = torch.randn(1, 1, 25, 4) + 0.2 * torch.randn(6, FRAMES, 25, 4)
    sign = torch.randn(6, 1, 25, 1).sign()
    streams = {"position": position, "orientation": sign * F.normalize(axis, dim=-1)}
    return Batch({name: x * real[..., None, None] for name, x in streams.items()}, mask)


def mirrored(batch: Batch) -> Batch:
    """Left is right: x turns round, and of a rotation what is about y and z."""
    signs = {"position": [-1.0, 1, 1], "orientation": [1.0, 1, -1, -1]}
    order = list(LAYOUT.mirror)
    x = {name: x[:, :, order] * torch.tensor(signs[name]) for name, x in batch.x.items()}
    return batch._replace(x=x)


def model(**settings: object) -> tuple[D2STAPlus, StreamScaler]:
    """A small one and the scaler it was prepared with."""
    torch.manual_seed(0)
    made = D2STAPlus(LAYOUT, **{**SMALL, **settings})
    scaler = StreamScaler().fit(recordings())
    made.prepare(scaler.transform(recordings()), scaler)
    return made.eval(), scaler


@pytest.mark.parametrize("masked", [True, False])
def test_mirror_is_that_of_the_recording(masked: bool) -> None:
    """Mirrored as scaled numbers or in metres, a network is fed the same."""
    batch = recordings(masked)
    scaler = StreamScaler().fit(batch)
    mirror = MirroredStreams(LAYOUT, ["position", "orientation"])
    mirror.prepare(scaler)
    found, expected = mirror(scaler.transform(batch)), scaler.transform(mirrored(batch))
    for name in batch.x:
        torch.testing.assert_close(found.x[name], expected.x[name], rtol=1e-4, atol=1e-5)


def test_unscaled_recordings_are_mirrored_too() -> None:
    batch = recordings()
    mirror = MirroredStreams(LAYOUT, ["position", "orientation"])
    mirror.prepare(StreamScaler("none").fit(batch))
    for name, x in mirrored(batch).x.items():
        torch.testing.assert_close(mirror(batch).x[name], x)


def test_a_recording_and_its_mirror_image_have_one_score() -> None:
    made, scaler = model()
    batch = recordings()
    as_is, other = (made(scaler.transform(b)).score for b in (batch, mirrored(batch)))
    torch.testing.assert_close(as_is, other)
    plain, _ = model(mirror=False)
    as_is, other = (plain(scaler.transform(b)).score for b in (batch, mirrored(batch)))
    assert (as_is - other).abs().min() > 1e-4


def test_score_is_that_of_the_formula() -> None:
    made, scaler = model()
    batch = recordings()._replace(exercise=torch.tensor([0, 1, 0, 1, 1, 0]))
    whole, last = made.head.layers[-1].weight[0].view(3, -1), made.head.layers[-1].bias

    def seen(one: Batch) -> Tensor:
        x, mask = super(D2STAPlus, made).extract(scaler.transform(one))
        rows = []
        for features, real in zip(x, mask, strict=True):
            z = features[real]
            both = torch.cat([z.mean(0), (z.var(0, correction=0) + 1e-8).sqrt()], dim=-1)
            rows.append(F.relu(both @ made.narrow.weight.T + made.narrow.bias).flatten())
        return torch.stack(rows)

    z = (seen(batch) + seen(mirrored(batch))) / 2
    weights = whole[0] + whole[1 + batch.exercise]
    torch.testing.assert_close(
        made(scaler.transform(batch)).score, (weights * z).sum(1) + last, rtol=1e-4, atol=1e-5
    )


def test_an_exercise_leaves_the_read_outs_of_others_alone() -> None:
    made, scaler = model()
    batch = scaler.transform(recordings())._replace(exercise=torch.ones(6, dtype=torch.long))
    made(batch).score.sum().backward()
    common, first, second = made.head.layers[-1].weight.grad[0].view(3, -1)
    assert common.abs().sum() > 0
    assert not first.any()
    torch.testing.assert_close(second, common)


def test_padded_frames_change_nothing() -> None:
    made, scaler = model()
    batch = scaler.transform(recordings())
    one = Batch({name: x[1:2, : LENGTHS[1]] for name, x in batch.x.items()})
    torch.testing.assert_close(made(batch).score[1:2], made(one).score)


def test_training_sees_recordings_as_they_come() -> None:
    made, scaler = model(readout_dropout=0.0)
    batch = scaler.transform(recordings())
    plain, _ = model(readout_dropout=0.0, mirror=False)
    torch.testing.assert_close(made.train()(batch).score, plain.train()(batch).score)


def test_what_it_was_prepared_with_is_in_its_weights() -> None:
    made, scaler = model()
    torch.manual_seed(5)
    other = D2STAPlus(LAYOUT, **SMALL).eval()
    other.load_state_dict(made.state_dict())
    batch = scaler.transform(recordings())
    torch.testing.assert_close(other(batch).score, made(batch).score)


def test_refuses() -> None:
    with pytest.raises(ConfigError, match=r"'angle' cannot be mirrored: set model\.mirror=false"):
        D2STAPlus(LAYOUT, streams=["angle"])
    D2STAPlus(LAYOUT, streams=["angle"], mirror=False)
    with pytest.raises(ConfigError, match=r"model\.readout is 0"):
        D2STAPlus(LAYOUT, readout=0)
    made, scaler = model()
    too_many = scaler.transform(recordings())._replace(exercise=torch.arange(6))
    with pytest.raises(ConfigError, match=r"6 exercises .* set model\.exercises=6"):
        made(too_many)


def test_learns_from_all_exercises() -> None:
    made = zoo.create_model("d2sta-plus")
    assert made.inputs == ("position", "orientation")
    assert made.exercises == 10

"""D2STA-plus: the windows it is fed, the mirror, the read-out for each joint and exercise."""

from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import zoo
from baselines.d2sta import D2STAPlus
from baselines.d2sta.windows import WindowMeasures
from zoo.data.batch import Batch
from zoo.data.scalers import StreamScaler
from zoo.errors import ConfigError
from zoo.skeleton import load_layout

LAYOUT = load_layout("kinect-v2")
SMALL = {"channels": [4], "windows": 4, "attention_width": 4, "readout": 3, "exercises": 2}
LENGTHS = [40, 26, 33, 40, 7, 30]
BOTH = ["position", "orientation"]


@cache
def recordings() -> Batch:
    """Six recordings of simulated people, of unequal length, all of them standing and moving."""
    made = [zoo.load_dataset("synthetic")[i] for i in (0, 3, 7, 12, 20, 31)]
    streams: dict[str, list[Tensor]] = {name: [] for name in BOTH}
    for one, length in zip(made, LENGTHS, strict=True):
        for name, x in zip(BOTH, (one.positions, one.orientations), strict=True):
            padded = np.zeros((40, *x.shape[1:]), np.float32)
            padded[:length] = x[:length]
            streams[name].append(torch.from_numpy(padded))
    mask = torch.arange(40) < torch.tensor(LENGTHS)[:, None]
    fps = torch.tensor([30.0, 30, 30, 25, 30, 30])
    return Batch({name: torch.stack(x) for name, x in streams.items()}, mask, fps)


def mirrored(batch: Batch) -> Batch:
    """Left is right: x turns round, and of a rotation what is about y and z."""
    signs = {"position": [-1.0, 1, 1], "orientation": [1.0, 1, -1, -1]}
    order = list(LAYOUT.mirror)
    x = {name: x[:, :, order] * torch.tensor(signs[name]) for name, x in batch.x.items()}
    return batch._replace(x=x)


def model(**settings: object) -> D2STAPlus:
    """A small one, prepared."""
    torch.manual_seed(0)
    made = D2STAPlus(LAYOUT, **{**SMALL, **settings})
    made.prepare(recordings(), StreamScaler("none"))
    return made.eval()


def still(frames: int) -> dict[str, np.ndarray]:
    """Somebody who stands in the sensor's view and does not move."""
    batch = recordings()
    return {name: np.repeat(batch.x[name][0, :1].numpy(), frames, axis=0) for name in BOTH}


def test_somebody_who_stands_still_has_no_speed_and_no_deviation() -> None:
    measures = WindowMeasures(LAYOUT, BOTH, 5)
    found = measures.measure(still(30), 30.0)
    windows = found["position_windows"]
    assert windows.shape == (25, 5, 7)
    np.testing.assert_allclose(windows[:, :, 3:], 0, atol=1e-9)
    np.testing.assert_allclose(windows, windows[:, :1].repeat(5, 1), atol=1e-9)
    np.testing.assert_allclose(found["orientation_windows"][:, :, 6:], 0, atol=1e-5)
    axes = found["orientation_windows"][:, 0, :6].reshape(25, 2, 3)
    np.testing.assert_allclose(np.linalg.norm(axes, axis=-1), 1, atol=1e-6)
    assert found["position_whole"].shape == (25, 1, 14)
    assert found["orientation_whole"].shape == (25, 1, 26)


def test_speed_is_in_metres_a_second_at_any_rate() -> None:
    """A hand that goes 0.5 m/s for two seconds, filmed at 30 and at 60 frames a second."""
    hand = LAYOUT.index("HandTipLeft")
    for fps in (30, 60):
        streams = still(2 * fps + 1)
        streams["position"][:, hand, 1] += 0.5 * np.arange(2 * fps + 1) / fps
        windows = WindowMeasures(LAYOUT, ["position"], 8).measure(streams, fps)["position_windows"]
        np.testing.assert_allclose(windows[hand, 2:6, 6], np.log(1.5), rtol=1e-3)
        way = windows[hand, 5, 1] - windows[hand, 2, 1]
        np.testing.assert_allclose(way, 0.5 * 3 * 0.25, rtol=0.05)


@pytest.mark.parametrize("frames", [1, 2, 3, 11])
def test_any_length(frames: int) -> None:
    for values in WindowMeasures(LAYOUT, BOTH, 5).measure(still(frames), 30.0).values():
        assert np.isfinite(values).all()


def test_measures_do_not_depend_on_where_somebody_stands_or_on_signs() -> None:
    one = {name: x[0].numpy().astype(float) for name, x in recordings().x.items()}
    q = one["orientation"]
    oriented = np.abs(q[..., 1:]).max(axis=(0, 2)) > 0  # a joint without one is the identity
    turned = np.where(oriented[:, None], -q, q)
    moved = {"position": one["position"] + [0.4, 0.1, -0.7], "orientation": turned}
    measures = WindowMeasures(LAYOUT, BOTH, 4)
    for name, values in measures.measure(one, 30.0).items():
        np.testing.assert_allclose(measures.measure(moved, 30.0)[name], values, atol=1e-6)


def test_a_recording_and_its_mirror_image_have_one_score() -> None:
    batch = recordings()
    made, plain = model(), model(mirror=False)
    torch.testing.assert_close(made(batch).score, made(mirrored(batch)).score)
    assert (plain(batch).score - plain(mirrored(batch)).score).abs().min() > 1e-5


def test_half_of_the_recordings_are_mirrored_in_training() -> None:
    made = model(dropout=0.0)
    batch = made.derive(recordings())
    with torch.no_grad():
        sides = [made._seen(batch, side, torch.zeros(6, dtype=torch.long)) for side in (0, 1)]
        made.training = True  # of itself alone: the norms inside stay as they are
        torch.manual_seed(3)
        as_drawn = torch.stack([made.extract(batch)[0][:, :75] for _ in range(40)])
    first, second = ((as_drawn - side).abs().amax(-1) < 1e-6 for side in sides)
    assert (first ^ second).all()
    assert 0.3 < first.float().mean() < 0.7


@pytest.mark.parametrize("groups", [0, 3])
def test_score_is_that_of_the_formula(groups: int) -> None:
    made = model(groups=groups, mirror=False)
    batch = made.derive(recordings())._replace(exercise=torch.tensor([0, 1, 0, 1, 1, 0]))
    made.prepare(batch, StreamScaler("none"))
    read = made.head.layers[-1].weight[0].view(3, 25, 3)

    def z_score(name: str) -> Tensor:
        steps = 4 if name.endswith("windows") else 1
        values = batch.x[name][:, 0].view(6, 25, steps, -1).transpose(1, 2)
        out = torch.empty_like(values)
        for e in (0, 1):
            own = values[batch.exercise == e]
            mean, deviation = own.mean((0, 1)), own.var((0, 1), correction=0).sqrt()
            varies = deviation > 1e-5 * mean.abs().clamp(min=1)
            out[batch.exercise == e] = (own - mean) / torch.where(varies, deviation, 1.0)
        return out.clamp(-4, 4)

    streams = zip(BOTH, made.backbones, strict=True)
    x = torch.cat([net(z_score(f"{name}_windows"))[0] for name, net in streams], dim=-1)
    if groups:
        x = made.grouping(x)[0]
    deviation = (x.var(1, correction=0) + 1e-8).sqrt()
    whole = [z_score(f"{name}_whole")[:, 0] for name in BOTH]
    known = torch.cat([x.mean(1), deviation, *whole], dim=-1)
    f = F.relu(known @ made.narrow.weight.T + made.places[batch.exercise])
    weights = read[0] + read[1 + batch.exercise]
    expected = (weights * f).sum((1, 2)) + made.head.layers[-1].bias
    torch.testing.assert_close(made(batch).score, expected, rtol=1e-4, atol=1e-5)


def test_an_exercise_leaves_the_read_outs_of_others_alone() -> None:
    made = model()
    batch = recordings()._replace(exercise=torch.ones(6, dtype=torch.long))
    made(batch).score.sum().backward()
    common, first, second = made.head.layers[-1].weight.grad[0].view(3, -1)
    assert common.abs().sum() > 0
    assert not first.any()
    torch.testing.assert_close(second, common)


def test_padded_frames_change_nothing() -> None:
    made, batch = model(), recordings()
    for i, length in enumerate(LENGTHS):
        x = {name: x[i : i + 1, :length] for name, x in batch.x.items()}
        alone = made(Batch(x, fps=batch.fps[i : i + 1])).score
        torch.testing.assert_close(made(batch).score[i : i + 1], alone)


def test_derived_once_or_on_the_way_the_score_is_the_same() -> None:
    made, batch = model(), recordings()
    torch.testing.assert_close(made(made.derive(batch)).score, made(batch).score)


def test_an_undefined_measure_counts_as_the_mean() -> None:
    made = model()
    derived = made.derive(recordings())
    empty = derived._replace(x={k: torch.full_like(x, torch.nan) for k, x in derived.x.items()})
    usual = {}
    for name, x in derived.x.items():
        mean = made.get_buffer(f"{name}_mean")[0]  # (V, C)
        usual[name] = mean.repeat(1, x.shape[-1] // mean.shape[-1]).expand_as(x)
    torch.testing.assert_close(made(empty).score, made(derived._replace(x=usual)).score)


def test_attention_is_over_windows_and_groups() -> None:
    maps = model(groups=3).attention_maps(recordings())
    assert {name: tuple(x.shape) for name, x in maps.items()} == {
        "assignment": (6, 25, 3),
        "within_group": (6, 2, 3, 4, 4),
        "between_groups": (6, 2, 4, 3, 3),
    }
    assert model(groups=0).attention_maps(recordings()) == {}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"streams": "angle"}, r"windows are measured of position and orientation"),
        ({"windows": 0}, r"model\.windows is 0"),
        ({"readout": 0}, r"model\.readout is 0"),
    ],
)
def test_refuses(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        D2STAPlus(LAYOUT, **settings)


def test_refuses_more_exercises_than_it_can_tell_apart() -> None:
    with pytest.raises(ConfigError, match=r"6 exercises .* set model\.exercises=6"):
        model()(recordings()._replace(exercise=torch.arange(6)))

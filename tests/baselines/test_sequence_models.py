"""The networks that see a frame as one vector: what they share, and what each must be."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import zoo
from baselines.inceptiontime import InceptionTime, max_of_three
from baselines.lite_mv import CustomFilters, decrease_filter, increase_filter, peak_filter
from baselines.tcn import TCN
from baselines.transformer import Transformer, positional_encoding
from zoo.data.batch import STREAM_CHANNELS, Batch
from zoo.errors import ConfigError
from zoo.nn.sequence import SequenceNorm
from zoo.skeleton import Layout, load_layout

NAMES = ("gru", "bilstm", "tcn", "lite-mv", "inceptiontime", "transformer")
SMALL: dict[str, dict[str, Any]] = {
    "gru": {"hidden": 8, "layers": 1},
    "bilstm": {"hidden": 8, "layers": 1},
    "tcn": {"channels": [8, 8]},
    "lite-mv": {"filters": 4},
    "inceptiontime": {"filters": 4, "bottleneck": 4, "depth": 3},
    "transformer": {"width": 16, "layers": 1, "hidden": 16},
}

pytestmark = pytest.mark.usefixtures("one_thread")


def count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.fixture(scope="module")
def rehab_pile() -> Layout:
    """Any skeleton of 18 joints, as Rehab-Pile's KIMORE: the networks only count them."""
    names = [f"joint{i}" for i in range(18)]
    return Layout(name="eighteen", joints=tuple(names), parents=(-1, *range(17)))


@pytest.mark.parametrize(
    ("name", "published"),
    [("lite-mv", 65_225), ("gru", 173_629)],
)
def test_size_is_the_one_rehab_pile_counts(name: str, published: int, rehab_pile: Layout) -> None:
    """LITERATURE 2.4, 18 joints of three coordinates."""
    assert count(zoo.create_model(name, layout=rehab_pile)) == published


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("gru", 181_693),
        ("bilstm", 76_093),
        ("tcn", 69_953),
        ("lite-mv", 87_989),
        ("inceptiontime", 504_001),
        ("transformer", 72_001),
    ],
)
def test_size_on_kimore(name: str, parameters: int) -> None:
    assert count(zoo.create_model(name)) == parameters


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stream", STREAM_CHANNELS)
def test_any_stream(name: str, stream: str) -> None:
    model = zoo.create_model(name, streams=[stream], **SMALL[name])
    x = torch.randn(2, 8, 25, STREAM_CHANNELS[stream])
    assert model(Batch({stream: x})).score.shape == (2,)


@pytest.mark.parametrize("name", NAMES)
def test_streams_side_by_side(name: str) -> None:
    model = zoo.create_model(name, streams=["position", "orientation"], **SMALL[name])
    batch = Batch({"position": torch.randn(2, 8, 25, 3), "orientation": torch.randn(2, 8, 25, 4)})
    assert model(batch).score.shape == (2,)


@pytest.mark.parametrize("name", NAMES)
def test_padding_changes_nothing_in_training_either(name: str) -> None:
    torch.manual_seed(0)
    model = zoo.create_model(name, **SMALL[name], dropout=0.0).train()
    x = torch.randn(3, 12, 25, 3)
    padded = torch.cat([x, torch.full((3, 7, 25, 3), float("nan"))], dim=1)
    mask = torch.arange(19).expand(3, 19) < 12
    short = torch.autograd.grad(
        model(Batch({"position": x})).score.square().sum(), [*model.parameters()]
    )
    score = model(Batch({"position": padded}, mask)).score
    long = torch.autograd.grad(score.square().sum(), [*model.parameters()])
    for a, b in zip(short, long, strict=True):
        torch.testing.assert_close(b, a, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_trains_in_half_precision(name: str) -> None:
    model = zoo.create_model(name, **SMALL[name])
    batch = Batch({"position": torch.randn(3, 12, 25, 3)})
    batch = batch._replace(mask=torch.arange(12) < torch.tensor([12, 5, 9]).unsqueeze(1))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        score = model(batch).score
    score.float().square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_a_single_frame_is_enough(name: str) -> None:
    model = zoo.create_model(name, **SMALL[name])
    assert model(Batch({"position": torch.randn(2, 1, 25, 3)})).score.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_learns_a_score_that_is_in_the_movement(name: str) -> None:
    """Amplitude of one arm is the score: a few steps must find most of it."""
    torch.manual_seed(0)
    target = torch.linspace(-1.5, 1.5, 12)
    t = torch.linspace(0, 6.3, 12)
    x = 0.05 * torch.randn(12, 12, 17, 3)
    x[:, :, 7, 1] += (2 + target).unsqueeze(1) * torch.sin(t)
    model = zoo.create_model(name, layout="coco", **SMALL[name], dropout=0.0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(40):
        loss = (model(Batch({"position": x})).score - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1


def test_bilstm_looks_backwards_from_the_last_real_frame() -> None:
    torch.manual_seed(0)
    model = zoo.create_model("bilstm", **SMALL["bilstm"], pooling="last").eval()
    x = torch.randn(1, 10, 25, 3)
    mask = torch.arange(10).expand(1, 10) < 6
    features = model(Batch({"position": x}, mask)).features
    backwards, _ = model.layers[0].backwards(x[:, :6].flatten(2).flip(1))
    torch.testing.assert_close(features[:, 8:], backwards[:, -1])


def test_tcn_is_causal_and_sees_as_far_as_it_says() -> None:
    torch.manual_seed(0)
    model = TCN(load_layout("coco"), channels=[4, 4, 4], kernel_size=3).double().eval()
    assert model.receptive_field == 29
    x = torch.randn(1, 40, 17, 3, dtype=torch.float64, requires_grad=True)
    frame = 35
    model.extract(Batch({"position": x}))[0][0, frame].sum().backward()
    seen = x.grad[0].abs().sum((1, 2)).nonzero().flatten()
    assert seen.min() > frame - model.receptive_field
    assert seen.max() == frame
    # the farthest frame is reached through every tap of every layer, so ReLU may close the way
    assert seen.min() <= frame - model.receptive_field + 3


def test_tcn_covers_a_recording_and_normalises_weights() -> None:
    model = zoo.create_model("tcn")
    assert model.receptive_field == 181
    for block in model.blocks:
        for layer in block.convs:
            assert nn.utils.parametrize.is_parametrized(layer.conv, "weight")
    with pytest.raises(ConfigError, match="at least one block"):
        TCN(load_layout("coco"), channels=[])


def test_hand_made_filters() -> None:
    """The values of the authors' code."""
    assert increase_filter(4).tolist() == [-1, 1, -1, 1]
    assert decrease_filter(2).tolist() == [1, -1]
    assert peak_filter(4).tolist() == [-1, -1, 2, 2, -1, -1]
    assert peak_filter(8).tolist() == pytest.approx(
        [-0.25, -1, -1, -0.25, 0.5, 2, 2, 0.5, -0.25, -1, -1, -0.25]
    )


def test_bank_is_every_filter_by_itself() -> None:
    bank = CustomFilters()
    assert bank.weight.shape == (17, 1, 96)
    x = torch.randn(2, 30, 3)
    y = bank(x).view(2, 30, 17, 3)
    sizes = [2, 4, 8, 16, 32, 64]
    filters = [increase_filter(s) for s in sizes] + [decrease_filter(s) for s in sizes]
    filters += [peak_filter(s) for s in sizes[1:]]
    for index, f in enumerate(filters):
        past = (len(f) - 1) // 2
        series = F.pad(x.transpose(1, 2).reshape(6, 1, 30), (past, len(f) - 1 - past))
        alone = F.relu(F.conv1d(series, f.view(1, 1, -1))).view(2, 3, 30).transpose(1, 2)
        torch.testing.assert_close(y[:, :, index], alone, rtol=1e-4, atol=1e-5)


def test_filters_answer_to_what_they_are_for() -> None:
    bank = CustomFilters()
    step = torch.tensor([0.0] * 8 + [1.0] * 8).view(1, 16, 1)
    answers = bank(step)[0].t()
    assert answers[0].argmax() == 7
    assert not answers[6, :-1].any()
    assert bank(1 - step)[0, 7, 6] == 1
    bump = torch.zeros(1, 33, 1)
    bump[0, 15:17] = 1
    assert bank(bump)[0, :, 12].argmax() == 15


def test_lite_mv_learns_no_hand_made_filter() -> None:
    model = zoo.create_model("lite-mv")
    assert "custom.weight" in dict(model.named_buffers())
    assert not [name for name in model.state_dict() if name.startswith("custom")]
    kernels = [c.depthwise.conv.kernel_size[0] for c in (*model.multiplexed, *model.convs)]
    assert kernels == [40, 20, 10, 20, 10]
    assert [c.depthwise.dilation for c in model.convs] == [2, 4]


def test_inceptiontime_is_the_papers() -> None:
    model = zoo.create_model("inceptiontime")
    assert len(model.blocks) == 6
    assert len(model.shortcuts) == 2
    for block in model.blocks:
        assert [c.conv.kernel_size[0] for c in block.convs] == [40, 20, 10]
        assert block.bottleneck.out_features == 32
    with pytest.raises(ConfigError, match="at least one module"):
        InceptionTime(load_layout("coco"), depth=0)


def test_shortcut_goes_around_every_third_module() -> None:
    torch.manual_seed(0)
    layout = load_layout("coco")
    model = InceptionTime(layout, filters=2, bottleneck=2, depth=4, kernel_size=8).eval()
    x = torch.randn(2, 9, 17, 3)
    y = x.flatten(2)
    for block in model.blocks[:3]:
        y = block(y)
    y = F.relu(y + model.shortcut_norms[0](model.shortcuts[0](x.flatten(2))))
    expected = model.blocks[3](y).mean(1)
    torch.testing.assert_close(model(Batch({"position": x})).features, expected)


def test_maximum_is_of_real_frames() -> None:
    x = -torch.tensor([[3.0, 1, 2, 9, 9]]).unsqueeze(2)
    assert max_of_three(x).flatten().tolist() == [-1, -1, -1, -2, -9]
    x[0, 3:] = 7
    mask = torch.tensor([[True, True, True, False, False]])
    assert max_of_three(x, mask).flatten().tolist() == [-1, -1, -1, 0, 0]


def test_positions_are_sines_and_cosines() -> None:
    code = positional_encoding(50, 8)
    assert code.shape == (50, 8)
    for t, channel in [(0, 0), (3, 2), (49, 6)]:
        angle = torch.tensor(t / 10_000 ** (channel / 8))
        torch.testing.assert_close(code[t, channel], angle.sin(), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(code[t, channel + 1], angle.cos(), rtol=1e-4, atol=1e-5)


def test_transformer_knows_the_order_of_frames() -> None:
    torch.manual_seed(0)
    model = Transformer(load_layout("coco"), width=16, layers=1, hidden=16).eval()
    x = torch.randn(1, 12, 17, 3)
    forwards, backwards = (model(Batch({"position": y})).score for y in (x, x.flip(1)))
    assert not torch.allclose(forwards, backwards, atol=1e-4)


@pytest.mark.parametrize(("width", "message"), [(15, "even"), (18, "heads=4")])
def test_transformer_refuses_widths(width: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Transformer(load_layout("coco"), width=width)


@pytest.mark.parametrize("name", ["lite-mv", "inceptiontime"])
def test_no_plain_batch_norm_that_padding_could_reach(name: str) -> None:
    norms = [m for m in zoo.create_model(name).modules() if isinstance(m, nn.BatchNorm1d)]
    assert norms
    assert all(isinstance(m, SequenceNorm) for m in norms)

"""Networks one frame at a time: which can, and that they say what they say of the clip."""

import re

import pytest
import torch
from torch import Tensor, nn

import zoo
from registry import MODELS
from zoo.compose import compose
from zoo.data.batch import STREAM_CHANNELS, Batch, Prediction
from zoo.errors import ConfigError
from zoo.nn.multibranch import MultiBranchConv
from zoo.nn.sequence import SequenceConv
from zoo.nn.streaming import StreamingStep, make_causal
from zoo.nn.temporal import FrameConv, TemporalConv

STEPS = {"egcn", "gru", "infogcn", "recon", "stgcn", "stgcn-rehab", "stgcnpp", "tcn"}
"""All of what they compute of a frame depends on it and the frames before."""
GROW = {"d2sta", "rastg"}
"""Their trunks step, and attention behind them looks at all frames so far."""
RERUN = {
    "aagcn": "AdaptiveSkeletonConv",
    "bilstm": "backwards",
    "blockgcn": "BlockConv",  # it is told the shape of the whole movement
    "ctrgcn": "RefinedSkeletonConv",
    "d2sta-plus": "measures whole recordings",
    "dgstgcn": "DynamicSkeletonConv",
    "dstgcnt": "MultiHeadAttention",
    "ftf-hgcn": "AttentionAggregation",
    "hbrnn": "backwards",
    "hcn": "features are of the whole recording",
    "hdgcn": "HierarchicalConv",
    "holmberg2025": "MaskedSkeletonConv",
    "inceptiontime": "InceptionModule",
    "jrg": "features are of the whole recording",
    "kgn": "measures whole recordings",
    "kuang2025": "AdaptiveSkeletonConv",
    "lightpra": "features are of the whole recording",
    "lite-mv": "CustomFilters",
    "msg3d": "MultiScaleConv|features are of the whole recording",
    "sgn": "features are of the whole recording",
    "skateformer": "features are of the whole recording",
    "transformer": "MultiHeadAttention",
    "yao2023": "features are of the whole recording",
}
"""Which look at the whole recording, and the words that say where."""
FITTED = {name for name in MODELS.names() if hasattr(MODELS.get(name).load(), "fit")}


def family(name: str) -> str:
    """The model whose variant this is."""
    known = STEPS | GROW | RERUN.keys()
    return next((k for k in sorted(known, key=len)[::-1] if re.match(rf"{k}(-|$)", name)), name)


def small(name: str) -> bool:
    """Whether there is no smaller variant of the same code."""
    return f"{name}-small" not in MODELS.names()


NETWORKS = [name for name in MODELS.names() if name not in FITTED and small(name)]
STEPPING = [name for name in NETWORKS if family(name) in STEPS | GROW]

pytestmark = pytest.mark.usefixtures("one_thread")


def causal(name: str) -> nn.Module:
    """A causal network as if it were trained: no path is closed, no mean is zero."""
    torch.manual_seed(0)
    model = zoo.create_model(name, causal=True)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    model.train()(batch(model, clip(model, 24, 4)))
    return model.eval()


def clip(model: nn.Module, frames: int, sequences: int = 2) -> Tensor:
    """Frames (T, N, V, C)."""
    channels = sum(STREAM_CHANNELS[name] for name in model.streams)
    return torch.randn(frames, sequences, model.num_joints, channels)


def batch(model: nn.Module, frames: Tensor) -> Batch:
    widths = [STREAM_CHANNELS[name] for name in model.streams]
    parts = frames.transpose(0, 1).split(widths, dim=-1)
    return Batch(dict(zip(model.streams, parts, strict=True)))


def test_every_network_is_known_to_step_or_not() -> None:
    families = {family(name) for name in MODELS.names() if name not in FITTED}
    assert families - {"mean", "median", "group-mean"} == STEPS | GROW | RERUN.keys()


@pytest.mark.parametrize("name", STEPPING)
def test_a_frame_at_a_time_is_the_clip_so_far(name: str) -> None:
    model = causal(name)
    step = StreamingStep(model)
    assert step.grows == (family(name) in GROW)
    x = clip(model, 2 * step.rate + 19)
    state = step.initial_state(2)
    assert len(state) == len(step.state_names)
    with torch.no_grad():
        for t, frame in enumerate(x):
            score, *state = step(frame, *state)
            whole: Prediction = model(batch(model, x[: t + 1]))
            size = whole.score.abs().clamp(min=1)
            assert ((score - whole.score).abs() / size).max() < 1e-5, t


@pytest.mark.parametrize("name", [n for n in NETWORKS if family(n) in RERUN])
def test_what_looks_at_the_whole_recording_is_refused_by_name(name: str) -> None:
    with pytest.raises(ConfigError, match=RERUN[family(name)]):
        zoo.create_model(name, causal=True)


def test_a_network_that_was_not_trained_causally_is_refused_by_name() -> None:
    model = zoo.create_model("stgcn-small")
    with pytest.raises(ConfigError, match=r"trunk\.blocks\.0\.temporal.* looks at later frames"):
        StreamingStep(model)


@pytest.mark.parametrize("name", ["stgcn-small", "stgcnpp-small", "infogcn-small", "egcn-small"])
def test_exported_it_takes_every_phase(name: str) -> None:
    step = StreamingStep(causal(name))
    frames = clip(step.model, 2 * step.rate + 3, 1)
    state = step.initial_state()
    exported = torch.export.export(step, (frames[0], *state)).module()
    given = state
    with torch.no_grad():
        for frame in frames:
            score, *state = step(frame, *state)
            other, *given = exported(frame, *given)
            torch.testing.assert_close(other, score, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("make", [TemporalConv, FrameConv, SequenceConv, MultiBranchConv])
def test_look_back_sees_nothing_later(make: type[nn.Module], stride: int) -> None:
    torch.manual_seed(0)
    if make is TemporalConv:
        layer = TemporalConv(6, 6, 5, stride)
    elif make is MultiBranchConv:
        layer = MultiBranchConv(6, 6, ((3, 1), (3, 2)), stride=stride)
    else:
        layer, stride = make(6, 6, 5), 1
    layer.eval()
    for part in layer.modules():
        if hasattr(part, "look_back"):
            part.look_back()
    x = torch.randn(2, 13, 6) if make is SequenceConv else torch.randn(2, 13, 4, 6)
    whole = layer(x)
    assert whole.shape[1] == -(-13 // stride)
    for t in range(13):
        part = layer(x[:, : t + 1])
        torch.testing.assert_close(part, whole[:, : t // stride + 1], rtol=1e-5, atol=1e-6)


def test_a_causal_convolution_is_the_one_behind_its_frames() -> None:
    torch.manual_seed(0)
    conv = TemporalConv(64, 64, 9, 2).eval()
    x = torch.randn(1, 20, 3, 64)
    conv.conv.look_back()
    expected = nn.functional.conv2d(
        nn.functional.pad(x.permute(0, 3, 1, 2), (0, 0, 8, 0)),
        conv.conv.weight,
        conv.conv.bias,
        stride=(2, 1),
    )
    found = conv.conv(x.permute(0, 3, 1, 2))
    torch.testing.assert_close(found, expected)


def test_a_layer_of_ones_own_looks_back_where_it_says_how() -> None:
    class Own(nn.Module):
        told = False

        def look_back(self) -> None:
            self.told = True

    model = zoo.create_model("tcn")
    model.own = Own()
    make_causal(model)
    assert model.own.told


def test_the_setting_is_the_networks_and_stands_only_where_it_is_used() -> None:
    assert "causal" not in compose(model="stgcn-small")["model"]
    config = compose(model="stgcn-small", overrides=["model.causal=true"])
    assert config["model"]["causal"] is True
    with pytest.raises(ConfigError, match="causal is 'maybe', expected true or false"):
        compose(model="stgcn-small", overrides=["model.causal=maybe"])
    with pytest.raises(ConfigError, match="no setting is called 'model.causal'"):
        compose(model="ridge-pose", overrides=["model.causal=true"])

import copy

import pytest
import torch
from torch import Tensor, nn

from baselines.d2sta import D2STA
from registry import MODELS, PROTOCOLS
from zoo.catalogue import blocks_of, card, parameters
from zoo.data.batch import STREAM_CHANNELS, Batch
from zoo.errors import ConfigError, DataError
from zoo.experiments.definition import Experiment
from zoo.skeleton import load_layout

KINECT = load_layout("kinect-v2")
BOTH = ("position", "orientation")


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


def build(name: str = "d2sta-small", layout: str = "kinect-v2", **options: object) -> D2STA:
    params = {**parameters(MODELS.get(name)), **options}
    return D2STA(load_layout(layout), **params)


def random_batch(
    n: int = 2,
    t: int = 20,
    v: int = 25,
    streams: tuple[str, ...] = BOTH,
    mask: Tensor | None = None,
) -> Batch:
    return Batch({s: torch.randn(n, t, v, STREAM_CHANNELS[s]) for s in streams}, mask)


def count(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def randomise(model: D2STA) -> D2STA:
    """Give batch normalisation statistics that are not those of a fresh model."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return model.eval()


def literal_block(block: nn.Module, x: Tensor, stride: int) -> Tensor:
    """One ST-GCN block on one sequence (T, V, C) from its weights, written as sums."""

    def norm(layer: nn.Module, y: Tensor) -> Tensor:
        scale = layer.weight / torch.sqrt(layer.running_var + layer.eps)
        return (y - layer.running_mean) * scale + layer.bias

    conv = block.spatial.conv
    adjacency = conv.adjacency()
    t, v, _ = x.shape
    y = torch.zeros(t, v, conv.out_channels, dtype=x.dtype)
    for k in range(adjacency.shape[0]):
        h = x @ conv.weight[k].T + conv.bias[k]
        for source, target in adjacency[k].nonzero().tolist():
            y[:, target] += adjacency[k, source, target] * h[:, source]
    y = torch.relu(norm(block.spatial.norm, y))
    kernel, bias = block.temporal.conv.weight, block.temporal.conv.bias
    z = []
    for out in range(0, t, stride):
        frame = bias.expand(v, -1)
        for i in range(3):
            if 0 <= out + i - 1 < t:
                frame = frame + y[out + i - 1] @ kernel[:, :, i, 0].T
        z.append(frame)
    z = norm(block.temporal.norm, torch.stack(z))
    if isinstance(block.residual, nn.Identity):
        return torch.relu(z + x)
    shortcut = x[::stride] @ block.residual.conv.weight[:, :, 0, 0].T + block.residual.conv.bias
    return torch.relu(z + norm(block.residual.norm, shortcut))


def literal_mha(module: nn.Module, x: Tensor) -> Tensor:
    """Multi-head attention on one sequence of tokens (L, C)."""
    d = module.width // module.heads
    q, k, v = (x @ module.qkv.weight.T + module.qkv.bias).split(module.width, dim=-1)
    heads = []
    for h in range(module.heads):
        s = slice(h * d, (h + 1) * d)
        heads.append(torch.softmax(q[:, s] @ k[:, s].T / d**0.5, dim=-1) @ v[:, s])
    return torch.cat(heads, dim=-1) @ module.out.weight.T + module.out.bias


def literal_d2sta(model: D2STA, batch: Batch) -> Tensor:
    """The whole paper on one sequence after the other."""
    scores = []
    for n in range(batch.size):
        streams = []
        for backbone, name in zip(model.backbones, model.inputs, strict=True):
            x = batch.x[name][n]
            for block, stride in zip(backbone.blocks, (1, 2, 2), strict=True):
                x = literal_block(block, x, stride)
            streams.append(x)
        x = torch.cat(streams, dim=-1)
        t, v, _ = x.shape

        motion = torch.sqrt(((x - x.mean(0)) ** 2).mean(0) + 1e-8)
        mlp = model.grouping.assignment
        hidden = torch.relu(motion @ mlp.first.weight.T + mlp.first.bias)
        p = torch.softmax(hidden @ mlp.second.weight.T + mlp.second.bias, dim=-1)
        f = torch.stack(
            [
                torch.stack([(p[:, g, None] * x[i]).sum(0) / p[:, g].sum() for g in range(6)])
                for i in range(t)
            ]
        )
        stages = model.grouping.attention
        for g in range(6):
            f[:, g] = f[:, g] + literal_mha(stages.within, f[:, g].clone())
        for i in range(t):
            f[i] = f[i] + literal_mha(stages.between, f[i].clone())
        y = torch.stack(
            [
                torch.stack([x[i, j] + sum(p[j, g] * f[i, g] for g in range(6)) for j in range(v)])
                for i in range(t)
            ]
        )
        first, _, last = model.head.layers
        pooled = y.mean(dim=(0, 1))
        score = torch.relu(pooled @ first.weight.T + first.bias) @ last.weight.T + last.bias
        scores.append(score[0])
    return torch.stack(scores)


def test_score_equals_the_paper_written_out() -> None:
    model = randomise(build()).double()
    batch = random_batch(t=9)
    batch = Batch({k: v.double() for k, v in batch.x.items()})
    with torch.no_grad():
        torch.testing.assert_close(model(batch).score, literal_d2sta(model, batch))


class TestPublishedSize:
    def test_features_have_the_paper_shape(self) -> None:
        model = build("d2sta").eval()
        batch = random_batch(n=2, t=100)
        with torch.no_grad():
            x, mask = model.encode([batch.x[s] for s in BOTH])
            prediction, attention = model(batch), model.attention_maps(batch)
        assert x.shape == (2, 25, 25, 512)
        assert mask is None
        assert prediction.score.shape == (2,)
        assert prediction.features.shape == (2, 512)
        assert {k: tuple(a.shape) for k, a in attention.items()} == {
            "assignment": (2, 25, 6),
            "within_group": (2, 8, 6, 25, 25),
            "between_groups": (2, 8, 25, 6, 6),
        }

    def test_streams_have_the_paper_blocks(self) -> None:
        model = build("d2sta")
        assert [b.blocks[0].spatial.conv.in_channels for b in model.backbones] == [3, 4]
        for backbone in model.backbones:
            assert [b.spatial.conv.out_channels for b in backbone.blocks] == [64, 128, 256]
            assert [b.temporal.conv.kernel_size for b in backbone.blocks] == [(3, 1)] * 3
            assert [b.temporal.conv.padding for b in backbone.blocks] == [(1, 0)] * 3
            assert [b.temporal.conv.stride for b in backbone.blocks] == [(1, 1), (2, 1), (2, 1)]
            assert all(b.residual is not None for b in backbone.blocks)
        assert model.grouping.assignment.second.out_features == 6
        shapes = [(m.in_features, m.out_features) for m in model.head.layers if hasattr(m, "bias")]
        assert shapes == [(512, 128), (128, 1)]

    def test_parameters_of_each_switch(self) -> None:
        # One block: K (C_in + 1) C_out spatial, 3 C_out² + C_out temporal, (C_in + 1) C_out
        # residual, three batch normalisations of 2 C_out.
        def stream(c: int) -> int:
            total = 0
            for c_in, c_out in zip((c, 64, 128), (64, 128, 256), strict=True):
                total += (3 + 1) * (c_in + 1) * c_out + 3 * c_out**2 + c_out + 6 * c_out
            return total

        def head(width: int) -> int:
            return (width + 1) * 128 + 128 + 1

        def attention(width: int) -> int:
            return 2 * ((width + 1) * 3 * 256 + (256 + 1) * width)

        generator = (512 + 1) * 64 + (64 + 1) * 6
        both = stream(3) + stream(4) + head(512)
        assert count(build("d2sta")) == both + attention(512) + generator
        assert 1.8e6 < count(build("d2sta")) < 2.05e6
        assert count(build("d2sta", grouping="attention")) == both + attention(512)
        assert count(build("d2sta", grouping="none")) == both
        for name, c in (("position", 3), ("orientation", 4)):
            single = build("d2sta", streams=[name], grouping="none")
            assert count(single) == stream(c) + head(256)
        more = build("d2sta", groups=10)
        assert count(more) - count(build("d2sta", groups=2)) == 8 * (64 + 1)
        for heads in (1, 2, 4, 16):
            assert count(build("d2sta", heads=heads)) == count(build("d2sta"))

    def test_one_sequence_costs_what_the_card_promises(self) -> None:
        from torch.utils.flop_counter import FlopCounterMode

        with FlopCounterMode(display=False) as counter, torch.no_grad():
            build("d2sta").eval()(random_batch(n=1, t=100))
        assert counter.get_total_flops() < 2.3e9


class TestSwitches:
    def test_single_stream_needs_only_that_stream(self) -> None:
        model = build(streams=["orientation"]).eval()
        assert model.streams == ("orientation",)
        batch = random_batch()
        with torch.no_grad():
            alone = model(Batch({"orientation": batch.x["orientation"]}))
            torch.testing.assert_close(model(batch).score, alone.score)
        assert alone.features.shape == (2, 64)

    def test_one_stream_may_feed_both_backbones(self) -> None:
        model = build(streams=["angle", "angle"], layout="uiprmd-vicon-angles").eval()
        assert model.streams == ("angle",)
        assert len(model.backbones) == 2
        prediction = model(random_batch(v=39, streams=("angle",)))
        assert prediction.features.shape == (2, 128)

    def test_three_streams(self) -> None:
        model = build(streams=["position", "orientation", "bone"])
        batch = random_batch(streams=("position", "orientation", "bone"))
        assert model(batch).features.shape == (2, 192)

    def test_without_grouping_the_streams_are_pooled(self) -> None:
        model = randomise(build(grouping="none"))
        batch = random_batch()
        with torch.no_grad():
            x, _ = model.encode([batch.x[s] for s in BOTH])
            prediction = model(batch)
        torch.testing.assert_close(prediction.features, x.mean((1, 2)))
        assert model.attention_maps(batch) == {}

    def test_plain_attention_attends_joints(self) -> None:
        model = build(grouping="attention").eval()
        attention = model.attention_maps(random_batch())
        assert {k: tuple(a.shape) for k, a in attention.items()} == {
            "within_group": (2, 2, 25, 5, 5),
            "between_groups": (2, 2, 5, 25, 25),
        }

    @pytest.mark.parametrize("groups", [1, 2, 10])
    @pytest.mark.parametrize("heads", [1, 4])
    def test_groups_and_heads(self, groups: int, heads: int) -> None:
        model = build(groups=groups, heads=heads).eval()
        attention = model.attention_maps(random_batch())
        assert attention["assignment"].shape == (2, 25, groups)
        assert attention["within_group"].shape == (2, heads, groups, 5, 5)
        assert attention["between_groups"].shape == (2, heads, 5, groups, groups)

    def test_groupings_give_different_scores_from_equal_streams(self) -> None:
        batch, scores = random_batch(), []
        base = build(grouping="none")
        for grouping in ("dynamic", "attention", "none"):
            model = build(grouping=grouping)
            model.backbones.load_state_dict(base.backbones.state_dict())
            model.head.load_state_dict(base.head.state_dict())
            scores.append(model.eval()(batch).score)
        assert not torch.allclose(scores[0], scores[1])
        assert not torch.allclose(scores[0], scores[2])
        assert not torch.allclose(scores[1], scores[2])

    def test_range_of_motion_of_the_input(self) -> None:
        model = build(motion="input").eval()
        batch = random_batch()
        before = model.attention_maps(batch)["assignment"]
        moved = {k: v.clone() for k, v in batch.x.items()}
        moved["position"][:, :, 7] += 3  # a joint elsewhere moves as much as before
        after = model.attention_maps(Batch(moved))["assignment"]
        torch.testing.assert_close(before, after)
        moved["position"][:, :, 7] *= 3
        after = model.attention_maps(Batch(moved))["assignment"]
        assert not torch.allclose(before[:, 7], after[:, 7])
        torch.testing.assert_close(before[:, :7], after[:, :7])

    @pytest.mark.parametrize(("motion", "channels"), [("relative", 3), ("physiological", 2)])
    def test_body_aware_motion_decides_the_groups(self, motion: str, channels: int) -> None:
        model, plain = randomise(build(motion=motion)), build()
        added = set(model.state_dict()) - set(plain.state_dict())
        assert added == {"motion.unscaled.mean", "motion.unscaled.deviation"}
        assert set(plain.state_dict()) < set(model.state_dict())
        assert model.grouping.assignment.first.in_features == channels
        batch = random_batch(t=16)
        mask = torch.ones(2, 16, dtype=torch.bool)
        mask[1, 9:] = False
        padded = {k: v.masked_fill(~mask[:, :, None, None], torch.nan) for k, v in batch.x.items()}
        with torch.no_grad():
            score = model(Batch(padded, mask)).score
            short = model(Batch({k: v[1:, :9] for k, v in batch.x.items()}))
            larger = {**batch.x, "position": 2 * batch.x["position"] + 1}
            groups = [model.attention_maps(Batch(x))["assignment"] for x in (batch.x, larger)]
        torch.testing.assert_close(score[1:], short.score, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(groups[0], groups[1], rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"streams": []}, "at least one"),
            ({"streams": "position"}, "must be a list"),
            ({"streams": ["positon"]}, "Did you mean 'position'"),
            ({"grouping": "static"}, "dynamic, attention, none"),
            ({"motion": "speed"}, "features, input, relative, physiological"),
            ({"motion": "relative", "streams": ["orientation"]}, "Add position"),
            ({"channels": [16, 32]}, "2 channels and 3 strides: each block"),
            ({"heads": 3}, "does not divide"),
            ({"groups": 0}, "at least 1"),
            ({"partition": "spacial"}, "spatial"),
            ({"order": "any"}, "time-first"),
        ],
    )
    def test_impossible_settings_are_refused(self, options: dict, message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            build(**options)

    def test_missing_stream_is_named(self) -> None:
        with pytest.raises(DataError, match="orientation"):
            build()(random_batch(streams=("position",)))


class TestAttention:
    def test_mask_sums_to_one_over_groups(self) -> None:
        assignment = build().eval().attention_maps(random_batch())["assignment"]
        torch.testing.assert_close(assignment.sum(-1), torch.ones(2, 25))

    def test_asking_changes_no_score(self) -> None:
        model, batch = randomise(build()).double(), random_batch()
        batch = Batch({k: v.double() for k, v in batch.x.items()})
        quiet, asked = model._grouped(batch), model._grouped(batch, return_attention=True)
        assert quiet[2] == {}
        torch.testing.assert_close(quiet[0], asked[0])

    def test_padded_frames_are_no_keys(self) -> None:
        mask = torch.ones(2, 20, dtype=torch.bool)
        mask[0, 12:] = False
        model = build().eval()
        within = model.attention_maps(random_batch(mask=mask))["within_group"]
        assert (within[0, ..., 3:] == 0).all()
        assert (within[1] > 0).all()


class TestPadding:
    @pytest.mark.parametrize("grouping", ["dynamic", "attention", "none"])
    @pytest.mark.parametrize(
        ("length", "padding"), [(4, 0.0), (7, 1e3), (10, float("nan")), (13, float("inf"))]
    )
    def test_padding_changes_no_score(self, grouping: str, length: int, padding: float) -> None:
        model = randomise(build(grouping=grouping))
        long = random_batch(n=2, t=16)
        mask = torch.ones(2, 16, dtype=torch.bool)
        mask[1, length:] = False
        padded = {k: torch.where(mask[:, :, None, None], v, padding) for k, v in long.x.items()}
        with torch.no_grad():
            score = model(Batch(padded, mask)).score
            whole = model(Batch({k: v[:1] for k, v in long.x.items()})).score
            short = model(Batch({k: v[1:, :length] for k, v in long.x.items()})).score
        torch.testing.assert_close(score, torch.cat([whole, short]), rtol=0, atol=1e-5)

    def test_motion_of_the_input_ignores_padding(self) -> None:
        model = randomise(build(motion="input"))
        long = random_batch(n=1, t=16)
        mask = torch.arange(16)[None] < 9
        short = Batch({k: v[:, :9] for k, v in long.x.items()})
        torch.testing.assert_close(
            model(Batch(long.x, mask)).score, model(short).score, rtol=0, atol=1e-5
        )


@pytest.mark.parametrize(
    ("layout", "joints", "frames"),
    [
        ("kinect-v2", 25, 4),
        ("kinect-v2", 25, 30),
        ("uiprmd-kinect", 22, 5),
        ("uiprmd-vicon", 39, 6),
        ("coco", 17, 7),
    ],
)
def test_any_layout_and_length(layout: str, joints: int, frames: int) -> None:
    model = build(layout=layout)
    batch = random_batch(t=frames, v=joints)
    prediction = model(batch)
    prediction.score.sum().backward()
    assert prediction.score.isfinite().all()
    assert model.attention_maps(batch)["within_group"].shape[-1] == -(-frames // 4)
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_gradient_is_finite_when_nobody_moves() -> None:
    model = build()
    x = {s: torch.ones(2, 8, 25, STREAM_CHANNELS[s], requires_grad=True) for s in BOTH}
    model(Batch(x)).score.sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    assert all(v.grad is not None and v.grad.isfinite().all() for v in x.values())


class ScoreAndMaps(nn.Module):
    def __init__(self, model: D2STA) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        return self.model(batch).score, self.model.attention_maps(batch)


@pytest.mark.parametrize("attention", [False, True])
def test_exports_with_any_batch_size(attention: bool) -> None:
    model, batch = randomise(build()), random_batch(n=3, t=16)
    asked = ScoreAndMaps(model) if attention else model
    shapes = (Batch({s: {0: torch.export.Dim("n", min=2, max=64)} for s in BOTH}, None),)
    exported = torch.export.export(asked, (batch,), dynamic_shapes=shapes).module()
    other = random_batch(n=5, t=16)
    torch.testing.assert_close(asked(other)[:2], exported(other)[:2])


def test_exports_with_a_mask() -> None:
    mask = torch.arange(16)[None] < torch.tensor([[16], [9]])
    model, batch = randomise(build()), random_batch(t=16, mask=mask)
    exported = torch.export.export(model, (batch,)).module()
    torch.testing.assert_close(model(batch).score, exported(batch).score)


def test_compiles_without_graph_break() -> None:
    model, batch = randomise(build()), random_batch()
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(batch).score, model(batch).score)


def test_copies_are_independent() -> None:
    model, batch = build().eval(), random_batch()
    twin = copy.deepcopy(model)
    torch.testing.assert_close(twin(batch).score, model(batch).score)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.add_(1)
    assert not torch.allclose(twin(batch).score, model(batch).score)


def train(model: D2STA, batch: Batch, target: Tensor, steps: int) -> list[float]:
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(steps):
        loss = (model(batch).score - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("grouping", ["dynamic", "attention", "none"])
def test_can_learn_random_scores_by_heart(grouping: str) -> None:
    losses = train(build(grouping=grouping), random_batch(n=8, t=16), torch.randn(8), 60)
    assert losses[-1] < losses[0] / 10


def test_learns_a_score_that_is_the_range_of_motion_of_one_joint() -> None:
    # The score is how far one wrist moves; everything else is noise of equal size.
    batch = random_batch(n=24, t=16)
    reach = torch.linspace(0.2, 3, 24)
    batch.x["position"][:, :, 6] *= reach[:, None, None]
    target = (reach - reach.mean()) / reach.std()
    model = build(streams=["position"])
    losses = train(model, batch, target, 60)
    assert losses[-1] < losses[0] / 5
    generator = model.grouping.assignment.first.weight.grad
    assert generator is not None
    assert generator.abs().max() > 0


def test_registered_names_build_this_class() -> None:
    for name in ("d2sta", "d2sta-small"):
        assert MODELS.get(name).load() is D2STA
        assert isinstance(build(name), D2STA)
    assert count(build("d2sta-small")) < count(build("d2sta")) / 8


def test_a_configuration_decides_every_parameter() -> None:
    import inspect

    options = set(inspect.signature(D2STA.__init__).parameters) - {"self", "layout"}
    assert set(parameters(MODELS.get("d2sta"))) == options


def test_card_names_source_and_every_open_choice() -> None:
    described = card("d2sta")
    assert described.doi == "10.3390/s26010287"
    text = " ".join(described.open_choices)
    open_points = ("partition", "groups", "heads", "attention_width", "mask_hidden", "dropout")
    for point in (*open_points, "order", "projection", "motion", "stage_residual", "target"):
        assert point in text
    assert {p.metric for p in described.published} == {"mad", "mape", "rmse", "spearman"}
    assert card("d2sta-small").published == ()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("d2sta-kimore", {"optimizer": "adamw", "lr": 1e-4, "weight_decay": 1e-4, "epochs": 100}),
        ("d2sta-uiprmd", {"optimizer": "sgd", "lr": 0.1, "batch_size": 1, "epochs": 100}),
    ],
)
def test_experiments_hold_the_published_settings(name: str, expected: dict) -> None:
    config = Experiment.load(name).training()
    assert {k: config["trainer"][k] for k in expected} == expected
    assert config["model"]["name"] == "d2sta"
    assert config["protocol"]["leaky"] is True
    if name == "d2sta-kimore":
        assert config["seed"] == 3407
        assert config["protocol"]["sampling"]["pieces"] == 10
    else:
        assert config["model"]["streams"] == ["angle", "angle"]
        assert config["protocol"]["scaler"] == "none"
        assert blocks_of(PROTOCOLS.get(config["protocol"]["name"]))["seeds"] == [0, 1, 2, 3, 4]

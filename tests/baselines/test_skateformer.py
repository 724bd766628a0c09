import pytest
import torch
from torch import Tensor

import zoo
from baselines.skateformer import (
    TYPES,
    DropPath,
    SkateAttention,
    SkateFormer,
    SkateFormerBlock,
    body_parts,
    time_encoding,
)
from registry import LAYOUTS
from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.skeleton import Layout, load_layout

PARTS = torch.tensor([[4, 0, 1], [2, 3, -1]])
"""Five joints in two parts, one of which has a joint less."""
V, T, FRAMES, HEADS, WIDTH = 5, 8, 4, 2, 3


def test_published_size() -> None:
    """The layers of the authors' code: 60 classes, two persons of six parts with four joints."""
    people = Layout(
        name="two persons",
        joints=tuple(f"j{i}" for i in range(48)),
        parents=tuple(range(-1, 47)),
        parts={f"part {i}": tuple(range(4 * i, 4 * i + 4)) for i in range(12)},
    )
    ours = sum(p.numel() for p in SkateFormer(people).parameters())
    assert ours + 59 * (192 + 1) == 3_616_083


def test_structure_is_the_papers() -> None:
    model = zoo.create_model("skateformer")
    x = torch.randn(2, 64, 25, 96)
    shapes = []
    for index, stage in enumerate(model.stages):
        x = stage(x if index == 0 else model.downs[index - 1](x))
        shapes.append(tuple(x.shape))
    assert shapes == [(2, 64, 25, 96), (2, 32, 25, 192), (2, 16, 25, 192), (2, 8, 25, 192)]
    first = model.stages[0][0]
    assert first.widths == [24, 24, 36, 36, 36, 36]
    assert first.graph.shape == (8, 25, 25)
    assert [a.heads for a in first.attention] == [4] * 4
    dropped = [block.drop_path.probability for stage in model.stages for block in stage]
    torch.testing.assert_close(torch.tensor(dropped), torch.linspace(0, 0.2, 8))


def test_class_defaults_are_the_configurations() -> None:
    bare = SkateFormer(load_layout("kinect-v2")).state_dict()
    configured = zoo.create_model("skateformer").state_dict()
    assert {k: v.shape for k, v in bare.items()} == {k: v.shape for k, v in configured.items()}


@pytest.mark.parametrize("name", LAYOUTS.names())
def test_every_joint_is_in_one_part(name: str) -> None:
    layout = load_layout(name)
    parts = body_parts(layout)
    assert sorted(parts[parts >= 0].tolist()) == list(range(layout.num_joints))
    for row, members in zip(parts.tolist(), layout.parts.values(), strict=True):
        assert [joint for joint in row if joint >= 0] == list(members)


def test_joints_without_a_part_are_one_more() -> None:
    layout = Layout(name="l", joints=tuple("abcd"), parents=(-1, 0, 1, 2), parts={"p": (2,)})
    assert body_parts(layout).tolist() == [[2, -1, -1], [0, 1, 3]]


def attention_of(far_times: bool, far_joints: bool) -> SkateAttention:
    torch.manual_seed(0)
    attention = SkateAttention(
        HEADS, PARTS, FRAMES, far_times=far_times, far_joints=far_joints, dropout=0.0
    )
    torch.nn.init.normal_(attention.bias)
    return attention.double()


def together(far_times: bool, far_joints: bool) -> Tensor:
    """Which of the T·V tokens share a partition, (T, V, T, V)."""
    steps = T // FRAMES
    time = torch.arange(T) % steps if far_times else torch.arange(T) // FRAMES
    joint = torch.empty(V, dtype=torch.long)
    for part, members in enumerate(PARTS.tolist()):
        for slot, j in enumerate(members):
            if j >= 0:
                joint[j] = slot if far_joints else part
    same_time = (time[:, None] == time)[:, None, :, None]
    return same_time & (joint[:, None] == joint)[None, :, None, :]


def token_by_token(attention: SkateAttention, qkv: Tensor, far_times: bool) -> Tensor:
    """The equation of the paper, one token after the other."""
    far_joints = attention.bias.shape[1] > 1
    steps = T // FRAMES
    place = [t // steps if far_times else t % FRAMES for t in range(T)]
    part = {j: k for k, row in enumerate(PARTS.tolist()) for j in row if j >= 0}
    seen = together(far_times, far_joints)
    query, key, value = qkv.unflatten(-1, (3, HEADS, WIDTH)).unbind(3)  # (N, T, V, H, d)
    y = torch.zeros(*qkv.shape[:3], HEADS, WIDTH, dtype=qkv.dtype)
    for t in range(T):
        for v in range(V):
            others = seen[t, v].nonzero().tolist()
            for h in range(HEADS):
                logits = []
                for s, w in others:
                    pair = (part[v], part[w]) if far_joints else (0, 0)
                    bias = attention.bias[(place[t] - place[s] + FRAMES - 1, *pair, h)]
                    product = (query[:, t, v, h] * key[:, s, w, h]).sum(-1)
                    logits.append(product / HEADS**0.5 + bias)
                weights = torch.softmax(torch.stack(logits, -1), -1)
                values = torch.stack([value[:, s, w, h] for s, w in others], 1)
                y[:, t, v, h] = (weights.unsqueeze(-1) * values).sum(1)
    return y.flatten(-2)


@pytest.mark.parametrize(("far_times", "far_joints"), TYPES)
def test_attention_is_the_papers_equation(far_times: bool, far_joints: bool) -> None:
    attention = attention_of(far_times, far_joints)
    qkv = torch.randn(2, T, V, 3 * HEADS * WIDTH, dtype=torch.float64)
    torch.testing.assert_close(attention(qkv), token_by_token(attention, qkv, far_times))


@pytest.mark.parametrize(("far_times", "far_joints"), TYPES)
def test_tokens_see_their_partition_and_nothing_else(far_times: bool, far_joints: bool) -> None:
    attention = attention_of(far_times, far_joints)
    qkv = torch.randn(1, T, V, 3 * HEADS * WIDTH, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda x: attention(x).sum(-1), qkv)
    influence = jacobian.abs().sum((0, 3, 6)) > 0
    assert torch.equal(influence, together(far_times, far_joints))


def test_block_is_its_formula() -> None:
    torch.manual_seed(0)
    block = SkateFormerBlock(
        16,
        V,
        PARTS,
        frames=FRAMES,
        heads=8,
        kernel_size=3,
        mlp_ratio=2.0,
        attention_dropout=0.0,
        drop_path=0.0,
    ).eval()
    x = torch.randn(2, T, V, 16)
    h = block.mapping(block.norm(x))
    graph = [
        torch.einsum("wv,ntvc->ntwc", g, part)
        for g, part in zip(block.graph, h[..., :4].chunk(2, -1), strict=True)
    ]
    along = block.temporal(h[..., 4:8].permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    seen = [a(part) for a, part in zip(block.attention, h[..., 8:].chunk(4, -1), strict=True)]
    y = x + block.projection(torch.cat([*graph, along, *seen], -1))
    torch.testing.assert_close(block(x), y + block.mlp(y))


def test_path_is_dropped_for_whole_sequences_while_training() -> None:
    torch.manual_seed(0)
    drop = DropPath(0.25)
    x = torch.ones(4000, 2, 3)
    y = drop.train()(x)
    assert y.flatten(1).std(1).max() == 0
    assert y[:, 0, 0].mean().item() == pytest.approx(1, abs=0.05)
    assert drop.eval()(x) is x


def test_time_encoding() -> None:
    encoding = time_encoding(5, 4)
    torch.testing.assert_close(encoding[:, 0], torch.linspace(-1, 1, 5).sin())
    torch.testing.assert_close(encoding[:, 3], (torch.linspace(-1, 1, 5) / 100).cos())


def test_a_sequence_of_one_frame() -> None:
    model = zoo.create_model("skateformer-small").eval()
    assert model(Batch({"position": torch.randn(2, 1, 25, 3)})).score.isfinite().all()


def test_settings_that_cannot_be_built() -> None:
    layout = load_layout("coco")
    with pytest.raises(ConfigError, match="1 channels and 2 depths"):
        SkateFormer(layout, channels=[32], depths=[1, 1])
    with pytest.raises(ConfigError, match="frames=40 must be a multiple of 64"):
        SkateFormer(layout, frames=40)
    with pytest.raises(ConfigError, match="heads=12"):
        SkateFormer(layout, heads=12)

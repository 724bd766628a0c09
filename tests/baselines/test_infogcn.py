import pytest
import torch
from torch import Tensor

import zoo
from baselines.infogcn import InfoGCN, SelfAttentionConv, relative_positions
from registry import LAYOUTS
from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.skeleton import load_layout

SMALL = {"channels": [8, 16], "strides": [1, 2]}


def test_published_size() -> None:
    """The layers of the authors' code with 60 classes and two persons; LITERATURE: 1.5 to 1.6 M."""
    model = zoo.create_model("infogcn")
    ours = sum(p.numel() for p in model.parameters())
    published = ours + 59 * (256 + 1) + 2 * 25 * 64
    assert published == 1_556_807
    assert 1_500_000 <= published <= 1_600_000


def test_structure_is_the_papers() -> None:
    model = zoo.create_model("infogcn")
    assert [b.spatial.weight.shape[1] for b in model.trunk.blocks] == [64] * 3 + [128] * 3 + [
        256
    ] * 3
    assert [b.stride for b in model.trunk.blocks] == [1, 1, 1, 2, 1, 1, 2, 1, 1]
    assert all(b.spatial.heads == 3 and b.residual is not None for b in model.trunk.blocks)
    assert all(torch.equal(s, torch.eye(25)) for s in model.trunk.blocks[0].spatial.S)
    x = torch.randn(1, 18, 25, 64)
    assert model.trunk.blocks[0].spatial.attention(x).shape == (1, 18, 3, 25, 25)
    assert model.extract(Batch({"position": torch.randn(2, 18, 25, 3)}))[0].shape == (2, 5, 25, 256)


def test_class_defaults_are_the_configurations() -> None:
    bare = InfoGCN(load_layout("kinect-v2")).state_dict()
    configured = zoo.create_model("infogcn").state_dict()
    assert {k: v.shape for k, v in bare.items()} == {k: v.shape for k, v in configured.items()}


@pytest.mark.parametrize("k", [1, 2, 8])
@pytest.mark.parametrize("layout", LAYOUTS.names())
def test_joints_are_seen_from_their_ancestors(layout: str, k: int) -> None:
    skeleton = load_layout(layout)
    to_parent = torch.zeros(skeleton.num_joints, skeleton.num_joints)
    for child, parent in skeleton.bones:
        to_parent[child, parent] = 1.0
    expected = torch.eye(skeleton.num_joints) - torch.linalg.matrix_power(to_parent, k)
    assert torch.equal(relative_positions(skeleton, k), expected)


def test_mode_zero_leaves_joints_as_they_are() -> None:
    assert torch.equal(relative_positions(load_layout("coco"), 0), torch.eye(17))


def joint_by_joint(conv: SelfAttentionConv, x: Tensor) -> Tensor:
    """The equations of the paper, one frame, head and joint after the other."""
    tokens = conv.query_key(conv.attention_norm(x))
    query, key = tokens.chunk(2, dim=-1)
    y = torch.zeros(*x.shape[:3], conv.weight.shape[1], dtype=x.dtype)
    for n in range(x.shape[0]):
        for t in range(x.shape[1]):
            for h, (q, k) in enumerate(
                zip(query[n, t].chunk(3, -1), key[n, t].chunk(3, -1), strict=True)
            ):
                attention = torch.softmax(q @ k.T * q.shape[1] ** -0.5, dim=-1)
                for w in range(x.shape[2]):
                    seen = (conv.S[h, w] * attention[w]) @ x[n, t]
                    y[n, t, w] += conv.weight[h] @ seen + conv.bias[h]
    return torch.relu(conv.norm(y) + conv.down(x))


@pytest.mark.parametrize("out_channels", [4, 16, 24])
def test_convolution_is_the_papers_equations(out_channels: int) -> None:
    torch.manual_seed(0)
    conv = SelfAttentionConv(16, out_channels, num_joints=5, heads=3).double().eval()
    for parameter in conv.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    x = torch.randn(2, 3, 5, 16, dtype=torch.float64, requires_grad=True)
    first, second = conv(x), joint_by_joint(conv, x)
    torch.testing.assert_close(first, second, rtol=0, atol=1e-10)
    weight = torch.randn_like(first)
    inputs = [x, *conv.parameters()]
    for a, b in zip(
        torch.autograd.grad((first * weight).sum(), inputs),
        torch.autograd.grad((second * weight).sum(), inputs),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-9)


def test_latent_is_noisy_while_training_only() -> None:
    torch.manual_seed(0)
    model = InfoGCN(load_layout("coco"), **SMALL)
    pooled = torch.randn(2000, 16)
    still = model.eval().pool(pooled, None)
    assert torch.equal(still, model.pool(pooled, None))
    noise = model.train().pool(pooled, None) - still
    expected = (0.1 * model.log_variance(model.encoder(pooled))).exp()
    torch.testing.assert_close(noise.std(0), expected.mean(0), rtol=0.1, atol=0)


def test_settings_that_cannot_be_built() -> None:
    with pytest.raises(ConfigError, match="1 channels and 2 strides"):
        InfoGCN(load_layout("coco"), channels=[8], strides=[1, 1])
    with pytest.raises(ConfigError, match="mode=-1"):
        InfoGCN(load_layout("coco"), mode=-1)

import torch
from torch import Tensor
from torch.nn import functional as F

import zoo
from baselines.ftf_hgcn import AttentionAggregation, TopologyFusionBlock, fused_topology
from zoo.data.batch import Batch
from zoo.nn.hops import HopAttention
from zoo.skeleton import load_layout
from zoo.skeleton.graph import hop_distance

ENDS = {"Head", "HandTipLeft", "ThumbLeft", "FootLeft", "HandTipRight", "ThumbRight", "FootRight"}


def block_of(layout: str = "coco", **changes: object) -> TopologyFusionBlock:
    """A small block with weights away from their initial values."""
    torch.manual_seed(0)
    settings: dict[str, object] = {
        "in_channels": 3,
        "channels": 4,
        "branch_channels": 2,
        "kernel_size": 3,
        "kernel_sizes": [3, 4],
        "hops": hop_distance(load_layout(layout)),
        "dropout": 0.0,
    }
    return TopologyFusionBlock(**{**settings, **changes}).eval()


def test_ends_are_the_ends_of_the_limbs() -> None:
    layout = load_layout("kinect-v2")
    hops = hop_distance(layout)
    near, wider = fused_topology(hops, 1), fused_topology(hops, 2)
    ends = [joint for joint in range(25) if near[:, joint].all()]
    assert {layout.joints[joint] for joint in ends} == ENDS
    rest = [joint for joint in range(25) if joint not in ends]
    assert torch.equal(near[:, rest], hops[:, rest] <= 1)
    assert torch.equal(wider[:, rest], hops[:, rest] <= 2)


def slow_block(block: TopologyFusionBlock, x: Tensor, hops: Tensor) -> Tensor:
    """The block of one sequence (T, V, C), joint by joint and frame by frame."""
    frames, joints, _ = x.shape

    def conv(layer: torch.nn.Conv2d, y: Tensor) -> Tensor:
        size = layer.kernel_size[0]
        out = []
        for t in range(frames):
            total = layer.bias.expand(joints, -1)
            for tap in range(size):
                s = t + tap - (size - 1) // 2
                if 0 <= s < frames:
                    total = total + y[s] @ layer.weight[:, :, tap, 0].T
            out.append(total)
        return torch.stack(out)

    def gather(layer: HopAttention, y: Tensor, order: int) -> Tensor:
        u = F.relu(conv(layer.project, y))
        ends = [w for w in range(joints) if (hops[w] == 1).sum() == 1]
        out = torch.empty_like(u)
        for v in range(joints):
            states, _ = layer.cell(u[None, :, v])
            allowed = [w for w in range(joints) if hops[v, w] <= order or w in ends]
            for t in range(frames):
                logits = F.leaky_relu(states[0, t, allowed], 0.2)
                weights = logits.exp() / logits.exp().sum()
                out[t, v] = sum(a * u[t, w] for a, w in zip(weights, allowed, strict=True))
        return out

    k = torch.cat([x, F.relu(conv(block.first, x))], dim=-1)
    g = torch.cat([gather(layer, k, order) for order, layer in enumerate(block.gather, 1)], dim=-1)
    z = torch.cat([F.relu(conv(layer, g)) for layer in block.branches], dim=-1)
    aggregation = block.aggregation
    hidden = F.relu(F.linear(z.mean(0), aggregation.squeeze.weight, aggregation.squeeze.bias))
    gate = F.linear(hidden, aggregation.excite.weight, aggregation.excite.bias)
    return z / (1 + (-gate).exp())


def test_block_is_that_of_the_formula() -> None:
    block = block_of().double()
    x = torch.randn(2, 7, 17, 3, dtype=torch.float64)
    hops = hop_distance(load_layout("coco"))
    with torch.no_grad():
        expected = torch.stack([slow_block(block, sequence, hops) for sequence in x])
        torch.testing.assert_close(block(x), expected)


def test_padded_frames_change_nothing() -> None:
    block = block_of()
    x = torch.randn(2, 9, 17, 3)
    mask = torch.arange(9) < torch.tensor([[9], [5]])
    y = block(x * mask[..., None, None], mask)
    assert not y[1, 5:].any()
    torch.testing.assert_close(y[1:, :5], block(x[1:, :5]))


def test_a_moving_end_is_seen_everywhere_and_a_moving_elbow_only_nearby() -> None:
    """What the paper adds: distant joints reach all others in one block."""
    layout = load_layout("kinect-v2")
    gather = block_of("kinect-v2").gather
    x = torch.randn(1, 4, 25, 7)

    def reached(name: str) -> Tensor:
        moved = x.clone()
        moved[:, 2, layout.index(name)] += 1
        return torch.stack([(layer(moved) != layer(x))[0, 2].any(-1) for layer in gather]).any(0)

    assert reached("HandTipLeft").all()
    near = hop_distance(layout)[layout.index("ElbowLeft")] <= 2
    assert torch.equal(reached("ElbowLeft"), near)


def test_gate_is_between_zero_and_one_for_each_joint_and_channel() -> None:
    torch.manual_seed(0)
    layer = AttentionAggregation(6)
    torch.nn.init.uniform_(layer.squeeze.weight)
    z = torch.rand(2, 5, 4, 6) + 0.1
    gate = layer(z) / z
    torch.testing.assert_close(gate, gate[:, :1].expand_as(gate))
    assert ((gate > 0) & (gate < 1)).all()
    assert gate[:, 0].flatten().diff().abs().min() > 1e-5


def test_structure_is_described() -> None:
    model = zoo.create_model("ftf-hgcn")
    x = torch.randn(2, 10, 25, 3)
    assert [type(block) for block in model.blocks] == [TopologyFusionBlock] * 3
    assert [b.kernel_size[0] for b in model.blocks[1].branches] == [9, 15, 20]
    assert all(branch.in_channels == 128 for branch in model.blocks[2].branches)
    assert [cell.forwards.hidden_size for cell in model.cells] == [80, 40, 40, 80]
    assert model(Batch({"position": x})).features.shape == (2, 80)

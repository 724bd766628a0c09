import torch

import zoo
from baselines.dgstgcn import DGSTGCN
from zoo.skeleton import load_layout


def test_published_size() -> None:
    """LITERATURE: 1,701,172 with 60 classes, counted in the authors' code."""
    model = zoo.create_model("dgstgcn")
    ours = sum(p.numel() for p in model.parameters())
    assert ours == 1_685_869
    classes = 59 * (256 + 1)
    never_used = 10 * 2 * (8 - 1)  # α and β of seven groups in each block
    assert ours + classes + never_used == 1_701_172


def test_structure_is_the_papers() -> None:
    model = zoo.create_model("dgstgcn")
    x, mask = torch.randn(2, 17, 25, 3), None
    shapes = []
    for block in model.trunk.blocks:
        x, mask = block(x, mask)
        shapes.append(tuple(x.shape[1:]))
    assert shapes == [(17, 25, 64)] * 4 + [(9, 25, 128)] * 3 + [(5, 25, 256)] * 3
    assert model.trunk.blocks[0].residual is None
    assert all(b.spatial.conv.A.shape == (8, 25, 25) for b in model.trunk.blocks)
    assert [b.spatial.conv.pre.out_channels for b in model.trunk.blocks[::4]] == [64, 128, 256]
    assert model.trunk.blocks[0].temporal.widths == [14, 10, 10, 10, 10, 10]
    assert all((b.temporal.joint_weight == 0).all() for b in model.trunk.blocks)


def test_its_graphs_start_as_random_numbers() -> None:
    torch.manual_seed(0)
    A = torch.cat([b.spatial.conv.A for b in zoo.create_model("dgstgcn").trunk.blocks])
    assert abs(A.mean().item() - 0.04) < 0.001
    assert abs(A.std().item() - 0.02) < 0.001


def test_class_defaults_are_the_configurations() -> None:
    bare = DGSTGCN(load_layout("kinect-v2")).state_dict()
    configured = zoo.create_model("dgstgcn").state_dict()
    assert {k: v.shape for k, v in bare.items()} == {k: v.shape for k, v in configured.items()}

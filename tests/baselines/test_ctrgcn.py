import torch

import zoo
from baselines.ctrgcn import CTRGCN
from zoo.skeleton import load_layout


def test_published_size() -> None:
    """LITERATURE: 1,446,672 with 60 classes and two persons, counted in the authors' code."""
    model = zoo.create_model("ctrgcn")
    ours = sum(p.numel() for p in model.parameters())
    assert ours == 1_431_359
    classes = 59 * (256 + 1)
    second_person = 2 * 25 * 3
    assert ours + classes + second_person == 1_446_672


def test_structure_is_the_papers() -> None:
    model = zoo.create_model("ctrgcn")
    x, mask = torch.randn(2, 17, 25, 3), None
    shapes = []
    for block in model.trunk.blocks:
        x, mask = block(x, mask)
        shapes.append(tuple(x.shape[1:]))
    assert shapes == [(17, 25, 64)] * 4 + [(9, 25, 128)] * 3 + [(5, 25, 256)] * 3
    assert model.trunk.blocks[0].residual is None
    assert [(a != 0).sum().item() for a in model.trunk.blocks[0].spatial.conv.A] == [25, 24, 24]
    assert all(b.spatial.conv.alpha.item() == 0 for b in model.trunk.blocks)
    assert all((b.spatial.norm.weight == 1e-6).all() for b in model.trunk.blocks)
    assert model.trunk.blocks[0].temporal.widths == [16] * 4
    assert [c.kernel_size[0] for c in model.trunk.blocks[0].temporal.convs] == [5, 5]


def test_class_defaults_are_the_configurations() -> None:
    bare = CTRGCN(load_layout("kinect-v2")).state_dict()
    configured = zoo.create_model("ctrgcn").state_dict()
    assert {k: v.shape for k, v in bare.items()} == {k: v.shape for k, v in configured.items()}

import torch
from torch import nn

import zoo
from baselines.sgn import SGN, FrameGraph, FrameGraphConv
from zoo.data.batch import Batch
from zoo.skeleton import load_layout


def count(*modules: nn.Module) -> int:
    return sum(p.numel() for module in modules for p in module.parameters())


def test_published_size() -> None:
    """691,048 with 60 classes: the layers of the released code, and the paper's 0.69 M.

    The 247,016 of LITERATURE 4 are the input norms, the graph convolutions and a layer from 256 to
    60 of the same network, without its embeddings and its convolutions along time.
    """
    model = zoo.create_model("sgn")
    classes = 512 * 60 + 60
    assert count(model) - count(model.head) + classes == 691_048
    counted = count(model.position_norm, model.velocity_norm, model.joint_level)
    assert counted + 256 * 60 + 60 == 247_016


def test_shapes_are_the_codes() -> None:
    model = zoo.create_model("sgn").eval()
    batch = Batch({"position": torch.randn(2, 33, 25, 3)})
    z = model.represent(batch)
    assert z.shape == (2, 20, 25, 128)
    assert model.frame_graph(z).shape == (2, 20, 25, 25)
    assert [layer.itself.out_features for layer in model.joint_level] == [128, 256, 256]
    assert model(batch).features.shape == (2, 512)


def test_a_frame_makes_its_own_graph() -> None:
    torch.manual_seed(0)
    graph = FrameGraph(4, 8)
    z = torch.randn(2, 3, 5, 4)
    made = graph(z)
    torch.testing.assert_close(made.sum(-1), torch.ones(2, 3, 5))
    torch.testing.assert_close(made[:, 1:2], graph(z[:, 1:2]))
    logits = graph.theta(z[0, 0]) @ graph.phi(z[0, 0]).T
    torch.testing.assert_close(made[0, 0], logits.softmax(1))


def test_joints_are_by_themselves_at_first() -> None:
    """The weight of neighbours starts at zero."""
    torch.manual_seed(0)
    layer = FrameGraphConv(4, 6).eval()
    z, graph = torch.randn(2, 3, 5, 4), torch.rand(2, 3, 5, 5)
    torch.testing.assert_close(layer(z, graph), layer(z, torch.zeros_like(graph)))
    nn.init.normal_(layer.neighbours.weight)
    expected = torch.relu(layer.norm(layer.itself(z) + layer.neighbours(graph @ z)))
    torch.testing.assert_close(layer(z, graph), expected)


def test_order_of_frames_is_known() -> None:
    torch.manual_seed(0)
    model = SGN(load_layout("coco"), channels=4).eval()
    x = torch.randn(1, 20, 17, 3)
    forwards, backwards = (model(Batch({"position": y})).score for y in (x, x.flip(1)))
    assert not torch.allclose(forwards, backwards, atol=1e-4)

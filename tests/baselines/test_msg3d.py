import pytest
import torch

import zoo
from baselines.msg3d import MSG3D, WindowConv, disentangled_adjacency, window_hops
from registry import LAYOUTS
from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.skeleton import load_layout
from zoo.skeleton.graph import hop_distance

SMALL = {"channels": [6, 12], "strides": [1, 2], "scales": 4, "window_scales": 3, "windows": [3]}


def test_published_size() -> None:
    """LITERATURE: 3,194,595 with 60 classes and two persons, counted in the authors' code."""
    model = zoo.create_model("msg3d")
    ours = sum(p.numel() for p in model.parameters())
    classes = 59 * (384 + 1)
    second_person = 2 * 25 * 3
    assert ours + classes + second_person == 3_194_595


def test_structure_is_the_papers() -> None:
    model = zoo.create_model("msg3d")
    x, mask = torch.randn(2, 17, 25, 3), None
    shapes = []
    for block in model.trunk.blocks:
        x, mask = block(x, mask)
        shapes.append(tuple(x.shape))
    assert shapes == [(2, 17, 25, 96), (2, 9, 25, 192), (2, 5, 25, 384)]
    first, second, third = model.trunk.blocks
    assert [len(b.spatial.A) for b in model.trunk.blocks] == [13, 13, 13]
    assert [w.spatial.A.shape for w in first.windows] == [(6, 75, 75), (6, 125, 125)]
    assert [b.spatial.weight.shape[1] for b in model.trunk.blocks] == [96, 96, 192]
    assert [b.windows[0].spatial.weight.shape[1] for b in model.trunk.blocks] == [96, 96, 192]
    assert third.last.branches.widths == [64] * 6
    assert second.temporal[0].branches.stride == 2


def test_class_defaults_are_the_configurations() -> None:
    bare = MSG3D(load_layout("kinect-v2")).state_dict()
    configured = zoo.create_model("msg3d").state_dict()
    assert {k: v.shape for k, v in bare.items()} == {k: v.shape for k, v in configured.items()}


@pytest.mark.parametrize("layout", LAYOUTS.names())
def test_a_scale_joins_joints_at_one_distance(layout: str) -> None:
    hops = hop_distance(load_layout(layout))
    A = disentangled_adjacency(hops, 4)
    torch.testing.assert_close(A[0], torch.eye(len(hops)))
    torch.testing.assert_close(A.sum(1), torch.ones(4, len(hops)))
    for k in range(1, 4):
        assert torch.equal(A[k] > 0, (hops == k) | (hops == 0))


def test_a_window_is_the_powers_of_its_adjacency() -> None:
    """The definition of the authors: reachable in k steps and not in k - 1."""
    hops = hop_distance(load_layout("coco"))
    steps = (hops <= 1).double().tile(3, 3)
    found = disentangled_adjacency(window_hops(hops, 3), 4) > 0
    eye = torch.eye(len(steps), dtype=torch.bool)
    reached = [eye] + [torch.linalg.matrix_power(steps, k) > 0 for k in (1, 2, 3)]
    for k in (1, 2, 3):
        assert torch.equal(found[k], (reached[k] & ~reached[k - 1]) | eye)


def test_windows_see_the_frames_around_theirs() -> None:
    torch.manual_seed(0)
    hops = hop_distance(load_layout("coco"))
    conv = WindowConv(2, 4, 3, hops, scales=2, frames=3, stride=2).eval()
    x = torch.randn(1, 9, 17, 2)
    y = conv(x)
    assert y.shape == (1, 5, 17, 3)
    moved = x.clone()
    moved[:, 4] += 1.0
    changed = (conv(moved) - y).abs().amax((0, 2, 3)) > 1e-6
    assert changed.tolist() == [False, False, True, False, False]
    moved = x.clone()
    moved[:, 5] += 1.0
    changed = (conv(moved) - y).abs().amax((0, 2, 3)) > 1e-6
    assert changed.tolist() == [False, False, True, True, False]


def test_more_streams() -> None:
    model = MSG3D(load_layout("kinect-v2"), streams=["bone", "joint_motion"], **SMALL)
    batch = Batch({name: torch.randn(2, 8, 25, 3) for name in model.streams})
    assert model(batch).score.shape == (2,)


def test_settings_that_cannot_be_built() -> None:
    layout = load_layout("kinect-v2")
    with pytest.raises(ConfigError, match="1 channels and 2 strides"):
        MSG3D(layout, channels=[6], strides=[1, 1])
    with pytest.raises(ConfigError, match="odd"):
        MSG3D(layout, windows=[4])

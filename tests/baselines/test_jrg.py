import pytest
import torch

import zoo
from baselines.jrg import JRG, RelationGraph, joint_differences, segment_means
from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.skeleton import load_layout


def test_differences_are_the_papers_sum() -> None:
    torch.manual_seed(0)
    x, other = torch.randn(2, 3, 5, 4), torch.randn(2, 3, 5, 4)
    graph, weight = torch.rand(5, 5), torch.randn(5)
    expected = torch.zeros_like(x)
    for i in range(5):
        for j in range(5):
            expected[:, :, i] += weight[j] * graph[i, j] * (x[:, :, i] - other[:, :, j])
    torch.testing.assert_close(joint_differences(x, other, graph, weight), expected)


def test_relations_are_bones_and_not_negative() -> None:
    bones = torch.eye(4, dtype=torch.bool)
    bones[0, 1] = bones[1, 0] = True
    graph = RelationGraph(bones)
    with torch.no_grad():
        graph.relations.sub_(0.5)
    assert (graph() >= 0).all()
    assert torch.equal(graph() > 0, bones)


def test_segments_are_means_of_real_frames() -> None:
    x = torch.arange(7.0).reshape(1, 7, 1, 1)
    means, mask = segment_means(x, None, 3)
    assert means.flatten().tolist() == [1, 4, 6]
    assert mask is None
    real = torch.arange(7).unsqueeze(0) < 4
    means, mask = segment_means(x.masked_fill(~real[..., None, None], float("nan")), real, 3)
    assert means.flatten().tolist() == [1, 3, 0]
    assert mask is not None
    assert mask.tolist() == [[True, True, False]]


def test_the_four_features_of_joints() -> None:
    torch.manual_seed(0)
    model = zoo.create_model("jrg-small")
    x = torch.randn(2, 3, 25, 32)
    own, common, spatial, temporal = model.relate(x)
    assert own.shape == (2, 3, 32)
    torch.testing.assert_close(own, x.mean(2))
    torch.testing.assert_close(common, (model.spatial() @ x).mean(2))
    expected = joint_differences(x, x, model.spatial(), model.spatial_weight).mean(2)
    torch.testing.assert_close(spatial, expected)
    later = joint_differences(x[:, 1:], x[:, :-1], model.temporal(), model.temporal_weight)
    torch.testing.assert_close(temporal[:, 1:], later.mean(2))


def test_score_is_the_mean_over_segments() -> None:
    """Of a sequence of two equal segments far apart from a border, each has the same score."""
    torch.manual_seed(0)
    model = JRG(load_layout("coco"), kernel_size=1, segment=5, dropout=0.0).eval()
    one = torch.randn(2, 5, 17, 3)
    still = one.mean(1, keepdim=True).expand(-1, 5, -1, -1)
    score = model(Batch({"position": still})).score
    twice = model(Batch({"position": torch.cat([still, still], 1)})).score
    torch.testing.assert_close(twice, score)


def test_a_segment_needs_a_frame() -> None:
    with pytest.raises(ConfigError, match="at least one frame"):
        JRG(load_layout("coco"), segment=0)

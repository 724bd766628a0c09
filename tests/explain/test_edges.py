"""`zoo.explain.edges`: PyG's explainers on the edge path of `SkeletonConv`."""

import numpy as np
import pytest
import torch
from torch_geometric.explain import DummyExplainer

from zoo.errors import DataError
from zoo.explain.edges import JointGraph, edge_attribution, edge_importance, masked_score
from zoo.explain.sample import samples_of
from zoo.models import create_model
from zoo.nn.spatial import SkeletonConv
from zoo.prediction import Predictor

TINY = {"channels": [8, 8], "strides": [1, 2]}


def sample_of(make_sample, name: str, **settings):
    torch.manual_seed(0)
    streams = {"streams": ["position"]} if name != "aagcn-small" else {}
    model = create_model(name, **{**TINY, **streams, **settings})
    for key, parameter in model.named_parameters():
        if key.endswith("norm.weight"):
            parameter.data.fill_(
                1.0
            )  # AAGCN starts with graph convolutions that do next to nothing
    return make_sample(model, torch.randn(10, 25, 3))


# AAGCN's layer is a subclass of ST-GCN's, and comes last: PyG compiles both.
@pytest.mark.parametrize("name", ["d2sta-small", "stgcn-small", "aagcn-small"])
def test_the_edge_path_gives_the_score_and_a_mask(make_sample, name) -> None:
    sample = sample_of(make_sample, name)
    found = edge_importance(sample, epochs=3)
    with torch.no_grad():
        graph = JointGraph(sample)
        edge_score = masked_score(sample, graph, torch.ones(graph.edge_index.shape[1]))
    assert edge_score == pytest.approx(sample.score, abs=1e-3)
    assert found.masked_score != edge_score
    assert found.importance.shape == (found.edge_index.shape[1],)
    assert found.importance.min() >= 0
    assert found.importance.max() <= 1
    assert np.ptp(found.importance) > 0


def test_the_edges_are_those_of_the_graph(make_sample) -> None:
    sample = sample_of(make_sample, "d2sta-small")
    found = edge_importance(sample, epochs=1)
    conv = next(m for m in sample.model.modules() if isinstance(m, SkeletonConv))
    assert (found.edge_index == conv.edge_index.numpy()).all()
    assert found.edge_index.shape == (2, 25 + 24 + 24)
    # A joint's mean is over what it sends: SpineShoulder, the centre, to itself and outwards.
    sent = found.importance[found.edge_index[0] == 20]
    assert len(sent) == 1 + 4
    assert found.by_joint(25)[20] == pytest.approx(sent.mean())


def test_masked_messages_do_not_arrive(make_sample) -> None:
    sample = sample_of(make_sample, "stgcn-small", channels=[8], strides=[1])  # has no residual
    graph = JointGraph(sample)
    mask = torch.ones(graph.edge_index.shape[1])
    mask[graph.edge_index[0] == 19] = 0  # from the right foot
    all_of_them = torch.ones_like(mask)
    with torch.no_grad():
        without, with_foot = (masked_score(sample, graph, m) for m in (mask, all_of_them))
        sample.batch.x["position"][:, :, 19] += 5.0
        graph = JointGraph(sample)
        assert masked_score(sample, graph, mask) == without
        assert abs(masked_score(sample, graph, all_of_them) - with_foot) > 1e-3


def test_the_model_is_left_as_it_was(make_sample) -> None:
    sample = sample_of(make_sample, "d2sta-small")
    edge_importance(sample, epochs=1)
    assert not any(module.training for module in sample.model.modules())
    for module in sample.model.modules():
        if isinstance(module, SkeletonConv):
            assert not module.explain
            assert module._edge_mask is None
    assert all(p.requires_grad and p.grad is None for p in sample.model.parameters())
    assert float(sample.scores(sample.batch)[0]) == sample.score


def test_the_same_seed_gives_the_same_mask(make_sample) -> None:
    sample = sample_of(make_sample, "d2sta-small")
    torch.manual_seed(1)
    first = edge_importance(sample, epochs=2).importance
    state = torch.random.get_rng_state()
    again = edge_importance(sample, epochs=2).importance
    assert (first == again).all()
    assert (torch.random.get_rng_state() == state).all()


def test_any_explainer_of_pyg(make_sample) -> None:
    found = edge_importance(sample_of(make_sample, "d2sta-small"), algorithm=DummyExplainer())
    assert found.note == "DummyExplainer"


def test_as_an_attribution(trained) -> None:
    predictor = Predictor.open(trained.run("stgcn"), data_root=trained.data_root)
    sample = samples_of(predictor, trained.unseen("stgcn"))[0]
    importance = edge_importance(sample, epochs=2)
    found = edge_attribution(sample, epochs=2)
    np.testing.assert_allclose(found.by_joint(), importance.by_joint(25))
    assert not found.signed


def test_models_without_edges_are_refused(linear) -> None:
    with pytest.raises(DataError, match="Linear passes no messages"):
        edge_importance(linear[0])

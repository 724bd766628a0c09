"""Recordings and folds as graphs of PyTorch Geometric: any of its models and its loader."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch_geometric.loader import DataLoader
from torch_geometric.nn import GCN, global_mean_pool

import zoo
from zoo.errors import ConfigError, UserError
from zoo.nn import space_time_edges
from zoo.skeleton import load_layout

FEW = {"people": 10, "repetitions": 2}


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def dataset(data_root: Path) -> Any:
    return zoo.load_dataset("synthetic", data_root, **FEW).select("5")


@pytest.mark.parametrize("name", ["kinect-v2", "coco", "uiprmd-vicon-angles"])
def test_edges_are_the_bones_both_ways(name: str) -> None:
    layout = zoo.load_layout(name)
    edges = layout.edge_index()
    assert edges.dtype == torch.long
    assert edges.shape == (2, 2 * len(layout.bones))
    pairs = set(map(tuple, edges.T.tolist()))
    assert pairs == {*layout.bones, *((b, a) for a, b in layout.bones)}
    loops = layout.edge_index(self_loops=True)[:, edges.shape[1] :]
    assert loops.tolist() == [list(range(layout.num_joints))] * 2


def test_edges_in_space_and_time() -> None:
    layout = load_layout("kinect-v2")
    V, T = layout.num_joints, 4
    dense = torch.zeros(T * V, T * V)
    dense[tuple(space_time_edges(layout, T, self_loops=True))] = 1
    bones = torch.zeros(V, V)
    bones[tuple(layout.edge_index())] = 1
    steps = torch.diag(torch.ones(T - 1), 1) + torch.diag(torch.ones(T - 1), -1)
    expected = torch.block_diag(*[bones] * T) + torch.kron(steps, torch.eye(V)) + torch.eye(T * V)
    assert torch.equal(dense, expected)
    assert space_time_edges(layout, 1).shape == layout.edge_index().shape
    with pytest.raises(ConfigError, match="frames is 0"):
        space_time_edges(layout, 0)


def test_a_graph_a_recording(dataset: Any) -> None:
    graphs = dataset.to_pyg(frames=8)
    assert len(graphs) == len(dataset)
    graph, recording = graphs[0], dataset[0]
    assert graph.validate()
    assert (graph.x.shape, graph.pos.shape, graph.y.shape) == ((200, 3), (200, 3), (1,))
    assert (graph.subject, graph.exercise) == (recording.subject, "5")
    assert float(graph.y) == pytest.approx(recording.scores["total"])
    node = 3 * 25 + 7  # joint 7 of frame 3
    neighbours = set(graph.edge_index[1, graph.edge_index[0] == node].tolist())
    assert {node - 25, node + 25} <= neighbours
    assert graph.edge_index.max() < 200


def test_frames_as_recorded_and_joints_as_nodes(dataset: Any) -> None:
    recorded = dataset.to_pyg(frames=None)
    assert [g.num_nodes for g in recorded] == [25 * r.num_frames for r in dataset]
    joints = dataset.to_pyg(frames=8, nodes="joints", streams=("position", "bone"))[0]
    assert joints.validate()
    assert (joints.x.shape, joints.pos.shape) == ((25, 48), (25, 3))
    windows = dataset.to_pyg(window=20, stride=10, frames=8)
    assert len(windows) > len(dataset)
    with pytest.raises(ConfigError, match="unlike length"):
        dataset.to_pyg(frames=None, nodes="joints")
    with pytest.raises(ConfigError, match="nodes is 'bones'"):
        dataset.to_pyg(nodes="bones")


@pytest.mark.parametrize("nodes", ["joint-frames", "joints"])
def test_a_strangers_model_learns_from_the_loader(data_root: Path, nodes: str) -> None:
    fold = zoo.load_fold(
        "synthetic",
        fold=1,
        overrides={"protocol.frames": 8, **{f"dataset.{k}": v for k, v in FEW.items()}},
        data_root=data_root,
    )
    graphs = fold.train.to_pyg(nodes)
    assert {g.subject for g in graphs} == set(fold.train.subject)
    torch.manual_seed(0)
    model = GCN(graphs[0].num_node_features, 8, 2, out_channels=1)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    losses = []
    for _ in range(3):
        for batch in DataLoader(graphs, batch_size=8, shuffle=True):
            nodes_said = model(batch.x, batch.edge_index)
            loss = (global_mean_pool(nodes_said, batch.batch)[:, 0] - batch.y).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(float(loss))
    assert torch.isfinite(torch.tensor(losses)).all()
    assert isinstance(batch.subject, list)


def test_a_fold_is_what_a_run_trains_on(data_root: Path, tmp_path: Path) -> None:
    few = {"protocol.frames": 8, **{f"dataset.{k}": v for k, v in FEW.items()}}
    fold = zoo.load_fold("synthetic", "person-kfold", 1, overrides=few, data_root=data_root)
    run = zoo.train("mean", fold=1, overrides=few, runs=tmp_path, data_root=data_root)
    for part in ("train", "validation", "test"):
        found = getattr(fold, part)
        assert sorted(set(found.subject)) == sorted(run.split[part]["persons"])
        assert found.batch.x["position"].shape == (len(found), 8, 25, 3)
        back = fold.target_scaler.inverse(found.target)
        assert torch.allclose(back, found.score, atol=1e-4)
    assert fold.split.hash == run.record.split_hash
    train = fold.train.batch.x["position"].flatten(0, 1)
    assert torch.allclose(train.mean(0), torch.zeros(25, 3), atol=1e-4)
    assert not set(fold.train.subject) & set(fold.test.subject)
    raw = zoo.load_fold("synthetic", raw=True, streams=["bone"], overrides=few, data_root=data_root)
    assert raw.train.batch.mask is not None
    assert list(raw.test.batch.x) == ["bone"]


def test_a_fold_needs_what_there_is(data_root: Path) -> None:
    for arguments, message in (
        ({"dataset": "synthtic"}, "Did you mean 'synthetic'"),
        ({"dataset": "synthetic", "streams": ["bones"]}, "bones"),
        ({"dataset": "synthetic", "streams": "position"}, "streams is 'position', expected a list"),
        ({"dataset": "synthetic", "fold": 99}, "no fold 99"),
        ({"dataset": "synthetic", "overrides": {"trainer.epochs": 3}}, "no setting is called"),
    ):
        with pytest.raises(UserError, match=message):
            zoo.load_fold(data_root=data_root, **arguments)  # type: ignore[arg-type]


def test_names() -> None:
    assert {"kimore", "synthetic"} <= set(zoo.list_datasets())
    assert zoo.list_datasets("uiprmd-*")

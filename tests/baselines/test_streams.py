"""Every graph network takes each of the four streams that multi-stream ensembles are made of."""

import inspect

import pytest
import torch

import zoo
from registry import MODELS
from zoo.catalogue import card
from zoo.data.batch import STREAM_CHANNELS, Batch
from zoo.experiments.definition import Experiment
from zoo.nn.model import contract_of
from zoo.skeleton import load_layout

pytestmark = pytest.mark.usefixtures("one_thread")

FOUR = ("position", "bone", "joint_motion", "bone_motion")
PAIRED = {"egcn", "d2sta", "d2sta-plus"}
"""Networks whose two branches are for positions and orientations."""


def describes(name: str) -> bool:
    """Whether it describes what was recorded itself, or has no choice of streams."""
    factory = MODELS.get(name).load()
    chosen = "streams" in inspect.signature(factory).parameters
    return not chosen or getattr(factory, "raw", False)


GRAPHS = [
    name
    for name in MODELS.names()
    if "graph" in card(name).tags
    and f"{name}-small" not in MODELS.names()
    and name.removesuffix("-small") not in PAIRED
    and not describes(name)
]


def test_there_are_graph_networks() -> None:
    assert {"stgcn-small", "aagcn-small", "ctrgcn-small", "msg3d-small"} <= set(GRAPHS)


@pytest.mark.parametrize("stream", FOUR)
@pytest.mark.parametrize("name", GRAPHS)
@torch.no_grad()
def test_a_graph_network_takes_the_stream(name: str, stream: str) -> None:
    torch.manual_seed(0)
    model = zoo.create_model(name, layout="kinect-v2", streams=[stream]).eval()
    assert contract_of(model).streams == (stream,)
    joints = load_layout("kinect-v2").num_joints
    batch = Batch({stream: torch.randn(2, 16, joints, STREAM_CHANNELS[stream])})
    assert model(batch).score.isfinite().all()


def test_the_experiment_asks_for_all_four() -> None:
    experiment = Experiment.load("aagcn-streams")
    for size, rows in (
        ("aagcn", experiment.rows),
        ("aagcn-small", experiment.cut(small=True).rows),
    ):
        assert [row.settings for row in rows if row.model == size] == [
            {"model.streams": [stream]} for stream in FOUR
        ]

"""Every registered model as ONNX, or why it is none."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from registry import MODELS
from zoo.data.samples import build_samples
from zoo.data.scalers import StreamScaler, TargetScaler
from zoo.data.segment import Sampling
from zoo.exporting.check import TOLERANCE, checked_graph
from zoo.exporting.errors import ExportError
from zoo.exporting.graph import ScoringGraph, source_streams
from zoo.exporting.made_up import made_up_recording
from zoo.exporting.onnx_file import onnx_bytes, run_onnx
from zoo.exporting.samples import Samples
from zoo.nn.model import contract_of
from zoo.skeleton import load_layout
from zoo.training.evaluate import TrainedModel

pytest.importorskip("onnx", reason="exporting needs the extra: export")
pytest.importorskip("onnxruntime", reason="exporting needs the extra: export")
pytestmark = pytest.mark.usefixtures("one_thread")

REFUSED = {
    "knn-bones": "knn-bones cannot be written as ONNX: Exporting the operator 'aten::nanmedian'",
    "knn-dtw": "knn-dtw is not written: the graph of it that torch made holds for as many samples",
    "minirocket": "minirocket is not written: the graph of it that torch made holds for as many",
}
"""What the product says of the models that no graph is made of."""

NAMES = [name for name in MODELS.names() if f"{name}-small" not in MODELS.names()]
"""One size of each code is enough."""

LAYOUT = "kinect-v2"
FRAMES = 24


@pytest.fixture(scope="module")
def make(module_of: Callable[[str], Any]) -> Callable[[str], Any]:
    """Models that are off their initial values, as if trained."""
    return module_of("baselines/test_every_model.py").make


def samples(model: Any) -> Samples:
    contract = contract_of(model)
    recordings = [made_up_recording(load_layout(LAYOUT), 3.0 + seed, seed) for seed in range(5)]

    def made(streams: Any) -> Any:
        frames = None if contract.raw else FRAMES
        return build_samples(recordings, Sampling(), (), streams, frames, scored=False)

    given = fed = made(contract.streams)
    if contract.derive is not None:
        given = fed = contract.derive.of(fed, None)
    else:
        given = made(source_streams(contract.streams))
    return Samples(given.batch(), fed.batch(), np.full(5, np.nan), "made-up recordings", False)


def as_if_trained(model: Any, found: Samples) -> TrainedModel:
    """With scalers, and scores that lie about one score unit apart."""
    scaler = StreamScaler("none" if contract_of(model).raw else "zscore").fit(found.fed)
    target = TargetScaler("none")
    with torch.no_grad():
        said = model(scaler.transform(found.fed)).score
    target.scale = 1 / max(1.0, float(said.abs().max()))
    target.offset = 0.5
    return TrainedModel(None, model, LAYOUT, scaler, target, torch.device("cpu"), None, None)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_as_onnx_says_what_it_says(name: str, make: Callable[[str], Any]) -> None:
    model = copy.deepcopy(make(name))
    found = samples(model)
    if name == "group-mean":  # there has to be a group to know
        group = found.fed.group.new_tensor([7, 7, 8, 8, 7])
        found = replace(
            found,
            fed=found.fed._replace(group=group),
            given=found.given._replace(group=group),
        )
        model.fit(found.fed, torch.arange(5.0))
    trained = as_if_trained(model, found)
    scalers = trained.stream_scaler, trained.target_scaler
    few = found.select([0, 1, 2])
    graph = ScoringGraph(model, load_layout(LAYOUT), *scalers, (0.0, 1.0), few.given).eval()

    def export() -> Any:
        content = onnx_bytes(graph, graph.given(few.given), graph.inputs, graph.outputs, name)

        def score(given: Any) -> Any:
            named = dict(zip((port.name for port in graph.inputs), given, strict=True))
            return run_onnx(content, named)["score"].astype(np.float64)

        return checked_graph(graph, score, found, trained, graph.inputs, name)

    if name in REFUSED:
        with pytest.raises(ExportError, match=REFUSED[name]):
            export()
        return
    check = export()
    assert check.samples == 5
    assert check.largest_difference <= TOLERANCE

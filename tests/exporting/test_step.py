"""A causal network's step as ONNX: frame by frame it says what the clip says."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

import zoo
from zoo.data.scalers import StreamScaler, TargetScaler
from zoo.errors import ConfigError
from zoo.exporting.check import TOLERANCE
from zoo.exporting.errors import ExportError
from zoo.exporting.onnx_file import onnx_bytes
from zoo.exporting.record import read_export
from zoo.exporting.samples import Samples
from zoo.exporting.step import StepGraph, checked_step
from zoo.nn.streaming import make_causal
from zoo.prediction import Predictor
from zoo.training.evaluate import TrainedModel

pytest.importorskip("onnx", reason="exporting needs the extra: export")
pytest.importorskip("onnxruntime", reason="exporting needs the extra: export")
pytestmark = pytest.mark.usefixtures("one_thread")

CAUSAL = {"model.causal": True, "trainer.rate": 10, "trainer.epochs": 1, "trainer.threads": 1}
TINY = {"model.channels": [8, 8], "model.strides": [1, 2]}


@pytest.fixture(scope="module")
def causal(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A small ST-GCN that looks back only and is fed ten frames a second."""
    runs = tmp_path_factory.mktemp("runs")
    settings = {**CAUSAL, **TINY}
    return zoo.train("stgcn-small", "synthetic", exercise="5", overrides=settings, runs=runs)


def test_a_causal_run_has_its_step_beside_it(causal, tmp_path):
    record = read_export(zoo.export(causal, tmp_path / "out", format="onnx"))
    clip, step = record.graphs
    assert (clip.name, step.name, record.no_step) == ("model.onnx", "step.onnx", "")
    assert step.check.largest_difference <= TOLERANCE
    assert step.inputs[0].shape == (1, 25, 3)
    after = {port.name.removeprefix("next_"): port.shape for port in step.outputs[1:]}
    assert after == {port.name: port.shape for port in step.inputs[1:]}
    assert "at 10 a second" in (tmp_path / "out/README.md").read_text()


def test_another_run_says_why_it_has_none(trained, tmp_path):
    folder = zoo.export(
        trained.run("stgcn"), tmp_path / "out", format="onnx", data_root=trained.data_root
    )
    assert "trainer.rate" in read_export(folder).no_step
    assert not (folder / "step.onnx").exists()


@pytest.fixture(scope="module")
def shaken(causal: Any, module_of: Callable[[str], Any]) -> Callable[..., TrainedModel]:
    """The causal run with another network in it, off its initial values."""
    make = module_of("baselines/test_every_model.py").make
    trained = Predictor.open(causal, device="cpu").trained

    def made(name: str, samples: Samples) -> TrainedModel:
        model = make(name)
        make_causal(model)
        scaler = StreamScaler().fit(samples.fed)
        target = TargetScaler("none")
        with torch.no_grad():
            said = model(scaler.transform(samples.fed)).score
        target.scale = 1 / max(1.0, float(said.abs().max()))
        return TrainedModel(
            trained.run,
            model.eval(),
            trained.layout,
            scaler,
            target,
            trained.device,
            trained._settings,
            trained._checkpoint,
        )

    return made


BY_STEPS = ("gru", "infogcn-small", "recon-small", "stgcn-small", "stgcnpp-small", "tcn")
"""Networks that go frame by frame with a state of fixed size; tests/nn/test_streaming.py says
why the others do not."""


@pytest.mark.parametrize("name", BY_STEPS)
def test_a_step_says_what_the_clip_says(name, causal, shaken):
    predictor = Predictor.open(causal, device="cpu")
    samples = Samples.made_up(predictor, 2)
    trained = shaken(name, samples)
    step = StepGraph(trained).eval()
    content = onnx_bytes(step, step.example(), step.inputs, step.outputs, name)
    assert checked_step(content, samples, trained, name).largest_difference <= TOLERANCE
    trained.target_scaler.offset += 1
    with pytest.raises(ExportError, match=f"the step of {name} is not written"):
        checked_step(content, samples, trained, name)


def test_a_network_without_a_step_says_why(causal, shaken):
    samples = Samples.made_up(Predictor.open(causal, device="cpu"), 2)
    with pytest.raises(ConfigError, match="look at all frames"):
        StepGraph(shaken("rastg-small", samples))

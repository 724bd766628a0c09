import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from zoo.errors import CheckpointError, DataError
from zoo.training.evaluate import evaluate_fold, load_trained
from zoo.training.run import train_run


@pytest.fixture
def run(toy, tmp_path):
    return train_run(
        toy.TinyNet, toy.make_fold(), toy.make_config(), dataset=toy.DATASET, runs=tmp_path
    )


def evaluate(toy, run, **changes):
    options = {
        "data": toy.make_fold(),
        "fingerprint": toy.DATASET.fingerprint,
        "build": toy.TinyNet,
        **changes,
    }
    trained = load_trained(run.path, device="cpu", build=options.pop("build"))
    return evaluate_fold(trained, **options)


def test_a_run_says_the_same_again(toy, run):
    found = evaluate(toy, run)
    assert found.agrees
    assert found.largest_difference <= found.tolerance < 0.02
    assert found.altered == []
    for part in ("validation", "test"):
        for level in ("recording", "sample"):
            stored = run.record.metrics[part][level]
            assert found.from_table[part][level] == pytest.approx(stored, nan_ok=True, rel=1e-12)
            assert found.metrics[part][level] == pytest.approx(stored, nan_ok=True, abs=1e-3)


def test_the_trained_model_scores_raw_sequences_in_score_units(toy, run):
    trained = load_trained(run.path, build=toy.TinyNet, device="cpu")
    assert trained.streams == ("position",)
    assert trained.layout == "toy5"
    assert not trained.model.training
    samples = toy.make_fold().subset("test")
    scores = trained.score(samples.batch())
    assert np.allclose(scores.numpy(), run.scores.of("test").predicted, atol=1e-4)


def test_a_closed_form_model_comes_back(toy, tmp_path):
    config = {**toy.make_config(), "model": {"name": "nearest"}}
    run = train_run(toy.Nearest, toy.make_fold(), config, dataset=toy.DATASET, runs=tmp_path)
    found = evaluate(toy, run, build=toy.Nearest)
    assert found.agrees
    assert found.largest_difference < 1e-4


def test_an_edited_table_is_caught(toy, run):
    file = run.path / "predictions.csv"
    header, first, *rest = file.read_text().splitlines()
    fields = first.split(",")
    fields[-2] = fields[-3]
    file.write_text("\n".join([header, ",".join(fields), *rest]) + "\n")
    found = evaluate(toy, run)
    assert found.altered == ["predictions.csv"]
    assert found.largest_difference > found.tolerance
    assert not found.agrees
    file.write_text("\n".join([header, *rest]) + "\n")
    assert evaluate(toy, run).largest_difference == float("inf")
    file.unlink()
    with pytest.raises(DataError, match=r"predictions\.csv does not exist"):
        evaluate(toy, run)


def test_other_data_split_or_protocol_are_refused(toy, run):
    with pytest.raises(CheckpointError, match="belongs to other data"):
        evaluate(toy, run, fingerprint="0" * 64)
    with pytest.raises(CheckpointError, match="protocol's meaning has changed"):
        evaluate(toy, run, data=toy.make_fold(aggregate="median"))
    with pytest.raises(CheckpointError, match="another split"):
        evaluate(toy, run, data=toy.make_fold(persons=15))
    fold = toy.make_fold()
    other = replace(fold, samples=replace(fold.samples, layout="coco"))
    with pytest.raises(CheckpointError, match="skeleton layout 'toy5', not 'coco'"):
        evaluate(toy, run, data=other)


def test_a_model_whose_code_changed_is_refused(toy, run):
    with pytest.raises(CheckpointError, match=r"not those of this TinyNet.*conv\.weight has shape"):
        evaluate(toy, run, build=lambda: toy.TinyNet(width=4))


def test_a_checkpoint_of_another_run_is_refused(toy, run, tmp_path):
    other = train_run(
        toy.TinyNet,
        toy.make_fold(),
        {**toy.make_config(), "seed": 8},
        dataset=toy.DATASET,
        runs=tmp_path,
    )
    for name in ("checkpoint.json", "checkpoint.safetensors"):
        (run.path / name).write_bytes((other.path / name).read_bytes())
    with pytest.raises(CheckpointError, match="belongs to another run"):
        load_trained(run.path, build=toy.TinyNet)


def test_an_altered_checkpoint_is_refused(toy, run):
    file = run.path / "checkpoint.safetensors"
    content = bytearray(file.read_bytes())
    content[-5] ^= 0x40
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match="SHA-256"):
        load_trained(run.path, build=toy.TinyNet)


def test_the_registered_model_is_built_where_none_is_given(toy, tmp_path, monkeypatch):
    from registry import MODELS
    from registry.entry import live_source
    from zoo.training import evaluate as module

    class Registered(toy.TinyNet):
        def __init__(self, layout, width):
            super().__init__(width)
            self.layout = layout

    monkeypatch.setattr(module, "load_layout", lambda name: SimpleNamespace(name=name))
    MODELS.add("toy-registered", live_source(Registered))
    try:
        config = {**toy.make_config(), "model": {"name": "toy-registered", "width": 4}}
        build = lambda: Registered(None, 4)  # noqa: E731
        run = train_run(build, toy.make_fold(), config, dataset=toy.DATASET, runs=tmp_path)
        trained = load_trained(run.path, device="cpu")
        assert trained.model.layout.name == "toy5"
        assert trained.model.conv.weight.shape[0] == 4
        assert run.record.model.source.owner is not None
    finally:
        MODELS.forget("toy-registered")


def test_bf16_runs_are_evaluated_in_bf16(toy, tmp_path):
    config = toy.make_config(precision="bf16")
    run = train_run(toy.TinyNet, toy.make_fold(), config, dataset=toy.DATASET, runs=tmp_path)
    found = evaluate(toy, run)
    assert found.agrees
    assert found.tolerance > 0.05
    full = train_run(
        toy.TinyNet, toy.make_fold(), toy.make_config(), dataset=toy.DATASET, runs=tmp_path
    )
    assert not np.array_equal(full.scores.predicted, run.scores.predicted)


def test_a_run_that_is_not_finished_cannot_be_evaluated(toy, run):
    partial = run.path.rename(run.path.with_name(f"{run.path.name}.partial"))
    with pytest.raises(DataError, match="is not finished: train it again .* resume=True"):
        load_trained(run.path, build=toy.TinyNet)
    (partial / "run.json").unlink()
    with pytest.raises(DataError, match="not finished"):
        load_trained(partial, build=toy.TinyNet)


def test_nothing_that_is_loaded_asks_for_gradients(toy, run):
    trained = load_trained(run.path, build=toy.TinyNet, device="cpu")
    score = trained.score(toy.make_fold().subset("test").batch())
    assert not score.requires_grad
    assert score.dtype is torch.float32
    assert json.loads((run.path / "checkpoint.json").read_text())["format"].startswith("skeleton")

"""A small record of a run for tests that need one and no folder."""

from dataclasses import replace
from typing import Any

from zoo.runs.record import (
    SCHEMA,
    Epochs,
    PartCounts,
    RunDataset,
    RunModel,
    RunProtocol,
    RunRecord,
    Source,
)

LEVELS = {"recording": {"mad": 2.0}, "sample": {"mad": 3.0}}

RECORD = RunRecord(
    schema=SCHEMA,
    created="2026-01-01T00:00:00+00:00",
    key_hash="k" * 64,
    split_hash="5" * 64,
    seed=0,
    fold=2,
    model=RunModel(
        name="d2sta",
        params={},
        title="D2STA",
        summary="",
        tags=("graph",),
        paper="",
        doi="",
        streams=("position",),
        parameters=1000,
        flops=None,
        latency_ms=1.5,
        closed_form=False,
        draws=True,
        source=Source("skeleton-zoo 0.1.0", "toy:Toy", "c" * 64),
    ),
    dataset=RunDataset(
        name="kimore",
        params={"exercise": "5"},
        fingerprint="f" * 64,
        layout="kinect-v2",
        title="KIMORE",
        score_range=(0.0, 50.0),
        exercises={"5": "squats"},
        binary=False,
    ),
    protocol=RunProtocol(
        name="person-kfold",
        params={"frames": 100, "split": {"folds": 5}},
        hash="a" * 64,
        folds=5,
        title="By person",
        summary="",
        leaky=False,
        leak_reason="",
        warning=None,
        selection="best",
        aggregate="mean",
    ),
    trainer={"epochs": 2},
    changed={},
    counts={part: PartCounts(4, 4, 4) for part in ("train", "validation", "test")},
    epochs=Epochs(2, 1, 1),
    metrics={"test": LEVELS},
    baseline={"test": {"recording": {"mad": 4.0}, "sample": {"mad": 5.0}}},
    baseline_score=20.0,
    durations={"train": 1.0},
    hardware={"cores": 2},
    versions={"skeleton-zoo": "0.1.0"},
    sessions=(),
)


def make_record(**changes: Any) -> RunRecord:
    """The record with some values changed: ``seed=1``, ``dataset__fingerprint="e" * 64``."""
    record: Any = RECORD
    for path, value in changes.items():
        block, _, key = path.partition("__")
        changed = replace(getattr(record, block), **{key: value}) if key else value
        record = replace(record, **{block: changed})
    return record

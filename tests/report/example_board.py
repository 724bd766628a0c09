"""A board with two protocols and twenty models, made up but of the size and shape of a real one."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from math import nan
from typing import Any

import numpy as np

from zoo.board.board import (
    Board,
    BoardMetric,
    BoardProtocol,
    Exercise,
    Incomplete,
    LeftOut,
    Pair,
    PairedModel,
    Ranked,
    RankedRun,
    Section,
)
from zoo.board.published import PublishedResult
from zoo.evaluation.statistics import Comparison, Friedman, Interval, Spread

HOSTILE = "<script>alert(1)</script>"
RUN = "</script><img src=x onerror=\"document.title='run'\">'&"
METRICS = (
    BoardMetric("mad", "MAD", "points", 2, False),
    BoardMetric("rmse", "RMSE", "points", 2, False),
    BoardMetric("mape", "MAPE", "%", 2, False),
    BoardMetric("spearman", "Spearman", "ρ", 3, True),
)
EXERCISES = (
    ("1", "arm lift"),
    ("2", "trunk tilt, arms extended"),
    ("3", "trunk rotation"),
    ("4", "pelvis rotation"),
    ("5", "squat"),
)
GROUPS = {
    "CG/Expert": 46.0,
    "CG/NotExpert": 41.0,
    "GPP/BackPain": 34.0,
    "GPP/Parkinson": 30.0,
    "GPP/Stroke": 24.0,
}
# name, family, parameters, MAD under the honest protocol, MAD under the leaky one
MODELS = (
    ("features-trees", "classical", 0, 5.82, 1.61),
    ("features-ridge", "classical", 617, 5.96, 3.90),
    ("minirocket", "classical", 9997, 6.11, 0.72),
    ("stgcn-small", "graph", 196_585, 6.21, 0.64),
    ("features-svr", "classical", 0, 6.27, 2.41),
    ("lite-mv", "neural", 65_225, 6.33, 0.52),
    ("inceptiontime", "neural", 501_091, 6.48, 0.49),
    ("features-boosting", "classical", 0, 6.52, 1.92),
    ("aagcn", "graph", 3_763_000, 6.58, 0.41),
    ("tcn", "neural", 152_000, 6.61, 0.66),
    ("gru", "neural", 173_629, 6.69, 0.95),
    ("ridge-motion", "trivial", 1501, 6.72, 4.12),
    ("d2sta", "graph", 2_012_555, 6.81, 0.38),
    ("bilstm", "neural", 230_000, 6.88, 0.99),
    ("transformer", "neural", 410_000, 7.02, 0.78),
    ("knn-dtw", "classical", 0, 7.44, 0.55),
    (HOSTILE, "other", 12, 7.70, 1.20),
    ("median", "trivial", 1, 8.11, 8.12),
    ("mean", "trivial", 1, 8.23, 8.21),
    ("knn-bones", "trivial", 0, 8.91, 0.41),
)
PUBLISHED = (
    ("D2STA", "Kuang et al., Sensors 2026", "10.3390/s26010287", 2026, 0.119, 0.307),
    ("STGCN-rehab", "Deb et al., TNSRE 2022", "10.1109/TNSRE.2022.3150392", 2022, 0.583, 1.268),
    (f"paper {HOSTILE}", "Nobody, nowhere", "javascript:alert(1)", 2020, 0.9, 2.0),
)


def board(points: bool = True) -> Board:
    """The leaderboard that renderers are given.

    Args:
        points: with true and predicted scores; a public board has none.
    """
    rng = np.random.default_rng(0)
    honest, leaky = (_section(leak, points, rng) for leak in (False, True))
    here, there = ({e.name: e for e in s.ranked} for s in (honest, leaky))
    models = [
        PairedModel(
            name,
            entry.family,
            entry.mean_score,
            entry.leak_reference,
            entry.mad,
            there[name].mad,
            entry.rank,
            there[name].rank,
        )
        for name, entry in here.items()
    ]
    return Board(
        generated="2026-11-24T13:44:58+00:00",
        zoo_version="0.1.0",
        public=not points,
        sections=[honest, leaky],
        pairs=[Pair("kimore", "KIMORE", (0.0, 50.0), "person-kfold", "d2sta-paper", models)],
        unreadable=[LeftOut("kimore/5/broken", "run.json is no JSON")],
    )


def changed(whole: Board, at: int, **changes: Any) -> Board:
    """The board with other values in one of its sections."""
    sections = list(whole.sections)
    sections[at] = replace(sections[at], **changes)
    return replace(whole, sections=sections)


def with_entry(whole: Board, at: int, entry: int, **changes: Any) -> Board:
    """The board with other values in one entry of a section."""
    ranked = list(whole.sections[at].ranked)
    ranked[entry] = replace(ranked[entry], **changes)
    return changed(whole, at, ranked=ranked)


def spoiled(value: Any, key: str = "") -> Any:
    """The same board with `RUN` behind every text that a stranger could have written."""
    kept = ("generated", "fingerprint", "hash", "family", "id", "metrics", "exercise", "dataset")
    if is_dataclass(value) and not isinstance(value, type):
        own = {f.name: spoiled(getattr(value, f.name), f.name) for f in fields(value)}
        if isinstance(value, BoardMetric):
            own["name"] = value.name  # a key elsewhere
        return replace(value, **own)
    if isinstance(value, Mapping):
        free_keys = key in ("settings", "by_group", "versions")
        return {f"{k}{RUN}" if free_keys else k: spoiled(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [spoiled(v, key) for v in value]
    if isinstance(value, tuple) and not hasattr(value, "_make"):
        return tuple(spoiled(v, key) for v in value)
    return f"{value}{RUN}" if isinstance(value, str) and key not in kept else value


def _section(leaky: bool, points: bool, rng: np.random.Generator) -> Section:
    entries = sorted((_entry(*model, leaky, points, rng) for model in MODELS), key=lambda e: e.mad)
    best, ranked = entries[0], []
    for rank, entry in enumerate(entries, 1):
        tied = entry.metrics["mean"]["mad"].low < best.mad + 0.1
        ranked.append(
            replace(
                entry,
                rank=rank,
                rank_low=max(1, rank - 3),
                rank_high=min(20, rank + 4),
                tied_with_best=tied,
                versus_best=None if rank == 1 else _paired(rank * 0.12, not tied),
            )
        )
    names = [e.name for e in ranked]
    return Section(
        dataset="kimore",
        dataset_title="KIMORE",
        fingerprint="19ddb9e508c871045b4b242853ab858e93c2c4d7c5244335d27120c9afe6cbbf",
        score_range=(0, 50),
        protocol=BoardProtocol(
            name="d2sta-paper" if leaky else "person-kfold",
            title="D2STA's protocol (leaky)" if leaky else "Five folds by person",
            summary=(
                "Ten equal pieces of every recording, dealt at random 8:1:1."
                if leaky
                else "Nobody is in training and in test; folds are alike in group and score."
            ),
            hash="3b1300f97645e5e2d1781904ae72286555bbc8a42bb8c98d3d169ddce1c262e5",
            leaky=leaky,
            leak_reason=(
                "the pieces of one recording all carry its one score and lie on both sides, so "
                "that recognising the body is enough to know the score"
                if leaky
                else ""
            ),
            aggregate="none" if leaky else "mean",
            folds=[0] if leaky else [0, 1, 2, 3, 4],
            seeds=[0, 1, 2],
        ),
        meaning="This protocol leaks: bodies are recognised." if leaky else "",
        exercises=[Exercise(id_, title) for id_, title in EXERCISES],
        persons=77,
        metrics=list(METRICS),
        ranked=ranked,
        incomplete=[
            Incomplete(
                name="aagcn-small",
                model="aagcn-small",
                have=71,
                expected=75,
                missing=[f"exercise 5, fold {f}, seed 2" for f in (0, 1, 3, 4)],
                reason="failed: out of memory",
                tested_on="exercises 1-5, folds 0-4",
                persons=70,
                metrics={"mad": 6.5, "rmse": 8.5, "mape": 19.0, "spearman": 0.41},
                mean_score=8.2,
            )
        ],
        completing=["zoo bench --models aagcn-small --dataset kimore --seeds 0 1 2"],
        published=[
            PublishedResult(
                name=name,
                paper=paper,
                doi=doi,
                year=year,
                protocol="random 8:1:1 of pieces",
                leaky=True,
                leak_reason="pieces of one recording on both sides",
                source="Table 3",
                note="second hand",
                unit="points of 50",
                metrics={
                    "mean": {"mad": mad, "mape": mape},
                    **{id_: {"mad": mad * (1 + 0.1 * i)} for i, (id_, _) in enumerate(EXERCISES)},
                },
            )
            for name, paper, doi, year, mad, mape in PUBLISHED
        ],
        friedman=Friedman(
            statistic=88.2,
            p=3.1e-11,
            f_statistic=9.1,
            f_p=2.0e-12,
            blocks=25,
            mean_ranks=tuple((name, 2.4 + 16.0 * i / len(names)) for i, name in enumerate(names)),
            critical_difference=5.93,
            cliques=tuple(tuple(names[i : i + 8]) for i in (0, 3, 7, 12)),
        ),
        notes=["d2sta and aagcn were trained with one seed."],
    )


def _entry(
    name: str,
    family: str,
    parameters: int,
    honest: float,
    leaked: float,
    leaky: bool,
    points: bool,
    rng: np.random.Generator,
) -> Ranked:
    mad = leaked if leaky else honest
    constant = name in ("mean", "median")
    factors = (0.95, 1.16, 0.97, 0.94, 0.98)
    metrics = {
        id_: _metrics(mad * factor, constant)
        for (id_, _), factor in zip(EXERCISES, factors, strict=True)
    }
    gain = 100 * (1 - mad / 8.23)
    return Ranked(
        name=name,
        model=name,
        title=f"What {name} is, in a few words",
        family=family,
        paper="Yan, Xiong, Lin: Spatial temporal graph convolutional networks. AAAI 2018",
        doi="10.1609/aaai.v32i1.12328",
        mean_score=name == "mean",
        leak_reference=name == "knn-bones",
        settings={"trainer.lr": 0.001, "streams": ["position"], "note": name},
        source="tempo-wheel 0.3" if family == "other" else "built in",
        builtin=family != "other",
        streams=["position", "orientation"] if name == "d2sta" else ["position"],
        parameters=parameters,
        flops=parameters * 1749 if family in ("graph", "neural") else None,
        train_seconds=0.4 + parameters / 3000,
        latency_ms=10.56 if family == "graph" else 0.31,
        seeds=[0, 1, 2],
        folds=[0] if leaky else [0, 1, 2, 3, 4],
        rank=0,
        rank_low=0,
        rank_high=0,
        tied_with_best=False,
        metrics={"mean": _metrics(mad, constant), **metrics},
        better_than_mean=Interval(gain, gain - 6, gain + 5),
        spread=Spread(0.12, 0.61),
        versus_mean=None if name == "mean" else _paired(mad - 8.23, abs(gain) > 12),
        versus_best=None,
        by_group={g: mad * f for g, f in zip(GROUPS, (0.6, 0.9, 1.1, 1.3, 1.5), strict=True)},
        points=_points(mad, leaky, constant, rng) if points else None,
        runs=_runs(name, leaky, mad),
    )


def _metrics(mad: float, constant: bool) -> dict[str, Interval]:
    values = {"mad": mad, "rmse": mad * 1.24, "mape": mad * 3.3, "spearman": 1 - mad / 15}
    made = {m: Interval(v, v * 0.91, v * 1.1) for m, v in values.items()}
    if constant:
        made["spearman"] = Interval(nan, nan, nan)
    return made


def _paired(difference: float, significant: bool) -> Comparison:
    return Comparison(
        difference=difference,
        low=difference - 0.6,
        high=difference + 0.6,
        wilcoxon_p=0.00004 if significant else 0.31,
        permutation_p=0.0005 if significant else 0.27,
        wilcoxon_holm=0.0008 if significant else 0.93,
        permutation_holm=0.01 if significant else 0.81,
    )


def _points(
    mad: float, leaky: bool, constant: bool, rng: np.random.Generator
) -> dict[str, list[tuple[str, float, float]]]:
    made = {}
    for id_, _ in EXERCISES:
        group = rng.choice(list(GROUPS), 760 if leaky else 76)
        true = np.clip([rng.normal(GROUPS[g], 4.0) for g in group], 0, 50)
        noise = rng.laplace(0, mad, len(true))
        predicted = np.full(len(true), true.mean()) if constant else np.clip(true + noise, 0, 50)
        made[id_] = [
            (str(g), float(t), float(p)) for g, t, p in zip(group, true, predicted, strict=True)
        ]
    return made


def _runs(name: str, leaky: bool, mad: float) -> list[RankedRun]:
    protocol = "d2sta-paper" if leaky else "person-kfold"
    return [
        RankedRun(
            path=f"kimore/{id_}/{protocol}/{name}/fold{fold}-seed{seed}-58dae4c4",
            exercise=id_,
            fold=fold,
            seed=seed,
            mad=mad,
            epochs=60,
            train_seconds=12.5,
            key_hash="58dae4c460f8347d1c78160b85be2d6c0408b8fe62b2917ae896e44d36049a43",
            versions={"python": "3.11.2", "torch": "2.13.0", "numpy": "2.4.1"},
        )
        for id_, _ in EXERCISES
        for fold in ([0] if leaky else range(5))
        for seed in range(3)
    ]

"""Folders of made-up runs that hang together: splits, hashes, metrics and predictions agree."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from registry import MODELS, PROTOCOLS, RegistryError
from registry.yaml_files import to_yaml
from zoo.build import to_plain
from zoo.catalogue import Card, blocks_of, card
from zoo.compose import compose
from zoo.data.dataset import create_adapter
from zoo.files import file_hash, to_json
from zoo.protocol.protocol import Protocol
from zoo.runs.key import RunKey
from zoo.runs.record import (
    SCHEMA,
    Epochs,
    PartCounts,
    RunDataset,
    RunModel,
    RunProtocol,
    RunRecord,
    Source,
    changed_settings,
)
from zoo.runs.scores import Scores, join, shortest
from zoo.training.config import TrainerConfig

VERSIONS = {"python": "3.11.7", "skeleton-zoo": "0.1.0", "torch": "2.13.0", "numpy": "2.4.6"}


class StoreMaker:
    """Writes run folders of one dataset and protocol.

    Args:
        root: folder of all runs.
        persons: how many people there are.
        exercises: ids of the exercises.
        folds: of person-kfold.
        dataset: a registered dataset; of one whose target is right or wrong the scores are 1 and 0.
        protocol: a registered protocol; a leaky one deals the pieces of each recording.
        fingerprint: of the dataset.
        pieces: samples a recording.
        overrides: settings of the protocol.
    """

    def __init__(
        self,
        root: Path,
        *,
        persons: int = 12,
        exercises: Sequence[str] = ("1", "5"),
        folds: int = 2,
        dataset: str = "kimore",
        protocol: str = "person-kfold",
        fingerprint: str = "f" * 64,
        pieces: int = 1,
        overrides: Sequence[str] = (),
    ) -> None:
        self.root = root
        self.persons = [f"P{i:03d}" for i in range(persons)]
        self.groups = ["CG" if i % 2 else "GPP" for i in range(persons)]
        self.exercises, self.dataset = list(exercises), dataset
        self.fingerprint, self.pieces = fingerprint, pieces
        by_person = protocol in ("person-kfold", "person-kfold-refit")
        folded = [f"protocol.split.folds={folds}"] if by_person else []
        self.known: dict[str, dict[str, Any]] = {}
        self.base = compose(
            model="mean", dataset=dataset, protocol=protocol, overrides=[*folded, *overrides]
        )
        self.binary = create_adapter(dataset).binary
        self.folds = persons if protocol == "leave-one-person-out" else folds if by_person else 1
        params = {k: v for k, v in self.base["protocol"].items() if k != "name"}
        self.protocol_hash = Protocol.from_config(protocol, **params).hash()

    def entry(self, model: str, seeds: Sequence[int] = (0,), **how: Any) -> list[Path]:
        """Every exercise and fold of a model for each seed; see `run`."""
        return [
            self.run(model, exercise, fold, seed, **how)
            for exercise in self.exercises
            for fold in range(self.folds)
            for seed in seeds
        ]

    def true(self, exercise: str) -> np.ndarray:
        """True scores of everybody (P,)."""
        rng = np.random.default_rng(int(hashlib.sha256(exercise.encode()).hexdigest()[:8], 16))
        scores = rng.uniform(15, 50, len(self.persons))
        return (scores > 30).astype(float) if self.binary else shortest(scores)

    def run(
        self,
        model: str,
        exercise: str,
        fold: int = 0,
        seed: int = 0,
        *,
        error: float = 3.0,
        constant: bool = False,
        params: dict[str, Any] | None = None,
        trainer: dict[str, Any] | None = None,
        owner: str = "skeleton-zoo 0.1.0",
        code: str = "c" * 64,
        closed_form: bool = False,
        folder: Path | None = None,
    ) -> Path:
        """One finished run.

        Args:
            model: any name.
            exercise: one of the ids.
            fold: fold that is tested.
            seed: changes the errors a little.
            error: size of the errors.
            constant: predict the training mean, as `mean` does.
            params: of the model, laid over its defaults where it is registered.
            trainer: laid over the defaults.
            owner: who provides the model.
            code: hash of its file.
            closed_form: it is not trained.
            folder: where, in place of where it belongs.
        """
        config = self._config(model, exercise, fold, seed, params or {}, trainer or {})
        true = self.true(exercise)
        size = len(self.persons)
        everybody = list(range(size))
        rest = [i for i in everybody if i % self.folds != fold]
        parts = {
            "train": rest[3:],
            "validation": rest[:3],
            "test": [i for i in everybody if i % self.folds == fold],
        }
        if self.folds == 1:
            parts = dict.fromkeys(parts, everybody)
        samples = {
            part: [[f"{self.persons[i]}/Es{exercise}", s] for i in who for s in self._dealt(part)]
            for part, who in parts.items()
        }
        refit = self.base["protocol"]["selection"] == "refit"
        learnt = ("train", "validation") if refit else ("train",)
        mean = float(np.mean([true[i] for p in learnt for i in parts[p] for _ in self._dealt(p)]))
        rng = np.random.default_rng([*f"{model} {exercise} {seed}".encode()])
        scores = true + error * rng.normal(size=size)
        tables = {
            part: self._table(part, parts[part], exercise, true, scores, mean, constant)
            for part in ("validation", "test")
        }
        text = json.dumps(
            {part: sorted(rows) for part, rows in samples.items()},
            sort_keys=True,
            separators=(",", ":"),
        )
        split = {
            "hash": hashlib.sha256(text.encode()).hexdigest(),
            **{
                part: {
                    "persons": sorted(self.persons[i] for i in who),
                    "recordings": sorted({r for r, _ in samples[part]}),
                    "samples": samples[part],
                }
                for part, who in parts.items()
            },
        }
        key = RunKey.of(
            config,
            fingerprint=self.fingerprint,
            layout="kinect-v2",
            protocol_hash=self.protocol_hash,
        )
        path = folder or key.path(self.root)
        record = self._record(key, config, split, tables, mean, owner, code, closed_form)
        path.mkdir(parents=True, exist_ok=True)
        seconds = [0.5] * record.epochs.trained
        files = {
            "config.yaml": to_yaml(config).encode(),
            "split.json": json.dumps(split).encode(),
            "predictions.csv": join(list(tables.values())).to_csv(),
            "history.csv": b"epoch,lr,loss,validation_mad,seconds\n"
            + b"".join(b"%d,,,,%f\n" % (i + 1, s) for i, s in enumerate(seconds)),
            "checkpoint.safetensors": b"tensors",
            "checkpoint.json": to_json(
                {
                    "key": key.to_dict(),
                    "split_hash": split["hash"],
                    "tensors": {"sha256": hashlib.sha256(b"tensors").hexdigest()},
                }
            ),
        }
        for name, content in files.items():
            (path / name).write_bytes(content)
        hashes = {name: file_hash(path / name) for name in sorted(files)}
        (path / "run.json").write_bytes(to_json(to_plain(replace(record, files=hashes))))
        return path

    def _dealt(self, part: str) -> range:
        """Which pieces of a recording stand in a part: under a leaky protocol, some in each."""
        if self.folds > 1:
            return range(self.pieces)
        last = self.pieces - 1
        return {
            "train": range(last - 1),
            "validation": range(last - 1, last),
            "test": range(last, last + 1),
        }[part]

    def _config(
        self,
        model: str,
        exercise: str,
        fold: int,
        seed: int,
        params: dict[str, Any],
        trainer: dict[str, Any],
    ) -> dict[str, Any]:
        if model not in self.known:
            self.known[model] = self._defaults(model)
        own = self.known[model]
        return {
            "model": {**own["model"], **params},
            "dataset": {**self.base["dataset"], "exercise": exercise},
            "protocol": self.base["protocol"],
            "trainer": {**own["trainer"], **trainer},
            "seed": seed,
            "fold": fold,
        }

    def _defaults(self, model: str) -> dict[str, Any]:
        try:
            return compose(
                model=model, dataset=self.dataset, protocol=self.base["protocol"]["name"]
            )
        except RegistryError:  # a plug-in's model that is registered nowhere
            return {**self.base, "model": {"name": model}}

    def _table(
        self,
        part: str,
        who: list[int],
        exercise: str,
        true: np.ndarray,
        scores: np.ndarray,
        mean: float,
        constant: bool,
    ) -> Scores:
        rows = [(i, s) for i in who for s in self._dealt(part)]
        return Scores(
            part=[part] * len(rows),
            person=[self.persons[i] for i, _ in rows],
            group=[self.groups[i] for i, _ in rows],
            recording=[f"{self.persons[i]}/Es{exercise}" for i, _ in rows],
            sample=[s for _, s in rows],
            true=np.array([true[i] for i, _ in rows]),
            predicted=shortest([mean if constant else scores[i] + 0.1 * s for i, s in rows]),
            binary=self.binary,
        )

    def _record(
        self,
        key: RunKey,
        config: dict[str, Any],
        split: dict[str, Any],
        tables: dict[str, Scores],
        mean: float,
        owner: str,
        code: str,
        closed_form: bool,
    ) -> RunRecord:
        how = config["protocol"]["aggregate"]
        params = {
            kind: {k: v for k, v in config[kind].items() if k != "name"}
            for kind in ("model", "dataset", "protocol")
        }
        name = config["model"]["name"]
        builtin = name in MODELS and owner.startswith("skeleton-zoo ")
        about = card(name) if builtin else Card(name)
        protocol = config["protocol"]
        described = blocks_of(PROTOCOLS.get(protocol["name"]))["card"]
        adapter = create_adapter(self.dataset)
        usual = self.known[name]
        trainer = {**to_plain(TrainerConfig()), **usual["trainer"]}
        return RunRecord(
            schema=SCHEMA,
            created=f"2026-01-01T00:00:{config['fold']:02d}+00:00",
            key_hash=key.hash,
            split_hash=split["hash"],
            seed=config["seed"],
            fold=config["fold"],
            model=RunModel(
                name=name,
                params=params["model"],
                title=about.title,
                summary=about.summary,
                tags=about.tags,
                paper=about.paper,
                doi=about.doi,
                streams=tuple(params["model"].get("streams", about.streams)),
                parameters=1000,
                flops=2000,
                latency_ms=1.5,
                closed_form=closed_form,
                draws=not closed_form,
                source=Source(owner, "toy:Toy", code),
            ),
            dataset=RunDataset(
                name=self.dataset,
                params=params["dataset"],
                fingerprint=self.fingerprint,
                layout="kinect-v2",
                title=adapter.title or self.dataset,
                score_range=adapter.score_range,
                exercises=dict(adapter.exercises),
                binary=self.binary,
            ),
            protocol=RunProtocol(
                name=protocol["name"],
                params=params["protocol"],
                hash=self.protocol_hash,
                folds=self.folds,
                title=described["title"],
                summary=described["summary"],
                leaky=protocol["leaky"],
                leak_reason=protocol["leak_reason"],
                warning=None,
                selection=protocol["selection"],
                aggregate=how,
            ),
            trainer=config["trainer"],
            changed=changed_settings(
                config, {**usual, "trainer": trainer}, closed_form=closed_form
            ),
            counts={
                part: PartCounts(
                    *(len(split[part][what]) for what in ("samples", "recordings", "persons"))
                )
                for part in ("train", "validation", "test")
            },
            epochs=Epochs(trained=0 if closed_form else 2, best=1, selected=1),
            metrics={part: table.metrics(how) for part, table in tables.items()},
            baseline={
                part: table.with_predicted(mean).metrics(how) for part, table in tables.items()
            },
            baseline_score=mean,
            durations={"train": 0.0 if closed_form else 1.0, "finish": 0.1},
            hardware={"cores": 2},
            versions=VERSIONS,
            sessions=(),
        )

"""Whether one run folder says what its predictions and settings say.

Every number is computed anew and every statement compared with the files that hold it twice, so
that a change by hand contradicts something even where its hash was renewed. What nothing in the
folder can show, predictions and checkpoint exchanged together, `zoo evaluate` does.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from registry import METRICS
from registry.yaml_files import read_yaml
from zoo.errors import ConfigError, ZooError
from zoo.files import json_hash, read_json
from zoo.protocol.protocol import Protocol
from zoo.protocol.split import PARTS, samples_hash
from zoo.runs.folder import CHECKPOINT, CONFIG, HISTORY, PREDICTIONS, SIDECAR, SPLIT
from zoo.runs.key import differences, require_composed, without_machine
from zoo.runs.run import Run, load_run
from zoo.runs.scores import UNKNOWN_PEOPLE, LevelMetrics

ROUNDING = 1e-9
"""Metrics that differ by no more, relative to their size or to 1, are equal."""

_SCORED = ("validation", "test")


def run_faults(folder: Path) -> list[str]:
    """What is wrong with the run in `folder`, in words; empty where nothing is."""
    try:
        run = load_run(folder)
    except ZooError as error:
        return [str(error)]
    found: list[str] = []
    for what, check in _CHECKS.items():
        try:
            found += check(run)
        except (ZooError, OSError) as error:
            found.append(f"its {what} cannot be checked: {error}")
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            found.append(f"its {what} cannot be checked: something is missing ({error!r})")
    return found


def _files(run: Run) -> Iterator[str]:
    for name in (CHECKPOINT, SIDECAR, CONFIG, HISTORY, PREDICTIONS, SPLIT):
        if name not in run.record.files:
            yield f"run.json keeps no hash of {name}"
    for name in run.altered_files():
        there = (run.path / name).exists()
        yield f"{name} is {'no longer what the run wrote' if there else 'missing'}"


def _metrics(run: Run) -> Iterator[str]:
    record = run.record
    how, mean = record.protocol.aggregate, record.baseline_score
    parts = {part: run.scores.of(part) for part in _SCORED}
    for what, stored in (("metrics", record.metrics), ("baseline", record.baseline)):
        for part, table in parts.items():
            if not len(table) and part not in stored:
                continue
            table = table if what == "metrics" else table.with_predicted(mean)
            yield from _unlike(f"{what}.{part}", stored.get(part, {}), table.metrics(how))
        for part in stored.keys() - parts.keys():
            yield f"{what}.{part}: of no part that has predictions"


def _unlike(where: str, stored: LevelMetrics, computed: LevelMetrics) -> Iterator[str]:
    for level, values in computed.items():
        for name, value in values.items():
            kept = stored.get(level, {}).get(name)
            if kept is None and not METRICS.get(name).source.built_in:
                continue  # the metric was added after the run was made
            same = kept is not None and (
                (math.isnan(kept) and math.isnan(value))
                or abs(kept - value) <= ROUNDING * max(1.0, abs(value))
            )
            if not same:
                said = "nothing" if kept is None else f"{kept:.6g}"
                place = f"{where}.{level}.{name}"
                yield f"{place} is stored as {said}; the predictions give {value:.6g}"


def _settings(run: Run) -> Iterator[str]:
    record, kept = run.record, _config(run)
    for line in differences(record.config, kept):
        yield f"run.json and {CONFIG} differ in {line.replace(' then', ' in run.json')}"
    for key in ("leaky", "leak_reason", "aggregate", "selection"):
        here, there = getattr(record.protocol, key), record.protocol.params.get(key)
        if key in record.protocol.params and here != there:
            yield f"protocol.{key} is {here!r} in run.json and {there!r} in its settings"
    computed = _protocol_hash(json.dumps(kept["protocol"], sort_keys=True))
    if computed != record.protocol.hash:
        yield (
            f"its protocol's hash is not the one of the settings in {CONFIG}: they were changed, "
            "or it was made by another version of the zoo"
        )


def _key(run: Run) -> Iterator[str]:
    record = run.record
    key = replace(record.key, config=without_machine(_config(run)))
    if key.hash != record.key_hash:
        yield "its key_hash is not the one of its settings and data"
    name = f"{key.stem}{key.hash[:8]}"
    if run.path.resolve().name != name:
        yield f"a run of these settings is kept in a folder called {name}"
    sidecar = read_json(run.path / SIDECAR)
    tensors = sidecar.get("tensors")
    if json_hash(sidecar.get("key")) != record.key_hash:
        yield f"{SIDECAR} is of another run: its key is not the one of run.json"
    if sidecar.get("split_hash") != record.split_hash:
        yield f"{SIDECAR} is of another split"
    if not isinstance(tensors, dict) or tensors.get("sha256") != record.files.get(CHECKPOINT):
        yield f"{SIDECAR} is not about the {CHECKPOINT} of run.json"


def _config(run: Run) -> dict[str, Any]:
    file = run.path / CONFIG
    return require_composed(read_yaml(file), f"{file}:", error=ConfigError)


def _split(run: Run) -> Iterator[str]:
    record, split = run.record, run.split
    samples = {part: [(str(r), int(s)) for r, s in split[part]["samples"]] for part in PARTS}
    computed = samples_hash(samples)
    for where, kept in ((SPLIT, split["hash"]), ("run.json", record.split_hash)):
        if kept != computed:
            yield f"the split's hash in {where} is not the one of its samples"
    for part in PARTS:
        recordings = sorted({recording for recording, _ in samples[part]})
        if split[part]["recordings"] != recordings:
            yield f"{SPLIT}: the {part} recordings are not those of its samples"
        counts = {key: len(split[part][key]) for key in ("samples", "recordings", "persons")}
        if vars(record.counts[part]) != counts:
            yield f"{part} has {counts} in {SPLIT} and {vars(record.counts[part])} in run.json"
    for part in _SCORED:
        table = run.scores.of(part)
        if sorted(zip(table.recording, table.sample, strict=True)) != sorted(samples[part]):
            yield f"{PREDICTIONS}: the {part} samples are not those of {SPLIT}"
        if (
            sorted({person for person in table.person if person not in UNKNOWN_PEOPLE})
            != split[part]["persons"]
        ):
            yield f"{PREDICTIONS}: the {part} people are not those of {SPLIT}"
    if len(run.scores) != sum(len(run.scores.of(part)) for part in _SCORED):
        yield f"{PREDICTIONS} has rows of no part that is scored"
    if not run.leaky:
        for other in _SCORED:
            for what in ("persons", "recordings"):
                both = sorted(set(split["train"][what]) & set(split[other][what]))
                if both:
                    yield (
                        f"{len(both)} {what} stand in train and {other} ({both[0]}), and the "
                        "protocol does not call itself leaky"
                    )


def _history(run: Run) -> Iterator[str]:
    record, rows = run.record, run.history
    if record.epochs.trained != len(rows):
        yield f"run.json has {record.epochs.trained} epochs and {HISTORY} {len(rows)}"
        return
    seconds = sum(row["seconds"] for row in rows)
    kept = record.durations["train"]
    if not math.isclose(kept, seconds, rel_tol=1e-6, abs_tol=1e-6):
        yield f"run.json has {kept:.6g} s of training, {HISTORY} {seconds:.6g}"
    selected = record.epochs.selected
    stored = record.metrics.get("validation")
    if not rows or not selected or stored is None:
        return
    then, now = rows[selected - 1]["validation_mad"], stored["recording"]["mad"]
    # Batches of another shape, or going on elsewhere, change the last digits of float32.
    if math.isfinite(then) and not math.isclose(then, now, rel_tol=1e-3, abs_tol=1e-3):
        yield (
            f"the validation MAD was {then:.6g} in the selected epoch of {HISTORY} and is "
            f"{now:.6g} in run.json"
        )


@lru_cache(maxsize=256)
def _protocol_hash(block: str) -> str:
    params: Mapping[str, Any] = json.loads(block)
    try:
        return Protocol.from_config(**params).hash()
    except TypeError as error:
        raise ConfigError(f"protocol: {error}") from None


_CHECKS: Mapping[str, Callable[[Run], Iterator[str]]] = {
    "files": _files,
    "metrics": _metrics,
    "settings": _settings,
    "key": _key,
    "split": _split,
    "history": _history,
}

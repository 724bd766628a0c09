"""Runs of an entry that failed in a sweep: ``NAME.failed.json`` beside where they would stand."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from zoo.errors import DataError
from zoo.files import read_json
from zoo.runs.record import settings_of
from zoo.runs.run import Run

_MOST = 1000


def failures(runs: Sequence[Run], seeds: Sequence[int]) -> Counter[str]:
    """How often which error ended a run of the same model, settings and seeds.

    Args:
        runs: the entry's finished ones.
        seeds: the entry's.
    """
    above = runs[0].path.absolute().parents
    if len(above) < 4:
        return Counter()
    model, protocol, _, data = above[:4]
    closed_form = runs[0].record.model.closed_form
    files = data.glob(f"*/{protocol.name}/{model.name}/fold*.failed.json")
    return Counter(
        error
        for config, error in _read(islice(files, _MOST))
        if config["seed"] in seeds
        and settings_of(
            config["model"], config["dataset"], None if closed_form else config.get("trainer", {})
        )
        == runs[0].settings
    )


def _read(files: Iterator[Path]) -> Iterator[tuple[dict[str, Any], str]]:
    for file in sorted(files):
        try:
            record = read_json(file)
            config = record["config"]
            _ = config["seed"], config["model"]["name"], config["dataset"]["name"]
        except (DataError, KeyError, TypeError):
            continue  # `zoo bench` says what is wrong with it
        yield config, str(record.get("error") or "")

"""What it costs to rank ten thousand runs and show them as a page."""

import importlib.util
from pathlib import Path

import pytest

ENTRIES = 134


@pytest.mark.slow
def test_ten_thousand_runs_become_a_page_in_seconds_and_little_memory(make_store, tmp_path):
    many_runs = benchmark()
    store = make_store(persons=75, exercises=tuple("12345"), folds=5)
    store.entry("gru", seeds=(0, 1, 2))
    assert many_runs.multiply(store.root, tmp_path / "few", 750) == 750
    fewer = many_runs.measure(tmp_path / "few", "html")[2]
    assert many_runs.multiply(store.root, tmp_path / "many", 75 * ENTRIES) == 75 * ENTRIES
    runs, ranked, seconds, megabytes, _ = many_runs.measure(tmp_path / "many", "html")
    print(f"{runs} runs ranked in {ranked:.1f} s, shown in {seconds:.1f} s, {megabytes:.0f} MB")
    assert runs == 75 * ENTRIES
    assert megabytes < 1000
    assert seconds < 2 * fewer * runs / 750  # of the processor; the aim is 10 s on a quiet core


def benchmark():
    """The module benchmarks/many_runs.py."""
    file = Path(__file__).parents[2] / "benchmarks" / "many_runs.py"
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

import io
import subprocess
import sys

import pytest
from rich.console import Console

from zoo.runs.record import PartCounts
from zoo.training.report import EpochRow, RichReporter, RunStart, duration

COUNTS = {"train": PartCounts(samples=9, recordings=3, persons=3)}


def tell(console, epochs, done=0, mad=5.0):
    reporter = RichReporter(console)
    reporter.on_start(RunStart("d2sta on [bold]x[/bold]/5", 1234567, COUNTS, "cpu", epochs, done))
    for epoch in range(done + 1, epochs + 1):
        value = None if mad is None else mad - epoch / epochs
        reporter.on_epoch(EpochRow(epoch, 0.1, 0.5, value, 0.1))
    reporter.on_end()


@pytest.mark.parametrize("epochs", [1, 7, 15, 16, 100, 1000])
def test_without_a_terminal_a_run_is_a_score_of_plain_lines(epochs):
    file = io.StringIO()
    tell(Console(file=file), epochs)
    lines = file.getvalue().splitlines()
    assert len(lines) <= 20
    assert lines[0] == "d2sta on [bold]x[/bold]/5: 1,234,567 parameters on cpu"
    assert lines[1] == "train 9 samples of 3 people"
    assert lines[-1] == f"epoch {epochs}/{epochs}: loss 0.5000, validation MAD 4.000 (best 4.000)"
    assert "\x1b" not in file.getvalue()
    if epochs > 1:
        assert lines[2].startswith(f"epoch 1/{epochs}: loss 0.5000, validation MAD")
        assert lines[2].endswith(" left")


def test_on_a_terminal_there_is_a_bar_with_epoch_loss_and_mad():
    file = io.StringIO()
    tell(Console(file=file, force_terminal=True, width=120), 10)
    text = file.getvalue()
    assert "10/10" in text
    assert "loss 0.5000, validation MAD 4.000 (best 4.000)" in text
    assert "left" in text


def test_a_resumed_run_says_so_and_a_closed_form_one_has_no_loss():
    file = io.StringIO()
    tell(Console(file=file), 8, done=6, mad=None)
    assert "going on after epoch 6 of 8" in file.getvalue()
    file = io.StringIO()
    reporter = RichReporter(Console(file=file))
    reporter.on_start(RunStart("mean", 0, {}, "cpu", 1))
    reporter.on_epoch(EpochRow(1, 0.0, None, 3.0, 0.1))
    assert "epoch 1/1: validation MAD 3.000 (best 3.000)" in file.getvalue()


def test_durations_in_words():
    assert [duration(s) for s in (7.6, 185, 7800)] == ["8 s", "3 min 05 s", "2 h 10 min"]


def test_the_trainer_imports_no_rich():
    code = (
        "import sys, zoo.training.report, zoo.training.stop, zoo.training.config, zoo.runs.run;"
        "assert 'torch' not in sys.modules, 'torch';"
        "import zoo.training.trainer; import zoo.training.checkpoint;"
        "assert 'rich' not in sys.modules, 'rich'"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

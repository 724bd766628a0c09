"""What a user sees while a sweep works, on a terminal and elsewhere."""

import io
from collections import Counter

import pytest
from rich.console import Console

from zoo.cli.display import LiveDisplay, PlainDisplay
from zoo.experiments import events
from zoo.experiments.events import Event
from zoo.experiments.progress import Progress


class Clock:
    """Stands for the module `time`."""

    now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def shown():
    return io.StringIO()


def test_plain_lines_are_few(desk, shown):
    plan = desk.plan("toy-mean", "toy-failing", seeds=tuple(range(100)))
    executor = desk.inline(
        lambda job: Event(events.FAILED, message="[red]no") if job.model == "toy-failing"
        and job.config["seed"] < 3 else Event(events.FINISHED, mad=1.0, seconds=60.0)
    )  # fmt: skip
    desk.sweep(plan, executor, display=PlainDisplay(Console(file=shown, width=200)))
    lines = shown.getvalue().splitlines()
    kinds = Counter("failed" if line.startswith("failed: ") else "progress" for line in lines)
    assert kinds["failed"] == 6
    assert 15 <= kinds["progress"] <= 25
    assert lines[0].startswith("0/400 done, 400 waiting")
    assert "toy-failing on kimore/5, person-kfold fold 0, seed 2: [red]no" in shown.getvalue()
    assert lines[-1].startswith("400/400 done (6 failed); ")


def test_the_table_shows_what_is_at_work(desk, shown, monkeypatch):
    monkeypatch.setattr("zoo.cli.display._SECONDS_BETWEEN_PICTURES", 0)
    plan = desk.plan("toy-line", folds=(0,))
    display = LiveDisplay(Console(file=shown, width=120, force_terminal=True, color_system=None))
    executor = desk.inline()
    poll = executor.poll

    def poll_in_two(seconds):
        (job,) = executor.submitted
        if not said:
            said.append(True)
            return [(job, Event(events.EPOCH, epoch=3, epochs=9, mad=4.567))]
        return poll(seconds)

    said = []
    executor.poll = poll_in_two
    desk.sweep(plan, executor, display=display)
    picture = shown.getvalue()
    assert "0/1 done, 1 at work" in picture
    assert "toy-line" in picture
    assert "3/9" in picture
    assert "4.57" in picture


def test_time_left_learns_from_what_was_taken(desk):
    jobs = desk.plan("toy-mean", seeds=(0, 1)).jobs
    progress = Progress(total=4, workers=2)
    for job in jobs:
        progress.expect(job, 10.0)
    assert progress.seconds_left() == pytest.approx(20)
    progress.settle(jobs[0], 20.0)
    assert progress.seconds_left() == pytest.approx(30)
    progress.settle(jobs[1])  # failed: it tells nothing
    assert progress.seconds_left() == pytest.approx(20)
    progress.begin(jobs[2])
    progress.current[str(jobs[2].path)].since -= 5
    assert progress.seconds_left() == pytest.approx(15, rel=0.01)
    progress.settle(jobs[2], 10.0)
    progress.settle(jobs[3], 10.0)
    assert progress.seconds_left() == 0


def test_time_left_learns_from_epochs(desk, monkeypatch):
    clock = Clock()
    monkeypatch.setattr("zoo.experiments.progress.time", clock)
    working, waiting, *_ = desk.plan("toy-mean", seeds=(0, 1)).jobs
    progress = Progress(total=2, workers=1)
    for job in (working, waiting):
        progress.expect(job, 1000.0)
    progress.begin(working)
    progress.current[str(working.path)].since = clock.now
    clock.now += 10
    progress.update(
        working, Event(events.STARTED, epoch=20, epochs=100)
    )  # resumed: 20 are from before
    assert progress.seconds_left() == pytest.approx(1990)
    clock.now += 5
    progress.update(working, Event(events.EPOCH, epoch=30, epochs=100, mad=4.0))
    # half a second an epoch: 50 instead of the 1000 expected, and so for the other one
    assert progress.seconds_left() == pytest.approx(35 + 50)
    clock.now += 15
    assert progress.seconds_left() == pytest.approx(20 + 50)
    clock.now += 100
    assert progress.seconds_left() == pytest.approx(50)


def test_a_long_silence_is_broken(desk, shown, monkeypatch):
    clock = Clock()
    for module in ("experiments.progress", "cli.display"):
        monkeypatch.setattr(f"zoo.{module}.time", clock)
    (job, *_) = desk.plan("toy-line").jobs
    progress = Progress(total=1, workers=1)
    progress.expect(job, 50.0)
    display = PlainDisplay(Console(file=shown, width=200))
    progress.begin(job)
    clock.now += 601
    display.on_tick(progress)
    progress.update(job, Event(events.EPOCH, epoch=3, epochs=9, mad=4.567))
    for _ in range(3):
        clock.now += 300
        display.on_tick(progress)
    ready, working = shown.getvalue().splitlines()
    assert ready.endswith("; toy-line on kimore/5, person-kfold fold 0, seed 0: getting ready")
    assert working.endswith("seed 0: epoch 3 of 9, validation MAD 4.57")

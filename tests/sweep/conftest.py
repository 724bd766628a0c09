"""A small prepared KIMORE, the toy models, and an executor that computes in this process."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from registry import MODELS, add_plugin
from zoo.sweep.display import Display
from zoo.sweep.job import Job
from zoo.sweep.news import News
from zoo.sweep.plan import Plan, make_plan
from zoo.sweep.request import Entrant, Request
from zoo.sweep.sweep import Sweep, SweepResult
from zoo.sweep.work import compute
from zoo.workspace import Workspace

TOYS = Path(__file__).with_name("toy_models.py")
QUICK = (
    "trainer.epochs=2",
    "trainer.checkpoint_every=1",
    "protocol.frames=16",
    "protocol.split.folds=2",
)


@pytest.fixture(autouse=True)
def same_bits(one_thread: None) -> None:
    """Bits are compared."""


@pytest.fixture
def toys(tmp_path: Path) -> Iterator[Path]:
    """The toy models as a plug-in file of the test's own, registered during the test."""
    file = tmp_path / "toys.py"
    file.write_bytes(TOYS.read_bytes())
    names = add_plugin(file)
    yield file
    for name in names:
        MODELS.forget(name)


@pytest.fixture
def change(toys: Path) -> Callable[[str], None]:
    """Puts a line at the end of the toys' file, and lets this process import it anew."""

    def append(line: str) -> None:
        toys.write_text(f"{toys.read_text()}\n{line}\n")
        for name in [n for n in sys.modules if n.startswith("zoo_plugin_toys")]:
            del sys.modules[name]

    return append


@dataclass
class Inline:
    """Computes a job when it is asked for news; `script` can put other news in its place."""

    workspace: Workspace
    script: Callable[[Job], News | None] = lambda job: None
    submitted: list[Job] = field(default_factory=list)
    waiting: list[Job] = field(default_factory=list)
    stopped: bool = False

    @property
    def free(self) -> int:
        return 1 - len(self.waiting)

    def submit(self, job: Job) -> None:
        self.submitted.append(job)
        self.waiting.append(job)

    def poll(self, seconds: float) -> list[tuple[Job, News]]:
        heard: list[tuple[Job, News]] = []
        while self.waiting:
            job = self.waiting.pop()
            told = self.script(job)
            if told is None:
                told = compute(
                    self.workspace, job.config, lambda n, job=job: heard.append((job, n))
                )
            heard.append((job, told))
        return heard

    def stop(self) -> None:
        self.stopped = True

    def close(self) -> None:
        self.stopped = True


@dataclass
class Desk:
    """Where sweeps are made.

    Attributes:
        data_root: a prepared KIMORE of 15 people, exercise 5.
        runs: folder of runs.
    """

    data_root: Path
    runs: Path

    def plan(self, *models: str | Entrant, **request: Any) -> Plan:
        entrants = tuple(Entrant(m) if isinstance(m, str) else m for m in models)
        settings = (*QUICK, *request.pop("settings", ()))
        wanted = {"dataset": "kimore", "exercises": ("5",), "seeds": (0,), **request}
        return make_plan(Request(entrants, settings=settings, **wanted), self.runs, self.data_root)

    def inline(self, script: Callable[[Job], News | None] = lambda job: None) -> Inline:
        return Inline(Workspace(self.runs, self.data_root), script)

    def sweep(
        self,
        plan: Plan,
        executor: Any = None,
        retry_failed: bool = False,
        display: Display | None = None,
    ) -> SweepResult:
        """Run a plan in this process, or on `executor`."""
        sweep = Sweep(
            jobs=plan.jobs,
            costs={},
            executor=executor or self.inline(),
            display=display or Display(),
            runs=self.runs,
            workers=1,
            retry_failed=retry_failed,
        )
        return sweep.run()


@pytest.fixture
def quick_settings() -> tuple[str, ...]:
    """The settings of every run of a desk's plan."""
    return QUICK


@pytest.fixture
def desk(trained: Any, tmp_path: Path, toys: Path) -> Desk:
    """A folder of runs of its own on common data."""
    return Desk(trained.data_root, tmp_path / "runs")

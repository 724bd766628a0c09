"""A small prepared KIMORE, the toy models, experiments of a test's own, an executor in-process."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from registry import MODELS, add_plugin, catalogues
from zoo.experiments.definition import Experiment
from zoo.experiments.events import Event
from zoo.experiments.job import Job
from zoo.experiments.plan import Plan, make_plan
from zoo.experiments.progress import Display, Progress
from zoo.experiments.schema import Row, UnderProtocol
from zoo.experiments.sweep import Sweep
from zoo.experiments.work import compute
from zoo.workspace import Workspace

TOYS = Path(__file__).with_name("toy_models.py")
QUICK = (
    "trainer.epochs=2",
    "trainer.checkpoint_every=1",
    "protocol.frames=16",
    "protocol.split.folds=2",
)
MINE = {
    "card": {"title": "Mine", "paper": "Table 9"},
    "dataset": "kimore",
    "exercises": ["5"],
    "protocols": ["person-kfold"],
    "seeds": [0],
    "set": {"protocol.frames": 16, "protocol.split.folds": 2},
    "rows": [
        {"label": "the mean", "model": "mean"},
        {"label": "the groups", "model": "group-mean"},
        "median",
    ],
    "report": {"reference": "the mean", "figures": ["errors", "scatter", "loss"]},
}


@pytest.fixture(autouse=True)
def same_bits(one_thread: None) -> None:
    """Bits are compared."""


@pytest.fixture
def write_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Writes ``configs/experiment/mine.yaml``, `MINE` with some blocks replaced: its name."""
    monkeypatch.setattr(catalogues, "_user_dirs", [tmp_path / "configs"])
    folder = tmp_path / "configs" / "experiment"
    folder.mkdir(parents=True)

    def write(text: str | None = None, **blocks: Any) -> str:
        values = {k: v for k, v in {**MINE, **blocks}.items() if v is not None}
        (folder / "mine.yaml").write_text(text or yaml.safe_dump(values))
        return "mine"

    return write


@pytest.fixture
def published_settings() -> dict[str, Any]:
    """The trainer's settings of D2STA's paper."""
    under = Experiment.load("d2sta-kimore").protocols[0]
    return {key.removeprefix("trainer."): value for key, value in under.settings.items()}


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
        add_plugin(toys)

    return append


@dataclass
class Inline:
    """Computes a job when it is asked for events; `script` can put another one in their place."""

    workspace: Workspace
    script: Callable[[Job], Event | None] = lambda job: None
    submitted: list[Job] = field(default_factory=list)
    waiting: list[Job] = field(default_factory=list)
    stopped: bool = False

    @property
    def free(self) -> int:
        return 1 - len(self.waiting)

    def submit(self, job: Job) -> None:
        self.submitted.append(job)
        self.waiting.append(job)

    def poll(self, seconds: float) -> list[tuple[Job, Event]]:
        found: list[tuple[Job, Event]] = []
        while self.waiting:
            job = self.waiting.pop()
            event = self.script(job)
            if event is None:
                event = compute(
                    self.workspace, job.config, lambda e, job=job: found.append((job, e))
                )
            found.append((job, event))
        return found

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

    def plan(
        self, *models: str | Row, settings: Any = (), protocols: Any = None, **request: Any
    ) -> Plan:
        wanted = {"dataset": "kimore", "exercises": ("5",), "seeds": (0,), **request}
        unders = [UnderProtocol(name) for name in protocols or ("person-kfold",)]
        experiment = Experiment(
            rows=tuple(Row(m) if isinstance(m, str) else m for m in models),
            protocols=tuple(unders),
            overrides=(*QUICK, *settings),
            **wanted,
        )
        return make_plan(experiment, self.runs, self.data_root)

    def inline(self, script: Callable[[Job], Event | None] = lambda job: None) -> Inline:
        return Inline(Workspace(self.runs, self.data_root), script)

    def sweep(
        self,
        plan: Plan,
        executor: Any = None,
        retry_failed: bool = False,
        display: Display | None = None,
    ) -> Progress:
        """Run a plan in this process, or on `executor`."""
        sweep = Sweep(
            jobs=plan.jobs,
            costs={},
            executor=executor or self.inline(),
            display=display or Display(),
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

"""What a dataset's reader is, and the report of what it found wrong."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from zoo.data.recording import Recording
from zoo.errors import DataError

Progress = Callable[[int, int, str], None]
"""Called as ``progress(done, total, what)``; `done` counts recordings, finished or skipped."""


@dataclass(frozen=True)
class Problem:
    """One fault in a source file.

    Attributes:
        kind: short slug that groups equal faults, such as ``row-width``.
        file: path relative to the source folder, with forward slashes.
        line: line in that file, counted from 1, or None where a line means nothing.
        found: what stands there.
        expected: what should.
        recording: id of the recording that suffers from it, or None.
        skipped: True when the recording was left out because of it.
    """

    kind: str
    file: str
    line: int | None
    found: str
    expected: str
    recording: str | None = None
    skipped: bool = False

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{place}: found {self.found}, expected {self.expected}"


class FaultError(DataError):
    """A source file, or what stands in it, that cannot be used.

    Attributes:
        problem: what is wrong; its file is empty where the reader does not know how to call it.
        setting: of a reader, with which the file may be read right, and what it seems to be in
            what was read: ``("units", "mm")``, ``("up", "-y")``. None where no setting mends it.
    """

    def __init__(
        self,
        kind: str,
        line: int | None,
        found: str,
        expected: str,
        file: str = "",
        setting: tuple[str, str] | None = None,
    ) -> None:
        self.problem = Problem(kind, file, line, found, expected)
        self.setting = setting
        super().__init__(str(self.problem))

    def advised(self, advice: str) -> "FaultError":
        """The same with something more that can be done; unchanged where that is empty."""
        if advice:
            self.problem = replace(self.problem, expected=f"{self.problem.expected}; or {advice}")
            self.args = (str(self.problem),)
        return self


@contextmanager
def faults_in(file: str) -> Iterator[None]:
    """Names the file in the `FaultError`s raised inside."""
    try:
        yield
    except FaultError as error:
        error.problem = replace(error.problem, file=file)
        error.args = (str(error.problem),)
        raise error from None


@dataclass
class PrepareReport:
    """Collects what was wrong while a dataset is prepared.

    Attributes:
        strict: raise at the first problem instead of collecting it.
        problems: everything that was wrong, in the order in which it was found.
        notes: oddities that were understood and cost nothing, such as known wide rows.
    """

    strict: bool = False
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def skip(self, recording: str, problem: Problem) -> None:
        """Records that `recording` is left out because of `problem`; raises as `fault` does."""
        self.fault(recording, problem, skipped=True)

    def fault(self, recording: str, problem: Problem, *, skipped: bool = False) -> None:
        """Records a `problem` of a recording that is kept, such as a missing score.

        Raises:
            DataError: in strict mode.
        """
        full = replace(problem, recording=recording, skipped=skipped)
        if self.strict:
            raise DataError(
                f"{recording}: {full} ({full.kind}; strict=True stops at the first fault)"
            )
        self.problems.append(full)

    def note(self, text: str) -> None:
        """Records an oddity that is no fault; never raises."""
        self.notes.append(text)

    @property
    def skipped(self) -> list[str]:
        """Ids of the recordings that were left out, each once, sorted."""
        return sorted({p.recording for p in self.problems if p.skipped and p.recording})


class Reader(ABC):
    """Reads one file, or a folder that stands for one, into `Recording`s in canonical units.

    Registered with ``@register_reader("name")``, also for a dataset whose files can be read without
    the rest of it around them: its adapter is then a reader too, of the same name.

    Attributes:
        title: what it reads, in a few words.
        layout: skeleton layout of what is read; empty where the file tells.
        suffixes: endings of its files in lower case, such as ``.csv``.
        beside: for a stream that stands in a file of its own, which file is looked for beside.
    """

    title: str = ""
    layout: str
    suffixes: tuple[str, ...] = ()
    beside: Mapping[str, str] = MappingProxyType({})

    def looks_like(self, path: Path) -> bool:
        """Whether `path`, which exists, seems to be such a file, by its name or by a look.

        It never raises, and what looks alike may still turn out to be damaged.
        """
        return path.is_file() and path.suffix.lower() in self.suffixes

    def mend(self, setting: str, seems: str, recording: Recording) -> str:
        """What a setting has to be where a recording was read in wrong units or axes.

        Args:
            setting: ``units`` or ``up``.
            seems: the unit, or the axis that points up, of the recording as it was read.
            recording: that was read with the settings that are.

        Returns:
            Empty where there is no such setting, or no value of it that would do.
        """
        return ""

    @abstractmethod
    def read_file(self, file: Path, report: PrepareReport) -> Iterator[Recording]:
        """Yields the recordings of a file; of most there is one.

        Of a dataset's file a recording has the id, person, exercise and scores that it has in the
        dataset as far as the file's place and name tell them; otherwise the file's stem,
        `UNKNOWN_SUBJECT`, an empty exercise and no scores.

        Args:
            file: the file, or a folder that stands for it.
            report: told of what was mended and of oddities.

        Raises:
            DataError: the file cannot be used: which line, what was found, what was expected.
        """


class Adapter(ABC):
    """Reads one published dataset into `Recording`s in canonical units.

    The registry entry of a dataset names a subclass; ``configs/dataset/NAME.yaml`` carries its
    constructor arguments (``params``), its card and the default exercise. A subclass sets the
    attributes below on the class or, where they depend on its arguments, on the instance.

    Attributes:
        name: name of the dataset and of its folder in the store.
        version: raised whenever the same source would give other numbers; part of the
            fingerprint.
        layout: skeleton layout of every recording.
        title: the dataset's full name.
        citation: how its authors ask to be cited.
        licence: its licence, in words.
        url: where it is published.
        fps: nominal frames per second.
        score_range: lowest and highest possible ``total`` score.
        binary: True where ``total`` is no score but right (1) or wrong (0). Models predict it by
            the same regression; AUC, balanced accuracy and F1 are reported beside the rest.
        exercises: exercise id → description.
        metric: whether positions are metres with y up; False where the source gives neither units
            nor axes, which are then not looked at.
        needs_source: False when `read` makes the recordings itself.
        healthy: clinical groups whose people move as healthy ones do; what others reach is shown
            beside theirs. Empty where nobody says.
        showable: whether the recordings may be shown to anybody: they are of no real person, or
            everybody has agreed.
        params: the constructor arguments, kept in the manifest; `zoo.data.dataset` sets it.
    """

    name: str
    version: int = 1
    layout: str
    title: str = ""
    citation: str = ""
    licence: str = ""
    url: str = ""
    fps: float
    score_range: tuple[float, float]
    binary: bool = False
    exercises: Mapping[str, str]
    metric: bool = True
    needs_source: bool = True
    healthy: tuple[str, ...] = ()
    showable: bool = False
    params: Mapping[str, Any] = MappingProxyType({})

    NO_PROGRESS: ClassVar[Progress] = staticmethod(lambda done, total, what: None)

    def advice(self, setting: str, seems: str, recording: Recording) -> str:
        """How somebody changes a setting that mends a recording; see `Reader.mend`.

        Empty where there is nothing to be set.
        """
        return ""

    def look(self, source: Path | None) -> None:  # noqa: B027
        """Called before `read` and before the attributes above are asked for.

        For an adapter whose layout, scores or exercises stand in the source.

        Raises:
            DataError: the folder does not hold this dataset.
        """

    @abstractmethod
    def read(
        self, source: Path | None, report: PrepareReport, progress: Progress
    ) -> Iterator[Recording]:
        """Yields the recordings of `source`, one at a time, ids unique, in any order.

        Args:
            source: folder of the published dataset; None when `needs_source` is False.
            report: told of every fault; a recording with a fault is skipped, the rest yielded.
            progress: called after every recording, yielded or skipped.

        Raises:
            DataError: the folder does not hold this dataset at all, or `report` is strict.
        """

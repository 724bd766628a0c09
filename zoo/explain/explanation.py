"""One recording explained: an attribution with the model's attention, as sentences and pictures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from registry.nearest import did_you_mean
from zoo.data.recording import Recording
from zoo.errors import ConfigError, DataError
from zoo.explain.attention import attention_in_stages
from zoo.explain.attribution import Array, Attribution
from zoo.explain.draw.groups import assignment_csv, assignment_figure, weights_figure
from zoo.explain.draw.scene import Scene, scene_of
from zoo.explain.draw.shades import Shades
from zoo.explain.draw.sheet import joints_over_time, key_frame_sheet
from zoo.explain.draw.video import can_write_mp4, write_video
from zoo.explain.methods import attribute
from zoo.explain.sample import Sample, samples_of
from zoo.explain.words import groups_sentence, reaction, sentences
from zoo.files import StorageError, path_part, replaced_folder, to_csv
from zoo.prediction import Predictor
from zoo.report.figure_style import FORMATS, figure_bytes, figure_style
from zoo.words import fixed, plain

if TYPE_CHECKING:
    from matplotlib.figure import Figure

VIDEOS = ("gif", "mp4", "none")

TEXT, VIDEO = "explanation.txt", "skeleton"
VALUES, GROUPS = "attribution.csv", "groups.csv"
FIGURES = ("key-frames", "joints-over-time", "groups", "attention")
"""What is written: the name of each file, or without ending of the video and the figures."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """What a model's score of one sample depends on.

    Attributes:
        sample: what was explained.
        attribution: of the chosen method.
        attention: the model's attention maps by name, where it has the two stages of D2STA; empty
            for other models.
        held_still: the model's score of a mean pose held still.
        segments: how many samples the protocol cuts from the recording.
        notes: what a reader of the score should know, such as that the model was trained on this
            person.
    """

    sample: Sample
    attribution: Attribution
    attention: Mapping[str, Array]
    held_still: float
    segments: int
    notes: tuple[str, ...]

    @property
    def sentences(self) -> list[str]:
        """What moved the score, how to take it, and what the groups say where there are any."""
        digits = self.sample.digits
        found = sentences(self.attribution, self.sample.model_name, digits)
        weak = reaction(self.attribution, self.held_still, digits)
        found[1:1] = [weak] if weak else []
        return found if self.assignment is None else [*found, groups_sentence(self.assignment)]

    @property
    def title(self) -> str:
        """Of every picture."""
        sample = self.sample
        points = fixed(self.attribution.score, sample.digits)
        return f"{plain(sample.recording.id)}: {points} points by {sample.model_name}"

    @property
    def subtitle(self) -> str:
        """The method, and which part of the recording where it was cut."""
        if self.segments == 1:
            return self.attribution.title
        start, stop = self.sample.frames
        return (
            f"{self.attribution.title}; segment {self.sample.number} of 0 to "
            f"{self.segments - 1}, frames {start} to {stop - 1}"
        )

    @cached_property
    def scene(self) -> Scene:
        """The moving skeleton."""
        return scene_of(self.sample)

    @property
    def assignment(self) -> Array | None:
        """The probability of each group (V, G) by joint; None where joints have no groups."""
        return self.attention.get("assignment")


def explain(
    predictor: Predictor,
    source: Path | str,
    method: str = "gradients",
    *,
    recording: str | None = None,
    segment: int = 0,
) -> Explanation:
    """Explain the score of one recording.

    Args:
        predictor: the model of a finished run.
        source: a file, a folder, or the id of a prepared recording.
        method: name of an attribution, see `zoo.explain.methods.attribute`.
        recording: which one of a file that holds several.
        segment: which of the samples that the run's protocol cuts from it, from 0.

    Raises:
        DataError: the source cannot be used, holds several recordings and none is named, or the
            model lacks what the method needs.
        ConfigError: no such recording or segment.
        RegistryError: no such method.
    """
    chosen = _chosen(predictor.recordings(source), str(source), recording)
    scored = predictor.score_recording(chosen, source=str(source))
    samples = samples_of(predictor, chosen)
    if not 0 <= segment < len(samples):
        raise ConfigError(
            f"there is no segment {segment}: the protocol {predictor.protocol.name} cuts "
            f"{len(samples)} from {chosen.id}, numbered from 0"
        )
    sample = samples[segment]
    return Explanation(
        sample=sample,
        attribution=attribute(sample, method),
        attention=attention_in_stages(sample),
        held_still=float(sample.scores(sample.baseline()[0])[0]),
        segments=len(samples),
        notes=(*predictor.warnings, *scored.notes),
    )


def write(
    explanation: Explanation,
    folder: Path,
    *,
    kind: str = "svg",
    video: str = "gif",
    overwrite: bool = False,
) -> list[Path]:
    """Write everything there is to see and read of an explanation; all of it or nothing.

    Args:
        explanation: from `explain`.
        folder: a new one; its parents are made.
        kind: format of the figures, one of `FORMATS`.
        video: one of `VIDEOS`; ``mp4`` becomes ``gif`` where there is no ffmpeg.
        overwrite: replace a folder that `write` made before.

    Returns:
        The files, in the order in which they are read.

    Raises:
        ConfigError: a format that does not exist, or the folder is there already.
        StorageError: it cannot be written.
    """
    require_writable(folder, kind=kind, video=video, overwrite=overwrite)
    try:
        with replaced_folder(folder) as staging:
            names = list(_write_files(explanation, staging, kind, video))
    except OSError as error:
        raise StorageError(f"cannot write {folder}: {error.strerror}") from error
    return [folder / name for name in names]


def default_folder(explanation: Explanation) -> Path:
    """``explanations/RECORDING-MODEL-METHOD``, with the segment where there are several."""
    sample = explanation.sample
    name = f"{sample.recording.id}-{sample.model_name}-{explanation.attribution.method}"
    number = f"-segment{sample.number}" if explanation.segments > 1 else ""
    return Path("explanations") / path_part(name.replace("/", "-") + number)


def require_writable(folder: Path | None, *, kind: str, video: str, overwrite: bool) -> None:
    """Refuse what `write` would refuse, before anything is computed: arguments and errors as there.

    A `folder` of None is not known yet.
    """
    for value, allowed in ((kind, FORMATS), (video, VIDEOS)):
        if value not in allowed:
            raise ConfigError(f"no format is called {value!r}. {did_you_mean(value, allowed)}")
    if folder is None or not (folder.exists() or folder.is_symlink()):
        return
    if not folder.is_dir() or folder.is_symlink():
        raise ConfigError(f"{folder} is no folder: name another with output=")
    names = {TEXT, VALUES, GROUPS, *(f"{VIDEO}.{kind}" for kind in VIDEOS)}
    names |= {f"{name}.{kind}" for name in FIGURES for kind in FORMATS}
    strange = sorted({file.name for file in folder.iterdir()} - names)
    if strange:
        raise ConfigError(
            f"{folder} holds {strange[0]}, which is no part of an explanation: name a new folder "
            "with output="
        )
    if not overwrite:
        raise ConfigError(
            f"{folder} exists already: name another with output=, or add overwrite=True to "
            "replace it"
        )


def _chosen(found: list[Recording], source: str, name: str | None) -> Recording:
    ids = [recording.id for recording in found]
    if name is None:
        if len(found) == 1:
            return found[0]
        few = ", ".join(ids[:5]) + (", …" if len(ids) > 5 else "")
        raise DataError(f"{source} holds {len(found)} recordings: name one with recording= ({few})")
    if name not in ids:
        raise ConfigError(f"{source} holds no recording {name!r}. {did_you_mean(name, ids)}")
    return found[ids.index(name)]


def _figures(explanation: Explanation, shades: Shades) -> "Iterator[tuple[str, Figure]]":
    """Each figure with its name."""
    scene, words = explanation.scene, (explanation.title, explanation.subtitle)
    assignment, attention = explanation.assignment, explanation.attention
    frames, time, groups, weights = FIGURES
    yield frames, key_frame_sheet(scene, shades, assignment, *words)
    yield time, joints_over_time(scene, shades, *words)
    if assignment is not None:
        what = "soft assignment of joints to groups"
        yield groups, assignment_figure(scene, assignment, words[0], what)
    if attention:
        yield weights, weights_figure(scene, attention, words[0], "attention, mean over heads")


def _write_files(explanation: Explanation, folder: Path, kind: str, video: str) -> Iterator[str]:
    """Write everything into `folder`, yielding the files' names."""
    shades = Shades.of(explanation.attribution, explanation.held_still)
    text = [f"{explanation.title} ({explanation.subtitle})", *explanation.sentences]
    yield _write_text(folder, TEXT, "\n\n".join([*text, *explanation.notes]) + "\n")
    with figure_style():
        if video != "none":
            name = f"{VIDEO}.{'mp4' if video == 'mp4' and can_write_mp4() else 'gif'}"
            words = explanation.title, explanation.subtitle
            write_video(folder / name, explanation.scene, shades, *words)
            yield name
        for stem, figure in _figures(explanation, shades):
            name = f"{stem}.{kind}"
            (folder / name).write_bytes(figure_bytes(figure, kind))
            yield name
    yield _write_text(folder, VALUES, _table(explanation))
    if explanation.assignment is not None:
        table = assignment_csv(explanation.scene.layout, explanation.assignment)
        yield _write_text(folder, GROUPS, table)


def _write_text(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return name


def _table(explanation: Explanation) -> str:
    """The attribution as a table: a row a frame with its time in seconds, a column a joint."""
    found = explanation.attribution
    rows = (
        (f"{time:.3f}", *(f"{value:.6g}" for value in row))
        for time, row in zip(explanation.scene.times, found.joint_time, strict=True)
    )
    return to_csv(("seconds", *found.joints), rows)

"""What a trained D2STA looks at, as figures of a report: its groups, and its attention."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from zoo.errors import DataError
from zoo.evaluation.statistics.tables import Array
from zoo.experiments.definition import Experiment
from zoo.experiments.figures import new_figure, panels_of
from zoo.experiments.results import ProtocolResult
from zoo.explain.attention import attention_in_stages, attention_maps
from zoo.explain.draw.canvas import mark_parts
from zoo.explain.draw.groups import assignment_figure, rows_by_part, weights_figure
from zoo.explain.draw.scene import Scene, diagram, scene_of
from zoo.explain.sample import samples_of
from zoo.prediction import Predictor
from zoo.report.figure_style import INK
from zoo.runs.run import Run
from zoo.skeleton import Layout, load_layout
from zoo.training.evaluate import load_trained
from zoo.training.seeding import reproducible, seed_all
from zoo.workspace import Workspace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from zoo.experiments.figures import Figures

_AT_ONCE = 32
"""Sequences of which all attention weights are held at a time."""


@dataclass(frozen=True, eq=False)
class Groups:
    """How a run's model groups joints, over the samples it was tested on.

    Attributes:
        layout: the skeleton.
        samples: how many there are.
        assignment: mean probability of each group, by joint (V, G).
        between: mean attention between the groups (G, G), [query, key].
        looked_at: mean share of the attention between groups that each joint gets (V,), over
            samples, heads and frames; all joints together have one.
    """

    layout: Layout
    samples: int
    assignment: Array
    between: Array
    looked_at: Array


def groups_of(run: Path, workspace: Workspace, *, learnt: bool = True) -> Groups:
    """Groups and attention of a finished run's model on its own test part.

    A group's attention is what all groups give it on average over the queries. It is shared out to
    the group's joints in proportion to their probabilities of the group, as the projection does.

    Args:
        run: folder of the run.
        workspace: opens the datasets; what it has opened for one run it has for the next.
        learnt: with the weights it learnt; else with those that its seed drew at the start.

    Raises:
        DataError: the model puts no joints in groups.
    """
    trained = load_trained(run)
    record = trained.run.record
    session = workspace.open(record.config)
    data = session.fold(record.fold)
    model = trained.model
    if not learnt:
        with reproducible():
            seed_all(record.seed)
            model = session.build().to(trained.device).eval()
    index = data.split.index("test")
    assignments, betweens, looked = [], [], []
    for some in index.split(_AT_ONCE):
        batch = trained.stream_scaler.transform(data.samples.batch(some)).to(trained.device)
        maps = attention_maps(model, batch)
        if "assignment" not in maps:
            raise DataError(f"{record.model.name} puts no joints in groups ({run})")
        assignment = maps["assignment"].double()  # (N, V, G)
        between = maps["between_groups"].double().mean(dim=(1, 2))  # (N, G, G)
        given = between.mean(dim=1)  # (N, G), over queries
        assignments.append(assignment)
        betweens.append(between)
        looked.append((assignment / assignment.sum(1, keepdim=True)) @ given[:, :, None])
    return Groups(
        load_layout(trained.layout),
        len(index),
        torch.cat(assignments).mean(0).cpu().numpy(),
        torch.cat(betweens).mean(0).cpu().numpy(),
        torch.cat(looked)[..., 0].mean(0).cpu().numpy(),
    )


def assignment(
    experiment: Experiment, result: ProtocolResult, data_root: Path | None = None
) -> "Figures":
    """Table 1: the probability of each group by joint, a figure an exercise."""
    workspace = Workspace(".", data_root)
    for exercise, run in _first_runs(experiment, result).items():
        found = groups_of(run.path, workspace)
        scene = Scene(diagram(found.layout)[None], np.zeros(1), found.layout, measured=False)
        over = f"mean over {found.samples} test samples"
        figure = assignment_figure(
            scene,
            found.assignment,
            "Joints and their groups",
            f"{_where(result, exercise, run)}: {over}",
        )
        figure.axes[0].set_xlabel("")  # it says why there is no pose: here because of the mean
        yield (
            f"assignment-{exercise}",
            f"Probability of the groups of each joint, exercise {exercise}: {over}",
            figure,
        )


def attention_time(
    experiment: Experiment, result: ProtocolResult, data_root: Path | None = None
) -> "Figures":
    """Figure 2: both stages' attention at different times of one test sample, by exercise."""
    for exercise, run in _first_runs(experiment, result).items():
        recording, segment = run.test_scores.recording[0], int(run.test_scores.sample[0])
        predictor = Predictor.open(run.path, data_root=data_root)
        sample = samples_of(predictor, recording)[segment]
        weights = attention_in_stages(sample)
        if not weights:
            raise DataError(
                f"{run.record.model.name} has no attention in two stages to draw ({run.path})"
            )
        yield (
            f"attention-time-{exercise}",
            f"Attention over time in one test sample, exercise {exercise}, mean over heads",
            weights_figure(
                scene_of(sample), weights, "Attention over time",
                f"{_where(result, exercise, run)}: one test sample",
            ),
        )  # fmt: skip


def attention_exercises(
    experiment: Experiment, result: ProtocolResult, data_root: Path | None = None
) -> "Figures":
    """Figure 3: attention between groups, and what joints get of it, for the different exercises.

    Groups of one exercise's model are not those of another's; joints can be compared.
    """
    runs = _first_runs(experiment, result)
    workspace = Workspace(".", data_root)
    found = {exercise: groups_of(run.path, workspace) for exercise, run in runs.items()}
    if not found:
        return
    over = "mean over test samples, heads and frames"
    figure, panels = panels_of(result, list(found), "exercise")
    top = max(max(own.between.max(), 2 / len(own.between)) for own in found.values())
    for axes, own in zip(panels, found.values(), strict=True):
        image = axes.imshow(own.between, cmap="viridis", vmin=0, vmax=top)
        ticks = np.arange(len(own.between))
        axes.set_xticks(ticks, ticks + 1)
        axes.set_yticks(ticks, ticks + 1)
        axes.tick_params(length=0, labelsize=8)
        axes.set_xlabel("group looked at")
    panels[0].set_ylabel("group that looks")
    figure.colorbar(image, ax=panels, label="weight", aspect=12)
    caption = f"Attention between groups, for the different exercises: {over}"
    yield "attention-exercises", caption, figure
    yield (
        "attention-joints",
        "Attention between groups that each joint gets as a part of its groups, for the different "
        f"exercises: {over}; an even share is 1",
        _joints_figure(result, found),
    )


def _joints_figure(result: ProtocolResult, found: Mapping[str, Groups]) -> "Figure":
    """Joints by exercises, each cell the joint's share of the attention, even shares as 1."""
    layout = next(iter(found.values())).layout
    order, parts = rows_by_part(layout)
    shares = np.array([own.looked_at for own in found.values()]).T[order] * layout.num_joints
    size = (max(4.8, 2.8 + 0.62 * len(found)), 1.1 + 0.18 * layout.num_joints)
    figure = new_figure(size, result)
    axes = figure.subplots()
    top = max(2.0, shares.max())
    image = axes.pcolormesh(shares, cmap="viridis", vmin=0, vmax=top)
    for (row, column), share in np.ndenumerate(shares):
        axes.text(
            column + 0.5, row + 0.5, f"{share:.2f}", ha="center", va="center_baseline", size=7,
            color=INK if share > 0.6 * top else "white",
        )  # fmt: skip
    axes.set(xlim=(0, len(found)), ylim=(layout.num_joints, 0), xlabel="exercise")
    axes.set_yticks(np.arange(len(order)) + 0.5, [layout.joints[joint] for joint in order])
    axes.set_xticks(np.arange(len(found)) + 0.5, list(found))
    axes.tick_params(length=0, labelsize=8, labelcolor=INK)
    axes.spines[:].set_visible(False)
    mark_parts(axes, parts, 92)
    figure.colorbar(image, ax=axes, label="attention a joint gets, × even share")
    return figure


def reference_runs(experiment: Experiment, result: ProtocolResult) -> list[Run]:
    """The reference row's runs, else the first row's; none where the reference is not there."""
    reference = experiment.report.reference
    rows = [row for row in result.rows if row.label == reference] if reference else result.rows[:1]
    return [run for row in rows for run in row.runs]


def _first_runs(experiment: Experiment, result: ProtocolResult) -> dict[str, Run]:
    """Of `reference_runs` that of the lowest seed and fold, by exercise."""
    runs: dict[str, Run] = {}
    for run in reference_runs(experiment, result):
        best = runs.get(run.exercise, run)
        runs[run.exercise] = min(best, run, key=lambda own: (own.seed, own.fold))
    return runs


def _where(result: ProtocolResult, exercise: str, run: Run) -> str:
    leaks = " (leaky)" if result.leaky else ""
    return (
        f"{run.record.model.name}, {result.title}, exercise {exercise}, {result.protocol}{leaks} "
        f"fold {run.fold}, seed {run.seed}"
    )

"""The pictures of an explanation: what is in them, and that the same data give the same bytes."""

import csv
import io
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from zoo.errors import DataError
from zoo.explain.attribution import Attribution
from zoo.explain.draw import video
from zoo.explain.draw.groups import (
    assignment_csv,
    assignment_figure,
    group_colours,
    group_names,
    rows_by_part,
    weights_figure,
)
from zoo.explain.draw.scene import Scene, diagram, scene_of
from zoo.explain.draw.shades import FULL_STRENGTH, Shades
from zoo.explain.draw.sheet import joints_over_time, key_frame_sheet, key_frames
from zoo.explain.draw.skeleton import SkeletonPlot
from zoo.explain.draw.video import can_write_mp4, write_video
from zoo.report.figure_style import figure_bytes, figure_style
from zoo.skeleton import Layout, load_layout

LAYOUTS = (
    "kinect-v2", "coco", "mediapipe", "uiprmd-kinect", "uiprmd-vicon", "uiprmd-vicon-angles",
)  # fmt: skip
FRAMES = 12


def made_scene(layout: Layout, frames: int = FRAMES) -> Scene:
    """The layout's diagram, waving."""
    swing = np.sin(np.linspace(0, 6, frames))[:, None, None] * [0.2, 0.1]
    return Scene(diagram(layout) * (1 + swing), np.arange(frames) / 5, layout)


def made_attribution(layout: Layout, frames: int = FRAMES, unit: str = "points") -> Attribution:
    values = np.random.default_rng(0).normal(size=(frames, layout.num_joints))
    if unit != "points":
        values = np.abs(values)
    return Attribution(
        "stand-in", values, layout.joints, 5.0, 30.0, 25.0, unit=unit, parts=layout.parts
    )


def made_assignment(layout: Layout, groups: int) -> np.ndarray:
    return np.random.default_rng(1).dirichlet(np.ones(groups) * 0.3, size=layout.num_joints)


@pytest.mark.parametrize("name", ["kinect-v2", "coco", "uiprmd-vicon-angles"])
def test_a_sheet(name) -> None:
    layout = load_layout(name)
    scene, shades = made_scene(layout), Shades.of(made_attribution(layout))
    with figure_style():
        figure = key_frame_sheet(scene, shades, made_assignment(layout, 4), "title $x_1$", "below")
        text = figure_bytes(figure, "svg").decode()
    for words in ("title $x_1$", "below", "points per second", "group 4", "person", "y, m (up)"):
        assert words in text
    drawn = [axes for axes in figure.axes if axes.collections and axes.get_aspect() == 1.0]
    assert len(drawn) == 12
    assert all(len(axes.collections[0].get_segments()) == layout.num_joints - 1 for axes in drawn)


@pytest.mark.parametrize("kind", ["svg", "pdf"])
def test_the_same_data_give_the_same_bytes(kind) -> None:
    layout = load_layout("kinect-v2")

    def draw() -> bytes:
        scene, shades = made_scene(layout), Shades.of(made_attribution(layout, unit="share"))
        with figure_style():
            return figure_bytes(joints_over_time(scene, shades, "title"), kind)

    assert draw() == draw()


def test_a_joint_is_drawn_where_it_is_and_as_it_counts() -> None:
    layout = load_layout("kinect-v2")
    attribution = made_attribution(layout)
    attribution.joint_time[3] = 0
    attribution.joint_time[3, 7] = 50.0
    scene, shades = made_scene(layout), Shades.of(attribution)
    with figure_style():
        figure = joints_over_time(scene, shades, "")
        plot = SkeletonPlot(figure.axes[0], scene, shades)
        plot.show(3)
    joints = plot.artists[1]
    sizes, values = joints.get_sizes(), joints.get_array()
    assert values[-1] == 250.0  # points per second, drawn last, over the others
    assert np.allclose(joints.get_offsets()[-1], scene.places[3, 7])
    assert sizes[-1] == max(sizes)
    assert np.allclose(sizes[:-1], min(sizes))
    blue = joints.to_rgba(values)[-1]
    assert blue[2] > 0.6 > blue[0]


def test_even_attention_looks_even() -> None:
    layout = load_layout("kinect-v2")
    even = Attribution("a", np.full((4, 25), 0.01), layout.joints, 5.0, 1.0, np.nan, unit="share")
    shades = Shades.of(even)
    assert np.allclose(shades.values, 1.0)
    assert shades.limit == 2.0
    assert "times an even share" in shades.label


def test_key_frames_are_the_strongest_of_each_stretch() -> None:
    layout = load_layout("kinect-v2")
    attribution = made_attribution(layout, frames=60)
    attribution.joint_time[:] = 0.001
    attribution.joint_time[[3, 14, 27, 31, 40, 52]] = -1.0
    assert key_frames(Shades.of(attribution)) == [3, 14, 27, 31, 40, 52]
    assert key_frames(Shades.of(made_attribution(layout, frames=2))) == [0, 1]


@pytest.mark.parametrize("name", LAYOUTS)
def test_rows_have_every_joint_once(name) -> None:
    layout = load_layout(name)
    order, parts = rows_by_part(layout)
    assert sorted(order) == list(range(layout.num_joints))
    assert sum(count for _, count in parts) == layout.num_joints


def test_joints_without_a_part_come_last() -> None:
    layout = Layout("l", ("a", "b", "c"), (-1, 0, 1), parts={"leg": (2,)})
    assert rows_by_part(layout) == ([2, 0, 1], [("leg", 1), ("", 2)])


def test_the_matrix_as_table_and_figure() -> None:
    layout = load_layout("kinect-v2")
    assignment = made_assignment(layout, 6)
    rows = list(csv.reader(io.StringIO(assignment_csv(layout, assignment))))
    assert rows[0] == ["joint", "part", *group_names(6)]
    assert [row[0] for row in rows[1:]] == list(layout.joints)
    assert np.allclose([list(map(float, row[2:])) for row in rows[1:]], assignment, atol=1e-6)
    with figure_style():
        text = figure_bytes(assignment_figure(made_scene(layout), assignment, "t"), "svg").decode()
    for joint in layout.joints:
        assert joint in text
    assert f">{assignment[4].max():.2f}<" in text
    assert len(set(group_colours(10))) == 10


@pytest.mark.parametrize("grouped", [True, False])
def test_attention_over_time(grouped) -> None:
    layout = load_layout("kinect-v2")
    groups, rng = (4 if grouped else 25), np.random.default_rng(0)
    attention = {
        "within_group": rng.dirichlet(np.ones(5), size=(2, groups, 5)),
        "between_groups": rng.dirichlet(np.ones(groups), size=(2, 5, groups)),
    }
    if grouped:
        attention["assignment"] = made_assignment(layout, groups)
    with figure_style():
        figure = weights_figure(made_scene(layout), attention, "t")
        text = figure_bytes(figure, "svg").decode()
    assert "time, s" in text
    assert ("group 4" if grouped else "HandTipLeft") in text
    first = next(axes for axes in figure.axes if axes.images)
    looked_at = attention["between_groups"].mean(axis=(0, 2)).T * groups
    assert np.allclose(first.images[0].get_array(), looked_at)


def test_a_gif_is_as_long_as_the_movement_and_white(tmp_path) -> None:
    layout = load_layout("kinect-v2")
    scene, shades = made_scene(layout), Shades.of(made_attribution(layout))
    for name in ("a.gif", "b.gif"):
        with figure_style():
            write_video(tmp_path / name, scene, shades, "title", frames=6, dpi=50)
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()
    with Image.open(tmp_path / "a.gif") as film:
        assert film.n_frames == 6
        assert 6 * film.info["duration"] == pytest.approx(1000 * scene.times[-1], rel=0.02)
        assert film.convert("RGB").getpixel((1, 1)) == (255, 255, 255)
        first = np.asarray(film.convert("RGB"))
        film.seek(3)
        assert (np.asarray(film.convert("RGB")) != first).any()


def test_an_mp4_where_there_is_ffmpeg(tmp_path) -> None:
    if not can_write_mp4():
        pytest.skip("no ffmpeg on this machine")
    layout = load_layout("kinect-v2")
    with figure_style():
        shades = Shades.of(made_attribution(layout))
        write_video(tmp_path / "a.mp4", made_scene(layout), shades, "t", dpi=50)
    assert (tmp_path / "a.mp4").read_bytes()[4:8] == b"ftyp"


def test_ffmpeg_that_fails_says_why(tmp_path, monkeypatch) -> None:
    tool = tmp_path / "ffmpeg"
    tool.write_text("#!/bin/sh\ncat > /dev/null\necho Unknown encoder >&2\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    layout = load_layout("kinect-v2")
    with figure_style(), pytest.raises(DataError, match="Unknown encoder. Use video='gif'"):
        write_video(
            tmp_path / "a.mp4", made_scene(layout), Shades.of(made_attribution(layout)), "t", dpi=40
        )
    assert video.can_write_mp4()


def recording(layout: str, positions) -> SimpleNamespace:
    return SimpleNamespace(fps=10.0, positions=positions, layout=layout)


def test_a_scene_is_what_was_recorded() -> None:
    layout = load_layout("kinect-v2")
    positions = np.random.default_rng(0).normal(size=(30, 25, 3)).astype(np.float32)
    sample = SimpleNamespace(
        recording=recording(layout.name, positions), frames=(10, 20), num_frames=10, layout=layout
    )
    scene = scene_of(sample)
    assert scene.measured
    assert np.allclose(scene.places, positions[10:20, :, :2])
    assert np.allclose(scene.times, np.arange(10, 20) / 10)


def test_without_positions_there_is_a_diagram() -> None:
    layout = load_layout("uiprmd-vicon-angles")
    sample = SimpleNamespace(
        recording=recording(layout.name, None), frames=(0, 30), num_frames=10, layout=layout
    )
    scene = scene_of(sample)
    assert not scene.measured
    assert "no positions were recorded" in scene.axis_labels[0]
    place = dict(zip(layout.joints, scene.places[0], strict=True))
    assert place["LHand"][0] < place["Thorax"][0] < place["RHand"][0]
    assert place["Head"][1] > place["Thorax"][1] > place["Pelvis"][1] > place["LKnee"][1]


@pytest.mark.parametrize("name", ["kinect-v2", "uiprmd-kinect", "uiprmd-vicon-angles"])
def test_a_diagram_is_symmetric(name) -> None:
    layout = load_layout(name)
    places = diagram(layout)
    assert np.allclose(places[list(layout.mirror)] * [-1, 1], places)


def test_a_still_sample_has_limits() -> None:
    layout = Layout("dot", ("a",), (-1,))
    (left, right), (bottom, top) = Scene(np.zeros((1, 1, 2)), np.zeros(1), layout).limits
    assert left < 0 < right
    assert bottom < 0 < top


def test_what_hardly_moved_the_score_is_pale() -> None:
    layout = load_layout("kinect-v2")
    attribution = made_attribution(layout)
    moved = attribution.effect
    strong = Shades.of(replace(attribution, span=moved / FULL_STRENGTH))
    weak = Shades.of(replace(attribution, span=10 * moved / FULL_STRENGTH))
    assert strong.limit == Shades.of(attribution).limit
    assert weak.limit == pytest.approx(10 * strong.limit)
    assert weak.sizes(3).max() < strong.sizes(3).max()


@pytest.mark.parametrize(("held_still", "paler"), [(20.0, 1), (30.25, 2), (30.0, 10), (None, 1)])
def test_what_has_no_sign_is_pale_where_the_model_hardly_reacts(held_still, paler) -> None:
    layout = load_layout("kinect-v2")
    shares = replace(made_attribution(layout, unit="share"), span=50.0)
    usual, shown = Shades.of(shares), Shades.of(shares, held_still)
    np.testing.assert_allclose(shown.limit, paler * usual.limit)
    strongest = shown.scale(np.abs(shown.values).max())
    assert float(strongest) == pytest.approx(1 / paler, rel=0.1 if paler == 1 else 0.5)
    signed = replace(made_attribution(layout), span=50.0)
    assert Shades.of(signed, held_still).limit == Shades.of(signed).limit

"""The kinematic graph network: its formula, its graph, its mirror and its exercises."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from baselines.joint_descriptors import JointDescriptors
from baselines.kgn import EDGES, KGN, descriptor_graph, in_steps
from zoo.data.adapters.base import Adapter, PrepareReport
from zoo.data.adapters.synthetic import SyntheticAdapter
from zoo.data.batch import Batch
from zoo.data.scalers import StreamScaler
from zoo.data.transforms.motion import mirrored
from zoo.errors import ConfigError
from zoo.skeleton.layout import load_layout

LAYOUT = load_layout("kinect-v2")


@pytest.fixture(scope="module")
def recordings() -> Batch:
    chosen = list(
        SyntheticAdapter(people=2, repetitions=2).read(None, PrepareReport(), Adapter.NO_PROGRESS)
    )[:8]
    shortest = min(r.num_frames for r in chosen)
    x = torch.stack([torch.tensor(r.positions[:shortest]) for r in chosen])
    return Batch({"position": x}, fps=torch.full((len(chosen),), chosen[0].fps))


@pytest.fixture(scope="module")
def fitted(recordings) -> tuple[KGN, Batch]:
    torch.manual_seed(0)
    model = KGN(LAYOUT, width=8, readout=4, exercises=2).eval()
    batch = model.derive(recordings)._replace(exercise=torch.arange(8) % 2)
    model.prepare(batch, StreamScaler("none"))
    return model, batch


def test_the_formula(fitted):
    model, batch = fitted
    scores = []
    for slot in range(2):
        rows = []
        for i, e in enumerate(batch.exercise.tolist()):
            d = _standardised(model, "joint", batch.x["joint"][i, slot], e)
            g = _standardised(model, "whole", batch.x["whole"][i, slot], e).flatten()
            h = torch.stack([F.relu(model.embed(d[j]) + model.places[e, j]) for j in range(len(d))])
            for layer in model.messages:
                total = torch.zeros_like(h)
                for kind, weights in enumerate(layer.adjacency()):
                    for source, target in weights.nonzero().tolist():
                        sent = layer.weight[kind] @ h[source] + layer.bias[kind]
                        total[target] += weights[source, target] * sent
                h = h + F.relu(total)
            seen = torch.cat([F.relu(model.narrow(h)).flatten(), g, d.flatten() / 3, g / 3])
            last = model.head.layers[-1]
            common, *own = last.weight[0].view(3, -1)
            rows.append(seen @ (common + own[e]) + last.bias[0])
        scores.append(torch.stack(rows))
    expected = (scores[0] + scores[1]) / 2
    torch.testing.assert_close(model(batch).score, expected, rtol=1e-4, atol=1e-5)


def _standardised(model, name, values, exercise):
    low, high, mean, scale = (
        getattr(model, f"{name}_{what}")[exercise] for what in ("low", "high", "mean", "scale")
    )
    held = torch.where(values.isnan(), mean, torch.minimum(torch.maximum(values, low), high))
    return (held - mean) / scale


def swapped(positions):
    return mirrored({"position": positions}, LAYOUT)["position"]


def test_a_mirrored_recording_scores_the_same(fitted, recordings):
    model, batch = fitted
    x = recordings.x["position"].numpy()
    turned = torch.stack([torch.tensor(swapped(one)) for one in x])
    other = recordings._replace(x={"position": turned}, exercise=batch.exercise)
    torch.testing.assert_close(model(other).score, model(batch).score, rtol=1e-4, atol=1e-4)
    one_sided = KGN(LAYOUT, width=8, mirror=False, exercises=2).eval()
    one_sided.prepare(batch, StreamScaler("none"))
    assert (one_sided(other).score - one_sided(batch).score).abs().max() > 1e-3


def test_descriptors_within_an_exercise_are_z_scores(fitted):
    model, batch = fitted
    z = model._standardised("joint", batch.x["joint"][:, 0], batch.exercise)
    for e in range(2):
        of = z[batch.exercise == e]
        assert of.mean(0).abs().max() < 1e-3
        spread = of.std(0, correction=0)
        assert ((spread - 1).abs().lt(1e-3) | (spread < 1e-3)).all()


def test_each_exercise_has_a_read_out_of_its_own(fitted):
    model, batch = fitted
    own = model.extract(batch)[0].view(8, 3, -1)
    assert torch.equal(own[:, 0], own[torch.arange(8), 1 + batch.exercise])
    assert not own[torch.arange(8), 2 - batch.exercise].any()
    with pytest.raises(ConfigError, match=r"set model\.exercises=5"):
        model(batch._replace(exercise=torch.arange(8) % 5))


@pytest.mark.parametrize("name", ["kinect-v2", "uiprmd-vicon", "coco", "mediapipe"])
def test_every_kind_of_edge_averages(name):
    layout = load_layout(name)
    joints = JointDescriptors(layout).joints
    adjacency = descriptor_graph(layout, joints, list(EDGES)).adjacency()
    sums = adjacency.sum(1)
    assert ((sums - 1).abs().lt(1e-6) | (sums == 0)).all()
    place = {joint: at for at, joint in enumerate(joints)}
    kinds = dict(zip(EDGES, adjacency, strict=True))
    for joint, at in place.items():
        parent = layout.parents[joint]
        if parent in place:
            assert kinds["parent"][place[parent], at] == 1
            assert kinds["children"][at, place[parent]] > 0
        assert kinds["mirror"][place[layout.mirror[joint]], at] == 1
    with pytest.raises(ConfigError, match="children"):
        descriptor_graph(layout, joints, ["childen"])


@pytest.mark.parametrize(("courses", "repetitions"), [(False, False), (True, False), (False, True)])
def test_descriptors_do_not_depend_on_place_facing_and_size(recordings, courses, repetitions):
    descriptors = JointDescriptors(LAYOUT, courses=courses, repetitions=repetitions)
    x = recordings.x["position"][0].numpy()
    joint, whole = descriptors.measure(x, 30.0)
    angle = torch.tensor(0.7)
    turn = torch.tensor(
        [[angle.cos(), 0, angle.sin()], [0, 1, 0], [-angle.sin(), 0, angle.cos()]]
    ).numpy()
    moved, moved_whole = descriptors.measure((1.3 * x @ turn + [0.4, 0.1, 2.0]).astype("f4"), 30.0)
    assert joint.shape == (len(descriptors.joints), len(descriptors.names))
    np.testing.assert_allclose(moved, joint, atol=0.05)
    np.testing.assert_allclose(moved_whole, whole, atol=0.05)


def test_over_repetitions_a_rest_before_them_does_not_count():
    adapter = SyntheticAdapter(people=1, repetitions=5)
    x = next(iter(adapter.read(None, PrepareReport(), adapter.NO_PROGRESS))).positions
    rested = np.concatenate([np.repeat(x[:1], 90, axis=0), x])
    change = {}
    for repetitions in (False, True):
        descriptors = JointDescriptors(LAYOUT, repetitions=repetitions)
        speed = descriptors.names.index("speed")
        before, after = (descriptors.measure(of, 30.0)[0][:, speed] for of in (x, rested))
        change[repetitions] = float(np.abs(after - before).sum() / before.sum())
    assert change[False] > 0.15
    assert change[True] < change[False] / 3


def test_steps_add_up_to_the_way_through_all_bins():
    z = torch.linspace(-4, 4, 81)
    steps = in_steps(z)
    assert steps.shape == (81, 6)
    assert (steps[z <= -3] == -0.5).all()
    assert (steps[z >= 3] == 0.5).all()
    widths = torch.tensor([2, 0.5, 0.5, 0.5, 0.5, 2])
    torch.testing.assert_close(((steps + 0.5) * widths).sum(1) - 3, z.clamp(-3, 3))
    assert KGN(LAYOUT, steps=True).embed.in_features == 7 * KGN(LAYOUT).embed.in_features


@pytest.mark.parametrize("settings", [{}, {"courses": True}, {"repetitions": True}])
def test_of_angles_alone_joints_are_described_by_their_course(settings):
    layout = load_layout("uiprmd-vicon-angles")
    described = JointDescriptors(layout, stream="angle", **settings)
    time = np.linspace(0, 8 * np.pi, 400)
    angles = np.zeros((400, layout.num_joints, 3), np.float32)
    knee = layout.joints.index("LKnee")
    angles[:, knee, 0] = 40 + 30 * np.sin(time)
    joint, whole = described.measure(angles, 100.0)
    names = {name: joint[:, at] for at, name in enumerate(described.names)}
    assert joint.shape[0] == layout.num_joints
    assert whole.tolist() == [4.0]
    assert names["place range 0"][knee] == pytest.approx(60, abs=1)
    assert (
        names["left less right range 0"][layout.mirror[knee]]
        == names["left less right range 0"][knee]
        == pytest.approx(60, abs=1)
    )
    if not settings:
        assert names["place mean 0"][knee] == pytest.approx(40, abs=0.5)
    others = [j for j in range(layout.num_joints) if j not in (knee, layout.mirror[knee])]
    assert np.nanmax(np.abs(names["place range 0"][others])) == 0


def test_of_angles_there_is_no_mirror():
    layout = load_layout("uiprmd-vicon-angles")
    torch.manual_seed(0)
    model = KGN(layout, streams="angle", width=8, readout=4, exercises=2).eval()
    batch = Batch(
        {"angle": torch.randn(6, 50, layout.num_joints, 3) * 20}, fps=torch.full((6,), 30.0)
    )
    derived = model.derive(batch)
    assert derived.x["joint"].shape[:3] == (6, 1, layout.num_joints)
    model.prepare(derived, StreamScaler("none"))
    scores = model(derived).score
    assert scores.isfinite().all()
    assert scores.unique().numel() == 6
    assert model.derived_joints()["joint"].tolist() == [list(range(layout.num_joints))]


@pytest.mark.parametrize("streams", ["bone", ["position", "angle"]])
def test_another_stream_is_refused(streams):
    with pytest.raises(ConfigError, match="expected one of position, angle"):
        KGN(LAYOUT, streams=streams)

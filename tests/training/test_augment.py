import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from zoo.data.batch import Batch, Prediction
from zoo.data.gaps import bridged
from zoo.data.resample import derive
from zoo.data.rotation import rotate
from zoo.data.scalers import StreamScaler
from zoo.data.simulator.body import DIRECTIONS, LENGTHS, ORDER, PARENTS, Body
from zoo.data.simulator.pose import NEUTRAL, Stance, solve
from zoo.data.simulator.sensor import observe
from zoo.data.transforms import Motion
from zoo.errors import ConfigError
from zoo.models import create_model
from zoo.nn.model import contract_of
from zoo.skeleton.layout import Layout, load_layout
from zoo.training.augment import AugmentedSamples, augmented, limbs, require_augmentable
from zoo.training.config import Augment, TrainerConfig
from zoo.training.report import Reporter
from zoo.training.run import train_run
from zoo.training.seeding import reproducible, seed_all
from zoo.training.stop import StopSignals
from zoo.training.trainer import Trainer, TrainingData

KINECT = load_layout("kinect-v2")
STREAMS = ("position", "orientation", "bone", "joint_motion", "bone_motion")
BODY = Body(1.7, DIRECTIONS * LENGTHS[:, None] * 1.7, 0.039 * 1.7)
STANCE = Stance(0.14, 10.0, 0.05)
FRAMES = 40


def posture(seed=0):
    """Channels of a movement that is unlike on either side."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 2 * np.pi, FRAMES)
    sizes = {name: rng.uniform(-12, 12) for name in NEUTRAL}
    sizes |= {"pelvis_x": 0.05, "pelvis_z": 0.03, "orbit_x": 0.04, "orbit_z": 0.02, "counter": 0.3}
    channels = {name: value + sizes[name] * np.sin(t + i) for i, (name, value) in
                enumerate(NEUTRAL.items())}  # fmt: skip
    for side in ("left", "right"):
        for name, least in (("elbow", 5.0), ("knee", 5.0), ("lift", 10.0)):
            channels[f"{name}_{side}"] = np.maximum(channels[f"{name}_{side}"], least)
    return channels


def other_way_round(channels):
    """The same movement with left and right changed about."""
    swapped = {}
    for name, value in channels.items():
        stem, _, side = name.rpartition("_")
        if side in ("left", "right"):
            swapped[f"{stem}_{'left' if side == 'right' else 'right'}"] = value
        else:
            turned = name in ("pelvis_x", "orbit_x", "pelvis_twist", "trunk_tilt", "trunk_twist")
            swapped[name] = -value if turned else value
    return swapped


def seen(skeleton, place=(0.3, 2.8), heading=7.0, pitch=0.0):
    """What a perfect sensor reports, as streams of one sample each."""
    found = observe(np.random.default_rng(0), skeleton, place, heading, (1.2, pitch), 0.0, 0.0)
    raw = {"position": found["positions"], "orientation": found["orientations"]}
    motion = Motion({k: v.astype(np.float64) for k, v in raw.items()}, KINECT, 30.0)
    return {k: torch.from_numpy(v).float()[None] for k, v in derive(motion, STREAMS).items()}


@pytest.fixture(scope="module")
def sample():
    return Batch(seen(solve(BODY, STANCE, posture())), None, torch.tensor([30.0]))


def many(count=8, frames=FRAMES, padded=True):
    """Samples of unlike lengths."""
    parts = [seen(solve(BODY, STANCE, posture(i)), heading=10.0 * i) for i in range(count)]
    x = {name: torch.cat([part[name] for part in parts])[:, :frames] for name in STREAMS}
    mask = None
    if padded:
        lengths = torch.arange(count) * 3 + frames - 3 * (count - 1)
        mask = torch.arange(frames) < lengths[:, None]
        at = (torch.arange(count), lengths - 1)
        for name in ("joint_motion", "bone_motion"):
            x[name][at] = 0.0
        x = {name: v * mask[:, :, None, None] for name, v in x.items()}
    return Batch(x, mask, torch.full((count,), 30.0), torch.arange(count))


def draw(seed=0):
    return lambda switch: torch.Generator().manual_seed(seed + sum(map(ord, switch)))


def change(batch, seed=0, layout=KINECT, **settings):
    return augmented(batch, Augment(**settings), layout, draw(seed))


def same_turn(a, b, tolerance=5e-3):
    """Quaternions up to their sign."""
    return bool(((a * b).sum(-1).abs() > 1 - tolerance**2).all())


def lengths(batch):
    return batch.x["bone"].norm(dim=-1)


def test_a_mirrored_recording_is_the_recording_of_the_mirrored_body(sample):
    skeleton = solve(BODY, replace(STANCE, stagger=-0.05), other_way_round(posture()))
    expected = seen(skeleton, place=(-0.3, 2.8), heading=-7.0)
    found = change(sample, mirror=1.0)
    assert torch.allclose(found.x["position"], expected["position"], atol=5e-4)
    assert same_turn(found.x["orientation"], expected["orientation"])
    assert not same_turn(found.x["orientation"], sample.x["orientation"], 0.1)


def test_mirrored_twice_it_is_the_same(sample):
    again = change(change(sample, mirror=1.0), mirror=1.0)
    for name, x in sample.x.items():
        assert torch.allclose(again.x[name], x, atol=1e-6), name
    swapped = lengths(change(sample, mirror=1.0))
    assert torch.allclose(swapped, lengths(sample)[..., list(KINECT.mirror)], atol=1e-5)


def test_every_other_sample_is_mirrored():
    batch = many(8)
    found = change(batch, mirror=0.5)
    kept = (found.x["position"] == batch.x["position"]).flatten(1).all(1)
    assert 0 < int(kept.sum()) < 8
    for name in STREAMS:
        assert torch.equal(found.x[name][kept], batch.x[name][kept])


def test_a_turned_recording_is_that_of_a_body_that_stands_turned():
    skeleton = solve(BODY, STANCE, posture())
    batch = Batch(seen(skeleton))
    found = change(batch, turn=40.0)
    cos = float((found.x["bone"][0, 0, 8, [0, 2]] * batch.x["bone"][0, 0, 8, [0, 2]]).sum())
    cos /= float(batch.x["bone"][0, 0, 8, [0, 2]].square().sum())
    turned = math.degrees(math.acos(cos))
    assert 1 < turned < 40
    for heading in (7 + turned, 7 - turned):
        expected = seen(skeleton, heading=heading)
        if torch.allclose(found.x["bone"], expected["bone"], atol=2e-3):
            break
    else:
        pytest.fail("no body turned so far looks like it")
    assert same_turn(found.x["orientation"], expected["orientation"], 5e-3)
    assert torch.allclose(lengths(found), lengths(batch), atol=1e-5)
    pelvis = found.x["position"][0, :, 0].mean(0) - batch.x["position"][0, :, 0].mean(0)
    assert pelvis.abs().max() < 1e-4
    assert torch.equal(found.x["position"][..., 1], batch.x["position"][..., 1])


def test_a_joint_without_orientation_stays_without():
    found = change(many(), turn=30.0, mirror=0.5, lost=0.5)
    head = found.x["orientation"][:, :, KINECT.index("Head")]
    assert torch.equal(
        head[found.mask].abs(), torch.tensor([1.0, 0, 0, 0]).expand(head[found.mask].shape)
    )


def test_longer_limbs_are_those_of_a_body_with_longer_limbs_in_the_same_pose(sample):
    factor = 1 + 0.2 * (2 * torch.rand((1, 4), generator=draw()("limbs")) - 1)[0, limbs(KINECT)]
    skeleton = solve(BODY, STANCE, posture())
    positions = np.zeros_like(skeleton.positions)
    positions[:, 0] = skeleton.positions[:, 0]
    offsets = BODY.offsets * factor.numpy()[:, None]
    for joint in ORDER[1:]:
        parent = PARENTS[joint]
        carried = rotate(skeleton.rotations[:, parent], offsets[joint])
        positions[:, joint] = positions[:, parent] + carried
    expected = seen(replace(skeleton, positions=positions))
    found = change(sample, limbs=0.2)
    assert torch.allclose(found.x["position"], expected["position"], atol=5e-4)
    assert torch.equal(found.x["orientation"], sample.x["orientation"])
    ratio = (lengths(found) / lengths(sample))[..., 1:].nan_to_num(1.0)
    assert not torch.allclose(ratio, torch.ones(()), atol=0.02)


def test_both_sides_are_one_limb():
    limb = limbs(KINECT)
    assert int(limb.max()) == 3
    for left, right in KINECT.pairs:
        assert limb[left] == limb[right]
    bare = Layout("bare", ("a", "b", "c"), (-1, 0, 0), ((1, 2),))
    assert limbs(bare).tolist() == [0, 0, 0]


def test_a_lost_joint_is_bridged_as_the_readers_do():
    batch = many()
    found = change(batch, lost=0.3)
    changed = (found.x["position"] != batch.x["position"]).any(-1)
    assert 0.02 < float(changed[batch.mask].float().mean()) < 0.3
    for i in range(batch.size):
        real = batch.mask[i]
        x, gap = batch.x["position"][i, real].double().numpy(), changed[i, real].numpy()
        expected = torch.from_numpy(bridged(x, gap)).float()
        assert torch.allclose(found.x["position"][i, real], expected, atol=1e-5)
    q = found.x["orientation"][batch.mask]
    assert torch.allclose(q.norm(dim=-1), torch.ones(()), atol=1e-5)
    assert same_turn(q, batch.x["orientation"][batch.mask], 1.0)


def test_noise_is_as_wide_as_it_says(sample):
    difference = change(sample, noise=0.01).x["position"] - sample.x["position"]
    assert float(difference.std()) == pytest.approx(0.01, rel=0.05)
    assert abs(float(difference.mean())) < 5e-4


@pytest.mark.parametrize("padded", [True, False])
def test_a_crop_is_a_piece_with_its_mask(padded):
    batch = many(padded=padded)
    found = change(batch, crop=0.6)
    whole = batch.mask.sum(1) if padded else torch.full((8,), FRAMES)
    kept = found.mask.sum(1)
    assert bool((kept >= (0.6 * whole).round()).all() and (kept <= whole).all())
    assert len(set(kept.tolist())) > 3
    starts = []
    for i in range(8):
        n, places = int(kept[i]), batch.x["position"][i]
        fits = [s for s in range(int(whole[i]) - n + 1)
                if torch.equal(found.x["position"][i, :n], places[s : s + n])]  # fmt: skip
        assert len(fits) == 1
        starts += fits
        for name in STREAMS:
            assert not found.x[name][i, n:].any()
        assert not found.x["joint_motion"][i, n - 1].any()
    assert len(set(starts)) > 2
    assert torch.equal(found.fps, batch.fps)


ALL = {"mirror": 0.5, "turn": 20.0, "limbs": 0.1, "lost": 0.1, "noise": 0.01, "crop": 0.7}


def test_every_stream_shows_the_same_body():
    batch = many()
    found = change(batch, **ALL)
    for i in range(batch.size):
        real = found.mask[i]
        raw = {k: found.x[k][i, real].double().numpy() for k in ("position", "orientation")}
        for name, x in derive(Motion(raw, KINECT, 30.0), STREAMS).items():
            assert torch.allclose(found.x[name][i, real], torch.from_numpy(x).float(), atol=1e-5)
            assert not found.x[name][i, ~real].any()


def test_padding_changes_nothing_of_what_is_real():
    """A sample is changed alike whatever it stands beside."""
    batch = many()
    settings = {k: v for k, v in ALL.items() if k != "noise"}
    found = change(batch, **settings)
    longer = {k: torch.nn.functional.pad(v, (0, 0, 0, 0, 0, 9)) for k, v in batch.x.items()}
    mask = torch.nn.functional.pad(batch.mask, (0, 9))
    again = change(batch._replace(x=longer, mask=mask), **settings)
    for name in STREAMS:
        assert torch.allclose(again.x[name][:, :FRAMES], found.x[name], atol=1e-6)


@pytest.mark.parametrize("streams", [("bone",), ("bone", "bone_motion")])
def test_bones_alone_are_changed_as_they_are_beside_positions(streams):
    batch = many()
    settings = {k: v for k, v in ALL.items() if k != "lost"}  # bridged along with the root's way
    alone = change(batch._replace(x={name: batch.x[name] for name in streams}), **settings)
    beside = change(batch, **settings)
    for name in streams:
        assert torch.allclose(alone.x[name], beside.x[name], atol=1e-5)


def test_no_switch_changes_what_another_draws():
    batch = many()
    one, two = change(batch, crop=0.5), change(batch, crop=0.5, noise=1e-6, mirror=1e-9)
    assert torch.equal(one.mask, two.mask)


def make_samples(**settings):
    batch = many()
    scaler = StreamScaler().fit(batch)
    return AugmentedSamples.of(Augment(**settings), KINECT, scaler, scaler.transform(batch), seed=3)


def test_what_is_drawn_follows_from_seed_epoch_and_step():
    samples, index = make_samples(**ALL), torch.tensor([5, 1, 7])
    first = samples.draw(index, 4, 2).x["bone"]
    samples.draw(index, 5, 0)
    torch.rand(10)
    assert torch.equal(samples.draw(index, 4, 2).x["bone"], first)
    for other in (samples.draw(index, 4, 3), samples.draw(index, 5, 2),
                  replace(samples, seed=4).draw(index, 4, 2)):  # fmt: skip
        assert not torch.equal(other.x["bone"], first)


def test_unchanged_samples_are_what_the_scaler_made_of_them():
    samples = make_samples(noise=0.0)
    expected = samples.scaler.transform(many())
    found = samples.draw(torch.arange(8), 1, 0)
    for name, x in expected.x.items():
        assert torch.allclose(found.x[name], x, atol=1e-4), name


class Net(nn.Module):
    streams = ("position", "orientation")

    def __init__(self):
        super().__init__()
        self.line, self.dropout, self.last = nn.Linear(7, 6), nn.Dropout(0.3), nn.Linear(6, 1)

    def forward(self, batch):
        x = torch.cat([batch.stream(name) for name in self.streams], -1)
        x = self.dropout(torch.relu(self.line(x)))
        mask = batch.mask[:, :, None]
        return Prediction(self.last((x.mean(2) * mask).sum(1) / mask.sum(1))[:, 0])


def trained(augment, state=None, epochs=4, keep=None):
    """A small network after its training, from `state` on where it is given."""
    samples = make_samples(**augment)
    batch = samples.scaler.transform(samples.batch)
    data = TrainingData(batch, torch.linspace(-1, 1, 8), augmented=samples if augment else None)
    seed_all(0)
    config = TrainerConfig(epochs=epochs, batch_size=3, lr=0.01, device="cpu", checkpoint_every=1)
    trainer = Trainer(Net(), config, data, seed=3)
    if state is not None:
        trainer.restore(state)
    with reproducible(1), StopSignals() as stop:
        trainer.run(Reporter(), stop, (keep if keep is not None else []).append)
    return trainer.model.state_dict()


@pytest.mark.parametrize("cut", [1, 3])
def test_a_resumed_training_sees_the_same_samples_bit_by_bit(cut):
    states = []
    whole = trained(ALL, keep=states)
    resumed = trained(ALL, state=states[cut - 1])
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    plain = trained({})
    assert not torch.equal(whole["line.weight"], plain["line.weight"])


def test_validation_and_test_samples_are_never_changed():
    samples = make_samples(**ALL)
    batch = samples.scaler.transform(samples.batch)
    data = TrainingData(
        batch, torch.zeros(8), batch, lambda score: float(score.sum()), augmented=samples
    )
    trainer = Trainer(Net(), TrainerConfig(epochs=1, device="cpu"), data)
    with reproducible(1), StopSignals() as stop:
        trainer.run(Reporter(), stop)
    trainer.model.eval()
    expected = trainer.model(batch).score.sum().detach()
    assert trainer.progress.history[0].validation_mad == pytest.approx(float(expected), abs=1e-4)


def fed(*streams):
    net = Net()
    net.streams = streams
    return contract_of(net)


ANGLES = load_layout("uiprmd-vicon-angles")
SIDELESS = Layout("sideless", ("a", "b"), (-1, 0))


@pytest.mark.parametrize(
    ("settings", "streams", "layout", "words"),
    [
        ({"mirror": 0.5}, ("angle",), ANGLES, r"augment\.mirror is set.*joint angles"),
        ({"turn": 5.0}, ("angle",), ANGLES, r"augment\.turn is set.*against the room"),
        ({"noise": 0.1}, ("angle",), ANGLES, r"augment\.noise.*it changes positions.*fed angle"),
        ({"limbs": 0.1}, ("orientation",), KINECT, r"augment\.limbs.*fed orientation"),
        ({"crop": 0.5}, ("joint_motion",), KINECT, r"position that joint_motion is derived from.*"
         r"model\.streams=\[position, joint_motion\]"),
        ({"crop": 0.5}, ("bone", "joint_motion"), KINECT, r"need the position"),
        ({"mirror": 0.5}, ("position",), SIDELESS, r"sideless has no pairs"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_plain_words(settings, streams, layout, words):
    with pytest.raises(ConfigError, match=words):
        require_augmentable(Augment(**settings), fed(*streams), layout)


def test_what_can_be_is_not_refused():
    require_augmentable(Augment(crop=0.5, lost=0.1), fed("angle"), ANGLES)
    require_augmentable(Augment(**ALL), fed(*STREAMS), KINECT)


@pytest.mark.parametrize(
    ("model", "words"),
    [("features-ridge", "is fitted once"), ("kgn-small", "has computed of the recordings once")],
)
def test_a_model_that_does_not_learn_from_the_samples_is_refused(model, words):
    contract = contract_of(create_model(model))
    require_augmentable(Augment(), contract, KINECT)
    with pytest.raises(ConfigError, match=rf"augment\.mirror is set, but this model .*{words}"):
        require_augmentable(Augment(mirror=0.5), contract, KINECT)


def test_all_switches_off_is_the_training_of_before(toy, tmp_path):
    weights = [
        train_run(
            toy.TinyNet, toy.make_fold(), toy.make_config(**settings), dataset=toy.DATASET,
            runs=tmp_path / name,
        ).path / "checkpoint.safetensors"
        for name, settings in (("plain", {}), ("off", {"augment": {"noise": 0.0, "crop": 1.0}}))
    ]  # fmt: skip
    plain, off = map(load_file, weights)
    assert plain
    assert all(torch.equal(plain[name], off[name]) for name in plain)

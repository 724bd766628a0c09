"""A model that is fed otherwise than the protocol says: other samples, the same test."""

from collections import Counter

import pytest
import torch

import zoo
from zoo.board.entries import groups_of
from zoo.compose import compose
from zoo.data.batch import Prediction
from zoo.data.segment import Sampling
from zoo.errors import ConfigError
from zoo.explain.sample import samples_of
from zoo.prediction import Predictor
from zoo.protocol.feed import Feed, require_feed
from zoo.workspace import Session, Workspace

pytestmark = pytest.mark.usefixtures("one_thread")

FEW = ["dataset.people=15", "dataset.repetitions=4", "protocol.frames=24"]
TINY = ["model.channels=[16, 16]", "model.strides=[1, 2]", "trainer.epochs=2"]
REPETITIONS = ["trainer.rate=10", "trainer.sampling=repetitions"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("fed")


@pytest.fixture(scope="module")
def opened(root):
    """A session of a small network on simulated people; settings follow."""

    def make(*settings: str, model: str = "stgcn-small", protocol: str = "person-kfold") -> Session:
        tiny = TINY if model == "stgcn-small" else []
        config = compose(model=model, protocol=protocol, overrides=[*FEW, *tiny, *settings])
        return Workspace(root / "runs", root / "data").open(config)

    make("trainer.rate=10")  # prepares the data
    return make


@pytest.fixture(scope="module")
def trained(root, opened):
    """The finished run of these settings."""

    def run(*settings: str):
        return zoo.train(
            "stgcn-small", overrides=[*FEW, *TINY, *settings], runs=root / "runs",
            data_root=root / "data", resume=True,
        )  # fmt: skip

    return run


def test_at_a_rate_of_their_own_samples_keep_their_length_in_seconds(opened):
    usual, own = opened().fold(0), opened("trainer.rate=10").fold(0)
    assert own.split.hash == usual.split.hash
    assert own.protocol.hash() == usual.protocol.hash()
    assert own.pieces is None
    assert usual.samples.mask is None
    frames = own.samples.mask.sum(1)
    for (start, stop), fps, count in zip(
        own.samples.frames, own.samples.fps, frames.tolist(), strict=True
    ):
        assert count / 10 == pytest.approx((stop - start) / 30, abs=0.06)
        assert fps == pytest.approx(10, rel=0.02)
    assert len(set(frames.tolist())) > 10


def test_repetitions_are_fed_and_recordings_are_tested(opened):
    usual, own = opened().fold(0), opened(*REPETITIONS).fold(0)
    assert own.split.hash == usual.split.hash
    assert own.split.to_dict() == usual.split.to_dict()
    assert len(own.pieces) > 2 * len(own.samples) == 2 * len(usual.samples)
    assert own.samples.subject == usual.samples.subject
    for part in ("train", "validation", "test"):
        fed = getattr(own, part)
        assert set(fed.recording) == set(own.split.recordings(part))
        assert len(fed) > len(own.split.index(part))
        assert len(fed.batch.mask) == len(fed.target) == len(fed)
    assert not set(own.train.subject) & set(own.test.subject)


def test_scalers_see_what_training_people_are_fed(opened):
    data = opened(*REPETITIONS).fold(0)
    x, mask = data.train.samples.streams["position"], data.train.samples.mask
    torch.testing.assert_close(
        data.stream_scaler.mean["position"], x[mask].double().mean(0).float()
    )
    scores = data.samples.target[data.split.train]
    assert data.target_scaler.offset == pytest.approx(float(scores.double().mean()))
    refit = data.refit()
    assert len(refit.train) == len(data.train) + len(data.validation)
    assert set(refit.train.recording) == {*data.train.recording, *data.validation.recording}


def test_a_recordings_score_is_the_mean_over_its_samples(opened):
    data = opened(*REPETITIONS).fold(0)
    names = data.test.recording
    score = torch.arange(len(names), dtype=torch.float32)
    said = data.of_samples("test", Prediction(score, torch.zeros(len(names))))
    of = {name: [i for i, n in enumerate(names) if n == name] for name in names}
    expected = [sum(at) / len(at) for at in of.values()]
    assert said.score.tolist() == pytest.approx(expected)
    assert said.log_variance.tolist() == pytest.approx([0.0] * len(of))
    plain = opened().fold(0)
    assert plain.of_samples("test", Prediction(score)).score is score


def test_the_run_is_one_of_the_same_protocol(trained):
    usual, own = trained(), trained(*REPETITIONS)
    assert own.record.protocol.hash == usual.record.protocol.hash
    assert own.record.split_hash == usual.record.split_hash
    assert own.tested_on == usual.tested_on
    assert Counter(own.scores.recording).most_common(1)[0][1] == 1
    assert own.record.key_hash != usual.record.key_hash
    assert own.record.changed["trainer.sampling"] == "repetitions"
    assert own.record.changed["trainer.rate"] == 10
    (group,) = groups_of([usual, own])
    assert sorted(entry.objection for entry in group.entries) == ["", ""]
    said = [entry.settings.get("trainer.sampling") for entry in group.entries]
    assert sorted(said, key=str) == [None, "repetitions"]


def test_evaluated_again_it_says_the_same(trained, root):
    assert zoo.evaluate(trained(*REPETITIONS), data_root=root / "data").agrees


@pytest.mark.parametrize("bundled", [False, True])
def test_new_recordings_are_fed_alike(trained, root, tmp_path, bundled):
    run = trained(*REPETITIONS)
    source = zoo.export(run, tmp_path / "model.zoo") if bundled else run
    ids = run.split["test"]["recordings"]
    test = run.test_scores
    predictor = Predictor.open(source, data_root=root / "data")
    for name in ids:
        (scored,) = predictor.score(name)
        assert len(scored.segments) > 1
        assert scored.score == pytest.approx(test.predicted[test.recording.index(name)], abs=1e-4)
        mean = sum(s.score for s in scored.segments) / len(scored.segments)
        assert scored.score == pytest.approx(mean, abs=1e-6)
    samples = samples_of(predictor, ids[0])
    (scored,) = predictor.score(ids[0])
    assert [s.frames for s in samples] == [(s.start, s.stop) for s in scored.segments]
    for sample, segment in zip(samples, scored.segments, strict=True):
        assert sample.score == pytest.approx(segment.score, abs=1e-3)


def test_other_exercises_are_cut_alike(opened):
    session = opened(*REPETITIONS, "trainer.exercises=all", "dataset.exercise=5")
    data = session.fold(0)
    learnt = data.learnt()
    beside = learnt.batch.exercise > 0
    people = 9 * 4  # of 15 people 3 are tested and 3 validated
    assert int(beside.sum()) > 2 * people
    assert len(learnt.target) == len(learnt.batch.mask)
    assert len(data.train) == int((~beside).sum())


def test_a_model_that_derives_derives_of_what_it_is_fed(opened):
    whole = opened(model="kgn-small").fold(0)
    parts = opened("trainer.sampling=repetitions", model="kgn-small").fold(0)
    assert set(parts.train.batch.x) == set(whole.train.batch.x)
    assert len(parts.train) > 2 * len(whole.train)


@pytest.mark.parametrize(
    ("feed", "sampling", "closed_form", "words"),
    [
        (Feed(sampling=Sampling("repetitions")), "pieces", False, r"person-own cuts recordings "
         r"itself \(pieces\), and scores what it cuts"),
        (Feed(rate=20.0), "recording", True, r"trainer\.rate .*model is fitted once"),
        (Feed(sampling=Sampling()), "recording", True, r"trainer\.sampling is set.*fitted once"),
    ],
)  # fmt: skip
def test_what_may_not_be_is_refused_in_plain_words(feed, sampling, closed_form, words):
    own = Sampling("pieces", pieces=3) if sampling == "pieces" else Sampling()
    with pytest.raises(ConfigError, match=words):
        require_feed(feed, "person-own", own, closed_form=closed_form)


def test_a_rate_changes_no_sample_that_is_tested_and_goes_with_every_protocol(opened):
    usual, own = (
        opened(*settings, protocol="random-kfold").fold(0) for settings in ([], ["trainer.rate=10"])
    )
    assert own.split.hash == usual.split.hash
    with pytest.raises(ConfigError, match="cuts recordings itself"):
        opened("trainer.sampling=repetitions", protocol="random-kfold")

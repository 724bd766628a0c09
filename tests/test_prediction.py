"""Scores of files and of prepared recordings, and what is said about them."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import zoo
from zoo.errors import DataError
from zoo.prediction import Predictor
from zoo.training.evaluate import TrainedModel

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def ask(trained: Any) -> Callable[..., list]:
    """`zoo.predict` on the trained runs."""

    def predict(name: str, *files: object, **options: object) -> list:
        return zoo.predict(trained.run(name), files, data_root=trained.data_root, **options)

    return predict


@pytest.fixture
def own(trained: Any, tmp_path: Path) -> Callable[[str], Path]:
    """Copies the two files of a recording to a folder of their own; gives the positions."""

    def copy(recording: str) -> Path:
        for file in trained.files(recording):
            shutil.copy(file, tmp_path)
        return tmp_path / trained.files(recording)[0].name

    return copy


@pytest.mark.parametrize("name", ["mean", "d2sta", "stgcn"])
def test_ids_get_the_scores_of_the_stored_table(trained, ask, name):
    test = trained.run(name).scores.of("test")
    ids = list(dict.fromkeys(test.recording))
    assert len(ids) == 3
    scored = ask(name, *ids)
    assert [s.recording for s in scored] == ids
    for s in scored:
        rows = [i for i, r in enumerate(test.recording) if r == s.recording]
        assert [p.score for p in s.segments] == pytest.approx(test.predicted[rows], abs=1e-4)
        assert s.true == pytest.approx(test.true[rows[0]], abs=1e-4)


def test_the_mean_model_gives_the_mean_training_score(trained, ask):
    (scored,) = ask("mean", trained.unseen())
    assert scored.score == pytest.approx(trained.run("mean").record.baseline_score, abs=1e-4)


@pytest.mark.parametrize("which", ["positions", "orientations", "raw", "es"])
def test_a_file_or_folder_scores_as_the_prepared_recording_does(trained, ask, which):
    recording = trained.unseen("d2sta")
    positions, orientations = trained.files(recording)
    path = {
        "positions": positions,
        "orientations": orientations,
        "raw": positions.parent,
        "es": positions.parent.parent,
    }[which]
    by_id, by_file = ask("d2sta", recording, path)
    assert by_file.source == str(path)
    assert (by_file.recording, by_file.score, by_file.true, by_file.frames, by_file.segments) == (
        by_id.recording, by_id.score, by_id.true, by_id.frames, by_id.segments,
    )  # fmt: skip


def test_the_model_looks_at_the_motion(trained, ask):
    one, other = ask("stgcn", *trained.run("stgcn").split["test"]["recordings"][:2])
    assert one.score != other.score


def test_a_file_away_from_its_tree_has_no_person_and_no_true_score(trained, ask, own):
    recording = trained.unseen("d2sta")
    file = own(recording)
    by_id, by_file = ask("d2sta", recording, file)
    assert by_file.recording == file.stem
    assert by_file.true is None
    assert by_file.notes == ()
    assert by_file.score == by_id.score


def test_positions_alone_ask_for_the_orientations_beside_them(trained, ask, tmp_path):
    file = tmp_path / trained.files(trained.unseen("d2sta"))[0].name
    shutil.copy(trained.files(trained.unseen("d2sta"))[0], file)
    with pytest.raises(DataError) as told:
        ask("d2sta", file)
    assert str(file) in str(told.value)
    assert "has no orientation. Expected the JointOrientation*.csv" in str(told.value)
    assert ask("mean", file)[0].score > 0


def test_segments_cover_the_recording_and_their_median_is_the_score(trained, ask):
    recording = trained.unseen("stgcn")
    (scored,) = ask("stgcn", recording)
    cuts = [(s.start, s.stop) for s in scored.segments]
    assert len(cuts) == 3
    assert (cuts[0][0], cuts[-1][1]) == (0, scored.frames)
    assert [a for _, a in cuts[:-1]] == [b for b, _ in cuts[1:]]
    assert scored.score == pytest.approx(np.median([s.score for s in scored.segments]), abs=1e-9)


def test_a_protocol_that_scores_pieces_gives_a_recording_their_mean(trained):
    predictor = Predictor.open(trained.run("stgcn"), data_root=trained.data_root)
    by_piece = replace(predictor, protocol=replace(predictor.protocol, aggregate="none"))
    (scored,) = by_piece.score(trained.unseen("stgcn"))
    pieces = [s.score for s in scored.segments]
    assert len(set(pieces)) == 3
    assert scored.score == pytest.approx(np.mean(pieces), abs=1e-9)


def test_times_are_measured_and_plain(trained, ask):
    (scored,) = ask("d2sta", trained.unseen("d2sta"))
    assert scored.seconds > 0
    assert scored.preparation_seconds > 0
    assert scored.ms_per_frame == pytest.approx(1000 * scored.seconds / scored.frames)
    values = json.loads(json.dumps(scored.to_dict()))
    assert values["score"] == scored.score
    assert values["segments"][0]["stop"] == scored.segments[0].stop
    assert values["ms_per_frame"] == scored.ms_per_frame


def test_only_the_model_is_timed(trained, monkeypatch):
    """A slow reader or slow resampling does not count as time of the model, by a made-up clock."""
    predictor = Predictor.open(trained.run("mean"), data_root=trained.data_root)
    made, score, read = type(predictor.protocol).samples, TrainedModel.score, Predictor._read_file
    now = [0.0]

    def lasting(call, seconds):
        def slow(*args, **options):
            now[0] += seconds
            return call(*args, **options)

        return slow

    monkeypatch.setattr("zoo.prediction.time", SimpleNamespace(perf_counter=lambda: now[0]))
    monkeypatch.setattr(Predictor, "_read_file", lasting(read, 1000.0))
    monkeypatch.setattr(type(predictor.protocol), "samples", lasting(made, 100.0))
    monkeypatch.setattr(TrainedModel, "score", lasting(score, 1.0))
    (scored,) = predictor.score(trained.unseen())
    assert (scored.seconds, scored.preparation_seconds) == (1.0, 100.0)


def test_notes_say_whom_the_model_knows(trained, ask):
    split = trained.run("mean").split
    train, chosen, test = (split[p]["recordings"][0] for p in ("train", "validation", "test"))
    known, seen, unknown = ask("mean", train, chosen, test)
    assert known.notes == ("the model was trained on this recording",)
    assert seen.notes == (
        "the model's epoch was chosen and its intervals were calibrated with this recording",
    )
    assert unknown.notes == ()


def test_notes_say_that_the_exercise_is_another(trained, ask):
    (scored,) = ask("mean", "E_ID1/Es3")
    assert "this is exercise 3, the model was trained on exercise 5" in scored.notes
    part = next(p for p in ("train", "validation", "test")
                if "E_ID1" in trained.run("mean").split[p]["persons"])  # fmt: skip
    if part != "test":
        assert any("other recordings of E_ID1" in note for note in scored.notes)


def test_an_interval_is_promised_for_new_people_and_the_trained_exercise_alone(trained):
    run = trained.run("mean")
    people = len(run.split["validation"]["persons"])
    predictor = Predictor.open(run, data_root=trained.data_root, level=people / (people + 1))

    def scored(name):
        (one,) = predictor.score(name)
        return one

    new = scored(trained.unseen())
    low, high = new.interval
    assert 0 <= low <= new.score <= high <= 50
    for part in ("train", "validation"):
        assert scored(run.split[part]["recordings"][0]).interval is None
    calibrated = scored(run.split["validation"]["recordings"][0])
    assert "intervals were calibrated with this recording" in " ".join(calibrated.notes)
    other = trained.maker.positions("E_ID1", 3)
    assert scored(other).interval is None


def test_an_interval_too_wide_to_be_of_use_says_so(trained):
    run = trained.run("mean")
    people = len(run.split["validation"]["persons"])
    predictor = Predictor.open(run, data_root=trained.data_root, level=people / (people + 1))
    assert predictor.calibration.finite
    wide = replace(predictor.calibration, factor=40.0)
    predictor.__dict__["calibration"] = wide
    (scored,) = predictor.score(trained.unseen())
    assert any("too wide to tell a good execution" in note for note in scored.notes)
    assert scored.interval[1] <= 50


def test_a_leaky_run_says_so(trained):
    assert Predictor.open(trained.run("mean")).warnings == []
    (warning,) = Predictor.open(trained.run("leaky")).warnings
    assert "leaks" in warning


def test_several_files_keep_their_order(trained, ask):
    ids = trained.run("mean").split["test"]["recordings"][:2]
    assert [s.source for s in ask("mean", *ids[::-1])] == ids[::-1]


def test_the_path_of_a_run_will_do(trained):
    path = trained.run("mean").path
    recording = trained.unseen()
    (one,) = zoo.predict(str(path), [recording], data_root=str(trained.data_root))
    (other,) = zoo.predict(path, [recording], data_root=trained.data_root)
    assert one.score == other.score


# Another dataset's files


def test_a_release_of_repetitions_gives_one_score_each(trained, ask, tmp_path):
    folder = tmp_path / "Kimore ex5"
    folder.mkdir()
    rng = np.random.default_rng(0)
    base = rng.normal(scale=0.3, size=(1, 25, 4))
    base[:, 12:20, 1] -= 1.0  # legs
    frames = base + rng.normal(scale=0.02, size=(200, 25, 4))
    frames[..., 3] = 2
    rows = [",".join(f"{v:.5f}" for v in frame.ravel()) for frame in frames]
    (folder / "Train_X.csv").write_text("\n".join(rows) + "\n")
    (folder / "Train_Y.csv").write_text("30.5\n41\n")
    scored = ask("stgcn", folder / "Train_X.csv", dataset="stgcn-rehab")
    assert [s.recording for s in scored] == ["Es5/0001", "Es5/0002"]
    assert [s.true for s in scored] == [30.5, 41.0]
    assert scored[0].score != scored[1].score
    assert all("trained on kimore, not on stgcn-rehab" in s.notes[0] for s in scored)
    (folder / "Train_X.csv").write_text("\n".join(rows[:-1]) + "\n")
    with pytest.raises(DataError, match="199 rows"):
        ask("stgcn", folder, dataset="stgcn-rehab")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A run on a small simulated dataset, and the folder it was made in."""
    root = tmp_path_factory.mktemp("simulated")
    small = {"dataset.people": 10, "dataset.repetitions": 1, "protocol.frames": 16}
    run = zoo.train("mean", overrides={**small, "trainer.threads": 1}, runs=root, data_root=root)
    return run, root


def test_a_recording_of_the_simulator_is_scored_by_its_id(simulated):
    run, root = simulated
    test = run.scores.of("test")
    (scored,) = zoo.predict(run, [test.recording[0]], data_root=root)
    assert scored.score == pytest.approx(test.predicted[0], abs=1e-4)
    assert scored.true == pytest.approx(test.true[0], abs=1e-4)
    assert scored.notes == ()


def test_the_simulator_is_made_anew_where_it_is_missing(simulated, tmp_path):
    run, root = simulated
    name = run.scores.of("test").recording[0]
    (there,) = zoo.predict(run, [name], data_root=root)
    (anew,) = zoo.predict(run, [name], data_root=tmp_path)
    assert anew.score == there.score
    assert anew.notes == ()


def test_the_simulators_model_scores_kimores_files_when_asked(simulated, trained, tmp_path):
    run, root = simulated
    file = trained.files(trained.unseen())[0]
    with pytest.raises(DataError, match="synthetic reads no .*kimore, .*It looks like kimore$"):
        zoo.predict(run, [file], data_root=root)
    (scored,) = zoo.predict(run, [file], data_root=root, dataset="kimore")
    assert any("trained on synthetic, not on kimore" in note for note in scored.notes)


def test_what_was_trained_on_is_known_by_its_content(trained, ask, own):
    run = trained.run("stgcn")
    seen = run.split["train"]["recordings"][0]
    (scored,) = ask("stgcn", own(seen))
    assert scored.recording != seen
    count = scored.frames
    assert scored.notes == (
        f"the model was trained on {seen}, which it is like: {count} of {count} frames are equal",
    )


def test_nobody_is_not_scored(trained, ask, own):
    file = own(trained.unseen())
    lines = file.read_text().split("\n")
    file.write_text("\n".join("0," * 100 if line else line for line in lines))
    with pytest.raises(
        DataError, match=r"JointPosition.*\.csv: found somebody in 0 of \d\d frames"
    ):
        ask("mean", file)


def test_a_wild_number_is_bridged_and_told(trained, ask, own):
    recording = trained.unseen("stgcn")
    file = own(recording)
    lines = file.read_text().split("\n")
    lines[35] = ",".join(["-99999", *lines[35].split(",")[1:]])
    file.write_text("\n".join(lines))
    plain, wild = ask("stgcn", recording, file)
    assert wild.score == pytest.approx(plain.score, abs=3.0)
    assert f"{file}: found SpineBase at (-99999, " in wild.notes[0]
    assert wild.notes[0].endswith("expected a place within reach of the body; bridged over time")


def test_a_score_outside_the_scale_is_told(trained, monkeypatch):
    predictor = Predictor.open(trained.run("mean"), data_root=trained.data_root)
    recording = predictor.recordings(trained.unseen())[0]
    for score, note in (
        (50.5, "the score lies outside the scale, 0 to 50"),
        (-499.0, "0 to 50: the recording is unlike those the model was trained on, do not use"),
    ):
        monkeypatch.setattr(
            type(predictor.trained), "score", lambda self, batch, s=score: torch.full((1,), s)
        )
        assert note in predictor.score_recording(recording).notes[-1]


def test_data_that_were_prepared_anew_are_noted(trained, make_kimore, tmp_path):
    tree = Path(shutil.copytree(trained.maker.root, tmp_path / "KiMoRe"))
    maker = make_kimore(tree)
    maker.workbook(maker.label("E_ID1", 5), "E_ID1", total=(0, 0, 25.0, 0, 49.0))
    zoo.prepare_dataset("kimore", tree, tmp_path)
    (scored,) = zoo.predict(trained.run("mean"), [trained.unseen()], data_root=tmp_path)
    assert "prepared anew" in scored.notes[0]


def test_real_sessions(ask, kimore_tree):
    """E_ID8 Es1: the skeleton jumps; S_ID5 Es5: nothing special."""
    leaping, plain = ask(
        "d2sta", kimore_tree / "CG/Expert/E_ID8/Es1", kimore_tree / "GPP/Stroke/S_ID5/Es5"
    )
    assert any("jumps by up to 3.8" in note for note in leaping.notes)
    assert leaping.true == pytest.approx(48.67, abs=0.01)
    assert plain.frames > 182
    assert plain.true is not None
    assert not plain.notes


def test_a_real_session_without_joints(ask, kimore_tree):
    with pytest.raises(DataError, match="JointPosition"):
        ask("mean", kimore_tree / "CG/NotExpert/NE_ID24/Es2")

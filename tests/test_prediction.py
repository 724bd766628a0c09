"""Scores of files and of prepared recordings, and every way in which asking for one goes wrong."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import zoo
from registry import MODELS, RegistryError, register_model
from zoo.data.adapters.base import Adapter, PrepareReport
from zoo.data.batch import Batch, Prediction
from zoo.errors import CheckpointError, DataError
from zoo.prediction import Predictor
from zoo.results.find import finished_runs, open_run


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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


def change(file: Path, line: int, edit: Callable[[str], str]) -> None:
    lines = file.read_text().split("\n")
    lines[line - 1] = edit(lines[line - 1])
    file.write_text("\n".join(lines))


@pytest.mark.parametrize("name", ["mean", "d2sta", "stgcn"])
def test_ids_get_the_scores_of_the_stored_table(trained, ask, name):
    test = trained.run(name).predictions.of("test")
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
    assert scored.score == pytest.approx(trained.run("mean").record["baseline_score"], abs=1e-4)


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


def test_segments_cover_the_recording_and_their_median_is_the_score(trained, ask):
    recording = trained.unseen("stgcn")
    (scored,) = ask("stgcn", recording)
    cuts = [(s.start, s.stop) for s in scored.segments]
    assert len(cuts) == 3
    assert (cuts[0][0], cuts[-1][1]) == (0, scored.frames)
    assert [a for _, a in cuts[:-1]] == [b for b, _ in cuts[1:]]
    assert scored.score == pytest.approx(np.median([s.score for s in scored.segments]), abs=1e-9)


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
    """A slow reader or slow resampling does not count as time of the model."""
    import time

    predictor = Predictor.open(trained.run("mean"), data_root=trained.data_root)
    made = type(predictor.protocol).samples

    def slow(self, *args, **options):
        time.sleep(0.3)
        return made(self, *args, **options)

    monkeypatch.setattr(type(predictor.protocol), "samples", slow)
    (scored,) = predictor.score(trained.unseen())
    assert scored.seconds < 0.25
    assert scored.preparation_seconds >= 0.3


def test_notes_say_whom_the_model_knows(trained, ask):
    split = trained.run("mean").split
    train, chosen, test = (split[p]["recordings"][0] for p in ("train", "validation", "test"))
    known, seen, unknown = ask("mean", train, chosen, test)
    assert known.notes == ("the model was trained on this recording",)
    assert seen.notes == ("the model's epoch was chosen with this recording",)
    assert unknown.notes == ()


def test_notes_say_that_the_exercise_is_another(trained, ask):
    (scored,) = ask("mean", "E_ID1/Es3")
    assert "this is exercise 3, the model was trained on exercise 5" in scored.notes
    part = next(p for p in ("train", "validation", "test")
                if "E_ID1" in trained.run("mean").split[p]["persons"])  # fmt: skip
    if part != "test":
        assert any("other recordings of E_ID1" in note for note in scored.notes)


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


# What cannot be scored


@pytest.mark.parametrize(
    ("line", "edit", "words"),
    [
        (26, lambda row: ",".join(row.split(",")[:96]) + ",",
         ["line 26", "96 values", "25 joints of 4 numbers"]),
        (27, lambda row: "x" + row[1:], ["line 27", "'x", "a number"]),
        (28, lambda row: "nan" + row[row.index(","):], ["line 28", "finite"]),
        (25, lambda row: ",".join(["7" if i == 3 else v for i, v in enumerate(row.split(","))]),
         ["line 25", "7 as state of SpineBase"]),
    ],
)  # fmt: skip
def test_a_faulty_row_is_named(trained, ask, own, line, edit, words):
    file = own(trained.unseen())
    change(file, line, edit)
    with pytest.raises(DataError) as error:
        ask("mean", file)
    for word in [str(file), *words]:
        assert word in str(error.value)


def test_twenty_four_joints_are_refused(trained, ask, own):
    file = own(trained.unseen())
    rows = [row for row in file.read_text().split("\n") if row]
    file.write_text("\n".join(",".join(row.split(",")[:96]) + "," for row in rows) + "\n")
    with pytest.raises(DataError, match="line 1: found 96 values, expected 100 .*25 joints"):
        ask("mean", file)


def test_a_cut_file_is_refused(trained, ask, own):
    file = own(trained.unseen())
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * 0.7)])
    with pytest.raises(DataError, match="line"):
        ask("mean", file)


@pytest.mark.parametrize("content", ["", "\n\n\n"])
def test_an_empty_file_is_refused(ask, tmp_path, content):
    file = tmp_path / "JointPosition1.csv"
    file.write_text(content)
    with pytest.raises(DataError, match="rows of numbers"):
        ask("mean", file)


def test_positions_and_orientations_of_other_lengths_are_refused(trained, ask, own):
    file = own(trained.unseen())
    rows = file.read_text().rstrip("\n").split("\n")
    file.write_text("\n".join(rows[:-2]) + "\n")
    with pytest.raises(DataError, match="frames of orientations"):
        ask("mean", file)


def test_a_missing_stream_is_named_with_the_file(trained, ask, own):
    file = own(trained.unseen("d2sta"))
    (file.parent / file.name.replace("Position", "Orientation")).unlink()
    (scored,) = ask("stgcn", file)
    assert np.isfinite(scored.score)
    with pytest.raises(DataError, match="orientation") as error:
        ask("d2sta", file)
    assert str(file) in str(error.value)


def test_orientations_alone_are_refused(trained, ask, own):
    file = own(trained.unseen())
    file.unlink()
    with pytest.raises(DataError, match="orientations alone"):
        ask("mean", file.with_name(file.name.replace("Position", "Orientation")))


def test_a_folder_without_a_session_is_refused(ask, tmp_path):
    with pytest.raises(DataError, match=r"found no JointPosition\*\.csv"):
        ask("mean", tmp_path)


def test_too_few_frames_for_the_pieces(trained, ask, own):
    file = own(trained.unseen("stgcn"))
    (file.parent / file.name.replace("Position", "Orientation")).unlink()
    rows = [row for row in file.read_text().split("\n") if row]
    file.write_text("\n".join(rows[:2]) + "\n")
    with pytest.raises(DataError, match="2 frames cannot be cut into 3 pieces"):
        ask("stgcn", file)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("E_ID1/Es55", ["no recording of this id", "E_ID1/Es5"]),
        ("quite other", ["no recording of this id", "Its ids are as E_ID1/Es3"]),
        ("gone.csv", ["gone.csv: no such file or folder"]),
        ("/no/where", ["/no/where: no such file or folder"]),
    ],
)
def test_an_unknown_name(ask, name, words):
    with pytest.raises(DataError) as error:
        ask("mean", name)
    for word in words:
        assert word in str(error.value)


def test_an_id_without_the_prepared_dataset(trained, tmp_path):
    with pytest.raises(DataError, match="E_ID1/Es5: no such file .*kimore is not prepared"):
        zoo.predict(trained.run("mean"), ["E_ID1/Es5"], data_root=tmp_path)


def test_files_need_no_prepared_dataset(trained, tmp_path):
    file = trained.files(trained.unseen())[0]
    assert len(zoo.predict(trained.run("mean"), [file], data_root=tmp_path)) == 1


def test_another_layout_is_refused_with_both_names(trained, ask):
    with pytest.raises(DataError) as error:
        ask("mean", trained.files(trained.unseen())[0], dataset="uiprmd_vicon")
    for word in ("uiprmd_vicon", "39 joints", "kinect_v2", "25 joints"):
        assert word in str(error.value)


def test_an_unknown_reader_is_named(ask):
    with pytest.raises(RegistryError, match="kimore"):
        ask("mean", "x", dataset="kimor")


def test_a_reader_without_single_files_names_those_that_have(trained, ask, monkeypatch):
    from zoo.data.adapters.stgcn_rehab import StgcnRehabAdapter

    monkeypatch.setattr(StgcnRehabAdapter, "read_file", Adapter.read_file)
    with pytest.raises(DataError, match="stgcn_rehab reads no single files.*kimore") as error:
        ask("mean", trained.files(trained.unseen())[0], dataset="stgcn_rehab")
    assert "uiprmd" not in str(error.value)


def test_the_base_reader_says_that_it_reads_no_files(monkeypatch):
    from zoo.data.adapters.kimore import KimoreAdapter

    assert KimoreAdapter().reads_files
    with pytest.raises(DataError, match="kimore reads no single files"):
        Adapter.read_file(KimoreAdapter(), Path("x"), PrepareReport())


# Another dataset's files


def test_a_release_of_repetitions_gives_one_score_each(trained, ask, tmp_path):
    folder = tmp_path / "Kimore ex5"
    folder.mkdir()
    rng = np.random.default_rng(0)
    base = rng.normal(size=(1, 25, 4))
    frames = base + rng.normal(scale=0.02, size=(200, 25, 4))
    frames[..., 3] = 2
    rows = [",".join(f"{v:.5f}" for v in frame.ravel()) for frame in frames]
    (folder / "Train_X.csv").write_text("\n".join(rows) + "\n")
    (folder / "Train_Y.csv").write_text("30.5\n41\n")
    scored = ask("stgcn", folder / "Train_X.csv", dataset="stgcn_rehab")
    assert [s.recording for s in scored] == ["Es5/0001", "Es5/0002"]
    assert [s.true for s in scored] == [30.5, 41.0]
    assert scored[0].score != scored[1].score
    foreign = Predictor.open(trained.run("stgcn"), dataset="stgcn_rehab")
    assert any("trained on kimore, not on stgcn_rehab" in w for w in foreign.warnings)
    (folder / "Train_X.csv").write_text("\n".join(rows[:-1]) + "\n")
    with pytest.raises(DataError, match="199 rows"):
        ask("stgcn", folder, dataset="stgcn_rehab")


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


# What is wrong with the run


def test_a_plug_in_model_needs_its_plug_in(trained, tmp_path):
    class Plugged(nn.Module):
        streams = ("position",)

        def __init__(self, layout: object) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(()))

        def forward(self, batch: Batch) -> Prediction:
            return Prediction(batch.stream("position").mean((1, 2, 3)) + self.weight)

    register_model("plugged")(Plugged)
    try:
        run = zoo.train(
            "plugged", "kimore", runs=tmp_path, data_root=trained.data_root,
            overrides={"trainer.epochs": 1, "trainer.threads": 1},
        )  # fmt: skip
        recording = run.split["test"]["recordings"][0]
        (scored,) = zoo.predict(run, [recording], data_root=trained.data_root)
        assert np.isfinite(scored.score)
    finally:
        MODELS.forget("plugged")
    for call in (lambda: zoo.predict(run, ["x"]), lambda: zoo.evaluate(run)):
        with pytest.raises(CheckpointError, match=r"'plugged', which is not registered.*--plugin"):
            call()


@pytest.fixture
def copied(trained: Any, tmp_path: Path) -> Path:
    """A copy of a run that a test may spoil."""
    return Path(shutil.copytree(trained.run("stgcn").path, tmp_path / "copied"))


def test_a_protocol_that_means_something_else_is_refused(trained, copied):
    config = copied / "config.yaml"
    text = config.read_text()
    assert "pieces: 3" in text
    config.write_text(text.replace("pieces: 3", "pieces: 4"))
    with pytest.raises(CheckpointError, match="no longer means what it did"):
        zoo.predict(copied, ["x"], data_root=trained.data_root)


def test_a_damaged_checkpoint_is_refused(trained, copied):
    file = copied / "checkpoint.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))
    with pytest.raises(CheckpointError, match="damaged or altered"):
        zoo.predict(copied, ["x"], data_root=trained.data_root)


def test_a_score_that_is_not_finite_is_refused(trained, monkeypatch):
    predictor = Predictor.open(trained.run("mean"), data_root=trained.data_root)
    nan = torch.full((1,), float("nan"))
    monkeypatch.setattr(type(predictor.trained), "score", lambda self, batch: nan)
    with pytest.raises(DataError, match="no finite number"):
        predictor.score(trained.unseen())


def test_changed_code_of_the_model_is_mentioned(trained, monkeypatch):
    predictor = Predictor.open(trained.run("mean"), data_root=trained.data_root)
    changed = {**predictor.run.record["model"], "source": {"owner": None, "sha256": "0" * 64}}
    monkeypatch.setitem(predictor.run.record, "model", changed)
    (warning,) = predictor.warnings
    assert "the code of mean has changed" in warning


def test_finding_runs(trained, tmp_path):
    path = trained.run("mean").path
    assert open_run(path).path == path
    assert open_run(trained.run("mean")).path == path
    found, more = finished_runs(trained.runs)
    assert path in found
    assert not more
    assert finished_runs(trained.runs, limit=0) == ([], True)
    assert finished_runs(tmp_path) == ([], False)


def test_what_is_no_run(trained, tmp_path):
    path = trained.run("mean").path
    half = tmp_path / "fold0.partial"
    half.mkdir()
    (half / "resume.json").write_text("{}")
    for wrong, words in (
        (trained.runs, ["no run folder", str(path)]),
        (path / "run.json", ["is a file", f"the run's folder: {path}"]),
        (path.parent / "fold0-seed1", ["no such run folder", "Did you mean", path.name]),
        (tmp_path, ["no run.json in it or below it"]),
        (half, ["half done", "--resume"]),
        (tmp_path / "fold0", ["half done", "--resume"]),
    ):
        with pytest.raises(DataError) as error:
            open_run(wrong)
        for word in words:
            assert word in str(error.value)


# Evaluating anew


def test_a_run_is_reproduced(trained):
    found = zoo.evaluate(trained.run("stgcn"), data_root=trained.data_root)
    assert found.agrees
    assert found.largest_difference <= found.tolerance
    assert found.metrics["test"]["recording"]["mad"] == pytest.approx(
        trained.run("stgcn").test["mad"], abs=1e-4
    )


def test_an_altered_setting_is_named(trained, copied):
    config = copied / "config.yaml"
    config.write_text(config.read_text().replace("seed: 0", "seed: 1"))
    with pytest.raises(CheckpointError, match=r"Altered since .*config\.yaml"):
        zoo.evaluate(copied, data_root=trained.data_root)

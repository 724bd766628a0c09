"""What is said where one camera saw the person and a depth sensor the training people."""

from pathlib import Path

import numpy as np
import pytest

import zoo
from tests.mediapipe_maker import FPS, landmarks, recordings, write_csv
from zoo.runs.run import Run, load_run

pytestmark = pytest.mark.usefixtures("one_thread")

PEOPLE = {"dataset.people": 12, "dataset.repetitions": 2}
HERE = "in this recording the hips lie at the origin in every frame"
SAME = "the hips lie at the origin in every frame, as in the recordings trained on"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people as MediaPipe has them, as `zoo pose` would write them."""
    folder = tmp_path_factory.mktemp("videos")
    for name, (_, _, recording) in zip(("one", "two"), recordings(1), strict=True):
        write_csv(folder / f"{name}.csv", landmarks(recording))
    (folder / "recordings.csv").write_text("file,person,score\none.csv,,\ntwo.csv,,\n")
    (folder / "dataset.yaml").write_text(
        f"title: videos\nreader: mediapipe\nlayout: mediapipe\nsettings: {{fps: {FPS}}}\n"
        'scores: {range: [0, 100]}\nexercises: {"1": squat}\n'
    )
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    root = tmp_path_factory.mktemp("views")
    return {
        dataset: zoo.train(
            "ridge-pose", dataset, overrides=PEOPLE, runs=root / "runs", data_root=root / "data"
        )
        for dataset in ("synthetic", "synthetic-camera")
    }


def test_a_run_knows_whether_its_recordings_keep_the_hips_in_place(runs) -> None:
    assert {name: run.record.dataset.hips_centred for name, run in runs.items()} == {
        "synthetic": False,
        "synthetic-camera": True,
    }
    read = load_run(runs["synthetic-camera"].path)
    assert read.record.dataset.hips_centred


def test_every_recording_of_a_folder_is_scored_as_it_says(runs, folder: Path) -> None:
    scored = zoo.predict(runs["synthetic-camera"], [folder])
    assert [s.recording for s in scored] == ["one", "two"]
    for one in scored:
        assert SAME in one.notes
        assert any("trained on synthetic-camera, not on mediapipe" in note for note in one.notes)
        assert not any("do not use the score" in note for note in one.notes)
        assert one.interval is None
    single = zoo.predict(
        runs["synthetic-camera"], [folder / "one.csv"], dataset="mediapipe", fps=FPS
    )
    assert single[0].score == scored[0].score


def test_a_cameras_skeleton_and_a_depth_sensors_model(runs, folder: Path) -> None:
    for one in zoo.predict(runs["synthetic"], [folder]):
        (note,) = (note for note in one.notes if note.startswith(HERE))
        assert "do not use the score" in note
        assert "synthetic keeps how the body moves through the room" in note


def test_a_depth_sensors_skeleton_and_a_cameras_model(runs, tmp_path: Path) -> None:
    _, _, recording = recordings(1)[1]
    np.savez(tmp_path / "take.npz", positions=recording.positions, fps=FPS)
    (one,) = zoo.predict(runs["synthetic-camera"], [tmp_path / "take.npz"], dataset="numpy")
    (note,) = (n for n in one.notes if n.startswith("in synthetic-camera the hips lie at the"))
    assert "this recording keeps how the body moves" in note
    assert "do not use the score" in note


def test_the_same_dataset_needs_no_word(runs) -> None:
    for run in runs.values():
        tested = run.scores.of("test").recording[0]
        (one,) = zoo.predict(run, [tested], data_root=run.path.parents[5] / "data")
        assert not any("hips" in note for note in one.notes)

"""`zoo stream`: lines of JSON in, lines of JSON out."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from zoo.cli.main import main


def frames(trained: Any, run: Any) -> tuple[list[str], Any]:
    recording = zoo.load_dataset("kimore", trained.data_root).recording(trained.unseen(run))
    return [
        json.dumps({"position": x.tolist(), "time": t / recording.fps})
        for t, x in enumerate(np.asarray(recording.positions, float))
    ], recording


def said(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_frames_on_standard_input(
    trained: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained.run("mean")
    lines, recording = frames(trained, "mean")
    lines.insert(5, "no frame")
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines)))
    command = ["stream", str(run.path), "--data-root", str(trained.data_root), "--all"]
    assert main(command) == 0
    *updates, last = said(capsys)
    updates = [one for one in updates if "frame" in one]
    assert [one["frame"] for one in updates] == list(range(1, len(lines) + 1))
    assert updates[5]["notes"][0].startswith("frame 6: no JSON")
    assert last["finished"]["frames"] == recording.num_frames
    model = zoo.load_model(run, data_root=trained.data_root)
    given = model.predict({"position": recording.positions}, fps=recording.fps)
    assert last["finished"]["score"] == given.score


def test_a_table_that_is_written(
    trained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, recording = frames(trained, "mean")
    layout = zoo.load_layout(recording.layout)
    file = tmp_path / "take.csv"
    header = [f"{joint}_{axis}" for joint in layout.joints for axis in "xyz"]
    rows = recording.positions.reshape(recording.num_frames, -1)
    np.savetxt(file, rows, delimiter=",", header=",".join(header), comments="", fmt="%.5f")
    run = trained.run("mean")
    follow = ["--follow", str(file), "--fps", "30", "--idle", "0.2"]
    assert main(["stream", str(run.path), "--data-root", str(trained.data_root), *follow]) == 0
    assert said(capsys)[-1]["finished"]["frames"] == recording.num_frames


def test_frames_without_times_ask_for_a_rate(
    trained: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps([[0.0, 1.0, 2.0]] * 25)))
    command = ["stream", str(trained.run("mean").path), "--data-root", str(trained.data_root)]
    assert main(command) == 2
    assert "the number of frames a second" in capsys.readouterr().err


def test_no_frames_are_no_recording(
    trained: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    command = ["stream", str(trained.run("mean").path), "--data-root", str(trained.data_root)]
    assert main(command) == 2
    assert "0 frames are no recording" in capsys.readouterr().err

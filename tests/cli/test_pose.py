"""`zoo pose` where MediaPipe's networks are not needed."""

from pathlib import Path

import pytest

from zoo.cli.main import main


def test_without_networks_it_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("zoo.pose.packages.find_spec", lambda name: None)
    assert main(["pose", "take.mp4", "-o", "out"]) == 2
    error = capsys.readouterr().err
    assert "npm install @mediapipe/pose" in error
    assert "--models" in error
    assert not (tmp_path / "out").exists()


def test_a_rate_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pose", "take.mp4", "-o", "out", "--fps", "0"]) == 2
    assert "expected frames a second, 1 to 1000" in capsys.readouterr().err


def test_two_videos_of_one_name_are_refused_before_anything_else(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["pose", "a/take.mp4", "b/take.mov", "-o", "out"]) == 2
    assert "2 videos are called take" in capsys.readouterr().err

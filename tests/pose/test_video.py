from pathlib import Path

import numpy as np
import pytest

from tests.pose.video_maker import write_video
from zoo.data.adapters.base import FaultError

pytest.importorskip("av", reason="videos are read by av (extra: pose)")
from zoo.pose.video import Video

GREYS = [np.full((48, 64, 3), 40 + 10 * i, dtype=np.uint8) for i in range(20)]


@pytest.fixture
def video(tmp_path: Path) -> Path:
    file = tmp_path / "greys.mp4"
    write_video(file, GREYS, fps=20)
    return file


def test_every_frame_in_order_with_its_time(video: Path) -> None:
    opened = Video(video)
    frames = list(opened)
    assert opened.expected == len(frames) == 20
    assert [f.seconds for f in frames] == pytest.approx(np.arange(20) / 20)
    assert all(f.picture.shape == (48, 64, 3) for f in frames)
    means = np.array([f.picture.mean() for f in frames])
    assert np.abs(means - [p.mean() for p in GREYS]).max() < 4
    assert opened.damage == ""


def test_fewer_frames_a_second(video: Path) -> None:
    opened = Video(video, fps=5)
    seconds = [f.seconds for f in opened]
    assert seconds == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert opened.expected == 5


def test_what_is_no_video_is_said(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("no pictures here")
    for file, said in ((text, "no video"), (tmp_path / "absent.mp4", "no such file")):
        with pytest.raises(FaultError, match=f"{file.name}.*{said}"):
            Video(file)


def test_a_video_that_breaks_off_gives_what_is_there(tmp_path: Path) -> None:
    file = tmp_path / "cut.mpg"
    write_video(file, GREYS * 3, fps=25)
    whole = len(list(Video(file)))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    part = list(Video(file))
    assert 0 < len(part) < whole


def test_a_telephone_held_upright(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter turn that the file names is made good."""
    import av

    monkeypatch.setattr("zoo.pose.video._library", lambda: _Turned(av))
    first = next(iter(Video(video)))
    assert first.picture.shape == (64, 48, 3)


class _Turned:
    """`av`, whose frames say that they lie on their side."""

    def __init__(self, av: object) -> None:
        self._av = av

    def __getattr__(self, name: str) -> object:
        return getattr(self._av, name)

    def open(self, file: str) -> object:
        container = self._av.open(file)  # type: ignore[attr-defined]

        class Frame:
            rotation = -90

            def __init__(self, frame: object) -> None:
                self._frame = frame

            def __getattr__(self, name: str) -> object:
                return getattr(self._frame, name)

        class Container:
            def __getattr__(self, name: str) -> object:
                return getattr(container, name)

            def decode(self, stream: object) -> object:
                return map(Frame, container.decode(stream))

        return Container()

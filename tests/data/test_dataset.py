"""Preparing and opening datasets, by way of a small adapter of the tests' own."""

import json
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from registry import DATASETS, RegistryError, register_dataset
from zoo.data.adapters.base import Adapter, PrepareReport, Problem, Progress
from zoo.data.dataset import SkeletonDataset, create_adapter, load_dataset, prepare
from zoo.data.recording import UNKNOWN_SUBJECT, Recording
from zoo.data.store import MANIFEST_FILE
from zoo.errors import ConfigError, DataError


class TextAdapter(Adapter):
    """Reads `N.txt` files: the number in them fills the positions; 'bad' is a fault."""

    name = "texts"
    layout = "kinect-v2"
    fps = 30.0
    score_range = (0.0, 50.0)
    exercises = MappingProxyType({"1": "one", "2": "two"})

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale

    def read(
        self, source: Path | None, report: PrepareReport, progress: Progress
    ) -> Iterator[Recording]:
        assert source is not None
        files = sorted(source.glob("*.txt"))
        for done, file in enumerate(files, start=1):
            try:
                value = self.scale * float(file.read_text())
            except ValueError:
                problem = Problem("not-a-number", file.name, 1, file.read_text(), "a number")
                report.skip(file.stem, problem)
            else:
                yield self.recording(file.stem, value)
            progress(done, len(files), file.stem)

    def recording(self, name: str, value: float) -> Recording:
        return Recording(
            id=name,
            subject=name[0],
            group="G",
            exercise=name[1],
            session="1",
            layout=self.layout,
            fps=self.fps,
            positions=moving(value),
            tracked=None if value > 20 else np.full((12, 25), 2, dtype=np.uint8),
            scores={"total": value} if value < 50 else {},
        )


def moving(value: float) -> NDArray[np.float32]:
    """Positions (12, 25, 3) of somebody whose first joint begins at `value`, ..., ...; upright."""
    x = np.random.default_rng(int(value)).uniform(0, 0.2, size=(12, 25, 3))
    x[:, :, 1] += np.linspace(0.0, 1.5, 25)
    x[:, list(range(12, 20)), 1] = -0.5
    x[:, 0, 0] = 0.0
    return (x + np.float32(value)).astype(np.float32)


class MadeAdapter(TextAdapter):
    """Needs no source."""

    needs_source = False
    made = 0

    def __init__(self, people: int = 2) -> None:
        super().__init__()
        self.people = people

    def read(
        self, source: Path | None, report: PrepareReport, progress: Progress
    ) -> Iterator[Recording]:
        type(self).made += 1
        for i in range(self.people):
            yield self.recording(f"{'abcdefgh'[i]}1", i)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    for name, text in {"a1": "1", "a2": "2", "b1": "30", "b2": "bad", "c1": "60"}.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


@pytest.fixture
def registered() -> Iterator[None]:
    register_dataset("texts")(TextAdapter)
    register_dataset("made")(MadeAdapter)
    MadeAdapter.made = 0
    yield
    DATASETS.forget("texts")
    DATASETS.forget("made")


def hidden(root: Path) -> list[str]:
    return sorted(f.name for f in root.iterdir() if f.name.startswith("."))


def test_prepare_and_open(source: Path, root: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    made = prepare(TextAdapter(), source, root, progress=lambda *p: seen.append(p))
    dataset = SkeletonDataset.open(root, "texts")
    assert dataset.fingerprint == made.fingerprint
    assert len(dataset) == 4
    assert [info.id for info in dataset.index] == ["a1", "a2", "b1", "c1"]
    assert (dataset.layout, dataset.fps, dataset.score_range) == ("kinect-v2", 30.0, (0.0, 50.0))
    one = dataset[2]
    assert isinstance(one, Recording)
    assert (one.subject, one.exercise, one.scores["total"]) == ("b", "1", 30.0)
    assert one.positions is not None
    assert np.array_equal(one.positions, moving(30.0))
    assert one.tracked is None
    assert [r.id for r in dataset] == ["a1", "a2", "b1", "c1"]
    assert dataset[-1].id == "c1"
    with pytest.raises(IndexError):
        dataset[4]
    assert seen == [(i, 5, n) for i, n in enumerate(["a1", "a2", "b1", "b2", "c1"], start=1)]


def test_the_manifest_says_what_was_skipped_and_why(source: Path, root: Path) -> None:
    manifest = prepare(TextAdapter(), source, root).manifest
    assert manifest["skipped"] == ["b2"]
    (problem,) = manifest["problems"]
    assert problem == {
        "kind": "not-a-number",
        "file": "b2.txt",
        "line": 1,
        "found": "bad",
        "expected": "a number",
        "recording": "b2",
        "skipped": True,
    }
    assert manifest["schema"] == 1
    assert manifest["source"] == str(source.resolve())
    assert manifest["seconds_reading"] >= 0
    json.loads((root / "texts" / MANIFEST_FILE).read_text())


def test_strict_is_an_error_and_leaves_nothing(source: Path, root: Path) -> None:
    with pytest.raises(DataError, match=r"b2: b2.txt, line 1: found bad, expected a number"):
        prepare(TextAdapter(), source, root, strict=True)
    assert hidden(root) == list(root.iterdir()) == []


def test_a_failed_prepare_keeps_the_old_store(source: Path, root: Path) -> None:
    old = prepare(TextAdapter(), source, root).fingerprint
    with pytest.raises(DataError):
        prepare(TextAdapter(scale=2), source, root, strict=True)
    assert SkeletonDataset.open(root, "texts").fingerprint == old
    assert prepare(TextAdapter(scale=2), source, root).fingerprint != old


def test_an_open_dataset_survives_its_replacement(source: Path, root: Path) -> None:
    old = prepare(TextAdapter(), source, root)
    first = old[0].positions
    assert first is not None
    prepare(TextAdapter(scale=3), source, root)
    assert first[0, 0, 0] == 1.0
    assert old[1].scores["total"] == 2.0
    new = SkeletonDataset.open(root, "texts")[0].positions
    assert new is not None
    assert new[0, 0, 0] == 3.0


def test_sources_that_cannot_be(tmp_path: Path, root: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        prepare(TextAdapter(), tmp_path / "absent", root)
    with pytest.raises(DataError, match="name their folder"):
        prepare(TextAdapter(), None, root)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no recording can be used"):
        prepare(TextAdapter(), tmp_path / "empty", root)
    (tmp_path / "empty" / "a1.txt").write_text("bad")
    with pytest.raises(DataError, match="the first fault: a1.txt, line 1"):
        prepare(TextAdapter(), tmp_path / "empty", root)


def test_a_root_that_cannot_be_written(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        prepare(TextAdapter(), source, tmp_path / "file")


def test_an_adapter_with_the_wrong_joints(source: Path, root: Path) -> None:
    adapter = TextAdapter()
    adapter.layout = "coco"
    with pytest.raises(DataError, match="has 25 joints of the layout 'coco', the dataset 17"):
        prepare(adapter, source, root)


def test_opening_what_is_not_there(root: Path) -> None:
    with pytest.raises(DataError, match="zoo.prepare_dataset..kimore., .DIR."):
        SkeletonDataset.open(root, "kimore")
    with pytest.raises(DataError, match="Did you mean 'kimore'"):
        SkeletonDataset.open(root, "kimor")


def test_opening_after_death_between_two_renames(source: Path, root: Path) -> None:
    made = prepare(TextAdapter(), source, root)
    (root / "texts").rename(root / ".texts.old-1234")
    assert SkeletonDataset.open(root, "texts").fingerprint == made.fingerprint


def test_select(source: Path, root: Path) -> None:
    dataset = prepare(TextAdapter(), source, root)

    def ids(**choice: Any) -> list[str]:
        chosen = dataset.select(**choice)
        assert [r.id for r in chosen] == [i.id for i in chosen.index]
        assert chosen.fingerprint == dataset.fingerprint
        return [info.id for info in chosen.index]

    assert [info.id for info in dataset.index] == ["a1", "a2", "b1", "c1"]
    assert ids() == ["a1", "a2", "b1"]
    assert ids(exercise="1") == ["a1", "b1"]
    assert [i.id for i in dataset.select("2").select().index] == ids(exercise="2")
    with pytest.raises(DataError, match="no recordings of exercise '7'; it has 1, 2"):
        dataset.select(exercise="7")
    assert dataset.subjects == ["a", "b", "c"]
    assert dataset.exercises == ["1", "2"]
    assert dataset.subjects_known
    assert dataset.recording("b1").scores == {"total": 30.0}
    with pytest.raises(DataError, match="no recording 'b7'"):
        dataset.recording("b7")


def test_unknown_people_are_told(tmp_path: Path, root: Path) -> None:
    class Nameless(MadeAdapter):
        def recording(self, name: str, value: float) -> Recording:
            made = super().recording(name, value)
            return Recording(**{**made.__dict__, "subject": UNKNOWN_SUBJECT})

    assert not prepare(Nameless(), None, root).subjects_known


def test_a_pickled_dataset(source: Path, root: Path) -> None:
    dataset = prepare(TextAdapter(), source, root).select(exercise="1")
    again = pickle.loads(pickle.dumps(dataset))
    assert [r.id for r in again] == ["a1", "b1"]
    assert np.array_equal(again[1].positions, dataset[1].positions)


@pytest.mark.usefixtures("registered")
def test_load_dataset(source: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="texts is not prepared"):
        load_dataset("texts", root)
    with pytest.raises(RegistryError, match="no dataset is called 'textes'"):
        load_dataset("textes", root)
    prepare(create_adapter("texts"), source, root)
    assert len(load_dataset("texts", root)) == 4
    monkeypatch.setenv("ZOO_DATA", str(root))
    assert len(load_dataset("texts")) == 4
    monkeypatch.setattr(TextAdapter, "version", 2)
    with pytest.raises(DataError, match="by version 1 of its reader, now version 2"):
        load_dataset("texts", root)


@pytest.mark.usefixtures("registered")
def test_load_dataset_with_other_parameters(source: Path, root: Path) -> None:
    prepare(create_adapter("texts", scale=2.0), source, root)
    assert load_dataset("texts", root, scale=2.0)[0].scores["total"] == 2.0
    with pytest.raises(DataError, match=r"with \{'scale': 2.0\}, now \{'scale': 3.0\}"):
        load_dataset("texts", root, scale=3.0)
    with pytest.raises(ConfigError, match="has no key 'scales'. Did you mean 'scale'"):
        load_dataset("texts", root, scales=3.0)


@pytest.mark.usefixtures("registered")
def test_a_dataset_without_a_source_is_made_once(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_dataset("made", root)
    assert (len(first), MadeAdapter.made) == (2, 1)
    assert load_dataset("made", root).fingerprint == first.fingerprint
    assert MadeAdapter.made == 1
    more = load_dataset("made", root, people=3)
    assert (len(more), MadeAdapter.made) == (3, 2)
    assert (len(load_dataset("made", root)), len(load_dataset("made", root, people=3))) == (2, 3)
    assert MadeAdapter.made == 2
    data = first.folder / "data.safetensors"
    data.write_bytes(data.read_bytes()[:-1])
    assert len(load_dataset("made", root)) == 2
    assert MadeAdapter.made == 3
    monkeypatch.setattr(MadeAdapter, "version", 2)
    assert load_dataset("made", root).manifest["adapter"]["version"] == 2
    assert MadeAdapter.made == 4


def test_the_registered_adapters_are_complete() -> None:
    for name in ("kimore", "stgcn-rehab"):
        adapter = create_adapter(name)
        assert adapter.name == name
        for text in (adapter.title, adapter.citation, adapter.licence, adapter.url):
            assert text


def test_reading_needs_no_torch() -> None:
    code = (
        "import sys, zoo.data.dataset, zoo.data.summary, zoo.data.adapters.kimore\n"
        "import zoo.data.adapters.stgcn_rehab\n"
        "sys.exit('torch' in sys.modules or 'scipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_waiting_is_told_and_the_result_of_the_other_is_used(root: Path) -> None:
    started, go = threading.Event(), threading.Event()
    waited: list[bool] = []

    class Slow(MadeAdapter):
        name = "slow"
        made = 0

        def read(self, *args: Any) -> Iterator[Recording]:
            started.set()
            go.wait(10)
            yield from super().read(*args)

    thread = threading.Thread(target=lambda: prepare(Slow(), None, root))
    thread.start()
    started.wait(10)

    def on_wait() -> None:
        waited.append(True)
        go.set()

    there = prepare(
        Slow(people=5),
        None,
        root,
        on_wait=on_wait,
        unless=lambda: SkeletonDataset.open(root, "slow"),
    )
    thread.join()
    assert waited == [True]
    assert len(there) == 2
    assert Slow.made == 1

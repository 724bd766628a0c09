"""Every reader of files from outside, given damaged ones: told, never thrown, nothing waits.

The campaign (``-m slow``) does the same with many more; `damage.py` says what is done to a file.
"""

import importlib.util
import json
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import zoo
from registry import catalogues, use_config_dir
from registry.yaml_files import read_yaml, to_yaml
from zoo.board.check import check_store
from zoo.compose import compose
from zoo.data.dataset import SkeletonDataset, create_adapter, prepare
from zoo.data.manifest import MANIFEST_FILE
from zoo.data.store import DATA_FILE
from zoo.experiments.definition import Experiment
from zoo.protocol.protocol import load_protocol
from zoo.report.publish import document
from zoo.runs.find import read_runs
from zoo.skeleton import load_layout
from zoo.training.checkpoint import Checkpoint, read_checkpoint, save_resumable
from zoo.training.report import EpochRow


def _damage() -> Any:
    file = Path(__file__).with_name("damage.py")
    spec = importlib.util.spec_from_file_location("damage", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["damage"] = module
    spec.loader.exec_module(module)
    return module


damage = _damage()
COUNTS = [pytest.param(2, id="some"), pytest.param(300, id="many", marks=pytest.mark.slow)]
RUN_FILES = (
    "run.json", "config.yaml", "predictions.csv", "history.csv", "split.json", "checkpoint.json",
    "checkpoint.safetensors",
)  # fmt: skip


def damaged(file: Path, count: int) -> Iterator[str]:
    """Writes one damaged form of `file` after the other, says which; at the end it is sound."""
    sound, chance = file.read_bytes(), random.Random()
    seed = chance.getrandbits(32)
    chance.seed(seed)
    forms: list[tuple[str, bytes]] = list(damage.cuts(sound, chance, count // 2))
    if file.suffix == ".json":
        made = damage.structures(json.loads(sound), chance, count)
        forms += [(what, text.encode()) for what, text in made]
    elif file.suffix == ".yaml":
        made = damage.structures(yaml.safe_load(sound), chance, count)
        forms += [("bomb", damage.BOMB.encode()), *((w, text.encode()) for w, text in made)]
    elif file.suffix == ".csv":
        forms += damage.texts(sound, chance, count)
    for what, content in forms:
        file.write_bytes(content)
        yield f"{file.name}: {what} (seed {seed})"
    for kind in damage.SPECIAL if count > 100 else chance.sample(damage.SPECIAL, 2):
        file.write_bytes(sound)
        with damage.special_file(file, kind):
            yield f"{file.name}: {kind}"
    file.write_bytes(sound)


def require_told(file: Path, read: Callable[[], Any], count: int, capsys: Any) -> None:
    """`read` takes or refuses every damaged form of `file`, and takes the sound one again."""
    assert damage.told(read) is None
    outcomes = [damage.told(read, what) for what in damaged(file, count)]
    refused = [message for message in outcomes if message is not None]
    assert len(refused) >= 2  # what is no file, at least
    assert damage.told(read) is None
    with capsys.disabled():
        if count > 100:
            print(f"\n{file.name}: {len(outcomes)} mutants, {len(refused)} refused with a reason")


# One bad run among good ones.


@pytest.fixture
def store(make_store: Callable[..., Any]) -> Any:
    store = make_store(exercises=("5",))
    store.entry("mean", constant=True)
    store.entry("stgcn")
    (section,) = zoo.leaderboard(store.root).sections
    store.good = {entry.name: entry.mad for entry in section.ranked}
    store.victim = store.entry("gru")[0]
    return store


def require_ranked(store: Any) -> None:
    """The good entries are ranked as ever whatever the bad run is; the checker goes through."""
    board = zoo.leaderboard(store.root)
    for kind in ("md", "csv", "json"):
        document(board, kind)
    ranked = {e.name: e.mad for s in board.sections for e in s.ranked}
    assert {name: ranked.get(name) for name in store.good} == store.good
    runs, findings = check_store(store.root)
    assert runs >= 5
    assert all(len(finding.fault) < damage.LONGEST_MESSAGE for finding in findings)
    assert not any("Error(" in finding.fault for finding in findings), findings


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", RUN_FILES)
def test_one_bad_run_does_not_end_the_board(
    store: Any, name: str, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = 0
    for what in damaged(store.victim / name, count):
        assert damage.told(lambda: require_ranked(store), what) is None
        outcomes += 1
    with capsys.disabled():
        if count > 100:
            print(f"\n{name}: {outcomes} mutants, the others ranked each time")


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("predictions.csv", "folder", "predictions.csv is a folder, expected a file"),
        ("predictions.csv", "pipe", "predictions.csv is a pipe, expected a file"),
        ("predictions.csv", "device", "predictions.csv is a device, expected a file"),
        ("predictions.csv", "link to nothing", "predictions.csv does not exist"),
        ("predictions.csv", "huge", "more than the 500000000 it may have"),
        ("run.json", "huge", "more than the 64000000 it may have"),
    ],
)
def test_such_a_run_is_listed_with_its_reason(
    store: Any, name: str, kind: str, reason: str
) -> None:
    with damage.special_file(store.victim / name, kind):
        board = zoo.leaderboard(store.root)
        _, findings = check_store(store.root)
    (left_out,) = board.unreadable
    assert left_out.path == store.victim.relative_to(store.root).as_posix()
    assert reason in left_out.reason
    assert any(f.path == store.victim and reason in f.fault for f in findings)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("seed: 0\nfold: 0\n", "config.yaml: lacks model, dataset, protocol, trainer"),
        ("dataset: 5\n", "config.yaml: dataset is 5, expected keys and values"),
        ("model: {name: 5}\n", "config.yaml: model.name is '5', expected text"),
        (damage.BOMB, "more than 200000 values, aliases counted in full"),
        ("a: " + "[" * 100_000, "more than 50 containers within each other"),
    ],
)
def test_the_checker_says_what_is_wrong_with_a_configuration(
    store: Any, change: str, reason: str
) -> None:
    file = store.victim / "config.yaml"
    text = file.read_text() if change.startswith(("dataset", "model")) else ""
    if text:
        block = change.partition(":")[0]
        values = {**read_yaml(file), **yaml.safe_load(change)}
        assert block in values
        text = yaml.safe_dump(values)
    file.write_text(text or change)
    _, findings = check_store(store.root)
    assert any(reason in f.fault for f in findings if f.path == store.victim), findings


def test_a_segment_number_of_thousands_of_digits(store: Any) -> None:
    file = store.victim / "predictions.csv"
    head, first, *rest = file.read_text().splitlines()
    cells = first.split(",")
    cells[4] = "9" * 5000
    file.write_text("\n".join([head, ",".join(cells), *rest]) + "\n")
    _, (unreadable,) = read_runs(store.root)
    assert "line 2: sample '99999" in unreadable.reason
    assert "is no whole number below a billion" in unreadable.reason
    require_ranked(store)


@pytest.mark.parametrize(
    ("block", "key", "value", "reason"),
    [
        (
            "dataset",
            "params",
            {"exercise": None},
            "gru on kimore/None, person-kfold fold 0, seed 0",
        ),
        ("dataset", "params", {"exercise": "9"}, "gru on kimore/9, person-kfold fold 0, seed 0"),
        (None, "fold", 7, "gru on kimore/5, person-kfold fold 7, seed 0"),
        (None, "seed", 3, "gru on kimore/5, person-kfold fold 0, seed 3"),
        (
            None,
            "key_hash",
            "0" * 64,
            "key_hash is '000000000000'…, the settings and data beside it",
        ),
        ("protocol", "params", {"split": "person-kfold"}, "key_hash is"),
        ("protocol", "folds", 0, "fold is 0, expected one of the protocol's 0"),
    ],
)
def test_a_run_that_claims_to_be_another_is_listed_and_the_others_are_ranked(
    store: Any, block: str | None, key: str, value: Any, reason: str
) -> None:
    file = store.victim / "run.json"
    record = json.loads(file.read_text())
    (record if block is None else record[block])[key] = value
    file.write_text(json.dumps(record))
    (left_out,) = zoo.leaderboard(store.root).unreadable
    assert left_out.path == store.victim.relative_to(store.root).as_posix()
    assert reason in left_out.reason
    require_ranked(store)


@pytest.mark.parametrize(
    ("block", "key", "value", "reason"),
    [
        ("protocol", "folds", 9000, "it says that there are 9000 folds, 2 are"),
        ("dataset", "binary", True, "of the range or kind of the scores, no other entry does"),
        (
            "dataset",
            "score_range",
            [0, 1],
            "of the range or kind of the scores, no other entry does",
        ),
    ],
)
def test_a_run_that_says_of_the_data_what_no_other_does_is_not_ranked(
    store: Any, block: str, key: str, value: Any, reason: str
) -> None:
    file = store.victim / "run.json"
    record = json.loads(file.read_text())
    record[block][key] = value
    file.write_text(json.dumps(record))
    require_ranked(store)
    (section,) = zoo.leaderboard(store.root).sections
    assert section.score_range == (0, 50)
    (left_out,) = section.incomplete
    assert left_out.name == "gru"
    assert reason in left_out.reason


def test_people_of_another_name_in_one_run(store: Any) -> None:
    file = store.victim / "predictions.csv"
    file.write_text(file.read_text().replace("P002,", "Q002,"))
    require_ranked(store)
    (section,) = zoo.leaderboard(store.root).sections
    (left_out,) = section.incomplete
    assert "its people or true scores are not those of the other entries" in left_out.reason


# Prepared datasets.


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", [MANIFEST_FILE, DATA_FILE])
def test_a_damaged_store_is_told(
    tmp_path: Path, name: str, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(create_adapter("synthetic", people=2, repetitions=1), None, tmp_path)
    file = tmp_path / "synthetic" / name

    def read() -> None:
        for recording in SkeletonDataset.open(tmp_path, "synthetic"):
            assert recording.num_frames

    require_told(file, read, count, capsys)


# Checkpoints, finished and half done.


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", ["resume.json", "tensors"])
def test_a_damaged_checkpoint_is_told(
    tmp_path: Path, name: str, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    config = compose(model="gru", dataset="synthetic", exercise="1")
    key = {"config": config, "fingerprint": "f", "layout": "kinect-v2", "protocol_hash": "p"}
    row = EpochRow(1, 0.1, 2.0, None, 0.5)
    tensors = {"model": {"weight": torch.zeros(3, 4)}}
    made = Checkpoint(key, "s" * 64, [row], 0, float("inf"), {"torch": "2"}, [{}], tensors=tensors)
    sidecar = tmp_path / "resume.json"
    save_resumable(made, sidecar)
    (beside,) = tmp_path.glob("*.safetensors")
    file = sidecar if name == "resume.json" else beside
    require_told(file, lambda: read_checkpoint(sidecar), count, capsys)


# YAML of users.


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize(
    ("kind", "name", "read"),
    [
        ("layout", "kinect-v2", lambda: load_layout("kinect-v2")),
        ("protocol", "person-kfold", lambda: load_protocol("person-kfold")),
        ("dataset", "synthetic", lambda: create_adapter("synthetic")),
        ("model", "stgcn", lambda: compose(model="stgcn")),
        ("experiment", "own", lambda: Experiment.load("own")),
    ],
    ids=["layout", "protocol", "dataset", "model", "experiment"],
)
def test_a_damaged_entry_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    name: str,
    read: Callable[[], Any],
    count: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(catalogues, "_user_dirs", [])
    own = Path(__file__).parents[1] / "configs" / kind / f"{name}.yaml"
    folder = tmp_path / "configs" / kind
    folder.mkdir(parents=True)
    file = folder / f"{name}.yaml"
    if own.is_file():
        file.write_bytes(own.read_bytes())
    else:
        file.write_text(
            to_yaml({"dataset": "synthetic", "exercises": [1], "seeds": [0], "rows": ["mean"]})
        )

    def again() -> None:
        use_config_dir(tmp_path / "configs")
        read()

    require_told(file, again, count, capsys)

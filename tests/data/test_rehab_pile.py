"""Rehab-Pile on made-up sets in the published form.

What is known of that form, and from where:

- folders ``SET/info.json``, ``SET/foldK/{x,y}_{train,test}_foldK.npy``, keys ``length_TS``,
  ``n_joints``, ``dim`` or ``n_dim``, ``max_score_value`` (100 if missing), commas before closing
  brackets, channels as joints × coordinates, labels (N,) or (N, 1): `load_regression_data` and
  `load_classification_data` in deep_rehab_pile/utils/_utils.py of MSD-IRIMAS/DeepRehabPile;
- ``kinematic_tree``, chains of joint numbers: its _main_regression.py and classifiers/_stgcn.py;
- x as (samples, n_joints × n_dim, length_TS): aeon/datasets/tests/test_rehabpile_loader.py;
- folders ``K`` in place of ``foldK``: where aeon/datasets/rehabpile_loader.py keeps its downloads;
- folders ``COLLECTION/EXERCISE`` in place of ``COLLECTION_EXERCISE``: where the same file downloads
  from, and datasets/get_datasets.sh;
- object arrays among the files: aeon issue 3517 and pull request 3521.

That training parts hold what other folds test is not published; the reader checks it.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import zoo
from registry import use_config_dir
from zoo.cli.main import main
from zoo.data.adapters.rehab_pile import RehabPileAdapter, numbered_layout
from zoo.data.adapters.rehab_pile_set import find_set
from zoo.data.columns import Columns
from zoo.data.dataset import SkeletonDataset, create_adapter, prepare
from zoo.errors import ConfigError, DataError, LayoutError, ZooError
from zoo.protocol.protocol import load_protocol
from zoo.skeleton.layout import load_layout

FOLDS, TESTED, FRAMES, JOINTS = 3, 4, 14, 5
TREE = [[2, 1, 0], [2, 3, 4]]
INFO = (
    '{{"length_TS": {frames}, "n_joints": {joints}, "n_dim": {dims}, "max_score_value": 50,\n'
    '"kinematic_tree": [[2, 1, 0], [2, 3, 4],],}}'
)
LAYOUT = """joints:
  - {name: joint00, parent: joint01}
  - {name: joint01, parent: joint02}
  - {name: joint02, parent: null}
  - {name: joint03, parent: joint02}
  - {name: joint04, parent: joint03}
"""

Samples = tuple[NDArray[Any], NDArray[Any]]


def make_set(
    folder: Path, dims: int = 3, labels: Callable[[NDArray[Any]], Any] = np.asarray
) -> Path:
    """A set whose scores from 0 to 50 are seen in how far the last joint moves."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(FOLDS * TESTED, JOINTS, dims, FRAMES))
    scores = np.linspace(2, 48, len(x)).round(1)[rng.permutation(len(x))]
    x[:, -1] *= scores[:, None, None] / 20
    x, y = x.reshape(len(x), -1, FRAMES), labels(scores)
    folder.mkdir(parents=True)
    info = INFO.format(frames=FRAMES, joints=JOINTS, dims=dims)
    (folder / "info.json").write_text(info)
    fold = np.arange(len(x)) % FOLDS
    for k in range(FOLDS):
        save(folder, k, "train", (x[fold != k], y[fold != k]))
        save(folder, k, "test", (x[fold == k], y[fold == k]))
    return folder


def path(folder: Path, axis: str, part: str, k: int) -> Path:
    return folder / f"fold{k}" / f"{axis}_{part}_fold{k}.npy"


def save(folder: Path, k: int, part: str, samples: Samples) -> None:
    for axis, array in zip("xy", samples, strict=True):
        path(folder, axis, part, k).parent.mkdir(exist_ok=True)
        np.save(path(folder, axis, part, k), array, allow_pickle=True)


def load(folder: Path, k: int, part: str) -> Samples:
    x, y = (np.load(path(folder, axis, part, k)) for axis in "xy")
    return x, y


def right_or_wrong(scores: NDArray[Any]) -> NDArray[np.int64]:
    return (scores > 25).astype(np.int64)


def ready(source: Path, root: Path, strict: bool = False, **params: Any) -> SkeletonDataset:
    """`source` prepared below `root`, which holds the layout `numbered` too."""
    return prepare(RehabPileAdapter("numbered", **params), source, root, strict)


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of configs with the layout `numbered`."""
    monkeypatch.setattr("registry.catalogues._user_dirs", [])
    (tmp_path / "configs" / "layout").mkdir(parents=True)
    (tmp_path / "configs" / "layout" / "numbered.yaml").write_text(LAYOUT)
    use_config_dir(tmp_path / "configs")
    return tmp_path / "configs"


@pytest.fixture
def scored(tmp_path: Path, user: Path) -> Path:
    return make_set(tmp_path / "regression" / "KIMORE_reg_LA")


@pytest.fixture
def classes(tmp_path: Path, user: Path) -> Path:
    return make_set(tmp_path / "classification" / "IRDS_clf_bn_EFL", labels=right_or_wrong)


def test_a_set_of_scores(scored: Path, tmp_path: Path) -> None:
    dataset = ready(scored, tmp_path, strict=True)
    assert len(dataset) == FOLDS * TESTED
    assert dataset.subjects == ["fold0", "fold1", "fold2"]
    assert (dataset.layout, dataset.binary, dataset.score_range) == ("numbered", False, (0, 50))
    assert dataset.manifest["exercises"] == {"LA": "KIMORE_reg_LA"}
    for k in range(FOLDS):
        x, y = load(scored, k, "test")
        for row in range(TESTED):
            recording = dataset.recording(f"KIMORE_reg_LA/fold{k}-{row:03d}")
            assert (recording.subject, recording.exercise) == (f"fold{k}", "LA")
            assert recording.scores == {"total": y[row]}
            expected = x[row].reshape(JOINTS, 3, FRAMES).transpose(2, 0, 1)
            assert recording.positions is not None
            np.testing.assert_array_equal(recording.positions, expected.astype(np.float32))
    assert any("does not say who performs" in note for note in dataset.manifest["notes"])
    assert any("neither units nor a frame rate" in note for note in dataset.manifest["notes"])


def test_the_published_folds_are_those_of_the_protocol(scored: Path, tmp_path: Path) -> None:
    dataset = ready(scored, tmp_path)
    protocol = load_protocol("rehab-pile")
    assert protocol.split.num_folds(Columns.of(dataset.index)) == FOLDS
    for k in range(FOLDS):
        fold = protocol.fold(dataset, k, ["position"])
        for part in ("train", "test"):
            _, y = load(scored, k, part)
            assert sorted(fold.subset(part).target.tolist()) == sorted(
                y.astype(np.float32).tolist()
            )
        assert fold.split.persons("validation") == []
        assert fold.samples.streams["position"].shape[1] == FRAMES


def test_a_set_of_classes(classes: Path, tmp_path: Path) -> None:
    dataset = ready(classes, tmp_path, right=1)
    assert dataset.binary
    assert dataset.score_range == (0, 1)
    y = [load(classes, k, "test")[1][row] for k in range(FOLDS) for row in range(TESTED)]
    assert [r.scores["total"] for r in dataset] == y
    assert [r.extra["label"] for r in dataset] == [str(label) for label in y]
    other = ready(classes, tmp_path, right="0")
    assert [r.scores["total"] for r in other] == [1 - label for label in y]


def test_classes_in_words_and_in_a_column(tmp_path: Path, user: Path) -> None:
    words = make_set(
        tmp_path / "KERAAL_clf_mc_CTK", labels=lambda s: np.array(["A", "B", "C"])[np.int64(s) % 3]
    )
    dataset = ready(words, tmp_path, right="B")
    assert all(r.scores["total"] == (r.extra["label"] == "B") for r in dataset)
    column = make_set(
        tmp_path / "UCDHE_clf_bn_MP", labels=lambda s: right_or_wrong(s)[:, None].astype(float)
    )
    assert {r.extra["label"] for r in ready(column, tmp_path, right=1)} == {"0", "1"}


def test_which_class_is_right_is_asked(classes: Path, scored: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"does not say which class is right.* 0 \(6 samples\), 1 "):
        ready(classes, tmp_path)
    with pytest.raises(DataError, match="there is no class 2"):
        ready(classes, tmp_path, right=2)
    with pytest.raises(ConfigError, match="KIMORE_reg_LA holds scores, not classes"):
        ready(scored, tmp_path, right=1)


def test_other_places_of_a_set(scored: Path, tmp_path: Path) -> None:
    expected = ready(scored, tmp_path).fingerprint
    assert ready(scored.parent, tmp_path).fingerprint == expected
    served = shutil.copytree(scored, tmp_path / "KIMORE_reg" / "LA")
    assert ready(served, tmp_path).fingerprint == expected
    aeon = shutil.copytree(scored, tmp_path / "aeon" / "KIMORE_reg_LA")
    for k in range(FOLDS):
        (aeon / f"fold{k}").rename(aeon / str(k))
    assert ready(aeon, tmp_path).fingerprint == expected
    shutil.copytree(scored, scored.parent / "KIMORE_reg_LT")
    with pytest.raises(DataError, match=r"2 sets, name one of them: KIMORE_reg_LA, KIMORE_reg_LT"):
        ready(scored.parent, tmp_path)
    with pytest.raises(DataError, match="is no set of Rehab-Pile"):
        ready(scored / "fold0", tmp_path)
    renamed = scored.rename(tmp_path / "arms")
    with pytest.raises(DataError, match="Keep the archive's names"):
        ready(renamed, tmp_path)


def test_flat_skeletons_and_older_keys(tmp_path: Path, user: Path) -> None:
    flat = make_set(tmp_path / "UCDHE_reg_MP", dims=2)
    info = {"length_TS": FRAMES, "n_joints": JOINTS, "dim": 2, "kinematic_tree": TREE}
    (flat / "info.json").write_text(json.dumps(info))
    dataset = ready(flat, tmp_path)
    assert dataset.score_range == (0, 100)
    positions = dataset[0].positions
    assert positions is not None
    assert positions.shape == (FRAMES, JOINTS, 3)
    assert not positions[..., 2].any()
    assert positions[..., :2].all()
    assert any("flat" in note for note in dataset.manifest["notes"])


def test_object_arrays(scored: Path, tmp_path: Path) -> None:
    expected = ready(scored, tmp_path).fingerprint
    for k in range(FOLDS):
        for part in ("train", "test"):
            x, y = load(scored, k, part)
            rows = np.empty(len(x), dtype=object)
            rows[:] = list(x)
            save(scored, k, part, (rows, y.astype(object)))
    with pytest.raises(DataError, match=r"x_test_fold0\.npy: .*pickled.*refused\. objects=plain"):
        ready(scored, tmp_path)
    assert ready(scored, tmp_path, objects="plain").fingerprint == expected


def test_the_skeleton_is_asked_and_can_be_numbered(
    scored: Path, tmp_path: Path, user: Path
) -> None:
    with pytest.raises(DataError, match=r"numbers its 5 joints.*numbered \(the same bones\)") as e:
        prepare(RehabPileAdapter(), scored, tmp_path)
    text = str(e.value).partition("\n\n")[2]
    (user / "layout" / "rehab_pile_5.yaml").write_text(text)
    use_config_dir(user)
    assert load_layout("rehab_pile_5").joints == load_layout("numbered").joints
    assert load_layout("rehab_pile_5").parents == (1, 2, -1, 2, 3)
    assert "KIMORE_reg_LA/info.json" in load_layout("rehab_pile_5").source
    with pytest.raises(DataError, match="5 joints, the layout kinect-v2 25"):
        prepare(RehabPileAdapter("kinect-v2"), scored, tmp_path)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (None, "it has no kinematic_tree"),
        ([], "it has no kinematic_tree"),
        ([[0, 1, 2]], "has 2 bones, a tree of 5 joints has 4"),
        ([[0, 1, 2, 0], [3, 4]], "does not hang together"),
    ],
)
def test_trees_that_are_none(scored: Path, tmp_path: Path, tree: Any, message: str) -> None:
    info = {"length_TS": FRAMES, "n_joints": JOINTS, "n_dim": 3}
    (scored / "info.json").write_text(
        json.dumps(info | ({} if tree is None else {"kinematic_tree": tree}))
    )
    with pytest.raises(LayoutError, match=message):
        numbered_layout("five", find_set(scored))
    with pytest.raises(DataError, match=message):
        prepare(RehabPileAdapter(), scored, tmp_path)
    notes = ready(scored, tmp_path).manifest["notes"]
    assert any("are not those of kinematic_tree" in note for note in notes) == bool(tree)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_joints": None}, "n_joints is missing"),
        ({"n_joints": 2.5}, r"n_joints is 2\.5"),
        ({"n_dim": 4}, "n_dim is 4, expected a whole number from 2 to 3"),
        ({"length_TS": True}, "length_TS is True"),
        ({"max_score_value": 0}, "max_score_value is 0"),
        ({"kinematic_tree": [[0, 5]]}, "kinematic_tree is .* from 0 to 4"),
        ({"length_TS": 15}, r"shape is \(4, 15, 14\), expected \(samples, 15, 15\)"),
    ],
)
def test_descriptions_that_cannot_be_used(
    scored: Path, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    info = {"length_TS": FRAMES, "n_joints": JOINTS, "n_dim": 3, "kinematic_tree": TREE, **change}
    kept = {key: value for key, value in info.items() if value is not None}
    (scored / "info.json").write_text(json.dumps(kept))
    with pytest.raises(DataError, match=message):
        ready(scored, tmp_path)
    for text in ("[1]", "{"):
        (scored / "info.json").write_text(text)
        with pytest.raises(DataError, match=r"info\.json"):
            ready(scored, tmp_path)


def drop_file(folder: Path) -> None:
    path(folder, "y", "test", 1).unlink()


def drop_fold(folder: Path) -> None:
    shutil.rmtree(folder / "fold1")


def drop_last_fold(folder: Path) -> None:
    shutil.rmtree(folder / "fold2")


def drop_label(folder: Path) -> None:
    x, y = load(folder, 0, "train")
    save(folder, 0, "train", (x, y[:-1]))


def other_axes(folder: Path) -> None:
    x, y = load(folder, 0, "test")
    save(folder, 0, "test", (x.transpose(0, 2, 1), y))


def words_for_numbers(folder: Path) -> None:
    x, y = load(folder, 0, "test")
    save(folder, 0, "test", (x.astype("U4"), y))


def words_for_scores(folder: Path) -> None:
    x, y = load(folder, 0, "test")
    save(folder, 0, "test", (x, y.astype("U4")))


def shared_by_two_folds(folder: Path) -> None:
    x, y = load(folder, 1, "test")
    x[2] = load(folder, 0, "test")[0][3]
    save(folder, 1, "test", (x, y))


def trained_on_its_test(folder: Path) -> None:
    x, y = load(folder, 2, "train")
    x[5], y[5] = (a[1] for a in load(folder, 2, "test"))
    save(folder, 2, "train", (x, y))


def another_sample(folder: Path) -> None:
    x, y = load(folder, 2, "train")
    x[5] += 1e-3
    save(folder, 2, "train", (x, y))


def another_label(folder: Path) -> None:
    x, y = load(folder, 2, "train")
    y[5] = 49
    save(folder, 2, "train", (x, y))


def trained_twice(folder: Path) -> None:
    x, y = load(folder, 2, "train")
    x[5], y[5] = x[4], y[4]
    save(folder, 2, "train", (x, y))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (drop_file, r"y_test_fold1\.npy: no such file"),
        (drop_fold, "found the folds fold0, fold2, expected all of"),
        (drop_last_fold, r"x_train_fold0\.npy: sample 1 is tested by no fold.*there are 2"),
        (drop_label, r"y_train_fold0\.npy: 7 labels for 8 samples of x_train_fold0\.npy"),
        (other_axes, r"shape is \(4, 14, 15\), expected \(samples, 15, 14\)"),
        (words_for_numbers, r"x_test_fold0\.npy: it holds <U4 values, expected numbers"),
        (words_for_scores, r"y_test_fold0\.npy: it holds <U4 values, expected scores"),
        (
            shared_by_two_folds,
            r"x_test_fold1\.npy: sample 2 is sample 3 of x_test_fold0\.npy: two folds",
        ),
        (trained_on_its_test, r"x_train_fold2\.npy: sample 5 is sample 1 of x_test_fold2\.npy"),
        (another_sample, r"x_train_fold2\.npy: sample 5 is tested by no fold"),
        (another_label, r"sample 5 has the label 49, but where it is tested"),
        (trained_twice, r"sample 5 has the label .*, but it is there too often"),
    ],
)
def test_sets_that_contradict_themselves(
    scored: Path, tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    spoil(scored)
    with pytest.raises(DataError, match=message):
        ready(scored, tmp_path)
    assert not (tmp_path / "rehab-pile").exists()


def test_a_shorter_training_part_is_noted(scored: Path, tmp_path: Path) -> None:
    x, y = load(scored, 0, "train")
    save(scored, 0, "train", (x[:-2], y[:-2]))
    notes = ready(scored, tmp_path).manifest["notes"]
    assert any("x_train_fold0.npy lacks 2 samples" in note for note in notes)


def test_faults_of_single_samples(scored: Path, tmp_path: Path) -> None:
    for k in range(FOLDS):
        for part in ("train", "test"):
            x, y = load(scored, k, part)
            x[y == 48, 4, 3] = np.nan
            y[y == 2] = -1
            save(scored, k, part, (x, y))
    dataset = ready(scored, tmp_path)
    problems = dataset.manifest["problems"]
    skipped = [p for p in problems if p["kind"] == "not-a-number"]
    assert len(skipped) == FOLDS * TESTED - len(dataset) > 0
    assert "joint 1, frame 3" in skipped[0]["found"]
    unscored = [p for p in problems if p["kind"] == "label"]
    assert len(unscored) == sum(not info.scored for info in dataset.index) > 0
    assert (unscored[0]["found"][:2], unscored[0]["expected"]) == ("-1", "a score from 0 to 50")
    with pytest.raises(DataError, match="strict"):
        ready(scored, tmp_path, strict=True)


@pytest.mark.parametrize("params", [{"objects": "run"}, {"fps": 0}, {"fps": True}])
def test_settings_out_of_range(params: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(params))} is"):
        create_adapter("rehab-pile", **params)


def test_the_card_says_what_is_not_known() -> None:
    adapter = create_adapter("rehab-pile")
    assert (adapter.name, adapter.title) == ("rehab-pile", "Rehab-Pile, one set")
    assert "2507.21018" in adapter.citation
    with pytest.raises(ZooError, match="Did you mean 'right'"):
        create_adapter("rehab-pile", rigth=1)


def test_from_the_command_line_to_a_model(
    classes: Path, tmp_path: Path, user: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = ["--data-root", str(tmp_path / "data")]
    source = ["data", "prepare", "rehab-pile", "--source", str(classes), *root]
    assert main(source) == 2
    assert "  - {name: joint02, parent: null}" in capsys.readouterr().err
    assert main([*source, "layout=numbered", "right=1"]) == 0
    assert "12 recordings of 3 people, 12 with a score" in capsys.readouterr().out
    run = zoo.train(
        "ridge-motion",
        "rehab-pile",
        protocol="rehab-pile",
        fold=2,
        overrides={"trainer.threads": 1},
        runs=tmp_path / "runs",
        data_root=tmp_path / "data",
    )
    assert run.record.dataset.binary
    assert {name.partition("-")[0] for name in run.scores.of("test").recording} == {
        "IRDS_clf_bn_EFL/fold2"
    }

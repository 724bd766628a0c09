"""Two models person by person, by name or by folder, and what is refused."""

import pytest

from zoo.board.compare import compare
from zoo.errors import DataError


@pytest.fixture
def store(make_store):
    store = make_store(persons=24)
    store.entry("d2sta", seeds=(0, 1), error=1.0)
    store.entry("stgcn", error=6.0)
    return store


def test_the_better_model_is_named(store):
    found = compare("d2sta", "stgcn", store.root)
    assert not found.tied
    assert found.verdict.startswith("d2sta is better than stgcn by")
    assert "24 people" in found.verdict
    assert found.places == "exercise 1, folds 0-1; exercise 5, folds 0-1"
    assert len(found.persons) == 24
    sizes = [abs(pair.difference) for pair in found.persons]
    assert sizes == sorted(sizes, reverse=True)
    assert list(found.exercises) == ["1", "5"]
    assert all(a < b for a, b in found.exercises.values())
    assert found.test.difference < 0


def test_the_order_of_the_names_turns_the_sign_and_not_the_verdict(store):
    one, other = compare("d2sta", "stgcn", store.root), compare("stgcn", "d2sta", store.root)
    assert one.test.difference == pytest.approx(-other.test.difference)
    assert other.verdict.startswith("d2sta is better than stgcn by")


def test_equal_models_are_tied(store):
    found = compare("d2sta", "d2sta", store.root)
    assert found.tied
    assert "tied" in found.verdict
    assert found.a != found.b


def test_two_folders(store):
    a = next(store.root.glob("kimore/1/*/d2sta/fold0-seed0-*"))
    b = next(store.root.glob("kimore/1/*/d2sta/fold0-seed1-*"))
    found = compare(str(a), str(b), store.root)
    assert found.a.startswith("d2sta, fold0-seed0")
    assert found.places == "exercise 1, fold 0"
    assert len(found.persons) == 12


def test_a_name_and_a_folder_are_compared_where_both_are(store):
    folder = next(store.root.glob("kimore/1/*/stgcn/fold1-seed0-*"))
    found = compare("d2sta", str(folder), store.root)
    assert found.places == "exercise 1, fold 1"
    assert (found.a, found.b) == ("d2sta", "stgcn")


def test_what_only_one_has_is_left_out(store):
    store.run("gru", "1", 0)
    found = compare("gru", "d2sta", store.root)
    assert found.places == "exercise 1, fold 0"


def test_other_settings_by_their_full_name(store):
    store.entry("stgcn", params={"dropout": 0.1})
    found = compare("stgcn", "stgcn (dropout=0.1)", store.root)
    assert (found.a, found.b) == ("stgcn", "stgcn (dropout=0.1)")


def test_a_model_with_several_entries_must_be_named_in_full(make_store):
    store = make_store()
    store.entry("stgcn", params={"dropout": 0.1})
    store.entry("stgcn", params={"dropout": 0.6})
    store.entry("d2sta")
    with pytest.raises(DataError, match=r"stands 2 times.*dropout=0\.1.*dropout=0\.6"):
        compare("stgcn", "d2sta", store.root)


def test_an_unknown_name_is_answered_with_the_nearest(store):
    with pytest.raises(DataError, match=r"no entry is called 'd2stb'.*d2sta"):
        compare("d2stb", "stgcn", store.root)


def test_two_boards_must_be_chosen_from(make_store):
    store = make_store()
    leaky = make_store(protocol="d2sta-paper", pieces=10)
    for some in (store, leaky):
        some.entry("d2sta")
        some.entry("stgcn")
    with pytest.raises(DataError, match=r"2 boards.*protocol='d2sta-paper'.*person-kfold"):
        compare("d2sta", "stgcn", store.root)
    found = compare("d2sta", "stgcn", store.root, protocol="d2sta-paper")
    assert found.protocol.leaky


def test_other_data_or_another_protocol_cannot_be_compared(make_store):
    store = make_store()
    store.entry("d2sta")
    make_store(fingerprint="e" * 64).entry("stgcn")
    make_store(overrides=["protocol.frames=50"]).entry("gru")
    with pytest.raises(DataError, match="cannot be compared: they are computed on different data"):
        compare("d2sta", "stgcn", store.root)
    with pytest.raises(DataError, match=r"follow different protocols.*frames"):
        compare("d2sta", "gru", store.root)
    folders = [next(store.root.glob(f"kimore/1/*/{m}/fold0-*")) for m in ("d2sta", "stgcn")]
    with pytest.raises(DataError, match="different data"):
        compare(str(folders[0]), str(folders[1]), store.root)


def test_different_folds_have_different_people(store):
    folders = [next(store.root.glob(f"kimore/1/*/stgcn/fold{f}-*")) for f in (0, 1)]
    with pytest.raises(DataError, match="no exercise and fold in common"):
        compare(str(folders[0]), str(folders[1]), store.root)


def test_altered_true_scores_cannot_be_compared(store):
    path = next(store.root.glob("kimore/1/*/stgcn/fold0-*"))
    table = path / "predictions.csv"
    lines = table.read_text().splitlines()
    cells = lines[-1].split(",")
    table.write_text("\n".join([*lines[:-1], ",".join([*cells[:5], "1.0", *cells[6:]])]) + "\n")
    with pytest.raises(DataError, match="different true scores"):
        compare("d2sta", "stgcn", store.root)


def test_right_and_wrong_are_compared_by_their_auc(make_store):
    store = make_store(persons=40, dataset="irds-simplified", exercises=("0",))
    for model, error in (("gru", 0.3), ("tcn", 0.3), ("aagcn", 5.0)):
        store.entry(model, error=error)
    found = compare("gru", "aagcn", store.root)
    assert found.metric == "AUC"
    a, b = found.exercises["0"]
    assert found.auc.value == pytest.approx(a - b)
    assert found.auc.low > 0
    assert found.verdict.startswith("gru is better than aagcn by an AUC of 0.")
    assert compare("aagcn", "gru", store.root).verdict.startswith("gru is better than aagcn")
    assert "are tied: they differ by an AUC of" in compare("gru", "tcn", store.root).verdict

"""A protocol in words: every choice it makes is said."""

import pytest

from zoo.protocol.explain import explain
from zoo.protocol.protocol import load_protocol


def words(name: str, **overrides) -> dict[str, str]:
    return explain(load_protocol(name, **overrides))


def test_the_honest_default():
    assert words("person-kfold") == {
        "samples": "A recording is one sample; after repair-jumps, face-camera, center on the "
        "whole recording; each sample is brought to 100 frames.",
        "split": "People are assigned to 5 folds, alike in group and score; each is tested once. "
        "20% of the people trained on choose the best epoch. Seed of the order: 0.",
        "scaling": "Streams are z-scored by joint and coordinate, fitted on training samples. "
        "Scores are standardised to mean 0 and deviation 1, fitted on training samples.",
        "weights": "Those of the epoch with the smallest error on the validation part are tested.",
        "figures": "A recording's score is the mean of its samples' scores; figures are per "
        "recording.",
        "seeds": "A comparison trains every fold with the seeds 0, 1, 2.",
        "leaks": "No: the leakage gate refuses to train when a person, a recording or a "
        "near-duplicate of one stands on both sides.",
    }


@pytest.mark.parametrize(
    ("name", "overrides", "subject", "said"),
    [
        ("d2sta-paper", {}, "samples", "cut into 10 equal pieces"),
        ("d2sta-paper", {}, "samples", "nothing is done to the joints"),
        ("d2sta-paper", {}, "split", "Samples, not people, are assigned at random 8:1:1"),
        ("d2sta-paper", {}, "figures", "Every sample is scored by itself"),
        ("d2sta-paper", {}, "seeds", "with the seed 3407."),
        ("d2sta-paper", {}, "leaks", "Yes: every recording is cut into ten pieces"),
        ("stgcn-rehab", {}, "samples", "cut into its repetitions"),
        ("stgcn-rehab", {}, "split", "8:0:2 to training, validation and test. Seed of the order"),
        ("stgcn-rehab", {}, "scaling", "fitted on all samples, the test among them"),
        ("stgcn-rehab", {}, "weights", "after the last epoch"),
        ("uiprmd-d2sta", {}, "scaling", "Streams are not scaled. Scores are taken as they are."),
        ("random-kfold", {}, "split", "assigned at random to 10 folds; each is tested once."),
        ("random-kfold", {"split": {"validation": 0.1}}, "split", "10% of the samples trained on"),
        ("person-holdout", {}, "split", "People are assigned 3:1:1 to training, validation and test"),
        ("person-holdout", {"split": {"repeats": 4}}, "split", "All of it 4 times."),
        ("leave-one-person-out", {}, "split", "tested by a model trained on all the others. 20%"),
        ("cross-dataset", {}, "split", "another dataset (protocol.split.dataset=NAME)"),
        (
            "cross-dataset",
            {"split": {"dataset": "kimore", "exercise": "3", "people": "apart"}},
            "split",
            "everybody in kimore (exercise 3) is tested. People of one name in both are two people",
        ),
        (
            "person-kfold",
            {"sampling": {"kind": "windows", "length": 64}, "frames": None},
            "samples",
            "windows of 64 frames, one every 64 frames, each a sample; after repair-jumps, "
            "face-camera, center on the whole recording; samples keep their lengths.",
        ),
        ("person-kfold", {"aggregate": "median"}, "figures", "the median of its samples' scores"),
        ("person-kfold", {"target_scale": "minmax"}, "scaling", "Scores are brought to 0 … 1"),
    ],
)
def test_every_choice_is_said(name, overrides, subject, said):
    assert said in words(name, **overrides)[subject]

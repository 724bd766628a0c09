import torch

import zoo
from zoo.data.batch import Batch


def test_scores_everybody_with_the_mean_of_what_it_saw() -> None:
    model = zoo.create_model("mean")
    x = torch.randn(5, 8, 25, 3)
    target = torch.tensor([1.0, 2.0, 3.0, 4.0, 10.0])
    model.fit(Batch({"position": x}), target)
    assert model(Batch({"position": x[:2]})).score.tolist() == [4.0, 4.0]
    assert model.state_dict()["constant"].item() == 4.0


def test_before_it_has_seen_anything_it_says_the_standardised_mean() -> None:
    model = zoo.create_model("mean")
    assert model(Batch({"position": torch.randn(3, 8, 25, 3)})).score.tolist() == [0.0] * 3


def test_counts_sequences_of_any_stream() -> None:
    model = zoo.create_model("mean", streams=["angle"])
    assert model(Batch({"angle": torch.randn(3, 8, 25, 3)})).score.shape == (3,)

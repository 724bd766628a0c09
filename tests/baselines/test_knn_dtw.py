import pytest
import torch

import zoo
from zoo.data.batch import Batch
from zoo.errors import ConfigError, TrainingError


def movements(*phases: float, speed: float = 1.0) -> Batch:
    time = torch.linspace(0, 1, 80) ** speed
    one = torch.stack([torch.sin(6 * time + phase) for phase in phases])
    return Batch({"position": one[:, :, None, None] * torch.ones(25, 3)})


def test_scores_like_the_movement_that_is_alike_at_another_tempo() -> None:
    model = zoo.create_model("knn-dtw", window=0.2)
    model.fit(movements(0.0, 0.5, 1.0), torch.tensor([1.0, 2.0, 3.0]))
    assert model(movements(1.0, 0.0, speed=1.2)).score.tolist() == [3.0, 1.0]


def test_settings_and_order() -> None:
    with pytest.raises(ConfigError, match="window 2"):
        zoo.create_model("knn-dtw", window=2)
    with pytest.raises(TrainingError, match="fit first"):
        zoo.create_model("knn-dtw")(movements(0.0))

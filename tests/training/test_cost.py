import pytest
import torch
from torch import nn

from zoo.data.batch import Batch, Prediction
from zoo.training.cost import _cudnn_cell_flops, count_flops, count_parameters


class Counted(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, (9, 1), padding=(4, 0))
        self.norm = nn.BatchNorm2d(8)
        self.head = nn.Linear(8, 1)
        self.calls = 0

    def forward(self, batch):
        self.calls += 1
        x = self.norm(self.conv(batch.stream("position").permute(0, 3, 1, 2)))
        return Prediction(self.head(torch.dropout(x.mean((2, 3)), 0.5, True))[:, 0])


def test_operations_of_one_sequence_are_counted_without_a_trace():
    model = Counted().train()
    batch = Batch({"position": torch.randn(4, 20, 5, 3)})
    state = torch.random.get_rng_state()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    assert count_flops(model, batch) == 2 * (20 * 5 * 8 * 3 * 9 + 8)
    assert model.training
    assert model.calls == 0
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


@pytest.mark.parametrize(("cell", "gates"), [(nn.GRU, 3), (nn.LSTM, 4)])
def test_products_of_recurrent_cells_are_counted(cell, gates):
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = cell(6, 5, batch_first=True)

        def forward(self, batch):
            return Prediction(self.cell(batch.stream("position").flatten(2))[0][:, -1, 0])

    batch = Batch({"position": torch.randn(2, 10, 2, 3)})
    assert count_flops(Recurrent(), batch) == 2 * 10 * gates * 5 * (6 + 5)


def test_cudnns_cells_are_counted_by_their_weights():
    biases = [(20,), (20,)]
    assert _cudnn_cell_flops((10, 2, 6), [(20, 6), (20, 5), *biases], 4) == 20 * 2 * 20 * (6 + 5)


def test_a_model_that_cannot_be_counted_costs_only_the_figure():
    class Stubborn(nn.Module):
        def __deepcopy__(self, memo):
            raise RuntimeError

    assert count_flops(Stubborn(), Batch({"position": torch.randn(1, 2, 3, 3)})) is None


def test_shared_parameters_count_once():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    assert count_parameters(model) == 24
    model[1].weight = model[0].weight
    assert count_parameters(model) == 15

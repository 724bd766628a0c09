import pytest
import torch
from torch import nn

from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.nn.recurrent import RecurrentLayer, RecurrentScorer
from zoo.skeleton import load_layout

LENGTHS = [7, 2, 5]


class Tiny(RecurrentScorer):
    cell = nn.GRU


@pytest.mark.parametrize("cell", [nn.GRU, nn.LSTM, nn.RNN])
def test_layer_is_pytorchs_packed_bidirectional_one(
    cell: type[nn.GRU] | type[nn.LSTM] | type[nn.RNN],
) -> None:
    torch.manual_seed(0)
    layer = RecurrentLayer(cell, 3, 4, bidirectional=True)
    reference = cell(3, 4, batch_first=True, bidirectional=True)
    weights = dict(layer.forwards.named_parameters())
    weights |= {f"{k}_reverse": v for k, v in layer.backwards.named_parameters()}
    reference.load_state_dict(weights)

    x = torch.randn(3, 7, 3)
    mask = torch.arange(7) < torch.tensor(LENGTHS).unsqueeze(1)
    packed = nn.utils.rnn.pack_padded_sequence(
        x, torch.tensor(LENGTHS), batch_first=True, enforce_sorted=False
    )
    out, hidden = reference(packed)
    expected, _ = nn.utils.rnn.pad_packed_sequence(out, batch_first=True)
    final = hidden[0] if isinstance(hidden, tuple) else hidden
    states, last = layer(x.masked_fill(~mask.unsqueeze(2), 99.0), mask)
    torch.testing.assert_close(states[mask], expected[mask])
    torch.testing.assert_close(last, torch.cat([final[0], final[1]], dim=1))


def test_pooling_of_the_states() -> None:
    torch.manual_seed(0)
    layout = load_layout("coco")
    batch = Batch({"position": torch.randn(2, 6, layout.num_joints, 3)})
    model = Tiny(layout, hidden=4, pooling="last").eval()
    states, final = model.layers[0](batch.x["position"].flatten(2))
    torch.testing.assert_close(model(batch).features, final)
    model.pooling = "mean"
    torch.testing.assert_close(model(batch).features, states.mean(1))


def test_what_cannot_be_built_is_refused() -> None:
    layout = load_layout("coco")
    with pytest.raises(ConfigError, match="'first': choose one of last, mean"):
        Tiny(layout, pooling="first")
    with pytest.raises(ConfigError, match="layers is 0"):
        Tiny(layout, layers=0)

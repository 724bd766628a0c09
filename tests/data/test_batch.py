import torch

from zoo.data.batch import Batch


def test_trimmed_loses_what_is_padding_for_all():
    x = {"position": torch.randn(3, 9, 2, 3), "bone": torch.randn(3, 9, 2, 3)}
    mask = torch.arange(9) < torch.tensor([[4], [6], [1]])
    fps = torch.tensor([30.0, 15.0, 10.0])
    found = Batch(x, mask, fps).trimmed()
    assert torch.equal(found.mask, mask[:, :6])
    assert all(torch.equal(found.x[name], values[:, :6]) for name, values in x.items())
    assert torch.equal(found.fps, fps)


def test_trimmed_leaves_what_is_real():
    x = {"position": torch.randn(2, 5, 2, 3)}
    assert Batch(x).trimmed().x["position"] is x["position"]
    full = Batch(x, torch.ones(2, 5, dtype=torch.bool)).trimmed()
    assert full.mask.all()
    assert torch.equal(full.x["position"], x["position"])

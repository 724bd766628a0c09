"""ReCon against what its released code computes, its loss, its reference and its views."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch_geometric.nn import GCNConv

from baselines.recon import ContrastiveHead, ReCon, Views, contrastive, random_rotations
from zoo.data.batch import Batch
from zoo.data.scalers import StreamScaler
from zoo.errors import ConfigError
from zoo.nn.spatial import JointBiasConv
from zoo.skeleton import load_layout
from zoo.skeleton.graph import build_graph

TOLERANCE = 1e-4

State = dict[str, Tensor]


def conv(state: State, theirs: str, ours: str) -> State:
    return {f"{ours}.{n}": state[f"{theirs}.{n}"] for n in ("weight", "bias")}


def norm(state: State, theirs: str, ours: str) -> State:
    names = ("weight", "bias", "running_mean", "running_var")
    return {f"{ours}.{n}": state[f"{theirs}.{n}"] for n in names}


def recon_state(state: State) -> State:
    """The file's network under our names."""
    found = norm(state, "encoder.ri.bn", "trunk.stem")
    for i in (0, 2):
        found |= conv(state, f"projector.g.{i}", f"head.projector.{i}")
    blocks = {name.split(".")[2] for name in state if name.startswith("encoder.ste.")}
    for i in blocks:
        theirs, ours = f"encoder.ste.{i}", f"trunk.blocks.{i}"
        found[f"{ours}.spatial.weight"] = state[f"{theirs}.sl.conv.lin.weight"][None]
        found[f"{ours}.spatial.bias"] = state[f"{theirs}.sl.conv.bias"][None]
        found |= norm(state, f"{theirs}.tl.tcn.0", f"{ours}.temporal.norm")
        for part, place in {"enter": 2, "along": 5, "leave": 8}.items():
            found |= conv(state, f"{theirs}.tl.tcn.{place}", f"{ours}.temporal.{part}.conv")
            found |= norm(state, f"{theirs}.tl.tcn.{place + 1}", f"{ours}.temporal.{part}.norm")
        if f"{theirs}.residual.0.weight" in state:
            found |= conv(state, f"{theirs}.residual.0", f"{ours}.residual.conv")
            found |= norm(state, f"{theirs}.residual.1", f"{ours}.residual.norm")
    return found


def far(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max())


def read(file: Path) -> State:
    with np.load(file) as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


def symmetric(edges: Tensor, joints: int) -> Tensor:
    """D^-1/2 (A + I) D^-1/2 of edges (2, E), (1, V, V)."""
    near = torch.eye(joints)
    near[edges[0], edges[1]] = 1
    scale = near.sum(0).rsqrt()
    return (scale[:, None] * near * scale)[None]


def test_it_computes_what_the_released_code_does(
    golden: Callable[[str], Path], golden_tools: Any
) -> None:
    given = read(golden("recon2024"))
    state = {k[6:]: v for k, v in given.items() if k.startswith("state/")}
    x = given["input"]
    layout = golden_tools.layout_of(symmetric(given["edge_index"], x.shape[2]), "symmetric")
    blocks = range(len({k.split(".")[2] for k in state if k.startswith("encoder.ste.")}))
    widths = [len(state[f"encoder.ste.{i}.sl.conv.bias"]) for i in blocks]
    embedding = len(state["projector.g.2.bias"])
    model = ReCon(layout, channels=widths, embedding=embedding).eval()
    result = model.load_state_dict(recon_state(state), strict=False)
    assert not result.unexpected_keys
    left = {k for k in result.missing_keys if not k.endswith("num_batches_tracked")}
    own = {f"head.{name}" for name in ("epoch", "bar", "reference", "line")}
    assert left - own == {f"head.layers.{i}.{p}" for i in (0, 2) for p in ("weight", "bias")}
    with torch.no_grad():
        batch = Batch({"position": x})
        features, _ = model.extract(batch)
        answer = model(batch)
    assert far(features, given["features"]) <= TOLERANCE
    assert answer.features is not None
    assert far(answer.features, given["embedding"]) <= TOLERANCE
    assert answer.output is not None
    assert far(answer.output[:, 1:], given["output"]) <= TOLERANCE


def test_its_loss_is_the_released_one(golden: Callable[[str], Path]) -> None:
    given = read(golden("recon2024"))
    embedded = torch.cat([given["loss/q"], given["loss/k"]])
    labels = given["loss/labels"].long().repeat(2)
    loss = contrastive(embedded, labels, float(given["loss/temperature"]))
    assert far(loss, given["loss/value"]) <= TOLERANCE


def test_it_has_as_many_parameters_as_published() -> None:
    model = ReCon(load_layout("kinect-v2"))
    assert sum(p.numel() for p in model.trunk.parameters()) == 1_088_598
    assert sum(p.numel() for p in model.head.projector.parameters()) == 98_688


def slow_contrast(embedded: Tensor, label: list[int], temperature: float) -> float:
    """The loss as its formula says, anchor by anchor."""
    total, everyone = 0.0, range(len(label))
    for i in everyone:
        alike = [p for p in everyone if p != i and label[p] == label[i]]
        if label[i] < 0 or not alike:
            continue
        near = {a: math.exp(float(embedded[i] @ embedded[a]) / temperature) for a in everyone}
        share = sum(near[p] for p in alike) / sum(near[a] for a in everyone if a != i)
        total -= math.log(share) / len(alike)
    return total


def test_the_loss_is_its_formula() -> None:
    torch.manual_seed(0)
    embedded = torch.nn.functional.normalize(torch.randn(9, 5, dtype=torch.float64), dim=1)
    embedded.requires_grad_()
    label = [0, 0, 0, 1, 1, -1, -2, 2, -2]
    loss = contrastive(embedded, torch.tensor(label), 0.3)
    assert loss.item() == pytest.approx(slow_contrast(embedded.detach(), label, 0.3))
    (gradient,) = torch.autograd.grad(loss, embedded)
    assert gradient.isfinite().all()


def test_without_anyone_done_well_there_is_no_loss() -> None:
    embedded = torch.eye(3, requires_grad=True)
    loss = contrastive(embedded, torch.tensor([-1, -1, 0]), 0.1)
    (gradient,) = torch.autograd.grad(loss, embedded)
    assert loss.item() == 0
    assert not gradient.any()


def test_only_what_is_done_badly_is_drawn_away() -> None:
    """Hard negatives are of the anchor's exercise; two that are bad do not attract each other."""
    embedded = torch.nn.functional.normalize(torch.randn(4, 3), dim=1).requires_grad_()
    for label in ([0, 0, -1, -1], [0, 0, -2, -3]):
        loss = contrastive(embedded, torch.tensor(label), 1.0)
        (gradient,) = torch.autograd.grad(loss, embedded)
        anchors = embedded[:2].sum(0).detach()
        assert (gradient[2:] @ anchors > 0).all()  # a step down goes away from the anchors


def head(**options: Any) -> ContrastiveHead:
    torch.manual_seed(0)
    return ContrastiveHead.of(4, [4], embedding=3, **options)


def learns(part: torch.nn.Module) -> bool:
    return any(p.grad is not None and bool(p.grad.any()) for p in part.parameters())


def test_first_it_learns_to_tell_apart_and_then_to_score() -> None:
    """The layers learn from the first epoch on, but the features from the contrast alone."""
    judge = head(contrast_epochs=1)
    target = torch.linspace(-1, 1, 6)
    judge.prepare(target)
    seen = []
    for _ in range(2):
        judge.zero_grad()
        features = torch.randn(6, 8, requires_grad=True)
        answer = judge(features)
        judge.objective(answer.output, target, target).backward(retain_graph=True)
        seen.append([learns(judge.projector), learns(judge.layers)])
        (by_score,) = torch.autograd.grad(answer.score.sum(), features, allow_unused=True)
        assert (by_score is not None) == (len(seen) == 2)
        judge.refresh(lambda index: torch.zeros(len(index), 7))
    assert seen == [[True, True], [False, True]]


def test_exercises_are_told_apart() -> None:
    """Done well in two exercises are no positives of each other."""
    judge = head()
    target = torch.tensor([1.0, 1.0, -1.0, 1.0])
    judge.prepare(target)
    z = torch.nn.functional.normalize(torch.randn(8, 3), dim=1)
    output = torch.cat([torch.zeros(4, 1), z[:4], z[4:]], 1)
    exercise = torch.tensor([0, 0, 0, 2])
    loss = judge.objective(output, target, target, exercise) - judge.loss(output, target)
    expected = slow_contrast(z, [0, 0, -1, 2] * 2, 0.1)
    assert loss.item() == pytest.approx(expected, rel=1e-4)
    alone = judge.objective(output, target, target) - judge.loss(output, target)
    assert alone.item() == pytest.approx(slow_contrast(z, [0, 0, -1, 0] * 2, 0.1), rel=1e-4)


def test_the_reference_is_the_mean_of_those_done_well() -> None:
    """And the line from the cosine to the score is of least squares."""
    judge = head(scoring="reference")
    assert judge.contrasting
    target = torch.tensor([2.0, 1.0, -1.0, -2.0])
    features = torch.randn(4, 4)
    judge.prepare(target)
    judge.refresh(lambda index: judge(features).output[index])
    z = judge.embed(features)
    direction = z[:2].sum(0)
    torch.testing.assert_close(judge.reference, (direction / direction.norm()).detach())
    cosine = (z @ judge.reference).detach()
    slope, intercept = np.polyfit(cosine.numpy(), target.numpy(), 1)
    torch.testing.assert_close(
        judge(features).score, intercept + slope * cosine, rtol=1e-3, atol=1e-3
    )


def test_views_are_in_the_recordings_units() -> None:
    """Scaled or not, the same random numbers give the same view of the same recording."""
    metres = torch.randn(3, 20, 4, 3) * torch.tensor([0.2, 0.5, 3.0]) + 1
    scaler = StreamScaler().fit(Batch({"position": metres}))
    plain, scaled = Views(4, ["position"]), Views(4, ["position"])
    scaled.set_scale(scaler)
    torch.manual_seed(0)
    seen, _ = plain(metres, None, 15)
    torch.manual_seed(0)
    found, _ = scaled(scaler.transform(Batch({"position": metres})).x["position"], None, 15)
    torch.testing.assert_close(
        found, scaler.transform(Batch({"position": seen})).x["position"], rtol=1e-4, atol=1e-4
    )


def test_a_view_is_turned_and_not_bent() -> None:
    """Distances between joints stay but for the noise, and frames in their order."""
    still = torch.randn(2, 1, 5, 3).expand(-1, 30, -1, -1)
    moving = still + torch.arange(30.0)[:, None, None]
    seen, _ = Views(5, ["position"])(moving, None, 21)
    assert seen.shape == (2, 21, 5, 3)
    lengths = torch.cdist(seen, seen)
    torch.testing.assert_close(lengths, torch.cdist(still, still)[:, :21], rtol=0, atol=0.1)
    assert (seen.mean(2).diff(dim=1).sum(-1) > 0).all()


def test_views_see_no_padding() -> None:
    x = torch.randn(2, 12, 5, 3)
    mask = torch.arange(12) < torch.tensor([[12], [7]])
    views = Views(5, ["position"])
    found = []
    for filler in (0.0, math.nan):
        torch.manual_seed(0)
        filled = torch.where(mask[..., None, None], x, filler)
        found.append(views(filled, mask, 10))
    (seen, kept), (again, _) = found
    torch.testing.assert_close(seen, again)
    assert kept is not None
    assert not seen[~kept].any()
    assert (kept.sum(1) >= torch.tensor([10, 5])).all()


def test_rotations_keep_lengths_and_go_no_farther_than_asked() -> None:
    matrices = random_rotations(50, math.radians(20), torch.device("cpu"))
    torch.testing.assert_close(matrices @ matrices.mT, torch.eye(3).expand(50, 3, 3))
    turned = ((matrices.diagonal(dim1=1, dim2=2).sum(1) - 1) / 2).acos().rad2deg()
    assert (turned < 3 * 20).all()
    assert turned.max() > 10


def test_a_graph_convolution_is_that_of_pyg() -> None:
    layout = load_layout("kinect-v2")
    ours = JointBiasConv(3, 6, build_graph(layout, "symmetric"))
    theirs = GCNConv(3, 6)
    with torch.no_grad():
        theirs.lin.weight.copy_(ours.weight[0])
        theirs.bias.copy_(ours.bias[0])
    x = torch.randn(2, 4, layout.num_joints, 3)
    expected = theirs(x, layout.edge_index())
    for fuse in (True, False):
        ours.fuse = fuse
        torch.testing.assert_close(ours(x), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("settings", [{"scoring": "cosine"}, {"contrast_epochs": -1}])
def test_settings_that_do_not_exist_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        ReCon(load_layout("kinect-v2"), **settings)

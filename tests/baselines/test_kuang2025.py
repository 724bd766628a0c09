"""Kuang 2025 against what its released code computes, and the steps of its training."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from baselines.kuang2025 import CBAM, Kuang2025, StagedHead, distillation
from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.skeleton import load_layout

TOLERANCE = 1e-4

State = dict[str, Tensor]


def conv(state: State, theirs: str, ours: str) -> State:
    return {f"{ours}.{n}": state[f"{theirs}.{n}"] for n in ("weight", "bias")}


def norm(state: State, theirs: str, ours: str) -> State:
    names = ("weight", "bias", "running_mean", "running_var")
    return {f"{ours}.{n}": state[f"{theirs}.{n}"] for n in names}


def block_state(state: State, fixed: Tensor, theirs: str, ours: str) -> State:
    """One block under our names; its learnable graph holds the fixed one, `fixed` (K, V, V)."""
    graph, unit = f"{ours}.spatial.conv", f"{theirs}.gcn1"
    kinds = range(len(fixed))

    def stack(name: str, part: str) -> Tensor:
        names = [f"{unit}.{name}.{k}.{part}" for k in kinds]
        return torch.stack([state[n].flatten(1) if part == "weight" else state[n] for n in names])

    found = {f"{graph}.A": fixed + state[f"{unit}.PA"]}
    for part in ("weight", "bias"):
        found[f"{graph}.{part}"] = stack("conv_d", part)
        found[f"{graph}.embedding_{part}"] = torch.stack(
            [stack("conv_a", part), stack("conv_b", part)]
        )
    if f"{unit}.down.0.weight" in state:
        found |= conv(state, f"{unit}.down.0", f"{ours}.spatial.down.conv")
        found |= norm(state, f"{unit}.down.1", f"{ours}.spatial.down.norm")
    found |= norm(state, f"{unit}.bn", f"{ours}.spatial.norm")
    found |= conv(state, f"{theirs}.tcn1.conv", f"{ours}.temporal.conv")
    return found | norm(state, f"{theirs}.tcn1.bn", f"{ours}.temporal.norm")


def kuang_state(state: State, fixed: Tensor) -> State:
    """The file's network under our names."""
    found = norm(state, "data_bn", "norm")
    for part in ("weight", "bias"):
        found[f"gate.squeeze.{part}"] = state[f"gating.fc.0.{part}"]
        found[f"gate.excite.{part}"] = state[f"gating.fc.2.{part}"]
        found[f"head.layers.0.{part}"] = state[f"fc.{part}"]
    names = {f"l1_{i + 1}": f"teacher.{i}" for i in range(5)}
    names |= {"l2_1": "second_entry", "l3_1": "student_entry"}
    for i in range(4):
        names |= {f"l2_{i + 2}": f"second.{i}", f"l3_{i + 2}": f"student.{i}"}
    for theirs, ours in names.items():
        found |= block_state(state, fixed, theirs, ours)
    return found


def far(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max())


def test_it_computes_what_the_released_code_does(
    golden: Callable[[str], Path], golden_tools: Any
) -> None:
    with np.load(golden("kuang2025")) as arrays:
        given = {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    state = {k[6:]: v for k, v in given.items() if k.startswith("state/")}
    layout = golden_tools.layout_of(given["A"], "spatial")
    model = Kuang2025(layout, channels=state["fc.weight"].shape[1]).eval()
    result = model.load_state_dict(kuang_state(state, given["A"]), strict=False)
    assert not result.unexpected_keys
    left = [k for k in result.missing_keys if not k.endswith("num_batches_tracked")]
    assert left == ["head.epoch"]
    x = given["input"]
    batch = Batch({"position": x[..., :3], "orientation": x[..., 3:]}, None, None, None)
    with torch.no_grad():
        answer = model(batch)
        teacher, second, student = (model.pool(s, None) for s in model.stages(batch))
        assert far(answer.score, given["output"][:, 0]) <= TOLERANCE
        assert far(answer.output[:, 1], given["cls_1"][:, 0]) <= TOLERANCE
        assert far(model.head.layers(second), given["cls_2"]) <= TOLERANCE
        assert far(model.gate(model.norm(x)), given["gate"]) <= TOLERANCE
        assert far(teacher, given["feature_teacher"]) <= TOLERANCE
        assert far(student, given["feature_student"]) <= TOLERANCE
    loss = distillation(
        given["loss/teacher"],
        given["loss/student"],
        given["loss/labels"][:, 0],
        float(given["loss/sigma"]),
        float(given["loss/temperature"]),
    )
    assert far(loss, given["loss/value"]) <= TOLERANCE


def test_it_has_as_many_parameters_as_published() -> None:
    layout = load_layout("kinect-v2")
    plain = sum(p.numel() for p in Kuang2025(layout).parameters())
    attended = sum(p.numel() for p in Kuang2025(layout, cbam=True).parameters())
    assert plain == 804_809
    assert attended == plain + 6 * 690  # their 10,350 of CBAM are fifteen times this


def test_each_step_of_the_training_has_its_loss() -> None:
    head = StagedHead.of(4, teacher_epochs=1, distillation_epochs=1)
    output = torch.randn(6, 2 + 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    target = torch.linspace(-1, 1, 6)
    used = []
    for _ in range(3):
        (gradient,) = torch.autograd.grad(head.loss(output, target), output)
        used.append([bool(part.any()) for part in gradient.tensor_split([1, 2], dim=1)])
        head.refresh(lambda index: output)
    # Whether the student's score, the teacher's, and their features are trained.
    assert used == [[False, True, False], [True, True, True], [True, False, False]]


def test_attention_does_not_see_padding() -> None:
    attention = CBAM(24).eval()
    x = torch.randn(2, 9, 5, 24, generator=torch.Generator().manual_seed(0))
    mask = torch.arange(9) < torch.tensor([[9], [6]])
    alone = attention(x[1:, :6])
    assert torch.allclose(attention(x, mask)[1, :6], alone[0], atol=1e-6)


def test_one_stream_feeds_all_three_stages() -> None:
    layout = load_layout("kinect-v2")
    model = Kuang2025(layout, streams="position", channels=8).eval()
    x = torch.randn(2, 10, layout.num_joints, 3)
    assert model(Batch({"position": x}, None, None, None)).score.shape == (2,)


@pytest.mark.parametrize("settings", [{"channels": 7}, {"teacher_epochs": -1}])
def test_sizes_that_do_not_fit_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=next(iter(settings))):
        Kuang2025(load_layout("kinect-v2"), **settings)

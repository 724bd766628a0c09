"""MS-G3D against the output of PYSKL, weights loaded; see test_golden.py."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from baselines.msg3d import MSG3D
from zoo.skeleton import load_layout

State = dict[str, Tensor]


class Names:
    """From PYSKL's names of weights to ours."""

    def __init__(self, state: State, tools: Any) -> None:
        self.state = state
        self.tools = tools
        self.ours: State = {}

    def norm(self, theirs: str, ours: str) -> None:
        self.ours |= self.tools.norm(self.state, theirs, ours)

    def norms(self, theirs: list[str], ours: str) -> None:
        """Normalisations side by side are one of all their channels."""
        parts = [self.tools.norm(self.state, name, ours) for name in theirs]
        for key, first in parts[0].items():
            tensors = [part[key] for part in parts]
            self.ours[key] = torch.cat(tensors) if first.dim() else first

    def multi_scale(self, theirs: str, ours: str) -> None:
        mask = self.state[f"{theirs}.PA"]
        weight = self.state[f"{theirs}.mlp.layers.0.weight"].flatten(1)
        self.ours[f"{ours}.B"] = mask
        self.ours[f"{ours}.weight"] = weight.unflatten(1, (len(mask), -1)).transpose(0, 1)
        self.ours[f"{ours}.bias"] = self.state[f"{theirs}.mlp.layers.0.bias"]
        self.norm(f"{theirs}.mlp.layers.1", f"{ours}.norm")

    def window(self, theirs: str, ours: str) -> None:
        self.multi_scale(f"{theirs}.gcn3d.1", f"{ours}.spatial")
        self.ours[f"{ours}.collapse.weight"] = self.state[f"{theirs}.out_conv.weight"].squeeze(2)
        self.ours[f"{ours}.collapse.bias"] = self.state[f"{theirs}.out_conv.bias"]
        self.norm(f"{theirs}.out_bn", f"{ours}.norm")

    def temporal(self, theirs: str, ours: str) -> None:
        last = self.count(f"{theirs}.branches.") - 1
        branch, inner = f"{theirs}.branches", f"{ours}.branches"
        for kind in ("weight", "bias"):
            self.ours[f"{inner}.entry.{kind}"] = torch.cat(
                [self.state[f"{branch}.{i}.0.{kind}"] for i in range(last)]
            )
            self.ours[f"{inner}.direct.{kind}"] = self.state[f"{branch}.{last}.0.{kind}"]
        self.norms([f"{branch}.{i}.1" for i in range(last)], f"{inner}.entry_norm")
        for i in range(last - 1):
            self.ours |= self.tools.conv(self.state, f"{branch}.{i}.3.conv", f"{inner}.convs.{i}")
        ends = [f"{branch}.{i}.3.bn" for i in range(last - 1)]
        self.norms([*ends, f"{branch}.{last - 1}.4", f"{branch}.{last}.1"], f"{inner}.norm")
        self.ours |= self.tools.unit(self.state, f"{theirs}.residual", f"{ours}.residual")

    def count(self, prefix: str) -> int:
        """How many numbered modules there are below `prefix`."""
        length = len(prefix)
        return len({key[length:].split(".")[0] for key in self.state if key.startswith(prefix)})


def build(state: State, x: Tensor, tools: Any) -> MSG3D:
    """Our network of the file's size, with the file's weights, in evaluation mode."""
    names = Names(state, tools)
    names.norm("data_bn", "trunk.stem")
    blocks = len([key for key in state if key.endswith(".0.PA") and key.startswith("sgcn")])
    windows = names.count("gcn3d1.gcn3d.")
    for i in range(blocks):
        theirs, block = i + 1, f"trunk.blocks.{i}"
        for j in range(windows):
            names.window(f"gcn3d{theirs}.gcn3d.{j}", f"{block}.windows.{j}")
        names.multi_scale(f"sgcn{theirs}.0", f"{block}.spatial")
        names.temporal(f"sgcn{theirs}.1", f"{block}.temporal.0")
        names.temporal(f"sgcn{theirs}.2", f"{block}.temporal.1")
        names.temporal(f"tcn{theirs}", f"{block}.last")
    neighbours = state["A"] + torch.eye(len(state["A"]))
    layout = tools.layout_of((neighbours / neighbours.sum(0))[None], "uniform")
    channels = [len(state[f"gcn3d{i + 1}.gcn3d.0.out_bn.weight"]) for i in range(blocks)]
    model = MSG3D(
        layout,
        channels=channels,
        strides=[1] + [2 if channels[i] > channels[i - 1] else 1 for i in range(1, blocks)],
        scales=len(state["sgcn1.0.A"]),
        window_scales=len(state["gcn3d1.gcn3d.0.gcn3d.1.A"]),
        windows=[
            state[f"gcn3d1.gcn3d.{j}.gcn3d.1.A"].shape[1] // x.shape[2] for j in range(windows)
        ],
    )
    missing, unexpected = model.load_state_dict(names.ours, strict=False)
    assert not unexpected
    assert all(key.startswith("head.") for key in missing)
    return model.eval()


def test_output_is_the_published_implementations(
    golden: Callable[[str], Path],
    golden_tools: Any,
    record_property: Callable[[str, object], None],
) -> None:
    state, x, y = golden_tools.read(golden("pyskl_msg3d"))
    found = golden_tools.error(build(state, x, golden_tools), x, y)
    record_property("relative error", found)
    assert found <= golden_tools.TOLERANCE


def test_graphs_are_the_files(golden: Callable[[str], Path], golden_tools: Any) -> None:
    state, x, _ = golden_tools.read(golden("pyskl_msg3d"))
    model = build(state, x, golden_tools)
    for i, block in enumerate(model.trunk.blocks, start=1):
        torch.testing.assert_close(block.spatial.A, state[f"sgcn{i}.0.A"])
        for j, window in enumerate(block.windows):
            torch.testing.assert_close(window.spatial.A, state[f"gcn3d{i}.gcn3d.{j}.gcn3d.1.A"])


def test_our_kinect_layout_is_the_files(golden: Callable[[str], Path], golden_tools: Any) -> None:
    state, x, _ = golden_tools.read(golden("pyskl_msg3d"))
    layout = load_layout("kinect-v2")
    if x.shape[2] != layout.num_joints:
        pytest.skip(f"the file has {x.shape[2]} joints, Kinect has {layout.num_joints}")
    ours = MSG3D(layout, channels=[6], strides=[1]).trunk.blocks[0].spatial.A
    torch.testing.assert_close(ours, state["sgcn1.0.A"])

"""Our networks against the outputs of published implementations (PYSKL), weights loaded.

Base width, number of joints, skeleton and strides are read from the file, so that any file of the
same kind can be put in its place.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from baselines.aagcn import AAGCN
from baselines.ctrgcn import CTRGCN
from baselines.dgstgcn import DGSTGCN
from baselines.stgcn import STGCN
from baselines.stgcnpp import STGCNPP
from registry import LAYOUTS
from zoo.data.batch import Batch
from zoo.skeleton import Layout, load_layout
from zoo.skeleton.graph import build_graph

State = dict[str, Tensor]

TOLERANCE = 1e-4


def read(file: Path) -> tuple[State, Tensor, Tensor]:
    """State, input (N·M, T, V, C) and output (N·M, T', V, C') of a golden file."""
    with np.load(file) as arrays:
        state = {k[6:]: torch.from_numpy(arrays[k]) for k in arrays.files if k.startswith("state/")}
        x = torch.from_numpy(arrays["input"]).flatten(0, 1)
        y = torch.from_numpy(arrays["output"]).flatten(0, 1).permute(0, 2, 3, 1)
    return state, x, y


def tree(parents: list[int], center: int) -> Layout:
    """A skeleton of these bones."""
    return Layout(
        name="golden",
        title="from a golden file",
        joints=tuple(f"j{v}" for v in range(len(parents))),
        parents=tuple(parents),
        pairs=(),
        parts={},
        center=center,
        source="",
    )


def line_of(joints: int) -> Layout:
    """So many joints in a row."""
    return tree([v - 1 for v in range(joints)], 0)


def layout_of(adjacency: Tensor, partition: str) -> Layout:
    """The tree, rooted at its centre joint, whose graph is `adjacency` (K, V, V)."""
    joints = adjacency.shape[1]
    linked = adjacency.abs().sum(0)
    linked = (linked + linked.T) > 0
    for center in range(joints):
        parents = {center: -1}
        queue = [center]
        for joint in queue:
            near = [v for v in range(joints) if linked[joint, v] and v not in parents]
            parents.update(dict.fromkeys(near, joint))
            queue += near
        layout = tree([parents[v] for v in range(joints)], center)
        if torch.allclose(build_graph(layout, partition).adjacency(), adjacency, atol=1e-6):
            return layout
    raise AssertionError(f"no centre joint gives the adjacency of the file under {partition}")


def norm(state: State, theirs: str, ours: str) -> State:
    names = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    return {f"{ours}.{n}": state[f"{theirs}.{n}"] for n in names}


def down(state: State, theirs: str, ours: str) -> State:
    """The shortcut within a spatial unit, where the file has one."""
    if f"{theirs}.down.0.weight" not in state:
        return {}
    return conv(state, f"{theirs}.down.0", f"{ours}.conv") | norm(
        state, f"{theirs}.down.1", f"{ours}.norm"
    )


def side_by_side(state: State, theirs: list[str], ours: str) -> State:
    """Several normalisations as one of all their channels."""
    return {
        f"{ours}.{n}": torch.cat([state[f"{t}.{n}"] for t in theirs])
        for n in ("weight", "bias", "running_mean", "running_var")
    } | {f"{ours}.num_batches_tracked": state[f"{theirs[0]}.num_batches_tracked"]}


def conv(state: State, theirs: str, ours: str) -> State:
    return {f"{ours}.{n}": state[f"{theirs}.{n}"] for n in ("weight", "bias")}


def unit(state: State, theirs: str, ours: str) -> State:
    """A convolution with its normalisation, where the file has one."""
    if f"{theirs}.conv.weight" not in state:
        return {}
    return conv(state, f"{theirs}.conv", f"{ours}.conv") | norm(
        state, f"{theirs}.bn", f"{ours}.norm"
    )


def branches(state: State, theirs: str, ours: str) -> State:
    """A temporal unit of several branches: what their first convolutions share is one of ours.

    A branch is a 1×1 convolution, or a list of that, a normalisation, a ReLU and what comes along
    time; where each ends in a normalisation, ours is one for all.
    """
    prefix = f"{theirs}.branches."
    count = len({k.removeprefix(prefix).split(".")[0] for k in state if k.startswith(prefix)})
    *entries, last = [f"{prefix}{b}" for b in range(count)]
    mixed = f"{theirs}.transform.0.weight" in state
    out = conv(state, last if mixed else f"{last}.0", f"{ours}.direct")
    for n in ("weight", "bias"):
        out[f"{ours}.entry.{n}"] = torch.cat([state[f"{p}.0.{n}"] for p in entries])
    out |= side_by_side(state, [f"{p}.1" for p in entries], f"{ours}.entry_norm")
    for b, part in enumerate(entries):
        if f"{part}.3.conv.weight" in state:
            out |= conv(state, f"{part}.3.conv", f"{ours}.convs.{b}")
    if mixed:
        out |= norm(state, f"{theirs}.transform.0", f"{ours}.norm")
        out |= conv(state, f"{theirs}.transform.2", f"{ours}.mix")
        out |= norm(state, f"{theirs}.bn", f"{ours}.mix_norm")
    else:
        ends = [f"{p}.3.bn" if f"{p}.3.bn.weight" in state else f"{p}.4" for p in entries]
        out |= side_by_side(state, [*ends, f"{last}.1"], f"{ours}.norm")
    if f"{theirs}.add_coeff" in state:
        out[f"{ours}.joint_weight"] = state[f"{theirs}.add_coeff"]
    return out


def common(state: State) -> tuple[State, int]:
    """What both networks share, and the number of blocks."""
    blocks = 1 + max(int(k.split(".")[1]) for k in state if k.startswith("gcn."))
    ours = norm(state, "data_bn", "trunk.stem")
    for i in range(blocks):
        ours |= norm(state, f"gcn.{i}.gcn.bn", f"trunk.blocks.{i}.spatial.norm")
        tcn, temporal = f"gcn.{i}.tcn", f"trunk.blocks.{i}.temporal"
        several = any(k.startswith(f"{tcn}.branches.") for k in state)
        ours |= (branches if several else unit)(state, tcn, temporal)
        ours |= unit(state, f"gcn.{i}.residual", f"trunk.blocks.{i}.residual")
    return ours, blocks


def stgcn_state(state: State) -> State:
    """The file's ST-GCN under our names."""
    ours, blocks = common(state)
    for i in range(blocks):
        theirs, spatial = f"gcn.{i}.gcn", f"trunk.blocks.{i}.spatial.conv"
        types = len(state[f"{theirs}.PA"])
        ours[f"{spatial}.importance"] = state[f"{theirs}.PA"]
        ours[f"{spatial}.weight"] = (
            state[f"{theirs}.conv.weight"].flatten(1).unflatten(0, (types, -1))
        )
        ours[f"{spatial}.bias"] = state[f"{theirs}.conv.bias"].unflatten(0, (types, -1))
    return ours


def stgcnpp_state(state: State) -> State:
    """The file's ST-GCN++ under our names."""
    ours, blocks = common(state)
    for i in range(blocks):
        theirs, spatial = f"gcn.{i}.gcn", f"trunk.blocks.{i}.spatial.conv"
        types = len(state[f"{theirs}.A"])
        ours[f"{spatial}.A"] = state[f"{theirs}.A"]
        ours[f"{spatial}.weight"] = (
            state[f"{theirs}.conv.weight"].flatten(1).unflatten(0, (types, -1))
        )
        ours[f"{spatial}.bias"] = state[f"{theirs}.conv.bias"].unflatten(0, (types, -1))
        ours |= down(state, theirs, f"trunk.blocks.{i}.spatial.down")
    return ours


def ctrgcn_state(theirs: State) -> State:
    """The file's CTR-GCN under our names."""
    state = {k.replace("net.", "gcn.").replace("cn1.", "cn."): v for k, v in theirs.items()}
    ours, blocks = common(state)
    for i in range(blocks):
        unit, spatial = f"gcn.{i}.gcn", f"trunk.blocks.{i}.spatial.conv"
        subsets = len(state[f"{unit}.A"])

        def stack(name: str, part: str, unit: str = unit, subsets: int = subsets) -> Tensor:
            names = [f"{unit}.convs.{k}.{name}.{part}" for k in range(subsets)]
            return torch.stack(
                [state[n].flatten(1) if part == "weight" else state[n] for n in names]
            )

        ours[f"{spatial}.A"] = state[f"{unit}.A"]
        ours[f"{spatial}.alpha"] = state[f"{unit}.alpha"]
        for part in ("weight", "bias"):
            ours[f"{spatial}.{part}"] = stack("conv3", part)
            ours[f"{spatial}.relation_{part}"] = stack("conv4", part)
            ours[f"{spatial}.embedding_{part}"] = torch.stack(
                [stack("conv1", part), stack("conv2", part)]
            )
        ours |= down(state, unit, f"trunk.blocks.{i}.spatial.down")
    return ours


def dgstgcn_state(state: State) -> State:
    """The file's DG-STGCN under our names."""
    ours, blocks = common(state)
    for i in range(blocks):
        theirs, spatial = f"gcn.{i}.gcn", f"trunk.blocks.{i}.spatial.conv"
        ours[f"{spatial}.A"] = state[f"{theirs}.A"]
        for name in ("alpha", "beta"):  # the file has one for each group and uses the first
            ours[f"{spatial}.{name}"] = state[f"{theirs}.{name}"][:1]
        ours |= conv(state, f"{theirs}.pre.0", f"{spatial}.pre")
        ours |= norm(state, f"{theirs}.pre.1", f"{spatial}.pre_norm")
        ours |= conv(state, f"{theirs}.post", f"{spatial}.post")
        for name, their_name in (("theta", "conv1"), ("phi", "conv2")):
            ours[f"{spatial}.{name}.weight"] = state[f"{theirs}.{their_name}.weight"].flatten(1)
            ours[f"{spatial}.{name}.bias"] = state[f"{theirs}.{their_name}.bias"]
        ours |= down(state, theirs, f"trunk.blocks.{i}.spatial.down")
    return ours


def aagcn_state(state: State) -> State:
    """The file's AAGCN under our names."""
    ours, blocks = common(state)
    for i in range(blocks):
        theirs, block = f"gcn.{i}.gcn", f"trunk.blocks.{i}.spatial"
        spatial, attention = f"{block}.conv", f"{block}.attention"
        types = range(len(state[f"{theirs}.A"]))

        def stack(name: str, theirs: str = theirs, types: range = types) -> Tensor:
            return torch.stack([state[f"{theirs}.{name.format(k)}"] for k in types])

        ours[f"{spatial}.A"] = state[f"{theirs}.A"]
        ours[f"{spatial}.alpha"] = state[f"{theirs}.alpha"]
        ours[f"{spatial}.weight"] = stack("conv_d.{}.weight").flatten(2)
        ours[f"{spatial}.bias"] = stack("conv_d.{}.bias")
        ours[f"{spatial}.embedding_weight"] = torch.stack(
            [stack("conv_a.{}.weight").flatten(2), stack("conv_b.{}.weight").flatten(2)]
        )
        ours[f"{spatial}.embedding_bias"] = torch.stack(
            [stack("conv_a.{}.bias"), stack("conv_b.{}.bias")]
        )
        ours |= down(state, theirs, f"{block}.down")
        ours |= conv(state, f"{theirs}.conv_sa", f"{attention}.joints")
        ours |= conv(state, f"{theirs}.conv_ta", f"{attention}.frames")
        ours |= conv(state, f"{theirs}.fc1c", f"{attention}.squeeze")
        ours |= conv(state, f"{theirs}.fc2c", f"{attention}.excite")
    return ours


class Golden(NamedTuple):
    """A kind of network.

    Attributes:
        kind: our class.
        mapping: the file's state under our names.
        partition: of its edges.
        graph: name of the graph in the file; empty where training has changed it. Then any
            skeleton with as many joints will do, as the graph is loaded with the weights.
    """

    kind: type[nn.Module]
    mapping: Callable[[State], State]
    partition: str = "spatial"
    graph: str = ""


MODELS = {
    "stgcn": Golden(STGCN, stgcn_state, "stgcn_spatial", "gcn.0.gcn.A"),
    "aagcn": Golden(AAGCN, aagcn_state, "spatial", "A"),
    "stgcnpp": Golden(STGCNPP, stgcnpp_state),
    "ctrgcn": Golden(CTRGCN, ctrgcn_state, "spatial", "A"),
    "dgstgcn": Golden(DGSTGCN, dgstgcn_state, ""),
}


def skeleton_of(name: str, state: State, x: Tensor) -> Layout:
    """A skeleton for the file's network."""
    golden = MODELS[name]
    if golden.graph:
        return layout_of(state[golden.graph], golden.partition)
    return line_of(x.shape[2])


def build(name: str, state: State, layout: Layout) -> nn.Module:
    """Our network of the file's size, with the file's weights, in evaluation mode."""
    golden = MODELS[name]
    ours = golden.mapping(state)
    blocks = 1 + max(int(k.split(".")[2]) for k in ours if k.startswith("trunk.blocks."))
    channels = [len(ours[f"trunk.blocks.{i}.spatial.norm.weight"]) for i in range(blocks)]
    strides = [1] + [2 if channels[i] > channels[i - 1] else 1 for i in range(1, blocks)]
    options = {"partition": golden.partition} if golden.partition else {}
    model = golden.kind(layout, channels=channels, strides=strides, **options)
    missing, unexpected = model.load_state_dict(ours, strict=False)
    assert not unexpected
    assert all(key.startswith("head.") for key in missing)
    return model.eval()


def error(model: nn.Module, x: Tensor, y: Tensor) -> float:
    """max |ours − golden| / max |golden|."""
    with torch.inference_mode():
        out, _ = model.extract(Batch({"position": x}))
    assert out.shape == y.shape
    return ((out - y).abs().max() / y.abs().max()).item()


@pytest.mark.parametrize("partition", ["spatial", "stgcn_spatial"])
@pytest.mark.parametrize("layout", LAYOUTS.names())
def test_any_skeleton_can_be_read_from_its_adjacency(layout: str, partition: str) -> None:
    adjacency = build_graph(load_layout(layout), partition).adjacency()
    found = build_graph(layout_of(adjacency, partition), partition).adjacency()
    torch.testing.assert_close(found, adjacency)


@pytest.mark.parametrize("name", MODELS)
def test_output_is_the_published_implementations(
    name: str, golden: Callable[[str], Path], record_property: Callable[[str, object], None]
) -> None:
    state, x, y = read(golden(f"pyskl_{name}"))
    found = error(build(name, state, skeleton_of(name, state, x)), x, y)
    record_property("relative error", found)
    assert found <= TOLERANCE


@pytest.mark.parametrize("name", ["stgcn", "aagcn", "stgcnpp"])
def test_edge_path_gives_the_same_output(name: str, golden: Callable[[str], Path]) -> None:
    state, x, y = read(golden(f"pyskl_{name}"))
    model = build(name, state, skeleton_of(name, state, x))
    for block in model.trunk.blocks:
        block.spatial.conv.fuse = False
    assert error(model, x, y) <= TOLERANCE


@pytest.mark.parametrize("name", [name for name, golden in MODELS.items() if golden.graph])
def test_our_kinect_layout_is_the_files(name: str, golden: Callable[[str], Path]) -> None:
    state, x, y = read(golden(f"pyskl_{name}"))
    layout = load_layout("kinect-v2")
    if x.shape[2] != layout.num_joints:
        pytest.skip(f"the file has {x.shape[2]} joints, Kinect has {layout.num_joints}")
    adjacency = build_graph(layout, MODELS[name].partition).adjacency()
    torch.testing.assert_close(adjacency, state[MODELS[name].graph])
    assert error(build(name, state, layout), x, y) <= TOLERANCE

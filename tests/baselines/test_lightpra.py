from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import zoo
from baselines.hbrnn import five_parts
from baselines.lightpra import DilatedStack, LightPRA
from zoo.data.batch import Batch
from zoo.errors import ConfigError
from zoo.skeleton import load_layout

SMALL = {"channels": 3, "global_channels": 4, "global_layers": 2, "dilations": [1, 2]}


def small(layout: str = "coco", **changes: object) -> LightPRA:
    torch.manual_seed(0)
    return LightPRA(load_layout(layout), **{**SMALL, "steps": [1, 2], **changes}).eval()


def slow_stack(stack: DilatedStack, x: Tensor, groups: int) -> Tensor:
    """A stack over one sequence (T, C), group by group, frame by frame and tap by tap."""

    def conv(layer: nn.Module, y: Tensor) -> Tensor:
        weight, bias, d = layer.conv.weight[..., 0], layer.conv.bias, layer.dilation
        out = bias.repeat(len(y), 1)
        size = weight.shape[2]
        rows = torch.arange(len(bias)).chunk(groups)
        columns = torch.arange(y.shape[1]).chunk(groups)
        for t in range(len(y)):
            for tap in range(size):
                s = t - d * (size - 1 - tap)
                if s >= 0:
                    for row, column in zip(rows, columns, strict=True):
                        out[t, row] += weight[row, :, tap] @ y[s, column]
        return out

    for block in stack.blocks:
        y = x
        for layer in block.convs:
            y = F.relu(conv(layer, y))
        x = F.relu(y + block.shortcut(x))
    return x


def test_score_is_that_of_the_formula() -> None:
    model = small().double()
    x = torch.randn(2, 11, 17, 3, dtype=torch.float64)
    parts = five_parts(load_layout("coco")).values()
    with torch.no_grad():
        for found, sequence in zip(model(Batch({"position": x})).score, x, strict=True):
            embedded = [
                sequence[:, joints].flatten(1) @ layer.weight.T + layer.bias
                for joints, layer in zip(parts, model.embeddings, strict=True)
            ]
            e = torch.cat(embedded, dim=1)
            z = []
            for step, stack in zip((1, 2), model.parts, strict=True):
                h = slow_stack(stack, e[::step], 5)
                z.append(torch.stack([h[t // step] for t in range(11)]))
            g = torch.cat(z, dim=1)
            for stack in model.body:
                g = slow_stack(stack, g, 1)
            expected = model.head.layers(g[-1]).squeeze()
            torch.testing.assert_close(found, expected)


def test_a_frame_sees_nothing_after_it() -> None:
    """What the paper claims: fit for answers in real time."""
    model = small(steps=[1, 2, 4])
    x = torch.randn(1, 16, 17, 3)
    later = x.clone()
    later[:, 9:] += 1
    before, after = (model.extract(Batch({"position": y}))[0] for y in (x, later))
    torch.testing.assert_close(before[:, :9], after[:, :9])
    assert not torch.allclose(before[:, 9:], after[:, 9:])


def test_padded_frames_change_nothing() -> None:
    model = small(steps=[1, 2, 4])
    x = torch.randn(2, 13, 17, 3)
    mask = torch.arange(13) < torch.tensor([[13], [6]])
    padded = model(Batch({"position": x}, mask)).score
    torch.testing.assert_close(padded[1:], model(Batch({"position": x[1:, :6]})).score)


def test_parts_do_not_see_each_other_before_the_body() -> None:
    model = small("kinect-v2")
    layout = load_layout("kinect-v2")
    x = torch.randn(1, 8, 25, 3)
    moved = x.clone()
    moved[:, :, list(layout.parts["left_arm"])] += 1
    changed = model.parts_of(Batch({"position": x})) != model.parts_of(Batch({"position": moved}))
    arm = list(five_parts(layout)).index("left_arm")
    by_part = changed.view(1, 8, 2, 5, 3).any(-1).any(1)  # steps, parts
    assert by_part[0, :, arm].all()
    assert by_part.sum() == 2


def test_sees_a_whole_recording_of_100_frames() -> None:
    """As described: dilations up to 32 with a kernel of 3; the first frame moves the score."""
    model = zoo.create_model("lightpra").eval()
    assert [b.convs[0].dilation for b in model.body[0].blocks] == [1, 2, 4, 8, 16, 32]
    assert len(model.body) == 3
    assert model.steps == (1, 2, 4, 8)
    x = torch.randn(1, 100, 25, 3, requires_grad=True)
    model(Batch({"position": x})).score.sum().backward()
    assert x.grad[0, 0].abs().sum() > 0


def test_size() -> None:
    """Counted by hand from the layers."""
    parts = 3 * 25 * 16 + 5 * 16
    block = 2 * (80 * 16 * 3 + 2 * 80)  # kernels, their norms, biases
    wide = (320 * 32 * 3 + 32 * 32 * 3 + 4 * 32) + 320 * 32 + 32
    narrow = 2 * (32 * 32 * 3 + 2 * 32)
    expected = parts + 4 * 6 * block + wide + 17 * narrow + 33
    assert sum(p.numel() for p in zoo.create_model("lightpra").parameters()) == expected


@pytest.mark.parametrize(
    "settings", [{"steps": []}, {"dilations": [0]}, {"global_layers": 0}, {"steps": [1, 0]}]
)
def test_needs_one_of_each(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="at least one of each"):
        LightPRA(load_layout("coco"), **settings)


def test_a_layout_without_parts_is_refused() -> None:
    layout = load_layout("coco")
    parts = {name: joints for name, joints in layout.parts.items() if name != "left_leg"}
    with pytest.raises(ConfigError, match="no joints for left_leg"):
        LightPRA(replace(layout, parts=parts))

"""The spatial graph convolution against `einsum('nkctv,kvw->nctw')`.

    python benchmarks/spatial_conv.py [--threads 2] [--repeats 20] [--json FILE]

The three sizes of ST-GCN's stages: 64 channels at full length, 128 at half, 256 at a quarter.
Both sides have the same weights and edge importance; outputs and gradients are compared first.
"""

from collections.abc import Callable

import torch
from reference import Spatial
from timing import Comparison, arguments, compare, report
from torch import Tensor, nn

from zoo.nn.spatial import SkeletonConv
from zoo.skeleton import load_layout
from zoo.skeleton.graph import build_graph


def forward(module: nn.Module, x: Tensor) -> Callable[[], Tensor]:
    def run() -> Tensor:
        with torch.inference_mode():
            return module(x)

    return run


def forward_backward(module: nn.Module, x: Tensor) -> Callable[[], Tensor]:
    x = x.clone().requires_grad_()
    upstream = torch.randn_like(module(x))

    def run() -> Tensor:
        x.grad = None
        module.zero_grad(set_to_none=True)
        module(x).backward(upstream)
        return x.grad

    return run


def assert_same(ours: SkeletonConv, reference: Spatial, x: Tensor) -> None:
    """Outputs and gradients within 1e-4 of the largest value."""
    a, b = x.clone().requires_grad_(), x.permute(0, 3, 1, 2).contiguous().requires_grad_()
    first, second = ours(a), reference(b)
    upstream = torch.randn(first.shape)
    first.backward(upstream)
    second.backward(upstream.permute(0, 3, 1, 2))
    pairs = [
        (first, second.permute(0, 2, 3, 1)),
        (a.grad, b.grad.permute(0, 2, 3, 1)),
        (ours.weight.grad.flatten(0, 1), reference.conv.weight.grad.flatten(1)),
        (ours.bias.grad.flatten(), reference.conv.bias.grad),
        (ours.importance.grad, reference.importance.grad),
    ]
    for mine, theirs in pairs:
        assert (mine - theirs).abs().max() <= 1e-4 * theirs.abs().max()


def main() -> None:
    options = arguments(__doc__, repeats=20)
    torch.manual_seed(0)
    layout = load_layout("kinect-v2")
    N, T, V = options.sequences, options.frames, layout.num_joints
    found: list[Comparison] = []
    for partition in ("stgcn_spatial", "spatial"):
        graph = build_graph(layout, partition)
        for channels, frames in ((64, T), (128, T // 2), (256, T // 4)):
            ours = SkeletonConv(channels, channels, graph, importance=True)
            reference = Spatial(ours)
            x = torch.randn(N, frames, V, channels)
            plain = x.permute(0, 3, 1, 2).contiguous()
            assert_same(ours, reference, x)
            for name, mode in (("forward", forward), ("forward+backward", forward_backward)):
                case = f"{partition} C={channels} T={frames} {name}"
                if options.only in case:
                    found.append(
                        compare(case, mode(reference, plain), mode(ours, x), options.repeats)
                    )
    report(f"Spatial convolution, N={N}, V={V}", found, options)


if __name__ == "__main__":
    main()

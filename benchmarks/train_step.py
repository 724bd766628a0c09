"""One training step of whole networks against their plain einsum form.

    python benchmarks/train_step.py [--threads 2] [--repeats 7] [--json FILE]

Forward, backward and AdamW at published size on 25 joints. Both sides start from the same weights
and their outputs are compared first.
"""

import copy
from collections.abc import Callable

import torch
from reference import plain
from timing import Comparison, arguments, compare, report
from torch import Tensor, nn

import zoo
from zoo.data.batch import STREAM_CHANNELS, Batch

MODELS = ("stgcn", "aagcn", "d2sta")


def score(model: nn.Module, batch: Batch) -> Tensor:
    out = model(batch)
    return out if isinstance(out, Tensor) else out.score


def training_step(model: nn.Module, batch: Batch, target: Tensor) -> Callable[[], float]:
    model = copy.deepcopy(model).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)

    def run() -> float:
        optimizer.zero_grad(set_to_none=True)
        loss = (score(model, batch) - target).square().mean()
        loss.backward()
        optimizer.step()
        return loss.item()

    return run


def inference(model: nn.Module, batch: Batch) -> Callable[[], Tensor]:
    model = copy.deepcopy(model).eval()

    def run() -> Tensor:
        with torch.inference_mode():
            return score(model, batch)

    return run


def main() -> None:
    options = arguments(__doc__, repeats=7)
    N, T = options.sequences, options.frames
    found: list[Comparison] = []
    for name in MODELS:
        if not any(options.only in f"{name} {what}" for what in ("training step", "inference")):
            continue
        torch.manual_seed(0)
        model = zoo.create_model(name)
        batch = Batch({s: torch.randn(N, T, 25, STREAM_CHANNELS[s]) for s in model.streams})
        target = torch.randn(N)
        reference = plain(model)
        first, second = inference(model, batch)(), inference(reference, batch)()
        assert (first - second).abs().max() <= 1e-4 * second.abs().max().clamp(min=1e-2)
        if options.only in f"{name} training step":
            steps = [training_step(m, batch, target) for m in (reference, model)]
            found.append(compare(f"{name} training step", *steps, options.repeats, warm_up=1))
        if options.only in f"{name} inference":
            passes = [inference(m, batch) for m in (reference, model)]
            found.append(compare(f"{name} inference", *passes, options.repeats, warm_up=1))
    report(f"Whole networks, N={N}, T={T}, V=25", found, options)


if __name__ == "__main__":
    main()

"""How fast networks are one frame at a time, and how far from the clip; docs/streaming.md.

    python benchmarks/streaming.py networks [--models NAME ...]
    python benchmarks/streaming.py runs RUN ... --data-root DIR [--recordings N]
    python benchmarks/streaming.py repetitions DATASET --data-root DIR [--every N]
    python benchmarks/streaming.py preparation DATASET --data-root DIR [--every N]

``networks`` takes fresh ones with weights moved off their beginnings, as if trained; ``runs``
streams recordings of a finished run's test people; ``repetitions`` compares those that are found as
they end with those of whole recordings, ``preparation`` what becomes of the joints. Times are of
the processor, one thread.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

import zoo
from registry import MODELS
from zoo.data.batch import STREAM_CHANNELS, Batch
from zoo.data.recording import Recording
from zoo.data.repetition import find_repetitions
from zoo.data.resample import resample_motion
from zoo.data.transforms import Motion, parse_steps
from zoo.errors import ConfigError
from zoo.live import Stream
from zoo.live.frames import Frames
from zoo.live.pipeline import Causal, Clock, causal_step
from zoo.live.repetitions import RepetitionFinder
from zoo.live.scoring import LEAST
from zoo.nn.model import ScoreModel
from zoo.nn.streaming import StreamingStep
from zoo.skeleton import load_layout

FRAMES = 300
RATE = 10.0
LISTED = ["repair-jumps", "face-camera", "center"]
ALIKE = 0.5
"""Share of the time of two repetitions together that both have, for them to be one."""


def milliseconds(call: Callable[[], object]) -> float:
    """Processor time of a call."""
    begun = time.thread_time()
    call()
    return 1000 * (time.thread_time() - begun)


def spread(times: Sequence[float]) -> str:
    """Median, mean and 95th percentile."""
    return f"{np.median(times):.2f} | {np.mean(times):.2f} | {np.percentile(times, 95):.2f}"


def as_if_trained(name: str) -> ScoreModel:
    """A causal network of which no path is closed and no mean zero.

    Raises:
        ConfigError: it looks at later frames.
    """
    torch.manual_seed(0)
    model = zoo.create_model(name, causal=True)
    assert isinstance(model, ScoreModel)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
        x = {s: torch.randn(4, 40, model.num_joints, STREAM_CHANNELS[s]) for s in model.streams}
        model.train()(Batch(x))
    return model.eval()


@torch.inference_mode()
def networks(names: Sequence[str]) -> None:
    """A row a network: per frame, against a clip of `FRAMES` frames."""
    print("| network | one score in frames | median | mean | p95 | clip | largest difference |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in names:
        try:
            model = as_if_trained(name)
        except ConfigError as error:
            print(f"| {name} | {str(error).removeprefix('model.causal: ')} |", flush=True)
            continue
        step = StreamingStep(model)
        x = torch.randn(1, FRAMES, model.num_joints, step.channels)
        parts = x.split([STREAM_CHANNELS[s] for s in step.streams], dim=-1)
        state, times, worst = step.initial_state(), [], 0.0
        for t in range(FRAMES):
            begun = time.thread_time()
            score, *state = step(x[:, t], *state)
            times.append(1000 * (time.thread_time() - begun))
            if t % 50 == 49:
                clip = {s: p[:, : t + 1] for s, p in zip(step.streams, parts, strict=True)}
                whole = model(Batch(clip)).score
                worst = max(worst, float((score - whole).abs() / whole.abs().clamp(min=1)))
        batch = Batch(dict(zip(step.streams, parts, strict=True)))
        clip_ms = np.median([milliseconds(partial(model, batch)) for _ in range(3)])
        grows = "*" if step.grows else ""
        row = f"{name}{grows} | {step.rate} | {spread(times[20:])} | {clip_ms:.0f} | {worst:.0e}"
        print(f"| {row} |", flush=True)


def streamed(stream: Stream, recording: Recording) -> tuple[list[float], list[float | None]]:
    """Processor time of each frame, and the score after it."""
    times, scores = [], []
    for t in range(recording.num_frames):
        frame = {}
        if recording.positions is not None:
            frame["position"] = recording.positions[t]
        if recording.orientations is not None and "orientation" in stream.model.streams:
            frame["orientation"] = recording.orientations[t]
        begun = time.thread_time()
        update = stream.push(frame, t / recording.fps)
        times.append(1000 * (time.thread_time() - begun))
        scores.append(update.score)
    return times, scores


def runs(folders: Sequence[Path], data_root: Path, count: int) -> None:
    """A row a run: time of a frame, and how far the last score on the way is from the file's."""
    print("| run | how | median | mean | p95 | last score − file's | half way | in its interval |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for folder in folders:
        model = zoo.load_model(folder, data_root=data_root)
        dataset = zoo.load_dataset(model.record.dataset.name, data_root)
        ids = model.predictor.run.split["test"]["recordings"][:count]
        times, last, half, held = [], [], [], []
        how = ""
        for name in ids:
            recording = dataset.recording(name)
            stream = Stream(model)
            how = stream.how.split(":")[0]
            spent, scores = streamed(stream, recording)
            times += spent
            whole = model.predict(recording).score
            last.append(abs(scores[-1] - whole))
            middle = scores[len(scores) // 2]
            half.append(abs(middle - whole))
            radius = model.predictor.calibration.factor
            held.append(abs(middle - recording.scores["total"]) <= radius)
        row = f"{model.record.model.name} | {how} | {spread(times)} | {np.mean(last):.3f}"
        print(f"| {row} | {np.mean(half):.2f} | {np.mean(held):.2f} |", flush=True)


def repetitions(dataset: str, data_root: Path, every: int) -> None:
    """A row an exercise: those of whole recordings, those found as they end, how late."""
    found = zoo.load_dataset(dataset, data_root)
    places: dict[str, list[int]] = {}
    for place, info in enumerate(found.index):
        places.setdefault(info.exercise, []).append(place)
    print("| exercise | recordings | whole | as they end | the same | end apart | delay | ms |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for exercise, at in sorted(places.items()):
        whole = same = told = 0
        apart, delay, cost = [], [], []
        for place in at[::every]:
            recording = found[place]
            if recording.positions is None:
                continue
            live, spent = ended(recording)
            offline = find_repetitions(recording)
            whole, told = whole + len(offline), told + len(live)
            cost.append(spent / recording.num_frames)
            for start, stop in offline:
                best = max(live, key=lambda one: shared((start, stop), one[:2]), default=None)
                if best is not None and shared((start, stop), best[:2]) >= ALIKE:
                    same += 1
                    apart.append(abs(best[1] - stop) / recording.fps)
                    delay.append((best[2] - best[1]) / recording.fps)
        row = f"{exercise} | {len(at[::every])} | {whole} | {told} | {same}"
        late = f"{np.median(delay):.1f} ({np.percentile(delay, 90):.1f})"
        print(f"| {row} | {np.median(apart):.2f} | {late} | {np.mean(cost):.2f} |", flush=True)


def ended(recording: Recording) -> tuple[list[tuple[int, int, int]], float]:
    """Repetitions as they end, with the frame at which each was told; processor milliseconds."""
    frames = Frames(load_layout(recording.layout), ("position",), recording.fps)
    finder, told = RepetitionFinder(), []
    begun = time.thread_time()
    for x in recording.positions:
        frames.add(x)
        told += [(*one, len(frames)) for one in finder.look(frames)]
    told += [(*one, len(frames)) for one in finder.look(frames, over=True)]
    return told, 1000 * (time.thread_time() - begun)


def shared(a: tuple[int, int], b: tuple[int, int]) -> float:
    """What two spans have in common, as a share of what they cover."""
    return (min(a[1], b[1]) - max(a[0], b[0])) / (max(a[1], b[1]) - min(a[0], b[0]))


def preparation(dataset: str, data_root: Path, every: int) -> None:
    """A row a transform: how far joints are from where they are in a recording that is whole."""
    found = zoo.load_dataset(dataset, data_root)
    layout = load_layout(found.layout)
    apart: dict[str, list[float]] = {}
    alike: dict[str, int] = {}
    for place in range(0, len(found.index), every):
        recording = found[place]
        if recording.positions is None:
            continue
        begun = Motion.of(recording, layout).only({"position"})
        for names in (["repair-jumps"], ["face-camera"], ["center"], LISTED):
            whole = begun
            for step in parse_steps(names):
                whole = step(whole)
            causal = [causal_step(step, layout, recording.fps) for step in parse_steps(names)]
            note(apart, alike, ", ".join(names), whole, begun, causal, None)
        wanted = max(2, round(recording.num_frames * RATE / recording.fps))
        note(apart, alike, f"to {RATE:g} a second", resample_motion(begun, wanted), begun, [], RATE)
    print("| step | recordings | unchanged | median | 95 % | largest |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, values in apart.items():
        far = np.array(values)
        row = f"{name} | {len(far)} | {alike[name]} | {np.median(far):.2f}"
        print(f"| {row} | {np.percentile(far, 95):.2f} | {far.max():.2f} |", flush=True)


def note(
    apart: dict[str, list[float]],
    alike: dict[str, int],
    name: str,
    whole: Motion,
    begun: Motion,
    causal: Sequence[Causal | None],
    rate: float | None,
) -> None:
    """Mean centimetres between a recording's joints looking back and as a whole, after 2 s."""
    clock, out = Clock(rate or begun.fps), []
    for t, x in enumerate(begun.streams["position"]):
        for due in clock({"position": x}, t / begun.fps):
            for step in causal:
                assert step is not None
                due = step(due)
            out.append(due["position"])
    frames = min(len(out), whole.num_frames)
    first = min(round(LEAST * (rate or begun.fps)), frames - 1)
    moved = np.array(out[first:frames]) - whole.streams["position"][first:frames]
    far = 100 * float(np.linalg.norm(moved, axis=-1).mean())
    apart.setdefault(name, []).append(far)
    alike[name] = alike.get(name, 0) + (far < 1e-6)


def main() -> None:
    """Print one of the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", choices=("networks", "runs", "repetitions", "preparation"))
    parser.add_argument("what", nargs="*", help="runs, or a dataset")
    parser.add_argument("--models", nargs="+", default=None)
    parser.add_argument("--data-root", type=Path, default=None)
    parser.add_argument("--recordings", type=int, default=10)
    parser.add_argument("--every", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.table == "networks":
        fitted = {name for name in MODELS.names() if hasattr(MODELS.get(name).load(), "fit")}
        networks(args.models or [name for name in MODELS.names() if name not in fitted])
    elif args.table == "runs":
        runs(list(map(Path, args.what)), args.data_root, args.recordings)
    else:
        table = repetitions if args.table == "repetitions" else preparation
        table(args.what[0], args.data_root, args.every)


if __name__ == "__main__":
    main()

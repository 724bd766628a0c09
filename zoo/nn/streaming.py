"""A network that was trained causally, one frame at a time.

Whatever looks along time keeps what it needs of the frames before, so that only what is new is
computed: continual inference (Hedegaard, Heidari and Iosifidis, "Continual spatio-temporal graph
convolutional networks", Pattern Recognition 2023, arXiv 2203.11009).
"""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from zoo.data.batch import STREAM_CHANNELS, Batch, Prediction
from zoo.errors import ConfigError
from zoo.nn.look_ahead import ROUNDING, looks_ahead, random_streams
from zoo.nn.model import ScoreModel
from zoo.nn.multibranch import Peak
from zoo.nn.norm import BatchNorm, InputNorm
from zoo.nn.pointwise import seen_by_torch
from zoo.nn.replacing import Seen, norms_behind, replace_layers, stepped, stepped_norm
from zoo.nn.sequence import SequenceConv
from zoo.nn.stepping import NothingNewError, Recurrent, StepTrunk, Tape
from zoo.nn.temporal import AlongTime, FrameConv
from zoo.nn.trunk import Trunk

_PROBED = 64
"""Frames that the network is shown to see how its layers take them; a multiple of all strides."""


class StreamingStep(nn.Module):
    """One frame in, the score of all frames so far out: `forward` of a `ScoreModel` on a clip.

        step = StreamingStep(model)
        state = step.initial_state()
        for frame in frames:                # (N, V, C) scaled, the streams side by side
            score, *state = step(frame, *state)

    The state is plain tensors of fixed shapes and the step depends on nothing else, so that
    `torch.export` and ONNX take it, state in and state out. Where a network keeps fewer frames than
    it is fed (temporal strides), blocks that have nothing to do at a frame are left out; exported,
    which must not depend on data, everything is computed and dropped.

    A network may have trunks that look back and layers behind them that look at all frames
    (D2STA's grouping): these are computed anew from the trunks' features of all frames so far.
    The state then grows (`grows`), and the step cannot be exported.

    Args:
        model: trained causally (``model.causal``), or causal by itself. It is copied.

    Attributes:
        rate: frames for one of the features that are pooled; the score changes as often.
        grows: whether the state grows with the frames.
        state_names: of the tensors of the state, those of the layers they belong to.
        channels: C.

    Raises:
        ConfigError: a layer looks at later frames, which is named, or the network is no
            `ScoreModel`.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        kind = type(model).__name__
        if not isinstance(model, ScoreModel) or type(model).extract is ScoreModel.extract:
            raise ConfigError(f"{kind} has no features along time, which ScoreModel.extract gives")
        if model.raw or model.derived is not None:
            raise ConfigError(f"{kind} measures whole recordings before it scores them")
        self.streams, self.joints = model.streams, model.num_joints
        self.channels = sum(STREAM_CHANNELS[name] for name in self.streams)
        for grows in (False, True):
            if grows and not any(isinstance(module, Trunk) for module in model.modules()):
                continue
            try:
                self._make(model, grows)
                fits = self._agrees(model)
            except (RuntimeError, ConfigError):  # shapes that only a whole clip has
                fits = False
            if fits:
                return
        raise ConfigError(f"{kind} cannot be run frame by frame: {looks_ahead(model)}")

    def initial_state(self, sequences: int = 1) -> tuple[Tensor, ...]:
        """The state before the first frame of N sequences."""
        like = next(self.model.parameters())
        found = []
        for shape, axis in self.tape.shapes:
            size = [*shape[:axis], shape[axis] * sequences, *shape[axis + 1 :]]
            found.append(like.new_zeros(size))
        return torch.zeros((), dtype=torch.long, device=like.device), *found

    def forward(self, frame: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """Standardised scores (N,) of all frames so far, and the state after this one.

        Args:
            frame: (N, V, C), scaled, the streams of the model side by side.
            *state: as `initial_state` or the frame before gave it.
        """
        said, kept = self.say(frame, *state)
        return said.score, *kept

    def say(self, frame: Tensor, *state: Tensor) -> tuple[Prediction, tuple[Tensor, ...]]:
        """All that the network's head says of the frames so far, and the state after this one."""
        count, *before = state
        exported = seen_by_torch()
        tape = self.tape
        tape.count, tape.state, tape.kept = count if exported else int(count), before, [*before]
        try:
            pooled = self._pooled(self._features(frame))
        except NothingNewError:
            pooled = before[0]
        tape.keep(0, pooled, self.rate)
        kept = count + 1, *tape.kept
        tape.state, tape.kept = [], []
        said: Prediction = self.model.head(kept[1] if self.grows else self._head_input(kept[1]))
        return said, kept

    @property
    def state_names(self) -> tuple[str, ...]:
        """What the tensors of the state are."""
        return "frames", *self.tape.names

    def _features(self, frame: Tensor) -> Tensor:
        widths = [STREAM_CHANNELS[name] for name in self.streams]
        parts = frame.unsqueeze(1).split(widths, dim=-1)
        features, _ = self.model.extract(Batch(dict(zip(self.streams, parts, strict=True))))
        return features

    def _pooled(self, features: Tensor) -> Tensor:
        """What of the features so far the head needs: their mean, the last ones, or its input."""
        if self.grows:
            return self.model.pool(features, None)
        if self.pooling == "last" or features.dim() == 2:
            return features
        mean, done = self.tape.state[0], self.tape.count // self.rate
        return mean + (features - mean) / (done + 1)

    def _head_input(self, kept: Tensor) -> Tensor:
        return kept if kept.dim() == 2 else self.model.pool(kept, None)

    def _make(self, model: ScoreModel, grows: bool) -> None:
        """Take over a copy of the model with its layers replaced."""
        self.grows, self.tape = grows, Tape()
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        given, trunks, features = _probed(self.model)
        self.rate, self.pooling = 1, "last"
        shape: tuple[int, ...] = (1, *features.shape[1:])
        if features.dim() > 2:
            self.rate, shape = _PROBED // features.shape[1], (1, 1, *features.shape[2:])
        if grows:
            shape = tuple(self.model.pool(features, None).shape)
        elif features.dim() > 2:
            self.pooling = _pooling(self.model, features)
        self.tape.reserve("features", shape)
        norms = norms_behind(self.model)
        taken = set(norms.values())

        def replacement(name: str, layer: nn.Module) -> nn.Module | None:
            if isinstance(layer, BatchNorm | InputNorm):
                return stepped_norm(layer, layer in taken, self.joints)
            if isinstance(layer, Trunk):
                shapes = trunks[name]
                rates = [_PROBED // length for length, _ in shapes]
                history = (name, self.joints, shapes[-1][1]) if grows else None
                return StepTrunk(self.tape, layer, rates, name == [*trunks][-1], history)
            return stepped(name, layer, self.tape, _seen(layer, given.get(name)), norms)

        replace_layers(self.model, replacement)

    @torch.no_grad()
    def _agrees(self, model: ScoreModel) -> bool:
        """Whether features and scores of clips come out frame by frame."""
        frames = 4 * self.rate + 3
        x = random_streams(model, frames)
        state = self.initial_state()
        was = model.training
        model.eval()
        try:
            for t in range(frames):
                frame = torch.cat([values[:, t] for values in x.values()], dim=-1)
                said, state = self.say(frame, *state)
                if t in (0, frames // 2, frames - 1):
                    clip = {name: values[:, : t + 1] for name, values in x.items()}
                    whole = model(Batch(clip))
                    same = _like(said.features, whole.features, least=1e-12)
                    if not (same and _like(said.score, whole.score, least=1.0)):
                        return False
        finally:
            model.train(was)
        return True


def _like(found: Tensor | None, expected: Tensor | None, least: float) -> bool:
    """Whether two tensors are the same but for rounding; `least` is the size that it refers to."""
    if found is None or expected is None:
        return found is expected
    size = expected.abs().max().clamp(min=least)
    return bool((found - expected).abs().max() <= ROUNDING * size)


def make_causal(model: nn.Module) -> None:
    """Let everything along time look back only, before a network is trained.

    Layers that have a method ``look_back`` are told so: the convolutions of `zoo.nn`. Those behind
    a `Trunk` may look at all frames there are, as attention does, see `StreamingStep`.

    Raises:
        ConfigError: another layer looks at later frames; it is named.
    """
    for layer in list(model.modules()):
        look_back = getattr(layer, "look_back", None)
        if callable(look_back):
            look_back()
    try:
        StreamingStep(_shaken(model))
    except ConfigError as error:
        raise ConfigError(f"model.causal: {error}") from None


def _shaken(model: nn.Module) -> nn.Module:
    """A copy with other weights: paths that start closed, with zeros, are open in it."""
    found = copy.deepcopy(model)
    made = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in found.parameters():
            noise = torch.randn(parameter.shape, generator=made)
            parameter.add_(noise.to(parameter) * 0.1)
    return found


@torch.no_grad()
def _probed(
    model: ScoreModel,
) -> tuple[dict[str, list[int]], dict[str, list[tuple[int, int]]], Tensor]:
    """How a network takes `_PROBED` frames.

    Returns:
        The shape of what each layer along time is given; frames and channels of what comes out of
        each block of each trunk, in the order in which trunks are run; the features.
    """
    given: dict[str, list[int]] = {}
    trunks: dict[str, list[tuple[int, int]]] = {}

    def note(name: str) -> Any:
        def hook(layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            given[name] = list(inputs[0].shape)

        return hook

    def note_block(name: str) -> Any:
        def hook(block: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
            trunks.setdefault(name, []).append((output[0].shape[1], output[0].shape[-1]))

        return hook

    hooks = []
    for name, layer in model.named_modules():
        if isinstance(layer, Trunk):
            hooks += [block.register_forward_hook(note_block(name)) for block in layer.blocks]
        elif isinstance(layer, AlongTime | Peak | FrameConv | SequenceConv | Recurrent):
            hooks.append(layer.register_forward_hook(note(name)))
    try:
        features, _ = model.extract(Batch(random_streams(model, _PROBED)))
    finally:
        for hook in hooks:
            hook.remove()
    return given, trunks, features


def _seen(layer: nn.Module, shape: list[int] | None) -> Seen:
    if shape is None:
        return Seen(1)
    if isinstance(layer, AlongTime | Peak):
        return Seen(_PROBED // shape[2], joints=shape[3], channels=shape[1])
    if isinstance(layer, FrameConv):
        return Seen(_PROBED // shape[1], joints=shape[2], channels=shape[3])
    return Seen(_PROBED // shape[1], rows=shape[0])


def _pooling(model: ScoreModel, features: Tensor) -> str:
    """How a model pools features along time: by their ``mean``, or the ``last`` ones."""
    pooled = model.pool(features, None)
    mean, last = features.mean(1, keepdim=True), features[:, -1:]
    for name, frame in (("mean", mean), ("last", last)):
        if torch.allclose(model.pool(frame, None), pooled, rtol=1e-3, atol=1e-5):
            return name
    raise ConfigError(
        f"{type(model).__name__} pools its features in another way than by their mean over time "
        "or the last ones"
    )

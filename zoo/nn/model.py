"""What a model is: the base class that says it once, and what other modules are taken for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from torch import Tensor, nn

from zoo.data.batch import Batch, Prediction
from zoo.data.derived import Derivation, derivation
from zoo.data.scalers import StreamScaler
from zoo.errors import ConfigError
from zoo.nn.heads import Head, chosen_head, head_choice
from zoo.nn.inputs import stack_streams, stream_channels, stream_names
from zoo.nn.masking import mean_pool, zero_padding
from zoo.skeleton.layout import Layout


class ScoreModel(nn.Module):
    """Base of models: streams in, features, one vector a sequence, a head, a score.

    A network sets `head` and has `extract`; the rest is here. A closed-form model has instead
    ``fit(batch, target)``, which learns from all training samples and their scores (N,) in
    standardised units at once, and a ``forward`` of its own.

    Every model takes these arguments, and its docstring says only what it takes beside them.

    Args:
        layout: the skeleton, of V joints.
        streams: what the model is fed, side by side along the channels.

    Attributes:
        streams: their names.
        raw: whether it takes samples as recorded, neither resampled nor scaled.
        draws: whether random numbers are drawn in training or fitting it; where none are, one seed
            says all, and a comparison runs no other.
        derived: settings that decide, beside code and skeleton, what `derive` gives; None for a
            model that derives nothing.
        head: from features to a score; ``model.head`` puts another in its place.
        num_joints: V.
        in_channels: C of all streams side by side.

    Raises:
        ConfigError: no stream, an unknown one, or one twice.
    """

    raw: bool = False
    draws: bool = True
    derived: Mapping[str, Any] | None = None
    head: Head

    def __init__(self, layout: Layout, streams: str | Sequence[str]) -> None:
        super().__init__()
        self.streams = stream_names(streams)
        self.num_joints = layout.num_joints
        self.in_channels = stream_channels(self.streams)

    def stacked(self, batch: Batch) -> Tensor:
        """The streams side by side (N, T, V, C), zero in padded frames.

        Raises:
            DataError: the batch lacks a stream, or has another number of joints.
        """
        return zero_padding(stack_streams(batch, self.streams, self.num_joints), batch.mask)

    def extract(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Features (N, T', V, C) or (N, T', C) with their mask (N, T'), or one vector (N, C)."""
        raise NotImplementedError

    def pool(self, features: Tensor, mask: Tensor | None) -> Tensor:
        """What the head sees (N, D) of features and mask: the mean of real frames and joints."""
        return features if features.dim() == 2 else mean_pool(features, mask)

    def forward(self, batch: Batch) -> Prediction:
        """Score each sequence."""
        return self.head.answer(self, batch)

    def derive(self, batch: Batch) -> Batch:
        """What the model computes from recordings alone: a batch of other streams, or the same one.

        With `derived` it is computed once for a dataset, a recording at a time without padding,
        and kept beside the prepared data; each recording's streams must have one shape. NaN is
        what is undefined, and counts to the model as what is usual among the training people.
        """
        return batch

    def derived_joints(self) -> Mapping[str, Tensor]:
        """Of which joint each entry of `derive`'s streams tells: (T, V) long, by stream.

        Joints are numbered as in the layout; −1 tells of the whole body. Empty where joints cannot
        be told apart, and then no explanation can say which one's descriptors moved a score.
        """
        return {}

    def prepare(self, batch: Batch, scaler: StreamScaler) -> None:
        """Before training: all samples trained on, for what is fitted without gradients.

        Args:
            batch: as `forward` gets them.
            scaler: the fitted scaler of its streams, for a model that needs units.
        """

    def attention_maps(self, batch: Batch) -> Mapping[str, Tensor]:
        """Named attention maps of N sequences, each (N, …); empty for a model that has none."""
        return {}

    def attention_rollup(self, batch: Batch) -> Tensor | None:
        """How much of what is pooled was looked up at each joint and frame, (N, T', V).

        All of a sequence's shares add up to one. None where there is no attention, or none that
        can be followed back.
        """
        return None


@dataclass(frozen=True)
class Contract:
    """What a model asks of data and training, and what can be asked of it; see `ScoreModel`.

    Attributes:
        head: None for a module whose score is trained with the mean squared error as it is.
        fit: of a closed-form model, else None.
    """

    streams: tuple[str, ...]
    raw: bool
    draws: bool
    head: Head | None
    fit: Callable[[Batch, Tensor], None] | None
    derive: Derivation | None
    derived_joints: Callable[[], Mapping[str, Tensor]]
    prepare: Callable[[Batch, StreamScaler], None]
    attention_maps: Callable[[Batch], Mapping[str, Tensor]]
    attention_rollup: Callable[[Batch], Tensor | None]

    @property
    def closed_form(self) -> bool:
        """Whether it is fitted once, and not trained by gradients."""
        return self.fit is not None

    @property
    def learns_variance(self) -> bool:
        """Whether the log variances in its answers are learned: by a head's loss, or a fit."""
        by_head = self.head is not None and type(self.head).log_variance is not Head.log_variance
        return self.closed_form or by_head


def contract_of(model: nn.Module) -> Contract:
    """What `model` is taken for: what it does not say is as `ScoreModel` has it.

    Any module from `Batch` to `Prediction` will do. One without ``streams`` is fed ``position``.

    Raises:
        ConfigError: it names no stream, or an unknown one.
    """
    head, fit = getattr(model, "head", None), getattr(model, "fit", None)
    derived = getattr(model, "derived", None)
    return Contract(
        streams=stream_names(getattr(model, "streams", "position")),
        raw=bool(getattr(model, "raw", ScoreModel.raw)),
        draws=bool(getattr(model, "draws", ScoreModel.draws)),
        head=head if isinstance(head, Head) else None,
        fit=fit if callable(fit) else None,
        derive=None if derived is None else derivation(cast(Any, model).derive, derived),
        derived_joints=getattr(model, "derived_joints", dict),
        prepare=getattr(model, "prepare", None) or (lambda batch, scaler: None),
        attention_maps=partial(_attention_maps, model),
        attention_rollup=partial(_attention_rollup, model),
    )


def _attention_maps(model: nn.Module, batch: Batch) -> Mapping[str, Tensor]:
    """A model's attention maps, each (N, …), looked at.

    Raises:
        ConfigError: they are no mapping of names to tensors of N sequences.
    """
    own = getattr(model, "attention_maps", None)
    found: Any = {} if own is None else own(batch)
    whole = isinstance(found, Mapping) and all(
        isinstance(name, str) and isinstance(value, Tensor) and value.shape[:1] == (batch.size,)
        for name, value in found.items()
    )
    if not whole:
        raise ConfigError(
            f"{type(model).__name__}.attention_maps gives {_kind(found)}, expected named tensors, "
            f"each of shape ({batch.size}, …)"
        )
    return cast(Mapping[str, Tensor], found)


def _attention_rollup(model: nn.Module, batch: Batch) -> Tensor | None:
    """A model's rolled-up attention (N, T', V), looked at.

    Raises:
        ConfigError: it is another thing.
    """
    own = getattr(model, "attention_rollup", None)
    found: Any = None if own is None else own(batch)
    joints = next(iter(batch.x.values())).shape[2]
    fits = isinstance(found, Tensor) and found.dim() == 3
    if found is not None and not (fits and found.shape[::2] == (batch.size, joints)):
        raise ConfigError(
            f"{type(model).__name__}.attention_rollup gives {_kind(found)}, expected a tensor of "
            f"shape ({batch.size}, T, {joints})"
        )
    return cast(Tensor | None, found)


def _kind(value: Any) -> str:
    """What a value is, in words: its type, or the shapes of its tensors."""
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, Mapping) and value:
        return ", ".join(f"{name}: {_kind(item)}" for name, item in value.items())
    return f"a {type(value).__name__}"


def replace_head(model: nn.Module, choice: Any) -> None:
    """Put the head that ``model.head`` names in the place of the model's own, whose layers stay.

    Raises:
        RegistryError: no such head.
        ConfigError: no such option, or the model does not end in a `Head`.
    """
    own = contract_of(model).head
    if own is None:
        name, _ = head_choice(choice)
        raise ConfigError(
            f"{type(model).__name__} has no head that {name!r} could take the place of: "
            "model.head is for networks that end in self.head = MSEHead.of(width); "
            "model.head=null leaves others as they are"
        )
    model.head = chosen_head(choice, own.layers)

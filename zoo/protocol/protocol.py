"""Protocols: how recordings become samples, who is tested, and what may be fitted on what."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor

from registry import PROTOCOLS
from zoo.build import build
from zoo.catalogue import blocks_of
from zoo.data.batch import Batch, Prediction, joined
from zoo.data.recording import UNKNOWN_SUBJECT, Recording
from zoo.data.samples import PIPELINE_VERSION, SampleSet, build_samples
from zoo.data.scalers import TARGET_SCALES, StreamScaler, TargetScaler
from zoo.data.segment import Sampling
from zoo.data.transforms import Step, parse_steps
from zoo.errors import ConfigError
from zoo.evaluation.aggregate import AGGREGATES, aggregate
from zoo.files import json_hash
from zoo.protocol.feed import AS_THE_PROTOCOL, Feed
from zoo.protocol.leakage import LeakageReport, check_leakage, gate
from zoo.protocol.part import Part
from zoo.protocol.split import Split
from zoo.protocol.splits import SplitRule, split_rule
from zoo.words import natural


@dataclass(frozen=True, eq=False)
class FoldData:
    """Everything a trainer needs of one fold.

    Attributes:
        protocol: the protocol it comes from.
        fold: which fold, from 0.
        samples: all samples that are split and scored, unscaled, targets in score units.
        split: who of them stands where.
        stream_scaler: fitted as the protocol says.
        target_scaler: fitted as the protocol says.
        leakage: what stands on both sides.
        warning: plain words about leakage, for a leaky protocol; None for an honest one.
        remarks: what is odd about these recordings under the split, in sentences.
        feed: how the model is fed.
        pieces: what the model is fed, where it cuts the recordings of `samples` itself; these
            have no streams then. None where it is fed `samples`.
        beside: samples of the dataset's other exercises, of whoever; those of training people are
            trained on too. None where a model learns from one exercise.
    """

    protocol: "Protocol"
    fold: int
    samples: SampleSet
    split: Split
    stream_scaler: StreamScaler
    target_scaler: TargetScaler
    leakage: LeakageReport
    warning: str | None
    remarks: tuple[str, ...] = ()
    feed: Feed = AS_THE_PROTOCOL
    pieces: SampleSet | None = None
    beside: SampleSet | None = None

    @property
    def fed(self) -> SampleSet:
        """The samples the model is fed, unscaled."""
        return self.samples if self.pieces is None else self.pieces

    @cached_property
    def train(self) -> Part:
        """The samples that a model learns from."""
        return self._part("train")

    @cached_property
    def validation(self) -> Part:
        """The samples of the people that choose the epoch; empty where there are none."""
        return self._part("validation")

    @cached_property
    def test(self) -> Part:
        """The samples of the people that nothing of a model has seen."""
        return self._part("test")

    def _part(self, name: str) -> Part:
        return Part(*self.part(name), self.fed.subset(self.fed_index(name)))

    def part(self, name: str) -> tuple[Batch, Tensor]:
        """Scaled batch and standardised target (N,) of ``train``, ``validation`` or ``test``."""
        index = self.fed_index(name)
        batch = self.stream_scaler.transform(self.fed.batch(index))
        return batch, self.target_scaler.transform(self.fed.target[index])

    def fed_index(self, name: str) -> Tensor:
        """Which of `fed` (N,) belong to a part of the split."""
        return cut_from(self.samples, self.split.index(name), self.pieces)

    def of_samples(self, name: str, said: Prediction) -> Prediction:
        """What a model says of each of the part's `samples`, of what it says of those it is fed.

        Args:
            name: of the part.
            said: scores (N,) of the part's N samples in `fed`, and log variances.
        """
        if self.pieces is None:
            return said
        names = [self.pieces.recording[i] for i in self.fed_index(name).tolist()]
        how, variance = self.protocol.aggregate, said.log_variance
        score = torch.from_numpy(aggregate(names, said.score.numpy(), how)).to(said.score)
        if variance is not None:  # errors within a recording are alike: as uncertain as they are
            deviation = aggregate(names, (variance / 2).exp().numpy())
            variance = 2 * torch.from_numpy(deviation).to(variance).log()
        return Prediction(score, variance)

    def learnt(self) -> "Learnt":
        """Everything that is trained on: the training part, and what is `beside` of its people."""
        batch, target = self.train.batch, self.train.target
        own = Learnt(batch, target, self._score_parts(self.train.samples, self.target_scaler))
        if self.beside is None:
            return own
        kinds = sorted(set(self.beside.exercise), key=natural)
        every = [own, *(self._learnt_beside(kind) for kind in kinds)]
        codes = [torch.full((len(one.target),), code) for code, one in enumerate(every)]
        return Learnt(
            joined([one.batch for one in every])._replace(exercise=torch.cat(codes)),
            torch.cat([one.target for one in every]),
            {name: torch.cat([one.parts[name] for one in every]) for name in own.parts},
        )

    def _learnt_beside(self, exercise: str) -> "Learnt":
        """What training people did of another exercise; its targets are scaled by themselves."""
        assert self.beside is not None
        held_out = set()
        if not self.protocol.leaky:
            held_out = {*self.samples.subject, UNKNOWN_SUBJECT} - {*self.split.persons("train")}
        rows = zip(self.beside.exercise, self.beside.subject, strict=True)
        at = [i for i, (of, who) in enumerate(rows) if of == exercise and who not in held_out]
        chosen = self.beside.subset(at)
        scaler = TargetScaler(self.protocol.target_scale)
        if at:
            scaler.fit(chosen.target)
        batch = self.stream_scaler.transform(chosen.batch())
        target = scaler.transform(chosen.target)
        return Learnt(batch, target, self._score_parts(chosen, scaler))

    def _score_parts(self, samples: SampleSet, scaler: TargetScaler) -> dict[str, Tensor]:
        return {
            name: (scores - scores.nanmean()) / scaler.scale
            for name, scores in samples.parts.items()
        }

    def subset(self, name: str) -> SampleSet:
        """Samples of one part, unscaled, with ids and targets in score units."""
        return self.samples.subset(self.split.index(name))

    @cached_property
    def tested(self) -> "FoldData":
        """The fold whose model is tested: this one, or for ``selection: refit`` its `refit`."""
        return self.refit() if self.protocol.selection == "refit" else self

    def refit(self) -> "FoldData":
        """The fold in which the validation people are training people too.

        Its scalers are fitted on all of these; the test part is the same, validation is empty.
        """
        split = self.split.without_validation()
        scalers = self.protocol.scalers(self.samples, split, self.feed, self.pieces)
        return replace(self, split=split, **scalers)


class Learnt(NamedTuple):
    """What a model is trained on.

    Attributes:
        batch: scaled samples.
        target: (S,) standardised scores, within each exercise.
        parts: (S,) by name, scores beside the total, less their mean over the exercise and divided
            by its target scale: what adds up to the total in score units does so here, in every
            exercise.
    """

    batch: Batch
    target: Tensor
    parts: dict[str, Tensor]


@dataclass(frozen=True)
class Protocol:
    """A way of evaluating, complete: two results compare only under equal protocol hashes.

    Attributes:
        name: name of its configuration.
        summary: one sentence for people.
        leaky: a person or a recording may stand on both sides of the split.
        leak_reason: why, in plain words; required when leaky.
        sampling: what one sample is.
        frames: frames T of each sample after cubic resampling; None keeps lengths and pads.
        transforms: steps applied to each recording before it is cut, in order.
        split: how the samples are divided into training, validation and test.
        scaler: what the z-score of the streams is fitted on: ``train``, ``all`` samples (which
            leaks), or ``none`` for no z-score.
        target_scale: ``zscore``, ``minmax`` or ``none``; fitted on all samples where `scaler` is
            ``all``, else on the training part.
        selection: the weights that are tested: of the ``best`` epoch on the validation part; of a
            training anew on training and validation people together, for as many epochs
            (``refit``); or the ``last``.
        aggregate: how predictions of one recording's samples become one: ``mean`` or ``median``;
            ``none`` scores each sample by itself, as papers do that cut recordings into pieces.
        seeds: of weights and batch order, which a comparison repeats every fold with; they change
            the answer's certainty and not the question, and so are no part of the hash.

    Raises:
        ConfigError: a value that does not exist or contradicts another.
    """

    name: str
    summary: str = ""
    leaky: bool = False
    leak_reason: str = ""
    sampling: Sampling = field(default_factory=Sampling)
    frames: int | None = 100
    transforms: tuple[Step, ...] = ()
    split: SplitRule = field(default_factory=lambda: split_rule("person-kfold"))
    scaler: str = "train"
    target_scale: str = "zscore"
    selection: str = "best"
    aggregate: str = "mean"
    seeds: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        for key, allowed in (
            ("scaler", ("train", "all", "none")),
            ("target_scale", TARGET_SCALES),
            ("selection", SELECTIONS),
            ("aggregate", AGGREGATES),
        ):
            value = getattr(self, key)
            if value not in allowed:
                raise self._fault(f"{key} is {value!r}, expected one of {', '.join(allowed)}")
        if self.frames is not None and self.frames < 1:
            raise self._fault(f"frames is {self.frames!r}, expected a whole number above 0 or null")
        if not self.seeds or min(self.seeds) < 0 or len(set(self.seeds)) < len(self.seeds):
            raise self._fault(
                f"seeds are {self.seeds!r}, expected different whole numbers from 0, such as "
                "[0, 1, 2]"
            )
        if self.leaky and not self.leak_reason.strip():
            raise self._fault("it is leaky and does not say why (leak_reason)")
        if not self.leaky and self.scaler == "all":
            raise self._fault("scaler: all fits on test samples; it needs leaky: true")
        if not self.leaky and self.split.splits_samples:
            raise self._fault("a random split puts people on both sides; it needs leaky: true")
        if self.selection != "last" and not self.split.has_validation:
            raise self._fault(
                f"selection: {self.selection} needs a validation part; set split.validation (or "
                "the second of split.fractions) above 0, or selection: last"
            )

    def to_dict(self) -> dict[str, Any]:
        """Every parameter as plain containers; `from_config` takes them back."""
        return {
            **{f.name: getattr(self, f.name) for f in fields(self)},
            "sampling": self.sampling.to_dict(),
            "transforms": [step.to_config() for step in self.transforms],
            "split": self.split.to_dict(),
            "seeds": list(self.seeds),
        }

    def hash(self) -> str:
        """SHA-256 (hex) over everything that can change a run's number; prose is left out.

        It is taken over canonical JSON: sorted keys, no spaces, numbers as Python writes them.
        Where a plug-in's split, stratum or transform is used, the hash of its file is in it.
        """
        content = {k: v for k, v in self.to_dict().items() if k not in _UNHASHED}
        content["split"] = self.split.hashed()
        content["transforms"] = [[s.name, s.resolved()] for s in self.transforms]
        content["pipeline"] = PIPELINE_VERSION
        used = [*self.split.entries(), *(step.entry for step in self.transforms)]
        code = {f"{e.kind} {e.name}": e.source.digest() for e in used if not e.source.built_in}
        if code:
            content["code"] = code
        return json_hash(content)

    def samples(
        self,
        recordings: Iterable[Recording],
        streams: Sequence[str],
        *,
        scored: bool = True,
        feed: Feed = AS_THE_PROTOCOL,
    ) -> SampleSet:
        """Recordings as a model under this protocol is fed them, unscaled.

        For training and for prediction.

        Args:
            recordings: of one layout.
            streams: what the model needs.
            scored: leave out recordings without a score; for prediction set False.
            feed: how the model is fed; as this protocol makes samples where nothing is said.
        """
        return build_samples(
            recordings,
            feed.sampling or self.sampling,
            () if feed.raw else self.transforms,
            streams,
            None if feed.raw or feed.rate is not None else self.frames,
            rate=feed.rate,
            scored=scored,
        )

    def fold(
        self,
        dataset: Iterable[Recording],
        fold: int,
        streams: Sequence[str],
        *,
        samples: SampleSet | None = None,
        beside: SampleSet | None = None,
        feed: Feed = AS_THE_PROTOCOL,
    ) -> FoldData:
        """One fold: samples, split, scalers, passed through the leakage gate.

        Args:
            dataset: recordings of one exercise.
            fold: from 0; there are `SplitRule.num_folds`.
            streams: what the model needs.
            samples: what `samples` gave before for the same data and feed, to save time.
            beside: samples of other exercises of the same people, to be trained on too.
            feed: how the model is fed.

        Raises:
            ConfigError: no such fold, or a model may not be fed like this here.
            DataError: too few people, or unknown ones where the split is by person.
            LeakageError: a person stands on both sides and the protocol does not say so.
        """
        samples = self.samples(dataset, streams, feed=feed) if samples is None else samples
        pieces = None
        if feed.sampling is not None:
            samples, pieces = samples.whole(), samples
        split = self.split.apply(samples, fold)
        leakage = check_leakage(samples, split, scaler=self.scaler)
        warning = gate(self.name, self.leak_reason if self.leaky else None, leakage)
        return FoldData(
            protocol=self,
            fold=fold,
            samples=samples,
            split=split,
            **self.scalers(samples, split, feed, pieces),
            leakage=leakage,
            warning=warning,
            remarks=tuple(self.split.remarks(samples.columns)),
            feed=feed,
            pieces=pieces,
            beside=beside,
        )

    def scalers(
        self, samples: SampleSet, split: Split, feed: Feed, pieces: SampleSet | None = None
    ) -> dict[str, Any]:
        """``stream_scaler`` and ``target_scaler``, fitted on what they may see.

        Args:
            samples: what is split.
            split: of them.
            feed: how the model is fed.
            pieces: what it is fed, where that is cut from `samples`.
        """
        seen = None if self.scaler == "all" else split.train
        stream_scaler = StreamScaler("none" if feed.raw or self.scaler == "none" else "zscore")
        target = samples.target if seen is None else samples.target[seen]
        fed = samples if pieces is None else pieces
        at = None if seen is None else cut_from(samples, seen, pieces)
        return {
            "stream_scaler": stream_scaler.fit(fed.batch(at)),
            "target_scaler": TargetScaler(self.target_scale).fit(target),
        }

    @classmethod
    def from_config(cls, name: str, **params: Any) -> "Protocol":
        """The protocol described by the ``params`` of ``configs/protocol/NAME.yaml``.

        Raises:
            ConfigError: an unknown key (the nearest one is named) or an impossible value.
        """
        values = {"name": name, **params}
        for key, made in _BUILDERS.items():
            if key in values:
                try:
                    values[key] = made(values[key])
                except ConfigError as error:
                    raise ConfigError(f"protocol {name}: {error}") from None
        return build(cls, values, f"protocol {name}")

    def _fault(self, message: str) -> ConfigError:
        return ConfigError(f"protocol {self.name}: {message}")


def cut_from(samples: SampleSet, index: Tensor, pieces: SampleSet | None) -> Tensor:
    """Which of `pieces` are cut from the samples at `index` (M,); `index` where there are none."""
    if pieces is None:
        return index
    names = {samples.recording[i] for i in index.tolist()}
    at = [i for i, recording in enumerate(pieces.recording) if recording in names]
    return torch.tensor(at, dtype=torch.long)


SELECTIONS = ("best", "refit", "last")

_UNHASHED = ("name", "summary", "leak_reason", "seeds")


def load_protocol(name: str, **overrides: Any) -> Protocol:
    """The protocol called `name`, with some of its parameters replaced.

    Args:
        name: of a registered protocol.
        **overrides: parameters; mappings are merged into the configured ones, as
            ``split={"folds": 3}``.

    Raises:
        RegistryError: no protocol has this name.
        ConfigError: a key or a value that a protocol does not have.
    """
    entry = PROTOCOLS.get(name)
    config = blocks_of(entry)
    params = dict(config.get("params", {}))
    if "seeds" in params:
        raise ConfigError(f"protocol {name}: seeds stand beside params, not in them")
    params.setdefault("summary", config.get("card", {}).get("summary", ""))
    for key, value in overrides.items():
        params[key] = _merged(params.get(key), value)
    if "seeds" in config:
        params["seeds"] = overrides.get("seeds", config["seeds"])
    protocol: Protocol = entry.load()(name, **params)
    return protocol


def _merged(base: Any, value: Any) -> Any:
    """`value` over `base`; of another kind it stands alone, for its numbers are others."""
    if not isinstance(base, Mapping) or not isinstance(value, Mapping):
        return value
    same = value.get("kind", base.get("kind")) == base.get("kind")
    return {**base, **value} if same else dict(value)


_BUILDERS: Mapping[str, Callable[[Any], Any]] = {
    "sampling": lambda config: build(Sampling, config, "sampling"),
    "split": split_rule,
    "transforms": parse_steps,
}

"""What an entry is called: its model, and the settings in which it differs from the defaults."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from registry import UserError
from zoo.compose import TRAINER_OPTIONS, compose
from zoo.runs.key import MACHINE_KEYS
from zoo.runs.stored import StoredRun
from zoo.training.config import TrainerConfig

_SHOWN = 4
_INIT_FROM = "trainer.init_from"

Identity = tuple[str, str, str]
"""What makes an entry: the model's name, who provides it, and all its settings as JSON."""


def names(
    identities: Sequence[Identity], runs: Sequence[StoredRun]
) -> dict[Identity, tuple[str, dict[str, Any]]]:
    """Each entry's name, unlike all others, and its settings that differ from the defaults.

    Args:
        identities: of the entries.
        runs: theirs, at least one.
    """
    owners: dict[str, set[str]] = defaultdict(set)
    for model, owner, _ in identities:
        owners[model].add(owner)
    origins = {key_hash: words for run in runs for key_hash, words in run.started_from.items()}
    defaults: dict[str, dict[str, Any]] = {}
    found: dict[Identity, tuple[str, dict[str, Any]]] = {}
    for identity in identities:
        model, owner, text = identity
        settings = flat(json.loads(text))
        if model not in defaults:
            defaults[model] = _defaults(model, runs[0]) or _shared(identities, model)
        usual = defaults[model]
        differing = {k: v for k, v in settings.items() if k in usual and v != usual[k]}
        name = model if len(owners[model]) == 1 else f"{model} from {owner}"
        found[identity] = (
            name + _in_words({**differing, **_started(differing, origins)}),
            differing,
        )
    count = Counter(name for name, _ in found.values())
    seen: Counter[str] = Counter()
    for identity, (name, differing) in found.items():
        if count[name] > 1:
            seen[name] += 1
            found[identity] = (f"{name} #{seen[name]}", differing)
    return found


def _in_words(settings: Mapping[str, Any]) -> str:
    if not settings:
        return ""
    words = [f"{k}={v if isinstance(v, str) else json.dumps(v)}" for k, v in settings.items()]
    more = [f"{len(words) - _SHOWN} more"] if len(words) > _SHOWN + 1 else []
    return f" ({', '.join([*words[: _SHOWN if more else None], *more])})"


def _started(settings: Mapping[str, Any], origins: Mapping[str, str]) -> dict[str, str]:
    """In place of the long hash of the run an entry started from, that run in a few words."""
    key_hash = settings.get(_INIT_FROM)
    if key_hash is None:
        return {}
    return {_INIT_FROM: ", ".join(filter(None, (origins.get(key_hash), f"run {key_hash[:8]}")))}


def flat(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by the key a user would type, without ``model.``."""
    flat = {}
    for block, values in settings.items():
        for key, value in values.items():
            flat[key if block == "model" else f"{block}.{key}"] = value
    return flat


def _defaults(model: str, run: StoredRun) -> dict[str, Any] | None:
    """What would be chosen without a word from the user; None where the model is unknown here."""
    try:
        config = compose(model=model, dataset=run.dataset, protocol=run.protocol.name)
    except UserError:
        return None
    blocks = {
        "model": {"head": None, **{k: v for k, v in config["model"].items() if k != "name"}},
        "dataset": {k: v for k, v in config["dataset"].items() if k not in ("name", "exercise")},
        "trainer": {
            **TRAINER_OPTIONS,
            **{k: v for k, v in config["trainer"].items() if k not in MACHINE_KEYS},
        },
    }
    return flat(json.loads(json.dumps(blocks)))


def _shared(identities: Sequence[Identity], model: str) -> dict[str, Any]:
    """In place of unknown defaults, the settings of the model's first entry and the trainer's."""
    first = flat(json.loads(next(text for name, _, text in identities if name == model)))
    trainer = TrainerConfig().to_dict()
    usual = {f"trainer.{k}": v for k, v in trainer.items()}
    return {**first, **{k: v for k, v in usual.items() if k in first}}

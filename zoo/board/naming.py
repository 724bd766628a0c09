"""What an entry is called: its model, and the settings in which it differs from the defaults."""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from zoo.runs.identity import Identity
from zoo.runs.record import flat
from zoo.runs.run import Run

_SHOWN = 4
_INIT_FROM = "trainer.init_from"


def names(entries: Mapping[Identity, Sequence[Run]]) -> dict[Identity, tuple[str, dict[str, Any]]]:
    """Each entry's name, unlike all others, and its settings that differ from the defaults.

    The defaults are those of the day it was trained. Where two entries would have one name, the
    settings in which they differ from each other are in it too.

    Args:
        entries: the runs of each, at least one.
    """
    owners: dict[str, set[str]] = defaultdict(set)
    for identity in entries:
        owners[identity.model].add(identity.provider)
    origins = {
        init.key_hash: init.origin
        for runs in entries.values()
        for run in runs
        if (init := run.record.init_from) is not None
    }
    called = {
        identity: identity.model
        if len(owners[identity.model]) == 1
        else f"{identity.model} from {identity.provider}"
        for identity in entries
    }
    changed = {identity: dict(runs[0].record.changed) for identity, runs in entries.items()}
    same: dict[str, list[Identity]] = defaultdict(list)
    for identity, name in called.items():
        same[name + _in_words(changed[identity], origins)].append(identity)
    for alike in same.values():
        for identity, more in zip(alike, _apart(alike), strict=True):
            changed[identity] |= more
    found = {
        identity: (name + _in_words(changed[identity], origins), changed[identity])
        for identity, name in called.items()
    }
    count = Counter(name for name, _ in found.values())
    seen: Counter[str] = Counter()
    for identity, (name, differing) in found.items():
        if count[name] > 1:
            seen[name] += 1
            found[identity] = (f"{name} #{seen[name]}", differing)
    return found


def _apart(alike: Sequence[Identity]) -> list[dict[str, Any]]:
    """For entries of one name, the settings in which they differ from each other."""
    settings = [flat(json.loads(identity.settings)) for identity in alike]
    keys = dict.fromkeys(key for values in settings for key in values)
    differing = [key for key in keys if any(v.get(key) != settings[0].get(key) for v in settings)]
    return [{key: values[key] for key in differing if key in values} for values in settings]


def _in_words(settings: Mapping[str, Any], origins: Mapping[str, str]) -> str:
    if not settings:
        return ""
    shown = {**settings, **_started(settings, origins)}
    words = [f"{k}={v if isinstance(v, str) else json.dumps(v)}" for k, v in shown.items()]
    more = [f"{len(words) - _SHOWN} more"] if len(words) > _SHOWN + 1 else []
    return f" ({', '.join([*words[: _SHOWN if more else None], *more])})"


def _started(settings: Mapping[str, Any], origins: Mapping[str, str]) -> dict[str, str]:
    """In place of the long hash of the run an entry started from, that run in a few words."""
    key_hash = settings.get(_INIT_FROM)
    if not isinstance(key_hash, str):
        return {}
    return {_INIT_FROM: ", ".join(filter(None, (origins.get(key_hash), f"run {key_hash[:8]}")))}

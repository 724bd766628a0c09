"""What makes two runs the same run: their settings and their data, not their place or machine."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from registry import HEADS
from zoo.build import build
from zoo.errors import ConfigError, ZooError
from zoo.files import json_hash, path_part

MACHINE_KEYS = ("device", "threads", "checkpoint_every")
"""Trainer settings that say how a run is computed, not what: no part of its identity."""


@dataclass(frozen=True)
class RunKey:
    """A run by content; equal keys on equal code give equal predictions.

    Attributes:
        config: the composed configuration without the trainer's `MACHINE_KEYS`.
        fingerprint: of the prepared dataset.
        layout: name of the skeleton layout.
        protocol_hash: of the protocol as it was built.
        code: SHA-256 of the file of a head that is not the zoo's own, by kind and name; the code of
            splits, strata and transforms is in `protocol_hash`.
    """

    config: Mapping[str, Any]
    fingerprint: str
    layout: str
    protocol_hash: str
    code: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, config: Mapping[str, Any], *, fingerprint: str, layout: str, protocol_hash: str
    ) -> "RunKey":
        """The key of a composed configuration on prepared data.

        Raises:
            ConfigError: the configuration holds something that YAML and JSON cannot.
        """
        try:
            plain = json.loads(json.dumps(dict(config), allow_nan=False))
        except (TypeError, ValueError) as error:
            raise ConfigError(f"the configuration cannot be stored: {error}") from None
        code = _head_code(plain.get("model", {}).get("head"))
        return cls(without_machine(plain), fingerprint, layout, protocol_hash, code)

    @property
    def hash(self) -> str:
        """SHA-256 (hex) over the whole key."""
        return json_hash(self.to_dict())

    @property
    def title(self) -> str:
        """The run in a few words."""
        c = self.config
        return (
            f"{c['model']['name']} on {c['dataset']['name']}/{c['dataset'].get('exercise')}, "
            f"{c['protocol']['name']} fold {c['fold']}, seed {c['seed']}"
        )

    def path(self, runs: Path) -> Path:
        """Where the run is kept: ``dataset/exercise/protocol/model/foldF-seedS-HASH``."""
        c = self.config
        names = (
            c["dataset"]["name"],
            c["dataset"].get("exercise") or "all",
            c["protocol"]["name"],
            c["model"]["name"],
        )
        folder = runs.joinpath(*(path_part(str(name)) for name in names))
        return folder / f"{self.stem}{self.hash[:8]}"

    @property
    def stem(self) -> str:
        """How the names of all runs of this fold and seed begin."""
        return f"fold{self.config['fold']}-seed{self.config['seed']}-"

    def to_dict(self) -> dict[str, Any]:
        """The key as plain containers."""
        return {key: value for key, value in vars(self).items() if key != "code" or value}

    def objections(self, stored: Mapping[str, Any]) -> list[str]:
        """Why what was stored under the key `stored` does not belong to this one; empty if it does.

        Args:
            stored: what `to_dict` gave then.
        """
        found = []
        if stored.get("layout") != self.layout:
            found.append(
                f"it belongs to the skeleton layout {stored.get('layout')!r}, not {self.layout!r}"
            )
        if stored.get("fingerprint") != self.fingerprint:
            found.append(
                f"it belongs to other data: fingerprint {_short(stored.get('fingerprint'))}, "
                f"the dataset now has {_short(self.fingerprint)}"
            )
        then = stored.get("config")
        changed = differences(then if isinstance(then, Mapping) else {}, self.config)
        if changed:
            found.append(f"it belongs to other settings ({'; '.join(changed[:4])})")
        elif stored.get("code", {}) != self.code:
            found.append(f"the code of its {' and '.join(self.code) or 'head'} has changed since")
        elif stored.get("protocol_hash") != self.protocol_hash:
            found.append(
                f"the protocol's meaning has changed since: hash "
                f"{_short(stored.get('protocol_hash'))} then, {_short(self.protocol_hash)} now"
            )
        return found


@dataclass(frozen=True)
class _Composed:
    """A composed configuration as a file holds it."""

    model: Mapping[str, Any]
    dataset: Mapping[str, Any]
    protocol: Mapping[str, Any]
    trainer: Mapping[str, Any]
    seed: int
    fold: int
    members: tuple[str, ...] = ()
    context: tuple[str, ...] = ()


def require_composed(values: Any, where: str, *, error: type[ZooError]) -> dict[str, Any]:
    """`values`, if they are a composed configuration: its blocks, each with the name of an entry.

    Raises:
        ZooError: `error`, if they are not; the message begins with `where` they stand.
    """
    built = build(_Composed, values, where, error=error)
    for kind in ("model", "dataset", "protocol"):
        name = getattr(built, kind).get("name")
        if not isinstance(name, str) or not name:
            raise error(f"{where} {kind}.name is {str(name)[:80]!r}, expected text")
    return dict(values)


def without_machine(config: Mapping[str, Any]) -> dict[str, Any]:
    """The composed configuration `config` without the trainer's `MACHINE_KEYS`."""
    trainer = {k: v for k, v in config.get("trainer", {}).items() if k not in MACHINE_KEYS}
    return {**config, "trainer": trainer}


def _head_code(choice: Any) -> dict[str, str]:
    """Kind, name and SHA-256 of the head that ``model.head`` names, where it is a plug-in's."""
    name = choice.get("name") if isinstance(choice, Mapping) else choice
    if not isinstance(name, str) or name not in HEADS:
        return {}
    source = HEADS.get(name).source
    return {} if source.built_in else {f"head {name}": source.digest()}


def differences(then: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> list[str]:
    """What differs between two nested mappings, as ``key: THEN then, NOW now``."""
    found: list[str] = []
    for key in sorted({*then, *now}, key=str):
        path, a, b = f"{prefix}{key}", then.get(key), now.get(key)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            found += differences(a, b, f"{path}.")
        elif a != b or (key in then) != (key in now):
            shown_a = repr(a) if key in then else "nothing"
            shown_b = repr(b) if key in now else "nothing"
            found.append(f"{path}: {shown_a} then, {shown_b} now")
    return found


def _short(digest: Any) -> str:
    return f"{digest[:12]}…" if isinstance(digest, str) else "none"

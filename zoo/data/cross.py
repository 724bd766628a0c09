"""Two prepared datasets as one, to train on the one and to test on the other."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from registry import did_you_mean
from zoo.data.dataset import SkeletonDataset
from zoo.data.manifest import RecordingInfo
from zoo.data.people import unmatched_people
from zoo.data.recording import UNKNOWN_SUBJECT, Recording
from zoo.errors import ConfigError, DataError
from zoo.skeleton.layout import Layout, load_layout


class CrossDataset:
    """The recordings of one dataset, then those of another brought to the first one's joints.

    Ids of the other's recordings begin with its name (`foreign_prefix`). Its positions are put in
    our order of joints; its orientations and angles are kept only where all joints have our
    names, for what a rotation is relative to differs between sensors.

    Attributes:
        parts: the two datasets.
        name: ``OURS+OTHER``.
        title: our full name; like the next three of the dataset that is trained on.
        layout: name of the skeleton layout.
        score_range: lowest and highest possible total score.
        exercise_titles: what each exercise is, by id.
        hips_centred: see `SkeletonDataset.hips_centred`, of the dataset that is trained on.
        fingerprint: SHA-256 (hex) over those of both.
        index: `RecordingInfo` of every recording, ours first.
    """

    def __init__(
        self,
        own: SkeletonDataset,
        other: SkeletonDataset,
        *,
        joints: Mapping[str, str] | None = None,
        people: str = "same",
    ) -> None:
        """Join the two.

        Args:
            own: to train on.
            other: to test on.
            joints: the other's joint for ours, where `matching_joints` does not find it by name.
            people: ``same`` if people of one name in both are one person, ``apart`` if not.

        Raises:
            ConfigError: both are the same dataset, or `joints` names what is not there.
            DataError: scores have other ranges, a joint of ours has no counterpart, or both may
                hold the same people under names that cannot be matched, and `people` is ``same``.
        """
        if other.name == own.name:
            raise ConfigError(
                f"{own.name} would be trained on and tested on: name another dataset with "
                "protocol.split.dataset, or split it by person with person-kfold"
            )
        shared = unmatched_people(own.name, other.name)
        if shared and people == "same":
            raise DataError(
                f"{own.name} and {other.name} both hold people of {', '.join(shared)}, whose names "
                "in the two cannot be matched: somebody trained on may be tested. If you know that "
                "they are not the same people, set protocol.split.people=apart"
            )
        if other.score_range != own.score_range:
            here, there = ("{:g} to {:g}".format(*d.score_range) for d in (own, other))
            raise DataError(
                f"scores of {own.name} go from {here}, those of {other.name} from {there}: a "
                "model of the one cannot be tested on the other"
            )
        self._own, self._other, self._people = own, other, people
        self.parts = (own, other)
        ours, theirs = load_layout(own.layout), load_layout(other.layout)
        self._take = matching_joints(ours, theirs, joints or {})
        self._same_names = [theirs.joints[j] for j in self._take] == list(ours.joints)
        self.name = f"{own.name}+{other.name}"
        self.title, self.layout = own.title, own.layout
        self.score_range, self.exercise_titles = own.score_range, own.exercise_titles
        self.hips_centred = own.hips_centred
        self.binary = own.binary and other.binary
        both = f"{own.fingerprint}+{other.fingerprint}"
        self.fingerprint = hashlib.sha256(both.encode()).hexdigest()
        self.index: list[RecordingInfo] = [
            *own.index,
            *(replace(i, id=self._id(i.id), subject=self._person(i.subject)) for i in other.index),
        ]

    def __len__(self) -> int:
        return len(self.index)

    def __iter__(self) -> Iterator[Recording]:
        yield from self._own
        for recording in self._other:
            yield self._brought(recording)

    def _id(self, recording: str) -> str:
        return foreign_prefix(self._other.name) + recording

    def _person(self, subject: str) -> str:
        if self._people == "same" or subject == UNKNOWN_SUBJECT:
            return subject
        return foreign_prefix(self._other.name) + subject

    def _brought(self, recording: Recording) -> Recording:
        take = self._take
        rotations = self._same_names
        return replace(
            recording,
            id=self._id(recording.id),
            subject=self._person(recording.subject),
            layout=self.layout,
            positions=_taken(recording.positions, take),
            orientations=_taken(recording.orientations, take) if rotations else None,
            angles=_taken(recording.angles, take) if rotations else None,
            tracked=_taken(recording.tracked, take),
        )


def foreign_prefix(dataset: str) -> str:
    """How ids of recordings begin that come from `dataset`, which is not the one trained on."""
    return f"{dataset}:"


def matching_joints(own: Layout, other: Layout, named: Mapping[str, str]) -> list[int]:
    """For each joint of `own` the number of the same joint in `other`.

    Names are compared by their words: HandLeft, left_hand and LeftHand are one joint.

    Args:
        own: V joints to be found.
        other: where to look.
        named: pairs that names do not show, our joint to the other's.

    Raises:
        ConfigError: `named` has a joint that is not in its layout.
        DataError: joints of ours have no counterpart.
    """
    found = counterparts(own, other, named)
    missing = [joint for joint, at in zip(own.joints, found, strict=True) if at is None]
    if missing:
        raise DataError(
            f"the layout {other.name} has no joints called {', '.join(missing)}, as {own.name} "
            "has. Say which of its joints stand for them: protocol.split.joints={"
            f"{missing[0]}: JOINT}}; it has {', '.join(other.joints)}"
        )
    return [at for at in found if at is not None]


def counterparts(
    own: Layout, other: Layout, named: Mapping[str, str], where: str = "split.joints"
) -> list[int | None]:
    """As `matching_joints`, with None for a joint that `other` does not have.

    Raises:
        ConfigError: `named`, the setting `where`, has a joint that is not in its layout.
    """
    for layout, joints in ((own, named.keys()), (other, named.values())):
        for joint in joints:
            if joint not in layout.joints:
                raise ConfigError(
                    f"{where}: {layout.name} has no joint {joint!r}. "
                    f"{did_you_mean(str(joint), layout.joints)}"
                )
    by_words = {_words(joint): j for j, joint in enumerate(other.joints)}
    return [
        other.index(named[joint]) if joint in named else by_words.get(_words(joint))
        for joint in own.joints
    ]


def _words(joint: str) -> tuple[str, ...]:
    return tuple(sorted(w.lower() for w in re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+", joint)))


def _taken(array: Any, take: list[int]) -> Any:
    """The joints at `take` of an array (T, V, …)."""
    return None if array is None else array[:, take]

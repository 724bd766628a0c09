"""What joints a sensor sees and how they hang together."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from registry import LAYOUTS, did_you_mean
from zoo.build import build
from zoo.errors import LayoutError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class _Joint:
    """A row of ``joints``."""

    name: str
    parent: str | None = None


@dataclass(frozen=True)
class _File:
    """What ``configs/layout/NAME.yaml`` holds: joints by name."""

    joints: tuple[_Joint, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    center: str | None = None
    title: str = ""
    source: str = ""


@dataclass(frozen=True)
class Layout:
    """The skeleton of one sensor: its joints in data order, as a tree.

    Every layout is checked when it is made.

    Attributes:
        name: what datasets and checkpoints call it, such as ``kinect-v2``.
        joints: V joint names, in the order of the data.
        parents: index of each joint's parent (V,); -1 for the root.
        pairs: (left, right) joint indices; joints in no pair lie on the midline.
        parts: body parts by name, each the indices of its joints.
        center: the joint from which graph partitions count hops; the root if not given.
        title: one line for people.
        source: where the order of the joints and the bones come from.

    Raises:
        LayoutError: names that repeat, bones that form no tree, pairs that do not mirror each
            other, an index out of range.
    """

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...] = ()
    parts: Mapping[str, tuple[int, ...]] = field(default_factory=dict, hash=False)
    center: int = -1
    title: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        self._check_names()
        self._check_tree()
        if self.center == -1:
            object.__setattr__(self, "center", self.root)
        self._check_index(self.center, "the center")
        self._check_pairs()
        self._check_parts()

    @classmethod
    def from_config(cls, name: str, **config: Any) -> "Layout":
        """A layout from the values of ``configs/layout/NAME.yaml``, which name joints by name.

        Args:
            name: of the layout.
            **config: ``joints``, a list of ``{name: NAME, parent: NAME}`` in data order, the
                root with ``parent: null``; and optionally ``title``, ``source``, ``center``
                (a joint), ``pairs`` (a list of ``[left, right]``) and ``parts`` (part name to a
                list of joints).

        Raises:
            LayoutError: see the class; the message names the layout, the joint and the fault.
        """
        raw = build(_File, config, f"layout {name!r}", error=LayoutError)
        joints = tuple(joint.name for joint in raw.joints)
        numbers = {joint: i for i, joint in enumerate(joints)}

        def number(joint: str, what: str) -> int:
            if joint not in numbers:
                near = did_you_mean(joint, joints)
                raise LayoutError(f"layout {name!r}: {what} {joint!r} is no joint. {near}")
            return numbers[joint]

        return cls(
            name=name,
            joints=joints,
            parents=tuple(
                -1 if j.parent is None else number(j.parent, f"joint {j.name!r}: its parent")
                for j in raw.joints
            ),
            pairs=tuple(
                (number(left, "in pairs,"), number(right, "in pairs,")) for left, right in raw.pairs
            ),
            parts={
                part: tuple(number(joint, f"in part {part!r},") for joint in members)
                for part, members in raw.parts.items()
            },
            center=-1 if raw.center is None else number(raw.center, "the center"),
            title=raw.title,
            source=raw.source,
        )

    def to_config(self) -> dict[str, Any]:
        """Plain containers from which `from_config` makes this layout again."""
        names = self.joints
        return {
            "title": self.title,
            "source": self.source,
            "center": names[self.center],
            "joints": [
                {"name": name, "parent": None if parent < 0 else names[parent]}
                for name, parent in zip(names, self.parents, strict=True)
            ],
            "pairs": [[names[left], names[right]] for left, right in self.pairs],
            "parts": {part: [names[j] for j in members] for part, members in self.parts.items()},
        }

    @property
    def num_joints(self) -> int:
        """Number of joints V."""
        return len(self.joints)

    @property
    def root(self) -> int:
        """The joint without a parent."""
        return self.parents.index(-1)

    @property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """The V - 1 bones as (child, parent), in joint order."""
        return tuple((child, parent) for child, parent in enumerate(self.parents) if parent >= 0)

    @property
    def mirror(self) -> tuple[int, ...]:
        """For each joint the joint on the other side; itself on the midline (V,)."""
        other = list(range(self.num_joints))
        for left, right in self.pairs:
            other[left], other[right] = right, left
        return tuple(other)

    def edge_index(self, *, self_loops: bool = False) -> "Tensor":
        """The bones as PyTorch Geometric takes edges: (2, E) long, each both ways.

        Args:
            self_loops: join every joint with itself, too.
        """
        import torch

        bones = torch.tensor(self.bones, dtype=torch.long).reshape(-1, 2).T
        loops = torch.arange(self.num_joints if self_loops else 0).expand(2, -1)
        return torch.cat([bones, bones.flip(0), loops], dim=1)

    def index(self, name: str) -> int:
        """The number of the joint called `name`.

        Raises:
            LayoutError: there is no such joint.
        """
        if name not in self.joints:
            raise LayoutError(
                f"layout {self.name!r} has no joint {name!r}. {did_you_mean(name, self.joints)}"
            )
        return self.joints.index(name)

    def parents_from(self, root: int | str) -> tuple[int, ...]:
        """Parents (V,) of the same bones with another joint as the root.

        Kinematics of the whole body starts at the pelvis, wherever the layout has its root:
        ``forward_kinematics(layout.parents_from("SpineBase"), ...)``.
        """
        joint = self.index(root) if isinstance(root, str) else root
        self._check_index(joint, "the new root")
        parents = list(self.parents)
        previous = -1
        while joint >= 0:
            above = parents[joint]
            parents[joint] = previous
            previous, joint = joint, above
        return tuple(parents)

    def _fail(self, message: str) -> LayoutError:
        return LayoutError(f"layout {self.name!r}: {message}")

    def _check_names(self) -> None:
        if not self.joints:
            raise self._fail("it has no joints; a layout needs at least one")
        name, count = Counter(self.joints).most_common(1)[0]
        if count > 1:
            raise self._fail(f"{count} joints are called {name!r}; every joint needs its own name")

    def _check_index(self, joint: int, what: str) -> None:
        if not 0 <= joint < self.num_joints:
            raise self._fail(f"{what} is joint {joint}, there are {self.num_joints} joints from 0")

    def _check_tree(self) -> None:
        if len(self.parents) != self.num_joints:
            raise self._fail(f"{len(self.parents)} parents for {self.num_joints} joints")
        for joint, parent in zip(self.joints, self.parents, strict=True):
            if parent != -1:
                self._check_index(parent, f"joint {joint!r}: its parent")
        # Cycles before roots: where joints hang in a circle, that is the fault to be told.
        for start in range(self.num_joints):
            walk = [start]
            while (parent := self.parents[walk[-1]]) >= 0:
                if parent in walk:
                    circle = [self.joints[j] for j in [*walk[walk.index(parent) :], parent]]
                    raise self._fail(
                        f"joint {circle[0]!r} hangs on itself: {' -> '.join(circle)}. "
                        "The bones of a layout form a tree"
                    )
                walk.append(parent)
        roots = [self.joints[j] for j, parent in enumerate(self.parents) if parent == -1]
        if len(roots) > 1:
            raise self._fail(
                f"joints {', '.join(map(repr, roots))} have no parent, so the skeleton is in "
                f"{len(roots)} pieces that are not connected. Give all but the root a parent"
            )

    def _check_pairs(self) -> None:
        seen: set[int] = set()
        for pair in self.pairs:
            for joint in pair:
                self._check_index(joint, f"in pair {pair}, one side")
                if joint in seen:
                    raise self._fail(
                        f"joint {self.joints[joint]!r} stands twice in the left-right pairs"
                    )
                seen.add(joint)
        mirror = self.mirror
        for left, right in self.pairs:
            here, there = self.parents[left], self.parents[right]
            if min(here, there) < 0 or mirror[here] != there:
                raise self._fail(
                    f"joints {self.joints[left]!r} and {self.joints[right]!r} are a pair, but "
                    f"hang on {self._called(here)} and {self._called(there)}, which are no pair "
                    "and not one joint of the midline"
                )

    def _check_parts(self) -> None:
        for part, members in self.parts.items():
            if not members:
                raise self._fail(f"part {part!r} has no joints")
            for joint in members:
                self._check_index(joint, f"in part {part!r}, one")
            twice = [j for j, count in Counter(members).items() if count > 1]
            if twice:
                raise self._fail(f"joint {self.joints[twice[0]]!r} stands twice in part {part!r}")

    def _called(self, joint: int) -> str:
        return "nothing (it is the root)" if joint < 0 else repr(self.joints[joint])


def load_layout(name: str | Layout) -> Layout:
    """The layout called `name`; a `Layout` is returned as it is.

    A layout is a YAML file ``layout/NAME.yaml`` of a catalogue, or of a folder of the user
    (`registry.use_config_dir`).

    Raises:
        RegistryError: no layout has this name; the message has the nearest ones.
        LayoutError: it is malformed.
    """
    if isinstance(name, Layout):
        return name
    if name in _own:
        return _own[name]
    entry = LAYOUTS.get(name)
    factory = entry.load()
    try:
        layout = factory(name, **entry.config)
    except LayoutError as error:
        raise LayoutError(f"{entry.file}: {error}" if entry.file else str(error)) from None
    if not isinstance(layout, Layout):
        raise LayoutError(f"layout {name!r}: its entry made a {type(layout).__name__}, no Layout")
    return layout


_own: dict[str, Layout] = {}


def own_layout(config: Mapping[str, Any]) -> Layout:
    """The layout that a dataset brings along; `load_layout` knows it from now on.

    Its name ends in a hash of its joints and bones: one skeleton has one name, in whatever process
    and dataset, and no other skeleton has it.

    Args:
        config: as in `Layout.from_config`.

    Raises:
        LayoutError: it is malformed.
    """
    made = Layout.from_config("own", **config)
    shape = {k: v for k, v in made.to_config().items() if k not in ("title", "source")}
    digest = hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()
    layout = replace(made, name=f"own-{made.num_joints}-{digest[:8]}")
    return _own.setdefault(layout.name, layout)


def tree_levels(parents: Sequence[int]) -> list[list[int]]:
    """Joints by their depth in the tree: the root alone, then its children, and so on.

    Raises:
        LayoutError: `parents` (V,) form no tree with one root (-1).
    """
    levels = [[j for j, parent in enumerate(parents) if parent == -1]]
    while levels[-1]:
        above = set(levels[-1])
        levels.append([j for j, parent in enumerate(parents) if parent in above])
    levels.pop()
    if len(levels) == 0 or len(levels[0]) != 1 or sum(map(len, levels)) != len(parents):
        raise LayoutError(f"parents {tuple(parents)} form no tree with one root (-1)")
    return levels

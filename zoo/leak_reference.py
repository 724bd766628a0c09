"""The model that every leaky board carries, computed where it is missing.

A leaky protocol's numbers mean nothing without one that is known to measure only the leak: the
nearest neighbour on bone lengths, which takes seconds.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from registry.yaml_files import read_yaml
from zoo.board.collect import Group
from zoo.board.ranking import LEAK_REFERENCE, lacks_reference
from zoo.compose import compose
from zoo.errors import DataError, ZooError
from zoo.runs.folder import CONFIG

if TYPE_CHECKING:
    from zoo.session import Session


def supply(groups: Sequence[Group], runs: Path, data_root: Path | str | None = None) -> list[str]:
    """Train what leaky boards lack, as any run is trained.

    Args:
        groups: the boards that will be shown.
        runs: folder of all runs.
        data_root: folder of prepared datasets; the usual place if None.

    Returns:
        For each board that could not be completed, why.
    """
    problems = []
    for group in filter(lacks_reference, groups):
        try:
            _train(group, runs, data_root)
        except (ZooError, OSError) as error:
            problems.append(
                f"{LEAK_REFERENCE} belongs on the board of {group.key.dataset} under "
                f"{group.key.protocol} and could not be computed: {error}"
            )
    return problems


def _train(group: Group, runs: Path, data_root: Path | str | None) -> None:
    from zoo.session import Session
    from zoo.training.run import train_run

    config = _config(group)
    for exercise in group.exercises:
        config["dataset"]["exercise"] = None if exercise == "all" else exercise
        session = Session.open(config, data_root)
        _require_same(group, session)
        for fold in group.folds[exercise]:
            train_run(
                session.build,
                session.fold(fold),
                {**config, "fold": fold},
                dataset=session.dataset,
                runs=runs,
                resume=True,
            )


def _config(group: Group) -> dict[str, Any]:
    """The settings of the board's runs, with the reference in their model's place."""
    key = group.key
    board = read_yaml(group.entries[0].runs[0].path / CONFIG)
    own = compose(model=LEAK_REFERENCE, dataset=key.dataset, protocol=key.protocol, seed=0)
    return {**own, "dataset": dict(board["dataset"]), "protocol": board["protocol"]}


def _require_same(group: Group, session: "Session") -> None:
    if session.dataset.fingerprint != group.key.fingerprint:
        raise DataError(
            f"the prepared {group.key.dataset} has the fingerprint "
            f"{session.dataset.fingerprint[:12]}, the board's runs "
            f"{group.key.fingerprint[:12]}"
        )
    if session.protocol.hash() != group.key.protocol_hash:
        raise DataError(f"{group.key.protocol} means something else in this version of the zoo")

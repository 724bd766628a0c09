"""Datasets opened once for all their exercises."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.data.dataset import SkeletonDataset
from zoo.training.fold import open_dataset


class Datasets:
    """Opens datasets by the ``dataset`` block of a configuration and keeps them.

    Args:
        root: folder of prepared datasets; None for the usual place.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root
        self._whole: dict[str, SkeletonDataset] = {}

    def whole(self, block: Mapping[str, Any]) -> SkeletonDataset:
        """The scored recordings of all exercises."""
        block = {**block, "exercise": None}
        name = json.dumps(block, sort_keys=True)
        if name not in self._whole:
            self._whole[name] = open_dataset({"dataset": block}, self.root)
        return self._whole[name]

    def chosen(self, block: Mapping[str, Any]) -> SkeletonDataset:
        """The scored recordings of the block's exercise."""
        return self.whole(block).select(exercise=block["exercise"])

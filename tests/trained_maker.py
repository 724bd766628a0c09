"""A small KIMORE of hand-made sessions with models trained on it; used through `trained`."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zoo
from zoo.runs.run import Run

PEOPLE = [f"{group}_ID{number}" for group in ("E", "NE", "P") for number in range(1, 6)]

QUICK = {"trainer.epochs": 1, "trainer.threads": 1, "protocol.frames": 16}
TINY = {"model.channels": [8, 8], "model.strides": [1, 2]}
PIECES = {
    "protocol.sampling.kind": "pieces",
    "protocol.sampling.pieces": 3,
    "protocol.aggregate": "median",
}


@dataclass
class Trained:
    """Where everything is.

    Attributes:
        maker: the `KimoreMaker` of the tree, 15 people with squats and one with a trunk rotation.
        data_root: with the prepared dataset.
        runs: folder of the runs.
        made: finished runs by name.
    """

    maker: Any
    data_root: Path
    runs: Path
    made: dict[str, Run] = field(default_factory=dict)

    def run(self, name: str) -> Run:
        """``mean``, ``d2sta``, ``stgcn`` (three pieces, median) or ``leaky``, trained once."""
        if name not in self.made:
            model, settings = {
                "mean": ("mean", {}),
                "d2sta": ("d2sta-small", {}),
                "stgcn": ("stgcn-small", {**TINY, **PIECES}),
                "leaky": ("mean", {}),
            }[name]
            self.made[name] = zoo.train(
                model,
                "kimore",
                protocol="d2sta-paper" if name == "leaky" else None,
                overrides={**QUICK, **settings},
                runs=self.runs,
                data_root=self.data_root,
            )
        return self.made[name]

    def unseen(self, name: str = "mean") -> str:
        """Id of a test recording of a run."""
        return str(self.run(name).split["test"]["recordings"][0])

    def files(self, recording: str) -> tuple[Path, Path]:
        """Positions and orientations of a recording."""
        person, exercise = recording.split("/Es")
        return (
            self.maker.positions(person, int(exercise)),
            self.maker.orientations(person, int(exercise)),
        )


def make(maker: Any, root: Path) -> Trained:
    """Write the tree with `maker` and prepare it below `root`."""
    for k, person in enumerate(PEOPLE):
        maker.session(person, 5, 30 + k, seed=k)
        maker.workbook(maker.label(person, 5), person, total=(0, 0, 25.0, 0, 20.0 + 2 * k))
    maker.session("E_ID1", 3, 33, seed=99)
    zoo.prepare_dataset("kimore", maker.root, root / "data")
    return Trained(maker, root / "data", root / "runs")

"""A fresh environment with a real wheel of the zoo in it; used through `fresh_site`.

Nothing is downloaded: what the zoo needs (torch and the rest) is lent by the running environment
through a path file, behind what the fresh one holds itself.
"""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
"""pip in the fresh environment: nothing from an index, builds with what is lent (0 means off)."""


@dataclass(frozen=True)
class Site:
    """A fresh environment and the folder its user works in."""

    root: Path

    @property
    def programs(self) -> Path:
        """Where its commands are."""
        return self.root / "env" / ("Scripts" if os.name == "nt" else "bin")

    def run(
        self, *words: str | Path, folder: Path | None = None, fails: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run one of its commands; anything but success is a failure of the test.

        Args:
            *words: the command (``pip`` is lent, too) and its arguments.
            folder: where; in the user's folder if None.
            fails: expect the exit code 2 of a mistake instead.
        """
        command, *arguments = map(str, words)
        if command == "pip":
            command, arguments = "python", ["-m", "pip", *arguments]
        done = subprocess.run(
            [str(self.programs / command), *arguments],
            cwd=folder or self.root,
            env={**os.environ, **OFFLINE, "ZOO_DATA": str(self.root / "data"), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )
        said = f"{words}\n{done.stdout[-5000:]}\n{done.stderr[-5000:]}"
        assert done.returncode == (2 if fails else 0), said
        return done

    def zoo(self, *arguments: str | Path, fails: bool = False) -> str:
        """`zoo ARGUMENTS`: what it prints, or what it complains of where it is to fail."""
        done = self.run("zoo", *arguments, fails=fails)
        return done.stderr if fails else done.stdout

    def pip(self, *arguments: str | Path) -> None:
        """The running environment's pip, at work on the fresh one."""
        _pip("--python", self.programs / "python", *arguments)

    def install(self, project: Path) -> None:
        """Build a wheel of a project and install that, and nothing else."""
        wheels = self.root / f"wheels-{project.name}"
        _pip("wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", wheels, project)
        self.pip("install", "--no-deps", "--no-index", *wheels.glob("*.whl"))

    def models(self) -> dict[str, dict[str, object]]:
        """What `zoo models` knows, by name."""
        return {m["name"]: m for m in json.loads(self.zoo("models", "--json"))}


def _pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "-q", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def make(root: Path, source: Path = ROOT) -> Site:
    """A fresh environment below `root`, with a wheel made of this checkout, or of its sdist."""
    made = Site(root)
    venv.create(root / "env")
    made.install(source)
    own = made.run("python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout
    lent = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (Path(own.strip()) / "lent.pth").write_text("\n".join(sorted(lent)) + "\n")
    return made

"""The folder of an app: page, model, run and packages, written whole or not at all."""

import shutil
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.app.manifest import FILE, graph_inputs, manifest
from zoo.app.packages import PACKAGES, POSES, Package, files_of
from zoo.errors import ConfigError
from zoo.exporting.export import export_graph
from zoo.exporting.record import read_export
from zoo.files import replaced_folder, to_json
from zoo.prediction import Predictor
from zoo.report.figure_style import PALETTE
from zoo.runs.intervals import LEVEL

if TYPE_CHECKING:
    from zoo.runs.run import Run

_README = """# Score an exercise with a camera

{title}, {exercise}. Serve this folder and open it in a browser:

    python -m http.server --bind 127.0.0.1 8000

then http://localhost:8000. Everything it needs is in the folder, and nothing leaves the browser:
the page's security policy lets it load from where it came from and nowhere else. A browser gives
the camera to pages of localhost and of https only.

{told}

A saved session holds landmarks and scores, no picture. Open it in the page again, or score it in
Python, which gives the same score:

    zoo predict RUN session.json --dataset mediapipe

Made by skeleton-zoo (MIT). In `vendor/`: {licences}.
"""


def write_app(
    run: "Run | Path | str",
    folder: Path | str,
    *,
    packages_in: Path | str | None = None,
    pose: str = "full",
    level: float = LEVEL,
    data_root: Path | str | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a static web app in which a finished run scores what a camera sees.

    Args:
        run: a finished run, its folder, or a bundle.
        folder: the app's; made, or replaced with `overwrite`.
        packages_in: a ``node_modules`` folder with the packages of `zoo.app.packages`; None has npm
            fetch them into the zoo's cache once.
        pose: MediaPipe's model of landmarks: ``lite``, ``full`` or ``heavy``.
        level: probability with which the interval holds the true score.
        data_root: folder of prepared datasets; default ``$ZOO_DATA`` or the user's data folder.
        overwrite: replace an app that is there.

    Returns:
        The folder.

    Raises:
        ConfigError: the run needs what a camera or the page cannot give, or the folder holds
            something else.
        DataError: no finished run, or a package that cannot be had; the message says what to run.
        CheckpointError: as in `zoo.predict`.
    """
    target = Path(folder)
    _require_room(target, overwrite)
    predictor = Predictor.open(run, data_root=data_root, device="cpu", level=level)
    if pose not in POSES:
        raise ConfigError(f"pose is {pose!r}, expected one of {', '.join(POSES)}")
    told = manifest(predictor, pose)
    modules = None if packages_in is None else Path(packages_in)
    found = [(package, files_of(package, modules)) for package in PACKAGES]
    target.parent.mkdir(parents=True, exist_ok=True)
    with replaced_folder(target) as staging:
        _write_page(staging)
        export_graph(run, staging / "model", kind="onnx", data_root=predictor.data_root)
        told["inputs"] = graph_inputs(read_export(staging / "model"))
        (staging / FILE).write_bytes(to_json(told))
        licences = "; ".join(f"{p.name} {p.version} ({p.licence})" for p in PACKAGES)
        readme = _README.format(
            title=told["title"],
            exercise=told["exercise"],
            told="\n".join(f"- {sentence}" for sentence in told["told"]),
            licences=licences,
        )
        (staging / "README.md").write_text(readme, encoding="utf-8")
        for package, files in found:
            _copy(package, files, staging, pose)
    return target


def _require_room(target: Path, overwrite: bool) -> None:
    if not target.exists():
        return
    if not target.is_dir() or (any(target.iterdir()) and not (target / FILE).is_file()):
        raise ConfigError(f"{target} is there and is no app; name another folder")
    if not overwrite and any(target.iterdir()):
        raise ConfigError(f"{target} holds an app already; name another folder, or overwrite it")


def _write_page(folder: Path) -> None:
    """The page's own files; its style is that of the reports with the app's on top."""
    page = resources.files("zoo.app") / "page"
    for file in page.iterdir():
        if file.name != "app.css":
            (folder / file.name).write_bytes(file.read_bytes())
    colours = "".join(f"  --{name}: light-dark({a}, {b});\n" for name, (a, b) in PALETTE.items())
    shared = resources.files("zoo.report") / "templates" / "style.css"
    parts = [f":root {{\n{colours}}}", shared.read_text("utf-8")]
    parts.append((page / "app.css").read_text("utf-8"))
    (folder / "style.css").write_text("\n".join(parts), encoding="utf-8")


def _copy(package: Package, files: dict[str, Path], folder: Path, pose: str) -> None:
    """The files of a package, of the models of landmarks only the one called `pose`."""
    others = {f"pose_landmark_{name}.tflite" for name in POSES if name != pose}
    for path, file in files.items():
        if path in others:
            continue
        target = folder / package.place / Path(path).name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)

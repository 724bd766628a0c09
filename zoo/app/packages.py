"""The two npm packages that run in the browser: pinned, checked file by file, kept in a cache."""

import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from zoo.errors import DataError
from zoo.files import file_hash, replaced_folder


@dataclass(frozen=True)
class Package:
    """One npm package, or the files of it that are needed.

    Attributes:
        name: as npm knows it.
        version: the only one that is taken.
        place: folder of the app in which its files stand.
        licence: of the package.
        files: SHA-256 of each file, by its path in the package.
    """

    name: str
    version: str
    place: str
    licence: str
    files: Mapping[str, str]


POSES = ("lite", "full", "heavy")
"""MediaPipe's models of landmarks, from the quickest to the most exact."""

PACKAGES = (
    Package(
        "@mediapipe/pose",
        "0.5.1675469404",
        "vendor/pose",
        "Apache-2.0",
        {
            "pose.js":
                "fcb703afcce65d0a1c540f6a70c3bb45fc84521498c21a9d4160265dde648ab4",
            "pose_landmark_lite.tflite":
                "f17bfbecadb61c3be1baa8b8d851cc6619c870a87167b32848ad20db306b9d61",
            "pose_landmark_full.tflite":
                "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
            "pose_landmark_heavy.tflite":
                "59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe",
            "pose_solution_packed_assets.data":
                "a63c614bef30d35947f13be361820b1e4e3bec9cfeebf4d11216a18373108e85",
            "pose_solution_packed_assets_loader.js":
                "d7aa29b7d8e11b5c97a58d719e982dd15c2de72995d95112d60492b854840a36",
            "pose_solution_simd_wasm_bin.js":
                "3983d1dca31d945d81abb70b18dd61f28ef4736e112463d7cfb1cbadef588127",
            "pose_solution_simd_wasm_bin.wasm":
                "195a929430e2ce130b3efb82e64ba27c8e68cb0f6bad870b715688060ea6f7e2",
            "pose_solution_simd_wasm_bin.data":
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "pose_web.binarypb":
                "dc8efd1c2d62007b34278467407fda5f70847f41310e0e39f0f59fc17b1d01f7",
        },
    ),
    Package(
        "onnxruntime-web",
        "1.30.0",
        "vendor/runtime",
        "MIT",
        {
            "dist/ort.wasm.min.mjs":
                "219e6a1fc8a9938268d18efca3c91d310bd2f4a59bbd13744df5b2b7fc6cee3b",
            "dist/ort-wasm-simd-threaded.mjs":
                "e13f7f94fc51b4ca72b12faeb1ee95f4ace6dfbc8939bc718aabdc0a27c4299b",
            "dist/ort-wasm-simd-threaded.wasm":
                "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
        },
    ),
)  # fmt: skip


def files_of(package: Package, folder: Path | None = None) -> dict[str, Path]:
    """The files of a package, each checked, by its path in the package.

    Args:
        package: which.
        folder: a ``node_modules`` folder, or one that holds one; None takes them from the zoo's
            cache, into which npm fetches the package where it is not there yet.

    Raises:
        DataError: a file is missing or another one than expected, or npm cannot fetch it; the
            message says what to run.
    """
    if folder is not None:
        return _checked(package, _in_modules(package, folder))
    kept = cached(package)
    if not kept.is_dir():
        _fetch(package, kept)
    return _checked(package, kept)


def cached(package: Package) -> Path:
    """The folder of the zoo's cache that holds the package, once it has been fetched."""
    cache = Path(platformdirs.user_cache_dir("skeleton-zoo", appauthor=False)) / "npm"
    return cache / f"{package.name.lstrip('@').replace('/', '-')}-{package.version}"


def _in_modules(package: Package, folder: Path) -> Path:
    for place in (folder / package.name, folder / "node_modules" / package.name):
        if place.is_dir():
            return place
    raise DataError(f"{folder} holds no package {package.name}. {_by_hand(package)}")


def _checked(package: Package, folder: Path) -> dict[str, Path]:
    for path, digest in package.files.items():
        file = folder / path
        if not file.is_file():
            raise DataError(f"{file} is missing. {_by_hand(package)}")
        if file_hash(file) != digest:
            raise DataError(
                f"{file} is not the file of {package.name} {package.version} (its SHA-256 is "
                f"another). {_by_hand(package)}"
            )
    return {path: folder / path for path in package.files}


def _by_hand(package: Package) -> str:
    wanted = f"{package.name}@{package.version}"
    return (
        f"Where there is a network, run `npm install --ignore-scripts {wanted}` in a folder and "
        "give that folder's node_modules as packages"
    )


def _fetch(package: Package, target: Path) -> None:
    """Have npm fetch the package and keep the files that are needed."""
    npm = shutil.which("npm")
    if npm is None:
        raise DataError(
            f"{package.name} {package.version} runs in the browser and is fetched by npm, which is "
            f"not installed here. {_by_hand(package)}"
        )
    with tempfile.TemporaryDirectory() as scratch:
        wanted = f"{package.name}@{package.version}"
        command = [npm, "pack", wanted, "--json", "--ignore-scripts", "--pack-destination", scratch]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        archive = next(Path(scratch).glob("*.tgz"), None)
        if done.returncode or archive is None:
            raise DataError(f"npm cannot fetch {wanted}: {_reason(done)}. {_by_hand(package)}")
        target.parent.mkdir(parents=True, exist_ok=True)
        with replaced_folder(target) as staging, tarfile.open(archive) as packed:
            for path in package.files:
                file = staging / path
                file.parent.mkdir(parents=True, exist_ok=True)
                try:
                    member = packed.extractfile(f"package/{path}")
                except KeyError:
                    member = None
                if member is not None:
                    file.write_bytes(member.read())
            _checked(package, staging)


def _reason(done: "subprocess.CompletedProcess[str]") -> str:
    """The reason that npm itself gives, in a line."""
    try:
        said: Any = json.loads(done.stdout)["error"]["summary"]
    except (ValueError, KeyError, TypeError):
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        said = lines[-1] if lines else f"exit code {done.returncode}"
    return str(said).strip().splitlines()[0][:200]

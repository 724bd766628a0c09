"""The npm packages: checked file by file, fetched once, and what to run where they are not."""

import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path

import platformdirs
import pytest

from zoo.app.packages import PACKAGES, Package, cached, files_of
from zoo.errors import DataError

CONTENT = {"a.js": b"alert", "dist/b.wasm": b"\0asm"}
PACKAGE = Package(
    "@made/up",
    "1.2.3",
    "vendor/up",
    "MIT",
    {path: hashlib.sha256(content).hexdigest() for path, content in CONTENT.items()},
)


def modules(folder: Path) -> Path:
    for path, content in CONTENT.items():
        file = folder / "node_modules" / "@made" / "up" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder / "node_modules"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, and a program called npm that answers as `npm_says` writes it."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *_, **__: str(folder))
    return folder


def npm(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Puts a program called npm first on the path."""
    folder.mkdir()
    program = folder / "npm"
    program.write_text(f"#!{sys.executable}\nimport shutil, sys\n{body}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def archive(file: Path, content: dict[str, bytes]) -> Path:
    with tarfile.open(file, "w:gz") as packed:
        for path, data in content.items():
            member = tarfile.TarInfo(f"package/{path}")
            member.size = len(data)
            packed.addfile(member, io.BytesIO(data))
    return file


def test_they_are_pinned() -> None:
    assert [package.name for package in PACKAGES] == ["@mediapipe/pose", "onnxruntime-web"]
    for package in PACKAGES:
        assert all(len(digest) == 64 for digest in package.files.values())


@pytest.mark.parametrize("inner", ["", "node_modules"])
def test_a_folder_that_the_user_names(inner: str, tmp_path: Path) -> None:
    modules(tmp_path)
    found = files_of(PACKAGE, tmp_path / inner)
    assert {path: file.read_bytes() for path, file in found.items()} == CONTENT


def test_an_altered_file_is_refused(tmp_path: Path) -> None:
    folder = modules(tmp_path)
    (folder / "@made" / "up" / "a.js").write_text("alert!")
    with pytest.raises(DataError, match=r"a\.js is not the file of @made/up 1\.2\.3"):
        files_of(PACKAGE, folder)


def test_a_missing_file_or_package_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no package @made/up\..*npm install --ignore-scripts"):
        files_of(PACKAGE, tmp_path)
    folder = modules(tmp_path)
    (folder / "@made" / "up" / "a.js").unlink()
    with pytest.raises(DataError, match=r"a\.js is missing.*npm install"):
        files_of(PACKAGE, folder)


def test_npm_fetches_them_once(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = archive(tmp_path / "up.tgz", {**CONTENT, "more.txt": b"not needed"})
    body = f"shutil.copy({str(packed)!r}, sys.argv[sys.argv.index('--pack-destination') + 1])"
    npm(tmp_path / "bin", monkeypatch, body)
    found = files_of(PACKAGE)
    assert {path: file.read_bytes() for path, file in found.items()} == CONTENT
    assert sorted(f.name for f in cache.rglob("*") if f.is_file()) == ["a.js", "b.wasm"]
    (tmp_path / "bin" / "npm").unlink()
    assert files_of(PACKAGE) == found


def test_what_npm_fetched_is_checked(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = archive(tmp_path / "up.tgz", {**CONTENT, "a.js": b"another"})
    body = f"shutil.copy({str(packed)!r}, sys.argv[sys.argv.index('--pack-destination') + 1])"
    npm(tmp_path / "bin", monkeypatch, body)
    with pytest.raises(DataError, match="is not the file of @made/up"):
        files_of(PACKAGE)
    assert not cached(PACKAGE).exists()


def test_npms_own_reason_is_given(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = json.dumps({"error": {"summary": "no network here"}})
    npm(tmp_path / "bin", monkeypatch, f"print({answer!r}); sys.exit(1)")
    with pytest.raises(DataError, match=r"npm cannot fetch @made/up@1\.2\.3: no network here\. "):
        files_of(PACKAGE)


def test_without_npm(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DataError, match=r"npm, which is not installed here\. Where there is a"):
        files_of(PACKAGE)

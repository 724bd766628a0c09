"""The part of three.js in the page is what its script builds, and carries its licence."""

import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest

ROOM = Path(str(resources.files("zoo.viewer")))
BUNDLE = ROOM / "templates" / "three.min.js"


def test_it_carries_its_licence() -> None:
    text = BUNDLE.read_text(encoding="utf-8")
    assert text.startswith("/*! three.js ")
    assert "The MIT License" in text[:200]
    assert "THE SOFTWARE IS PROVIDED" in text[:1500]
    assert "</script" not in text.lower()


def test_it_is_what_the_script_builds(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not (ROOM / "page" / "node_modules" / "esbuild").is_dir():
        pytest.skip("needs node and zoo/viewer/page/node_modules (npm ci)")
    built = tmp_path / "three.min.js"
    subprocess.run([node, ROOM / "page" / "build.mjs", built], check=True, cwd=tmp_path)
    assert built.read_bytes() == BUNDLE.read_bytes()

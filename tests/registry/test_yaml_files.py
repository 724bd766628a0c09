"""YAML that is larger, deeper or otherwise than it looks; files that are none."""

import os
from pathlib import Path

import pytest

from registry.errors import ConfigError
from registry.yaml_files import read_yaml

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 12)
)
CHAIN = "a0: &a0 " + "[" * 30 + "]" * 30 + "\na1: " + "[" * 30 + "*a0" + "]" * 30 + "\n"


def read(tmp_path: Path, content: str | bytes) -> object:
    file = tmp_path / "a.yaml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_yaml(file)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (BOMB, "line 6: more than 200000 values, aliases counted in full"),
        (CHAIN, "line 2: more than 50 containers within each other"),
        ("a: " + "[" * 200_000, "more than 50 containers"),
        ("a: " + "{a: " * 200_000, "more than 50 containers"),
        ("a:\n" + "- " * 5000 + "x\n", "line 2: more than 50 containers"),
        ("a: &a [*a]\n", r"line 1: \*a stands within itself"),
        ("a: *b\n", "line 1: found undefined alias"),
        ("? [a]\n: 1\n", "line 1: a key is list, expected a word"),
        ("a: " + "9" * 5000, "line 1: a whole number of 5000 digits is too large"),
        ("a: !!python/object/apply:os.system [x]\n", "could not determine a constructor"),
        ("a: !!timestamp 2001-01-01\n", "could not determine a constructor"),
        ("b: 1\na: 1\na: 2\n", "the key 'a' stands twice"),
        ("- 1\n", "expected a mapping"),
        ("a: 1\n---\nb: 2\n", "line 2: but found another document|expected a single document"),
        ("a: \x00\n", "control characters"),
        (b"a: 1\nb: \xff\n", r"a\.yaml, line 2: found byte 0xff, expected UTF-8"),
        ("a: " + "x" * 5_000_000, "more than the 4000000 it may have"),
    ],
)
def test_hostile_yaml_is_refused(tmp_path: Path, content: str | bytes, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        read(tmp_path, content)
    assert len(str(caught.value)) < 600


def test_what_yaml_1_1_would_turn_into_something_else_is_text(tmp_path: Path) -> None:
    text = "a: [1:30, 010, 1_2, 0x10, 2020-01-01]\nb: [1e-3, -3, .5, 1., 0, 1.5e3]\n"
    assert read(tmp_path, text) == {
        "a": ["1:30", "010", "1_2", "0x10", "2020-01-01"],
        "b": [0.001, -3, 0.5, 1.0, 0, 1500.0],
    }


def test_aliases_that_stay_small_are_welcome(tmp_path: Path) -> None:
    text = "a: &a {b: 1}\nc: *a\nd: {<<: *a, e: 2}\n"
    assert read(tmp_path, text) == {"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1, "e": 2}}


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "link.yaml").symlink_to(tmp_path / "nowhere.yaml")
    for name, words in {
        "pipe.yaml": "is a pipe, expected a file",
        "folder.yaml": "is a folder, expected a file",
        "link.yaml": "does not exist",
        "x" * 300: "cannot be read: File name too long",
        "a\0b": "cannot be read: embedded null byte",
    }.items():
        with pytest.raises(ConfigError, match=words):
            read_yaml(tmp_path / name)
    with pytest.raises(ConfigError, match="is a device"):
        read_yaml(Path("/dev/zero"))

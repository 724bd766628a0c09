"""docs/formats.md has every reader, its files' endings, and an example of each."""

import re
from pathlib import Path

from registry import READERS
from zoo.data.readers import load_reader
from zoo.data.readers.body import PoseReader

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")


def test_the_table_has_every_reader_and_its_endings() -> None:
    rows = dict(re.findall(r"^\| `([\w-]+)` \| ([^|]+) \|", PAGE, re.MULTILINE))
    readers = {n: r for n in READERS.names() if isinstance(r := load_reader(n), PoseReader)}
    assert rows.keys() == readers.keys()
    for name, reader in readers.items():
        endings = set(re.findall(r"`(\.\w+)`", rows[name]))
        assert endings == set(reader.suffixes), name


def test_every_reader_has_an_example() -> None:
    examples = set(re.findall(r"^\*\*([\w-]+)\*\*", PAGE, re.MULTILINE))
    for name in READERS.names():
        if isinstance(load_reader(name), PoseReader):
            assert name in examples, name

"""No test of properties fails because the machine is busy."""

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

TESTS = Path(__file__).parent


@given(st.none())
def test_no_example_has_a_deadline(nothing):
    assert settings.default.deadline is None


def test_no_test_brings_a_deadline_of_its_own():
    own = [
        file.name
        for file in TESTS.rglob("*.py")
        if re.search(r"settings\([^)]*deadline|load_profile", file.read_text())
    ]
    assert sorted(own) == ["conftest.py", Path(__file__).name]

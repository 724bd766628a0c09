"""Lets the tests run before the package is installed, too."""

import sys
from importlib.util import find_spec
from pathlib import Path

spec = find_spec("my_dataset")
if spec is None or spec.origin is None:  # not installed (a folder of that name is no package)
    sys.path.insert(0, str(Path(__file__).parents[1] / "src"))

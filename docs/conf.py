"""Sphinx configuration; the pages of docs/models are written from the models' cards."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from model_pages import write_pages

import zoo

project = "skeleton-zoo"
author = "The skeleton-zoo authors"
copyright = "2026, The skeleton-zoo authors"
release = zoo.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_static_path = ["_static"]
html_title = "skeleton-zoo"
autodoc_typehints = "description"
nitpicky = False


def setup(app):
    """Write the model pages before Sphinx looks for sources."""
    app.connect("config-inited", lambda app, config: write_pages(Path(app.srcdir) / "models"))

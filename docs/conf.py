"""Sphinx configuration; pages of models, commands and modules are written from code."""

import re
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from api_pages import write_api_pages
from command_page import write_command_page
from model_pages import write_pages

import zoo

project = "skeleton-zoo"
author = "The skeleton-zoo authors"
copyright = "2026, The skeleton-zoo authors"
release = zoo.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "tutorials"]
default_role = "py:obj"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_default_options = {"members": True, "member-order": "bysource", "show-inheritance": True}
autodoc_inherit_docstrings = False
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_preserve_defaults = True
napoleon_use_ivar = True

copybutton_prompt_text = r"\$ "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = True

sphinx_gallery_conf = {
    "examples_dirs": "tutorials",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "within_subsection_order": "FileNameSortKey",
    "capture_repr": ("_repr_html_",),
    "download_all_examples": False,
    "remove_config_comments": True,
    "min_reported_time": 1e6,
    "show_signature": False,
    "write_computation_times": False,
}

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_title = "skeleton-zoo"
html_theme_options = {"top_of_page_buttons": []}
html_copy_source = False


def write_sources(app, config):
    """Write the pages of models, modules and commands before Sphinx looks for sources."""
    write_pages(Path(app.srcdir) / "models")
    write_api_pages(Path(app.srcdir) / "api")
    write_command_page(Path(app.srcdir) / "api" / "command.md")


def skip_tuple_fields(app, what, name, obj, skip, options):
    """Leave out what Python itself says of a named tuple's fields."""
    if str(getattr(obj, "__doc__", "")).startswith("Alias for field number"):
        return True
    return None


def read_docstring(app, what, name, obj, options, lines):
    """Spell for Sphinx what docstrings write for a reader: `Name`s, |x|, and indented examples."""
    read = [""] if what in ("attribute", "property") else []  # else "a: b" is taken for a type
    for i, line in enumerate(lines):
        line = re.sub(r"(?<!`)`([^`]+)`(?=\w)", r"`\1`\\ ", line)
        line = re.sub(r"^( +\w+: [A-Z])\.$", r"\1\\.", line)  # else "V." is an item of a list
        read.append(line if "``" in line else re.sub(r"\|(?=\S)", r"\\|", line))
        example = not "".join(lines[i + 1 : i + 2]) and "".join(lines[i + 2 : i + 3])[:4] == "    "
        if line and line[0] != " " and example:
            read += ["", "::"]
    lines[:] = read


def find_by_last_name(app, env, node, contnode):
    """Link `ConfigError` to the one page that has a name ending so, wherever it is written."""
    domain, target = env.get_domain("py"), node.get("reftarget", "")
    if node.get("refdomain") != "py" or not target[:1].isupper():
        return None
    found = [name for name in domain.objects if name.endswith(f".{target}")]
    if len(found) != 1:
        return None
    docname = node["refdoc"]
    return domain.resolve_xref(env, docname, app.builder, "obj", found[0], node, contnode)


def copy_board(app, exception):
    """Put the board, a page of its own, beside the pages that link to it."""
    board = Path(app.srcdir) / "leaderboard" / "index.html"
    if exception is None and app.builder.format == "html":
        shutil.copy(board, Path(app.outdir) / "leaderboard" / "index.html")


def setup(app):
    """Connect the steps above."""
    app.connect("config-inited", write_sources)
    app.connect("autodoc-process-docstring", read_docstring, priority=100)  # before napoleon
    app.connect("autodoc-skip-member", skip_tuple_fields)
    app.connect("missing-reference", find_by_last_name)
    app.connect("build-finished", copy_board)

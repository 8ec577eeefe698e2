"""What Sphinx needs to know; the pages are made before it runs (python -m website)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1])]

import sane  # noqa: E402
from website.reference import converted  # noqa: E402

project = "PySANE"
project_copyright = "the PySANE authors; MIT license"
version = release = sane.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["files/**"]
source_suffix = {".md": "markdown"}

myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 4

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"exclude-members": "__init__, __new__"}
maximum_signature_line_length = 80
python_maximum_signature_line_length = 80
toc_object_entries = False
suppress_warnings = ["ref.python"]  # a class has the name of the module that has it, and ours
highlight_language = "none"

html_theme = "furo"
html_title = "PySANE"
html_static_path = [str(HERE / "static")]
html_css_files = ["site.css"]
html_favicon = str(HERE / "static" / "logo.svg")
html_logo = str(HERE / "static" / "logo.svg")
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options: dict[str, Any] = {
    "sidebar_hide_name": False,
    "light_css_variables": {
        "font-stack": "system-ui, 'Segoe UI', 'Noto Sans', 'Liberation Sans', sans-serif",
        "font-stack--monospace": "ui-monospace, 'Cascadia Mono', 'DejaVu Sans Mono', monospace",
        "color-brand-primary": "#0b5c7a",
        "color-brand-content": "#0b5c7a",
        "color-brand-visited": "#5b3f8c",
    },
    "dark_css_variables": {
        "color-brand-primary": "#6fc9e8",
        "color-brand-content": "#6fc9e8",
        "color-brand-visited": "#b9a3e8",
    },
}


def docstring(*arguments: Any) -> None:
    """Turn a docstring into what Sphinx reads."""
    lines: list[str] = arguments[-1]
    lines[:] = converted(lines)


def setup(app: Any) -> None:
    """Be told of each docstring."""
    app.connect("autodoc-process-docstring", docstring)

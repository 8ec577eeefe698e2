"""Where the site's parts come from and go to."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
HERE = DOCS / "website"
PICTURES = DOCS / "pictures"
SITE = ROOT / "build" / "site"
SOURCE = SITE / "source"  # the pages as Sphinx reads them
HTML = SITE / "html"

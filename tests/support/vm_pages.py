"""What scanimage writes of the page scanner in the virtual machine."""

from __future__ import annotations

from tests.fakes.page_scanner import page

WIDTH, LINES = 800, 1000


def scan(width: int = WIDTH, lines: int = LINES, seed: int = 0) -> bytes:
    """Return the PNM of a scan of the whole page."""
    head = b"P5\n# SANE data follows\n%d %d\n255\n" % (width, lines)
    return head + page(width, lines, seed)

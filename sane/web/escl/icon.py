"""The picture that clients show for a scanner: PNG with alpha, in the sizes that macOS shows.

Drawn by packaging/icon.py. Source: specification escl 7.9.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

SIZES = (128, 256, 512)
USUAL = 256  # where a client does not ask for a size
FOLDER = Path(__file__).with_name("icons")


@cache
def png(size: int) -> bytes:
    """Return the icon of *size* pixels; raises ValueError for another size than SIZES."""
    if size not in SIZES:
        raise ValueError(f"no icon of {size} pixels")
    return (FOLDER / f"scanner-{size}.png").read_bytes()

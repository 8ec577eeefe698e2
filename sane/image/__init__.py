"""Images: rows out of a device's stream, shading, gamma, pages, and one file for each codec.

What drivers use is imported when it is first asked for: a listing of devices needs none of it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .layout import Layout as Layout
    from .layout import interleaved as interleaved
    from .lines import Lines as Lines
    from .sides import Sides as Sides

PLACES = {"Layout": "layout", "Lines": "lines", "Sides": "sides", "interleaved": "layout"}


def __getattr__(name: str) -> object:
    """Import the module that has *name*, and return it from there."""
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(__import__(PLACES[name], globals(), None, [name], 1), name)
    globals()[name] = found
    return found

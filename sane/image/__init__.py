"""Images: rows out of a device's stream, shading, gamma, pages, and one file for each codec.

What drivers use is imported when it is first asked for: a listing of devices needs none of it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import gamma as gamma
    from . import rows as rows
    from . import shading as shading
    from .document import Document as Document
    from .document import readable as readable
    from .fitted import Fitted as Fitted
    from .layout import Layout as Layout
    from .layout import interleaved as interleaved
    from .lines import Lines as Lines
    from .page import JpegPage as JpegPage
    from .page import Page as Page
    from .page import RawPage as RawPage
    from .sides import Sides as Sides

MODULES = ("gamma", "rows", "shading")
PLACES = {
    "Document": "document",
    "Fitted": "fitted",
    "JpegPage": "page",
    "Layout": "layout",
    "Lines": "lines",
    "Page": "page",
    "RawPage": "page",
    "Sides": "sides",
    "interleaved": "layout",
    "readable": "document",
}


def __getattr__(name: str) -> object:
    """Import the module that has *name*, or is called so, and return what is meant."""
    if name not in PLACES and name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = __import__(PLACES.get(name, name), globals(), None, ["*"], 1)
    if name in PLACES:
        found = getattr(found, name)
    globals()[name] = found
    return found

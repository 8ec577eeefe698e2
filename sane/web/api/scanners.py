"""Operations on scanners: which there are, and what they can do."""

from __future__ import annotations

from ..jobs.wishes import MAX, PAPERS, defaults_of, millimetres, papers_of
from .operation import Answer, Call, Operation
from .problem import ApiError, starting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..facts import Capabilities


async def list_scanners(call: Call) -> Answer:
    """Return all scanners; while the first list is made, those that are found."""
    scanners = call.parts.context.scanners
    if not await scanners.looked() and not list(scanners):
        raise starting()
    told = [call.parts.told_scanner(scanner) for scanner in scanners]
    return Answer({"scanners": told})


async def capabilities(call: Call) -> Answer:
    """Return what one can do; its hardware is not touched."""
    scanner = await call.parts.awaited_scanner(call.path["scanner"])
    found = scanner.capabilities
    if not found.sources:
        raise ApiError("unreachable", "the scanner has not told yet what it can do")
    return Answer(told(found))


def told(found: Capabilities) -> dict[str, Any]:
    """Return capabilities in the interface's words."""
    sources = [
        {
            "id": source.id,
            "modes": list(source.modes),
            "resolutions": list(source.resolutions),
            "depths": list(source.depths),
            "min_width_mm": millimetres(source.min_width),
            "min_height_mm": millimetres(source.min_height),
            "width_mm": millimetres(source.max_width),
            "height_mm": millimetres(source.max_height),
        }
        for source in found.sources
    ]
    papers = [
        {"id": paper, "width_mm": PAPERS[paper][0], "height_mm": PAPERS[paper][1]}
        for paper in papers_of(found)
    ]
    width = max(source.max_width for source in found.sources)
    height = max(source.max_height for source in found.sources)
    most = {"id": MAX, "width_mm": millimetres(width), "height_mm": millimetres(height)}
    return {
        "sources": sources,
        "papers": [*papers, most],
        "defaults": defaults_of(found),
        "buttons": list(found.buttons),
    }


OPERATIONS = (
    Operation(
        *("GET", "/scanners", "listScanners", "All scanners", list_scanners),
        answer="Scanners",
        errors=("unreachable",),
    ),
    Operation(
        *("GET", "/scanners/{scanner}/capabilities", "getCapabilities"),
        *("What a scanner can do", capabilities),
        answer="Capabilities",
        errors=("not-found", "unreachable"),
    ),
)

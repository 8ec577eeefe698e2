"""What somebody wants scanned, checked against what the scanner can do.

It turns the words of the REST interface (mm, names of papers) into a scanner's settings; what is
not said is chosen here. It touches no scanner.
"""

from __future__ import annotations

from ..api.problem import ApiError
from ..facts import UNITS_PER_INCH, ScanSettings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..facts import Capabilities, Source

MM = 25.4
PAPERS = {  # mm. Source: ISO 216, ANSI/ASME Y14.1, ISO/IEC 7810
    "a4": (210.0, 297.0),
    "letter": (215.9, 279.4),
    "legal": (215.9, 355.6),
    "a3": (297.0, 420.0),
    "a5": (148.0, 210.0),
    "a6": (105.0, 148.0),
    "b5": (176.0, 250.0),
    "card": (85.6, 54.0),
    "photo": (152.4, 101.6),
}
MAX = "max"
SLACK_MM = 1.5  # a bed of 215.9 mm still takes what is called 216 mm wide
USUAL_DPI, PREVIEW_DPI = 300, 75
MODES = ("color", "gray", "lineart")
# The steps of page work by their names in REST, and the words of sane.pagework.steps for them.
STEPS = (
    *("deskew", "crop", "rotate", "white_background", "despeckle"),
    *("brightness", "contrast", "threshold"),
)


def units(mm: float) -> int:
    """Return a length in eSCL's unit."""
    return round(mm / MM * UNITS_PER_INCH)


def millimetres(length: int) -> float:
    """Return a length in mm, to a hundredth."""
    return round(length / UNITS_PER_INCH * MM, 2)


def settings_for(wish: dict[str, Any], capabilities: Capabilities) -> ScanSettings:
    """Return what the scanner is to be set to; raises ApiError that names the field."""
    source = _source(wish, capabilities)
    is_preview = wish.get("kind") == "preview"
    mode = wish.get("mode") or next(mode for mode in MODES if mode in source.modes)
    if mode not in source.modes:
        raise _cannot("mode", mode, source.modes)
    depth = _depth(wish, source, mode)
    dpi = wish.get("resolution") or _dpi(source, PREVIEW_DPI if is_preview else USUAL_DPI)
    if dpi not in source.resolutions:
        raise _cannot("resolution", dpi, source.resolutions)
    left, top, width, height = _area(wish, source)
    takes_jpeg = "image/jpeg" in capabilities.encoded and mode != "lineart" and depth == 8
    return ScanSettings(
        source=source.id,
        mode=mode,
        depth=depth,
        dpi=dpi,
        left=left,
        top=top,
        width=width,
        height=height,
        extra=dict(wish.get("options", {})),
        encoded=takes_jpeg,
    )


def steps_of(work: dict[str, Any]) -> dict[str, Any]:
    """Return REST's object "work" as keywords of sane.pagework.steps.steps_for."""
    steps = {name: work[name] for name in STEPS if work.get(name) not in (None, False)}
    if steps.get("crop") is True:
        steps["crop"] = "auto"
    blank = work.get("blank")
    if blank is not None and blank is not False:
        steps["blank"] = 0.3 if blank is True else blank
    return steps


def papers_of(capabilities: Capabilities) -> list[str]:
    """Return the names of the papers that fit on one of the sources."""
    return [
        name
        for name, (width, height) in PAPERS.items()
        if any(_fits(source, width, height) for source in capabilities.sources)
    ]


def defaults_of(capabilities: Capabilities) -> dict[str, Any]:
    """Return what is scanned if nothing is said."""
    source = capabilities.sources[0]
    papers = [paper for paper in papers_of(capabilities) if _fits(source, *PAPERS[paper])]
    return {
        "source": source.id,
        "mode": next(mode for mode in MODES if mode in source.modes),
        "resolution": _dpi(source, USUAL_DPI),
        "paper": papers[0] if papers and papers[0] in ("a4", "letter") else MAX,
    }


def _fits(source: Source, width: float, height: float) -> bool:
    has_width = millimetres(source.max_width) + SLACK_MM >= width
    return has_width and millimetres(source.max_height) + SLACK_MM >= height


def _source(wish: dict[str, Any], capabilities: Capabilities) -> Source:
    wanted = wish.get("source")
    if not capabilities.sources:
        raise ApiError("unreachable", "the scanner has not told yet what it can do")
    if wanted is None:
        return capabilities.sources[0]
    try:
        return capabilities.source(wanted)
    except KeyError:
        raise _cannot("source", wanted, [source.id for source in capabilities.sources]) from None


def _depth(wish: dict[str, Any], source: Source, mode: str) -> int:
    wanted = wish.get("depth")
    if mode == "lineart":
        if wanted not in (None, 1):
            raise _cannot("depth", wanted, (1,))
        return 1
    depths = [depth for depth in source.depths if depth > 1] or [8]
    if wanted is None:
        return 8 if 8 in depths else depths[0]
    if wanted not in depths:
        raise _cannot("depth", wanted, depths)
    return int(wanted)


def _dpi(source: Source, wanted: int) -> int:
    """Return the resolution that is nearest to *wanted*, the finer of two."""
    return min(source.resolutions, key=lambda dpi: (abs(dpi - wanted), -dpi))


def _area(wish: dict[str, Any], source: Source) -> tuple[int, int, int, int]:
    """Return left, top, width and height: of an area, a paper, or of all that there is."""
    most = source.max_width, source.max_height
    if "area" in wish and "paper" in wish:
        raise ApiError("invalid", "area and paper are both given: say one of them", field="area")
    area = wish.get("area")
    if area is not None:
        left, top = units(area["left_mm"]), units(area["top_mm"])
        width, height = units(area["width_mm"]), units(area["height_mm"])
        slack = units(SLACK_MM)
        if left + width > most[0] + slack or top + height > most[1] + slack:
            size = f"{millimetres(most[0])} x {millimetres(most[1])} mm"
            raise ApiError("invalid", f"area is not within the source's {size}", field="area")
        left, top = min(left, most[0] - 1), min(top, most[1] - 1)
        width, height = min(width, most[0] - left), min(height, most[1] - top)
        if width < source.min_width or height < source.min_height:
            least = f"{millimetres(source.min_width)} x {millimetres(source.min_height)} mm"
            raise ApiError("invalid", f"area is smaller than {least}", field="area")
        return left, top, width, height
    paper = wish.get("paper", MAX)
    if paper == MAX:
        return 0, 0, *most
    width_mm, height_mm = PAPERS.get(paper, (0.0, 0.0))  # a profile's file may say anything
    if not width_mm or not _fits(source, width_mm, height_mm):
        known = [name for name, size in PAPERS.items() if _fits(source, *size)]
        raise _cannot("paper", paper, [*known, MAX])
    return 0, 0, min(units(width_mm), most[0]), min(units(height_mm), most[1])


def _cannot(field: str, value: object, known: Any) -> ApiError:
    words = ", ".join(str(word) for word in known)
    text = f"{field} {value} is not what the scanner can do: {words}"
    return ApiError("invalid", text, field=field)

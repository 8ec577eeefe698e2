"""Words that mean the same with every driver: modes, sources, sizes of paper.

It knows texts only. What a driver calls its modes and sources was collected from the descriptors
of the drivers in this tree, and from the man pages of others.
"""

from __future__ import annotations

from ..const import MM_PER_INCH
from ..errors import Invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

COLOR, GRAY, LINEART = "color", "gray", "lineart"
FLATBED, FEEDER, DUPLEX, FILM = "flatbed", "feeder", "duplex", "film"
MODES = (COLOR, GRAY, LINEART)
SOURCES = (FLATBED, FEEDER, DUPLEX, FILM)

# Parts of a driver's word, and what it then means: the first line that fits.
_MODES = (
    (LINEART, ("lineart", "line art", "binary", "black", "mono", "bitonal", "halftone", "dither")),
    (LINEART, ("error diffusion", "b&w")),
    (COLOR, ("color", "colour", "rgb")),
    (GRAY, ("gray", "grey")),
)
_SOURCES = (
    (DUPLEX, ("duplex", "both sides")),
    (FILM, ("transparency", "tpu", "film", "negative", "positive", "slide", "tma", "xpa")),
    (FLATBED, ("flatbed", "platen", "glass", "document table", "normal", "book")),
    (FEEDER, ("adf", "feeder", "sheet", "tray")),
)
# Words that are taken last of those that mean the same.
_LAST = ("halftone", "dither", "diffusion", "back", "infrared", "fast")

PAPER_MM = {
    "a3": (297.0, 420.0),
    "a4": (210.0, 297.0),
    "a5": (148.0, 210.0),
    "a6": (105.0, 148.0),
    "b4": (250.0, 353.0),
    "b5": (176.0, 250.0),
    "b6": (125.0, 176.0),
    "letter": (215.9, 279.4),
    "legal": (215.9, 355.6),
    "tabloid": (279.4, 431.8),
    "ledger": (431.8, 279.4),
    "executive": (184.15, 266.7),
    "halfletter": (139.7, 215.9),
    "postcard": (100.0, 148.0),
    "card": (85.6, 53.98),
}
UNITS_MM = {"mm": 1.0, "cm": 10.0, "in": MM_PER_INCH}


def mode_of(word: str) -> str | None:
    """Return which of MODES a driver's *word* means; None if it is none of them."""
    return _meaning(word, _MODES)


def source_of(word: str) -> str | None:
    """Return which of SOURCES a driver's *word* means; None if it is none of them."""
    return _meaning(word, _SOURCES)


def _meaning(word: str, table: Sequence[tuple[str, tuple[str, ...]]]) -> str | None:
    word = word.lower()
    for meaning, parts in table:
        if any(part in word for part in parts):
            return meaning
    return None


def best(choices: Sequence[str], wanted: str, table: str) -> str | None:
    """Return the driver's word for *wanted*: itself, or what means it. table: "mode", "source".

    None if no choice does.
    """
    for choice in choices:
        if choice.lower() == wanted.lower():
            return choice
    meaning = mode_of if table == "mode" else source_of
    found = [choice for choice in choices if meaning(choice) == wanted.lower()]
    found.sort(key=lambda choice: (any(part in choice.lower() for part in _LAST), len(choice)))
    return found[0] if found else None


def paper_mm(text: str) -> tuple[float, float]:
    """Return width and height of "a4", "letter", "210x297mm", "8.5x11in"; raises Invalid."""
    text = text.lower().replace(" ", "")
    if text in PAPER_MM:
        return PAPER_MM[text]
    unit = next((unit for unit in UNITS_MM if text.endswith(unit)), "")
    numbers = text.removesuffix(unit).split("x")
    try:
        width, height = (float(number) * UNITS_MM[unit or "mm"] for number in numbers)
        if not (0 < width < float("inf") and 0 < height < float("inf")):
            raise ValueError
    except ValueError:
        names = ", ".join(PAPER_MM)
        raise Invalid(f"page_size {text!r} is none of {names}, nor like 210x297mm") from None
    return width, height

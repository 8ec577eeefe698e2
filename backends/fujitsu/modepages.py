"""MODE SELECT: the pages that say how paper is handled and what is done with the image.

Bytes only. Source: specification fujitsu 2.6.
"""

from __future__ import annotations

from .capabilities import COLOR
from .settings import DEFAULT, OFF, ON

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .settings import Settings

PREPICK, SLEEP, BACKGROUND = 0x33, 0x34, 0x37
DOUBLE_FEED, DROPOUT, BUFFER, AUTO = 0x38, 0x39, 0x3A, 0x3C
# Which pages a scanner is asked for. Not the lamp timer's, 0x3D: nobody uses it, and being asked
# for it locks up iX and fi-7000 models.
PROBED = (0x32, PREPICK, SLEEP, 0x35, 0x36, BACKGROUND, DOUBLE_FEED, DROPOUT, BUFFER, AUTO, 0x3E)
CHOICES = {DEFAULT: 0, OFF: 2, ON: 3}
DIFFERENCES = {DEFAULT: 0, "10mm": 1, "15mm": 2, "20mm": 3}
DROPOUTS = {DEFAULT: 0, "Green": 8, "Red": 9, "Blue": 11}
BACKGROUNDS = {DEFAULT: 0, "White": 0x80, "Black": 0xB8}
CLEAR_BUFFER = 0xC0
HEAD = bytes(4)


def page(code: int, *parameters: int, size: int = 6) -> bytes:
    """Return the data of one page: head, code, length and parameters, zero where not given."""
    return HEAD + bytes((code, size)) + bytes(parameters).ljust(size, b"\0")


def buffer(choice: str) -> bytes:
    """Return the buffer page, which drops what is in the buffer, too."""
    return page(BUFFER, CHOICES[choice] << 6, CLEAR_BUFFER)


def sleep(minutes: int) -> bytes:
    """Return the page of the sleep timer."""
    return page(SLEEP, minutes)


def automatic(settings: Settings) -> bytes:
    """Return the page of what the scanner does by itself: finds edges, straightens."""
    crops = settings.hwdeskewcrop
    first = 0x80 if crops else 0
    if crops and (settings.swcrop or settings.swdeskew):
        first |= 0x01
    length = 0x80 if settings.ald or crops else 0
    return page(AUTO, first, length, 0x80 if crops else 0, CHOICES[settings.overscan] << 6)


def double_feed(settings: Settings) -> bytes:
    """Return the page of what is done when two sheets come together, and of paper protection."""
    able = settings.capabilities
    first = 0
    if settings.df_action != DEFAULT:
        first = 0x80 | (0x40 if settings.df_action == "Continue" else 0)
        first |= settings.df_skew << 5 | settings.df_thickness << 4 | settings.df_length << 3
        if settings.df_length:
            first |= DIFFERENCES[settings.df_diff]
    second = fourth = 0
    if able.can_protect:
        second |= CHOICES[settings.paper_protect] << 6
    if able.finds_staples:
        second |= CHOICES[settings.staple_detect] << 4
    if able.can_recover:
        second |= CHOICES[settings.df_recovery] << 2
    if able.can_protect_more:
        fourth = CHOICES[settings.adv_paper_protect] << 6
    return page(DOUBLE_FEED, first, second, 0, fourth)


def pages(settings: Settings) -> Iterator[bytes]:
    """Yield the pages that are set before a batch, of those that exist, in the order of setting."""
    dropout = DROPOUTS[settings.dropoutcolor] if settings.mode != COLOR else 0
    for code, data in (
        (AUTO, automatic(settings)),
        (DOUBLE_FEED, double_feed(settings)),
        (BACKGROUND, page(BACKGROUND, BACKGROUNDS[settings.bgcolor])),
        (DROPOUT, page(DROPOUT, dropout << 4 | dropout, size=8)),
        (BUFFER, buffer(settings.buffermode)),
        (PREPICK, page(PREPICK, CHOICES[settings.prepick] << 6)),
    ):
        if code in settings.capabilities.usable:
            yield data

"""Which steps of cleaning a side goes through, and what is behind a sheet that is turned.

The steps are sane.image.cleanup's. Source: specification fujitsu 7.8 and 8.
"""

from __future__ import annotations

from ...image import cleanup
from .capabilities import COLOR, GRAY, LINEART
from .settings import DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...image.cleanup import Skew
    from .settings import Settings
    from .sides import RawSide

SAMPLES = {GRAY: 1, COLOR: 3}
WHITE_GROUND, BLACK_GROUND = 0xD6, 0x00  # what the sensor sees beside the paper
BITS_OF_BYTE = 8


class Cleaner:
    """Cleans the sides of one sheet, front first: the back lies as the front does, mirrored.

    leaves_crop: what the scanner says of that; True: it cannot cut by itself.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._skew: Skew | None = None

    def clean(self, side: RawSide, *, leaves_crop: bool | None) -> bool:
        """Clean what was received of *side*; return whether there is anything on it."""
        settings = self._settings
        dpi = settings.resolution
        samples = SAMPLES.get(settings.scanner_mode, 0)
        picture = cleanup.Picture(*side.picture(), samples)
        if picture.lines and not (settings.hwdeskewcrop and not leaves_crop):
            picture = self._straightened(picture, is_back=side.is_back)
            if settings.swcrop:
                is_made = settings.is_software_mode and settings.mode == LINEART
                picture = cleanup.crop(picture, dpi, BITS_OF_BYTE if is_made else 1)
        if settings.swdespeck:
            cleanup.despeckle(picture, settings.swdespeck)
        side.replace(picture)
        if not settings.swskip or settings.is_flatbed:
            return True
        return not cleanup.is_blank(picture, dpi, settings.swskip)

    def _straightened(self, picture: cleanup.Picture, *, is_back: bool) -> cleanup.Picture:
        settings = self._settings
        if not settings.swdeskew:
            return picture
        if is_back and self._skew is not None:
            skew: Skew | None = self._skew.mirrored(picture.width_px)
        else:
            skew = self._skew = cleanup.skew_of(picture, settings.resolution)
        if skew is None:
            return picture
        is_black = settings.bgcolor == "Black" or settings.hwdeskewcrop
        is_black = is_black or settings.overscan != DEFAULT
        if picture.samples:
            background = BLACK_GROUND if is_black else WHITE_GROUND
        else:
            background = 0xFF if is_black else 0x00
        return cleanup.deskew(picture, skew, background)

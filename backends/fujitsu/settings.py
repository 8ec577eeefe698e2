"""What a batch of sheets is scanned with: the options' values, and the sizes that follow from them.

Arithmetic only: the builders of windows and mode pages take a Settings object, which no option
changes any more. Source: specification fujitsu 2.7, 3.2, 5 and 6.
"""

from __future__ import annotations

from . import models
from .capabilities import COLOR, FLATBED, GRAY, HALFTONE, LINEART, UNITS, Capabilities

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

WORD_TO_UNIT = 1387  # words of fixed point that stand for 1 u
DEFAULT, OFF, ON = "Default", "Off", "On"
NONE, JPEG = "None", "JPEG"
COMPOSITIONS = {LINEART: 0, HALFTONE: 1, GRAY: 2, COLOR: 5}
CHANNELS = {LINEART: 1, HALFTONE: 1, GRAY: 1, COLOR: 3}
JPEG_MULTIPLE = 8
PLAIN = (  # options whose values are taken over as they are
    *("source", "mode", "resolution", "brightness", "contrast", "threshold", "rif", "ht_type"),
    *("ht_pattern", "outline", "emphasis", "separation", "mirroring", "wl_follow", "bp_filter"),
    *("smoothing", "gamma_curve", "threshold_curve", "threshold_white", "noise_removal"),
    *("matrix_5x5", "matrix_4x4", "matrix_3x3", "matrix_2x2", "variance", "ald", "compression"),
    *("compression_arg", "df_action", "df_skew", "df_thickness", "df_length", "df_diff"),
    *("df_recovery", "paper_protect", "adv_paper_protect", "staple_detect", "bgcolor"),
    *("dropoutcolor", "buffermode", "prepick", "overscan", "duplexoffset", "greenoffset"),
    *("blueoffset", "hwdeskewcrop", "swdeskew", "swdespeck", "swcrop", "swskip"),
    *("halt_on_cancel", "endorser", "endorser_bits", "endorser_val", "endorser_step"),
    *("endorser_font", "endorser_dir", "endorser_side", "endorser_string"),
)
LENGTHS = ("page_width", "page_height", "tl_x", "tl_y", "br_x", "br_y", "endorser_y")


def units(mm: float) -> int:
    """Return how many u a length of an option is; the option's values are whole numbers of them."""
    return round(mm * 65536) // WORD_TO_UNIT


def millimetres(length: int) -> float:
    """Return the value of an option that stands for *length* u."""
    return length * WORD_TO_UNIT / 65536


class Settings:
    """The values of all options by their attributes, lengths in u; two are equal if all are.

    wants_jpeg: the page is wanted as a JPEG whatever the option compression says.
    """

    def __init__(
        self, options: Any, capabilities: Capabilities, *, wants_jpeg: bool = False
    ) -> None:
        self.capabilities = capabilities
        self.values: dict[str, Any] = {name: getattr(options, name) for name in PLAIN}
        self.values |= {name: units(getattr(options, name)) for name in LENGTHS}
        self.values["wants_jpeg"] = wants_jpeg

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["values"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and self.values == other.values

    __hash__ = None  # type: ignore[assignment]

    # Sources and modes

    @property
    def is_flatbed(self) -> bool:
        """Whether no sheets are fed."""
        return bool(self.source == FLATBED)

    @property
    def is_duplex(self) -> bool:
        """Whether both sides are scanned."""
        return bool(self.source.endswith("Duplex"))

    @property
    def is_back(self) -> bool:
        """Whether the back alone is scanned."""
        return bool(self.source.endswith("Back"))

    @property
    def scanner_mode(self) -> str:
        """The mode in which the scanner sends."""
        return self.capabilities.scanner_mode(self.mode)

    @property
    def channels(self) -> int:
        """Samples of a pixel of the frame."""
        return CHANNELS[self.mode]

    @property
    def depth(self) -> int:
        """Bits of a sample of the frame."""
        return 1 if self.mode in (LINEART, HALFTONE) else 8

    @property
    def is_software_mode(self) -> bool:
        """Whether what it sends becomes another mode here."""
        return bool(self.scanner_mode != self.mode)

    @property
    def is_jpeg(self) -> bool:
        """Whether it sends JPEG."""
        is_wanted = self.compression == JPEG or self.wants_jpeg
        can_be = self.mode in (GRAY, COLOR) and not self.is_software_mode
        return bool(is_wanted and can_be and self.capabilities.has_jpeg)

    @property
    def is_cleaned(self) -> bool:
        """Whether whole pages are kept and cleaned before they are delivered."""
        is_wanted = self.swdeskew or self.swcrop or self.swdespeck or self.swskip
        return bool(is_wanted) and not self.is_jpeg

    @property
    def is_buffered(self) -> bool:
        """Whether a side is received as a whole before any of it is delivered."""
        return self.is_cleaned or bool(self.hwdeskewcrop)

    @property
    def length_varies(self) -> bool:
        """Whether the height is known only when a side has ended."""
        return bool(self.ald) and not self.is_buffered

    # Sizes

    @property
    def width_px(self) -> int:
        """Pixels of a line, of which there may be none."""
        found: int = self.resolution * (self.br_x - self.tl_x) // UNITS
        multiple = self.capabilities.multiple(self.mode)
        if self.is_jpeg:
            multiple = max(multiple, JPEG_MULTIPLE)
        return max(0, found) // multiple * multiple

    @property
    def lines(self) -> int:
        """Lines, of which there may be none."""
        found: int = self.resolution * (self.br_y - self.tl_y) // UNITS
        multiple = JPEG_MULTIPLE if self.is_jpeg else 2
        return max(0, found) // multiple * multiple

    @property
    def paper_width(self) -> int:
        """What the scanner is told of the paper's width: with overscan, more."""
        extra = 2 * self.capabilities.overscan_x if self.overscan == ON else 0
        return int(self.page_width + extra)

    @property
    def left(self) -> int:
        """The left edge, as the scanner measures it."""
        if self.capabilities.quirks.is_crop_absolute and not self.is_flatbed:
            return int(self.tl_x + (self.capabilities.width - self.page_width) // 2)
        return int(self.tl_x)

    # M3091: colours lie apart, and both sides come in one stream

    @property
    def green_lag(self) -> int:
        """Lines that green comes later than red."""
        raster = self.capabilities.identity.color_raster
        return int(max(0, raster + self.greenoffset) * self.resolution // 150)

    @property
    def blue_lag(self) -> int:
        """Lines that blue comes later than red."""
        raster = self.capabilities.identity.color_raster
        return int(max(0, raster + self.blueoffset) * self.resolution // 300)

    @property
    def back_lag(self) -> int:
        """Lines that the back comes later than the front."""
        raster = self.capabilities.identity.duplex_raster
        return int(max(0, raster + self.duplexoffset) * self.resolution // 300)

    @property
    def has_color_gap(self) -> bool:
        """Whether the colours of a line do not come together."""
        return self.capabilities.quirks.is_m3091 and self.scanner_mode == COLOR

    # What the picture becomes

    @property
    def order(self) -> str:
        """In which order colours come: one of models."""
        return self.capabilities.color_order

    @property
    def is_inverted(self) -> bool:
        """Whether the scanner's samples are the complement of the frame's."""
        is_gray = self.scanner_mode in (GRAY, COLOR)
        return is_gray != self.capabilities.quirks.is_m3091

    @property
    def is_sequential(self) -> bool:
        """Whether the back may be read only after the front."""
        return self.capabilities.quirks.duplex == models.SEQUENTIAL

    @property
    def is_one_stream(self) -> bool:
        """Whether lines of both sides come in turn."""
        return self.is_duplex and self.capabilities.quirks.duplex == models.ONE_STREAM

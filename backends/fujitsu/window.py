"""SET WINDOW: what is to be scanned, and how.

Bytes only. Source: specification fujitsu 2.7, offsets as there.
"""

from __future__ import annotations

import struct

from .capabilities import COLOR, HALFTONE, UNITS
from .commands import BACK, FRONT
from .models import PLANES, SWAPPED
from .settings import COMPOSITIONS, DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .settings import Settings

HEAD = bytes(6) + b"\x00\x40"
DESCRIPTOR_BYTES = 64
COLOR_BLOCK, OTHER_BLOCK, M3091_BLOCK = 0xC1, 0x00, 0xC0
JPEG_BASELINE = 0x81
OWN_GAMMA = 0x80
OTHER_SIZE = 0xC0  # a paper that is no standard size
HALFTONES = {DEFAULT: 0, "Dither": 1, "Diffusion": 2}
FOLLOWERS = {DEFAULT: 0, "On": 2 << 6, "Off": 3 << 6}
ORDERS = {SWAPPED: (1, 5), PLANES: (0, 0)}
LAMPS = {DEFAULT: 0, "Blue": 1, "Red": 2, "Green": 4}
NO_PROCESSING, DTC, SDTC = 0, 1, 2
DTC_OPTIONS = (
    *("bp_filter", "smoothing", "gamma_curve", "threshold_curve", "threshold_white"),
    *("noise_removal", "matrix_5x5", "matrix_4x4", "matrix_3x3", "matrix_2x2"),
)
RASTER_UNITS = 8  # u that a line of the colour raster is counted as


def needs_lut(settings: Settings) -> bool:
    """Tell whether a table has to do what the scanner cannot."""
    able = settings.capabilities
    if not able.can_take_gamma:
        return False
    needs_brightness = settings.brightness and not able.brightness_steps
    needs_contrast = settings.contrast and not able.contrast_steps
    return bool(needs_brightness or needs_contrast or not able.gammas)


def uses_dtc(settings: Any) -> bool:
    """Tell whether one of the options of dynamic thresholding is set."""
    return any(getattr(settings, name) for name in DTC_OPTIONS)


def processing(settings: Settings) -> int:
    """Return the image processing mode."""
    if uses_dtc(settings):
        return DTC
    if settings.variance:
        return SDTC
    if not settings.threshold:
        if settings.capabilities.has_sdtc:
            return SDTC
        if settings.capabilities.has_dtc:
            return DTC
    return NO_PROCESSING


def emphasis(value: int) -> int:
    """Return the byte for *value*, -128 to 127."""
    return value if value >= 0 else 127 - value


def descriptor(settings: Settings) -> bytes:
    """Return the descriptor of the one window, or of the front's."""
    able, dpi = settings.capabilities, settings.resolution
    mode = settings.scanner_mode
    window = bytearray(DESCRIPTOR_BYTES)
    lines_u = settings.lines * UNITS // dpi
    if settings.has_color_gap:
        raster = able.identity.color_raster + settings.greenoffset
        lines_u += max(0, raster * RASTER_UNITS)
    window[0x00] = BACK if settings.is_back else FRONT
    sizes = settings.left, settings.tl_y, settings.width_px * UNITS // dpi, lines_u
    struct.pack_into(">HHIIII", window, 0x02, dpi, dpi, *sizes)
    window[0x16] = settings.brightness + 128 if able.brightness_steps else 0
    window[0x17] = settings.threshold
    window[0x18] = settings.contrast + 128 if able.contrast_steps else 0
    window[0x19] = COMPOSITIONS[mode]
    window[0x1A] = 8 if COMPOSITIONS[mode] > 1 else 1
    if mode == HALFTONE:
        window[0x1B], window[0x1C] = HALFTONES[settings.ht_type], settings.ht_pattern
    window[0x1D] = 0x80 if settings.rif else 0
    if settings.is_jpeg:
        window[0x20], window[0x21] = JPEG_BASELINE, settings.compression_arg
    window[0x29] = OWN_GAMMA if needs_lut(settings) else 0
    if able.quirks.is_m3091:
        window[0x28] = M3091_BLOCK
        window[0x2D] = LAMPS[settings.dropoutcolor] if settings.mode != COLOR else 0
    elif mode == COLOR:
        _color_block(window, settings)
    else:
        _other_block(window, settings)
    if not settings.is_flatbed:
        window[0x35] = OTHER_SIZE
        struct.pack_into(">II", window, 0x36, settings.paper_width, settings.page_height)
    return bytes(window)


def _color_block(window: bytearray, settings: Settings) -> None:
    window[0x28] = COLOR_BLOCK
    window[0x2A], window[0x2B] = ORDERS.get(settings.order, (1, 0))
    window[0x2E] = emphasis(settings.emphasis)
    window[0x2F] = 0x80 if settings.mirroring else 0
    window[0x32] = FOLLOWERS[settings.wl_follow]


def _other_block(window: bytearray, settings: Settings) -> None:
    window[0x28] = OTHER_BLOCK
    window[0x2A] = 0x80 if settings.outline else 0
    window[0x2B] = emphasis(settings.emphasis)
    window[0x2C] = 0x80 if settings.separation else 0
    window[0x2D] = 0x80 if settings.mirroring else 0
    window[0x32] = FOLLOWERS[settings.wl_follow]
    kind = processing(settings)
    window[0x3E] = kind << 6
    if kind == SDTC:
        window[0x2E] = settings.variance
    elif kind == DTC:
        smoothing = 0 if settings.smoothing else 1
        window[0x2F] = (
            (not settings.bp_filter) << 7
            | smoothing << 5
            | settings.gamma_curve << 3
            | settings.threshold_curve
        )
        window[0x30] = _noise(settings) | settings.threshold_white


def _noise(settings: Settings) -> int:
    """Return the bits of the noise removal: not set when it is on, and its matrices."""
    if not settings.noise_removal:
        return 0x20
    bits = (settings.matrix_2x2, settings.matrix_3x3, settings.matrix_4x4, settings.matrix_5x5)
    return sum(int(bit) << place for place, bit in enumerate(bits, 1))


def windows(settings: Settings) -> bytes:
    """Return the data of SET WINDOW: one descriptor, or two for both sides."""
    front = descriptor(settings)
    if not settings.is_duplex:
        return HEAD + front
    back = bytearray(front)
    back[0x00] = BACK
    back[0x35] &= 0x3F
    back[0x36:0x3E] = bytes(8)
    return HEAD + front + back

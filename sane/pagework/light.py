"""How light a page is: small gray copies of it, its paper's colour. NumPy alone.

It knows pixels, and not what they are looked at for.
"""

from __future__ import annotations

from .libraries import require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .sheet import Array, Sheet

RED, GREEN, BLUE = 306, 601, 117  # ITU-R BT.601, scaled to 1024
BAND = 64  # rows of blocks at a time, which the processor's cache holds
SAMPLE_STEP = 4  # every fourth pixel of every fourth row is enough for a median


def small_gray(sheet: Sheet, dpi: float) -> tuple[Array, float]:
    """Return the page's light in 8 bits at *dpi* at most, and the resolution it has across."""
    means, found = small(sheet, dpi)
    return gray_of(means), found


def small(sheet: Sheet, dpi: float) -> tuple[Array, float]:
    """Return the page in 8 bits a sample at *dpi* at most, and the resolution it has across.

    Each pixel is the mean of a block, so that thin lines turn pale and do not vanish.
    """
    across, down = sheet.dots
    wide, high = (max(1, int(dots // dpi)) for dots in (across, down))
    while high > sheet.height or wide > sheet.width:
        wide, high = min(wide, sheet.width), min(high, sheet.height)
    return _block_means(sheet.array, wide, high), across / wide


def _block_means(array: Array, wide: int, high: int) -> Array:
    """Return the means of blocks of wide x high pixels, as uint8 (high bytes of uint16)."""
    np = require("numpy", "page work")
    rows, columns = array.shape[0] // high * high, array.shape[1] // wide * wide
    array = array[:rows, :columns]
    means: Array = np.empty((rows // high, columns // wide, *array.shape[2:]), np.uint8)
    for top in range(0, len(means), BAND):
        band = array[top * high : (top + BAND) * high]
        if band.dtype == np.uint16:
            band = (band >> 8).astype(np.uint8)
        sums = band[0::high].astype(np.uint32 if wide * high > 257 else np.uint16)
        for y in range(1, high):
            sums += band[y::high]
        total = sums[:, 0::wide].copy()
        for x in range(1, wide):
            total += sums[:, x::wide]
        means[top : top + BAND] = total // (wide * high)
    return means


def gray_of(array: Array) -> Array:
    """Return the light of pixels of 8 bits; gray ones as they are."""
    if array.ndim == 2:
        return array
    np = require("numpy", "page work")
    weights = np.array((RED, GREEN, BLUE), np.uint32)  # NumPy 1 takes a scalar's type for less
    light = array[..., 0] * weights[:1]
    light += array[..., 1] * weights[1:2]
    light += array[..., 2] * weights[2:]
    gray: Array = (light >> 10).astype(np.uint8)
    return gray


def paper_of(sheet: Sheet) -> list[int]:
    """Return the samples of the page's commonest colour, the paper's: one, or three."""
    np = require("numpy", "page work")
    sample = sheet.array[::SAMPLE_STEP, ::SAMPLE_STEP]
    return [int(value) for value in np.atleast_1d(np.median(sample, axis=(0, 1)))]

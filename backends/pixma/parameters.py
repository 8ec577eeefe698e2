"""The blocks of parameters that commands carry: source, gamma, and what is to be scanned.

It knows offsets and values only. Source: specification pixma 2.5.
"""

from __future__ import annotations

import struct

from .commands import with_checksum
from .models import MP800
from .request import ALWAYS, DUPLEX, FLATBED, INFRARED, ONCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .models import Model
    from .request import Plan

LONG_FLAG, SHORT_FLAG = 0x8000, 0x1000  # in a resolution
RGB, MONO, BITS = 0x08, 0x04, 0x01  # colours of a pixel
_AREA = struct.Struct(">HHIIII")  # resolutions, left, top, width, lines
GAMMA_WORDS, GAMMA_BYTES = 1024, 4096
ONE_MODEL = 0x1754  # MG5300
NEW_FILM = (0x1908, 0x190D, 0x1756)  # 9000F, 9000F Mark II, MG8200
OLD_FILM = 0x1901  # 8800F
MP990 = 0x1740
NEGATIVE_FILM = (0x1901, 0x1908, 0x190D)
GLASS, SHEETS, TRANSPARENT, INFRARED_LIGHT = 0x01, 0x02, 0x04, 0x03


def gamma_values(exponent: float, entries: int) -> tuple[int, ...]:
    """Return the table of *entries* values for an exponent: 16 bits, or 8 for 4096 of them."""
    most = 255 if entries == GAMMA_BYTES else 65535
    last = entries - 1
    return tuple(int(most * (i / last) ** (1 / exponent) + 0.5) for i in range(entries))


def gamma_block(table: Sequence[int], *, is_color: bool) -> bytes:
    """Return the parameters that upload *table*, of 1024 words or 4096 bytes."""
    if len(table) == GAMMA_BYTES:
        block = bytearray(bytes((0x10 if is_color else 0x01, 0, 0x10, 0x04)))
        block += bytes(table) + bytes(4)
    else:
        block = bytearray(bytes((0x10, 0, 0x08, 0x04)))
        block += struct.pack(f"<{len(table)}H", *table) + bytes(4)
    return with_checksum(block)


def source_block(plan: Plan, generation: int) -> bytes:
    """Return the source for mp150 and mp800, 12 bytes."""
    request = plan.request
    block = bytearray(12)
    if request.is_fed:
        block[0], block[1] = SHEETS, 0
        block[5] = block[6] = 3 if request.source == DUPLEX else 1
    else:
        block[0] = TRANSPARENT if request.is_film else GLASS
        block[1] = 2 if request.is_film else 1
        block[5] = 1 if generation == 2 else 0
    return with_checksum(block)


def old_block(plan: Plan, model: Model) -> bytes:
    """Return the parameters of a scan for generations 1 and 2 of mp150 and mp800, 48 bytes."""
    is_ccd = model.family == MP800
    block = bytearray(48)
    _AREA.pack_into(block, 0x04, *_area(plan, LONG_FLAG))
    block[0x18] = RGB if is_ccd or plan.wire_color else MONO
    block[0x19] = plan.wire_bits
    block[0x1A] = 1 if plan.request.is_film else 0
    block[0x20], block[0x23], block[0x26], block[0x27] = 0xFF, 0x81, 0x02, 0x01
    return with_checksum(block)


def new_block(plan: Plan, model: Model, page: int, last_source: str) -> bytes:
    """Return the parameters of a scan for later generations of mp150 and mp800, 56 bytes.

    page: of the job. last_source: of the last scan that went well since the scanner was opened.
    """
    request, product = plan.request, model.product
    is_infrared = request.mode == INFRARED
    block = bytearray(56)
    block[0x00], block[0x01], block[0x02] = GLASS, 1, 1
    if request.is_fed:
        block[0x00] = SHEETS
    if request.source == DUPLEX:
        block[0x02] = block[0x03] = 3
    if request.is_film:
        block[0x00] = INFRARED_LIGHT if is_infrared else TRANSPARENT
        block[0x01] = 2
        block[0x1E] = 1 if product in NEGATIVE_FILM else 2
    if plan.is_jpeg:
        block[0x03] = 1
    block[0x05] = _calibrates(plan, page, last_source)
    _AREA.pack_into(block, 0x08, *_area(plan, LONG_FLAG))
    is_gray = not plan.wire_color or (plan.is_jpeg and not request.is_color)
    block[0x1C] = MONO if is_gray else RGB
    block[0x1D] = 8 if is_gray else plan.wire_bits
    block[0x1F] = 0 if product in NEW_FILM else 1
    block[0x20] = 0xFF
    block[0x21] = 0x83 if plan.is_jpeg else 0x81
    block[0x23], block[0x24] = 0x02, 0x01
    if request.is_film and product in (*NEW_FILM, MP990):
        block[0x25] = 0 if is_infrared else 1
    elif request.source == FLATBED and product == OLD_FILM:
        block[0x25] = 1
    if product == ONE_MODEL:
        block[0x26:0x2A] = b"2145"
    block[0x30] = 1
    return with_checksum(block)


def _calibrates(plan: Plan, page: int, last_source: str) -> int:
    request = plan.request
    if request.calibrate != ONCE:
        return 1 if request.calibrate == ALWAYS else 0
    if request.is_fed:
        return 0 if page else 1
    return 0 if last_source == request.source else 1


def _area(plan: Plan, flag: int) -> tuple[int, int, int, int, int, int]:
    dpi = plan.wire_dpi | flag
    return dpi, dpi, plan.left, plan.top, plan.wire_width, plan.wire_lines


def short_source_block(
    plan: Plan, *, is_mp750: bool = False, tells_feeder: bool = False, is_late: bool = False
) -> bytes:
    """Return the source for mp730, mp750 and imageclass, 10 bytes.

    tells_feeder: of a unit that is told twice. is_late: where the checksum stands.
    """
    request = plan.request
    block = bytearray(10)
    block[0] = 2 if request.is_fed else 1
    block[1] = 1 if is_mp750 else 0
    if request.source == DUPLEX:
        block[5] = 3
    elif request.is_fed and tells_feeder:
        block[5] = 1
    return with_checksum(block, is_late=is_late)


def short_block(plan: Plan, *, is_late: bool = False) -> bytes:
    """Return the parameters of a scan for mp730 and imageclass, 46 bytes."""
    is_bits = plan.wire_bits == 1
    block = bytearray(46)
    _AREA.pack_into(block, 0x04, *_area(plan, SHORT_FLAG))
    block[0x18] = BITS if is_bits else RGB if plan.wire_color else MONO
    block[0x19] = plan.wire_bits
    block[0x1E] = 0x80 if is_bits else 0
    block[0x1F] = 0x80 if is_bits else 0x7F
    block[0x20] = 0x01 if is_bits else 0xFF
    block[0x23] = 0x81
    return with_checksum(block, is_late=is_late)


def mp750_block(plan: Plan) -> bytes:
    """Return the parameters of a scan for mp750, 46 bytes."""
    block = bytearray(46)
    _AREA.pack_into(block, 0x04, *_area(plan, LONG_FLAG))
    block[0x18], block[0x19], block[0x20], block[0x23] = RGB, 24, 0xFF, 0x81
    block[0x26], block[0x27], block[0x29] = 0x02, 0x01, 0x01
    return with_checksum(block)


def activate_block(argument: int, *, is_late: bool = False) -> bytes:
    """Return the parameters of ACTIVATE, 10 bytes."""
    block = bytearray(10)
    block[0], block[3] = 1, argument
    return with_checksum(block, is_late=is_late, is_doubled=is_late)


def time_block(now: str) -> bytes:
    """Return the parameters that tell the time, *now*: ``yy/mm/dd HH:MM``, 20 bytes."""
    block = bytearray(20)
    block[: len(now)] = now.encode("ascii")
    return with_checksum(block)

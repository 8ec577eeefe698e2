"""What an emulated Fujitsu document scanner is: MODELS by name, and what INQUIRY tells of them.

Only the names, ids and largest windows are known from real units; the other bits are chosen so that
each model opens another part of a driver. Source: specification fujitsu 2.2, 3.3, 11 and 12.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

UNITS = 1200  # to the inch: lengths on the wire
STANDARD_BYTES = 96
RGB_PIXELS, BGR_PIXELS, LINES = b"\x01\x00", b"\x01\x05", b"\x00\x00"
ORDERS = (RGB_PIXELS, BGR_PIXELS, LINES)
PAGES = (0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A, 0x3C, 0x3D, 0x3E)
STEP_ANY = 0x11

# Fields of page F0 by their offset.
FLATBED, FEEDER, DUPLEX, ENDORSERS = 0x40, 0x80, 0x10, 0x09  # of [20]
LINEART, HALFTONE, GRAY, COLOR = 0x02, 0x04, 0x08, 0x80  # of [1C]


@dataclass(frozen=True)
class Model:
    """One model; `changed` makes a variant of it.

    product: on USB. size: of page F0, whose length byte it gives. basic: its resolution. window:
    the largest one, at that resolution. fields: further bytes of page F0. orders: of colours, as
    in [2A] and [2B] of a window. pages: that MODE SENSE knows. raster: the offset of colours and
    of sides in lines at 300 dpi. is_old: an M3091, with its own window, status and order of data.
    joins_jpeg: both sides of a sheet are one JPEG file of double width.
    """

    name: str
    product: int
    size: int = 0x85
    basic: int = 600
    window: tuple[int, int] = (5312, 64980)
    resolutions: tuple[int, int] = (50, 600)
    overscan: int = 0
    fields: Mapping[int, int] = field(default_factory=dict)
    orders: tuple[bytes, ...] = ORDERS
    pages: tuple[int, ...] = PAGES
    serial: int = 0x000EB0A1
    raster: tuple[int, int] = (0, 0)
    is_old: bool = False
    joins_jpeg: bool = True
    vendor: str = "FUJITSU"
    revision: str = "0E00"

    def changed(self, fields: Mapping[int, int] | None = None, **changes: Any) -> Model:
        """Return a variant, with *fields* beside those of this model."""
        return replace(self, fields={**self.fields, **(fields or {})}, **changes)

    @property
    def area(self) -> tuple[int, int]:
        """The largest window in 1/1200 inch, with overscan at both edges."""
        width, length = (UNITS * (side + 2 * self.overscan) // self.basic for side in self.window)
        return width, length

    def has(self, offset: int, bits: int) -> bool:
        """Tell whether a field of page F0 has any of *bits*."""
        return bool(self.fields.get(offset, 0) & bits)

    def standard(self) -> bytes:
        """Return the standard INQUIRY data."""
        data = bytearray(STANDARD_BYTES)
        data[0:5] = b"\x06\x00\x02\x02\x5b"
        data[0x08:0x10] = self.vendor.ljust(8).encode("latin-1")
        data[0x10:0x20] = self.name.ljust(16).encode("latin-1")
        data[0x20:0x24] = self.revision.encode("latin-1")
        data[0x2A:0x2C] = self.raster[0].to_bytes(2, "big")
        data[0x2E:0x30] = self.raster[1].to_bytes(2, "big")
        return bytes(data)

    def page_f0(self) -> bytes:
        """Return page F0."""
        data = bytearray(max(self.size, 0x80))
        data[0:5] = bytes((0x06, 0xF0, 0, 0, self.size - 5))
        low, high = self.resolutions
        for offset, value in ((0x05, self.basic), (0x0A, high), (0x0E, low)):
            data[offset : offset + 4] = 2 * value.to_bytes(2, "big")
        data[0x09] = STEP_ANY
        for offset, length in zip((0x14, 0x18), self.window, strict=True):
            data[offset : offset + 4] = length.to_bytes(4, "big")
        data[0x64:0x68] = 2 * self.overscan.to_bytes(2, "big")
        for offset, value in self.fields.items():
            data[offset] = value
        return bytes(data[: self.size])


_COMMANDS = {0x28: 0xFF, 0x29: 0xFF, 0x2B: 0x04, 0x31: 0x02}  # with status and control
_FI = {
    **_COMMANDS,
    0x1C: COLOR | GRAY | HALFTONE | LINEART,
    0x20: FEEDER | FLATBED | DUPLEX,
    0x21: 0x78,
    **{0x52: 0xFF, 0x53: 0xFF, 0x54: 0xFF, 0x56: 0x40, 0x57: 0x11, 0x58: 0xFF, 0x59: 0x49},
    **{0x69: 0x80, 0x6D: 0x02, 0x70: 0x10, 0x72: 0x01, 0x76: 0x80, 0x7A: 0x80},
}
_SNAP = {
    **_COMMANDS,
    **{0x1C: COLOR, 0x20: FEEDER | DUPLEX, 0x21: 0x0A, 0x53: 0xFF, 0x57: 0x01, 0x59: 0x09},
    **{0x5A: 0x08, 0x76: 0x80},
}
_THREE_MODES = {0x1C: COLOR | GRAY | LINEART}
_M3091 = {
    **_THREE_MODES,
    **{0x12: 0x48, 0x13: 0x40},  # 75, 150 and 300 dpi
    **{0x20: FEEDER | DUPLEX, 0x28: 0xFF, 0x29: 0xFF, 0x31: 0x02, 0x53: 0xFF},
    **{0x57: 0x10, 0x58: 0x80},
}
_PLAIN = {0x21: 0x68, 0x6D: 0, 0x70: 0, 0x72: 0}  # without the protections
_FI_7260 = Model("fi-7260", 0x132F, overscan=118, fields=_FI)
_IX500 = Model("ScanSnap iX500", 0x132B, window=(5224, 20712), fields=_SNAP)

_SHEET_FED = {0x20: FEEDER | DUPLEX}

MODELS = {
    "fi-7260": _FI_7260,
    "fi-7160": _FI_7260.changed(_SHEET_FED, name="fi-7160", product=0x132E),
    "fi-6240": _FI_7260.changed(
        {0x21: 0x6A, 0x52: 0, 0x54: 0, 0x57: 0x01, 0x58: 0x2A},
        name="fi-6240dj",
        product=0x114E,
        size=0x64,
        window=(5312, 20778),
        overscan=0,
    ),
    "fi-6130": _FI_7260.changed(
        {**_SHEET_FED, **_PLAIN}, name="fi-6130", product=0x114F, window=(5312, 20778)
    ),
    "fi-800R": _FI_7260.changed(
        {**_SHEET_FED, **_PLAIN, 0x7C: 0x80}, name="fi-800R", product=0x15FC
    ),
    # It has both endorsers, and prints 24-bit numbers and fonts.
    "fi-5950": _FI_7260.changed(
        {**_PLAIN, 0x20: FEEDER | DUPLEX | ENDORSERS, 0x5D: 0x0A}, name="fi-5950", product=0x1213
    ),
    "fi-4990": _FI_7260.changed(
        {**_SHEET_FED, **_PLAIN}, name="fi-4990C", product=0x10E7, orders=(LINES,)
    ),
    "fi-5110EOX": _FI_7260.changed(
        {**_SHEET_FED, **_PLAIN}, name="fi-5110EOX2", product=0x1096, orders=(BGR_PIXELS, LINES)
    ),
    "iX500": _IX500,
    "iX100": _IX500.changed({**_THREE_MODES, 0x20: FEEDER}, name="ScanSnap iX100", product=0x13F4),
    "iX1500": _IX500.changed(_THREE_MODES, name="ScanSnap iX1500", product=0x159F),
    "S1500": _IX500.changed(_THREE_MODES, name="ScanSnap S1500", product=0x11A2),
    "M3091": Model(
        "M3091DCd",
        0x1041,
        size=0x64,
        basic=300,
        window=(2550, 4200),
        resolutions=(75, 300),
        fields=_M3091,
        orders=(LINES,),
        raster=(4, 9),
        is_old=True,
    ),
}


def model_named(name: str) -> Model:
    """Return the model *name* of MODELS; raises ValueError with the names that there are."""
    if name not in MODELS:
        raise ValueError(f"no model {name!r}; there are {', '.join(MODELS)}")
    return MODELS[name]

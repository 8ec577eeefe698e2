"""What the original plustek tells emulated units, and the pictures that it makes of one page.

Source: specification plustek 9.2 (registers of the final scan) and 9.3 (pictures), seen with the
original of release 1.2.1. The page is sane.testing.plustek.graded, the sensor a perfect one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sane.testing.plustek import Deed
from tests.peers.fujitsu import Picture

SCAN = 3  # a value of register 07
BEGIN = 0x08  # the first register of those of a Final
BITS_8 = 8
ERROR = 5e-4  # of the sum: the order of floating-point sums may move single values
AREA = ("-l", "20", "-t", "30", "-x", "60", "-y", "30")
BED = ("-l", "0", "-t", "0", "-x", "215", "-y", "297")
SMALL = ("-l", "20", "-t", "30", "-x", "10", "-y", "10")
Pixel = tuple[int, ...]


class Final(NamedTuple):
    """The final scan of a page: bytes that are fetched, registers 08 to 5e."""

    unit: str
    mode: str
    depth: int
    dpi: int
    is_whole: bool  # the bed, not AREA
    size: tuple[int, int]
    fetched: int
    registers: str

    @property
    def options(self) -> list[str]:
        """The command line's."""
        area = BED if self.is_whole else AREA
        return [*_settings(self.mode, self.depth, self.dpi), *area]

    def wrong(self, deeds: Sequence[Deed]) -> str:
        """Return what is wrong in the last scan of *deeds*, "" if nothing is."""
        told = f"{self.unit} {self.mode} {self.depth} bit {self.dpi} dpi"
        scans = [deed for deed in deeds if deed.command == SCAN]
        if not scans:
            return f"{told}: no scan"
        known = bytes.fromhex(self.registers)
        found = scans[-1].registers[BEGIN : BEGIN + len(known)]
        differing = [
            f"{BEGIN + n:02x}: {value:02x} for {right:02x}"
            for n, (value, right) in enumerate(zip(found, known, strict=True))
            if value != right
        ]
        if scans[-1].fetched != self.fetched:
            differing.append(f"{scans[-1].fetched} bytes for {self.fetched}")
        return f"{told}: {', '.join(differing)}" if differing else ""


class Shown(NamedTuple):
    """A picture: pixels at (0, 0), (w-1, 0), (0, h-1), (w/2, h/2), (100, 50); the sum of all."""

    unit: str
    mode: str
    depth: int
    dpi: int
    area: tuple[str, ...]
    size: tuple[int, int]
    pixels: tuple[Pixel, ...]
    total: int

    @property
    def options(self) -> list[str]:
        """The command line's."""
        return [*_settings(self.mode, self.depth, self.dpi), *self.area]

    def wrong(self, picture: Picture | None) -> str:
        """Return what is wrong in a picture, "" if nothing is."""
        told = f"{self.unit} {self.mode} {self.depth} bit {self.dpi} dpi"
        if picture is None:
            return f"{told}: no picture"
        (width, height), found = picture.size, samples(picture)
        channels = len(self.pixels[0])
        places = (0, 0), (width - 1, 0), (0, height - 1), (width // 2, height // 2), (100, 50)
        pixels = [tuple(found[channels * (y * width + x) :][:channels]) for x, y in places]
        near = 1 if self.depth == BITS_8 else 4
        differences = [
            abs(value - known)
            for pixel, expected in zip(pixels, self.pixels, strict=True)
            for value, known in zip(pixel, expected, strict=True)
        ]
        error = abs(sum(found) - self.total) / self.total
        if picture.size != self.size or max(differences) > near or error > ERROR:
            return f"{told}: {picture.size} {pixels} {sum(found)}, expected {self}"
        return ""


def samples(picture: Picture) -> list[int]:
    """Return all samples of a picture."""
    data = picture.data
    channels = 3 if picture.kind == b"P6" else 1
    if len(data) == 2 * channels * picture.size[0] * picture.size[1]:
        return [high << 8 | low for high, low in zip(data[0::2], data[1::2], strict=True)]
    return list(data)


def _settings(mode: str, depth: int, dpi: int) -> list[str]:
    bits = [] if mode == "Lineart" else ["--depth", str(depth)]
    return ["--mode", mode, *bits, "--resolution", str(dpi)]


FINALS = (
    Final(
        *("LiDE 20", "Color", 8, 300, False, (708, 354), 766800),
        "0a 1a 00 15 4c 2f 00 00 00 04 05 06 07 00 00 00 05 "
        "00 00 01 00 00 00 00 17 ba 02 24 07 ac 15 00 00 02 00 00 "
        "00 17 06 8b 00 17 05 b0 00 17 04 a9 00 00 00 0a 0a 0a 00 00 40 00 26 00 "
        "00 13 04 77 01 2d 07 40 05 b4 8e 01 3f fc 0c 9c 00 0f 08 1f 00 66 16 91 01 00 00",
    ),
    Final(
        *("LiDE 20", "Color", 8, 75, True, (634, 876), 1673316),
        "0c 1e 00 15 4c 2f 00 00 00 04 05 06 07 00 00 00 05 "
        "00 00 01 00 00 00 00 17 ba 00 4c 14 1c 15 00 00 02 00 00 "
        "00 17 05 9f 00 17 04 e3 00 17 04 02 00 00 00 0a 0a 0a 00 00 40 00 26 00 "
        "00 13 01 1d 01 02 01 b8 37 20 8f 01 3f fc 04 74 00 0f 08 1f 00 66 16 91 01 00 00",
    ),
    Final(
        *("LiDE 20", "Color", 16, 600, False, (1416, 708), 6121440),
        "0a 20 00 15 4c 2f 00 00 00 04 05 06 07 00 00 00 05 "
        "00 00 01 00 00 00 00 17 ba 02 24 07 ac 15 00 00 02 00 00 "
        "00 17 06 8b 00 17 05 b0 00 17 04 a9 00 00 00 0a 0a 0a 00 00 40 00 26 00 "
        "00 13 08 ef 01 2d 07 40 05 aa 91 01 3f fc 17 7c 00 0f 08 1f 00 66 16 91 01 00 00",
    ),
    Final(
        *("LiDE 20", "Gray", 8, 150, False, (354, 177), 64080),
        "16 1c 00 15 4c 2f 00 00 00 04 05 06 07 00 00 00 05 "
        "00 00 01 00 00 00 00 17 ba 02 24 07 ac 14 00 00 03 00 00 "
        "00 00 00 00 00 17 02 e8 00 00 00 00 00 00 00 0a 0a 0a 00 00 40 00 26 00 "
        "00 13 00 be 00 96 07 50 05 c8 1d 01 3f fc 02 f8 00 0f 08 1f 00 66 16 91 01 00 00",
    ),
    Final(
        *("LiDE 20", "Gray", 16, 1200, False, (2832, 1416), 4080960),
        "16 20 00 15 4c 2f 00 00 00 04 05 06 07 00 00 00 05 "
        "00 00 01 00 00 00 00 17 ba 02 24 07 ac 14 00 00 03 00 00 "
        "00 00 00 00 00 17 02 e8 00 00 00 00 00 00 00 0a 0a 0a 00 00 40 00 26 00 "
        "00 13 05 f5 00 96 07 50 05 a5 9c 01 3f fc 0f 14 00 0f 08 1f 00 66 16 91 01 00 00",
    ),
    Final(
        *("LiDE 20", "Lineart", 1, 250, False, (592, 295), 33120),
        "16 02 00 15 4c 2f 00 00 00 04 05 06 07 00 00 00 05 "
        "00 00 01 00 00 00 00 17 ba 02 24 07 c4 14 00 00 03 00 00 "
        "00 00 00 00 00 17 02 e8 00 00 00 00 00 00 00 0a 0a 0a 00 00 40 00 26 00 "
        "00 13 01 7d 00 96 07 50 05 b4 0e 01 3f fc 04 34 00 0f 08 1f 00 66 16 91 01 00 00",
    ),
    Final(
        *("CanoScan N650U", "Color", 8, 300, False, (708, 354), 766800),
        "0a 1a 00 15 4c 2f 00 00 00 04 05 06 07 00 00 00 05 "
        "00 00 01 00 00 00 00 17 ba 02 32 07 ba 15 00 00 02 00 00 "
        "00 17 04 52 00 17 03 20 00 17 01 ac 00 00 00 0a 0a 0a 00 00 40 00 26 00 "
        "00 13 04 77 01 1d 06 f0 05 b4 8e 01 3f fc 0c 9c 00 0f 08 1f 00 66 16 91 01 00 00",
    ),
    Final(
        *("CanoScan N1220U", "Gray", 14, 600, False, (1416, 708), 2040480),
        "0e 22 00 15 4c 2f 00 00 00 04 05 06 07 00 00 00 05 "
        "00 00 01 00 00 00 00 29 5a 04 2c 0f 3c 14 00 00 03 00 00 "
        "00 00 00 00 00 17 06 77 00 00 00 00 00 00 00 0a 0a 0a 00 00 40 00 26 00 "
        "00 13 05 30 00 90 06 ec 05 aa 9c 01 00 fc 26 60 00 0f 08 1f 00 66 16 91 01 00 00",
    ),
    Final(
        *("LiDE 30", "Color", 8, 1200, False, (2832, 1416), 12242880),
        "04 18 00 15 4c 2f 00 00 00 04 05 06 07 00 00 00 05 "
        "02 00 01 00 00 00 00 29 5a 03 e4 0e f4 15 00 00 02 00 00 "
        "00 17 12 10 00 17 0b 28 00 17 08 6c 00 00 00 0a 0a 0a 00 00 40 00 26 00 "
        "00 13 2e b3 00 e7 07 18 05 a5 85 01 20 fc 4b 60 00 0f 08 1f 00 66 16 91 01 00 00",
    ),
    Final(
        *("LiDE 25", "Lineart", 1, 100, False, (240, 118), 8640),
        "08 06 00 11 4d 2f 00 00 00 04 05 06 07 00 00 00 07 "
        "00 00 01 00 00 00 00 29 3f 04 30 0f b0 14 00 00 03 00 00 "
        "00 00 00 00 00 32 07 53 00 00 00 00 00 00 00 0a 0a 0a 00 00 40 00 26 00 "
        "00 13 01 4b 01 4d 07 28 05 c8 02 01 20 fc 28 37 00 0f 08 1f 00 66 16 91 01 00 00",
    ),
    Final(
        *("Perfection 1250", "Color", 8, 300, False, (708, 354), 773864),
        "03 1c 00 02 04 7d 37 06 16 00 05 0c 17 00 00 0a 17 "
        "00 00 01 00 00 00 00 2a 06 04 5a 0f 6a 00 40 00 03 00 01 "
        "3f ff 00 00 3f ff 00 00 3f ff 00 00 30 30 30 17 17 17 00 00 40 00 26 00 "
        "00 13 05 47 01 a0 03 6e 02 ea 90 01 1e 0c 28 38 00 0f 02 01 00 41 44 94 00 00 00",
    ),
    Final(
        *("Scanjet 2200c", "Gray", 8, 200, False, (472, 236), 170640),
        "0e 1b 00 02 04 2f 1f 02 07 01 02 02 03 00 00 04 07 "
        "00 00 01 00 00 00 00 14 f7 02 64 07 ec 0c 00 00 01 00 00 "
        "00 00 3f ff 00 00 00 00 00 00 00 00 1e 1e 1e 00 00 00 00 00 40 00 26 00 "
        "00 13 02 a3 01 29 04 6a 02 da 50 01 1e fc 13 60 00 18 08 3c 00 cc bc bb 00 00 00",
    ),
)

PICTURES = (
    Shown(
        *("LiDE 20", "Color", 8, 300, AREA, (708, 354)),
        ((81, 103, 92), (175, 103, 144), (81, 150, 120), (136, 129, 133), (101, 111, 106)),
        98708217,
    ),
    Shown(
        *("LiDE 20", "Color", 16, 600, AREA, (1416, 708)),
        (
            (6744, 10865, 8667),
            (31197, 10865, 21031),
            (6744, 22954, 14711),
            (18833, 16910, 18009),
            (8393, 11690, 10041),
        ),
        53778709040,
    ),
    Shown(
        *("LiDE 20", "Color", 8, 1000, SMALL, (393, 393)),
        ((81, 103, 92), (0, 0, 0), (81, 120, 103), (92, 112, 103), (88, 106, 97)),
        47400139,
    ),
    Shown(
        *("LiDE 20", "Gray", 8, 125, AREA, (295, 147)),
        ((105,), (105,), (149,), (129,), (122,)),
        5588185,
    ),
    Shown(
        *("LiDE 20", "Gray", 16, 300, AREA, (708, 354)),
        ((11306,), (11306,), (22614,), (16960,), (12848,)),
        4266827136,
    ),
    Shown(
        *("CanoScan N650U", "Color", 8, 300, AREA, (708, 354)),
        ((85, 105, 95), (173, 105, 143), (85, 149, 121), (136, 129, 133), (103, 112, 108)),
        98776456,
    ),
    Shown(
        *("CanoScan N1220U", "Gray", 14, 600, AREA, (1416, 708)),
        ((11306,), (11306,), (22612,), (16961,), (12078,)),
        17072416056,
    ),
    Shown(
        *("LiDE 30", "Color", 8, 1200, AREA, (2832, 1416)),
        ((85, 105, 95), (172, 105, 143), (85, 149, 121), (136, 129, 133), (90, 107, 99)),
        1580220327,
    ),
)

"""What an emulated Canon scanner is: MODELS by name, as hosts tell them apart and as they scan.

It knows ids, command set, feeder, and where the sensor puts each pixel on the wire; nothing of
commands or transports. Each model here opens another part of a driver.

Source: specification pixma 3 (formats) and 5 (models).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

VENDOR = 0x04A9
MP150, MP800, MP730, MP750, IMAGECLASS = "mp150", "mp800", "mp730", "mp750", "imageclass"
JPEG_FEEDER, JPEG_ALWAYS = "feeder", "always"
BELOW, ABOVE = (2, 1, 0), (0, 1, 2)  # how many distances red, green and blue come late


@dataclass(frozen=True)
class Sensor:
    """How pixels lie on the wire.

    segment_dpi: above it, a line consists of several lines of every n-th pixel; 0: never. most: n
    at most. distance: the resolution (times `per`) divided by this is the distance of the colours
    in lines; 0: none. far_dpi: without distance below. late: of each colour, in distances. halves:
    at this resolution the right half comes `jump` lines late. shuffled: at this one neighbours are
    mixed.
    """

    segment_dpi: int = 0
    most: int = 1 << 10
    distance: int = 0
    per: int = 1
    far_dpi: int = 76
    late: tuple[int, int, int] = ABOVE
    halves: int = 0
    jump: int = 0
    shuffled: int = 0

    def distance_lines(self, dpi: int) -> int:
        """Return the distance of the colours at a resolution."""
        return self.per * dpi // self.distance if self.distance and dpi >= self.far_dpi else 0


@dataclass(frozen=True)
class Model:
    """One model; `changed` makes a variant of it.

    sides: that its feeder scans, 0 without a feeder. jpeg: when images are JPEG files. planes:
    colours come in planes by line. blocks: of imageclass, long or short ones. late_sum: its
    checksums are not the last byte. buttons: which interrupt packet its buttons send.
    """

    name: str
    product: int
    family: str
    generation: int
    sides: int = 0
    sensor: Sensor = Sensor()
    has_film: bool = False
    gamma_4096: bool = False
    jpeg: str = ""
    planes: bool = False
    has_long_blocks: bool = False
    has_late_sum: bool = False
    buttons: str = ""

    def changed(self, **changes: Any) -> Model:
        """Return a variant."""
        return replace(self, **changes)

    @property
    def is_framed_a(self) -> bool:
        """Whether commands have 16 bytes before their parameters, rather than 10."""
        return self.family in (MP150, MP800)

    @property
    def has_xml(self) -> bool:
        """Whether jobs begin and end with a dialog in XML."""
        return self.is_framed_a and self.generation >= 4

    @property
    def has_window_command(self) -> bool:
        """Whether one command has the source and the area (D820), rather than two."""
        return self.is_framed_a and self.generation >= 3


_PLAIN, _BY_600, _BY_1200, _BY_2400 = Sensor(), Sensor(600), Sensor(1200), Sensor(2400)
_SHORT, _TOP, _LIDE, _FIELDS = "short", "top", "lide", "fields"  # kinds of button packets


def _ccd(segment_dpi: int, most: int, distance: int, **words: Any) -> Sensor:
    return Sensor(segment_dpi, most, distance, **words)


def _mp150(name: str, product: int, generation: int, sensor: Sensor, **words: Any) -> Model:
    return Model(name, product, MP150, generation, sensor=sensor, **words)


def _mp800(name: str, product: int, generation: int, sensor: Sensor, **words: Any) -> Model:
    words.setdefault("has_film", True)
    return Model(name, product, MP800, generation, sensor=sensor, **words)


def _laser(name: str, product: int, generation: int, marks: str, sides: int = 0) -> Model:
    return Model(
        name,
        product,
        IMAGECLASS,
        generation,
        sides,
        planes="p" in marks,
        has_long_blocks="b" in marks,
        has_late_sum="k" in marks,
        jpeg=JPEG_ALWAYS if "j" in marks else "",
    )


_9000F = _ccd(600, 4, 30, halves=9600, jump=32, shuffled=4800)
_MP750 = Sensor(distance=75, per=2, far_dpi=0, late=BELOW)
_MP810 = _ccd(2400, 8, 50, late=BELOW, halves=4800, jump=33)

_ALL = (
    _mp150("MP150", 0x1709, 1, _BY_2400, gamma_4096=True),
    _mp150("MP530", 0x1712, 1, _BY_2400, gamma_4096=True, sides=1),
    _mp150("MP160", 0x1714, 2, _BY_2400),
    _mp150("MP510", 0x1717, 2, _BY_2400),
    _mp150("MP600", 0x1718, 2, _BY_1200),
    _mp150("MX7600", 0x171C, 3, _BY_600, sides=2),
    _mp150("MP220", 0x1722, 3, _PLAIN),
    _mp150("MP610", 0x1725, 3, _BY_600),
    _mp150("MX860", 0x1735, 3, _BY_600, sides=2),
    _mp150("MP560", 0x173E, 4, _BY_600),
    _mp150("MP640", 0x173F, 4, _BY_600),
    _mp150("MX340", 0x1741, 4, _BY_600, sides=1, buttons=_FIELDS),
    _mp150("MX870", 0x1743, 4, _BY_600, sides=2),
    _mp150("MG5300", 0x1754, 5, _PLAIN, buttons=_FIELDS),
    _mp150("MG6200", 0x1755, 5, _BY_600, buttons=_FIELDS),
    _mp150("MX920", 0x176B, 5, _PLAIN, sides=2, buttons=_FIELDS),
    _mp150("MB5000", 0x1776, 5, _PLAIN, sides=1, jpeg=JPEG_FEEDER),
    _mp150("MB5100", 0x1790, 5, _PLAIN, sides=2, jpeg=JPEG_FEEDER),
    _mp150("TR4500", 0x1854, 5, _PLAIN, sides=1, jpeg=JPEG_FEEDER, buttons=_FIELDS),
    _mp150("TS3100", 0x1827, 5, _PLAIN),
    _mp150("XK90", 0x18B6, 5, _BY_1200),
    _mp150("LIDE400", 0x1912, 5, _PLAIN, buttons=_LIDE),
    _mp150("LIDE300", 0x1913, 5, _PLAIN, buttons=_LIDE),
    _mp800("MP800", 0x170D, 1, _BY_2400, gamma_4096=True),
    _mp800("MP830", 0x1713, 1, _BY_2400, gamma_4096=True, sides=2, has_film=False),
    _mp800("MP810", 0x171A, 2, _MP810),
    _mp800("MP970", 0x1726, 3, _ccd(600, 4, 50, shuffled=4800)),
    _mp800("MP980", 0x172D, 3, _ccd(600, 8, 75, far_dpi=151)),
    _mp800("8800F", 0x1901, 3, _ccd(600, 4, 50, shuffled=4800), buttons=_TOP),
    _mp800("MP990", 0x1740, 4, _ccd(600, 4, 75, far_dpi=151, shuffled=4800)),
    _mp800("MG8100", 0x174B, 4, Sensor(600, 8)),
    _mp800("MG8200", 0x1756, 4, _ccd(600, 4, 75, far_dpi=151), buttons=_FIELDS),
    _mp800("9000F", 0x1908, 4, _9000F, buttons=_TOP),
    _mp800("9000FMarkII", 0x190D, 4, _9000F, buttons=_TOP),
    Model("MP750", 0x1706, MP750, 1, 1, _MP750),
    Model("MP780/790", 0x1707, MP750, 1, 1, _MP750),
    Model("MP730", 0x262F, MP730, 1, 1, planes=True, buttons=_SHORT),
    Model("MP360", 0x263C, MP730, 1, planes=True),
    Model("MP740", 0x264C, MP730, 1, 1, planes=True, buttons=_SHORT),
    Model("MF5630", 0x264E, MP730, 1, 1),
    Model("MF5770", 0x265F, MP730, 1, 1),
    Model("iR1020", 0x26E6, MP730, 1, 2),
    _laser("MF3240", 0x2684, 1, "p"),
    _laser("MF4690", 0x26B0, 1, "bk", 1),
    _laser("MF4270", 0x26B5, 1, "pk", 1),
    _laser("D480", 0x26ED, 1, "pk", 2),
    _laser("MF8030", 0x2707, 2, "b", 1),
    _laser("MF4410", 0x2737, 2, "b", 1),
    _laser("MF5900", 0x2743, 2, "b", 2),
    _laser("MF4800", 0x2773, 2, "b", 1),
    _laser("MF6100", 0x278E, 2, "b", 2),
    _laser("MF260", 0x27F4, 2, "bj", 2),
)

MODELS = {model.name: model for model in _ALL}


def model_named(name: str) -> Model:
    """Return the model of this name; raises ValueError with all names for another."""
    if name not in MODELS:
        raise ValueError(f"no model {name!r} among {', '.join(MODELS)}")
    return MODELS[name]

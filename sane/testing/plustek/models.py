"""The units that the emulated LM9831, LM9832 or LM9833 may be part of, as data.

Source: specification plustek 4.1 (the Canon units), 8.1 (light and strips of the vectors).
"""

from __future__ import annotations

from typing import NamedTuple

CANON = 0x04A9
LM9831, LM9833 = 3, 4  # what register 69 tells; LM9832 and LM9833 say the same
UNIT_DPI = 300  # the lengths of a bed are counted in such parts of an inch
ROOM = UNIT_DPI  # from the end of the bed to the stop behind it

Strip = tuple[float, float]  # from where to where, inches from the home sensor


class Model(NamedTuple):
    """One unit.

    optical: dots per inch of the sensor. revision: see LM9831. bits: of the converter. origin,
    length: of the bed, in UNIT_DPI. white, dark: strips under the cover. full: counts of light
    that fill the converter at gain code 0, for R, G, B. mclk: the master clock that they hold for.
    first: the sensor pixel at the left edge of the bed. line_end: of a line, in pixels. speeds:
    inches a second, homing, moving and feeding fast. steps: full steps of the motor in an inch.
    memory: KiB. duty, current: how large registers 57 and 2a/2b may get. inputs: the I/O pins that
    buttons hang on. board: what pins 1 to 3 tell about the circuit board.

    With a lamp and three lines of pixels instead of a contact sensor: is_contact False. distance:
    from line to line, in pixels. black: how many pixels see nothing. lamp: the pin that it hangs
    on, 0: it follows its times in 2e/2f.

    paper: of a sheet-fed unit, the bit of register 02 that tells whether there is a sheet.
    """

    name: str
    product: int
    optical: int
    revision: int
    bits: int
    origin: int
    white: Strip
    dark: Strip | None
    full: tuple[int, int, int]
    mclk: int
    first: int
    line_end: int
    speeds: tuple[float, ...]
    buttons: int
    vendor: int = CANON
    length: int = 3508
    width: int = 2550
    steps: int = 1200
    memory: int = 512
    duty: int = 0x1F
    current: int = 0
    inputs: tuple[int, ...] = (1, 2, 3)
    board: int = 0
    is_contact: bool = True
    distance: int = 0
    black: int = 0
    lamp: int = 0
    paper: int = 0

    @property
    def stop(self) -> int:
        """How many full steps from the home sensor the carriage can go."""
        return (self.origin + self.length + ROOM) * self.steps // UNIT_DPI


_N650U = Model(
    *("CanoScan N650U", 0x2206, 600, LM9833, 14, 90, (0.12, 0.29), (0.01, 0.11)),
    *((2477, 1777, 927), 6, 89, 6074, (0.76, 0.243), 1),
)
_N1220U = Model(
    *("CanoScan N1220U", 0x2207, 1200, LM9833, 14, 85, (0.12, 0.28), (0.01, 0.11)),
    *((10500, 10500, 6577), 3, 124, 10586, (0.72, 0.36), 1),
)
_LIDE20 = Model(
    *("LiDE 20", 0x220D, 600, LM9833, 16, 110, (0.12, 0.36), None),
    *((3777, 3277, 2677), 6, 75, 6074, (0.72, 0.23), 3),
)
_LIDE30 = Model(
    *("LiDE 30", 0x220E, 1200, LM9833, 16, 100, (0.12, 0.33), (0.01, 0.11)),
    *((10500, 6477, 4877), 3, 52, 10586, (0.72, 0.3), 3),
)
_LIDE25 = Model(
    *("LiDE 25", 0x2220, 1200, LM9833, 16, 100, (0.12, 0.33), (0.01, 0.11)),
    *((5550, 7050, 4550), 3, 127, 10559, (0.7, 0.25), 3),
)
# Those with a lamp. Source: specification plustek 4.2, 4.3; strips and black pixels: 8.1.
_EPSON = Model(
    *("Perfection 1250", 0x010F, 1200, LM9833, 14, 85, (0.01, 0.27), None, (0, 0, 0), 0),
    *(69, 10758, (0.8, 0.8, 4.1), 4),
    vendor=0x04B8, steps=600, duty=0x3F, current=1, inputs=(2, 3, 4, 5),
    is_contact=False, distance=8, black=60, lamp=6,
)  # fmt: skip
_HP = Model(
    *("Scanjet 2200c", 0x0605, 600, LM9833, 14, 209, (0.02, 0.6), None, (0, 0, 0), 0),
    *(140, 5367, (1.05, 1.05, 2.2), 2),
    vendor=0x03F0, steps=600, duty=0x3F, is_contact=False, distance=4, black=80,
)  # fmt: skip
_UT12 = Model(
    *("OpticPro UT12", 0x0013, 600, LM9831, 14, 93, (0.0, 0.29), None, (0, 0, 0), 0),
    *(110, 5400, (1.5, 1.2), 4),
    vendor=0x07B3, steps=300, duty=0x3F, current=4095, inputs=(3, 5, 6),
    is_contact=False, distance=4, black=64,
)  # fmt: skip
_CANON = (_LIDE20, _LIDE25, _LIDE30, _N650U, _N1220U)
MODELS = {model.name: model for model in (*_CANON, _EPSON, _HP, _UT12)}
CONTACT = tuple(model.name for model in _CANON)
_BY_ID = {f"{model.vendor:04x}:{model.product:04x}": model for model in MODELS.values()}
_BY_PRODUCT = {f"{model.product:04x}": model for model in _CANON}


def model_named(name: str) -> Model:
    """Return a unit by its name ("LiDE 20"), USB ids ("04b8:010f"), or Canon's product ("220d")."""
    found = MODELS.get(name) or _BY_ID.get(name) or _BY_PRODUCT.get(name)
    if found is None:
        raise ValueError(f"{name!r} is not one of {', '.join(MODELS)}")
    return found

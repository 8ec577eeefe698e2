"""plustek.conf: which units are wanted, and what each is to be treated like.

A section ``[usb]`` or ``[usb] 0x04a9 0x220d`` has lines ``option KEY [VALUE]``, and one line
``device auto`` or ``device libusb:001:004``. Source: specification plustek 6.
"""

from __future__ import annotations

from ...backend import errors
from ...config import parse_int
from .models import NEGATIVE, TRANSPARENCY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...config import Line

AUTO = "auto"
KEYS = {  # what each is without a line, and on a line without a value
    **dict.fromkeys(("warmup", "lampOff", "lOffOnEnd"), (-1, -1)),
    **dict.fromkeys(("posShadingY", "tpaShadingY", "negShadingY"), (-1, -1)),
    **dict.fromkeys(("red_gain", "green_gain", "blue_gain"), (-1, -1)),
    **dict.fromkeys(("red_offset", "green_offset", "blue_offset"), (-1, -1)),
    **dict.fromkeys(("red_lampoff", "green_lampoff", "blue_lampoff"), (-1, -1)),
    **dict.fromkeys(("enableTPA", "cacheCalData", "altCalibration", "skipCalibration"), (0, 0)),
    **dict.fromkeys(("skipFine", "skipFineWhite", "skipDarkStrip", "invertNegatives"), (0, 0)),
    **dict.fromkeys(("disableSpeedup", "mov"), (0, 0)),
    "incDarkTarget": (1, 0),
    **dict.fromkeys(("posOffX", "posOffY", "negOffX", "negOffY", "tpaOffX", "tpaOffY"), (0, 0)),
    **dict.fromkeys(("grayGamma", "redGamma", "greenGamma", "blueGamma"), (1.0, 1.0)),
    "cacheDays": (90, 0),  # the original does not have it, and passes it over
}
MOST_GAMMA = 5.0  # a steeper curve has two values
LEAST_GAMMA = 0.1
MOST_REAL = 1e6


class Settings:
    """The values of one section, by key."""

    def __init__(self) -> None:
        self._values: dict[str, float] = {key: preset for key, (preset, _) in KEYS.items()}

    def number(self, key: str) -> int:
        """Return the whole number of *key*."""
        return int(self._values[key])

    def has(self, key: str) -> bool:
        """Tell whether *key* is switched on."""
        return self._values[key] > 0 if key in ("lOffOnEnd",) else bool(self._values[key])

    def gamma(self, color: str, preset: float) -> float:
        """Return the exponent of *color*: gray, red, green or blue; 1.0 means the unit's own."""
        value = float(self._values[f"{color}Gamma"])
        return preset if value == 1.0 else max(LEAST_GAMMA, min(MOST_GAMMA, value))

    def offsets(self, source: str) -> tuple[int, int]:
        """Return by how many units x and y of *source* begin earlier."""
        kind = {TRANSPARENCY: "tpa", NEGATIVE: "neg"}.get(source, "pos")
        return self.number(f"{kind}OffX"), self.number(f"{kind}OffY")

    def white_y(self, source: str) -> int:
        """Return where the white strip of *source* is said to be, -1 for where the unit has it."""
        kind = {TRANSPARENCY: "tpa", NEGATIVE: "neg"}.get(source, "pos")
        return self.number(f"{kind}ShadingY")

    def take(self, words: list[str], where: str) -> None:
        """Take over the words behind ``option``; raises Invalid for a key that there is not."""
        key = words[0] if words else ""
        if key not in KEYS:
            raise errors.Invalid(f"{where}: there is no option {key!r}")
        if len(words) == 1:
            self._values[key] = KEYS[key][1]
            return
        self._values[key] = 0
        is_real = key.endswith("Gamma")
        try:
            self._values[key] = real(words[1]) if is_real else parse_int(words[1])
        except (errors.Invalid, ValueError) as exc:
            raise errors.Invalid(f"{where}: {words[1]!r} is no number: 0 is taken") from exc


def real(text: str) -> float:
    """Return the finite number that *text* is; raises ValueError."""
    value = float(text)
    if not abs(value) <= MOST_REAL:
        raise ValueError(text)
    return value


class Section:
    """One unit that is wanted. ids: vendor and product, None for any that is known."""

    __slots__ = ("device", "ids", "settings")

    def __init__(self, ids: tuple[int, int] | None = None) -> None:
        self.ids = ids
        self.device = ""
        self.settings = Settings()


def read_sections(lines: Iterable[Line], complain: list[str]) -> list[Section]:
    """Return the sections of *lines* that want a unit; *complain* gets what is wrong."""
    found = [Section()]
    for line in lines:
        words = line.tokens()
        where = line.where()
        try:
            if words[:1] == ["[usb]"]:
                found.append(Section(ids_of(words[1:], where)))
            elif words[:1] == ["option"]:
                found[-1].settings.take(words[1:], where)
            elif words[:1] == ["device"] and len(words) > 1:
                found[-1].device = words[1]
            else:
                complain.append(f"{where}: {line.text!r} is neither [usb], option nor device")
        except errors.Invalid as exc:
            complain.append(str(exc))
    return [section for section in found if section.device]


def ids_of(words: list[str], where: str) -> tuple[int, int] | None:
    """Return the ids of a section; raises Invalid for one alone, or what is none."""
    if not words:
        return None
    if len(words) < 2:
        raise errors.Invalid(f"{where}: [usb] wants a vendor and a product id, or none")
    vendor, product = parse_int(words[0]), parse_int(words[1])
    if not (0 <= vendor <= 0xFFFF and 0 <= product <= 0xFFFF):
        raise errors.Invalid(f"{where}: ids are 0 to 0xffff, not {' '.join(words[:2])}")
    return vendor, product


def without_file() -> list[Section]:
    """Return what is wanted where there is no plustek.conf: the first unit that is known."""
    section = Section()
    section.device = AUTO
    return [section]

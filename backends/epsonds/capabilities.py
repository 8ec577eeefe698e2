"""What a scanner says that it is and can do, from its answers to INFO and CAPA.

It reads tokens and asks nothing; whatever the tokens say, what comes out can be offered as an
option. Source: specification esci 4.3 and 4.4; table 5.2 by way of models.py.
"""

from __future__ import annotations

from ...const import MM_PER_INCH
from ...errors import DeviceIOError, Invalid
from ...option import Range
from .tokens import numbers, shown, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .tokens import Token

    Model = tuple[int, str, str, int]

FLATBED, FRONT, DUPLEX = "Flatbed", "ADF Front", "ADF Duplex"
BEDS = {"FB ": "flatbed", "ADF": "feeder"}
CENTRED = b"CNTR"
HUNDREDTHS = MM_PER_INCH / 100  # of an inch, in mm
LARGEST_AREA = 10_000  # 1/100 inch: 2.5 m, a lie beyond
RESOLUTIONS = range(1, 20_001)  # dpi that can be true
MOST_RESOLUTIONS = 256
FORMATS_LOOKED_AT = 2  # RAW counts only as one of the first two formats
FIELD_BYTES = 4


class Bed:
    """A bed: *width* and *height* in mm; centred: narrower scans lie in the middle."""

    def __init__(self) -> None:
        self.width = self.height = 0.0
        self.is_centred = False


class Capabilities:
    """One scanner: what it calls itself, its beds, and what it offers.

    model: the name shown. gamma: number of its tables in models.GAMMA. resolutions: a Range or a
    tuple. can: features of the feeder, as DPLX, SKEW, CRP, LOAD, EJCT.
    """

    def __init__(self, info: list[Token], capa: list[Token], models: list[Model]) -> None:
        self.wire_name = self.version = self.serial = ""
        self.beds: dict[str, Bed] = {}
        self.can: set[str] = set()
        self.has_raw = self.has_bits = False
        self.resolutions: Range | tuple[int, ...] = ()
        for code, value in info:
            self._note_info(code, value)
        for code, value in capa:
            self._note_capability(code, value)
        self._check()
        self.model, self.gamma = self.wire_name, 0
        for _product, name, wire_name, gamma in models:
            if (wire_name or name) == self.wire_name:
                self.model, self.gamma = name, gamma
                break
        self.model = printable(self.model) or "ESC/I-2 scanner"

    def _note_info(self, code: str, value: bytes) -> None:
        if code == "PRD":
            self.wire_name = text(value)
        elif code == "VER":
            self.version = text(value)
        elif code == "S/N":
            self.serial = text(value)
        elif code in BEDS:
            self._note_bed(self.beds.setdefault(code, Bed()), code, value)

    @staticmethod
    def _note_bed(bed: Bed, code: str, value: bytes) -> None:
        if value.startswith(b"AREA"):
            size = numbers(value[FIELD_BYTES:])
            if len(size) != 2 or not all(0 < length <= LARGEST_AREA for length in size):
                raise DeviceIOError(f"an impossible area of the {BEDS[code]}: {shown(value)}")
            bed.width, bed.height = (length * HUNDREDTHS for length in size)
        elif value.startswith(b"ALGN"):
            bed.is_centred = value[FIELD_BYTES:].startswith(CENTRED)

    def _note_capability(self, code: str, value: bytes) -> None:
        if code == "ADF" and value:
            self.can.add(value.decode("latin-1").strip())
        elif code == "FMT" and value.startswith(b"LIST"):
            self.has_raw = b"RAW " in fields(value)[1 : 1 + FORMATS_LOOKED_AT]
        elif code == "COL" and value.startswith(b"LIST"):
            self.has_bits = b"M001" in fields(value)[1:]
        elif code == "RSM":
            self.resolutions = resolutions(value)

    def _check(self) -> None:
        """Raise Invalid for what cannot be scanned with."""
        for code in [code for code, bed in self.beds.items() if not bed.width]:
            del self.beds[code]
        if not self.beds:
            raise Invalid(f"{self.wire_name!r} has neither flatbed nor feeder")
        if not self.resolutions:
            raise Invalid(f"{self.wire_name!r} names no resolution")

    @property
    def sources(self) -> tuple[str, ...]:
        """The values of the option source."""
        found = [FLATBED] if "FB " in self.beds else []
        if "ADF" in self.beds:
            found += [FRONT, DUPLEX] if "DPLX" in self.can else [FRONT]
        return tuple(found)

    def bed(self, source: str) -> Bed:
        """Return the bed of *source*."""
        return self.beds["FB " if source == FLATBED else "ADF"]


def fields(value: bytes) -> list[bytes]:
    """Return the fields of four letters that *value* consists of."""
    return [value[at : at + FIELD_BYTES] for at in range(0, len(value), FIELD_BYTES)]


def resolutions(value: bytes) -> Range | tuple[int, ...]:
    """Return the resolutions of RANG or LIST; raises DeviceIOError for absurd ones."""
    kind, found = value[:FIELD_BYTES], numbers(value[FIELD_BYTES:])
    if kind == b"RANG" and len(found) == 2 and all(dpi in RESOLUTIONS for dpi in found):
        low, high = found
        if low <= high:
            return Range(low, high, 1)
    if kind == b"LIST" and 0 < len(found) <= MOST_RESOLUTIONS:
        possible = tuple(dpi for dpi in found if dpi in RESOLUTIONS)
        if possible:
            return possible
    raise DeviceIOError(f"no resolutions in {shown(value)}")


def printable(name: str) -> str:
    """Return *name* as frontends take it: printable ASCII."""
    return "".join(char if char.isascii() and char.isprintable() else " " for char in name).strip()

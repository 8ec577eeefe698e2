"""The parameters of a scan as the block that PARA sends, and the geometry that they share.

From option values to bytes; no I/O. Source: specification esci 4.5, 2.11 and 4.9.
"""

from __future__ import annotations

from ...const import MM_PER_INCH
from . import models
from .capabilities import DUPLEX, FLATBED
from .tokens import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .capabilities import Bed, Capabilities

LINEART, GRAY, COLOR = "Lineart", "Gray", "Color"
IDENTITY = bytes(range(256))
BLOCK_BYTES, SMALL_BLOCK_BYTES = 1 << 20, 1 << 18
JPEG_QUALITY = 90
ALIGNMENT = 8  # pixels: a line of bits is whole bytes


class Geometry:
    """The scan area in pixels: width_px, lines, and left and top from the edge of the paper."""

    def __init__(self, area: tuple[float, float, float, float], dpi: int, bed: Bed) -> None:
        """Work it out for *area*, left, top, right, bottom in mm.

        As the original does, also where it loses a line: the bottom is cut to whole mm if it is
        less than the lines need.
        """
        left, top, right, bottom = area
        scale = dpi / MM_PER_INCH
        self.left, self.top = int(left * scale + 0.5), int(top * scale + 0.5)
        width = int((right - left) * scale + 0.5)
        self.lines = int((bottom - top) * scale + 0.5)
        if bottom * scale < self.top + self.lines:
            self.lines = int(int(bottom) * scale + 0.5 - self.top)
        self.width_px = width // ALIGNMENT * ALIGNMENT
        if bed.is_centred:
            self.left += (int(bed.width * scale + 0.5) - width) // 2


class ScanParameters:
    """What is asked of the scanner: values of the options, as they are when a scan begins."""

    def __init__(
        self,
        geometry: Geometry,
        *,
        source: str,
        mode: str,
        dpi: int,
        capabilities: Capabilities,
        skew: bool = False,
        crop: bool = False,
    ) -> None:
        self.geometry = geometry
        self.source = source
        self.mode = mode
        self.dpi = dpi
        self.capabilities = capabilities
        self.skew = skew
        self.crop = crop
        self.is_native_bits = mode == LINEART and capabilities.has_bits
        converted = mode == LINEART and not capabilities.has_bits
        self.is_jpeg = converted or (not capabilities.has_raw and not self.is_native_bits)

    def block(self) -> bytes:
        """Return the block for PARA."""
        geometry = self.geometry
        small = self.capabilities.model in models.SMALL_BLOCKS
        parts = [self._source(), self._color(), self._format()]
        parts.append("#GMMUG10" if self.mode == LINEART else "#GMMUG18")
        parts.append(f"#RSM{number(self.dpi)}#RSS{number(self.dpi)}")
        parts.append(f"#BSZi{SMALL_BLOCK_BYTES if small else BLOCK_BYTES:07d}")
        place = (geometry.left, geometry.top, geometry.width_px, geometry.lines)
        parts.append("#ACQ" + "".join(f"i{value:07d}" for value in place))
        return "".join(parts).encode("ascii") + self._gamma()

    def _source(self) -> str:
        if self.source == FLATBED:
            return "#FB "
        duplex = "DPLX" if self.source == DUPLEX else ""
        return f"#ADF{duplex}{'SKEW' if self.skew else ''}{'CRP ' if self.crop else ''}"

    def _color(self) -> str:
        if self.mode == COLOR:
            return "#COLC024"
        return "#COLM001" if self.is_native_bits else "#COLM008"

    def _format(self) -> str:
        if self.is_jpeg:
            return f"#FMTJPG #JPGd{JPEG_QUALITY:03d}"
        return "#FMTRAW " if self.capabilities.has_raw else ""

    def _gamma(self) -> bytes:
        """Return the gamma tables, and for colours the correction that goes with them."""
        tables = gamma_tables(self.capabilities.gamma)
        if self.mode == LINEART:
            return b"#GMTMONOh100" + IDENTITY
        if self.mode == GRAY:
            return b"#GMTMONOh100" + tables["MONO"]
        channels = (("RED ", "RED"), ("GRN ", "MONO"), ("BLU ", "BLU"))
        data = b"".join(b"#GMT%sh100%s" % (wire.encode(), tables[name]) for wire, name in channels)
        if self.capabilities.gamma:
            data += b"#CMXUM08h009" + models.COLOR_MATRIX
        return data


def gamma_tables(number: int) -> dict[str, bytes]:
    """Return the tables MONO, RED and BLU of *number*; an unknown one changes nothing."""
    given = models.GAMMA.get(number, {})
    known = {name: expand(*table) for name, table in given.items()}
    mono = known.get("MONO", IDENTITY)
    return {"MONO": mono, "RED": known.get("RED", mono), "BLU": known.get("BLU", mono)}


def expand(zeros: int, values: str, whites: int) -> bytes:
    """Return a table as models.GAMMA writes it."""
    return bytes(zeros) + bytes.fromhex(values) + b"\xff" * whites

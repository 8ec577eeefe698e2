"""What one scan is: its geometry, its blocks, and the bytes that set it up.

Arithmetic on option values and capabilities; no I/O. Source: specification esci 2.7, 2.8, 2.11,
2.12.
"""

from __future__ import annotations

import struct

from ...const import FRAME_GRAY, FRAME_RGB, MM_PER_INCH
from ...errors import Invalid
from ...param import Parameters
from . import models
from .matrix import matrix_bytes
from .options import BUILT_IN, COLOR, DROPOUTS, FILMS, HALFTONES, LINEART, NO_PROFILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .options import EpsonOptions

LARGE_BLOCK_BYTES = 1 << 16  # over the network, of the models that can
MOST_LINES, MOST_FILM_LINES, FEW_LINES, MANY_LINES = 255, 32, 3, 21
BYTE_COLOR, LINE_COLOR = 0x13, 0x02
WORD_LARGEST = 0xFFFF
PARAMETERS = struct.Struct("<6I6Bb4Bb3B25x")
GRAYS = {8: 8, 12: 16, 14: 16, 16: 16}  # bits per sample as they are delivered


class Plan:
    """One scan, from the options as they are now.

    left, top, width, lines: in pixels; the width is a multiple of 8. margin: lines that are asked
    for above and below, because the sensor's colours are so far apart. block_lines: 0 for blocks
    of one line with a shorter head.
    """

    def __init__(self, device: EpsonOptions, block_bytes: int) -> None:
        caps = device.caps
        self.device = device
        self.dpi = device.resolution
        self.left, self.top, self.width, self.lines = _area(device)
        if "landscape" in caps.quirks and caps.flatbed and caps.flatbed[0] > caps.flatbed[1]:
            self.lines *= 2
        self.bits = 1 if device.mode == LINEART else device.depth
        self.is_color = device.mode == COLOR
        by_bytes = caps.is_extended or caps.is_d or caps.level >= "B5"
        self.color = DROPOUTS[device.dropout]
        if self.is_color:
            self.color = BYTE_COLOR if by_bytes else LINE_COLOR
        self.margin = 0
        if self.is_color and self.bits == 8 and not caps.is_extended:
            self.margin = caps.distance * self.dpi // caps.optical
        self.block_lines = self._block_lines(block_bytes)

    @property
    def line_bytes(self) -> int:
        """The bytes of one line of the image."""
        if self.bits == 1:
            return self.width // 8
        return self.width * (3 if self.is_color else 1) * (1 if self.bits == 8 else 2)

    @property
    def block_bytes(self) -> int:
        """The bytes that a block of the image may have."""
        return self.line_bytes * max(1, self.block_lines)

    def _block_lines(self, block_bytes: int) -> int:
        """Return the lines of a block (2.12)."""
        caps = self.device.caps
        has_blocks = caps.level >= "B5" or (caps.level == "B4" and not self.is_color)
        if not has_blocks:
            return 1 if caps.is_extended else 0
        lines = block_bytes // max(1, self.line_bytes)
        if "many-lines" in caps.quirks and lines < FEW_LINES:
            lines = MANY_LINES
        with_film = caps.tpu is not None and self.device.is_option_used  # the feeder too
        lines = min(lines, MOST_FILM_LINES if with_film else MOST_LINES)
        if caps.is_d and lines % 2 and lines > FEW_LINES:
            lines -= 1
        return max(1, lines)

    def parameters(self) -> Parameters:
        """Return what a frontend is told: something legal, also where start refuses the area."""
        depth = 1 if self.bits == 1 else GRAYS[self.bits]
        frame = FRAME_RGB if self.is_color else FRAME_GRAY
        return Parameters(frame, max(8, self.width), max(1, self.lines), depth)

    def check(self) -> None:
        """Raise Invalid when there is nothing to scan."""
        if self.width < 1 or self.lines < 1:
            raise Invalid(f"an area of {self.width} x {self.lines} pixels at {self.dpi} dpi")

    # Bytes

    def block(self) -> bytes:
        """Return the parameters of FS W."""
        device = self.device
        return PARAMETERS.pack(
            *(self.dpi, self.dpi, self.left, self.top, self.width, self.lines),
            *(self.color, self.bits, self._option(), int(device.preview), self.block_lines),
            self._if_active("gamma_correction", device.gamma if device.has("Z") else 1, 1),
            self._if_active("brightness", device.brightness),
            int(device.color_correction != NO_PROFILE),
            self._if_active("halftoning", HALFTONES[device.halftoning]),
            device.threshold,
            self._if_active("auto_area_segmentation", int(device.auto_area_segmentation)),
            self._if_active("sharpness", device.sharpness),
            int(device.mirror),
            self._if_active("film_type", FILMS.index(device.film_type)),
            0,
        )

    def commands(self) -> list[tuple[str, bytes]]:
        """Return the single commands that do the same, in the order that scanners want (2.8)."""
        device = self.device
        signed = struct.Struct("b").pack
        found: list[tuple[str, bytes]] = []

        def add(letter: str, data: bytes, attribute: str = "") -> None:
            option = getattr(type(device), attribute) if attribute else None
            if device.has(letter) and (option is None or device.options.is_active(option)):
                found.append((letter, data))

        if device.caps.has_option:
            add("e", bytes((self._option(),)))
        add("C", bytes((self.color,)))
        add("D", bytes((self.bits,)))
        add("B", bytes((HALFTONES[device.halftoning],)), "halftoning")
        add("L", signed(device.brightness), "brightness")
        add("s", bytes((device.auto_area_segmentation,)), "auto_area_segmentation")
        add("N", bytes((FILMS.index(device.film_type),)), "film_type")
        add("Z", bytes((device.gamma if device.has("Z") else 1,)), "gamma_correction")
        add("t", bytes((device.threshold,)), "threshold")
        add("M", bytes((device.color_correction != NO_PROFILE,)), "color_correction")
        add("Q", signed(device.sharpness), "sharpness")
        add("g", bytes((device.preview,)))
        add("K", bytes((device.mirror,)), "mirror")
        top = max(0, self.top - self.margin)
        numbers = (self.dpi, self.left, top, self.width, self.lines + 2 * self.margin)
        if max(numbers) > WORD_LARGEST:
            raise Invalid(f"{numbers}: more than {WORD_LARGEST} dots, or dots per inch")
        add("R", struct.pack("<2H", self.dpi, self.dpi))
        add("A", struct.pack("<4H", *numbers[1:]))
        add("d", bytes((self.block_lines,)))
        return found

    def matrix(self) -> bytes | None:
        """Return the parameters of ESC m, None where the scanner's own colours are wanted."""
        device = self.device
        if device.color_correction == NO_PROFILE or not device.has("m"):
            return None
        if device.color_correction == BUILT_IN:
            return models.matrix(device.caps.name)
        return matrix_bytes(device.cct_profile)

    def gamma_tables(self) -> list[bytes]:
        """Return the parameters of three ESC z, [] where no table is applied."""
        device = self.device
        if not (device.is_user_gamma and device.has("z")):
            return []
        tables = (device.red_gamma_table, device.green_gamma_table, device.blue_gamma_table)
        return [b"RGB"[i : i + 1] + bytes(table) for i, table in enumerate(tables)]

    def _option(self) -> int:
        return self.device.option_control if self.device.caps.has_option else 0

    def _if_active(self, attribute: str, value: int, otherwise: int = 0) -> int:
        option = getattr(type(self.device), attribute)
        return value if self.device.options.is_active(option) else otherwise


def _area(device: EpsonOptions) -> tuple[int, int, int, int]:
    """Return left, top, width and lines in pixels (2.11).

    At the bottom a fraction of a millimetre is lost, as in the original: images are as long.
    """
    dpi: int = device.resolution

    def dots(mm: float) -> float:
        return mm / MM_PER_INCH * dpi

    left, top = int(dots(device.tl_x) + 0.5), int(dots(device.tl_y) + 0.5)
    width = int(dots(device.br_x - device.tl_x) + 0.5)
    lines = int(dots(device.br_y - device.tl_y) + 0.5)
    if dots(device.br_y) < top + lines:
        lines = int(dots(int(device.br_y)) + 0.5 - top)
    return left, top, width // 8 * 8, lines

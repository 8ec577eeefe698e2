"""What an emulated ESC/I scanner can do, and the replies that say so.

Source: specification esci 2.2 (levels), 2.4 (ESC f), 2.5 (FS I), 2.6 (FS F) and the catalogue.
"""

from __future__ import annotations

import struct

B2 = "IFSCGDRHALZB@"
B3 = B2 + "Mmfe"
B4 = B3 + "gdzQb"
B6 = B4 + "K"
B7 = B6 + "\f!sNt"
D1 = "IiFCGDRAZ@gdzf!t"
LEVELS = {  # the ESC commands of each level; FF and EM stand for themselves
    "A1": "IFSGRA",
    "A2": "IFSGDRHALZB@",
    "B1": "IFSCGDRAB@",
    "B2": B2,
    "B3": B3,
    "B4": B4,
    "B5": B6,
    "B6": B6,
    "B7": B7,
    "B8": B7 + "\x19pq",
    "F5": "IFSCGDRHALZM@gdKzQmfe\fNTP",
    "D1": D1,
    "D2": D1 + "eN",
    "D7": D1 + "eN\f",
    "D8": D1 + "eN\f",
}
WITH_IDENTITY = ("B7", "B8", "D1", "D2", "D7", "D8")  # FS I; the D levels answer it on the network

INSTALLED, ENABLED, ERROR, EMPTY, JAM, COVER = 0x80, 0x40, 0x20, 0x08, 0x04, 0x02
FATAL, NOT_READY, WARMING_UP = 0x80, 0x40, 0x02
STATUS_OPTION, STATUS_EXTENDED = 0x10, 0x02
PAGE_TYPE, DUPLEX, FIRST_SHEET, BUTTON = 0x20, 0x10, 0x08, 0x01
AUTO_FEED = 0x04
NAME_BYTES = 16


class Bed:
    """Something to scan from: its size in dots at the basic resolution, and its sensors."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.error = 0  # JAM, COVER: bits of the status byte

    @property
    def is_there(self) -> bool:
        """Whether the scanner has it at all."""
        return self.width > 0

    def status(self) -> int:
        """Return the status byte of an option unit."""
        if not self.is_there:
            return 0
        return INSTALLED | self.error | (ERROR if self.error else 0)


class Model:
    """The capabilities of one scanner; the preset is a B7 flatbed of A4, 1200 dpi.

    resolutions: what ESC I lists. basic, minimum, maximum: what FS I tells; beds are measured
    at *basic*. depth: the highest bits per sample. is_extended: it has the FS commands. option:
    an option unit is connected (status bit 4). distance: of the sensor's lines (D levels).
    """

    def __init__(
        self,
        level: str = "B7",
        name: str = "GT-EMU",
        *,
        resolutions: tuple[int, ...] = (50, 75, 100, 150, 200, 300, 400, 600, 1200),
        basic: int = 1200,
        minimum: int = 50,
        maximum: int = 1200,
        flatbed: tuple[int, int] = (10200, 14040),
        adf: tuple[int, int] = (0, 0),
        tpu: tuple[int, int] = (0, 0),
        tpu2: tuple[int, int] = (0, 0),
        depth: int = 16,
        is_extended: bool = True,
        is_duplex: bool = False,
        option: bool | None = None,
        has_button: bool = True,
        distance: int = 0,
        status_bytes: int = 42,
    ) -> None:
        self.level = level
        self.name = name
        self.resolutions = resolutions
        self.basic, self.minimum, self.maximum = basic, minimum, maximum
        self.flatbed, self.adf = Bed(*flatbed), Bed(*adf)
        self.tpu, self.tpu2 = Bed(*tpu), Bed(*tpu2)
        self.depth = depth
        self.is_extended = is_extended
        self.is_duplex = is_duplex
        self.option = (self.adf.is_there or self.tpu.is_there) if option is None else option
        self.has_button = has_button
        self.distance = distance
        self.status_bytes = status_bytes

    def has(self, command: str) -> bool:
        """Tell whether the level has the ESC command (or control byte) *command*."""
        return command in LEVELS.get(self.level, B3)

    def depths(self) -> set[int]:
        """Return the bits per sample that ESC D accepts."""
        return {1, 8} | {bits for bits in (12, 14, 16) if bits <= self.depth}

    def bed(self, option: int) -> Bed:
        """Return what an option control byte (ESC e) selects."""
        if option == 0:
            return self.flatbed
        if option == 5:
            return self.tpu2
        return self.tpu if option == 3 or not self.adf.is_there else self.adf

    # Replies

    def status(self) -> int:
        """Return the status byte of ESC F and of information blocks."""
        extended = STATUS_EXTENDED if self.is_extended else 0
        return extended | (STATUS_OPTION if self.option else 0)

    def identity(self) -> bytes:
        """Return the payload of ESC I; the area is in dots at the highest listed resolution."""
        records = b"".join(b"R" + struct.pack("<H", dpi) for dpi in self.resolutions)
        area = (self._listed(self.flatbed.width), self._listed(self.flatbed.height))
        return self.level.encode("ascii") + records + b"A" + struct.pack("<HH", *area)

    def hardware(self) -> bytes:
        """Return the payload of ESC i."""
        return struct.pack("<HHBB", self.basic, 0, self.distance, self.distance)

    def extended_status(self, main: int, adf: int) -> bytes:
        """Return the payload of ESC f; main: bits of byte 0, adf: bits of byte 1."""
        capabilities = (DUPLEX if self.is_duplex else 0) | (BUTTON if self.has_button else 0)
        data = struct.pack(
            "<BBHHBHHBHH",
            main | capabilities | (FIRST_SHEET if self.adf.is_there else 0),
            adf,
            *(self._listed(self.adf.width), self._listed(self.adf.height)),
            self.tpu.status(),
            *(self._listed(self.tpu.width), self._listed(self.tpu.height)),
            self.flatbed.error,
            *(self._listed(self.flatbed.width), self._listed(self.flatbed.height)),
        )
        data += bytes(10) + self.name.encode("ascii").ljust(NAME_BYTES)[:NAME_BYTES]
        return data[: self.status_bytes]

    def extended_identity(self) -> bytes:
        """Return the reply to FS I."""
        capabilities = (DUPLEX if self.is_duplex else 0) | (BUTTON if self.has_button else 0)
        sizes = [
            size for bed in (self.flatbed, self.adf, self.tpu) for size in (bed.width, bed.height)
        ]
        return (
            self.level.encode("ascii")
            + bytes(2)
            + struct.pack("<4I", self.basic, self.minimum, self.maximum, self.flatbed.width)
            + struct.pack("<6I", *sizes)
            + bytes((capabilities, AUTO_FEED if self.adf.is_there else 0))
            + self.name.encode("ascii").ljust(NAME_BYTES)[:NAME_BYTES]
            + b"1.00"
            + bytes((self.depth, self.depth))
            + struct.pack("<2I", self.tpu2.width, self.tpu2.height)
            + bytes(4)
        )

    def scanner_status(self, main: int, adf: int) -> bytes:
        """Return the reply to FS F; main: bits of byte 0, adf: bits of byte 1."""
        duplex = 0x01 if self.is_duplex and self.adf.is_there else 0
        head = bytes((main, adf | duplex, self.tpu.status(), self.flatbed.error))
        return head + bytes(12)

    def _listed(self, dots: int) -> int:
        """Return *dots* of the basic resolution as dots of the highest listed one."""
        return min(0xFFFF, dots * max(self.resolutions, default=self.basic) // self.basic)

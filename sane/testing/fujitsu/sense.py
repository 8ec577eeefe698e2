"""Sense data, and the answers that an emulated scanner gives instead of its own: faults.

Source: specification fujitsu 2.3 (what the codes mean) and 14 (what is worth to be injected).
"""

from __future__ import annotations

from dataclasses import dataclass

CHECK, BUSY = 0x02, 0x08  # SCSI status
END, SHORT = 0x40, 0x20  # EOM and ILI, in byte 2

NO_SENSE = (0, 0, 0)
JAM, COVER_OPEN, EMPTY, DOUBLE_FEED = (3, 0x80, 1), (3, 0x80, 2), (3, 0x80, 3), (3, 0x80, 7)
BAD_COMMAND, BAD_CDB, BAD_FIELD = (5, 0x20, 0), (5, 0x24, 0), (5, 0x26, 0)
SEQUENCE = (5, 0x2C, 0)

Code = tuple[int, int, int]


def sense(code: Code = NO_SENSE, flags: int = 0, information: int = 0, at: int = 0) -> bytes:
    """Return 18 bytes: *code* is key, ASC, ASCQ; *at* the offending byte of the data."""
    key, asc, ascq = code
    data = bytearray(18)
    data[0] = 0xF0
    data[2] = key | flags
    data[3:7] = information.to_bytes(4, "big")
    data[7] = 0x0A
    data[0x0C], data[0x0D] = asc, ascq
    if at:
        data[0x0F] = 0x80
        data[0x10:0x12] = at.to_bytes(2, "big")
    return bytes(data)


class Refused(Exception):
    """A command ends in CHECK CONDITION, with these sense data."""

    def __init__(self, code: Code, at: int = 0) -> None:
        super().__init__("{:X}/{:02X}/{:02X}".format(*code))
        self.sense = sense(code, at=at)


@dataclass(frozen=True)
class Answer:
    """What a command is answered with: Scanner.inject.

    sense: a code or 18 bytes, for CHECK CONDITION. status: the SCSI status (default: good, or
    CHECK CONDITION with *sense*). data: instead of the scanner's own data. size: of the data, that
    are cut to it. is_done: the command is carried out all the same; one with *data* or *size*
    always is. status_data: the whole status transfer.
    """

    sense: Code | bytes | None = None
    status: int | None = None
    data: bytes | None = None
    size: int | None = None
    is_done: bool = False
    status_data: bytes | None = None

    @property
    def carries_out(self) -> bool:
        """Whether the scanner does what the command says."""
        is_told = self.sense is not None or self.status is not None
        return self.is_done or self.data is not None or self.size is not None or not is_told

    def sense_data(self) -> bytes:
        """Return the sense data, b"" for none."""
        if self.sense is None or isinstance(self.sense, bytes):
            return self.sense or b""
        return sense(self.sense)

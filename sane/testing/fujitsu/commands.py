"""The commands of Fujitsu document scanners by number and name, and how a CDB is read.

Source: specification fujitsu 2.1 and 2.12.
"""

from __future__ import annotations

TEST_UNIT_READY, REQUEST_SENSE, INQUIRY = 0x00, 0x03, 0x12
MODE_SELECT, MODE_SENSE, SCAN = 0x15, 0x1A, 0x1B
READ_DIAGNOSTIC, SEND_DIAGNOSTIC, SET_WINDOW = 0x1C, 0x1D, 0x24
READ, SEND, OBJECT_POSITION = 0x28, 0x2A, 0x31
ENDORSER, HARDWARE_STATUS, SCANNER_CONTROL = 0xC1, 0xC2, 0xF1

IMAGE, PIXEL_SIZE = 0x00, 0x80  # types of READ
FEED, HALT = 0x01, 0x04  # of OBJECT POSITION
LUT, Q_TABLE, ENDORSER_TEXT = 0x83, 0x88, 0x90  # types of SEND

NAMES = {
    TEST_UNIT_READY: "test unit ready",
    REQUEST_SENSE: "request sense",
    INQUIRY: "inquiry",
    MODE_SELECT: "mode select",
    MODE_SENSE: "mode sense",
    SCAN: "scan",
    READ_DIAGNOSTIC: "read diagnostic",
    SEND_DIAGNOSTIC: "send diagnostic",
    SET_WINDOW: "set window",
    READ: "read",
    SEND: "send",
    OBJECT_POSITION: "object position",
    ENDORSER: "endorser",
    HARDWARE_STATUS: "hardware status",
    SCANNER_CONTROL: "scanner control",
}
KINDS = {  # a byte of the CDB tells commands apart: its place, and names by its value
    INQUIRY: (2, {0xF0: "page f0"}),
    READ: (2, {PIXEL_SIZE: "pixel size"}),
    SEND: (2, {LUT: "lut", Q_TABLE: "q-table", ENDORSER_TEXT: "endorser text"}),
    OBJECT_POSITION: (1, {FEED: "feed", HALT: "halt"}),
}
CONTROLS = {
    0x00: "feeder",
    0x01: "flatbed",
    0x2F: "card",
    0x05: "lamp",
    0x04: "cancel",
}
SOURCES = ("feeder", "flatbed", "card")
READY_FOR_READ = 0x10  # bit of [1] of SCANNER CONTROL

# Where the length of the data is: first byte and count of bytes.
OUT_LENGTHS = {
    MODE_SELECT: (4, 1),
    SCAN: (4, 1),
    SEND_DIAGNOSTIC: (3, 2),
    SET_WINDOW: (6, 3),
    SEND: (6, 3),
    ENDORSER: (7, 2),
}
IN_LENGTHS = {
    REQUEST_SENSE: (4, 1),
    INQUIRY: (3, 2),
    MODE_SENSE: (4, 1),
    READ_DIAGNOSTIC: (3, 2),
    READ: (6, 3),
    HARDWARE_STATUS: (7, 2),
}
SHORT_CDB_BYTES, LONG_CDB_BYTES = 6, 10


class Cdb:
    """One command descriptor block; *name* is what Scanner.inject and tests call it."""

    def __init__(self, data: bytes) -> None:
        self.operation = data[0]
        self.raw = data[: SHORT_CDB_BYTES if self.operation < 0x20 else LONG_CDB_BYTES]
        self.out_bytes = self._length(OUT_LENGTHS)
        self.in_bytes = self._length(IN_LENGTHS)
        self.name = self._name()

    def _length(self, places: dict[int, tuple[int, int]]) -> int:
        start, size = places.get(self.operation, (0, 0))
        return int.from_bytes(self.raw[start : start + size], "big")

    def _name(self) -> str:
        usual = NAMES.get(self.operation, f"{self.operation:02x}")
        if self.operation == SCANNER_CONTROL:
            if self.raw[1] & READY_FOR_READ:
                return "ready for read"
            return CONTROLS.get(self.raw[2] << 4 | self.raw[1] & 0x0F, usual)
        place, names = KINDS.get(self.operation, (0, {}))
        return names.get(self.raw[place], usual)

"""Emulated USB devices that hold dialogues: SCSI over bulk, and chips with registers."""

from __future__ import annotations

from sane.testing.usb import Endpoint, Interface, Setup, UsbDevice

BULK_IN, BULK_OUT = 0x81, 0x02
INQUIRY, READ, FEED, SENSE = 0x12, 0x28, 0x31, 0x03
STATUS_BYTES = 13


class ScsiScanner(UsbDevice):
    """Commands of 31 bytes; *sheets* are fed, and each has a page of 100 bytes."""

    vendor, product = 0x1209, 0x0011
    interfaces = (Interface((Endpoint(BULK_IN), Endpoint(BULK_OUT))),)

    def __init__(self, **changes: object) -> None:
        super().__init__(**changes)
        self.sheets = 1
        self.busy = 0
        self.page = b""
        self.sense = bytes(18)
        self.skips_data = False

    def load(self, sheets: int, busy: int = 0) -> None:
        """Fill the feeder; the next *busy* times it is too busy to feed."""
        self.sheets, self.busy = sheets, busy

    def leave_out_data(self) -> None:
        """Send a status in place of data from now on."""
        self.skips_data = True

    def on_out(self, endpoint: int, data: bytes) -> None:
        if len(data) != 31 or data[0] != 0x43:
            self.stall(BULK_OUT)
            return
        cdb = data[0x13:]
        if self.busy and cdb[0] == FEED:
            self.busy -= 1
            self._end(8)
            return
        answer, code = self._carry_out(cdb)
        if answer is not None and not (self.skips_data and cdb[0] == READ):
            self.send(BULK_IN, answer)
        self._end(code)

    def _carry_out(self, cdb: bytes) -> tuple[bytes | None, int]:
        """Return the data, None where there is no such phase, and the status."""
        if cdb[0] == INQUIRY:
            return b"PySANE".ljust(cdb[4]), 0
        if cdb[0] == SENSE:
            return self.sense, 0
        if cdb[0] == FEED:
            if not self.sheets:
                return self._refuse(None, 3, 0x80, 3)
            self.sheets -= 1
            self.page = bytes(range(100))
        if cdb[0] == READ:
            size = int.from_bytes(cdb[6:9], "big")
            part, self.page = self.page[:size], self.page[size:]
            if len(part) < size:
                return self._refuse(part, 0x60, 0, 0, size - len(part))
            return part, 0
        return None, 0

    def _refuse(
        self, data: bytes | None, key: int, asc: int, ascq: int, missing: int = 0
    ) -> tuple[bytes | None, int]:
        information = missing.to_bytes(4, "big")
        head = bytes((0xF0, 0, key)) + information + bytes((10, 0, 0, 0, 0))
        self.sense = head + bytes((asc, ascq, 0, 0, 0, 0))
        return data, 2

    def _end(self, code: int) -> None:
        self.send(BULK_IN, b"\x53" + bytes(8) + bytes((code,)) + bytes(3))


class BulkChip(UsbDevice):
    """Registers in bulk transfers with a header of four bytes; 02 counts how often it is read."""

    vendor, product = 0x1209, 0x0012
    interfaces = (Interface((Endpoint(BULK_IN), Endpoint(BULK_OUT))),)

    def __init__(self, **changes: object) -> None:
        super().__init__(**changes)
        self.registers = bytearray(0x80)
        self.uploaded = b""

    def on_out(self, endpoint: int, data: bytes) -> None:
        kind, address, size = data[0], data[1], int.from_bytes(data[2:4], "big")
        if kind & 1:
            self.registers[2] = (self.registers[2] + 1) & 0xFF
            image = bytes(value & 0xFF for value in range(size))
            part = bytes(self.registers[address : address + size]) if kind & 2 else image
            for at in range(0, size, 512):
                self.send(BULK_IN, part[at : at + 512])
        elif kind & 2:
            self.registers[address : address + size] = data[4:]
        else:
            self.uploaded += data[4:]
            self.registers[0x7F] = len(self.uploaded) & 0xFF


class ControlChip(UsbDevice):
    """Registers in vendor requests, and memory that is written and read in bulk."""

    vendor, product = 0x1209, 0x0013
    interfaces = (Interface((Endpoint(BULK_IN), Endpoint(BULK_OUT))),)

    def __init__(self, **changes: object) -> None:
        super().__init__(**changes)
        self.registers = bytearray(0x200)
        self.memory = b""

    def control(self, setup: Setup, data: bytes) -> bytes | None:
        page = setup.value & 0x100
        kind = (setup.request_type, setup.request, setup.value & 0xFF)
        if kind == (0x40, 4, 0x83):
            for at in range(0, len(data), 2):
                self.registers[page | data[at]] = data[at + 1]
            return b""
        if kind == (0xC0, 4, 0x8E):
            return bytes((self.registers[page | setup.index >> 8], 0x55))
        if kind == (0x40, 4, 0x82):
            size = int.from_bytes(data[4:8], "little")
            if setup.index:
                self.memory = b""
            else:
                part, self.memory = self.memory[:size], self.memory[size:]
                self.send(BULK_IN, part)
            return b""
        return None

    def on_out(self, endpoint: int, data: bytes) -> None:
        self.memory += data

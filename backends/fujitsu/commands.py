"""The commands: CDBs, and the data that go with the small ones.

Bytes only, no I/O. What is larger has a file of its own: window.py, modepages.py, tables.py.
Source: specification fujitsu 2.1, 2.4, 2.8 and 2.10 to 2.13.
"""

from __future__ import annotations

import struct

READY = bytes(6)
SENSE_BYTES, SERIAL_BYTES, STATUS_BYTES, SIZE_BYTES = 18, 10, 12, 32
MODE_PAGE_BYTES = 20
FRONT, BACK = 0x00, 0x80  # windows; a flatbed's is FRONT

# READ and SEND: data types.
IMAGE, PIXEL_SIZE, LUT, Q_TABLE, ENDORSER_TEXT = 0x00, 0x80, 0x83, 0x88, 0x90

# SCANNER CONTROL: functions.
USE_FEEDER, USE_FLATBED, USE_CARD = 0x00, 0x01, 0x2F
CANCEL, LAMP_ON = 0x04, 0x05

# OBJECT POSITION: actions.
FEED, HALT = 0x01, 0x04

DEVICE_ID = b"GET DEVICE ID   "
PRE_READ = b"SET PRE READMODE"
POWER_OFF = b"SET POWOFF TIME "
NEVER_OFF, OFF_STEP = 0x80, 15  # a flag; minutes


def inquiry(size: int) -> bytes:
    """Ask who it is."""
    return bytes((0x12, 0, 0, 0, size, 0))


def capability_page(size: int) -> bytes:
    """Ask what it can do."""
    return bytes((0x12, 1, 0xF0, 0, size, 0))


def request_sense() -> bytes:
    """Ask for sense data where they are status bits (M3091)."""
    return bytes((0x03, 0, 0, 0, SENSE_BYTES, 0))


def mode_sense(page: int) -> bytes:
    """Ask whether a mode page exists."""
    return bytes((0x1A, 0, page, 0, MODE_PAGE_BYTES, 0))


def mode_select(size: int) -> bytes:
    """Set a mode page that has *size* bytes with its head."""
    return bytes((0x15, 0x10, 0, 0, size, 0))


def scan(windows: bytes) -> bytes:
    """Begin to scan these windows, which are its data."""
    return bytes((0x1B, 0, 0, 0, len(windows), 0))


def read_diagnostic(size: int) -> bytes:
    """Read what the last diagnostic has found."""
    return struct.pack(">BBBHB", 0x1C, 0, 0, size, 0)


def send_diagnostic(size: int) -> bytes:
    """Ask for a diagnostic, by the text in its data."""
    return struct.pack(">BBBHB", 0x1D, 0, 0, size, 0)


def set_window(size: int) -> bytes:
    """Set the windows."""
    return bytes((0x24, 0, 0, 0, 0, 0)) + size.to_bytes(3, "big") + b"\0"


def read(kind: int, window: int, size: int) -> bytes:
    """Read *size* bytes of an image, or what else *kind* says."""
    return bytes((0x28, 0, kind, 0, 0, window)) + size.to_bytes(3, "big") + b"\0"


def send(kind: int, size: int) -> bytes:
    """Send a table."""
    return bytes((0x2A, 0, kind, 0, 0, 0)) + size.to_bytes(3, "big") + b"\0"


def object_position(action: int) -> bytes:
    """Move paper."""
    return bytes((0x31, action)) + bytes(8)


def endorser(size: int) -> bytes:
    """Set an endorser's counter."""
    return bytes((0xC1, 0, 0, 0, 0, 0, 0)) + size.to_bytes(2, "big") + b"\0"


def hardware_status() -> bytes:
    """Ask for sensors and buttons."""
    return bytes((0xC2, 0, 0, 0, 0, 0, 0, 0, STATUS_BYTES, 0))


def scanner_control(function: int) -> bytes:
    """Choose the source, switch the lamp, cancel."""
    return bytes((0xF1, function & 0x0F, function >> 4)) + bytes(7)


def ready_for_read(window: int, size: int) -> bytes:
    """Ask whether the first *size* bytes of a side are there."""
    return bytes((0xF1, 0x10, window, 0, 0, 0)) + size.to_bytes(3, "big") + b"\0"


def pre_read(resolution: int, width: int, length: int, composition: int) -> bytes:
    """Return the data that announce the paper's size, in u."""
    size = struct.pack(">HHII", resolution, resolution, width, length)
    return PRE_READ + size + bytes((composition, 0, 0, 0))


def power_off(minutes: int) -> bytes:
    """Return the data that set after how many minutes it switches off; 0 is never."""
    value = -(-minutes // OFF_STEP) if minutes else NEVER_OFF
    return POWER_OFF + bytes((value, 0))

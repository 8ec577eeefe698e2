"""What sense data mean: the family's codes, as statuses.

Source: specification fujitsu 1 and 2.3.
"""

from __future__ import annotations

from ...backend import ScsiRules, errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...usb.scsi import Code, Meaning

IO, INVALID, JAM = errors.DeviceIOError, errors.Invalid, errors.Jammed
VENDOR = 0x80  # the additional code of what is the family's own

SENSES: dict[Code, Meaning] = {
    (0x0, 0x00, 0x00): (None, "no sense"),
    (0x0, VENDOR, None): (None, "status bits"),  # M3091
    (0x0, None, None): (IO, "unknown sense code"),
    (0x1, None, None): (IO, "unknown sense key"),
    (0x2, 0x00, 0x00): (errors.DeviceBusy, "not ready"),
    (0x2, None, None): (IO, "not ready, unknown sense code"),
    (0x3, VENDOR, 0x01): (JAM, "paper jam"),
    (0x3, VENDOR, 0x02): (errors.CoverOpen, "cover open"),
    (0x3, VENDOR, 0x03): (errors.NoDocs, "hopper empty"),
    (0x3, VENDOR, 0x04): (JAM, "unusual paper"),
    (0x3, VENDOR, 0x07): (JAM, "double feed"),
    (0x3, VENDOR, 0x08): (JAM, "the feeder is set up wrong"),
    (0x3, VENDOR, 0x09): (JAM, "carrier sheet"),
    (0x3, VENDOR, 0x0C): (JAM, "the feeder is blocked by a card"),
    (0x3, VENDOR, 0x10): (IO, "no ink cartridge"),
    (0x3, VENDOR, 0x13): (errors.DeviceBusy, "temporarily no data"),
    (0x3, VENDOR, 0x14): (IO, "endorser failure"),
    (0x3, VENDOR, 0x20): (errors.NoDocs, "stop button"),
    (0x3, VENDOR, 0x22): (errors.Cancelled, "scan halted"),
    (0x3, VENDOR, 0x30): (errors.NoDocs, "not enough paper"),
    (0x3, VENDOR, 0x31): (IO, "scanning is disabled"),
    (0x3, VENDOR, 0x32): (errors.DeviceBusy, "scan paused"),
    (0x3, VENDOR, 0x33): (IO, "the scanner is in use over Wi-Fi"),
    (0x3, None, None): (IO, "medium error"),
    (0x4, 0x44, 0x00): (IO, "EEPROM failure"),
    (0x4, VENDOR, 0x01): (IO, "flatbed motor fuse"),
    (0x4, VENDOR, 0x02): (IO, "heater fuse"),
    (0x4, VENDOR, 0x03): (IO, "lamp fuse"),
    (0x4, VENDOR, 0x04): (IO, "feeder motor fuse"),
    (0x4, VENDOR, 0x05): (IO, "mechanical failure"),
    (0x4, VENDOR, 0x06): (IO, "optical failure"),
    (0x4, VENDOR, 0x07): (IO, "fan failure"),
    (0x4, VENDOR, 0x08): (IO, "image processing failure"),
    (0x4, VENDOR, 0x10): (IO, "endorser failure"),
    (0x4, VENDOR, 0x11): (IO, "endorser fuse"),
    (0x4, VENDOR, None): (IO, "interface board failure"),
    (0x4, None, None): (IO, "hardware error"),
    (0x5, 0x00, 0x00): (INVALID, "the edge of the paper was seen too early"),
    (0x5, 0x1A, 0x00): (INVALID, "wrong length of a parameter list"),
    (0x5, 0x20, 0x00): (INVALID, "unknown command"),
    (0x5, 0x24, 0x00): (INVALID, "wrong field in a command"),
    (0x5, 0x25, 0x00): (errors.Unsupported, "unknown logical unit"),
    (0x5, 0x26, 0x00): (INVALID, "wrong field in a parameter list"),
    (0x5, 0x2C, 0x00): (INVALID, "wrong sequence of commands"),
    (0x5, 0x2C, 0x02): (INVALID, "wrong combination of windows"),
    (0x5, None, None): (IO, "illegal request"),
    (0x6, 0x00, 0x00): (None, "the scanner was reset"),
    (0x6, VENDOR, 0x01): (None, "the scanner has left power saving"),
    (0x6, None, None): (IO, "unit attention"),
    (0xB, VENDOR, 0x03): (errors.NoMemory, "JPEG overflow"),
    (0xB, VENDOR, 0x01): (IO, "image transfer error"),
    (0xB, None, None): (IO, "bus error"),
}


class FujitsuRules(ScsiRules):
    """31 bytes with the CDB from 0x13 on, 13 bytes of status: what ScsiRules has anyway."""

    senses = SENSES

"""libusb's numbers as outcomes of a transfer.

Source: libusb-1.0 API documentation, enum libusb_error and enum libusb_transfer_status.
"""

from __future__ import annotations

from .link import BABBLE, CANCELLED, ERROR, OK, ONLY_EMPTY, STALL, TIMEOUT, UNPLUGGED

ERROR_IO, ERROR_ACCESS, ERROR_NO_DEVICE, ERROR_NOT_FOUND, ERROR_BUSY = -1, -3, -4, -5, -6

CODES = {
    0: OK,
    ERROR_NO_DEVICE: UNPLUGGED,
    -7: TIMEOUT,
    -8: BABBLE,
    -9: STALL,
}
CODE_NAMES = {
    -1: "input/output error",
    -2: "invalid parameter",
    -3: "permission denied",
    -4: "no such device",
    -5: "not found",
    -6: "busy",
    -7: "timed out",
    -8: "overflow",
    -9: "stalled",
    -10: "interrupted",
    -11: "no memory for the transfer (see usbcore.usbfs_memory_mb)",
    -12: "not supported",
    -99: "other error",
}
# By transfer status; the last is of our own streams (libusb_h.pxd).
STATUSES = (OK, ERROR, TIMEOUT, CANCELLED, STALL, UNPLUGGED, BABBLE, ONLY_EMPTY)


def of_code(code: int) -> str:
    """Return the outcome that libusb's return value means, an error with its reason."""
    return CODES.get(code) or f"{ERROR}: {CODE_NAMES.get(code, code)}"

"""Capture a USB bus as tcpdump does: python3 usbmon.py BUS FILE; until it is killed.

One packet a record, link type 220. Source: Linux Documentation/usb/usbmon.rst (MON_IOCX_GETX).
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct
import sys

GETX = 0x4018920A  # _IOW(0x92, 10, struct mon_get_arg)
RING_SIZE = 0x9204
HEADER = 64
SNAP = 1 << 18


class Get(ctypes.Structure):
    """struct mon_get_arg: where the header and the data go, and how much fits."""

    _fields_ = (("header", ctypes.c_void_p), ("data", ctypes.c_void_p), ("size", ctypes.c_size_t))


def main(bus: str, path: str) -> None:
    """Write what happens on *bus* to *path*."""
    monitor = os.open(f"/dev/usbmon{bus}", os.O_RDONLY)
    fcntl.ioctl(monitor, RING_SIZE, 1 << 20)
    header, data = ctypes.create_string_buffer(HEADER), ctypes.create_string_buffer(SNAP)
    get = Get(ctypes.addressof(header), ctypes.addressof(data), SNAP)
    with open(path, "wb", buffering=0) as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAP, 220))
        print("capturing", flush=True)
        while True:
            fcntl.ioctl(monitor, GETX, get)
            seconds, microseconds = struct.unpack_from("=qi", header.raw, 16)
            captured = struct.unpack_from("=I", header.raw, 36)[0]
            size = HEADER + captured
            head = struct.pack("<IIII", seconds & 0xFFFFFFFF, microseconds, size, size)
            file.write(head + header.raw + data.raw[:captured])


if __name__ == "__main__":
    main(*sys.argv[1:])

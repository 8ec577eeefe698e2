"""JPEG files of emulated scanners, made by libturbojpeg: the data that real devices send.

Source: the TurboJPEG API (turbojpeg.h, tjCompress2), called by ctypes: it needs no headers and
serves every Python.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache

LIBRARY = "libturbojpeg.so.0"
RGB, GRAY = 0, 6  # pixel formats
SAMPLINGS = {"444": 0, "422": 1, "420": 2}  # how far colour is reduced
GRAY_SAMPLING = 3


class Absent(Exception):
    """The library is not installed."""


@lru_cache(maxsize=1)
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError as exc:
        raise Absent(f"{LIBRARY} is not there: apt-get install libturbojpeg0") from exc
    library.tjInitCompress.restype = ctypes.c_void_p
    library.tjGetErrorStr.restype = ctypes.c_char_p
    return library


def is_there() -> bool:
    """Tell whether the library is installed."""
    try:
        _library()
    except Absent:
        return False
    return True


def compress(pixels: bytes, width: int, height: int, quality: int, sampling: str = "420") -> bytes:
    """Return *pixels* as a baseline JPEG: 3 bytes each are RGB, 1 byte each gray."""
    is_gray = len(pixels) == width * height
    if not is_gray and len(pixels) != 3 * width * height:
        raise ValueError(f"{len(pixels)} bytes are not {width} x {height} pixels")
    library = _library()
    handle = ctypes.c_void_p(library.tjInitCompress())
    target, size = ctypes.c_void_p(), ctypes.c_ulong()
    try:
        failed = library.tjCompress2(
            handle,
            pixels,
            width,
            0,
            height,
            GRAY if is_gray else RGB,
            ctypes.byref(target),
            ctypes.byref(size),
            GRAY_SAMPLING if is_gray else SAMPLINGS[sampling],
            quality,
            0,
        )
        if failed:
            raise ValueError(library.tjGetErrorStr().decode())
        return ctypes.string_at(target, size.value)
    finally:
        library.tjFree(target)
        library.tjDestroy(handle)

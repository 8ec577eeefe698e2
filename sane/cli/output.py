"""Where a scanned page goes: a PNG or PNM file, or stdout; refused before the scan if it cannot.

It knows files and image formats, and nothing of scanners. A file appears, or changes, when its
page is whole; a page that cannot be written is kept in another folder.
"""

from __future__ import annotations

import os
import stat
import struct
import sys
import tempfile
import zlib

from ..errors import SaneError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..param import Parameters

ENDINGS = (".png", ".pnm", ".pbm", ".pgm", ".ppm")
STDOUT = "-"


class Unwritable(Exception):
    """The page cannot go where it should; the text says why, and where it is."""


class Output:
    """The file *path*, or stdout for "-"; made before the scan, so that it is refused in time.

    Use it as a context manager: what is left of a page that did not come is removed.
    """

    def __init__(self, path: str) -> None:
        self.name = "stdout" if path == STDOUT else path
        self._is_png = path.lower().endswith(".png")
        self._path = os.path.realpath(path)
        self._temporary = ""
        self._overwrites = False
        try:
            self._fd = self._open(path)
        except OSError as exc:
            raise Unwritable(f"{self.name}: {exc.strerror}") from exc

    def __enter__(self) -> Output:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        if self._temporary:
            os.unlink(self._temporary)

    def _open(self, path: str) -> int:
        """Return a descriptor to write to: of a new file beside *path* if that is a plain one."""
        if path == STDOUT:
            if os.isatty(1):
                raise Unwritable("stdout is a terminal: an image would garble it; use -o FILE")
            return os.dup(1)
        try:
            mode = os.stat(path).st_mode
        except FileNotFoundError:
            mode = 0
        if stat.S_ISDIR(mode):
            raise Unwritable(f"{path}: is a directory")
        if mode and not stat.S_ISREG(mode):
            return os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        if not path.lower().endswith(ENDINGS):
            raise Unwritable(f"{path}: the name must end in one of {' '.join(ENDINGS)}")
        if mode and not os.access(path, os.W_OK):
            raise Unwritable(f"{path}: Permission denied")
        try:
            folder = os.path.dirname(self._path)
            fd, self._temporary = tempfile.mkstemp(prefix=".pysane-scan-", dir=folder)
        except PermissionError:
            if not mode:
                raise
            self._overwrites = True  # only the file itself is ours, not its folder
            return os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        os.fchmod(fd, stat.S_IMODE(mode) if mode else 0o666 & ~_umask())
        return fd

    def write(self, params: Parameters, data: bytes | bytearray) -> int:
        """Write the frame; return its lines. Raises Unwritable, with the place of the page."""
        rows = whole_rows(params, data)
        image = (png if self._is_png else pnm)(params, rows)
        try:
            self._put(image)
        except BrokenPipeError:
            raise
        except OSError as exc:
            ending = ".png" if self._is_png else ".pnm"
            raise Unwritable(f"{self.name}: {exc.strerror}; {_rescue(image, ending)}") from exc
        return len(rows)

    def _put(self, image: bytes) -> None:
        if self._overwrites:
            os.ftruncate(self._fd, 0)
        _write(self._fd, image)
        fd, self._fd = self._fd, -1
        os.close(fd)  # some file systems say only now that they are full
        if self._temporary:
            os.replace(self._temporary, self._path)
            self._temporary = ""


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _rescue(image: bytes, ending: str) -> str:
    """Keep the page in the folder for temporary files; return what has become of it."""
    path = ""
    try:
        fd, path = tempfile.mkstemp(ending, "pysane-scan-")
        with open(fd, "wb", buffering=0) as file:
            _write(file.fileno(), image)
    except OSError as exc:
        if path:
            os.unlink(path)
        return f"the page is lost: {tempfile.gettempdir()}: {exc.strerror}"
    return f"the page is kept in {path}"


def whole_rows(params: Parameters, data: bytes | bytearray) -> list[bytes]:
    """Return the whole lines of a frame without padding; raises SaneError if there is none."""
    size = params.bytes_per_line
    used = (params.pixels_per_line * params.channels * params.depth + 7) // 8
    if params.depth == 1:
        used = params.channels * ((params.pixels_per_line + 7) // 8)
    rows = [bytes(data[y : y + used]) for y in range(0, len(data) // size * size, size)]
    if not rows:
        raise SaneError("the scanner has sent no whole line")
    return rows


def png(params: Parameters, rows: list[bytes]) -> bytes:
    """Return a PNG file (RFC 2083): 16 bits in network order, 1 bit with 1 for white."""
    colour, depth = (2 if params.channels > 1 else 0), params.depth
    if depth == 1 and colour:
        rows, depth = [spread(row, params.pixels_per_line) for row in rows], 8
    elif depth == 1:
        rows = [row.translate(bytes(range(255, -1, -1))) for row in rows]
    elif depth > 8:
        rows = [big_endian(row) for row in rows]
    head = struct.pack(">IIBBBBB", params.pixels_per_line, len(rows), depth, colour, 0, 0, 0)
    packed = zlib.compress(b"".join(b"\0" + row for row in rows), 6)
    parts = ((b"IHDR", head), (b"IDAT", packed), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def pnm(params: Parameters, rows: list[bytes]) -> bytes:
    """Return a PNM file: PBM, PGM or PPM, 16 bits in network order."""
    kind, depth = ("P6" if params.channels > 1 else "P5"), params.depth
    most = f"{(1 << depth) - 1}\n"
    if depth == 1 and params.channels > 1:
        rows, most = [spread(row, params.pixels_per_line) for row in rows], "255\n"
    elif depth == 1:
        kind, most = "P4", ""  # 1 is black in both
    elif depth > 8:
        rows = [big_endian(row) for row in rows]
    return f"{kind}\n{params.pixels_per_line} {len(rows)}\n{most}".encode() + b"".join(rows)


def big_endian(row: bytes) -> bytes:
    """Return 16-bit samples of this machine in network order."""
    if sys.byteorder == "big":
        return row
    swapped = bytearray(row)
    swapped[::2], swapped[1::2] = row[1::2], row[::2]
    return bytes(swapped)


def spread(row: bytes, width: int) -> bytes:
    """Return a line of three bits a pixel as three bytes a pixel (standard 3.2.1)."""
    pixels = bytearray(3 * 8 * (len(row) // 3))
    for channel in range(3):
        for bit in range(8):
            values = (255 * (byte >> (7 - bit) & 1) for byte in row[channel::3])
            pixels[3 * bit + channel :: 24] = bytes(values)
    return bytes(pixels[: 3 * width])

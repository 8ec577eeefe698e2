"""What recording and replaying a device share: the file of a session, its lines, and differences.

A session is a text that can be read and cut with an editor: records begin at the start of a line,
their bytes follow in hexadecimal. What the words of a record mean is said by the session of each
kind (docs/usb-sessions.md, docs/net-sessions.md); this knows no device.
"""

from __future__ import annotations

import os
import time

from .errors import DeviceIOError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROW_BYTES = 32
SHOWN_BYTES = 16  # of each side, around the first difference
FILE_BYTES = 1 << 30  # a whole page at 1200 dpi, in hexadecimal; a larger file is a mistake


class BadSession(ValueError):
    """A file is no recorded session; the text names the file and the line."""


class Mismatch(Exception):
    """The driver does something else than the recording has."""


# Writing


class SessionFile:
    """Appends the lines of one process to *path*, record by record, each with one write.

    variable: the one that names the file, for messages. magic: the first line of such a file. The
    file is its owner's alone: it holds the page that was scanned. Raises DeviceIOError where it
    cannot be written; what was written before a crash is whole.
    """

    def __init__(self, path: str, variable: str, magic: str) -> None:
        self._magic = magic
        self._name = f"{variable}={path}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            self._fd = os.open(path, flags, 0o600)
        except OSError as exc:
            raise DeviceIOError(f"{self._name}: {exc.strerror}") from exc
        self._begin = time.monotonic()

    def begin(self, backend: str) -> None:
        """Write the head of a run."""
        when = time.strftime("%Y-%m-%d %H:%M:%S")
        head = [] if os.fstat(self._fd).st_size else [self._magic]
        self.write([*head, f"process {os.getpid()} at {when}, backend {backend}"])

    def seconds(self) -> float:
        """Return the seconds since the file was opened."""
        return time.monotonic() - self._begin

    def write(self, lines: Iterable[str]) -> None:
        """Append *lines* with one write."""
        data = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError as exc:
            raise DeviceIOError(f"{self._name}: {exc.strerror}") from exc

    def close(self) -> None:
        """Release the descriptor."""
        os.close(self._fd)


def hex_rows(data: bytes | memoryview) -> Iterator[str]:
    """Yield the lines that hold *data*: hexadecimal, then ``|`` and the ASCII characters."""
    width = 3 * min(len(data), ROW_BYTES) - 1
    for offset in range(0, len(data), ROW_BYTES):
        row = bytes(data[offset : offset + ROW_BYTES])
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        yield f"  {row.hex(' '):<{width}} |{text}|"


# Reading


class Block:
    """One record of a file: the *words* of its line, its *data*, and *where* it stands."""

    __slots__ = ("data", "line", "where")

    def __init__(self, line: str, where: str) -> None:
        self.line = line
        self.where = where
        self.data = b""

    @property
    def words(self) -> list[str]:
        """The words of its line."""
        return self.line.split()


def blocks(lines: Iterable[str], path: str, magic: str) -> Iterator[Block]:
    """Yield the records of a session; raises BadSession for what is none.

    A first line other than *magic*, data without a record, and data that are not hexadecimal are
    refused; comments and blank lines do not count.
    """
    block: Block | None = None
    data = bytearray()
    for number, line in enumerate(lines, 1):
        where = f"{path}:{number}"
        if number == 1 and line.strip() != magic:
            raise BadSession(f"{where}: {line.strip()!r}: this version reads only {magic!r}")
        if number == 1 or not line.strip() or line.startswith("#"):
            continue
        if line[0] not in " \t":
            if block is not None:
                block.data = bytes(data)
                yield block
            block, data = Block(line, where), bytearray()
        elif block is None:
            raise BadSession(f"{where}: data without a record")
        else:
            try:
                data += bytes.fromhex(line.partition("|")[0])
            except ValueError:
                raise BadSession(f"{where}: {line.strip()!r} is not hexadecimal") from None
    if block is not None:
        block.data = bytes(data)
        yield block


def read_file(path: str) -> bytes:
    """Return the content of *path*, unpacked if it is a gzip file; BadSession beyond a GiB."""
    with open(path, "rb") as file:
        data = file.read(FILE_BYTES + 1)
    if data.startswith(b"\x1f\x8b"):
        import zlib

        unpacker = zlib.decompressobj(wbits=31)
        try:
            data = unpacker.decompress(data, FILE_BYTES + 1)
        except zlib.error as exc:
            raise BadSession(f"{path}: {exc}") from exc
    if len(data) > FILE_BYTES:
        raise BadSession(f"{path}: more than {FILE_BYTES} bytes")
    return data


def difference(where: str, wanted: bytes, given: bytes, offset: int) -> str:
    """Return a text that shows where *given* differs from *wanted*."""
    pairs = zip(wanted, given, strict=False)
    first = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(wanted), len(given)))
    start = max(0, first - 4)
    shown = [part[start : start + SHOWN_BYTES].hex(" ") or "nothing" for part in (given, wanted)]
    return (
        f"{where}: byte {offset + first} differs: the driver sends {shown[0]} where the recording "
        f"has {shown[1]}"
    )

"""-T: reads of all sizes, to try a backend. Source: python-api-and-cli 11.8, c-abi-and-dll 6.1."""

from __future__ import annotations

from ...const import STATUS_IO_ERROR, STATUS_TEXTS
from .options import failed
from .reading import announce_size, frame_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...handle import Handle
    from ...param import Parameters
    from .messages import Messages
    from .reading import Scanner


class SelfTest:
    """Tries the open device."""

    def __init__(self, handle: Handle, scanner: Scanner, messages: Messages) -> None:
        self._handle = handle
        self._scanner = scanner
        self._messages = messages

    def run(self) -> int:
        """Read until a read fails or all sizes are tried; return the exit status."""
        status = self._scanner.start()
        if status:
            return status
        try:
            params = self._handle.parameters()
        except BaseException as exc:
            status = failed(self._handle, "parameters", exc)
            self._messages.say(f"sane_get_parameters: {STATUS_TEXTS[status]}")
            return status
        announce_size(params, self._messages)
        self._messages.say(f"acquiring {frame_name(params)} frame, {params.depth} bits/sample")
        for text, size in reads(params):
            self._messages.raw(f"{self._messages.name}: {text}")
            status = self._read(size)
            if status:
                return status
        return 0

    def _read(self, size: int) -> int:
        """Read once, at most *size* bytes; say how that went, and return the status."""
        with memoryview(bytearray(size)) as view:
            try:
                n = self._handle.read(view)
            except BaseException as exc:
                status = failed(self._handle, "read_into", exc)
                self._messages.raw(f"FAIL Error: {STATUS_TEXTS[status]}\n")
                return status
        if not n:
            self._messages.raw("FAIL No data\n")
            return STATUS_IO_ERROR
        self._messages.raw("PASS\n")
        return 0


def reads(params: Parameters) -> Iterator[tuple[str, int]]:
    """Yield what is said before each read, and its size."""
    line = params.bytes_per_line
    yield f"reading one scanline, {line} bytes...\t", line
    yield "reading one byte...\t\t", 1
    size = 2
    while size < 2 * line:
        yield f"stepped read, {size} bytes... \t", size
        size *= 2
    size = size // 2 - 1
    while size > 2:
        yield f"stepped read, {size} bytes... \t", size
        size = (size + 1) // 2 - 1

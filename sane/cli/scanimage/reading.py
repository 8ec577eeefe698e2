"""Scanning a page from the open device: frames, progress, and what -v tells.

It knows a Handle, and what is said when; what becomes of the bytes is page's business.
Source: python-api-and-cli 11.6; the calls and their order: c-abi-and-dll 6.1.
"""

from __future__ import annotations

import mmap

from ...const import (
    FRAME_BLUE,
    FRAME_RED,
    STATUS_CANCELLED,
    STATUS_EOF,
    STATUS_IO_ERROR,
    STATUS_TEXTS,
)
from .options import failed
from .page import BadPage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...handle import Handle
    from ...param import Parameters
    from .arguments import Settings
    from .interrupt import Interrupt
    from .messages import Messages
    from .page import Page

FRAMES = ("gray", "RGB", "red", "green", "blue")
PASSES = 3
BYTES = bytes(range(256))
END = STATUS_EOF  # what ends a page that is complete


class Levels:
    """The darkest and the brightest byte of a frame, as the original counts them.

    A byte that is the brightest so far is never the darkest: a frame of one level says 255.
    """

    def __init__(self) -> None:
        self.low, self.high = 255, 0

    def note(self, data: memoryview) -> None:
        """Look at the next bytes."""
        rest = bytes(data)
        while rest:
            above = rest.translate(None, BYTES[: self.high + 1]) if self.high < 255 else b""
            at = rest.index(above[0]) if above else len(rest)
            self._note_low(rest[:at].translate(None, BYTES[self.high :]) if self.low else b"")
            if above:
                self.high = above[0]
            rest = rest[at + 1 :]

    def _note_low(self, below: bytes) -> None:
        """Look at bytes that are below the brightest."""
        found = below.translate(None, BYTES[self.low :])
        if found:
            self.low = min(found)


class Scanner:
    """Reads pages from *handle* as *settings* say. interrupt: takes the signals, once it is set."""

    interrupt: Interrupt | None = None

    def __init__(self, handle: Handle, settings: Settings, messages: Messages) -> None:
        self._handle = handle
        self._settings = settings
        self._messages = messages
        self._buffer = memoryview(mmap.mmap(-1, settings.buffer_bytes))  # no memory until used
        self._total = 0

    def start(self) -> int:
        """Begin the next frame; return the status, which is told unless it is good."""
        try:
            self._handle.start()
        except BaseException as exc:
            status = failed(self._handle, "start", exc)
            self._messages.say(f"sane_start: {STATUS_TEXTS[status]}")
            return status
        self._take_signals()
        return 0

    def _take_signals(self) -> None:
        """Take the signals again: a C backend may have done so in its start or its reader."""
        if self.interrupt is not None:
            self.interrupt.install()

    def _parameters(self) -> Parameters | int:
        try:
            return self._handle.parameters()
        except BaseException as exc:
            status = failed(self._handle, "parameters", exc)
            self._messages.say(f"sane_get_parameters: {STATUS_TEXTS[status]}")
            return status

    def read(self, page: Page) -> int:
        """Read the page whose first frame was started into *page*; return the status it ends with.

        END for a page that is complete. Raises OSError when the file cannot be written.
        """
        self._total = 0
        is_first = True
        try:
            while True:
                params = self._parameters()
                if isinstance(params, int):
                    return params
                if self._settings.verbose:
                    self._announce(params, is_first)
                page.begin(params)
                status = self._frame(page, params)
                if status != END:
                    return status
                if params.last_frame:
                    break
                is_first = False
                status = self.start()
                if status:
                    return status
            page.end()
        except BadPage as exc:
            self._messages.say(str(exc))
            return STATUS_IO_ERROR
        self._conclude(params, page)
        return END

    def _announce(self, params: Parameters, is_first: bool) -> None:
        if is_first:
            announce_size(params, self._messages)
        self._messages.say(f"acquiring {frame_name(params)} frame")

    def _frame(self, page: Page, params: Parameters) -> int:
        """Read one frame; return the status that ended it."""
        settings = self._settings
        levels = Levels() if settings.verbose and params.depth == 8 else None
        expected = expected_bytes(params)
        before = self._total
        while True:
            status, n = 0, 0
            try:
                n = self._handle.read(self._buffer)
            except BaseException as exc:
                status = failed(self._handle, "read_into", exc)
            if self._total == before:
                self._take_signals()
            self._total += n
            if settings.progress:
                self._tell_progress(expected)
            if status:
                break
            data = self._buffer[:n]
            if levels is not None:
                levels.note(data)
            page.feed(data)
        if status == END and self._is_cut(expected):
            status = STATUS_CANCELLED
        if levels is not None:
            self._messages.say(f"min/max graylevel value = {levels.low}/{levels.high}")
        if status != END:
            self._messages.say(f"sane_read: {STATUS_TEXTS[status]}")
        return status

    def _is_cut(self, expected: int) -> bool:
        """Tell whether a cancel has ended the frame; some C backends call that its end."""
        is_whole = 0 <= expected <= self._total
        return not is_whole and self._handle.cancel_request.is_set()

    def _tell_progress(self, expected: int) -> None:
        if expected < 0:
            self._messages.raw("Progress: (unknown)\r")
        else:
            percent = min(100.0, 100.0 * self._total / expected) if expected else 100.0
            self._messages.raw(f"Progress: {percent:3.1f}%\r")

    def _conclude(self, params: Parameters, page: Page) -> None:
        if page.missing_lines:
            self._messages.say(
                f"the scanner has sent {page.missing_lines} lines too few; the rest is white"
            )
        if not self._settings.verbose:
            return
        self._messages.say(f"read {self._total} bytes in total")
        expected = expected_bytes(params)
        if 0 <= expected < self._total:
            self._messages.say(
                f"WARNING: read more data than announced by backend ({self._total}/{expected})"
            )


def announce_size(params: Parameters, messages: Messages) -> None:
    """Say how large the picture is going to be."""
    bits = params.depth * params.channels
    width = params.pixels_per_line
    if params.lines >= 0:
        text = f"of size {width}x{params.lines} pixels"
    else:
        text = f"{width} pixels wide and variable height"
    messages.say(f"scanning image {text} at {bits} bits/pixel")


def frame_name(params: Parameters) -> str:
    """Return what a frame is called."""
    return FRAMES[params.format] if 0 <= params.format < len(FRAMES) else "Unknown"


def expected_bytes(params: Parameters) -> int:
    """Return the bytes of the whole picture, -1 while its height is unknown."""
    if params.lines < 0:
        return -1
    passes = PASSES if FRAME_RED <= params.format <= FRAME_BLUE else 1
    return params.bytes_per_line * params.lines * passes

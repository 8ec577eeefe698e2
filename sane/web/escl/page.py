"""One page of a job: from the scanner through an encoder into its copy, while it is sent already.

Encoding and sending go on side by side: the loop waits for the scanner and sends, a thread takes
what has come and encodes it, without the GIL. It knows no HTTP. Source: specification escl 7.5
(1 to 8), 7.6.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from ... import const
from ..encoders import encode, encode_sent, in_file, needs_lines
from ..encoders.form import Form
from ..problems import Cancelled, ScanFailed, ScannerProblem
from .copy import PIECE_BYTES, Copy
from .tone import Tone

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from pathlib import Path

    from ..encoders.form import PageEncoder
    from ..facts import PageHead
    from ..held import Held
    from .settings import Ticket

    T = TypeVar("T")
    Rows = bytes | memoryview

FLUSH_SECONDS = 0.5
STEP_BYTES = 1 << 20  # of rows that are encoded before the client gets what became of them
PAGE_BYTES = 2 << 30  # of the encoded page
COPY_BYTES = 512 << 20  # of temporary files
MOST = f"{COPY_BYTES >> 20} MiB"
FILL_BYTES = 1 << 18  # of white or of kept rows at a time


class TooLong(ScanFailed):
    """A page is longer than what can be kept of it."""

    def __init__(self, text: str) -> None:
        super().__init__(const.STATUS_NO_MEM, text)


class Page:
    """A page that is being scanned, or was.

    form: of the picture, once it is whole. problem: why it ended too early. taken: how many of its
    bytes the client has. is_over: nothing more comes from the scanner.
    """

    def __init__(self, ticket: Ticket, folder: Path, threads: Executor) -> None:
        self.ticket = ticket
        self.form: Form | None = None
        self.problem: Exception | None = None
        self.taken = 0
        self.is_over = self.is_scanned = False
        self._folder = folder
        self._threads = threads
        self._copy = Copy(folder, COPY_BYTES)
        self._encoder: PageEncoder | None = None
        self._changed = asyncio.Event()
        self._flushed = 0.0

    # Sending

    @property
    def can_be_sent(self) -> bool:
        """Its first bytes are there, and they are good, or it has failed."""
        if self.problem is not None or self.is_over:
            return True
        waits = self._encoder is not None and self._encoder.waits
        return self._copy.end > 0 and not waits

    @property
    def is_kept(self) -> bool:
        """Its beginning is there: it can be sent again."""
        return self._copy.is_whole

    @property
    def size(self) -> int:
        """Bytes of the file; -1 while it grows."""
        return self._copy.end if self.is_over and self.problem is None else -1

    async def ready(self) -> None:
        """Wait until it can be sent; raises what went wrong before."""
        while not self.can_be_sent:
            await self._changed.wait()
        if self.problem is not None and not self.taken:
            raise self.problem

    def at_hand(self, position: int) -> bytes:
        """Return the bytes from *position* on that are there already, b"" if there are none."""
        self.taken = position
        return self._copy.read(position, PIECE_BYTES)

    async def more(self, position: int) -> bytes:
        """Return the next bytes from *position* on, b"" at the end; raises what went wrong."""
        while True:
            data = self.at_hand(position)
            if data:
                return data
            if self.problem is not None:
                raise self.problem
            if self.is_over:
                return b""
            self._tell()  # the writer may wait for this
            await self._changed.wait()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def close(self) -> None:
        """Drop the copy."""
        self._copy.close()

    # Scanning

    async def scan(self, held: Held, *, skips: bool = False) -> None:
        """Scan, encode and keep the page; how it ended stands in *problem*.

        skips: the side before it is scanned, too, and not wanted.
        """
        try:
            if skips:
                await held.start()
                while await held.read():
                    pass
            await self._scanned(held, await held.start())
        except ScannerProblem as exc:
            self.problem = exc
        except (OSError, EOFError) as exc:
            text = (
                f"the page cannot be kept: {exc.strerror or exc}"
                if isinstance(exc, OSError)
                else str(exc)
            )
            self.problem = ScanFailed(const.STATUS_NO_MEM, text)
        except ValueError as exc:
            self.problem = ScanFailed(const.STATUS_IO_ERROR, f"the page cannot be encoded: {exc}")
        except asyncio.CancelledError:
            self.problem = Cancelled("the job has ended")
            raise
        except Exception as exc:  # of ours: without a problem it would pass for a whole page
            text = f"{type(exc).__name__}: see the server's log"
            self.problem = ScanFailed(const.STATUS_IO_ERROR, text)
            raise
        finally:
            self.is_over = self.is_scanned = True
            self._tell()

    async def _scanned(self, held: Held, head: PageHead) -> None:
        lines = head.lines if head.lines > 0 else -1
        numbers = (head.width, lines, head.channels, head.depth, head.dpi_x, head.dpi_y)
        form = Form(*numbers)
        if head.encoded:
            return await self._passed(held, form)
        tone = Tone(self.ticket, form, head.bytes_per_line)
        if lines < 0 and needs_lines(self.ticket.format):
            return await self._buffered(held, form, tone)
        self._encoder = encode(self.ticket.format, tone.form, self.ticket.quality)
        size = tone.row_bytes * lines if lines > 0 else -1
        got = 0

        def step(data: Rows) -> bytes:
            """Encode *data* and what has come since, so that a fast scanner needs few steps."""
            nonlocal got
            out = []
            most = got + STEP_BYTES
            while data:
                data = data[: size - got] if size >= 0 else data
                got += len(data)
                out.append(self._encoded(tone.applied, data))
                data = held.at_hand() if got < most else b""
            return b"".join(out)

        while data := await self._read(held):
            await self._store(partial(step, data))
        self.is_scanned = True
        await self._filled(form, tone, size - got)
        await self._ended()
        lines = lines if lines > 0 else got // tone.row_bytes
        self.form = in_file(self.ticket.format, tone.form, lines)

    async def _read(self, held: Held) -> Rows:
        """Return what is read, and meanwhile give the client what is held back for long."""
        reading = asyncio.ensure_future(held.read())
        try:
            while not reading.done():
                await asyncio.wait({reading}, timeout=FLUSH_SECONDS)
                if not reading.done() and self._encoder is not None and self._copy.end:
                    await self._store(self._encoder.flush)
            return reading.result()
        finally:
            await _settled(reading)

    async def _filled(self, form: Form, tone: Tone, missing: int) -> None:
        """Let the rest of the page be white. Source: specification escl 7.5 (7)."""
        while missing > 0:
            white = bytes([form.white]) * min(missing, FILL_BYTES)
            await self._encode(tone.applied, white)
            missing -= len(white)

    async def _passed(self, held: Held, form: Form) -> None:
        """Pass the device's own JPEG on, or put it into a PDF; else it is not asked for."""
        self._encoder = encoder = encode_sent(self.ticket.format, form)
        if encoder is None:
            raise ValueError(f"the device's JPEG is no {self.ticket.format}")
        while data := await held.read():
            await self._encode(bytes, data)
        self.is_scanned = True
        await self._ended()
        self.form = encoder.form

    async def _buffered(self, held: Held, form: Form, tone: Tone) -> None:
        """Keep the rows until their number is known, which stands in the file's head."""
        rows = Copy(self._folder, COPY_BYTES)
        try:
            while data := await held.read():
                if await self._threaded(partial(rows.append, data)) < len(data):
                    raise rows.full or TooLong(f"a page of unknown length is longer than {MOST}")
            self.is_scanned = True
            lines = rows.end // tone.row_bytes
            if not lines:
                raise ScanFailed(const.STATUS_IO_ERROR, "the scanner sent a page without lines")
            form = tone.form.of_lines(lines)
            self._encoder = encode(self.ticket.format, form, self.ticket.quality)
            end = lines * tone.row_bytes
            for at in range(0, end, FILL_BYTES):
                data = rows.read(at, min(FILL_BYTES, end - at))
                await self._encode(tone.applied, data)
        finally:
            rows.close()
        await self._ended()
        self.form = in_file(self.ticket.format, form, lines)

    # Encoding

    async def _encode(self, tone: Callable[[Rows], Rows], rows: Rows) -> None:
        await self._store(partial(self._encoded, tone, rows))

    def _encoded(self, tone: Callable[[Rows], Rows], rows: Rows) -> bytes:
        encoder = self._encoder
        assert encoder is not None
        out = encoder.feed(tone(rows))
        now = time.monotonic()
        if out:
            self._flushed = now
        elif now - self._flushed > FLUSH_SECONDS:  # at once for the first rows
            self._flushed = now
            out = encoder.flush()
        return out

    async def _ended(self) -> None:
        encoder = self._encoder
        assert encoder is not None
        await self._store(encoder.end)
        for position, data in encoder.corrected():
            self._copy.write_over(position, data)

    async def _store(self, work: Callable[[], bytes]) -> None:
        """Do *work* in a thread and keep what it returns; without room wait for the client."""

        def kept() -> bytes:
            data = work()
            return data[self._copy.append(data) :]

        rest = await self._threaded(kept)
        if self._copy.end > PAGE_BYTES:
            raise TooLong(f"the page has more than {PAGE_BYTES >> 30} GiB")
        while True:
            self._tell()
            if not rest:
                return
            if self._encoder is not None and self._encoder.waits:
                raise self._copy.full or TooLong(f"a page that waits for its end has over {MOST}")
            while self.taken < self._copy.end:
                await self._changed.wait()
            self._copy.drop()
            rest = rest[await self._threaded(partial(self._copy.append, rest)) :]

    async def _threaded(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


async def _settled(reading: asyncio.Future[Rows]) -> None:
    """Wait for a read that nobody needs any more: the page has failed."""
    if not reading.done():
        reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)

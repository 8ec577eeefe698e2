"""The web server for tests: scanners that are made up, and the application around them.

    fake = FakeScanner(pages=2)
    web = app(scanners=[fake])           # an ASGI application; web.state.context has its parts
    async with await fake.acquire("test") as held: ...

A FakeScanner does what sane.web.scanners.Scanner does, without a process; what goes wrong is set on
it. Its pixels are page_bytes(): every test can tell what it should have got.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from sane.web import problems
from sane.web.config import ShareSettings
from sane.web.context import ShareContext
from sane.web.facts import (
    UNITS_PER_INCH,
    Capabilities,
    Mode,
    PageHead,
    ScanSettings,
    Source,
    Status,
)

UUID = "5a7e0000-0000-5000-8000-00000000000"  # and a digit
RESOLUTIONS = (75, 100, 150, 200, 300, 600)
MODES: tuple[Mode, ...] = ("color", "gray", "lineart")
LETTER_WIDTH, A4_HEIGHT = 2550, 3508
CHUNK_BYTES = 1 << 15


def source(id: Any = "platen", **facts: Any) -> Source:
    """Return a source that takes up to Letter's width and A4's height."""
    values = {"platen": "Flatbed", "adf": "Automatic Document Feeder", "adf-duplex": "ADF Duplex"}
    given: dict[str, Any] = {
        "value": values[id],
        "modes": MODES,
        "depths": (8, 16),
        "resolutions": RESOLUTIONS,
        "min_width": 16,
        "min_height": 16,
        "max_width": LETTER_WIDTH,
        "max_height": A4_HEIGHT,
    }
    return Source(id, **{**given, **facts})


def page_bytes(head: PageHead, number: int = 1) -> bytes:
    """Return the pixels of page *number* from 1: a gradient across, which each line shifts."""
    size = head.bytes_per_line
    double = bytes((7 * number + at) & 0xFF for at in range(size + 256))
    lines = head.lines if head.lines >= 0 else 100
    return b"".join(double[at % 256 : at % 256 + size] for at in range(lines))


class FakeScanner:
    """A scanner that is made up.

    pages: sheets in the feeder, or scans from the glass before failing with *ending*. busy: who
    has it. failing: what the next acquire, configure or start raises, by name of the call.
    breaking: after how many bytes of a page, and with what, a read fails. unknown: pages do not
    tell their height. jpeg: what it sends if asked for encoded pages. gate: reads wait until it is
    set, as the end of a job does for closing. padding: bytes behind each row.
    """

    def __init__(
        self,
        number: int = 1,
        *,
        sources: Sequence[Source] = (source(), source("adf"), source("adf-duplex")),
        pages: int = 1,
        vendor: str = "Noname",
        model: str = "frontend-tester",
        **capabilities: Any,
    ) -> None:
        self.id = f"{UUID}{number}"
        self.device = f"test:{number - 1}"
        self.backend = "test"
        self.vendor, self.model, self.type = vendor, model, "virtual device"
        self.serial = ""
        self.title = f"{vendor} {model}" + (f" ({number})" if number > 1 else "")
        self.capabilities = Capabilities(tuple(sources), **capabilities)
        feeder: Any = "loaded" if self.capabilities.has_feeder else None
        self.status = Status(feeder=feeder)
        self.pages = pages
        self.failing: dict[str, BaseException] = {}
        self.breaking: tuple[int, BaseException] | None = None
        self.unknown = False
        self.jpeg = b""
        self.gate, self.closing = asyncio.Event(), asyncio.Event()
        self.gate.set()
        self.closing.set()
        self.padding = 0
        self.tells_conditions = False
        self.held: FakeHeld | None = None
        self.opened = 0
        self.pressed: list[str] = []
        self.told: list[Callable[[], None]] = []

    @property
    def poll_buttons(self) -> bool:
        """The buttons may be asked."""
        return True

    def raise_if_failing(self, call: str) -> None:
        """Raise what this *call* is to raise, once."""
        problem = self.failing.pop(call, None)
        if problem is not None:
            raise problem

    async def acquire(
        self, owner: str, replace: Callable[[], Awaitable[None]] | None = None
    ) -> FakeHeld:
        """Return the scanner opened."""
        return await FakeHeld(self, owner, replace).open()

    async def poll(self, *, buttons: bool = False) -> list[str]:
        """Return the buttons pressed since the last call."""
        self.raise_if_failing("poll")
        if not buttons:
            return []
        pressed, self.pressed = self.pressed, []
        return pressed


class FakeHeld:
    """A FakeScanner that is open."""

    def __init__(self, scanner: FakeScanner, owner: str, replace: Any) -> None:
        self.scanner = scanner
        self.owner = owner
        self.settings = ScanSettings(width=LETTER_WIDTH, height=A4_HEIGHT)
        self.head: PageHead | None = None
        self.number = 0
        self._left = b""
        self._read = 0
        self._cancelled = False
        self._replace = replace

    async def open(self) -> FakeHeld:
        """Take the scanner."""
        scanner = self.scanner
        if scanner.held is not None and self._replace is not None:
            await self._replace()
        scanner.raise_if_failing("acquire")
        if scanner.held is not None:
            raise problems.Busy(scanner.held.owner)
        if scanner.status.state == "busy":
            raise problems.Busy(scanner.status.holder)
        scanner.held = self
        scanner.opened += 1
        scanner.status = replace(scanner.status, state="scanning", problem="")
        return self

    async def __aenter__(self) -> FakeHeld:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close()

    async def configure(self, wanted: ScanSettings) -> ScanSettings:
        """Round to what the source has."""
        self.scanner.raise_if_failing("configure")
        try:
            found = self.scanner.capabilities.source(wanted.source)
        except KeyError:
            raise problems.Refused("source", f"there is no source {wanted.source}") from None
        if wanted.mode not in found.modes:
            raise problems.Refused("mode", f"there is no mode {wanted.mode}")
        dpi = min(found.resolutions, key=lambda each: abs(each - wanted.dpi))
        width = min(wanted.width or found.max_width, found.max_width - wanted.left)
        height = min(wanted.height or found.max_height, found.max_height - wanted.top)
        encoded = wanted.encoded and bool(self.scanner.jpeg)
        depth = 1 if wanted.mode == "lineart" else wanted.depth
        self.settings = replace(
            wanted, dpi=dpi, width=width, height=height, encoded=encoded, depth=depth
        )
        return self.settings

    async def start(self) -> PageHead:
        """Begin the next page."""
        await asyncio.sleep(0)
        self.scanner.raise_if_failing("start")
        if self.settings.source != "platen" and self.number >= self.scanner.pages:
            self.scanner.status = replace(self.scanner.status, problem="no-documents")
            raise problems.NoDocuments("the feeder is empty")
        self.number += 1
        self._read = 0
        self._cancelled = False
        wanted = self.settings
        width = max(1, wanted.width * wanted.dpi // UNITS_PER_INCH)
        lines = max(1, wanted.height * wanted.dpi // UNITS_PER_INCH)
        channels = 3 if wanted.mode == "color" else 1
        size = (width * channels * wanted.depth + 7) // 8 + self.scanner.padding
        numbers = (width, lines, wanted.depth, channels, size, wanted.dpi, wanted.dpi)
        head = PageHead(*numbers, encoded="image/jpeg" if wanted.encoded else "")
        self._left = self.scanner.jpeg if wanted.encoded else page_bytes(head, self.number)
        self.head = replace(head, lines=-1) if self.scanner.unknown else head
        return self.head

    async def read(self) -> bytes:
        """Return the next bytes of the page."""
        await self.scanner.gate.wait()
        await asyncio.sleep(0)
        if self._cancelled:
            raise problems.Cancelled("the scan was cancelled")
        breaking = self.scanner.breaking
        if breaking is not None and self._read >= breaking[0]:
            raise breaking[1]
        data, self._left = self._left[:CHUNK_BYTES], self._left[CHUNK_BYTES:]
        self._read += len(data)
        return data

    def at_hand(self) -> bytes:
        """Return nothing: all comes by read()."""
        return b""

    async def cancel(self) -> None:
        """End the job."""
        self._cancelled = True
        self.scanner.gate.set()

    async def close(self) -> None:
        """Free the scanner."""
        scanner = self.scanner
        await scanner.closing.wait()
        if scanner.held is self:
            scanner.held = None
            scanner.status = replace(scanner.status, state="idle")


class FakeScanners:
    """A list of FakeScanners that a test changes; changes are told as the real ones are."""

    def __init__(self, scanners: Sequence[FakeScanner] = ()) -> None:
        self.list = list(scanners)
        self.refreshed = 0
        self.is_listed = True
        self.coming: list[FakeScanner] = []  # listed, and not opened yet
        self._callbacks: list[Callable[[str, Any], None]] = []

    def __iter__(self) -> Iterator[FakeScanner]:
        return iter(self.list)

    def first(self) -> FakeScanner | None:
        """Return the first."""
        return next(iter(self.list), None)

    def find(self, id: str) -> FakeScanner:
        """Return the scanner with this id."""
        for scanner in self.list:
            if scanner.id == id:
                return scanner
        raise KeyError(id)

    async def looked(self) -> bool:
        """Tell whether there was a list."""
        return self.is_listed

    def unopened(self) -> list[FakeScanner]:
        """Return what could not be opened."""
        return self.coming

    async def refresh(self) -> None:
        """Count."""
        self.refreshed += 1

    def subscribe(self, callback: Callable[[str, Any], None]) -> None:
        """Have *callback* told of what tell() tells."""
        self._callbacks.append(callback)

    def tell(self, kind: str, scanner: FakeScanner) -> None:
        """Tell everybody of "added", "removed" or "changed"."""
        for callback in self._callbacks:
            callback(kind, scanner)


def context(
    scanners: Sequence[Any] = (),
    settings: ShareSettings | None = None,
    state: Path | None = None,
    **rest: Any,
) -> ShareContext:
    """Return a context with made-up scanners; *state* is a new folder unless given."""
    folder = state or Path(tempfile.mkdtemp(prefix="pysane-web-"))
    fakes: Any = FakeScanners(scanners)
    log = logging.getLogger("pysane.share")
    return ShareContext(settings or ShareSettings(), fakes, folder, log, **rest)


def app(
    scanners: Sequence[Any] = (),
    settings: ShareSettings | None = None,
    state: Path | None = None,
    **rest: Any,
) -> Any:
    """Return the ASGI application, without sockets and guard, on made-up scanners."""
    from sane.web.main import application

    return application(context(scanners, settings, state, **rest))

"""A scanner that is open in a worker for one job: settings, pages, cancel, and its end.

It knows SANE's requests and the server's facts; who may hold a scanner is known by scanner.py.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import const
from ..errors import text_of
from ..wire import messages, private
from . import probe
from .facts import Capabilities, PageHead, ScanSettings
from .finishing import finished
from .frames import COLORS, FrameReader, Planes, check_colors
from .options import DeviceOptions
from .problems import (
    Busy,
    Cancelled,
    CoverOpen,
    Jammed,
    NoDocuments,
    Refused,
    ScanFailed,
    ScannerProblem,
    Unreachable,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from types import TracebackType

    from .process import WorkerProcess

JPEG = "image/jpeg"
CANCEL_SECONDS = 5.0
EDGE = 1  # unit of 1/300 inch by which an area may stick out of the bed, for rounding


class Held:
    """The device *name*, open in *worker* as *handle*.

    capabilities: None while they are being found out. always: options that the configuration sets.
    ended: called with what the job met last, None for nothing, when the scanner is free again.
    """

    def __init__(
        self,
        worker: WorkerProcess,
        handle: int,
        name: str,
        *,
        capabilities: Capabilities | None = None,
        always: Mapping[str, Any] | None = None,
        start_seconds: float = 120.0,
        ended: Callable[[ScannerProblem | None], Awaitable[None]] | None = None,
    ) -> None:
        self.options = DeviceOptions(worker, handle)
        self.problem: ScannerProblem | None = None
        self._worker = worker
        self._handle = handle
        self._name = name
        self._capabilities = capabilities
        self._always = dict(always or {})
        self._start_seconds = start_seconds
        self._ended = ended
        self._frame: FrameReader | None = None
        self._planes: Planes | None = None
        self._color = const.FRAME_RGB
        self._wants_encoded = False
        self._is_cancelled = self._is_closed = False

    @classmethod
    async def open(cls, worker: WorkerProcess, name: str, **rest: Any) -> Held:
        """Open the device; raises Busy, Unreachable, ScanFailed."""
        seconds = rest.get("start_seconds", 120.0)  # some drivers calibrate when they open
        reply = await worker.call(messages.Open(name), seconds)
        if reply.status:
            raise problem_of(reply.status, f"{name} cannot be opened")
        held = cls(worker, reply.handle, name, **rest)
        await held.options.fetch()
        return held

    async def __aenter__(self) -> Held:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close()

    # Settings

    async def configure(self, wanted: ScanSettings) -> ScanSettings:
        """Set all of it; return what was really set. Raises Refused, which names the option."""
        with self._noted():
            return await self._configure(wanted)

    async def _configure(self, wanted: ScanSettings) -> ScanSettings:
        assert self._capabilities is not None
        options = self.options
        try:
            source = self._capabilities.source(wanted.source)
        except KeyError:
            raise Refused("source", f"the scanner has no source {wanted.source}") from None
        extra = {**self._always, **wanted.extra}
        for name, value in extra.items():
            if options.is_usable(name):  # others become active by mode or source
                await options.set(name, value)
        if source.value:
            await options.set("source", source.value)
        for name, switch in source.switches.items():
            await options.set(name, switch)
        depth = await self._set_mode(wanted)
        for name in probe.resolution_names(options):
            await options.set(name, options.nearest(name, wanted.dpi))
        for name, value in extra.items():
            if await options.get(name) != value:
                await options.set(name, value)
        await self._set_area(wanted)
        return await self._taken(wanted, depth)

    async def _set_mode(self, wanted: ScanSettings) -> int:
        """Set mode and depth; return the depth."""
        assert self._capabilities is not None
        options, words = self.options, self._capabilities.mode_values
        modes = self._capabilities.source(wanted.source).modes
        if wanted.mode not in modes:
            raise Refused("mode", f"the scanner has no mode {wanted.mode}: {', '.join(modes)}")
        word = words.get(wanted.mode) or words.get("gray")
        if word is not None:
            await options.set("mode", word)
        depth = 1 if wanted.mode == "lineart" else wanted.depth
        if not options.is_usable("depth"):
            if depth > 8:
                raise Refused("depth", f"the scanner has no depth of {depth} bits")
            return depth
        if depth > 1 or wanted.mode not in words:
            if options.nearest("depth", depth) != depth:
                raise Refused("depth", f"the scanner has no depth of {depth} bits")
            await options.set("depth", depth)
        return depth

    async def _set_area(self, wanted: ScanSettings) -> None:
        """Set the corners, the far ones to their ends first, so that none meets another."""
        options = self.options
        if not all(options.is_usable(name) for name in probe.CORNERS):
            return
        await probe.spread_pages(options)
        left, top, right, bottom, _, _ = await probe.area_units(options)
        width = wanted.width or right - left - wanted.left
        height = wanted.height or bottom - top - wanted.top
        ends = {
            "tl-x": left + wanted.left,
            "tl-y": top + wanted.top,
            "br-x": left + wanted.left + width,
            "br-y": top + wanted.top + height,
        }
        if ends["tl-x"] > right - EDGE or ends["tl-y"] > bottom - EDGE or width < 1 or height < 1:
            raise Refused("area", "the area lies outside what the scanner can scan")
        for name, end in (("br-x", right), ("br-y", bottom)):
            await self._set_length(name, end)
        for name in probe.CORNERS:
            await self._set_length(name, ends[name])

    async def _set_length(self, name: str, units: int) -> None:
        value = units / await probe.units_per(self.options, name)
        await self.options.set(name, self.options.nearest(name, value))

    async def _taken(self, wanted: ScanSettings, depth: int) -> ScanSettings:
        """Return what the options say now."""
        assert self._capabilities is not None
        options = self.options
        x, _ = await self._dots()
        taken = replace(wanted, depth=depth, dpi=x or wanted.dpi)
        can_encode = JPEG in self._capabilities.encoded and wanted.mode != "lineart"
        self._wants_encoded = wanted.encoded and can_encode and depth == 8
        taken = replace(taken, encoded=self._wants_encoded)
        if all(name in options for name in probe.CORNERS):
            left, top, _, _, _, _ = await probe.area_units(options)
            ends = []
            for name in probe.CORNERS:
                scale = await probe.units_per(options, name)
                ends.append(round(await options.get(name) * scale))
            width, height = ends[2] - ends[0], ends[3] - ends[1]
            taken = replace(
                taken, left=ends[0] - left, top=ends[1] - top, width=width, height=height
            )
        return taken

    async def _dots(self) -> tuple[int, int]:
        """Return the resolution in both directions, 0 if the device does not tell."""
        names = probe.resolution_names(self.options)
        found = [round(await self.options.get(name)) for name in names]
        return (found[0], found[-1]) if found else (0, 0)

    # A page

    async def start(self) -> PageHead:
        """Begin the next page; raises what stands in its way."""
        with self._noted():
            self._leave_frame()
            mime = JPEG if self._wants_encoded else ""
            x, y = await self._dots()  # before: some drivers tell nothing during a page
            parameters = await self._start_frame(mime)
            size, channels = parameters.bytes_per_line, 1
            if not mime and parameters.format in COLORS:
                parameters = await self._collect(parameters)
                self._color = parameters.format
                size, channels = 3 * parameters.bytes_per_line, 3
            elif parameters.format == const.FRAME_RGB:
                channels = 3
            return PageHead(
                parameters.pixels_per_line,
                parameters.lines,
                parameters.depth,
                channels,
                size,
                x or probe.DEFAULT_DPI,
                y or probe.DEFAULT_DPI,
                mime,
            )

    async def _start_frame(self, mime: str) -> Any:
        """Begin a frame; return its parameters."""
        request = private.StartPage(self._handle, mime) if mime else messages.Start(self._handle)
        reply = await self._worker.call(request, self._start_seconds)
        if self._is_cancelled:
            raise Cancelled("the scan was cancelled")
        if reply.status:
            raise problem_of(reply.status, f"{self._name} does not scan")
        self._frame = FrameReader(await self._worker.data_socket(reply.port))
        found = await self._worker.call(messages.GetParameters(self._handle))
        if found.status:
            raise problem_of(found.status, f"{self._name} says nothing of its page")
        return found.parameters

    async def _collect(self, parameters: Any) -> Any:
        """Read two colours of three and begin the last; return the parameters of that."""
        size = 2 if parameters.depth > 8 else 1
        planes = self._planes = Planes(size)
        formats = [parameters.format]
        for _ in range(2):
            file = planes.keep(parameters.format)
            while data := await self._read_frame():
                file.write(data)
            parameters = await self._start_frame("")
            formats.append(parameters.format)
        check_colors(formats)
        planes.rewind()
        return parameters

    async def read(self) -> bytes | memoryview:
        """Return the next bytes of the page, b"" at its end; raises as start does.

        They are lent until more are read.
        """
        with self._noted():
            while True:
                data = await self._read_frame()
                if not data or self._planes is None:
                    return data
                joined = self._planes.joined(self._color, data)
                if joined:
                    return joined

    def at_hand(self) -> bytes | memoryview:
        """Return bytes of the page that have come already; b"" leaves all else to read().

        They are lent until more are read. It may be called in any thread, but not beside read().
        """
        frame = self._frame
        if frame is None or self._planes is not None:
            return b""
        try:
            return frame.at_hand()
        except Unreachable:
            return b""  # read() meets it again

    async def _read_frame(self) -> bytes | memoryview:
        frame = self._frame
        if frame is None:
            if self._is_cancelled:
                raise Cancelled("the scan was cancelled")
            return b""
        try:
            data = await frame.read()
        except Unreachable as exc:
            if self._is_cancelled:
                raise Cancelled("the scan was cancelled") from exc
            lost = await self._worker.lost(str(exc))
            self._worker.kill()
            raise lost from exc
        if frame.status not in (None, const.STATUS_EOF):
            raise problem_of(frame.status or 0, f"{self._name} stopped in mid-page")
        if not data:
            self._leave_frame()
        return data

    def _leave_frame(self) -> None:
        frame, self._frame = self._frame, None
        if frame is not None:
            frame.close()
        if frame is not None and self._planes is not None and self._color in COLORS:
            self._planes.close()
            self._planes = None
            self._color = const.FRAME_RGB

    # The end

    async def cancel(self) -> None:
        """End the job; a start that waits ends, too, and with it what this holds."""
        self._is_cancelled = True
        if self._worker.is_calling:
            self._worker.hang_up()
            return
        with contextlib.suppress(ScannerProblem):
            await self._worker.call(messages.Cancel(self._handle), CANCEL_SECONDS)

    async def close(self) -> None:
        """Close the device and end the worker; the scanner is free when this returns."""
        if self._is_closed:
            return
        self._is_closed = True
        self._leave_frame()
        if self._planes is not None:
            self._planes.close()
        await finished(self._end())

    async def _end(self) -> None:
        try:
            await self._worker.close()
        finally:
            if self._ended is not None:
                await self._ended(self.problem)

    # Between jobs

    async def release(self) -> None:
        """Close the device and leave the worker as it was before."""
        self._is_closed = True
        await self._worker.call(messages.Close(self._handle))

    async def identity(self, name: str = "") -> private.IdentityReply:
        """Return what the driver says of the device."""
        reply = await self._worker.call(private.Identify(self._handle, name))
        if reply.status:
            raise problem_of(reply.status, f"{self._name} says nothing of itself")
        found: private.IdentityReply = reply
        return found

    @contextlib.contextmanager
    def _noted(self) -> Any:
        """Remember the problem that ends a step, for the scanner's status."""
        try:
            yield
        except ScannerProblem as exc:
            if self._is_cancelled and not isinstance(exc, Cancelled):
                self.problem = Cancelled("the scan was cancelled")
                raise self.problem from exc
            self.problem = exc
            raise
        else:
            self.problem = None


PROBLEMS: dict[int, type[ScannerProblem]] = {
    const.STATUS_CANCELLED: Cancelled,
    const.STATUS_NO_DOCS: NoDocuments,
    const.STATUS_JAMMED: Jammed,
    const.STATUS_COVER_OPEN: CoverOpen,
}


def problem_of(status: int, what: str) -> ScannerProblem:
    """Return the error for a SANE status. what: which device did not do what."""
    if status == const.STATUS_DEVICE_BUSY:
        return Busy()
    text = f"{what}: {text_of(status)}"
    if status in PROBLEMS:
        return PROBLEMS[status](text)
    return ScanFailed(status, text)

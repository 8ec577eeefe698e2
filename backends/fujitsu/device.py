"""A document scanner as a device: options become batches, sides of sheets become frames.

It knows when a batch begins and which side is next; how sides come is job.py's.
Source: specification fujitsu 4.2, 5 and 9.
"""

from __future__ import annotations

from ...backend import FRAME_GRAY, FRAME_RGB, Parameters, errors
from . import commands, modepages
from .job import Job
from .options import FujitsuOptions
from .settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...backend import Document
    from .capabilities import Capabilities
    from .scanner import Scanner
    from .sides import Side

BUTTONS = ("scan", "email")


class JpegDocument:
    """The JPEG of a side, as the scanner sends it."""

    def __init__(self, job: Job, side: Side) -> None:
        self._job = job
        self._side = side

    def read_into(self, view: memoryview) -> int:
        """Write the next bytes into *view*; return how many, 0 at the end."""
        return self._job.read_document(self._side, view)


class Fujitsu(FujitsuOptions):
    """One open scanner; it owns the way to the scanner."""

    def __init__(self, scanner: Scanner, capabilities: Capabilities, buffer_bytes: int) -> None:
        self.scanner = scanner
        self.debug = scanner.debug
        self._buffer_bytes = buffer_bytes
        self._job: Job | None = None
        self._side: Side | None = None
        self._is_read = False  # all of the side: what follows is as the options say
        self._sensed: dict[str, int] = {}
        self._fresh: set[str] = set()  # sensors that were told and not handed out since
        self.prepare(capabilities)
        scanner.usb.belongs_to(self)

    # Parameters

    def settings(self) -> Settings:
        """Return what the options say now."""
        wants_jpeg = bool(self.wanted_mime) or self.keeps_encoded
        return Settings(self, self.capabilities, wants_jpeg=wants_jpeg)

    def parameters(self) -> Parameters:
        side = self._side
        if side is not None and not self._is_read:
            frame = FRAME_RGB if side.channels == 3 else FRAME_GRAY
            return Parameters(frame, side.width_px, side.lines, side.depth)
        settings = self.settings()
        frame = FRAME_RGB if settings.channels == 3 else FRAME_GRAY
        lines = -1 if settings.length_varies else max(1, settings.lines)
        return Parameters(frame, max(1, settings.width_px), lines, settings.depth)

    # Scanning

    def start(self) -> None:
        self._side, self._is_read = None, False
        settings = self.settings()
        if settings.width_px < 1 or settings.lines < 1:
            size = f"{settings.width_px} x {settings.lines}"
            raise errors.Invalid(f"the scan area has {size} pixels")
        if self._job is not None and self._job.settings != settings:
            if not self._job.is_feeding:
                self._end_job(is_fine=True)
            self._job = None  # a sheet that was drawn in is the new batch's
        if self._job is None:
            decodes = not self.wanted_mime
            form = {"decodes": decodes, "keeps": self.keeps_encoded or not decodes}
            self._job = Job(self.scanner, settings, self._buffer_bytes, self.wait, **form)
        self._side = self._job.next_side()
        while settings.is_buffered and not self._job.complete(self._side):
            self._side = self._job.next_side()

    def read_into(self, view: memoryview) -> int:
        if self._job is None or self._side is None:
            return 0
        return self._job.read_into(self._side, view)

    def document(self, mime: str) -> Document:
        if self._job is None or self._side is None or not self._job.settings.is_jpeg:
            raise errors.Unsupported(f"{self.mode} is not sent as {mime}")
        return JpegDocument(self._job, self._side)

    def frame_ended(self) -> None:
        self._is_read = True

    def finish(self, aborted: bool) -> None:
        self._side = None
        self._end_job(is_fine=not aborted)

    def _end_job(self, *, is_fine: bool) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.finish(is_fine=is_fine)

    def close(self) -> None:
        is_usable = modepages.BUFFER in self.capabilities.usable
        self.scanner.close(modepages.buffer(self.buffermode) if is_usable else b"")

    # What is told or asked at once

    def set_sleep_timer(self, minutes: int) -> None:
        data = modepages.sleep(minutes)
        self.scanner.command(commands.mode_select(len(data)), data)

    def set_off_timer(self, minutes: int) -> None:
        data = commands.power_off(minutes)
        self.scanner.command(commands.send_diagnostic(len(data)), data)

    def current_side(self) -> bool:
        return self._side is not None and self._side.is_back

    def sensor(self, name: str) -> int:
        """Return a sensor's value: what was told is handed out once, then it is asked again.

        A press of a button is kept until it is read; while a side is read nothing is asked.
        """
        if name not in self._fresh and not self.options.is_reading:
            is_m3091 = self.capabilities.quirks.is_m3091
            self._sensed |= self.scanner.status(is_m3091=is_m3091)
            self._fresh = set(self._sensed)
            self.latched.update(button for button in BUTTONS if self._sensed.get(button))
        self._fresh.discard(name)
        if name not in BUTTONS:
            return self._sensed.get(name, 0)
        is_pressed = name in self.latched
        self.latched.discard(name)
        return int(is_pressed)

"""An ESC/I-2 scanner as a device: options become parameters, sheets become frames.

It knows when a job begins, which page is next and when there is none; how pages come is job.py's.
Source: specification esci 4.6 to 4.8.
"""

from __future__ import annotations

from ...backend import FRAME_GRAY, FRAME_RGB, Parameters, errors
from ...image.layout import Layout
from ...image.page import JpegPage, Page, RawPage
from . import models
from .capabilities import DUPLEX, FLATBED
from .job import BACK, FRONT, Job
from .options import EpsonOptions
from .parameters import ALIGNMENT, COLOR, LINEART, Geometry, ScanParameters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .capabilities import Capabilities
    from .commands import Commands

THRESHOLD = 110  # gray of a JPEG from which on a pixel of line art is white


class EpsonDs(EpsonOptions):
    """One open scanner; it owns the way to the scanner."""

    def __init__(self, commands: Commands, capabilities: Capabilities) -> None:
        self.commands = commands
        self.debug = commands.debug
        self._job: Job | None = None
        self._page: Page | None = None
        self._is_read = False  # all of the page: what follows is as the options say
        self._following: list[Page] = []  # of the same sheet
        self.prepare(capabilities)
        commands.wire.belongs_to(self)

    def move(self, action: str) -> None:
        self.check(self.commands.ask("MECH", action.encode("ascii")))

    def check(self, tokens: list[tuple[str, bytes]]) -> None:
        """Raise what an error among *tokens* means."""
        Job(self.commands, self.wait).check(tokens)

    # Parameters

    def geometry(self) -> Geometry:
        """Return the scan area in pixels; in one without any, sizes are 0 or less."""
        area = (self.tl_x, self.tl_y, self.br_x, self.br_y)
        return Geometry(area, self.resolution, self.capabilities.bed(self.source))

    def parameters(self) -> Parameters:
        frame = FRAME_RGB if self.scan_mode == COLOR else FRAME_GRAY
        depth = 1 if self.scan_mode == LINEART else 8
        if self._page is not None and not self._is_read:
            return Parameters(frame, self._page.width_px, self._page.lines, depth)
        geometry = self.geometry()
        return Parameters(frame, max(ALIGNMENT, geometry.width_px), max(1, geometry.lines), depth)

    def scan_parameters(self) -> ScanParameters:
        """Return what the scanner is to be asked for; raises Invalid for an area without pixels."""
        geometry = self.geometry()
        if geometry.width_px < 1 or geometry.lines < 1:
            size = f"{geometry.width_px} x {geometry.lines}"
            raise errors.Invalid(f"the scan area has {size} pixels")
        return ScanParameters(
            geometry,
            source=self.source,
            mode=self.scan_mode,
            dpi=self.resolution,
            capabilities=self.capabilities,
            skew=self.adf_skew,
            crop=self.adf_crp,
        )

    # Scanning

    def start(self) -> None:
        self._page, self._is_read = None, False
        scan = self.scan_parameters()
        job = self._job
        if job is not None and (scan.source == FLATBED or scan.block() != self._scan.block()):
            self.finish(aborted=False)
            job = None
        if job is None:
            job = self._begin(scan)
        elif self._following:
            self._page = self._following.pop(0)
        else:
            job.finish_pages()
            if job.is_last:
                raise job.no_more_sheets()
            self._next_sheet(job)
        assert self._page is not None
        job.await_page(self._page)
        if self._page.fits:
            job.finish_pages()

    def _begin(self, scan: ScanParameters) -> Job:
        if scan.source != FLATBED:
            self.check(self.commands.ask("STAT"))
        self._scan = scan
        job = self._job = Job(self.commands, self.wait)
        job.begin(scan.block())
        self._next_sheet(job)
        return job

    def _next_sheet(self, job: Job) -> None:
        sides = (FRONT, BACK) if self._scan.source == DUPLEX else (FRONT,)
        job.pages = {side: self._new_page(side) for side in sides}
        self._page, *self._following = job.pages.values()

    def _new_page(self, side: str) -> Page:
        scan = self._scan
        width_px, lines = scan.geometry.width_px, scan.geometry.lines
        channels, depth = 3 if scan.mode == COLOR else 1, 1 if scan.mode == LINEART else 8
        page: Page
        if scan.is_jpeg:
            page = JpegPage(
                Layout(width_px, channels, depth),
                lines,
                fits=scan.crop,
                waits=scan.source != FLATBED,
                threshold=THRESHOLD,
                is_exact=True,
            )
        else:
            layout = Layout(width_px, channels, depth, invert=depth == 1)
            page = RawPage(layout, lines, fits=scan.crop)
        page.is_turned = side == BACK and self.capabilities.model in models.TURNS_BACK
        return page

    def read_into(self, view: memoryview) -> int:
        if self._job is None or self._page is None:
            return 0
        return self._job.read_into(self._page, view)

    def frame_ended(self) -> None:
        self._is_read = True

    def finish(self, aborted: bool) -> None:
        job, self._job = self._job, None
        self._page, self._following = None, []
        if job is not None:
            job.finish(aborted=aborted, is_flatbed=self._scan.source == FLATBED)

    def close(self) -> None:
        self.commands.close()

"""A driverless scanner as a device: options become a job, documents become frames.

It knows when a job begins, goes on and ends; what is said to the scanner is the protocol's.
Source: specification escl 2.4, 2.10 and 4.6.
"""

from __future__ import annotations

from time import monotonic

from ...backend import FRAME_GRAY, FRAME_RGB, Parameters, errors
from . import choice
from .capabilities import BITS, COLOR, JPEG, TIFF
from .options import MIDDLE, UNSET, DriverlessOptions
from .page import Frame, ReceivedPage
from .request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...backend import Document
    from .capabilities import Capabilities
    from .choice import Choice, Formats
    from .job import Job
    from .window import Window


class DriverlessDevice(DriverlessOptions):
    """One open scanner. A protocol fills in `new_job`, and perhaps `asked_window`."""

    encoded = (JPEG,)
    retry_seconds = 2.5  # between failed starts: programs that try at once overwhelm devices

    def __init__(self, capabilities: Capabilities, formats: Formats) -> None:
        self._job: Job | None = None
        self._page: ReceivedPage | None = None
        self._failed_at = -self.retry_seconds
        self.prepare(capabilities, formats)

    # What a protocol fills in

    def new_job(self, request: Request) -> Job:
        """Return a job that does *request*, and has not begun."""
        raise NotImplementedError

    def knows_better(self, failure: errors.AccessDenied) -> bool:
        """Tell whether a job that the scanner did not admit is worth trying again now."""
        return False

    def asked_window(self, window: Window) -> Window:
        """Return what is asked for to get *window*; a scanner may need to be asked for more."""
        return window

    # What is asked for

    def parameters(self) -> Parameters:
        kind = self.kind
        width_px, lines = self.frame_size()
        frame = FRAME_RGB if kind.mode == COLOR else FRAME_GRAY
        return Parameters(frame, width_px, lines, kind.depth)

    def frame_size(self) -> tuple[int, int]:
        """Return width and lines of a frame in pixels; -1 lines where the sheet decides."""
        width_px, lines = self.window.size(self.dpi)
        return width_px, -1 if self.is_cropped else lines

    def request(self) -> Request:
        """Return the job that the options say."""
        bed, kind = self.bed, self.kind
        found = Request(bed, self.asked_window(self.window), kind, self._choice())
        if self.preview and "Preview" in bed.intents:
            found.intent = "Preview"
        elif self.scan_intent != UNSET:
            found.intent = self.scan_intent
        found.adjusts = self.device_adjusts()
        found.compression = self._compression(found.choice.format)
        found.most_pages = self.page_count if bed.is_feeder else 0
        self._add_threshold(found)
        return found

    def _choice(self) -> Choice:
        formats = self.formats
        if self.wanted_mime:
            formats = choice.Formats([self.wanted_mime])
        is_plain = self.threshold == MIDDLE and self.tone().is_neutral
        as_bits = is_plain or "Threshold" in self.capabilities.adjusts
        return choice.choose(self.bed, formats, self.kind, self.dpi, as_bits=as_bits)

    def _compression(self, format: str) -> int | None:
        """Return what to say of compression: the user's value, else the best for the format."""
        scale = self.capabilities.compression
        if scale is None:
            return None
        chosen: int = self.compression_factor
        if chosen != scale.low:
            return chosen
        is_lossy = choice.plain(format) in (JPEG, TIFF)
        return scale.low if is_lossy else scale.normal

    def _add_threshold(self, request: Request) -> None:
        scale = self.capabilities.adjusts.get("Threshold")
        if scale is not None and request.choice.kind == BITS and self.threshold != MIDDLE:
            request.adjusts["Threshold"] = scale.at(2 * (self.threshold - MIDDLE))

    def frame(self, request: Request) -> Frame:
        """Return what is made of a page of *request*."""
        threshold = min(255, max(1, round(self.threshold * 255 / 100)))
        return Frame(request, self.frame_size(), self.tone(), threshold)

    # Scanning

    def start(self) -> None:
        request = self.request()
        job, page = self._job, self._page
        self._page = None
        if job is not None and not (request.is_feeder and request.is_like(job.request)):
            self._end_job(is_aborted=job.request.is_feeder)
            job = None
        if job is not None and page is not None:
            if page.begin_next(self.frame(request)):
                self._page = page
                return
            page.discard()
        is_first = job is None
        try:
            self._page = self._next_page(job) if job is not None else self._first_page(request)
        except errors.Cancelled:
            raise  # finish ends the job
        except BaseException:
            if is_first:
                self._failed_at = monotonic()
            self._end_job(is_aborted=False)
            raise

    def _first_page(self, request: Request) -> ReceivedPage:
        try:
            return self._next_page(self._begin(request))
        except errors.AccessDenied as exc:
            self._end_job(is_aborted=False)
            if not self.knows_better(exc):
                raise
        return self._next_page(self._begin(request))

    def _begin(self, request: Request) -> Job:
        since = monotonic() - self._failed_at
        if since < self.retry_seconds:
            self.wait(self.retry_seconds - since)
        job = self.new_job(request)
        self._job = job
        job.begin()
        return job

    def _next_page(self, job: Job) -> ReceivedPage:
        delivery = job.deliveries.next(self.wait)
        if delivery is None:
            raise errors.NoDocs("no sheet is left in the feeder")
        page = ReceivedPage(
            job.deliveries, delivery, self.wait, keeps=self.keeps_encoded and not self.wanted_mime
        )
        page.begin(self.frame(job.request))
        return page

    def read_into(self, view: memoryview) -> int:
        return 0 if self._page is None else self._page.read_into(view)

    def document(self, mime: str) -> Document:
        if self._page is None:
            raise errors.Invalid("document: no page was begun")
        return self._page.encoded(mime)

    def frame_ended(self) -> None:
        if self._page is not None:
            self._page.tell_size(self.debug)
            self._page.drop()

    def finish(self, aborted: bool) -> None:
        """End the job only when it is cancelled in the middle of a page.

        Frontends cancel after every page, also of a feeder: then the next start goes on.
        """
        if aborted:
            self._page = None
            self._end_job(is_aborted=True)

    def _end_job(self, *, is_aborted: bool) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.end(is_aborted=is_aborted)

    def close(self) -> None:
        self._page = None
        job = self._job
        self._end_job(is_aborted=job is not None and job.request.is_feeder)
